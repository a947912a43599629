//! Sound as files: what peers are given to say, and what was recorded.

use std::path::Path;
use traffic::audio::FRAME;
use traffic::audio::tone::goertzel;

/// The highest sample of a tone that is written.
const LOUD: f64 = 8_000.0;

/// Sound by channel, 8 kHz. Of what is wider only the lower half is looked at.
pub struct Recording {
    pub left: Vec<i16>,
    pub right: Vec<i16>,
}

impl Recording {
    /// A stereo file is caller and agent; a mono file is `left` alone.
    pub fn read(file: &Path) -> Recording {
        let mut wav = hound::WavReader::open(file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        let spec = wav.spec();
        assert_eq!((spec.sample_rate % 8_000, spec.bits_per_sample), (0, 16), "{}", file.display());
        let samples: Vec<i16> = wav.samples().collect::<Result<_, _>>().unwrap();
        // The tones of the tests are far below half of 8 kHz.
        let step = usize::from(spec.channels) * (spec.sample_rate / 8_000) as usize;
        let channel = |n: usize| samples.iter().skip(n).step_by(step).copied().collect();
        Recording { left: channel(0), right: if spec.channels == 2 { channel(1) } else { vec![] } }
    }

    pub fn duration_ms(&self) -> u64 {
        self.left.len() as u64 / 8
    }
}

/// Where in a channel a tone is heard.
#[derive(Debug)]
pub struct Heard {
    pub total_ms: u64,
    /// The longest silence between its first and its last moment.
    pub longest_gap_ms: u64,
}

/// Listens for one tone in steps of 20 ms.
pub fn listen(channel: &[i16], hz: u32) -> Heard {
    let here: Vec<bool> = channel.chunks_exact(FRAME).map(|frame| is_tone(frame, hz)).collect();
    let first = here.iter().position(|h| *h);
    let last = here.iter().rposition(|h| *h);
    let between = match (first, last) {
        (Some(first), Some(last)) => &here[first..=last],
        _ => &[],
    };
    let longest = between.split(|h| *h).map(<[bool]>::len).max().unwrap_or(0);
    Heard { total_ms: 20 * here.iter().filter(|h| **h).count() as u64, longest_gap_ms: 20 * longest as u64 }
}

pub fn is_tone(frame: &[i16], hz: u32) -> bool {
    let energy: f32 = frame.iter().map(|s| f32::from(*s).powi(2)).sum();
    let loud = energy / frame.len() as f32 > 200.0f32.powi(2);
    // A frame that a splice cuts in two still has half of it.
    loud && goertzel(frame, hz) > 0.5 * energy
}

/// Milliseconds of anything louder than line noise.
pub fn sounding_ms(channel: &[i16]) -> u64 {
    20 * channel.chunks_exact(FRAME).filter(|frame| frame.iter().any(|s| s.unsigned_abs() > 300)).count() as u64
}

/// Milliseconds without.
pub fn quiet_ms(channel: &[i16]) -> u64 {
    20 * (channel.len() / FRAME) as u64 - sounding_ms(channel)
}

/// Writes a tone as a file of 16 bit, the same in each channel.
pub fn write_tone(file: &Path, hz: u32, seconds: u32, (sample_rate, channels): (u32, u16)) {
    let spec = hound::WavSpec { channels, sample_rate, bits_per_sample: 16, sample_format: hound::SampleFormat::Int };
    let mut wav = hound::WavWriter::create(file, spec).unwrap();
    let step = f64::from(hz) / f64::from(sample_rate) * std::f64::consts::TAU;
    for n in 0..seconds * sample_rate {
        let sample = (LOUD * (f64::from(n) * step).sin()) as i16;
        (0..channels).for_each(|_| wav.write_sample(sample).unwrap());
    }
    wav.finalize().unwrap();
}
