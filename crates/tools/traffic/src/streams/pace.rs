//! How evenly sound comes that the other side plays: prompts and music, which it sends by its own clock.
//!
//! ```text
//!   marker ──▶ │ 0 │ 20 ms │ 40 ms │ …   due by the timestamps, from the packet that was the earliest of its schedule
//!              │ 0 │ 20.1  │ 43.0  │ …   came, by the kernel's word: 0, 0.1 and 3.0 ms late
//! ```
//! A marker, another source or anything that was not played begins a new schedule. A packet is late beside the earliest
//! one of its schedule until then and within the same ten seconds; nothing is subtracted. Schedules of less than a second
//! have no base worth the name, and are left out.

use super::header::Header;
use std::time::Duration;

/// Packets of ten seconds, told together.
const TOLD: usize = 500;
/// A second: fewer are not told.
const FEWEST: usize = 50;
/// Of the timestamps of G.711, in a second.
const CLOCK: i64 = 8_000;

#[derive(Clone, Debug, Default)]
pub struct Pace {
    schedule: Option<Schedule>,
    /// In microseconds: how long after the schedule's first packet it came, less what its timestamp says.
    came: Vec<i64>,
}

#[derive(Clone, Copy, Debug)]
struct Schedule {
    ssrc: u32,
    timestamp: u32,
    began: Duration,
    /// Of all packets so far; at most 0, as the first one's is.
    earliest: i64,
}

impl Pace {
    /// A packet that was played came; how late those were that are told with it.
    pub fn played(&mut self, at: Duration, header: &Header) -> Vec<Duration> {
        let goes_on = self.schedule.is_some_and(|schedule| schedule.ssrc == header.ssrc && !header.marker);
        let told = if goes_on { vec![] } else { self.end() };
        let Header { ssrc, timestamp, .. } = *header;
        let begins = Schedule { ssrc, timestamp, began: at, earliest: 0 };
        let schedule = self.schedule.get_or_insert(begins);
        let due = i64::from(timestamp.wrapping_sub(schedule.timestamp).cast_signed()) * 1_000_000 / CLOCK;
        let came = at.as_micros() as i64 - schedule.began.as_micros() as i64 - due;
        schedule.earliest = schedule.earliest.min(came);
        self.came.push(came);
        if self.came.len() == TOLD { self.tell() } else { told }
    }

    /// The schedule is over.
    pub fn end(&mut self) -> Vec<Duration> {
        let told = self.tell();
        self.schedule = None;
        told
    }

    fn tell(&mut self) -> Vec<Duration> {
        let earliest = self.schedule.map_or(0, |schedule| schedule.earliest);
        let came = std::mem::take(&mut self.came);
        let counts = came.len() >= FEWEST;
        came.into_iter().filter(|_| counts).map(|came| Duration::from_micros((came - earliest).unsigned_abs())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(n: u32, marker: bool, ssrc: u32) -> Header {
        Header { payload_type: 8, marker, sequence: n as u16, timestamp: 0xFFFF_FF00u32.wrapping_add(160 * n), ssrc }
    }
    /// Packets that each come so many microseconds after they are due, with a marker on the first.
    fn told(pace: &mut Pace, ssrc: u32, late: impl IntoIterator<Item = i64>) -> Vec<u128> {
        let came = (0..).zip(late).flat_map(|(n, late)| {
            let at = Duration::from_micros((5_000_000 + 20_000 * i64::from(n) + late) as u64);
            pace.played(at, &packet(n, n == 0, ssrc))
        });
        came.map(|late| late.as_micros()).collect()
    }
    fn ended(pace: &mut Pace) -> Vec<u128> {
        pace.end().iter().map(Duration::as_micros).collect()
    }

    #[test]
    fn each_packet_is_late_beside_the_earliest_of_its_schedule() {
        let mut pace = Pace::default();
        assert_eq!(told(&mut pace, 1, (0..60).map(|n| if n == 0 { 300 } else { n * 10 })), []);
        let late = ended(&mut pace);
        assert_eq!((late.len(), late[0], late[1], late[59]), (60, 290, 0, 580));
    }

    #[test]
    fn a_marker_or_another_source_begins_anew_and_a_short_schedule_is_not_told() {
        let mut pace = Pace::default();
        told(&mut pace, 1, [0; 60]);
        assert_eq!(told(&mut pace, 1, [7_000; 20]).len(), 60, "the first schedule");
        assert_eq!(told(&mut pace, 2, [0; 60]).len(), 0, "twenty packets are too few");
        assert_eq!(ended(&mut pace), [0; 60]);
    }

    #[test]
    fn a_schedule_that_slides_is_late_for_as_long_as_it_lasts() {
        let mut pace = Pace::default();
        let late = told(&mut pace, 1, (0..1_000).map(|n| n * 10));
        assert_eq!((late.len(), late[999]), (1_000, 9_990), "also beyond the first ten seconds");
    }
}
