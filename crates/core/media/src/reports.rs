//! What the peer's receiver reports say of the stream that we send, and the round trip by them (RFC 3550 section 6.4.1).
//!
//! ```text
//!   we ──SR, at t0──▶ peer          round trip = now - t0 - delay
//!   we ◀──block: LSR = that SR, DLSR = delay── peer
//! ```
//! A peer can write anything. A block that cannot be (more lost than was ever sent, jitter of minutes) is dropped whole;
//! a round trip is measured only against a report that we did send, and one that would be negative is none.

use crate::rtcp::Block;
use crate::words::{Told, Trips};
use base::Instant;
use std::time::Duration;

/// Our reports that an answer may be to: the peer answers about as often as we report.
const REMEMBERED: usize = 4;
/// Beyond this it is no jitter and no delay of a call.
const LONGEST: Duration = Duration::from_secs(10);
/// The delay is cut to 1/65,536 s, and clocks are read a moment before and after: so much below zero is zero.
const ROUNDING: Duration = Duration::from_millis(1);

#[derive(Clone, Debug, Default)]
pub(crate) struct Reports {
    sent: [Option<(u32, Instant)>; REMEMBERED],
    next: usize,
    told: Option<Told>,
    /// Of each of our streams: what the peer lost at last, and of how many.
    streams: [(u64, u64); 2],
    jitter_sum_us: u64,
    trips: Option<Trips>,
}

impl Reports {
    /// A sender report of ours goes out, with this in the middle of its NTP time.
    pub fn sent(&mut self, now: Instant, ntp_middle: u32) {
        if let Some(place) = self.sent.get_mut(self.next) {
            *place = Some((ntp_middle, now));
        }
        self.next = (self.next + 1) % REMEMBERED;
    }

    /// The peer's block about a stream of ours, in which we have sent so many packets at this clock rate. False if it cannot be
    /// true. A block counts from the beginning of its stream; what was lost in the one before stays lost.
    pub fn hear(&mut self, now: Instant, block: &Block, (stream, packets): (usize, u64), clock_hz: u32) -> bool {
        let jitter = Duration::from_micros(u64::from(block.jitter) * 1_000_000 / u64::from(clock_hz.max(1)));
        let lost = u64::try_from(block.lost).unwrap_or(0);
        if lost > packets || jitter > LONGEST {
            return false;
        }
        let jitter_us = jitter.as_micros() as u64;
        if let Some(known) = self.streams.get_mut(stream) {
            *known = (lost, packets);
        }
        let told = self.told.get_or_insert_default();
        self.jitter_sum_us += jitter_us;
        told.reports += 1;
        told.lost = self.streams.iter().map(|(lost, _)| lost).sum();
        told.of = self.streams.iter().map(|(_, of)| of).sum();
        told.jitter_us = self.jitter_sum_us / told.reports;
        told.jitter_max_us = told.jitter_max_us.max(jitter_us);
        if let Some(trip) = self.trip(now, block) {
            let trips = self.trips.get_or_insert_default();
            let us = trip.as_micros() as u64;
            trips.measured += 1;
            trips.sum_us += us;
            trips.max_us = trips.max_us.max(us);
        }
        true
    }

    pub fn told(&self) -> Option<Told> {
        self.told
    }

    pub fn trips(&self) -> Option<Trips> {
        self.trips
    }

