//! Prompts: encoded once to 20 ms frames in each codec that is in use, and shared by all calls that play them.

use crate::codec::{Encoder, silence};
use crate::resample::{RATE, to_8k, to_16k};
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

/// One sound, padded with silence to whole frames of 20 ms, in the codecs that it may be asked for.
#[derive(Debug, PartialEq, Eq)]
pub struct Prompt {
    frames: usize,
    encoded: [Option<Encoded>; Codec::ALL.len()],
}

/// Its frames, one behind the other, and where each ends.
#[derive(Debug, Default, PartialEq, Eq)]
struct Encoded {
    bytes: Vec<u8>,
    ends: Vec<u32>,
}

/// A sound before it is encoded, as wide as its source allows.
pub(crate) struct Source {
    narrow: Vec<i16>,
    /// At 16 kHz.
    wide: Option<Vec<i16>>,
}

impl Source {
    pub fn narrow(narrow: Vec<i16>) -> Source {
        Source { narrow, wide: None }
    }

    fn frames(&self) -> usize {
        self.narrow.len().div_ceil(FRAME)
    }

    fn encoded(&self, codec: Codec) -> Encoded {
        let mut encoder = Encoder::of_prompts(codec);
        let mut encoded = match (&self.wide, codec.is_wide()) {
            (Some(wide), true) => Encoded::of(wide, |frame: &[i16; 2 * FRAME], out| encoder.encode_wide(frame, out)),
            _ => Encoded::of(&self.narrow, |frame: &[i16; FRAME], out| encoder.encode(frame, out)),
        };
        encoded.ends.truncate(self.frames());
        encoded
    }
}

impl Encoded {
    /// Each 20 ms of the sound, the last filled with silence.
    fn of<const N: usize>(samples: &[i16], mut encode: impl FnMut(&[i16; N], &mut [u8; FRAME]) -> usize) -> Encoded {
        let mut encoded = Encoded::default();
        for samples in samples.chunks(N) {
            let (mut frame, mut bytes) = ([0; N], [0; FRAME]);
            frame[..samples.len()].copy_from_slice(samples);
            let length = encode(&frame, &mut bytes);
            encoded.bytes.extend_from_slice(&bytes[..length]);
            encoded.ends.extend(u32::try_from(encoded.bytes.len()));
        }
        encoded.bytes.shrink_to_fit();
        encoded
    }

    fn frame(&self, n: usize) -> Option<&[u8]> {
        let end = *self.ends.get(n)?;
        let start = n.checked_sub(1).map_or(0, |before| self.ends[before]);
        self.bytes.get(start as usize..end as usize)
    }
}

impl Prompt {
    /// From samples at 8 kHz, in G.711.
    pub fn from_samples(samples: &[i16]) -> Prompt {
        Prompt::new(&Source::narrow(samples.to_vec()), &[])
    }

    /// In G.711, which every peer may come back to, and in these codecs.
    pub(crate) fn new(source: &Source, codecs: &[Codec]) -> Prompt {
        let wanted = |codec: &Codec| codec.law().is_some() || codecs.contains(codec);
        Prompt { frames: source.frames(), encoded: Codec::ALL.map(|c| Some(c).filter(wanted).map(|c| source.encoded(c))) }
    }

    /// From the bytes of a WAV file: mono, 16 bit, 8 to 48 kHz in multiples of 8. In G.711 and in these codecs.
    pub fn from_wav(bytes: &[u8], codecs: &[Codec]) -> Result<Prompt, BadPrompt> {
        let mut reader = hound::WavReader::new(Cursor::new(bytes))?;
        let spec = reader.spec();
        if spec.channels != 1 {
            return Err(BadPrompt::Channels(spec.channels));
        }
        if spec.bits_per_sample != 16 || spec.sample_format != hound::SampleFormat::Int {
            return Err(BadPrompt::Bits(spec.bits_per_sample));
        }
        let samples = reader.samples::<i16>().collect::<Result<Vec<_>, _>>()?;
        let narrow = to_8k(&samples, spec.sample_rate).ok_or(BadPrompt::Rate(spec.sample_rate))?;
        Ok(Prompt::new(&Source { narrow, wide: to_16k(samples, spec.sample_rate) }, codecs))
    }

    /// How many frames of 20 ms it has.
    pub fn frames(&self) -> usize {
        self.frames
    }

    /// The n-th frame, if it is there and encoded so.
    pub fn frame(&self, n: usize, codec: Codec) -> Option<&[u8]> {
        self.encoded[codec as usize].as_ref()?.frame(n)
    }
}

