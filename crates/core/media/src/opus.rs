//! Opus (RFC 6716) as telephones use it, between its packets and samples at 16 kHz, or for what is said 8 kHz: one channel,
//! up to 8 kHz of sound, packets of 20 ms with the one before in them again in case that it gets lost (in-band FEC).
//!
//! The library was chosen by decoding 45 s of speech as libopus encoded it: `ropus` gives every sample of libopus' decoder in
//! SILK, at 12 and 24 kbit/s, and is within 6 of it in CELT, at 64; `opus-rs` does as well, `opus-decoder` takes 3 ms for a
//! CELT packet and has no encoder. It reads its tables without looking at their bounds in some 270 places. No panic of 200,000
//! random and damaged packets; one that comes yet costs a codec its state, and no thread. A tenth of speech lost is 10 dB below
//! what was said with FEC, and as loud as that without.

use crate::Limits;
use crate::rates::Doubler;
use crate::rtp::FRAME;
use ropus::{Application, Bandwidth, Bitrate, Channels, DecodeMode, InbandFec};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Of the bits that a voice gets: wideband without an audible flaw at most (RFC 7587 section 3.1.1: 16 to 20 kbit/s for
/// wideband speech), and room for the FEC.
pub const BITRATE: u32 = 24_000;
/// In Hz, of the sound that is in a packet of ours.
pub const RATE: u32 = 16_000;
/// From 0, the cheapest, to 10. Prompts are a quarter of an hour that is encoded before the first call is taken.
const COMPLEXITY: u8 = 5;
const COMPLEXITY_OF_PROMPTS: u8 = 0;
/// So many of a hundred packets are expected to be lost: at 10 packets hold the one before, at 5 and these bits none does.
const EXPECTED_LOSS: u8 = 10;
/// Of 48 kHz, which its timestamps count (RFC 7587 section 4.1); and the longest packet, 120 ms.
const TICKS_OF_2_5_MS: u32 = 120;
const LONGEST: u32 = 48 * TICKS_OF_2_5_MS;

pub(crate) struct Encoder {
    codec: Option<ropus::Encoder>,
    effort: u8,
    limits: Limits,
    doubler: Doubler,
}

pub(crate) struct Decoder {
    codec: Option<ropus::Decoder>,
}

/// How long the sound of a packet is, in samples of 48 kHz, if it is one (RFC 6716 section 3.1).
pub(crate) fn duration(packet: &[u8]) -> Option<u32> {
    let toc = *packet.first()?;
    let config = usize::from(toc >> 3);
    let frame = match config {
        0..12 => [4, 8, 16, 24][config & 3],
        12..16 => [4, 8][config & 1],
        _ => [1, 2, 4, 8][config & 3],
    } * TICKS_OF_2_5_MS;
    let frames = match toc & 3 {
        0 => 1,
        3 => u32::from(packet.get(1)? & 0x3F),
        _ => 2,
    };
    Some(frame * frames).filter(|ticks| (1..=LONGEST).contains(ticks))
}

impl Encoder {
    pub fn new() -> Encoder {
        Encoder::within(Limits::default())
    }

    /// For a peer that can be sent no more than this.
    pub fn within(limits: Limits) -> Encoder {
        Encoder::of(COMPLEXITY, limits)
    }

    /// For what is encoded once and heard often, and all of it at once.
    pub fn of_prompts() -> Encoder {
        Encoder::of(COMPLEXITY_OF_PROMPTS, Limits::default())
    }

    fn of(effort: u8, limits: Limits) -> Encoder {
        Encoder { codec: encoder(effort, limits), effort, limits, doubler: Doubler::default() }
    }

    /// 20 ms at 8 kHz; how many bytes they are.
    pub fn encode(&mut self, samples: &[i16; FRAME], bytes: &mut [u8]) -> usize {
        let mut wide = [0; 2 * FRAME];
        self.doubler.double(samples, &mut wide);
        self.encode_wide(&wide, bytes)
    }

    /// 20 ms at 16 kHz; how many bytes they are, no more than there is room for.
    pub fn encode_wide(&mut self, samples: &[i16; 2 * FRAME], bytes: &mut [u8]) -> usize {
        let (effort, limits) = (self.effort, self.limits);
        guarded(&mut self.codec, || encoder(effort, limits), |codec| codec.encode(samples, bytes).ok()).unwrap_or(0)
    }
}

impl Decoder {
    pub fn new() -> Decoder {
        Decoder { codec: decoder() }
    }

    /// Samples at 16 kHz, both channels in one. How many they are: none of what is no packet.
    pub fn decode(&mut self, packet: &[u8], samples: &mut [i16]) -> usize {
        if duration(packet).is_none() {
            return 0;
        }
        guarded(&mut self.codec, decoder, |codec| codec.decode(packet, samples, DecodeMode::Normal).ok()).unwrap_or(0)
    }

    /// In place of a lost packet as long as `samples`, from what the one behind it says of it, if it is there and does; else
    /// the voice goes on.
    pub fn conceal(&mut self, behind: Option<&[u8]>, samples: &mut [i16]) -> usize {
        let (packet, mode) = match behind.filter(|packet| duration(packet).is_some()) {
            Some(packet) => (packet, DecodeMode::Fec),
            None => (&[][..], DecodeMode::Normal),
        };
        guarded(&mut self.codec, decoder, |codec| codec.decode(packet, samples, mode).ok()).unwrap_or(0)
    }
}

fn encoder(effort: u8, limits: Limits) -> Option<ropus::Encoder> {
    // RFC 7587 section 7.1: no more of the sound than the peer plays, no more bits than it takes.
    let bandwidth = match limits.rate {
        ..12_000 => Bandwidth::Narrowband,
        12_000..16_000 => Bandwidth::Mediumband,
        _ => Bandwidth::Wideband,
    };
    // The encoder meets what it is given only about: a tenth below, it stays within what a peer asked.
    let aimed_at = if limits.bitrate < BITRATE { limits.bitrate / 10 * 9 } else { BITRATE };
    ropus::Encoder::builder(RATE, Channels::Mono, Application::Voip)
        .bitrate(Bitrate::Bits(aimed_at))
        .max_bandwidth(bandwidth)
        .complexity(effort)
        .inband_fec(InbandFec::Enabled)
        .packet_loss_perc(EXPECTED_LOSS)
        .build()
        .ok()
}

fn decoder() -> Option<ropus::Decoder> {
    ropus::Decoder::new(16_000, Channels::Mono).ok()
}

/// What a codec of the library gives. One that panics is in no state to go on: a packet must not cost the thread and all its
/// calls, so a new one takes its place.
fn guarded<C, R>(codec: &mut Option<C>, anew: impl FnOnce() -> Option<C>, work: impl FnOnce(&mut C) -> Option<R>) -> Option<R> {
    let used = codec.as_mut()?;
    let done = catch_unwind(AssertUnwindSafe(|| work(used)));
    if done.is_err() {
        *codec = anew();
    }
    done.ok().flatten()
}

impl fmt::Debug for Encoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("opus::Encoder")
    }
}

