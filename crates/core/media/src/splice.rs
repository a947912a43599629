//! What one peer hears is one stream, whoever speaks: a prompt, music, the other side.
//!
//! ```text
//!            frame()                    relay()
//!   player ─────────▶ ┌───────────────────────┐ ◀───────── the other leg
//!                     │ one SSRC, one sequence │
//!                     │ one timestamp line     │
//!                     └───────────┬───────────┘
//!                                 ▼ a marker at each splice
//! ```
//! A splice is a change of source, a source that restarts, or a pause. The timestamp then takes up the time
//! that passed, so that the receiver's playout clock stays where it was (RFC 3550 section 5.1, RFC 3551 4.1).

use crate::player::FRAME_TIME;
use crate::rtp::{Header, Line};
use base::Instant;
use std::time::Duration;

/// Of G.7xx, with which a leg begins.
const USUAL_CLOCK: u32 = 8_000;
/// A source that jumps further ahead than this has restarted (RFC 3550 A.1, MAX_DROPOUT).
const DROPOUT: i16 = 3_000;
/// Further back than this is not late but another numbering (RFC 3550 A.1, MAX_MISORDER).
const MISORDER: i16 = -100;
/// A timestamp that leaves the clock by 2 s has been set anew.
const TIMESTAMP_JUMP: i64 = 2;

/// The outgoing stream of one leg.
#[derive(Clone, Debug)]
pub struct Splice {
    /// One for each clock: timestamps of two clocks in one stream mean nothing (RFC 7160 section 4.1).
    ssrcs: [u32; 2],
    ssrc: u32,
    /// How fast timestamps run, in Hz.
    clock: u32,
    next_sequence: u16,
    /// The timestamp that belongs to a moment: where the stream's clock started.
    anchor: Option<(Instant, u32)>,
    first_timestamp: u32,
    last_timestamp: u32,
    last_samples: u32,
    last_at: Instant,
    source: Source,
    marker_owed: bool,
    event: Option<Event>,
}

/// The telephone-event that was relayed last: it keeps its timestamp over a splice (RFC 4733 section 2.5.1.1).
#[derive(Clone, Copy, Debug)]
struct Event {
    ssrc: u32,
    theirs: u32,
    ours: u32,
}

#[derive(Clone, Debug)]
enum Source {
    Nobody,
    Player,
    Relay(Relay),
}

/// How the other leg's numbers become ours.
#[derive(Clone, Debug)]
struct Relay {
    ssrc: u32,
    sequence_shift: u16,
    timestamp_shift: u32,
    /// What came before this is not ours to send: its number is taken.
    floor: u16,
    top: u16,
    /// Timestamp and arrival of the newest audio, to notice a timestamp set anew.
    audio: Option<(u32, Instant)>,
}

impl Splice {
    /// A stream with random starting values (RFC 3550 section 5.1).
    pub fn new(ssrcs: u64, sequence: u16, timestamp: u32) -> Self {
        Splice {
            ssrcs: [ssrcs as u32, (ssrcs >> 32) as u32],
            ssrc: ssrcs as u32,
            clock: USUAL_CLOCK,
            next_sequence: sequence,
            anchor: None,
            first_timestamp: timestamp,
            last_timestamp: timestamp,
            last_samples: 0,
            last_at: Instant::ZERO,
            source: Source::Nobody,
            marker_owed: false,
            event: None,
        }
    }

    pub fn ssrc(&self) -> u32 {
        self.ssrc
    }

    /// Which of our two streams is being sent: that of the usual clock, or the other.
    pub fn stream(&self) -> usize {
        usize::from(self.clock != USUAL_CLOCK)
    }

    /// Timestamps run at another rate from now on, in a stream of their own that begins where this one ends.
    pub fn set_clock(&mut self, now: Instant, clock: u32) {
        if clock == self.clock {
            return;
        }
        let (timestamp, free) = (self.end(), self.free_at(now));
        self.interrupt();
        (self.clock, self.ssrc) = (clock, self.ssrcs[usize::from(clock != USUAL_CLOCK)]);
        (self.first_timestamp, self.last_timestamp, self.last_samples, self.last_at) = (timestamp, timestamp, 0, free);
        self.anchor = self.anchor.map(|_| (free, timestamp));
        self.event = None;
    }

