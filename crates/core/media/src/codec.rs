//! The codecs, as a table: what each is called on the wire, how its clock runs, and who may hear whom untouched.
//!
//! | codec | payload number | RTP clock | sampled at | 20 ms are |
//! |---|---|---|---|---|
//! | PCMU, PCMA | 0, 8 | 8 kHz | 8 kHz | 160 bytes |
//! | G.722 | 9 | 8 kHz, by an error that became the rule (RFC 3551 4.5.2) | 16 kHz | 160 bytes |
//! | Opus | as negotiated | 48 kHz (RFC 7587 4.1) | up to 48 kHz | as many as it needs; ours about 60 bytes |
//!
//! What a peer says of how it wants to be sent them:
//!
//! | it says | it gets |
//! |---|---|
//! | `maxaveragebitrate`, `maxplaybackrate` of Opus: they bind who sends (RFC 7587 7.1) | no more of either. One who asks for less than 24 kbit/s or 16 kHz, which all others are asked to send and are sent, is sent nothing that was made for others: it hears whom it hears encoded anew, and prompts as the telephone has them |
//! | `useinbandfec`, `usedtx`, `cbr`, `stereo`: what it would like (RFC 7587 6.1) | the same as all: a frame each 20 ms, one channel, bits as they are needed, the packet before in it. A decoder takes them all |
//! | `sprop-…`: how it will send | understood however it sends |
//! | `ptime`, `maxptime`: what it would like, both alike (RFC 3264 6.1, RFC 7587 7.1) | 20 ms in what is made here, also where it says less: everybody takes up to 200 ms (RFC 3551 4.2). What is passed on is as long as it came |
//!
//! Which codec a leg speaks: of the caller's offer the first that its site, tenant and trunk allow, as the caller prefers it. A
//! phone that is dialled is offered that one first, so that one that knows it needs no transcoding. One that takes another is
//! transcoded to: the caller's leg, which may have heard prompts for minutes, is not renegotiated for it. Where all agents'
//! phones lack a codec, leave it out of the trunk's `codecs`.

use crate::g711::Law;
use crate::rtp::FRAME;
use crate::{Limits, g722, opus};
use serde::{Deserialize, Serialize};
use std::sync::OnceLock;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Codec {
    Pcmu,
    Pcma,
    G722,
    Opus,
}

impl Codec {
    pub const ALL: [Codec; 4] = [Codec::Pcmu, Codec::Pcma, Codec::G722, Codec::Opus];

    /// By its payload number, if that is a static one (RFC 3551 table 4).
    pub fn of_payload(number: u8) -> Option<Codec> {
        Codec::ALL.into_iter().find(|codec| codec.static_payload() == Some(number))
    }

    /// Its encoding name (RFC 3551 table 4, RFC 7587 section 7).
    pub const fn name(self) -> &'static str {
        match self {
            Codec::Pcmu => "PCMU",
            Codec::Pcma => "PCMA",
            Codec::G722 => "G722",
            Codec::Opus => "opus",
        }
    }

    /// RFC 3551 table 4; the others' numbers are negotiated.
    pub const fn static_payload(self) -> Option<u8> {
        match self {
            Codec::Pcmu => Some(0),
            Codec::Pcma => Some(8),
            Codec::G722 => Some(9),
            Codec::Opus => None,
        }
    }

    /// How fast its RTP timestamps run, in Hz.
    pub const fn clock(self) -> u32 {
        match self {
            Codec::Pcmu | Codec::Pcma | Codec::G722 => 8_000,
            Codec::Opus => 48_000,
        }
    }

    /// How long the sound of a payload is, by that clock.
    pub fn ticks(self, payload: &[u8]) -> u32 {
        match self {
            Codec::Pcmu | Codec::Pcma | Codec::G722 => u32::try_from(payload.len()).unwrap_or(0),
            Codec::Opus => opus::duration(payload).unwrap_or(0),
        }
    }

    /// If it is G.711: a byte is a sample, and nothing depends on what was before.
    pub const fn law(self) -> Option<Law> {
        match self {
            Codec::Pcmu => Some(Law::Pcmu),
            Codec::Pcma => Some(Law::Pcma),
            Codec::G722 | Codec::Opus => None,
        }
    }

    /// Whether it carries more than the telephone's 3.4 kHz.
    pub const fn is_wide(self) -> bool {
        self.law().is_none()
    }

    /// Whether a peer of `other` can be sent packets of this codec: as they are, or byte by byte through a table.
    pub fn relays_to(self, other: Codec) -> bool {
        self == other || (self.law().is_some() && other.law().is_some())
    }
}

