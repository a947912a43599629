//! The stream that one peer sends: which packets belong to it, how many were lost, how much they jitter
//! (RFC 3550 section 6.4.1, A.1, A.3, A.8).

use crate::losses::{Losses, Tally};
use crate::rtp::Header;
use crate::splice::ticks;
use base::Instant;
use std::time::Duration;

/// A transit time that changes by 2 s is a timestamp set anew, and no jitter.
const TIMESTAMP_JUMP: u32 = 2;
/// RFC 3550 A.1: further ahead is another numbering.
const DROPOUT: i16 = 3_000;
const MISORDER: i16 = -100;
/// A new SSRC, or new numbering, from the same address is believed after this many in a row …
const IN_A_ROW: u32 = 3;
/// … and only when the old stream has been silent this long: one that is live is never taken over.
const QUIET: Duration = Duration::from_millis(100);
/// How long after signalling a new stream is believed at once.
const CHANGE: Duration = Duration::from_secs(2);

/// What was received on one leg, over all streams its peer sent.
#[derive(Clone, Debug, Default)]
pub struct Reception {
    stream: Option<Stream>,
    probe: Option<Probe>,
    change_until: Instant,
    received: u64,
    /// Of streams before this one.
    past: Tally,
    jitter: Jitter,
}

#[derive(Clone, Debug)]
struct Stream {
    ssrc: u32,
    base: u32,
    top: u16,
    cycles: u32,
    received: u64,
    heard: Instant,
    /// By which clock, in Hz, and how long.
    transit: Option<(u32, u32)>,
    /// Scaled by 16, as in A.8.
    jitter: u32,
    prior: (i64, i64),
    losses: Losses,
    /// The last packet was a duplicate.
    again: bool,
}

/// Each packet's interarrival jitter, in microseconds.
#[derive(Clone, Copy, Debug, Default)]
struct Jitter {
    sum: u64,
    count: u64,
    max: u64,
}

#[derive(Clone, Copy, Debug)]
struct Probe {
    ssrc: u32,
    sequence: u16,
    count: u32,
}

/// One reception report block's worth (RFC 3550 section 6.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report {
    pub ssrc: u32,
    pub fraction_lost: u8,
    pub lost: i64,
    pub highest: u32,
    /// In timestamp units.
    pub jitter: u32,
}

impl Reception {
    /// The peer may start another stream at once: it moved, or signalling changed its session.
    pub fn expect_change(&mut self, now: Instant) {
        self.change_until = now + CHANGE;
    }

    /// Whether the last packet that was accepted had come before.
    pub fn is_again(&self) -> bool {
        self.stream.as_ref().is_some_and(|stream| stream.again)
    }

    /// Whether this packet belongs to the peer's stream; counts it if so. `clock` is how fast its timestamps run, in Hz; none
    /// for events, whose standing timestamp says nothing about jitter.
    pub fn accept(&mut self, now: Instant, header: &Header, clock: Option<u32>) -> bool {
        let goes_on = self.stream.as_mut().is_some_and(|s| s.ssrc == header.ssrc && s.advance(header.sequence));
        if !goes_on {
            let believed = self.stream.is_none() || now < self.change_until || self.proves(now, header);
            if !believed {
                return false;
            }
            self.past = self.tally();
            self.stream = Some(Stream::new(now, header));
            self.change_until = Instant::ZERO;
        }
        self.probe = None;
        self.received += 1;
        if let Some(stream) = &mut self.stream {
            stream.received += 1;
            stream.heard = now;
            if let Some(clock) = clock {
                stream.measure(now, header.timestamp, clock);
                self.jitter.note(u64::from(stream.jitter >> 4) * 1_000_000 / u64::from(clock.max(1)));
            }
        }
        true
    }

    pub fn received(&self) -> u64 {
        self.received
    }

    /// What never came, and in what rows; packets that were late or doubled.
    pub fn tally(&self) -> Tally {
        self.stream.as_ref().map_or(self.past, |stream| self.past.and(stream.losses.tally()))
    }

