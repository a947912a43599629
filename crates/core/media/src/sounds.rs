//! Sounds made by the program itself, so that a bare machine lacks nothing: the tones, and music on hold.

use crate::Tone;
use crate::prompt::seconds;
use crate::resample::RATE;
use crate::tone::sine;
use std::f64::consts::TAU;

/// Each built-in sound that is no tone, by its key, at 8 kHz.
pub fn all() -> [(&'static str, Vec<i16>); 2] {
    [("tone/silence", vec![0; seconds(1)]), ("music/hold", music())]
}

/// Each tone by its key; the order is that of [`Tone`].
pub const TONES: [(&str, Tone); 4] =
    [("tone/zip", Tone::Zip), ("tone/ringback", Tone::Ringback), ("tone/busy", Tone::Busy), ("tone/beep", Tone::Beep)];

/// A tone at 8 kHz.
pub fn tone(tone: Tone) -> Vec<i16> {
    match tone {
        Tone::Zip => zip(),
        Tone::Ringback => [beep(425.0, seconds(1)), vec![0; seconds(4)]].concat(),
        Tone::Busy => [beep(425.0, seconds(1) / 2), vec![0; seconds(1) / 2]].concat().repeat(3),
        Tone::Beep => beep(1_400.0, seconds(1) / 5),
    }
}

/// What an agent hears when a call is put through: two short rising beeps.
fn zip() -> Vec<i16> {
    [beep(660.0, 640), vec![0; 320], beep(880.0, 640)].concat()
}

fn beep(hertz: f64, length: usize) -> Vec<i16> {
    faded(sine(RATE, hertz, 6_000.0, length), 40)
}

/// Ramps both ends, so that nothing clicks.
fn faded(mut samples: Vec<i16>, ramp: usize) -> Vec<i16> {
    let last = samples.len().saturating_sub(1);
    for (i, sample) in samples.iter_mut().enumerate() {
        let gain = (i.min(last - i) as f64 / ramp as f64).min(1.0);
        *sample = (f64::from(*sample) * gain) as i16;
    }
    samples
}

/// Eight bars of 2 s: the chord's notes as MIDI numbers, low to high.
const CHORDS: [[u8; 4]; 8] = [
    [48, 64, 67, 71], // C maj 7
    [45, 64, 67, 72], // A min 7
    [53, 65, 69, 72], // F
    [43, 62, 67, 71], // G
    [52, 64, 67, 71], // E min
    [45, 60, 64, 69], // A min
    [50, 62, 65, 69], // D min
    [43, 62, 65, 71], // G 7
];
/// In which order a bar's eight quavers take the chord's notes; the first also sounds the bass.
const ORDER: [usize; 8] = [1, 2, 3, 2, 1, 3, 2, 3];
const BAR: usize = seconds(2);
const QUAVER: usize = BAR / 8;

/// A slow arpeggio of 16 s that ends where it began: each note rings on over the end into the beginning.
fn music() -> Vec<i16> {
    let mut mix = vec![0.0; BAR * CHORDS.len()];
    for (bar, chord) in CHORDS.iter().enumerate() {
        ring(&mut mix, bar * BAR, chord[0], 0.55, seconds(4));
        for (quaver, note) in ORDER.iter().enumerate() {
            let accent = if quaver % 4 == 0 { 0.5 } else { 0.36 };
            ring(&mut mix, bar * BAR + quaver * QUAVER, chord[*note], accent, seconds(2));
        }
    }
    let peak = mix.iter().fold(1e-9, |peak: f64, s| peak.max(s.abs()));
    mix.into_iter().map(|s| (s / peak * 9_000.0) as i16).collect()
}

/// Adds a soft plucked note of three partials, higher ones dying sooner.
fn ring(mix: &mut [f64], start: usize, note: u8, gain: f64, length: usize) {
    let hertz = 440.0 * ((f64::from(note) - 69.0) / 12.0).exp2();
    for (partial, level) in [(1.0, 1.0), (2.0, 0.35), (3.0, 0.12)] {
        let (sine, cosine) = (TAU * hertz * partial / f64::from(RATE)).sin_cos();
        let decay = (-(1.4 + partial) / f64::from(RATE)).exp();
        // A phasor that turns and shrinks: no sine and no exponential for each sample.
        let (mut x, mut y) = (gain * level, 0.0);
        for i in 0..length {
            let (attack, release) = ((i as f64 / 96.0).min(1.0), ((length - i) as f64 / 400.0).min(1.0));
            let place = (start + i) % mix.len();
            mix[place] += y * attack * release;
            (x, y) = (decay * (x * cosine - y * sine), decay * (x * sine + y * cosine));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rtp::FRAME;
    use crate::tone::{amplitude, carries, loudness};

    #[test]
    fn ringback_is_425_hz_one_second_in_five() {
        let samples = tone(Tone::Ringback);
        assert_eq!(samples.len(), 40_000);
        assert!(amplitude(&samples[..8_000], RATE, 425.0) > 5_500.0);
        assert_eq!(loudness(&samples[8_000..]), 0.0);
    }

    #[test]
    fn busy_is_425_hz_every_other_half_second_for_three_seconds() {
        let samples = tone(Tone::Busy);
        assert_eq!(samples.len(), 24_000);
        let loud: Vec<bool> = samples.chunks(4_000).map(|half| amplitude(half, RATE, 425.0) > 5_500.0).collect();
        assert_eq!(loud, [true, false, true, false, true, false]);
        assert!(samples.chunks(4_000).skip(1).step_by(2).all(|half| loudness(half) == 0.0));
    }

    #[test]
    fn zip_and_beep_last_a_fifth_of_a_second_and_differ() {
        let (zip, beep) = (tone(Tone::Zip), tone(Tone::Beep));
        assert_eq!((zip.len(), beep.len()), (1_600, 1_600));
        assert!(carries(&zip[..640], RATE, 660.0) && carries(&zip[960..], RATE, 880.0));
        assert!(carries(&beep, RATE, 1_400.0) && !carries(&zip, RATE, 1_400.0));
    }

    #[test]
    fn the_music_is_heard_throughout_and_loops_without_a_click() {
        let music = music();
        assert!(music.len().is_multiple_of(FRAME) && (96_000..=128_000).contains(&music.len()));
        assert!(music.chunks(4_000).all(|half| loudness(half) > 300.0), "no half second of silence");
        let step = |a: i16, b: i16| (i32::from(a) - i32::from(b)).abs();
        let usual = music.windows(2).map(|w| step(w[0], w[1])).max().unwrap();
        assert!(step(music[0], music[music.len() - 1]) <= usual);
        assert!(music.iter().all(|s| s.abs() <= 9_000));
    }

    #[test]
    fn all_are_whole_frames() {
        let tones = TONES.map(|(_, name)| tone(name));
        let all = all().map(|(_, samples)| samples);
        assert!(all.iter().chain(&tones).all(|samples| !samples.is_empty() && samples.len().is_multiple_of(FRAME)));
    }
}
