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

    /// The frequencies that hold most of a frame's energy between them, each a good part of it: one for one who speaks,
    /// two or three for as many at once. None for silence, speech and music.
    pub fn hears(&self, frame: &[i16]) -> Vec<u32> {
        let energy: f32 = frame.iter().map(|s| f32::from(*s).powi(2)).sum();
        if frame.len() < FRAME / 2 || energy / (frame.len() as f32) < 200.0f32.powi(2) {
            return Vec::new();
        }
        let (mut heard, mut held) = (Vec::new(), 0.0);
        for hz in &self.0 {
            let part = goertzel(frame, *hz) / energy;
            if part > 0.15 {
                heard.push(*hz);
                held += part;
            }
            if held > 0.9 {
                break;
            }
        }
        if held > 0.7 { heard } else { Vec::new() }
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
            assert_eq!(bank.hears(&frame(hz)), [hz]);
        }
    }

    #[test]
    fn silence_and_noise_are_no_tone() {
        let bank = Bank::new([1_000, 2_000]);
        assert_eq!(bank.hears(&[0; FRAME]), [0u32; 0]);
        let mut random = base::Random::from_seed(3);
        let noise: Vec<i16> = (0..FRAME).map(|_| random.below(20_000) as i16 - 10_000).collect();
        assert_eq!(bank.hears(&noise), [0u32; 0]);
    }

    #[test]
    fn people_who_speak_at_once_are_each_heard() {
        let bank = Bank::new((1_000..=3_300).step_by(100));
        let mixed: Vec<i16> = frame(1_300).iter().zip(frame(2_400)).map(|(a, b)| a / 2 + b / 2).collect();
        assert_eq!(bank.hears(&mixed), [1_300, 2_400]);
        let three: Vec<i16> = mixed.iter().zip(frame(1_800)).map(|(a, b)| a / 2 + b / 3).collect();
        assert_eq!(bank.hears(&three), [1_300, 1_800, 2_400]);
    }
}
