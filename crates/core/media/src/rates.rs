//! Between the telephone's 8 kHz and the 16 kHz of wideband codecs, packet after packet: a half-band filter, of which
//! every other weight is zero.

use std::f64::consts::PI;
use std::sync::LazyLock;

/// Weights on each side of the middle one that are not zero: 3.4 kHz are kept, 4.6 kHz are 50 dB down.
const SIDE: usize = 12;
const TAPS: usize = 2 * SIDE;

static WEIGHTS: LazyLock<[f32; SIDE]> = LazyLock::new(|| std::array::from_fn(weight));

/// A sinc that crosses zero at every even place but its middle, under a Hamming window; scaled so that all of them are a
/// half, as the middle one is.
fn weight(n: usize) -> f32 {
    let taper = |n: usize| {
        let place = (2 * n + 1) as f64;
        let window = 0.54 + 0.46 * (PI * place / (TAPS as f64)).cos();
        (if n.is_multiple_of(2) { 1.0 } else { -1.0 }) / (PI * place) * window
    };
    let sum: f64 = (0..SIDE).map(taper).sum();
    (taper(n) * 0.25 / sum) as f32
}

/// 16 kHz to 8 kHz. The sound comes out 1.4 ms later.
#[derive(Clone, Debug, Default)]
pub(crate) struct Halver {
    /// The newest samples at odd places, whose weights are not zero; and those at even places, of which the middle counts.
    odd: [f32; TAPS],
    even: [f32; SIDE],
}

/// 8 kHz to 16 kHz. The sound comes out 1.5 ms later.
#[derive(Clone, Debug, Default)]
pub(crate) struct Doubler {
    heard: [f32; TAPS],
}

impl Halver {
    /// Half as many samples as `wide` has, into the front of `narrow`; how many these are.
    pub fn halve(&mut self, wide: &[i16], narrow: &mut [i16]) -> usize {
        let pairs = wide.chunks_exact(2);
        let count = pairs.len().min(narrow.len());
        for (pair, out) in pairs.zip(narrow.iter_mut()) {
            self.even.rotate_left(1);
            self.even[SIDE - 1] = f32::from(pair[0]);
            self.odd.rotate_left(1);
            self.odd[TAPS - 1] = f32::from(pair[1]);
            *out = rounded(0.5 * self.even[0] + filtered(&self.odd));
        }
        count
    }
}

impl Doubler {
    /// Twice as many samples as `narrow` has, into the front of `wide`; how many these are.
    pub fn double(&mut self, narrow: &[i16], wide: &mut [i16]) -> usize {
        let pairs = wide.chunks_exact_mut(2);
        let count = 2 * pairs.len().min(narrow.len());
        for (pair, sample) in pairs.zip(narrow) {
            self.heard.rotate_left(1);
            self.heard[TAPS - 1] = f32::from(*sample);
            // The sample that lies in the middle of those heard, and the one between it and the next.
            pair[0] = rounded(self.heard[SIDE - 1]);
            pair[1] = rounded(2.0 * filtered(&self.heard));
        }
        count
    }
}

fn filtered(samples: &[f32; TAPS]) -> f32 {
    let (before, after) = samples.split_at(SIDE);
    before.iter().rev().zip(after).zip(WEIGHTS.iter()).map(|((before, after), weight)| (before + after) * weight).sum()
}

fn rounded(sample: f32) -> i16 {
    // The lowest value has another meaning where samples wait to be heard.
    (sample.round() as i16).max(-i16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tone::{amplitude, loudness, sine};

    #[test]
    fn speech_is_kept_both_ways_and_nothing_is_heard_twice() {
        for hertz in [100.0, 1_000.0, 3_000.0, 3_400.0] {
            let mut wide = vec![0; 16_000];
            let narrow = sine(8_000, hertz, 10_000.0, 8_000);
            let mut doubler = Doubler::default();
            for (from, to) in narrow.chunks(160).zip(wide.chunks_mut(320)) {
                assert_eq!(doubler.double(from, to), 320);
            }
            assert!((9_700.0..10_300.0).contains(&amplitude(&wide[800..15_200], 16_000, hertz)), "{hertz}");
            let image = amplitude(&wide[800..15_200], 16_000, 8_000.0 - hertz);
            assert!(image < 500.0, "{hertz}: {image}");
            let mut back = vec![0; 8_000];
            assert_eq!(Halver::default().halve(&wide, &mut back), 8_000);
            assert!((9_500.0..10_500.0).contains(&amplitude(&back[400..7_600], 8_000, hertz)), "{hertz}");
        }
    }

    #[test]
    fn what_the_telephone_has_no_room_for_is_gone() {
        for hertz in [4_700.0, 6_000.0, 7_500.0] {
            let mut narrow = vec![0; 8_000];
            Halver::default().halve(&sine(16_000, hertz, 10_000.0, 16_000), &mut narrow);
            assert!(loudness(&narrow[400..]) < 60.0, "{hertz}: {}", loudness(&narrow[400..]));
        }
    }

    #[test]
    fn a_buffer_that_is_too_short_takes_what_it_can() {
        assert_eq!(Halver::default().halve(&[0; 320], &mut [0; 100]), 100);
        assert_eq!(Doubler::default().double(&[0; 160], &mut [0; 101]), 100);
    }
}
