//! What is heard in place of a lost packet: the last period of the voice again and again, fading to silence, and a soft
//! passage back when the voice goes on. It follows the idea of ITU-T G.711 Appendix I: an interruption of one packet is
//! not noticed, a long one is silence, and nothing clicks.
//!
//! ```text
//!   heard ───────────────┐                                  ┌─────── heard again
//!                period  │ period  period  period ...       │ 4 ms of both
//!                ◀──────▶│ full for 10 ms, then less and less, nothing from 60 ms on
//! ```

/// How many samples a thing has at 8 kHz; at 16 kHz twice as many. What is remembered: the longest period, and what it is
/// compared with.
const MEMORY: usize = LONGEST + WINDOW;
/// Periods of 66 to 200 Hz.
const SHORTEST: usize = 40;
const LONGEST: usize = 120;
/// Samples that are compared to find the period: 20 ms.
const WINDOW: usize = 160;
/// Full loudness for 10 ms, nothing after 60.
const FULL: usize = 80;
const GONE: usize = 480;
/// Where what was made and what came overlap.
const BLEND: usize = 32;

#[derive(Clone, Debug)]
pub(crate) struct Concealer {
    /// Samples for each of 8 kHz: 1 or 2.
    scale: usize,
    memory: Vec<i16>,
    /// How many samples have been made since the last that came.
    made: usize,
    period: usize,
    /// How far the last sample that came was from the one a period before it.
    step: f32,
    /// What would have gone on while the voice comes back, and how much of that is still to be heard.
    lead: Vec<i16>,
    blending: usize,
}

impl Concealer {
    /// For a voice at so many times 8 kHz.
    pub fn new(scale: usize) -> Concealer {
        let (memory, lead, period) = (vec![0; MEMORY * scale], vec![0; BLEND * scale], LONGEST * scale);
        Concealer { scale, memory, made: 0, period, step: 0.0, lead, blending: 0 }
    }

    /// Samples that came; the first of them after a gap are changed to lead over.
    pub fn came(&mut self, samples: &mut [i16]) {
        let blend = self.lead.len();
        if self.made > 0 && !samples.is_empty() {
            for n in 0..blend {
                self.lead[n] = self.next_made();
            }
            (self.made, self.blending) = (0, blend);
        }
        let blended = self.blending.min(samples.len());
        for (sample, made) in samples[..blended].iter_mut().zip(&self.lead[blend - self.blending..]) {
            let share = self.blending as f32 / (blend + 1) as f32;
            *sample = (f32::from(*made) * share + f32::from(*sample) * (1.0 - share)) as i16;
            self.blending -= 1;
        }
        self.remember(samples);
    }

    /// Fills in for samples that did not come.
    pub fn missing(&mut self, samples: &mut [i16]) {
        self.blending = 0;
        if self.made == 0 && !samples.is_empty() {
            self.period = self.find_period();
            let last = self.memory.len() - 1;
            self.step = f32::from(self.memory[last]) - f32::from(self.memory[last - self.period]);
            self.smooth_seam();
        }
        for sample in samples {
            *sample = self.next_made();
        }
    }

    /// Nothing more can be heard of what it has.
    pub fn is_silent(&self) -> bool {
        self.made >= GONE * self.scale || self.memory.iter().all(|sample| *sample == 0)
    }

    /// Nothing is said, and nothing is missing.
    pub fn rest(&mut self) {
        self.memory.fill(0);
        (self.made, self.blending) = (0, 0);
    }

    fn remember(&mut self, samples: &[i16]) {
        let length = self.memory.len();
        let newest = &samples[samples.len().saturating_sub(length)..];
        self.memory.copy_within(newest.len().., 0);
        self.memory[length - newest.len()..].copy_from_slice(newest);
    }

    fn next_made(&mut self) -> i16 {
        let (full, gone, blend) = (FULL * self.scale, GONE * self.scale, self.lead.len());
        let loudness = match self.made {
            made if made < full => 1.0,
            made if made < gone => (gone - made) as f32 / (gone - full) as f32,
            _ => 0.0,
        };
        let sample = self.memory[self.memory.len() - self.period + self.made % self.period];
        let led_over = self.step * blend.saturating_sub(self.made + 1) as f32 / blend as f32;
        self.made = (self.made + 1).min(usize::MAX / 2);
        ((f32::from(sample) + led_over) * loudness) as i16
    }

