//! Whether a recording on disk is what it should be.
//!
//! ```text
//!   read from end to end ──▶ Content ──┐
//!   what was written, or is on record ─┴──▶ judge ──▶ complete | partial (reason) | failed (reason)
//! ```
//! A channel in which nothing was heard is told and is no fault: people are silent, and phones are muted.

use ring::digest::{Context, SHA256};

/// A sample louder than this, 50 dB below full scale, is more than the noise of a codec that codes silence.
const SILENCE: u16 = 104;

/// What a whole WAV holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    pub frames: u64,
    /// Of the WAV, in hexadecimal.
    pub sha256: String,
    /// For each channel whether there is something but silence.
    pub heard: Vec<bool>,
    /// It was closed in order, as far as the file says.
    pub whole: bool,
}

/// Takes a WAV as it is read, in pieces of any size.
pub struct Meter {
    hash: Context,
    place: u64,
    low: u8,
    loudest: Vec<u16>,
}

impl Meter {
    pub fn new(channels: u16) -> Self {
        Meter { hash: Context::new(&SHA256), place: 0, low: 0, loudest: vec![0; channels.max(1).into()] }
    }

    pub fn take(&mut self, bytes: &[u8]) {
        self.hash.update(bytes);
        for byte in bytes {
            if self.place >= crate::wav::HEADER as u64 {
                let sample = (self.place - crate::wav::HEADER as u64) / 2;
                if self.place.is_multiple_of(2) {
                    self.low = *byte;
                } else {
                    let channel = (sample % self.loudest.len() as u64) as usize;
                    let loud = i16::from_le_bytes([self.low, *byte]).unsigned_abs();
                    self.loudest[channel] = self.loudest[channel].max(loud);
                }
            }
            self.place += 1;
        }
    }

    pub fn finish(self, whole: bool) -> Content {
        let bytes = self.place.saturating_sub(crate::wav::HEADER as u64);
        Content {
            frames: bytes / (crate::wav::SAMPLE * self.loudest.len() as u64),
            sha256: base::hex::encode(self.hash.finish().as_ref()),
            heard: self.loudest.iter().map(|loudest| *loudest > SILENCE).collect(),
            whole,
        }
    }
}

/// What a recording should be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expected<'a> {
    pub frames: Option<u64>,
    /// Of the WAV.
    pub sha256: Option<&'a str>,
    /// Why it is known to be partial; empty if it is not.
    pub partial: &'a str,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Complete,
    Partial(String),
    Failed(&'static str),
}

/// The first thing that is wrong counts.
pub fn judge(expected: &Expected<'_>, content: &Content) -> Verdict {
    if expected.frames.is_some_and(|frames| frames != content.frames) {
        return Verdict::Failed("length_differs");
    }
    if expected.sha256.is_some_and(|hash| hash != content.sha256) {
        return Verdict::Failed("content_differs");
    }
    match expected.partial {
        "" if !content.whole => Verdict::Failed("cut_off"),
        "" => Verdict::Complete,
        reason => Verdict::Partial(reason.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content() -> Content {
        let samples = [0i16, 500, 8, -8, 0, -500];
        let mut wav = crate::wav::header(2, 8_000, 3).to_vec();
        wav.extend(samples.iter().flat_map(|s| s.to_le_bytes()));
        let mut meter = Meter::new(2);
        wav.chunks(7).for_each(|piece| meter.take(piece));
        meter.finish(true)
    }

    #[test]
    fn a_channel_that_says_nothing_is_told() {
        let content = content();
        assert_eq!((content.frames, content.heard), (3, vec![false, true]));
    }

    #[test]
    fn each_thing_that_is_wrong_has_its_name() {
        let good = content();
        let hash = good.sha256.clone();
        let expected = Expected { frames: Some(3), sha256: Some(&hash), partial: "" };
        let cut = Content { whole: false, ..good.clone() };
        let table = [
            (expected.clone(), &good, Verdict::Complete),
            (Expected::default(), &good, Verdict::Complete),
            (Expected { frames: Some(4), ..expected.clone() }, &good, Verdict::Failed("length_differs")),
            (Expected { sha256: Some("00"), ..expected.clone() }, &good, Verdict::Failed("content_differs")),
            (expected.clone(), &cut, Verdict::Failed("cut_off")),
            (Expected { partial: "node_lost", ..expected.clone() }, &cut, Verdict::Partial("node_lost".into())),
        ];
        for (expected, content, verdict) in table {
            assert_eq!(judge(&expected, content), verdict, "{expected:?}");
        }
    }
}
