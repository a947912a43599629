//! How long a voice is held back before it is mixed, a jitter buffer's delay: as long as its network is uneven, no longer.
//!
//! ```text
//!   of the last 256 packets, how many had which transit (arrival - timestamp)
//!
//!       ▂█▆▄▃▂▂▁▁▁  ▁ ▁      ▁
//!   ────┼──────────────┬─────┬──────────┼──▶ transit
//!    earliest        99.5 %  late:    earliest + cap
//!       ├──────────────┴──┤  lost      └─▶ beyond: dropped and counted; five in a row are another path, and begin anew
//!         + a frame = delay
//!
//!   too many late          ──▶ the delay grows at once, to what the next ones need
//!   longer than needed     ──▶ 5 ms less: each packet in which nothing is said, and above 40 ms each 300 ms in any case
//!   longer than the cap    ──▶ less at once: whoever was late is early now
//! ```
//! The frame is what a listener takes at a time. Transits are of two clocks that drift apart: both ends of the span are
//! those of the last five seconds, so that the delay follows, and does not grow.

use crate::rtp::FRAME;
use crate::said::{Origin, Said};
use crate::track::STEP;

/// Packets on which the delay is based.
const REMEMBERED: usize = 256;
/// Of these so many may be late: half a percent, rounded down.
const LATE: usize = REMEMBERED / 200;
/// Until this many have come little is known: 40 ms, and no less.
const KNOWN: usize = 100;
const AT_FIRST: i64 = 320;
/// The least: a frame.
const LEAST: i64 = FRAME as i64;
/// Beyond the cap, in a row: another path, or another time base.
const IN_A_ROW: u32 = 5;
/// Off by more, 2 s, or earlier by more than 400 ms, it is a time base that was set anew.
const ANOTHER_BASE: i64 = 16_000;
const EARLIER: i64 = 3_200;
/// After a pause of 10 s what is known is not true any more.
const FORGOTTEN: i64 = 80_000;
/// How far the delay may be too long before it is taken back, and how often while somebody speaks.
const SLACK: i64 = 2 * STEP;
const SHRINK_EVERY: i64 = 2_400;
/// How often the delay is worked out if no packet is late, in packets.
const LOOK_EVERY: usize = 16;
/// Nothing is said in a packet with no sample above this, 46 dB below the loudest.
const QUIET: u16 = 160;

/// Times are counted in samples of 8 kHz.
#[derive(Clone, Debug)]
pub(crate) struct Playout {
    /// No packet is held back for longer.
    cap: i64,
    stream: Option<Stream>,
    /// Of the newest packets; `next` is the place of the one to come: that of the oldest, once there are enough.
    transits: Vec<i64>,
    next: usize,
}

#[derive(Clone, Copy, Debug)]
struct Stream {
    ssrc: u32,
    sequence: u16,
    timestamp: u32,
    /// The timestamp, not wrapping round.
    time: i64,
    arrival: i64,
    /// From a time to its place.
    offset: i64,
    /// Where the offset needs to be.
    wanted: i64,
    /// How the earliest packet came.
    earliest: i64,
    beyond: u32,
    shrunk: i64,
}

impl Playout {
    pub fn new(cap: i64) -> Playout {
        Playout { cap: cap.max(LEAST), stream: None, transits: Vec::new(), next: 0 }
    }

    /// Where a packet's sound belongs, and whether what is missing before it was lost; none if it came too late for anybody.
    pub fn place(&mut self, arrival: i64, said: &Said<'_>) -> Option<(i64, bool)> {
        let before = self.stream.filter(|s| s.ssrc == said.ssrc && arrival - s.arrival < FORGOTTEN);
        let Some(mut stream) = before else { return Some(self.begin(arrival, said)) };
        let time = stream.time + i64::from(said.timestamp.wrapping_sub(stream.timestamp).cast_signed());
        let transit = arrival - time;
        let late = transit - stream.earliest;
        if !(-EARLIER..=ANOTHER_BASE).contains(&late) {
            return Some(self.begin(arrival, said));
        }
        if late > self.cap {
            stream.beyond += 1;
            if stream.beyond >= IN_A_ROW {
                return Some(self.begin(arrival, said));
            }
            self.stream = Some(stream);
            return None;
        }
        stream.beyond = 0;
        let offset = stream.offset;
        // What was made up did not come at any time.
        if said.origin != Origin::MadeUp {
            self.remember(transit);
            self.adapt(&mut stream, arrival, transit, said);
        }
        let lost = said.sequence != stream.sequence.wrapping_add(1) || stream.offset > offset;
        if time > stream.time {
            let &Said { sequence, timestamp, .. } = said;
            stream = Stream { sequence, timestamp, time, arrival, ..stream };
        }
        self.stream = Some(stream);
        Some((time + stream.offset, lost))
    }