/// All sounds by key: `flow/lang/id`, `tone/…` and `music/…`.
#[derive(Clone, Debug)]
pub struct PromptBook {
    codecs: Vec<Codec>,
    sounds: BTreeMap<Arc<str>, Arc<Prompt>>,
    tones: [Arc<Prompt>; sounds::TONES.len()],
}

/// Only the tones, which no site can lack.
impl Default for PromptBook {
    fn default() -> PromptBook {
        PromptBook::of_tones(&[])
    }
}

impl PromptBook {
    /// Only what the program makes itself: the tones, `tone/silence`, `music/hold`. In G.711 and in these codecs.
    pub fn builtin(codecs: &[Codec]) -> PromptBook {
        // Now, and not on a media thread when the first prompt ends.
        codecs.iter().for_each(|codec| _ = silence(*codec));
        let mut book = PromptBook::of_tones(codecs);
        for (key, samples) in sounds::all() {
            book.insert(key, Prompt::new(&Source::narrow(samples), codecs));
        }
        book
    }

    fn of_tones(codecs: &[Codec]) -> PromptBook {
        let encoded = |tone| Arc::new(Prompt::new(&Source::narrow(sounds::tone(tone)), codecs));
        let tones = sounds::TONES.map(|(_, tone)| encoded(tone));
        let keys = sounds::TONES.iter().map(|(key, _)| Arc::from(*key));
        let codecs = Codec::ALL.into_iter().filter(|codec| codecs.contains(codec)).collect();
        PromptBook { codecs, sounds: keys.zip(tones.iter().cloned()).collect(), tones }
    }

    /// What its own sounds are encoded in, beside G.711: each once, in the order of all.
    pub fn codecs(&self) -> &[Codec] {
        &self.codecs
    }

    /// Adds a sound, or puts it in the place of another.
    pub fn insert(&mut self, key: &str, prompt: impl Into<Arc<Prompt>>) {
        self.sounds.insert(key.into(), prompt.into());
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
    use crate::g711::Law;
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
        let prompt = Prompt::from_wav(&wav(1, 16_000, 16, &sine(16_000, 700.0, 9_000.0, 16_100)), &[]).unwrap();
        assert_eq!(prompt.frames(), 51, "a part of a frame is filled with silence");
        for (codec, law) in [(Codec::Pcmu, Law::Pcmu), (Codec::Pcma, Law::Pcma)] {
            let heard: Vec<i16> =
                (5..45).flat_map(|n| prompt.frame(n, codec).unwrap()).map(|b| law.decoder()[usize::from(*b)]).collect();
            assert!((8_700.0..9_300.0).contains(&amplitude(&heard, 8_000, 700.0)));
            assert_eq!(prompt.frame(50, codec).unwrap()[150], law.silence());
            assert!(prompt.frame(51, codec).is_none());
        }
    }

    #[test]
    fn a_wideband_codec_gets_what_the_telephone_has_no_room_for_and_all_that_is_narrow_too() {
        let decoded = |prompt: &Prompt| {
            let mut decoder = audio_codec::g722::G722Decoder::new();
            let mut wide = vec![0; 2 * FRAME * prompt.frames()];
            for (n, out) in wide.chunks_mut(2 * FRAME).enumerate() {
                decoder.decode_frame_into(prompt.frame(n, Codec::G722).unwrap(), out).unwrap();
            }
            wide
        };
        for rate in [16_000, 32_000, 48_000] {
            let file = wav(1, rate, 16, &sine(rate, 6_000.0, 9_000.0, rate as usize));
            let prompt = Prompt::from_wav(&file, &[Codec::G722]).unwrap();
            let level = amplitude(&decoded(&prompt)[3_200..12_800], 16_000, 6_000.0);
            assert!((7_500.0..10_000.0).contains(&level), "{rate}: {level}");
            assert!(Prompt::from_wav(&file, &[]).unwrap().frame(0, Codec::G722).is_none(), "only where it is asked for");
        }
        let book = PromptBook::builtin(&[Codec::G722]);
        let ringback = decoded(book.tone(Tone::Ringback));
        assert!((5_500.0..6_500.0).contains(&amplitude(&ringback[3_200..12_800], 16_000, 425.0)));
    }

    #[test]
    fn each_tone_is_encoded_once_and_found_by_name_and_by_key() {
        let book = PromptBook::builtin(&[]);
        for (key, tone) in sounds::TONES {
            assert!(Arc::ptr_eq(book.tone(tone), book.find(key).unwrap()), "{key}");
            assert_eq!(**book.tone(tone), Prompt::from_samples(&sounds::tone(tone)));
        }
    }

    #[test]
    fn what_is_no_prompt_says_what_was_expected() {
        let said = |bytes: &[u8]| Prompt::from_wav(bytes, &[]).unwrap_err().to_string();
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
