//! What one peer says in a codec whose packets build on those before: put in order, then decoded to 16 kHz and to 8.
//!
//! ```text
//!   the next one ──▶ decoded ──▶ who needs it decoded, and then those held that follow on it
//!   from further on ──▶ held, three at most and 60 ms, or until a mix needs what is missing: then that is given up
//!   late            ──▶ said to be so, without sound
//! ```
//! A packet in order waits for nothing, and one that waited is placed by its own arrival. What was lost Opus makes up, from the packet behind it if that says it again; else
//! it is concealed where it is heard ([`crate::track`]).

use crate::Codec;
use crate::flood::Budget;
use crate::g711::Law;
use crate::rates::Halver;
use crate::rtp::{FRAME, Header};
use crate::{g722, opus};
use base::Instant;
use std::time::Duration;

/// Packets that wait for one that is missing, and for how long: a peer may say nothing after them.
const HELD: usize = 3;
const PATIENCE: Duration = Duration::from_millis(60);
/// Lost packets in a row that a codec makes up itself.
const MADE_UP: u16 = 3;
/// Further ahead is another numbering (RFC 3550 A.1).
const DROPOUT: i16 = 3_000;
const MISORDER: i16 = -100;
/// The most bytes of a packet that waits.
const LONGEST_PACKET: usize = 1_500;
/// The longest packet that is understood, in samples of 8 kHz: 120 ms.
pub(crate) const LONGEST: usize = 960;

/// Some of what a peer said, as it lies in its stream; the timestamp counts samples of 8 kHz. Without samples it is a packet
/// that has no sound, a key or comfort noise: it took a number.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Said<'a> {
    pub ssrc: u32,
    pub sequence: u16,
    pub timestamp: u32,
    pub samples: Samples<'a>,
    /// The same at 16 kHz, if it was said in a wideband codec.
    pub wide: Option<&'a [i16]>,
    pub origin: Origin,
}

/// Where sound is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    Packet,
    /// Its packet is lost, and the codec made this up: nobody said it.
    MadeUp,
    /// Its packet came when the codec was past it: it can't be decoded any more, and has no sound.
    TooLate,
}

