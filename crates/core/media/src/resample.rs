//! From recording-studio rates to the telephone's 8 kHz: a windowed-sinc low-pass, then every n-th sample.

use std::f64::consts::{PI, TAU};

pub const RATE: u32 = 8_000;
/// Zero crossings on each side of the kernel: the transition band is about 500 Hz wide.
const LOBES: usize = 24;
/// Half amplitude here: what would alias into speech is gone, and the telephone band (3.4 kHz) is kept.
const CUTOFF: f64 = 3_700.0;

/// Samples at 16 kHz for wideband codecs; none if there is nothing in the source beyond what 8 kHz hold, or it would not
/// come out even.
pub(crate) fn to_16k(samples: Vec<i16>, rate: u32) -> Option<Vec<i16>> {
    match rate / 16_000 {
        1 if rate == 16_000 => Some(samples),
        factor @ 2..=6 if rate.is_multiple_of(16_000) => Some(every(factor as usize, &samples, &low_pass(7_400.0, rate))),
        _ => None,
    }
}

/// Samples at 8 kHz; none if `rate` is not 8 kHz or an integer multiple of it up to 96 kHz.
pub fn to_8k(samples: &[i16], rate: u32) -> Option<Vec<i16>> {
    if rate == 0 || !rate.is_multiple_of(RATE) || rate > 96_000 {
        return None;
    }
    let factor = (rate / RATE) as usize;
    if factor == 1 {
        return Some(samples.to_vec());
    }
    Some(every(factor, samples, &low_pass(CUTOFF, rate)))
}

/// Every n-th sample of what passes the filter.
fn every(n: usize, samples: &[i16], kernel: &[f64]) -> Vec<i16> {
    let half = kernel.len() / 2;
    let at = |centre: usize| {
        let taps = kernel.iter().enumerate();
        let sum: f64 = taps.filter_map(|(i, k)| Some(k * f64::from(*samples.get((centre + i).checked_sub(half)?)?))).sum();
        sum.round().clamp(-32_768.0, 32_767.0) as i16
    };
    (0..samples.len()).step_by(n).map(at).collect()
}

/// A sinc under a Blackman window, of unit gain at 0 Hz.
fn low_pass(cutoff: f64, rate: u32) -> Vec<f64> {
    let half = LOBES * (rate / RATE) as usize;
    let (cycles, length) = (cutoff / f64::from(rate), 2 * half);
    let tap = |i: usize| {
        let x = i as f64 - half as f64;
        let sinc = if x == 0.0 { 2.0 * cycles } else { (TAU * cycles * x).sin() / (PI * x) };
        let phase = TAU * i as f64 / length as f64;
        sinc * (0.42 - 0.5 * phase.cos() + 0.08 * (2.0 * phase).cos())
    };
    let kernel: Vec<f64> = (0..=length).map(tap).collect();
    let gain: f64 = kernel.iter().sum();
    kernel.into_iter().map(|k| k / gain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tone::{amplitude, loudness, sine};

    #[test]
    fn speech_passes_and_what_would_alias_is_gone() {
        for rate in [16_000, 24_000, 48_000] {
            let second = rate as usize;
            for hertz in [300.0, 1_000.0, 3_000.0] {
                let out = to_8k(&sine(rate, hertz, 10_000.0, second), rate).unwrap();
                assert_eq!(out.len(), 8_000);
                let kept = amplitude(&out[800..7_200], RATE, hertz);
                assert!((9_700.0..10_300.0).contains(&kept), "{rate} {hertz}: {kept}");
            }
            for hertz in [4_600.0, 5_000.0, 7_000.0] {
                let out = to_8k(&sine(rate, hertz, 10_000.0, second), rate).unwrap();
                assert!(loudness(&out[800..7_200]) < 30.0, "{rate} {hertz}: {}", loudness(&out[800..7_200]));
            }
        }
    }

    #[test]
    fn other_rates_are_refused() {
        assert!(to_8k(&[0; 10], 44_100).is_none());
        assert!(to_8k(&[0; 10], 0).is_none());
        assert_eq!(to_8k(&[1, 2, 3], 8_000).unwrap(), [1, 2, 3]);
    }
}