impl fmt::Debug for Decoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("opus::Decoder")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tone::{amplitude, loudness, part};
    use proptest::prelude::*;

    /// What was said, in packets.
    fn packets(count: usize) -> Vec<Vec<u8>> {
        let mut encoder = Encoder::new();
        let packet = |n: usize| {
            let (mut bytes, mut said) = ([0; FRAME], [0; FRAME]);
            said.copy_from_slice(&part(8_000, 440.0, 8_000.0, n * FRAME..(n + 1) * FRAME));
            let length = encoder.encode(&said, &mut bytes);
            bytes[..length].to_vec()
        };
        (0..count).map(packet).collect()
    }

    #[test]
    fn what_was_encoded_is_what_is_decoded_at_the_bits_that_were_given() {
        let (packets, mut decoder) = (packets(100), Decoder::new());
        let mut heard = vec![];
        for packet in &packets {
            let mut samples = [0; 2 * FRAME];
            assert_eq!((duration(packet), decoder.decode(packet, &mut samples)), (Some(960), 2 * FRAME));
            heard.extend(samples);
        }
        let level = amplitude(&heard[3_200..], 16_000, 440.0);
        assert!((7_000.0..9_000.0).contains(&level), "{level}");
        let bits = 8 * 50 * packets.iter().map(Vec::len).sum::<usize>() / packets.len();
        assert!(bits <= BITRATE as usize * 11 / 10, "{bits}");
    }

    /// A voice whose pitch and loudness change all the time, in packets.
    fn voice(count: usize) -> Vec<Vec<u8>> {
        let (mut encoder, mut phase) = (Encoder::new(), 0.0f64);
        let mut sample = |n: usize| {
            let time = n as f64 / 16_000.0;
            phase += (140.0 + 40.0 * (time * 2.1).sin()) / 16_000.0 * std::f64::consts::TAU;
            let partials = [5_000.0, 3_500.0, 1_500.0, 900.0].iter().enumerate();
            let loud = 0.55 + 0.45 * (time * std::f64::consts::TAU * 2.7).sin();
            (loud * partials.map(|(k, level)| level * (phase * (3 * k + 1) as f64).sin()).sum::<f64>()) as i16
        };
        let mut packet = |n: usize| {
            let (mut bytes, mut said) = ([0; FRAME], [0; 2 * FRAME]);
            said.iter_mut().enumerate().for_each(|(i, s)| *s = sample(2 * FRAME * n + i));
            let length = encoder.encode_wide(&said, &mut bytes);
            bytes[..length].to_vec()
        };
        (0..count).map(&mut packet).collect()
    }

    #[test]
    fn a_lost_packet_is_found_again_in_the_one_behind_it_or_made_up() {
        let packets = voice(100);
        let heard = |lost: bool, with_fec: bool| {
            let (mut decoder, mut out) = (Decoder::new(), vec![]);
            for (n, packet) in packets.iter().enumerate() {
                let mut samples = [0; 2 * FRAME];
                let count = match lost && n % 10 == 5 {
                    true => decoder.conceal(packets.get(n + 1).map(|p| &p[..]).filter(|_| with_fec), &mut samples),
                    false => decoder.decode(packet, &mut samples),
                };
                assert_eq!(count, samples.len());
                out.extend(samples);
            }
            out
        };
        let whole = heard(false, false);
        let error = |with_fec| {
            let heard = heard(true, with_fec);
            loudness(&whole.iter().zip(&heard).map(|(a, b)| a.saturating_sub(*b)).collect::<Vec<_>>())
        };
        let (made_up, found) = (error(false), error(true));
        assert!(found < 0.6 * made_up && made_up < loudness(&whole), "{found} of {made_up} of {}", loudness(&whole));
    }

    #[test]
    fn a_peer_that_takes_less_is_sent_no_more_of_the_sound_and_no_more_bits() {
        for (asked, bitrate, highest) in
            [((6_000, 8_000), 6_000, 3), ((12_000, 12_000), 12_000, 7), ((16_000, 48_000), 16_000, 11)]
        {
            let mut encoder = Encoder::within(Limits::of(Some(asked.0), Some(asked.1)));
            let (mut said, mut sent) = (0.0f64, vec![]);
            for _ in 0..200 {
                let (mut bytes, mut samples) = ([0; FRAME], [0; 2 * FRAME]);
                samples.iter_mut().for_each(|sample| {
                    said += 1.0;
                    *sample = (7_000.0 * (said * said / 3e6).sin() + 3_000.0 * (said * 0.17).sin()) as i16;
                });
                let length = encoder.encode_wide(&samples, &mut bytes);
                assert!((1..).contains(&length) && bytes[0] >> 3 <= highest, "{asked:?}: {}", bytes[0] >> 3);
                sent.push(length);
            }
            let bits = 8 * 50 * sent.iter().sum::<usize>() / sent.len();
            assert!(bits <= bitrate, "{asked:?}: {bits}");
        }
        assert_eq!(Limits::of(Some(510_000), None), Limits::default(), "never more than all are sent");
    }

    #[test]
    fn a_codec_that_panics_is_replaced_by_a_new_one() {
        let mut codec = Some(1);
        assert_eq!(guarded(&mut codec, || Some(2), |_| -> Option<u8> { panic!("a packet that nobody thought of") }), None);
        assert_eq!(guarded(&mut codec, || None, |codec| Some(*codec)), Some(2));
    }

    #[test]
    fn how_long_a_packet_is_stands_in_its_first_byte() {
        let cases: [(&[u8], Option<u32>); 9] = [
            (&[9 << 3], Some(960)),
            (&[11 << 3], Some(2_880)),
            (&[9 << 3 | 1, 0], Some(1_920)),
            (&[13 << 3], Some(960)),
            (&[28 << 3 | 3, 4], Some(480)),
            (&[9 << 3 | 3, 6], Some(5_760)),
            (&[9 << 3 | 3, 7], None),
            (&[9 << 3 | 3], None),
            (&[], None),
        ];
        for (packet, ticks) in cases {
            assert_eq!(duration(packet), ticks, "{packet:?}");
        }
    }

    proptest! {
        #[test]
        fn whatever_bytes_come_are_decoded_without_harm(
            garbage in proptest::collection::vec((proptest::collection::vec(any::<u8>(), 0..300), 0u8..4, any::<[u8; 3]>()), 1..60)
        ) {
            let (good, mut decoder, mut samples) = (packets(4), Decoder::new(), [0; 1_920]);
            for (mut bytes, how, [at, bit, cut]) in garbage {
                if how > 0 {
                    // A packet with a bit turned over, or its end missing.
                    bytes = good[usize::from(how)].clone();
                    let at = usize::from(at) % bytes.len();
                    bytes[at] ^= 1 << (bit & 7);
                    if cut < 60 {
                        bytes.truncate(usize::from(cut) % bytes.len() + 1);
                    }
                }
                prop_assert!(decoder.decode(&bytes, &mut samples) <= samples.len());
                prop_assert!(decoder.conceal(Some(&bytes), &mut samples[..FRAME]) <= FRAME);
                prop_assert!(decoder.conceal(None, &mut samples[..FRAME]) <= FRAME);
            }
        }
    }
}