    /// How far back the voice was most like now.
    fn find_period(&self) -> usize {
        let (length, window) = (self.memory.len(), WINDOW * self.scale);
        let now = &self.memory[length - window..];
        let likeness = |period: usize| {
            let before = &self.memory[length - window - period..length - period];
            let (mut both, mut power) = (0.0f32, 1.0f32);
            for (a, b) in now.iter().zip(before) {
                let (a, b) = (f32::from(*a), f32::from(*b));
                both += a * b;
                power += b * b;
            }
            both / power.sqrt()
        };
        let mut best = (LONGEST * self.scale, 0.0);
        for period in SHORTEST * self.scale..=LONGEST * self.scale {
            let found = likeness(period);
            if found > best.1 {
                best = (period, found);
            }
        }
        best.0
    }

    /// Bends the end of the last period towards what went before its beginning, so that a repetition has no edge.
    fn smooth_seam(&mut self) {
        let length = self.lead.len().min(self.period / 4);
        for n in 0..length {
            let end = self.memory.len() - length + n;
            let share = (n + 1) as f32 / (length + 1) as f32;
            let (last, before) = (f32::from(self.memory[end]), f32::from(self.memory[end - self.period]));
            self.memory[end] = (last * (1.0 - share) + before * share) as i16;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tone::{amplitude, loudness, part};

    /// A voice of three partials at 140 Hz.
    fn voice(samples: std::ops::Range<usize>) -> Vec<i16> {
        let partials = [(140.0, 5_000.0), (280.0, 3_000.0), (420.0, 1_500.0)].map(|(hz, a)| part(8_000, hz, a, samples.clone()));
        (0..partials[0].len()).map(|n| partials.iter().map(|p| p[n]).sum()).collect()
    }

    /// A second of it in frames, of which some are lost.
    fn heard(lost: &[usize]) -> Vec<i16> {
        let mut concealer = Concealer::new(1);
        let frame = |n: usize| {
            let mut frame = voice(n * 160..(n + 1) * 160);
            if lost.contains(&n) {
                concealer.missing(&mut frame)
            } else {
                concealer.came(&mut frame)
            }
            frame
        };
        (0..50).flat_map(frame).collect()
    }

    fn steepest(samples: &[i16]) -> i32 {
        samples.windows(2).map(|w| (i32::from(w[0]) - i32::from(w[1])).abs()).max().unwrap_or(0)
    }

    #[test]
    fn a_lost_packet_sounds_like_the_voice_around_it() {
        let (said, heard) = (voice(0..8_000), heard(&[20]));
        let error: Vec<i16> = heard.iter().zip(&said).map(|(a, b)| a - b).collect();
        let lost = 20 * 160..21 * 160;
        assert!(loudness(&error[lost.clone()]) < 0.35 * loudness(&said[lost.clone()]), "{}", loudness(&error[lost.clone()]));
        assert_eq!(error[..lost.start], [0; 3_200], "what came is untouched");
        assert_eq!(error[lost.end + BLEND..].iter().filter(|e| **e != 0).count(), 0, "also after 4 ms");
        assert!((4_500.0..5_500.0).contains(&amplitude(&heard[3_200..3_360], 8_000, 140.0)));
    }

    #[test]
    fn a_long_loss_fades_to_silence_and_neither_its_ends_nor_its_middle_click() {
        let heard = heard(&(20..30).collect::<Vec<_>>());
        let levels: Vec<f64> = heard[3_200..].chunks(160).take(10).map(loudness).collect();
        assert!(levels.windows(2).all(|pair| pair[1] <= pair[0] * 1.05), "{levels:?}");
        assert!(levels[0] > 3_000.0 && levels[3] < 1.0, "{levels:?}");
        let usual = steepest(&voice(0..8_000));
        assert!(steepest(&heard) <= usual * 3 / 2, "{} where the voice has {usual}", steepest(&heard));
    }

    #[test]
    fn one_packet_in_ten_may_be_lost_at_any_place_without_a_click() {
        let usual = steepest(&voice(0..8_000));
        for first in 5..15 {
            let heard = heard(&(first..50).step_by(10).collect::<Vec<_>>());
            assert!(steepest(&heard) <= usual * 3 / 2, "{first}: {}", steepest(&heard));
        }
    }

    #[test]
    fn before_anything_was_said_there_is_nothing_to_go_on_with() {
        let mut frame = [1_000; 160];
        Concealer::new(1).missing(&mut frame);
        assert_eq!(frame, [0; 160]);
    }
}
