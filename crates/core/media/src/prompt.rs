//! Prompts: encoded once to 20 ms frames in both laws, and shared by all calls that play them.

use crate::resample::{RATE, to_8k};
use crate::rtp::FRAME;
use crate::{Codec, Tone, sounds};
use std::collections::BTreeMap;
use std::io::Cursor;
use std::sync::Arc;

/// Why a file is not a prompt.
#[derive(Debug, thiserror::Error)]
pub enum BadPrompt {
    #[error("expected a WAV file: {0}")]
    Wav(#[from] hound::Error),
    #[error("expected one channel, found {0}")]
    Channels(u16),
    #[error("expected 16-bit samples, found {0} bits")]
    Bits(u16),
    #[error("expected a rate of 8, 16, 24, 32 or 48 kHz, found {0} Hz")]
    Rate(u32),
}

/// One sound, padded with silence to whole frames.
#[derive(Debug, PartialEq, Eq)]
pub struct Prompt {
    pcmu: Box<[u8]>,
    pcma: Box<[u8]>,
}

impl Prompt {
    /// From samples at 8 kHz.
    pub fn from_samples(samples: &[i16]) -> Prompt {
        let frames = samples.len().div_ceil(FRAME);
        let encode = |law: Codec| {
            let mut bytes: Vec<u8> = samples.iter().map(|s| law.encode(*s)).collect();
            bytes.resize(frames * FRAME, law.silence());
            bytes.into_boxed_slice()
        };
        Prompt { pcmu: encode(Codec::Pcmu), pcma: encode(Codec::Pcma) }
    }

    /// From the bytes of a WAV file: mono, 16 bit, 8 to 48 kHz in multiples of 8.
    pub fn from_wav(bytes: &[u8]) -> Result<Prompt, BadPrompt> {
        let mut reader = hound::WavReader::new(Cursor::new(bytes))?;
        let spec = reader.spec();
        if spec.channels != 1 {
            return Err(BadPrompt::Channels(spec.channels));
        }
        if spec.bits_per_sample != 16 || spec.sample_format != hound::SampleFormat::Int {
            return Err(BadPrompt::Bits(spec.bits_per_sample));
        }
        let samples = reader.samples::<i16>().collect::<Result<Vec<_>, _>>()?;
        let samples = to_8k(&samples, spec.sample_rate).ok_or(BadPrompt::Rate(spec.sample_rate))?;
        Ok(Prompt::from_samples(&samples))
    }

    /// How many frames of 20 ms it has.
    pub fn frames(&self) -> usize {
        self.pcmu.len() / FRAME
    }

    /// The n-th frame's 160 bytes.
    pub fn frame(&self, n: usize, law: Codec) -> Option<&[u8]> {
        let bytes = match law {
            Codec::Pcmu => &self.pcmu,
            Codec::Pcma => &self.pcma,
        };
        bytes.chunks_exact(FRAME).nth(n)
    }
}

/// All sounds by key: `flow/lang/id`, `tone/…` and `music/…`.
#[derive(Clone, Debug)]
pub struct PromptBook {
    sounds: BTreeMap<Arc<str>, Arc<Prompt>>,
    tones: [Arc<Prompt>; sounds::TONES.len()],
}

/// Only the tones, which no site can lack.
impl Default for PromptBook {
    fn default() -> PromptBook {
        let tones = sounds::TONES.map(|(_, tone)| Arc::new(Prompt::from_samples(&sounds::tone(tone))));
        let keys = sounds::TONES.iter().map(|(key, _)| Arc::from(*key));
        PromptBook { sounds: keys.zip(tones.iter().cloned()).collect(), tones }
    }
}

impl PromptBook {
    /// Only what the program makes itself: the tones, `tone/silence`, `music/hold`.
    pub fn builtin() -> PromptBook {
        let mut book = PromptBook::default();
        for (key, samples) in sounds::all() {
            book.insert(key, Prompt::from_samples(&samples));
        }
        book
    }