/// Sound at 8 kHz; for those who mix a wideband voice, at 16.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Samples<'a> {
    /// A byte is a sample.
    Law(&'a [u8], Law),
    Linear(&'a [i16]),
}

#[derive(Debug)]
pub(crate) struct Voice {
    codec: Codec,
    decoder: Decoder,
    halver: Halver,
    /// A timestamp of the stream and the same of 8 kHz, if its clock is another.
    clock: Option<(u32, u32)>,
    /// How many samples the last packet had.
    length: usize,
    /// Source and number of the packet that comes next.
    next: Option<(u32, u16)>,
    /// By number.
    held: Vec<Held>,
    /// What was decoded and made up, which costs the same.
    sound: Budget,
    /// Where what was said last ends, in samples of 8 kHz.
    end: u32,
    spare: Vec<Vec<u8>>,
}

#[derive(Debug)]
enum Decoder {
    G722(Box<g722::Decoder>),
    Opus(Box<opus::Decoder>),
}

/// Where a packet lies in its stream.
#[derive(Clone, Copy, Debug)]
struct Place {
    ssrc: u32,
    sequence: u16,
    timestamp: u32,
}

/// A packet that came too early; without sound if it was a telephone-event.
#[derive(Debug)]
struct Held {
    arrival: Instant,
    sequence: u16,
    timestamp: u32,
    payload: Option<Vec<u8>>,
}

impl<'a> Said<'a> {
    /// A packet in one of the laws.
    pub fn by_law(header: &Header, payload: &'a [u8], law: Law) -> Said<'a> {
        let &Header { ssrc, sequence, timestamp, .. } = header;
        Said { ssrc, sequence, timestamp, samples: Samples::Law(payload, law), wide: None, origin: Origin::Packet }
    }
}

impl Samples<'_> {
    pub fn len(&self) -> usize {
        match self {
            Samples::Law(bytes, _) => bytes.len(),
            Samples::Linear(samples) => samples.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How far the loudest is from silence.
    pub fn loudest(&self) -> u16 {
        let mut loudest = 0;
        self.each(|sample| loudest = loudest.max(sample.unsigned_abs()));
        loudest
    }

    /// Those from the `first` on, as many as there is room for.
    pub fn write(&self, first: usize, out: &mut [i16]) {
        match self {
            Samples::Law(bytes, law) => {
                let decoder = law.decoder();
                out.iter_mut().zip(&bytes[first..]).for_each(|(out, byte)| *out = decoder[usize::from(*byte)]);
            }
            Samples::Linear(samples) => out.iter_mut().zip(&samples[first..]).for_each(|(out, sample)| *out = *sample),
        }
    }

    /// The n-th; silence beyond the last.
    pub fn at(&self, n: usize) -> i16 {
        match self {
            Samples::Law(bytes, law) => bytes.get(n).map_or(0, |byte| law.decoder()[usize::from(*byte)]),
            Samples::Linear(samples) => samples.get(n).copied().unwrap_or(0),
        }
    }

    /// One after the other.
    pub fn each(self, mut act: impl FnMut(i16)) {
        match self {
            Samples::Law(bytes, law) => {
                let decoder = law.decoder();
                bytes.iter().for_each(|byte| act(decoder[usize::from(*byte)]));
            }
            Samples::Linear(samples) => samples.iter().for_each(|sample| act(*sample)),
        }
    }
}

impl Voice {
    pub fn new(codec: Codec) -> Voice {
        Voice {
            codec,
            decoder: Decoder::new(codec),
            halver: Halver::default(),
            clock: None,
            length: FRAME,
            next: None,
            held: vec![],
            sound: Budget::default(),
            end: 0,
            spare: vec![],
        }
    }

    pub fn codec(&self) -> Codec {
        self.codec
    }

    /// For another stream, in this codec; what it held is gone.
    pub fn restart(&mut self, codec: Codec) {
        self.held.drain(..).for_each(|held| self.spare.extend(held.payload));
        (self.codec, self.decoder, self.clock, self.next) = (codec, Decoder::new(codec), None, None);
    }

    /// Until when what is held waits at most.
    pub fn waits_until(&self) -> Option<Instant> {
        self.held.iter().map(|held| held.arrival + PATIENCE).min()
    }

    /// Where what is missing begins, by its source and in samples of 8 kHz, if something waits for it.
    pub fn waits_for(&self) -> Option<(u32, u32)> {
        let (ssrc, _) = self.next.filter(|_| !self.held.is_empty())?;
        Some((ssrc, self.end))
    }

    /// Says what is held, whatever is missing before it: nothing waits for that any longer.
    pub fn flush(&mut self, mut say: impl FnMut(Instant, Said<'_>)) {
        while let Some((ssrc, _)) = self.next.filter(|_| !self.held.is_empty()) {
            self.say_first(ssrc, &mut say);
        }
    }

    /// Says what is held up to the next gap: what is missing before it is not waited for any longer.
    pub fn give_up(&mut self, mut say: impl FnMut(Instant, Said<'_>)) {
        if let Some((ssrc, _)) = self.next.filter(|_| !self.held.is_empty()) {
            self.say_first(ssrc, &mut say);
            self.catch_up(ssrc, &mut say);
        }
    }

    /// A packet of the stream that arrives `now`; none for `payload` if it is one without sound, which takes a number too.
    /// `say` is told what can now be heard, and when its packet came.
    pub fn hear(&mut self, now: Instant, header: &Header, payload: Option<&[u8]>, mut say: impl FnMut(Instant, Said<'_>)) {
        while self.waits_until().is_some_and(|until| until <= now) {
            self.give_up(&mut say);
        }
        let ahead = match self.next.filter(|(ssrc, _)| *ssrc == header.ssrc) {
            Some((_, next)) => header.sequence.wrapping_sub(next).cast_signed(),
            None => DROPOUT,
        };
        match ahead {
            MISORDER..0 => return self.miss(now, header, payload, &mut say),
            0 => self.decode(now, Place::of(header), payload, &mut say),
            1..DROPOUT => self.hold(now, header, payload),
            _ => {
                self.flush(&mut say);
                self.restart(self.codec);
                self.decode(now, Place::of(header), payload, &mut say);
            }
        }
        self.catch_up(header.ssrc, &mut say);
    }

    /// A packet came that nobody waits for any more.
    fn miss(&mut self, now: Instant, header: &Header, payload: Option<&[u8]>, say: &mut impl FnMut(Instant, Said<'_>)) {
        if payload.is_none() {
            return;
        }
        let &Header { ssrc, sequence, timestamp, .. } = header;
        let (timestamp, samples) = (self.as_8_khz(timestamp).1, Samples::Linear(&[]));
        say(now, Said { ssrc, sequence, timestamp, samples, wide: None, origin: Origin::TooLate });
    }

    fn hold(&mut self, arrival: Instant, header: &Header, payload: Option<&[u8]>) {
        let ahead = |sequence: u16| sequence.wrapping_sub(header.sequence).cast_signed();
        let at = self.held.partition_point(|held| ahead(held.sequence) < 0);
        if self.held.get(at).is_some_and(|held| held.sequence == header.sequence) {
            return;
        }
        let payload = payload.map(|bytes| {
            let mut copy = self.spare.pop().unwrap_or_default();
            copy.clear();
            copy.extend_from_slice(&bytes[..bytes.len().min(LONGEST_PACKET)]);
            copy
        });
        self.held.insert(at, Held { arrival, sequence: header.sequence, timestamp: header.timestamp, payload });
    }

    /// Says what follows on what was said, and goes on behind a gap for which too many wait.
    fn catch_up(&mut self, ssrc: u32, say: &mut impl FnMut(Instant, Said<'_>)) {
        while let Some(first) = self.held.first() {
            let follows = self.next == Some((ssrc, first.sequence));
            if !follows && self.held.len() <= HELD {
                return;
            }
            self.say_first(ssrc, say);
        }
    }

    fn say_first(&mut self, ssrc: u32, say: &mut impl FnMut(Instant, Said<'_>)) {
        let Held { arrival, sequence, timestamp, payload } = self.held.remove(0);
        let place = Place { ssrc, sequence, timestamp };
        self.make_up(arrival, place, payload.as_deref(), say);
        self.decode(arrival, place, payload.as_deref(), say);
        self.spare.extend(payload);
    }

    fn decode(&mut self, arrival: Instant, place: Place, payload: Option<&[u8]>, say: &mut impl FnMut(Instant, Said<'_>)) {
        self.next = Some((place.ssrc, place.sequence.wrapping_add(1)));
        let mut wide = [0; 2 * LONGEST];
        let count = payload.map_or(0, |payload| self.decoder.decode(payload, &mut wide));
        self.length = if count > 0 { count / 2 } else { self.length };
        self.sound.spend_sound(arrival, span(count / 2));
        let place = Place { timestamp: self.of_8_khz(place.timestamp), ..place };
        self.end = place.timestamp.wrapping_add(count as u32 / 2);
        self.say(arrival, place, &mut wide[..count], Origin::Packet, say);
    }

    /// Says what was decoded, at both rates.
    fn say(
        &mut self,
        arrival: Instant,
        Place { ssrc, sequence, timestamp }: Place,
        wide: &mut [i16],
        origin: Origin,
        say: &mut impl FnMut(Instant, Said<'_>),
    ) {
        // The lowest value has another meaning where samples wait to be heard.
        wide.iter_mut().for_each(|sample| *sample = (*sample).max(-i16::MAX));
        let mut samples = [0; LONGEST];
        let count = self.halver.halve(wide, &mut samples);
        say(arrival, Said { ssrc, sequence, timestamp, samples: Samples::Linear(&samples[..count]), wide: Some(wide), origin });
    }
}

impl Voice {
    /// Says what a codec that can makes of the packets that are missing before this one: no more of it than a peer may send.
    fn make_up(&mut self, arrival: Instant, place: Place, payload: Option<&[u8]>, say: &mut impl FnMut(Instant, Said<'_>)) {
        let (Decoder::Opus(decoder), Some((_, next))) = (&mut self.decoder, self.next) else { return };
        let (missing, length) = (place.sequence.wrapping_sub(next), self.length);
        if missing > MADE_UP || !self.sound.is_left(arrival) {
            return;
        }
        let mut made = [[0; 2 * LONGEST]; MADE_UP as usize];
        let mut counts = [0; MADE_UP as usize];
        for back in (1..=missing).rev() {
            let n = usize::from(back - 1);
            let samples = &mut made[n][..2 * length];
            counts[n] = match decoder.conceal(payload.filter(|_| back == 1), samples) {
                0 => decoder.conceal(None, samples),
                count => count,
            };
        }
        self.sound.spend_sound(arrival, span(usize::from(missing) * length));
        let timestamp = self.of_8_khz(place.timestamp);
        for back in (1..=missing).rev() {
            let n = usize::from(back - 1);
            let (sequence, ago) = (place.sequence.wrapping_sub(back), usize::from(back) * length);
            let lost = Place { sequence, timestamp: timestamp.wrapping_sub(ago as u32), ..place };
            if counts[n] > 0 {
                self.say(arrival - span(ago), lost, &mut made[n][..counts[n]], Origin::MadeUp, say);
            }
        }
    }

    fn of_8_khz(&mut self, timestamp: u32) -> u32 {
        let now = self.as_8_khz(timestamp);
        self.clock = Some(now);
        now.1
    }

    /// A timestamp of the stream's, as far as it is whole, and the same of 8 kHz.
    fn as_8_khz(&self, timestamp: u32) -> (u32, u32) {
        let ratio = self.codec.clock() / 8_000;
        if ratio == 1 {
            return (timestamp, timestamp);
        }
        let (theirs, ours) = self.clock.unwrap_or((timestamp, timestamp / ratio));
        // A peer may jump as far as it likes: back by half of all timestamps a step is no number of 32 bit times the ratio.
        let step = i64::from(timestamp.wrapping_sub(theirs).cast_signed()).div_euclid(ratio.into());
        // What is left over counts with the next.
        (theirs.wrapping_add((step * i64::from(ratio)) as u32), ours.wrapping_add(step as u32))
    }
}

impl Place {
    fn of(&Header { ssrc, sequence, timestamp, .. }: &Header) -> Place {
        Place { ssrc, sequence, timestamp }
    }
}

/// How long so many samples of 8 kHz are.
fn span(samples: usize) -> Duration {
    Duration::from_micros(samples as u64 * 125)
}

impl Decoder {
    fn new(codec: Codec) -> Decoder {
        match codec {
            Codec::Opus => Decoder::Opus(Box::new(opus::Decoder::new())),
            Codec::Pcmu | Codec::Pcma | Codec::G722 => Decoder::G722(Box::new(g722::Decoder::new())),
        }
    }

    fn decode(&mut self, payload: &[u8], samples: &mut [i16]) -> usize {
        match self {
            Decoder::G722(decoder) => decoder.decode(payload, samples),
            Decoder::Opus(decoder) => decoder.decode(payload, samples),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rtp::{Line, Packet};
    use crate::tone;
    use proptest::prelude::*;

    const NOW: Instant = Instant(1_000_000_000);

    fn packets(count: u16) -> Vec<Vec<u8>> {
        let mut encoder = g722::Encoder::new();
        let packet = |n: u16| {
            let mut frame = [0; FRAME];
            let said = tone::part(8_000, 440.0, 8_000.0, usize::from(n) * FRAME..usize::from(n + 1) * FRAME);
            encoder.encode(&said, &mut frame);
            let line = Line { marker: false, sequence: n.wrapping_sub(2), timestamp: u32::from(n) * 160, ssrc: 1 };
            Packet::new(9, line, &frame).as_bytes().to_vec()
        };
        (0..count).map(packet).collect()
    }

    /// The packets in this order; what was said, by timestamp.
    fn said(order: &[usize]) -> Vec<(u32, Vec<i16>)> {
        let packets = packets(40);
        let (mut voice, mut said) = (Voice::new(Codec::G722), vec![]);
        for n in order {
            let header = Header::read(&packets[*n]).unwrap();
            voice.hear(NOW, &header, packets[*n].get(header.body()), |_, s| {
                if s.origin == Origin::TooLate {
                    return;
                }
                let Samples::Linear(samples) = s.samples else { panic!("decoded") };
                said.push((s.timestamp, samples.to_vec()));
            });
        }
        said
    }

    #[test]
    fn what_was_encoded_is_what_is_decoded() {
        let said = said(&(0..40).collect::<Vec<_>>());
        assert!(said.iter().enumerate().all(|(n, (timestamp, _))| *timestamp == n as u32 * 160));
        let heard: Vec<i16> = said.into_iter().flat_map(|(_, samples)| samples).collect();
        assert!((7_600.0..8_400.0).contains(&tone::amplitude(&heard[800..], 8_000, 440.0)));
        assert!(tone::carries(&heard, 8_000, 440.0));
    }

    #[test]
    fn packets_in_disorder_are_said_in_order_each_once_and_the_same() {
        let straight: Vec<usize> = (0..12).collect();
        assert_eq!(said(&[0, 2, 1, 1, 5, 3, 5, 4, 2, 6, 8, 9, 7, 10, 11]), said(&straight));
    }

    #[test]
    fn a_packet_that_is_missing_is_waited_for_no_longer_than_three_packets() {
        let timestamps = |order: &[usize]| said(order).into_iter().map(|(t, _)| t / 160).collect::<Vec<_>>();
        assert_eq!(timestamps(&[0, 2, 3, 4]), [0]);
        assert_eq!(timestamps(&[0, 2, 3, 4, 5]), [0, 2, 3, 4, 5]);
        assert_eq!(timestamps(&[0, 2, 3, 4, 5, 1, 6]), [0, 2, 3, 4, 5, 6], "then it is too late");
        assert_eq!(timestamps(&[0, 2, 4, 6, 8, 10, 12, 14]), [0, 2, 4, 6, 8], "three are held");
    }

    #[test]
    fn a_key_between_two_words_is_no_gap_and_another_source_begins_at_once() {
        let packets = packets(3);
        let (mut voice, mut said) = (Voice::new(Codec::G722), vec![]);
        let read = |n: usize| Header::read(&packets[n]).unwrap();
        voice.hear(NOW, &read(0), packets[0].get(12..), |_, s| said.push(s.samples.len()));
        voice.hear(NOW, &read(1), None, |_, s| said.push(s.samples.len()));
        voice.hear(NOW, &read(2), packets[2].get(12..), |_, s| said.push(s.samples.len()));
        assert_eq!(said, [FRAME, 0, FRAME]);
        let mut other = read(0);
        other.ssrc = 2;
        voice.hear(NOW, &other, packets[0].get(12..), |_, s| said.push(s.samples.len()));
        assert_eq!(said.len(), 4);
    }

    #[test]
    fn what_is_held_is_said_at_the_end_and_another_stream_begins_at_once() {
        let packets = packets(40);
        let (mut voice, mut said) = (Voice::new(Codec::G722), vec![]);
        let hear = |voice: &mut Voice, n: usize, said: &mut Vec<u32>| {
            let header = Header::read(&packets[n]).unwrap();
            voice.hear(NOW, &header, packets[n].get(header.body()), |_, s| said.push(s.timestamp / 160));
        };
        [0, 2, 4, 5].into_iter().for_each(|n| hear(&mut voice, n, &mut said));
        voice.flush(|_, s| said.push(s.timestamp / 160));
        assert_eq!(said, [0, 2, 4, 5]);
        [6, 8].into_iter().for_each(|n| hear(&mut voice, n, &mut said));
        assert_eq!(said, [0, 2, 4, 5, 6], "the stream goes on");
        let mut other = Header::read(&packets[30]).unwrap();
        other.ssrc = 2;
        voice.hear(NOW, &other, packets[30].get(other.body()), |_, s| said.push(s.timestamp / 160));
        assert_eq!(said, [0, 2, 4, 5, 6, 8, 30], "what was held is said first");
    }

    #[test]
    fn what_is_held_waits_for_60_ms_and_is_said_by_its_own_arrival() {
        let packets = packets(12);
        let (mut voice, mut said) = (Voice::new(Codec::G722), vec![]);
        let at = |ms: u64| NOW + Duration::from_millis(ms);
        let mut hear = |voice: &mut Voice, ms: u64, n: usize| {
            let header = Header::read(&packets[n]).unwrap();
            voice.hear(at(ms), &header, packets[n].get(header.body()), |at, s| said.push((at, s.timestamp / 160)));
        };
        hear(&mut voice, 0, 0);
        assert_eq!((voice.waits_until(), voice.waits_for()), (None, None));
        hear(&mut voice, 40, 2);
        assert_eq!((voice.waits_until(), voice.waits_for()), (Some(at(100)), Some((1, 160))));
        hear(&mut voice, 10_000, 3);
        assert_eq!(said, [(at(0), 0), (at(40), 2), (at(10_000), 3)], "ten seconds of silence later");
    }

    #[test]
    fn no_more_is_decoded_and_made_up_than_a_peer_may_send() {
        // 120 ms in each packet, of which three between each two never come.
        let mut encoder = opus::Encoder::new();
        let mut frame = [0; FRAME];
        let length = encoder.encode(&[500; FRAME], &mut frame);
        let long = [&[frame[0] | 3, 6][..], &frame[1..length].repeat(6)].concat();
        let (mut voice, mut made_up, mut decoded) = (Voice::new(Codec::Opus), 0, 0);
        for n in 0..80u32 {
            let line = Line { marker: false, sequence: n as u16 * 4, timestamp: n * 4 * 5_760, ssrc: 1 };
            let header = Header::read(Packet::new(96, line, &[]).as_bytes()).unwrap();
            voice.hear(NOW + Duration::from_millis(96) * n, &header, Some(&long), |_, s| {
                let count = if s.origin == Origin::MadeUp { &mut made_up } else { &mut decoded };
                *count += s.samples.len();
            });
        }
        assert!(decoded >= 78 * LONGEST && (1..=8_000 * 2).contains(&made_up), "{} ms in 7.7 s", made_up / 8);
    }

    #[test]
    fn whatever_bytes_come_are_decoded_without_harm() {
        let mut random = base::Random::from_seed(3);
        let mut voice = Voice::new(Codec::G722);
        let mut loudest = 0;
        for n in 0..2_000u16 {
            let bytes: Vec<u8> = (0..random.below(2_000)).map(|_| random.bits() as u8).collect();
            let line = Line { marker: false, sequence: n, timestamp: 0, ssrc: 1 };
            let header = Header::read(Packet::new(9, line, &[]).as_bytes()).unwrap();
            voice.hear(NOW, &header, Some(&bytes), |_, s| {
                assert!(s.samples.len() <= LONGEST);
                s.samples.each(|sample| loudest = loudest.max(sample));
            });
        }
        assert!(loudest > 10_000);
    }

    proptest! {
        #[test]
        fn whatever_timestamps_come_those_of_8_khz_follow_them(
            jumps in proptest::collection::vec(prop_oneof![Just(0x8000_0000), Just(0x8000_0001), Just(960), any::<u32>()], 1..50),
            first in any::<u32>(),
        ) {
            let (mut voice, mut timestamp) = (Voice::new(Codec::Opus), first);
            let (mut before, mut left) = (voice.of_8_khz(first), 0);
            for jump in jumps {
                timestamp = timestamp.wrapping_add(jump);
                let now = voice.of_8_khz(timestamp);
                let ticks = i64::from(jump.cast_signed()) + left;
                // What is left over must not take a jump round to the other side.
                if ticks <= i64::from(i32::MAX) {
                    prop_assert_eq!(i64::from(now.wrapping_sub(before).cast_signed()), ticks.div_euclid(6));
                    left = ticks.rem_euclid(6);
                } else {
                    left = (ticks - (1 << 32)).rem_euclid(6);
                }
                before = now;
            }
        }
    }
}