    /// Mean and maximum, in microseconds.
    pub fn jitter_us(&self) -> (u64, u64) {
        (self.jitter.sum / self.jitter.count.max(1), self.jitter.max)
    }

    /// The figures for our next report; the fraction counts from the one before.
    pub fn report(&mut self) -> Option<Report> {
        let stream = self.stream.as_mut()?;
        let (expected, received) = (stream.expected(), stream.received as i64);
        let (more_expected, more_received) = (expected - stream.prior.0, received - stream.prior.1);
        stream.prior = (expected, received);
        let more_lost = more_expected - more_received;
        let fraction_lost =
            if more_expected <= 0 || more_lost <= 0 { 0 } else { (more_lost * 256 / more_expected).min(255) as u8 };
        Some(Report {
            ssrc: stream.ssrc,
            fraction_lost,
            lost: stream.lost(),
            highest: stream.highest(),
            jitter: stream.jitter >> 4,
        })
    }

    fn proves(&mut self, now: Instant, header: &Header) -> bool {
        let count = match self.probe {
            Some(p) if p.ssrc == header.ssrc && header.sequence == p.sequence.wrapping_add(1) => p.count.saturating_add(1),
            _ => 1,
        };
        self.probe = Some(Probe { ssrc: header.ssrc, sequence: header.sequence, count });
        let quiet = self.stream.as_ref().is_none_or(|s| now.since(s.heard) >= QUIET);
        count >= IN_A_ROW && quiet
    }
}

impl Stream {
    fn new(now: Instant, header: &Header) -> Self {
        Stream {
            ssrc: header.ssrc,
            base: header.sequence.into(),
            top: header.sequence,
            cycles: 0,
            received: 0,
            heard: now,
            transit: None,
            jitter: 0,
            prior: (0, 0),
            losses: Losses::new(),
            again: false,
        }
    }

    /// Moves on with a sequence number that fits; false if it is another numbering.
    fn advance(&mut self, sequence: u16) -> bool {
        let step = sequence.wrapping_sub(self.top) as i16;
        if !(MISORDER + 1..DROPOUT).contains(&step) {
            return false;
        }
        self.again = step <= 0 && self.losses.behind(u32::from(step.unsigned_abs()));
        if step > 0 {
            self.cycles = self.cycles.wrapping_add(u32::from(sequence < self.top) << 16);
            self.top = sequence;
            self.losses.ahead(u32::from(step.unsigned_abs()));
        }
        true
    }

    /// RFC 3550 A.8, in integers.
    fn measure(&mut self, now: Instant, timestamp: u32, clock: u32) {
        let transit = ticks(now.since(Instant::ZERO), clock).wrapping_sub(timestamp);
        let before = self.transit.replace((clock, transit));
        // A transit by another clock says nothing of this one; the jitter so far is the same time, in other units.
        if let Some((other, _)) = before.filter(|(other, _)| *other != clock) {
            self.jitter = (u64::from(self.jitter) * u64::from(clock) / u64::from(other.max(1))) as u32;
        }
        if let Some((_, before)) = before.filter(|(before, _)| *before == clock) {
            let d = (transit.wrapping_sub(before) as i32).unsigned_abs();
            if d < TIMESTAMP_JUMP * clock {
                self.jitter = (self.jitter + d).saturating_sub((self.jitter + 8) >> 4);
            }
        }
    }

    fn highest(&self) -> u32 {
        self.cycles.wrapping_add(self.top.into())
    }

    fn expected(&self) -> i64 {
        i64::from(self.highest()) - i64::from(self.base) + 1
    }

    /// As a report counts it: a packet that came twice makes up for one that was lost (A.3).
    fn lost(&self) -> i64 {
        self.expected() - self.received as i64
    }
}