    /// Adds a sound, or puts it in the place of another.
    pub fn insert(&mut self, key: &str, prompt: Prompt) {
        self.sounds.insert(key.into(), Arc::new(prompt));
    }

    /// A tone, the same for all who hear it.
    pub fn tone(&self, tone: Tone) -> &Arc<Prompt> {
        &self.tones[tone as usize]
    }

    pub fn find(&self, key: &str) -> Option<&Arc<Prompt>> {
        self.sounds.get(key)
    }

    /// Takes in what only the other book has, for those who still play by it.
    pub fn keep(&mut self, other: &PromptBook) {
        for (key, sound) in &other.sounds {
            self.sounds.entry(key.clone()).or_insert_with(|| sound.clone());
        }
    }

    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.sounds.keys().map(|k| &**k)
    }
}

/// The length of one second in frames, for sounds made here.
pub(crate) const fn seconds(n: usize) -> usize {
    n * RATE as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tone::{amplitude, sine};

    fn wav(channels: u16, rate: u32, bits: u16, samples: &[i16]) -> Vec<u8> {
        let spec = hound::WavSpec { channels, sample_rate: rate, bits_per_sample: bits, sample_format: hound::SampleFormat::Int };
        let mut bytes = Cursor::new(vec![]);
        let mut writer = hound::WavWriter::new(&mut bytes, spec).unwrap();
        samples.iter().for_each(|s| writer.write_sample(*s).unwrap());
        writer.finalize().unwrap();
        bytes.into_inner()
    }

    #[test]
    fn a_16_khz_file_sounds_the_same_in_both_laws() {
        let prompt = Prompt::from_wav(&wav(1, 16_000, 16, &sine(16_000, 700.0, 9_000.0, 16_100))).unwrap();
        assert_eq!(prompt.frames(), 51, "a part of a frame is filled with silence");
        for law in [Codec::Pcmu, Codec::Pcma] {
            let heard: Vec<i16> =
                (5..45).flat_map(|n| prompt.frame(n, law).unwrap()).map(|b| law.decoder()[usize::from(*b)]).collect();
            assert!((8_700.0..9_300.0).contains(&amplitude(&heard, 8_000, 700.0)));
            assert_eq!(prompt.frame(50, law).unwrap()[150], law.silence());
            assert!(prompt.frame(51, law).is_none());
        }
    }

    #[test]
    fn each_tone_is_encoded_once_and_found_by_name_and_by_key() {
        let book = PromptBook::builtin();
        for (key, tone) in sounds::TONES {
            assert!(Arc::ptr_eq(book.tone(tone), book.find(key).unwrap()), "{key}");
            assert_eq!(**book.tone(tone), Prompt::from_samples(&sounds::tone(tone)));
        }
    }

    #[test]
    fn what_is_no_prompt_says_what_was_expected() {
        let said = |bytes: &[u8]| Prompt::from_wav(bytes).unwrap_err().to_string();
        assert_eq!(said(&wav(2, 8_000, 16, &[0, 0])), "expected one channel, found 2");
        assert_eq!(said(&wav(1, 44_100, 16, &[0])), "expected a rate of 8, 16, 24, 32 or 48 kHz, found 44100 Hz");
        assert_eq!(said(&wav(1, 8_000, 8, &[0])), "expected 16-bit samples, found 8 bits");
        assert!(said(b"RIFF").starts_with("expected a WAV file"));
    }

    #[test]
    fn a_book_keeps_what_only_the_other_has_and_its_own_otherwise() {
        let prompt = |samples: usize| Prompt::from_samples(&vec![0; samples]);
        let (mut new, mut old) = (PromptBook::default(), PromptBook::default());
        new.insert("a/es/both", prompt(8_000));
        old.insert("a/es/both", prompt(160));
        old.insert("a/es/gone", prompt(320));
        new.keep(&old);
        let frames = |key: &str| new.find(key).map(|prompt| prompt.frames());
        assert_eq!((frames("a/es/both"), frames("a/es/gone")), (Some(50), Some(2)));
    }
}