    /// Where sound of this timestamp will belong, as far as is known.
    pub fn expects(&self, ssrc: u32, timestamp: u32) -> Option<i64> {
        let stream = self.stream.filter(|stream| stream.ssrc == ssrc)?;
        Some(stream.time + i64::from(timestamp.wrapping_sub(stream.timestamp).cast_signed()) + stream.offset)
    }

    /// A packet without sound took a number.
    pub fn pass(&mut self, said: &Said<'_>) {
        if let Some(stream) = self.stream.as_mut().filter(|s| s.ssrc == said.ssrc && s.sequence.wrapping_add(1) == said.sequence)
        {
            stream.sequence = said.sequence;
        }
    }

    #[cfg(test)]
    pub fn delay(&self) -> i64 {
        self.stream.map_or(0, |stream| stream.offset - stream.earliest)
    }

    fn begin(&mut self, arrival: i64, said: &Said<'_>) -> (i64, bool) {
        let &Said { ssrc, sequence, timestamp, .. } = said;
        let lost = self.stream.is_some_and(|s| s.ssrc == ssrc && s.beyond > 0);
        let offset = AT_FIRST.min(self.cap);
        self.transits.clear();
        self.transits.push(0);
        self.next = 1;
        self.stream = Some(Stream {
            ssrc,
            sequence,
            timestamp,
            time: arrival,
            arrival,
            offset,
            wanted: offset,
            earliest: 0,
            beyond: 0,
            shrunk: arrival,
        });
        (arrival + offset, lost)
    }

    fn remember(&mut self, transit: i64) {
        match self.transits.get_mut(self.next) {
            Some(oldest) => *oldest = transit,
            None => self.transits.push(transit),
        }
        self.next = (self.next + 1) % REMEMBERED;
    }

    /// Lets the delay grow as far as needed, or shrink a step.
    fn adapt(&self, stream: &mut Stream, arrival: i64, transit: i64, said: &Said<'_>) {
        let in_time = transit + LEAST <= stream.offset;
        if !in_time || transit < stream.earliest || self.next.is_multiple_of(LOOK_EVERY) {
            (stream.earliest, stream.wanted) = self.needed();
        }
        let longest = stream.earliest + self.cap;
        if stream.wanted > stream.offset {
            // In whole steps, so that a clock that drifts does not tear at each packet.
            stream.offset = (stream.wanted + STEP - 1).min(longest);
        } else if stream.offset > longest {
            stream.offset = longest;
        } else if stream.offset > stream.wanted + SLACK {
            // The last 20 ms are not worth a splice in a word.
            let while_spoken = stream.offset > stream.earliest + AT_FIRST + SLACK && arrival - stream.shrunk >= SHRINK_EVERY;
            if while_spoken || said.samples.loudest() <= QUIET {
                (stream.offset, stream.shrunk) = (stream.offset - STEP, arrival);
            }
        }
    }

    /// The transit of the earliest packet, and the offset at which no more are late than may be.
    fn needed(&self) -> (i64, i64) {
        let mut transits = [0; REMEMBERED];
        let transits = &mut transits[..self.transits.len()];
        transits.copy_from_slice(&self.transits);
        let rank = transits.len() - 1 - LATE * transits.len() / REMEMBERED;
        let (before, latest, _) = transits.select_nth_unstable(rank);
        let earliest = before.iter().min().map_or(*latest, |first| *first.min(latest));
        let least = if before.len() < KNOWN { AT_FIRST } else { LEAST };
        (earliest, earliest + (*latest - earliest + LEAST).max(least).min(self.cap))
    }
}

#[cfg(test)]
mod tests;
