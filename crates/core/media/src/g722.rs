//! G.722 at 64 kbit/s, between its bytes and samples at 16 kHz, or for what is said 8 kHz.

use crate::rates::Doubler;
use audio_codec::g722;
use audio_codec::{Decoder as _, Encoder as _};
use std::fmt;

/// Samples at 16 kHz that are worked on at once: a packet of 20 ms.
const PART: usize = 320;

pub(crate) struct Encoder {
    codec: g722::G722Encoder,
    doubler: Doubler,
}

pub(crate) struct Decoder {
    codec: g722::G722Decoder,
}

impl Encoder {
    pub fn new() -> Encoder {
        Encoder { codec: g722::G722Encoder::new(), doubler: Doubler::default() }
    }

    /// From samples at 8 kHz: one byte for each. How many fit.
    pub fn encode(&mut self, samples: &[i16], bytes: &mut [u8]) -> usize {
        let mut wide = [0; PART];
        let mut done = 0;
        for part in samples.chunks(PART / 2) {
            let count = self.doubler.double(part, &mut wide);
            done += self.encode_wide(&wide[..count], &mut bytes[done..]);
        }
        done
    }

    /// From samples at 16 kHz: one byte for two. How many fit.
    pub fn encode_wide(&mut self, samples: &[i16], bytes: &mut [u8]) -> usize {
        let room = samples.len().min(2 * bytes.len());
        self.codec.encode_into(&samples[..room], bytes).unwrap_or(0)
    }
}

impl Decoder {
    pub fn new() -> Decoder {
        Decoder { codec: g722::G722Decoder::new() }
    }

    /// Samples at 16 kHz, two for each byte. How many fit.
    pub fn decode(&mut self, bytes: &[u8], samples: &mut [i16]) -> usize {
        let room = bytes.len().min(samples.len() / 2);
        self.codec.decode_into(&bytes[..room], samples).unwrap_or(0)
    }
}

impl fmt::Debug for Encoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("g722::Encoder")
    }
}

impl fmt::Debug for Decoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("g722::Decoder")
    }
}