    fn trip(&self, now: Instant, block: &Block) -> Option<Duration> {
        let (_, at) = self.sent.iter().flatten().find(|(middle, _)| *middle == block.last_sender_report)?;
        let held = Duration::from_nanos(u64::from(block.delay) * 1_000_000_000 / 65_536);
        let since = now.since(*at);
        let possible = held <= since + ROUNDING;
        Some(since.saturating_sub(held)).filter(|trip| possible && *trip <= LONGEST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLOCK: Block = Block { fraction_lost: 0, lost: 0, jitter: 0, last_sender_report: 7, delay: 0 };

    fn at(ms: u64) -> Instant {
        Instant(ms * 1_000_000)
    }
    /// Reports sent at 1 s, named 7, and at 2 s, named 8.
    fn reports() -> Reports {
        let mut reports = Reports::default();
        reports.sent(at(1_000), 7);
        reports.sent(at(2_000), 8);
        reports
    }

    #[test]
    fn the_round_trip_is_what_the_peer_did_not_hold_back() {
        let mut reports = reports();
        assert!(reports.hear(at(3_150), &Block { delay: 2 * 65_536, ..BLOCK }, (0, 100), 8_000));
        assert!(reports.hear(at(3_050), &Block { delay: 65_536, last_sender_report: 8, ..BLOCK }, (0, 100), 8_000));
        let trips = reports.trips().unwrap();
        assert_eq!((trips.measured, trips.mean_us(), trips.max_us), (2, 100_000, 150_000));
    }

    #[test]
    fn a_round_trip_that_cannot_be_is_none() {
        let lies = [
            Block { last_sender_report: 9, ..BLOCK },
            Block { last_sender_report: 0, ..BLOCK },
            Block { delay: u32::MAX, ..BLOCK },
            Block { delay: 3 * 65_536, ..BLOCK },
        ];
        for lie in lies {
            let mut reports = reports();
            reports.hear(at(3_000), &lie, (0, 100), 8_000);
            assert_eq!(reports.trips(), None, "{lie:?}");
        }
        let mut reports = reports();
        reports.hear(at(40_000), &BLOCK, (0, 100), 8_000);
        assert_eq!(reports.trips(), None, "half a minute on its way");
        reports.hear(at(3_000), &Block { delay: 2 * 65_536 + 30, ..BLOCK }, (0, 100), 8_000);
        assert_eq!(reports.trips().unwrap().max_us, 0, "half a millisecond below zero is rounding");
    }

    #[test]
    fn losses_and_jitter_are_the_peers_words_within_reason() {
        let mut reports = reports();
        assert!(reports.hear(at(3_000), &Block { lost: 3, jitter: 80, ..BLOCK }, (0, 100), 8_000));
        assert!(reports.hear(at(3_000), &Block { lost: 9, jitter: 240, ..BLOCK }, (0, 200), 8_000));
        let told = Told { reports: 2, lost: 9, of: 200, jitter_us: 20_000, jitter_max_us: 30_000 };
        assert_eq!(reports.told(), Some(told));
        assert!(!reports.hear(at(3_000), &Block { lost: 201, ..BLOCK }, (0, 200), 8_000), "more than was sent");
        assert!(!reports.hear(at(3_000), &Block { jitter: u32::MAX, ..BLOCK }, (0, 200), 8_000), "six days of jitter");
        assert_eq!(reports.told(), Some(told));
        assert!(reports.hear(at(3_000), &Block { lost: -5, ..BLOCK }, (0, 200), 8_000), "it got some twice");
        assert_eq!(reports.told().unwrap().lost, 0);
    }

    #[test]
    fn what_was_lost_in_the_stream_before_stays_lost() {
        let mut reports = reports();
        assert!(reports.hear(at(3_000), &Block { lost: 30, ..BLOCK }, (0, 100), 8_000));
        assert!(reports.hear(at(3_000), &Block { lost: 2, ..BLOCK }, (1, 50), 48_000));
        assert_eq!(reports.told().map(|told| (told.lost, told.of)), Some((32, 150)));
        assert!(!reports.hear(at(3_000), &Block { lost: 60, ..BLOCK }, (1, 50), 48_000), "more than that stream had");
    }

    #[test]
    fn only_the_last_few_reports_are_remembered() {
        let mut reports = reports();
        (10..14).for_each(|name| reports.sent(at(3_000), name));
        reports.hear(at(3_100), &BLOCK, (0, 100), 8_000);
        assert_eq!(reports.trips(), None);
    }
}
