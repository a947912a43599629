//! What one peer says in a codec whose packets build on those before: put in order, then decoded to 16 kHz and to 8.
//!
//! ```text
//!   the next one ──▶ decoded ──▶ who needs it decoded, and then those held that follow on it
//!   from further on ──▶ held, three at most and 60 ms, or until a mix needs what is missing: then that is given up
//!   late            ──▶ said to be so, without sound
//! ```
//! A packet in order waits for nothing, and one that waited is placed by its own arrival. What was lost Opus makes up, from
//! the packet behind it if that says it again; else it is concealed where it is heard ([`crate::track`]).

use crate::Codec;
use crate::flood::Budget;
use crate::rates::Halver;
use crate::rtp::{FRAME, Header};
use crate::said::{Origin, Said, Samples};
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
mod tests;
