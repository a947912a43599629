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

/// Samples of 8 kHz that are worked on at once: those before them lie in front, so that no window is moved for each.
const BLOCK: usize = 160;

/// 16 kHz to 8 kHz. The sound comes out 1.4 ms later.
#[derive(Clone, Debug, Default)]
pub(crate) struct Halver {
    /// The newest samples at odd places, whose weights are not zero; and those at even places, of which the middle counts.
    odd: [f32; TAPS - 1],
    even: [f32; SIDE - 1],
}

/// 8 kHz to 16 kHz. The sound comes out 1.5 ms later.
#[derive(Clone, Debug, Default)]
pub(crate) struct Doubler {
    heard: [f32; TAPS - 1],
}

impl Halver {
    /// Half as many samples as `wide` has, into the front of `narrow`; how many these are.
    pub fn halve(&mut self, wide: &[i16], narrow: &mut [i16]) -> usize {
        let (pairs, _) = wide.as_chunks::<2>();
        let parts = pairs.chunks(BLOCK).zip(narrow.chunks_mut(BLOCK));
        parts.map(|(pairs, narrow)| self.halve_part(pairs, narrow)).sum()
    }

    fn halve_part(&mut self, pairs: &[[i16; 2]], narrow: &mut [i16]) -> usize {
        let count = pairs.len().min(narrow.len());
        let (mut even, mut odd, mut sums) = ([0.0; SIDE - 1 + BLOCK], [0.0; TAPS - 1 + BLOCK], [0.0; BLOCK]);
        even[..SIDE - 1].copy_from_slice(&self.even);
        odd[..TAPS - 1].copy_from_slice(&self.odd);
        for (pair, (even, odd)) in pairs[..count].iter().zip(even[SIDE - 1..].iter_mut().zip(&mut odd[TAPS - 1..])) {
            (*even, *odd) = (f32::from(pair[0]), f32::from(pair[1]));
        }
        filter(&odd, &mut sums[..count]);
        for (out, (middle, sum)) in narrow.iter_mut().zip(even.iter().zip(&sums[..count])) {
            *out = rounded(0.5 * middle + sum);
        }
        self.even.copy_from_slice(&even[count..count + SIDE - 1]);
        self.odd.copy_from_slice(&odd[count..count + TAPS - 1]);
        count
    }
}

impl Doubler {
    /// Twice as many samples as `narrow` has, into the front of `wide`; how many these are.
    pub fn double(&mut self, narrow: &[i16], wide: &mut [i16]) -> usize {
        let (pairs, _) = wide.as_chunks_mut::<2>();
        let parts = narrow.chunks(BLOCK).zip(pairs.chunks_mut(BLOCK));
        parts.map(|(narrow, pairs)| self.double_part(narrow, pairs)).sum()
    }

    fn double_part(&mut self, narrow: &[i16], pairs: &mut [[i16; 2]]) -> usize {
        let count = pairs.len().min(narrow.len());
        let (mut heard, mut sums) = ([0.0; TAPS - 1 + BLOCK], [0.0; BLOCK]);
        heard[..TAPS - 1].copy_from_slice(&self.heard);
        heard[TAPS - 1..].iter_mut().zip(&narrow[..count]).for_each(|(heard, sample)| *heard = f32::from(*sample));
        filter(&heard, &mut sums[..count]);
        for (pair, (middle, sum)) in pairs.iter_mut().zip(heard[SIDE - 1..].iter().zip(&sums[..count])) {
            // The sample that lies in the middle of those heard, and the one between it and the next.
            *pair = [rounded(*middle), rounded(2.0 * sum)];
        }
        self.heard.copy_from_slice(&heard[count..count + TAPS - 1]);
        2 * count
    }
}

/// Of each sample that has as many as the filter takes before and after it, their weighed sum. Weight by weight, so that
/// several sums are worked on with one instruction.
fn filter(samples: &[f32; TAPS - 1 + BLOCK], sums: &mut [f32]) {
    for (n, weight) in WEIGHTS.iter().enumerate() {
        let (before, after) = (&samples[SIDE - 1 - n..], &samples[SIDE + n..]);
        sums.iter_mut().zip(before.iter().zip(after)).for_each(|(sum, (before, after))| *sum += (before + after) * weight);
    }
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

    #[test]
    fn however_the_samples_are_cut_into_parts_the_sound_is_the_same() {
        let wide = sine(16_000, 1_234.0, 9_000.0, 3_200);
        let (mut whole, mut parts) = ([0; 1_600], vec![]);
        Halver::default().halve(&wide, &mut whole);
        let (mut halver, mut part) = (Halver::default(), [0; 601]);
        let mut rest = &wide[..];
        for pairs in [1, 7, 160, 161, 350, 320, 601] {
            let (now, later) = rest.split_at(2 * pairs);
            let count = halver.halve(now, &mut part);
            parts.extend_from_slice(&part[..count]);
            rest = later;
        }
        assert_eq!(parts, whole);
        let (mut doubler, mut back, mut again) = (Doubler::default(), vec![0; 3_200], vec![]);
        Doubler::default().double(&whole, &mut back);
        for part in whole.chunks(77) {
            let mut wide = [0; 154];
            let count = doubler.double(part, &mut wide);
            again.extend_from_slice(&wide[..count]);
        }
        assert_eq!(again, back);
    }
}
