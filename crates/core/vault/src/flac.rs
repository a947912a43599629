//! FLAC (RFC 9639), for recordings that are closed: what is decoded is bit for bit what was encoded.
//!
//! ```text
//!    0  4  "fLaC"
//!    4  4  0x80 (the last block of metadata, of type 0), its length in 24 bits: 34
//!    8 34  STREAMINFO: 4,096 samples a block, samples a second, channels, 16 bit, all frames; sizes and MD5 unknown (0)
//!   42     one frame of FLAC for each 4,096 frames of sound, the last one shorter
//! ```
//! The MD5 is left out: the hash that counts is the SHA-256 of the WAV, in the sidecar and in the log. Numbers of a
//! FLAC stream are big-endian.

use crate::wav;
use claxon::FlacReader;
use flacenc::bitsink::ByteSink;
use flacenc::component::{BitRepr, StreamInfo};
use flacenc::config;
use flacenc::error::{Verified, Verify};
use flacenc::source::{Fill, FrameBuf};
use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Bytes before the first frame.
pub const HEADER: usize = 42;
/// Frames of sound in a frame of FLAC: half a second.
pub const BLOCK: usize = 4_096;
/// The shortest block that the encoder takes for itself.
const SHORTEST: usize = 32;

/// Why bytes are no FLAC of ours, or samples can't become it.
#[derive(Debug, thiserror::Error)]
pub enum BadFlac {
    #[error("expected 1 or 2 channels of 16 bit and fewer than 2^36 frames")]
    Form,
    #[error("expected {expected} frames, found {found}")]
    Length { expected: u64, found: u64 },
    #[error("the encoder: {0}")]
    Encoder(String),
    #[error("the stream: {0}")]
    Stream(#[from] claxon::Error),
    #[error("a block that no encoder writes")]
    Block,
}

/// Takes PCM as a WAV has it, in pieces of any size, and gives FLAC.
pub struct Encoder {
    config: Verified<config::Encoder>,
    about: StreamInfo,
    channels: usize,
    frames: u64,
    taken: u64,
    /// Interleaved, less than a block.
    open: Vec<i32>,
    /// A sample's first byte without its second.
    half: Option<u8>,
    blocks: usize,
}

impl Encoder {
    /// `frames` are to come; `out` gets the head of the stream.
    pub fn new(channels: u16, rate: u32, frames: u64, out: &mut Vec<u8>) -> Result<Encoder, BadFlac> {
        if !(1..=2).contains(&channels) || !(1..1 << 20).contains(&rate) || frames >= 1 << 36 {
            return Err(BadFlac::Form);
        }
        let config = config::Encoder::default().into_verified().map_err(|(_, error)| encoder(&error))?;
        let about = StreamInfo::new(rate as usize, channels.into(), 8 * wav::SAMPLE as usize).map_err(|e| encoder(&e))?;
        out.extend_from_slice(&header(channels, rate, frames));
        Ok(Encoder { config, about, channels: channels.into(), frames, taken: 0, open: vec![], half: None, blocks: 0 })
    }

    pub fn take(&mut self, pcm: &[u8], out: &mut Vec<u8>) -> Result<(), BadFlac> {
        for byte in pcm {
            match self.half.take() {
                None => self.half = Some(*byte),
                Some(low) => self.open.push(i16::from_le_bytes([low, *byte]).into()),
            }
            if self.open.len() == BLOCK * self.channels {
                self.block(out)?;
            }
        }
        Ok(())
    }

    /// All that was said to come must have come.
    pub fn finish(mut self, out: &mut Vec<u8>) -> Result<(), BadFlac> {
        let whole = self.half.is_none() && self.open.len().is_multiple_of(self.channels);
        if !self.open.is_empty() {
            self.block(out)?;
        }
        match self.taken == self.frames && whole {
            true => Ok(()),
            false => Err(BadFlac::Length { expected: self.frames, found: self.taken }),
        }
    }