/// Makes packets of 20 ms from samples at 8 kHz, one stream of them.
#[derive(Debug)]
pub(crate) enum Encoder {
    Law(Codec, Law),
    G722(Box<g722::Encoder>),
    Opus(Box<opus::Encoder>),
}

impl Encoder {
    pub fn new(codec: Codec) -> Encoder {
        match codec {
            Codec::Pcmu => Encoder::Law(codec, Law::Pcmu),
            Codec::Pcma => Encoder::Law(codec, Law::Pcma),
            Codec::G722 => Encoder::G722(Box::new(g722::Encoder::new())),
            Codec::Opus => Encoder::Opus(Box::new(opus::Encoder::new())),
        }
    }

    /// For a peer that can be sent no more than this.
    pub fn within(codec: Codec, limits: Limits) -> Encoder {
        match codec {
            Codec::Opus => Encoder::Opus(Box::new(opus::Encoder::within(limits))),
            _ => Encoder::new(codec),
        }
    }

    /// For a prompt.
    pub fn of_prompts(codec: Codec) -> Encoder {
        match codec {
            Codec::Opus => Encoder::Opus(Box::new(opus::Encoder::of_prompts())),
            _ => Encoder::new(codec),
        }
    }

    pub fn codec(&self) -> Codec {
        match self {
            Encoder::Law(codec, _) => *codec,
            Encoder::G722(_) => Codec::G722,
            Encoder::Opus(_) => Codec::Opus,
        }
    }

    /// How many bytes they are.
    pub fn encode(&mut self, samples: &[i16; FRAME], frame: &mut [u8; FRAME]) -> usize {
        match self {
            Encoder::Law(_, law) => {
                frame.iter_mut().zip(samples).for_each(|(byte, sample)| *byte = law.encode(*sample));
                FRAME
            }
            Encoder::G722(encoder) => encoder.encode(samples, frame),
            Encoder::Opus(encoder) => encoder.encode(samples, frame),
        }
    }

    /// From samples at 16 kHz, for a codec that is wide. How many bytes they are; a law has none for them.
    pub fn encode_wide(&mut self, samples: &[i16; 2 * FRAME], frame: &mut [u8; FRAME]) -> usize {
        match self {
            Encoder::Law(..) => 0,
            Encoder::G722(encoder) => encoder.encode_wide(samples, frame),
            Encoder::Opus(encoder) => encoder.encode_wide(samples, frame),
        }
    }
}

/// A frame of 20 ms in which nothing is said. The first of a codec costs some encoding: who starts asks for each in use.
pub(crate) fn silence(codec: Codec) -> &'static [u8] {
    static FRAMES: [OnceLock<Box<[u8]>>; Codec::ALL.len()] = [const { OnceLock::new() }; Codec::ALL.len()];
    FRAMES[codec as usize].get_or_init(|| {
        // An encoder takes a moment to believe in silence.
        let (mut encoder, mut frame) = (Encoder::new(codec), [0; FRAME]);
        let length = (0..10).map(|_| encoder.encode(&[0; FRAME], &mut frame)).last().unwrap_or(0);
        frame[..length].into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_codec_is_found_by_its_number_and_stands_at_its_place() {
        for (n, codec) in Codec::ALL.into_iter().enumerate() {
            let number = codec.static_payload();
            assert_eq!((number.and_then(Codec::of_payload), codec as usize), (number.map(|_| codec), n));
            assert_eq!(Encoder::new(codec).codec(), codec);
        }
        assert_eq!(Codec::of_payload(18), None);
    }

    #[test]
    fn only_the_laws_are_turned_into_each_other_on_the_way() {
        let relayed = |from: Codec| Codec::ALL.map(|to| from.relays_to(to));
        assert_eq!(
            Codec::ALL.map(relayed),
            [[true, true, false, false], [true, true, false, false], [false, false, true, false], [false, false, false, true]]
        );
    }
}
