//! Tones: made for built-in sounds and tests, and found again by Goertzel's algorithm.

use std::f64::consts::TAU;
use std::ops::Range;

/// `count` samples of a sine at `hertz`, with this amplitude (full scale is 32,767).
pub fn sine(rate: u32, hertz: f64, amplitude: f64, count: usize) -> Vec<i16> {
    part(rate, hertz, amplitude, 0..count)
}

/// A part of such a sine: parts that follow each other join without a click.
pub fn part(rate: u32, hertz: f64, amplitude: f64, samples: Range<usize>) -> Vec<i16> {
    let step = TAU * hertz / f64::from(rate);
    samples.map(|i| (amplitude * (step * i as f64).sin()).round() as i16).collect()
}

/// The amplitude of one frequency in the samples (0 to 32,767); 0 for no samples.
///
/// A pure sine of amplitude A gives about A at its own frequency, and little at others more than `rate / count` away.
pub fn amplitude(samples: &[i16], rate: u32, hertz: f64) -> f64 {
    if samples.is_empty() {
        return 0.0;
    }
    let (sine, cosine) = (TAU * hertz / f64::from(rate)).sin_cos();
    let (mut before, mut last) = (0.0, 0.0);
    for sample in samples {
        (before, last) = (last, f64::from(*sample) + 2.0 * cosine * last - before);
    }
    let (real, imaginary) = (last - before * cosine, before * sine);
    2.0 * real.hypot(imaginary) / samples.len() as f64
}

/// The root mean square of the samples.
pub fn loudness(samples: &[i16]) -> f64 {
    let sum: f64 = samples.iter().map(|s| f64::from(*s).powi(2)).sum();
    (sum / samples.len().max(1) as f64).sqrt()
}

/// Whether the samples are mostly this tone: it carries at least half of their power.
pub fn carries(samples: &[i16], rate: u32, hertz: f64) -> bool {
    let total = loudness(samples);
    total > 30.0 && amplitude(samples, rate, hertz).powi(2) / 2.0 >= 0.5 * total.powi(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tone_is_found_at_its_frequency_and_not_at_others() {
        let samples = sine(8_000, 440.0, 8_000.0, 1_600);
        assert!((amplitude(&samples, 8_000, 440.0) - 8_000.0).abs() < 80.0);
        assert!(amplitude(&samples, 8_000, 880.0) < 80.0);
        assert!(carries(&samples, 8_000, 440.0) && !carries(&samples, 8_000, 700.0));
        assert!(!carries(&[0; 800], 8_000, 440.0));
    }
}