    /// The next of our own frames of 20 ms, due at `at`.
    pub fn frame(&mut self, at: Instant) -> Line {
        let timestamp = match self.source {
            Source::Player => self.last_timestamp.wrapping_add(self.last_samples),
            _ => self.resume_timestamp(at),
        };
        if !matches!(self.source, Source::Player) {
            self.source = Source::Player;
            self.marker_owed = true;
        }
        let line =
            Line { marker: std::mem::take(&mut self.marker_owed), sequence: self.next_sequence, timestamp, ssrc: self.ssrc };
        self.sent(at, line.sequence, timestamp, Some(self.ticks(FRAME_TIME)));
        line
    }

    /// The other side's packet as it leaves here; none if it came too late for its number.
    /// `samples` is none for a telephone-event, whose timestamp stands still and whose marker means its start.
    pub fn relay(&mut self, at: Instant, header: &Header, samples: Option<u32>) -> Option<Line> {
        let continues = match &self.source {
            Source::Relay(r) => r.continues(at, header, samples.map(|_| self.clock)),
            _ => Some(false),
        }?;
        if !continues {
            self.rebase(at, header);
        }
        let Source::Relay(relay) = &mut self.source else { return None };
        let sequence = header.sequence.wrapping_add(relay.sequence_shift);
        let mut timestamp = header.timestamp.wrapping_add(relay.timestamp_shift);
        relay.note(at, header, samples.is_some());
        if samples.is_none() {
            timestamp = self.event_timestamp(header, timestamp);
        }
        let marker = header.marker || (samples.is_some() && std::mem::take(&mut self.marker_owed));
        self.sent(at, sequence, timestamp, samples);
        Some(Line { marker, sequence, timestamp, ssrc: self.ssrc })
    }

    /// A key that somebody else pressed, between frames of our own: one timestamp for all its packets, beside the audio.
    pub fn event(&mut self, at: Instant, header: &Header) -> Line {
        let fresh = self.resume_timestamp(at);
        let timestamp = self.event_timestamp(header, fresh);
        let line = Line { marker: header.marker, sequence: self.next_sequence, timestamp, ssrc: self.ssrc };
        self.sent(at, line.sequence, timestamp, None);
        line
    }

    /// The other side's packet is not for this peer: its number is closed up, so that no loss is seen.
    pub fn skip(&mut self, header: &Header) {
        let Source::Relay(relay) = &mut self.source else { return };
        if relay.ssrc == header.ssrc && header.sequence == relay.top.wrapping_add(1) {
            relay.sequence_shift = relay.sequence_shift.wrapping_sub(1);
            relay.top = header.sequence;
            relay.floor = header.sequence.wrapping_add(1);
        }
    }

    /// What was sent ends here; what follows is a splice, whoever speaks.
    pub fn interrupt(&mut self) {
        self.source = Source::Nobody;
    }

    /// When the last packet has been played out; a new source that waits for it does not run ahead of the clock, and
    /// gives back what relayed ones, which can't wait, have run ahead.
    pub fn free_at(&self, now: Instant) -> Instant {
        let ahead = self.anchor.map_or(0, |(start, first)| {
            let clock = first.wrapping_add(self.ticks(now.since(start)));
            self.end().wrapping_sub(clock).cast_signed().max(0).cast_unsigned()
        });
        (self.last_at + self.duration(self.last_samples)).max(now + self.duration(ahead))
    }

    /// Our timestamp at a moment, for sender reports.
    pub fn timestamp_at(&self, now: Instant) -> u32 {
        self.last_timestamp.wrapping_add(self.ticks(now.since(self.last_at)))
    }