impl Jitter {
    fn note(&mut self, jitter: u64) {
        self.sum += jitter;
        self.count += 1;
        self.max = self.max.max(jitter);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rtp::{Line, Packet};

    fn packet(ssrc: u32, sequence: u16, timestamp: u32) -> Header {
        let line = Line { marker: false, sequence, timestamp, ssrc };
        Header::read(Packet::new(0, line, &[]).as_bytes()).unwrap()
    }
    const CLOCK: Option<u32> = Some(8_000);
    fn at(ms: u64) -> Instant {
        Instant(ms * 1_000_000)
    }

    #[test]
    fn loss_is_counted_over_the_wrap_of_the_sequence() {
        let mut reception = Reception::default();
        for n in (0..1_000u32).filter(|n| n % 10 != 5) {
            assert!(reception.accept(at(u64::from(n) * 20), &packet(1, 65_000u16.wrapping_add(n as u16), n * 160), CLOCK));
        }
        assert_eq!((reception.received(), reception.tally().lost, reception.tally().longest), (900, 100, 1));
        let report = reception.report().unwrap();
        assert_eq!((report.fraction_lost, report.highest), (25, 65_536 + 463));
        assert_eq!(reception.report().unwrap().fraction_lost, 0, "nothing since");
    }

    #[test]
    fn an_even_stream_has_no_jitter_and_an_uneven_one_its_own() {
        let mut even = Reception::default();
        let mut uneven = Reception::default();
        for n in 0..500u64 {
            let header = packet(1, n as u16, n as u32 * 160);
            even.accept(at(n * 20), &header, CLOCK);
            uneven.accept(at(n * 20 + n % 2 * 10), &header, CLOCK);
        }
        assert_eq!(even.jitter_us(), (0, 0));
        let (mean, max) = uneven.jitter_us();
        assert!((9_000..=max).contains(&mean) && max <= 10_500, "{mean} {max}");
        uneven.accept(at(10_000), &packet(1, 500, 4_000_000), CLOCK);
        assert_eq!(uneven.jitter_us().1, max, "a timestamp set anew is no jitter");
    }

    #[test]
    fn a_clock_that_changes_leaves_the_jitter_as_it_was() {
        let mut reception = Reception::default();
        let at_n = |n: u64| at(n * 20 + n % 2 * 10);
        for n in 0..200u64 {
            reception.accept(at_n(n), &packet(1, n as u16, n as u32 * 960), Some(48_000));
        }
        let (_, max) = reception.jitter_us();
        for n in 200..400u64 {
            reception.accept(at_n(n), &packet(1, n as u16, n as u32 * 160), CLOCK);
        }
        assert!((9_000..=10_500).contains(&max) && reception.jitter_us().1 <= 10_500, "{max}, {:?}", reception.jitter_us());
    }

    #[test]
    fn a_live_stream_is_not_taken_over_by_another_ssrc_or_numbering() {
        let mut reception = Reception::default();
        for n in 0..200u64 {
            assert!(reception.accept(at(n * 20), &packet(1, n as u16, 0), CLOCK));
            for burst in 0..5u16 {
                assert!(!reception.accept(at(n * 20), &packet(2, n as u16 * 5 + burst, 0), CLOCK));
                assert!(!reception.accept(at(n * 20), &packet(1, 30_000 + n as u16 * 5 + burst, 0), CLOCK));
            }
        }
        assert_eq!((reception.received(), reception.tally()), (200, Tally::default()));
    }

    #[test]
    fn a_stream_that_takes_over_from_a_silent_one_is_heard_within_a_tenth_of_a_second() {
        let mut reception = Reception::default();
        reception.accept(at(0), &packet(1, 0, 0), CLOCK);
        let first = (1..20u64).find(|n| reception.accept(at(n * 20), &packet(2, *n as u16, 0), CLOCK));
        assert_eq!(first, Some(5));
        reception.expect_change(at(100));
        assert!(reception.accept(at(101), &packet(3, 7, 0), CLOCK), "after a re-INVITE at once");
        assert_eq!((reception.received(), reception.tally()), (3, Tally::default()));
    }
}
