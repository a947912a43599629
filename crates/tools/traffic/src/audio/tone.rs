//! Pure tones: each simulated person speaks one, and is known by it. Measured by Goertzel's algorithm.

use super::FRAME;
use std::f32::consts::TAU;

/// A sine that goes on where it was, so that frames join without a click.
#[derive(Clone, Debug)]
pub struct Tone {
    step: f32,
    phase: f32,
    level: f32,
}

impl Tone {
    /// `hz` at about -12 dBFS.
    pub fn new(hz: u32) -> Self {
        Tone { step: TAU * hz as f32 / 8_000.0, phase: 0.0, level: 8_000.0 }
    }

    pub fn next_sample(&mut self) -> i16 {
        let sample = (self.phase.sin() * self.level) as i16;
        self.phase = (self.phase + self.step) % TAU;
        sample
    }
}

/// Listens for a set of frequencies at once.
#[derive(Clone, Debug, Default)]
pub struct Bank(Vec<u32>);

impl Bank {
    /// Frequencies at least 100 Hz apart and multiples of 50 Hz can't be taken for each other in 20 ms.
    pub fn new(frequencies: impl IntoIterator<Item = u32>) -> Self {
        Bank(frequencies.into_iter().collect())
    }

    /// The one frequency that holds most of a frame's energy; `None` for silence, speech and music.
    pub fn hears(&self, frame: &[i16]) -> Option<u32> {
        let energy: f32 = frame.iter().map(|s| f32::from(*s).powi(2)).sum();
        if frame.len() < FRAME / 2 || energy / (frame.len() as f32) < 200.0f32.powi(2) {
            return None;
        }
        self.0.iter().copied().find(|hz| goertzel(frame, *hz) > 0.7 * energy)
    }
}

/// The part of a frame's energy that lies at `hz`: a pure tone of whole periods gives all of it.
pub fn goertzel(frame: &[i16], hz: u32) -> f32 {
    let coefficient = 2.0 * (TAU * hz as f32 / 8_000.0).cos();
    let (mut before, mut last) = (0.0f32, 0.0f32);
    for sample in frame {
        (before, last) = (last, f32::from(*sample) + coefficient * last - before);
    }
    let power = last * last + before * before - coefficient * last * before;
    2.0 * power / frame.len().max(1) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(hz: u32) -> Vec<i16> {
        let mut tone = Tone::new(hz);
        (0..FRAME).map(|_| tone.next_sample()).collect()
    }

    #[test]
    fn each_tone_of_a_bank_is_heard_as_itself() {
        let bank = Bank::new((1_000..=3_300).step_by(100));
        for hz in (1_000..=3_300).step_by(100) {
            assert_eq!(bank.hears(&frame(hz)), Some(hz));
        }
    }

    #[test]
    fn silence_and_noise_are_no_tone() {
        let bank = Bank::new([1_000, 2_000]);
        assert_eq!(bank.hears(&[0; FRAME]), None);
        let mut random = base::Random::from_seed(3);
        let noise: Vec<i16> = (0..FRAME).map(|_| random.below(20_000) as i16 - 10_000).collect();
        assert_eq!(bank.hears(&noise), None);
        let chord: Vec<i16> = frame(1_000).iter().zip(frame(2_000)).map(|(a, b)| a / 2 + b / 2).collect();
        assert_eq!(bank.hears(&chord), None);
    }
}