    fn block(&mut self, out: &mut Vec<u8>) -> Result<(), BadFlac> {
        let frames = self.open.len() / self.channels;
        let mut buffer = FrameBuf::with_size(self.channels, frames.max(SHORTEST)).map_err(|e| encoder(&e))?;
        buffer.fill_interleaved(&self.open).map_err(|e| encoder(&e))?;
        let frame = flacenc::encode_fixed_size_frame(&self.config, &buffer, self.blocks, &self.about);
        let mut sink = ByteSink::new();
        frame.map_err(|e| encoder(&e))?.write(&mut sink).map_err(|e| encoder(&e))?;
        out.extend_from_slice(sink.as_slice());
        self.blocks += 1;
        self.taken += frames as u64;
        self.open.clear();
        Ok(())
    }
}

fn encoder(error: &dyn std::fmt::Display) -> BadFlac {
    BadFlac::Encoder(error.to_string())
}

/// RFC 9639, sections 8.1 and 8.2.
fn header(channels: u16, rate: u32, frames: u64) -> [u8; HEADER] {
    let mut bytes = [0; HEADER];
    bytes[..8].copy_from_slice(b"fLaC\x80\x00\x00\x22");
    let block = (BLOCK as u16).to_be_bytes();
    bytes[8..10].copy_from_slice(&block);
    bytes[10..12].copy_from_slice(&block);
    let packed = u64::from(rate) << 44 | u64::from(channels - 1) << 41 | 15 << 36 | frames;
    bytes[18..26].copy_from_slice(&packed.to_be_bytes());
    bytes
}

/// Gives PCM as a WAV has it.
pub struct Decoder<R: Read> {
    reader: FlacReader<R>,
    channels: u16,
    rate: u32,
    frames: u64,
    samples: Vec<i32>,
}

impl<R: Read> Decoder<R> {
    pub fn new(reader: R) -> Result<Decoder<R>, BadFlac> {
        let reader = FlacReader::new(reader)?;
        let about = reader.streaminfo();
        if about.bits_per_sample != 16 || !(1..=2).contains(&about.channels) {
            return Err(BadFlac::Form);
        }
        // None is no sound at all: the encoder above is always told how much comes.
        let frames = about.samples.unwrap_or(0);
        Ok(Decoder { channels: about.channels as u16, rate: about.sample_rate, reader, frames, samples: vec![] })
    }

    pub fn channels(&self) -> u16 {
        self.channels
    }

    /// Samples a second.
    pub fn rate(&self) -> u32 {
        self.rate
    }

    /// As the head of the stream says.
    pub fn frames(&self) -> u64 {
        self.frames
    }

    /// The stream's source, wherever it stands.
    pub fn into_inner(self) -> R {
        self.reader.into_inner()
    }

    /// Puts the next block in the place of what `pcm` holds; false at the end of the stream.
    pub fn block(&mut self, pcm: &mut Vec<u8>) -> Result<bool, BadFlac> {
        pcm.clear();
        let buffer = std::mem::take(&mut self.samples);
        // The decoder asserts some things of which it has not made sure; a damaged file must not cost a thread.
        let read = catch_unwind(AssertUnwindSafe(|| self.reader.blocks().read_next_or_eof(buffer)));
        let Some(block) = read.map_err(|_| BadFlac::Block)?? else { return Ok(false) };
        if block.channels() != u32::from(self.channels) {
            return Err(BadFlac::Block);
        }
        for frame in 0..block.duration() {
            for channel in 0..block.channels() {
                pcm.extend_from_slice(&(block.sample(channel, frame) as i16).to_le_bytes());
            }
        }
        self.samples = block.into_buffer();
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn encoded(channels: u16, pcm: &[u8], piece: usize) -> Result<Vec<u8>, BadFlac> {
        let mut out = vec![];
        let mut encoder = Encoder::new(channels, 8_000, pcm.len() as u64 / 2 / u64::from(channels), &mut out)?;
        pcm.chunks(piece).try_for_each(|piece| encoder.take(piece, &mut out))?;
        encoder.finish(&mut out).map(|()| out)
    }

    fn decoded(flac: &[u8]) -> Result<Vec<u8>, BadFlac> {
        let mut decoder = Decoder::new(flac)?;
        let (mut all, mut block) = (vec![], vec![]);
        while decoder.block(&mut block)? {
            all.extend_from_slice(&block);
        }
        Ok(all)
    }

    /// A voice, more or less: two tones, and noise as loud as asked for.
    fn voice(samples: usize, noise: i32, seed: u32) -> Vec<u8> {
        let mut state = seed | 1;
        let sample = |n: usize| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let tone = (n as f32 * 0.21).sin() * 9_000.0 + (n as f32 * 0.67).sin() * 3_000.0;
            let noise = if noise == 0 { 0 } else { (state >> 16) as i32 % noise };
            ((tone as i32 + noise).clamp(-32_768, 32_767) as i16).to_le_bytes()
        };
        (0..samples).flat_map(sample).collect()
    }