    fn rebase(&mut self, at: Instant, header: &Header) {
        let timestamp = self.resume_timestamp(at);
        self.source = Source::Relay(Relay {
            ssrc: header.ssrc,
            sequence_shift: self.next_sequence.wrapping_sub(header.sequence),
            timestamp_shift: timestamp.wrapping_sub(header.timestamp),
            floor: header.sequence,
            top: header.sequence.wrapping_sub(1),
            audio: None,
        });
        self.marker_owed = true;
    }

    fn ticks(&self, span: Duration) -> u32 {
        ticks(span, self.clock)
    }

    fn duration(&self, ticks: u32) -> Duration {
        Duration::from_nanos(u64::from(ticks) * 1_000_000_000 / u64::from(self.clock.max(1)))
    }

    /// Where the clock stands now, and never before the end of what was sent.
    fn resume_timestamp(&mut self, at: Instant) -> u32 {
        let (start, first) = *self.anchor.get_or_insert((at, self.first_timestamp));
        let clock = first.wrapping_add(self.ticks(at.since(start)));
        let end = self.end();
        if clock.wrapping_sub(end) as i32 > 0 { clock } else { end }
    }

    /// The timestamp of what follows the last packet.
    fn end(&self) -> u32 {
        self.last_timestamp.wrapping_add(self.last_samples)
    }

    /// One press is one timestamp, even if a splice came in between; else it would be two presses.
    fn event_timestamp(&mut self, header: &Header, fresh: u32) -> u32 {
        let known = self.event.filter(|e| (e.ssrc, e.theirs) == (header.ssrc, header.timestamp));
        let event = known.unwrap_or(Event { ssrc: header.ssrc, theirs: header.timestamp, ours: fresh });
        self.event = Some(event);
        event.ours
    }

    /// A telephone-event (`samples` is none) takes a number but no time: the audio's clock goes on beside it.
    fn sent(&mut self, at: Instant, sequence: u16, timestamp: u32, samples: Option<u32>) {
        if sequence.wrapping_sub(self.next_sequence) as i16 >= 0 {
            self.next_sequence = sequence.wrapping_add(1);
        }
        let newer = timestamp.wrapping_sub(self.last_timestamp) as i32 >= 0;
        if let Some(samples) = samples.filter(|_| newer) {
            (self.last_timestamp, self.last_samples, self.last_at) = (timestamp, samples, at);
        }
    }
}

impl Relay {
    /// Some(true): the packet goes on with the line. Some(false): it starts a new one. None: drop it.
    /// `clock` is that of audio, none for a key.
    fn continues(&self, at: Instant, header: &Header, clock: Option<u32>) -> Option<bool> {
        if header.ssrc != self.ssrc {
            return Some(false);
        }
        let step = header.sequence.wrapping_sub(self.top) as i16;
        if step == 0 {
            return None;
        }
        if step < 0 && step > MISORDER {
            return if (header.sequence.wrapping_sub(self.floor) as i16) < 0 { None } else { Some(true) };
        }
        if !(1..DROPOUT).contains(&step) {
            return Some(false);
        }
        let (Some((timestamp, then)), Some(clock)) = (self.audio, clock) else { return Some(true) };
        let advance = i64::from(header.timestamp.wrapping_sub(timestamp) as i32);
        let elapsed = i64::from(ticks(at.since(then), clock));
        Some((advance - elapsed).abs() < TIMESTAMP_JUMP * i64::from(clock))
    }

    fn note(&mut self, at: Instant, header: &Header, audio: bool) {
        if header.sequence.wrapping_sub(self.top) as i16 > 0 {
            self.top = header.sequence;
            if audio {
                self.audio = Some((header.timestamp, at));
            }
        }
    }
}

/// How far a clock goes in a span, modulo 2^32 as timestamps do.
pub(crate) fn ticks(span: Duration, clock: u32) -> u32 {
    (span.as_micros() * u128::from(clock) / 1_000_000) as u32
}

#[cfg(test)]
mod tests;