    #[test]
    fn the_head_stays_as_it_is_written_down() {
        let head = header(2, 8_000, 0x1_2345_6789);
        assert_eq!(&head[..18], b"fLaC\x80\x00\x00\x22\x10\x00\x10\x00\x00\x00\x00\x00\x00\x00");
        assert_eq!(&head[18..26], &[0x01, 0xF4, 0x02, 0xF1, 0x23, 0x45, 0x67, 0x89]);
        assert!(head[26..].iter().all(|b| *b == 0));
    }

    #[test]
    fn silence_takes_next_to_nothing_and_a_voice_less_than_it_was() {
        let hour = vec![0; 4 * 8_000 * 60];
        assert!(encoded(2, &hour, 65_536).unwrap().len() * 500 < hour.len());
        let voice = voice(100_000, 64, 7);
        assert!(encoded(2, &voice, 65_536).unwrap().len() * 10 < voice.len() * 7);
    }

    #[test]
    fn the_loudest_noise_and_the_shortest_sound_come_back() {
        let extremes: Vec<u8> = [i16::MIN, i16::MAX].repeat(5_000).into_iter().flat_map(i16::to_le_bytes).collect();
        for pcm in [vec![], extremes[..4].to_vec(), extremes[..120].to_vec(), extremes, voice(40_000, 65_536, 3)] {
            assert_eq!(decoded(&encoded(2, &pcm, 999).unwrap()).unwrap(), pcm);
        }
    }

    #[test]
    fn what_does_not_come_is_told() {
        let mut out = vec![];
        let mut encoder = Encoder::new(2, 8_000, 3, &mut out).unwrap();
        encoder.take(&[0; 8], &mut out).unwrap();
        assert!(matches!(encoder.finish(&mut out), Err(BadFlac::Length { expected: 3, found: 2 })));
        for (channels, rate, frames) in [(0, 8_000, 1), (3, 8_000, 1), (2, 0, 1), (2, 1 << 20, 1), (2, 8_000, 1 << 36)] {
            assert!(matches!(Encoder::new(channels, rate, frames, &mut out), Err(BadFlac::Form)));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn every_bit_comes_back(channels in 1..3u16, frames in 0..9_000usize, noise in 0..70_000i32, seed: u32, piece in 1..5_000usize) {
            let pcm = voice(frames * usize::from(channels), noise, seed);
            prop_assert_eq!(decoded(&encoded(channels, &pcm, piece).unwrap()).unwrap(), pcm);
        }

        #[test]
        fn any_bytes_are_read_without_harm(mut bytes in prop::collection::vec(any::<u8>(), 0..600), ours: bool) {
            if ours {
                bytes.splice(..0, header(2, 8_000, 100));
            }
            let _ = decoded(&bytes);
        }

        #[test]
        fn no_changed_byte_of_a_stream_does_harm(at: prop::sample::Index, to: u8, cut: prop::sample::Index, noise in 0..2_000i32) {
            let pcm = voice(12_000, noise, 5);
            let mut flac = encoded(2, &pcm, 4_096).unwrap();
            let at = at.index(flac.len());
            flac[at] = to;
            let cut = cut.index(flac.len());
            let _ = (decoded(&flac), decoded(&flac[..cut]));
        }
    }
}
