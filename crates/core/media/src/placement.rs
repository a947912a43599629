//! Where the frames of a recording lie: two channels on one time base, the arrival at our socket.
//!
//! ```text
//!   start                      committed            now - 400 ms          now
//!     ├── blocks of 200 ms ──────▶├──── window: both channels, zeros where nothing came ────┤
//! ```
//! Within a stream the RTP timestamp places the samples (so jitter makes no clicks); its offset to the arrival
//! time is followed slowly, so that a clock that drifts by 100 ppm (0.36 s an hour) never pulls the two channels apart.

use base::Instant;
use std::collections::VecDeque;
use std::time::Duration;

/// Frames of one block: 200 ms.
pub const BLOCK: usize = 1_600;
/// How late a packet may come and still find its place: 400 ms.
const LATENESS: i64 = 3_200;
/// No packet is placed further ahead of the committed part than this: 2 s.
const WINDOW: i64 = 16_000;
/// An offset of 20 ms, averaged, is taken up …
const DRIFT: i64 = 160;
/// … in steps of 5 ms, so that no word is cut.
const STEP: i64 = 40;
/// A packet this far from where its timestamp says, 400 ms, has a new time base.
const JUMP: i64 = 3_200;
/// The average follows over about 64 packets, 1.3 s.
const SMOOTHING: i64 = 64;

/// Which channel: the caller is left, the agent right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Left,
    Right,
}

/// Samples of both channels, interleaved, from frame `first` of the recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    pub first: u64,
    pub samples: Box<[i16]>,
}

/// One recording in the making.
#[derive(Clone, Debug)]
pub struct Placement {
    start: Instant,
    anchors: [Option<Anchor>; 2],
    /// The first frame that is not committed.
    first: i64,
    window: VecDeque<[i16; 2]>,
}

/// The frame at which a timestamp lies.
#[derive(Clone, Copy, Debug)]
struct Anchor {
    ssrc: u32,
    timestamp: u32,
    frame: i64,
    /// How much later than its place a packet comes, averaged; scaled by [`SMOOTHING`].
    late: i64,
}

impl Placement {
    pub fn new(start: Instant) -> Self {
        Placement { start, anchors: [None; 2], first: 0, window: VecDeque::new() }
    }

    /// Puts a packet's bytes where they belong; `decoder` is their law. Too late, they are dropped.
    pub fn place(&mut self, now: Instant, side: Side, stream: (u32, u32), payload: &[u8], decoder: &[i16; 256]) {
        let length = i64::try_from(payload.len()).unwrap_or(i64::MAX);
        let arrival = self.frames(now).saturating_sub(length);
        let channel = side as usize;
        let anchor = follow(self.anchors[channel], stream, arrival);
        self.anchors[channel] = Some(anchor);
        let from = anchor.frame - self.first;
        for (byte, place) in payload.iter().zip(from..WINDOW) {
            let Ok(place) = usize::try_from(place) else { continue };
            if place >= self.window.len() {
                self.window.resize(place + 1, [0; 2]);
            }
            self.window[place][channel] = decoder[usize::from(*byte)];
        }
    }

    /// The next block whose time has come.
    pub fn block(&mut self, now: Instant) -> Option<Block> {
        let ready = self.frames(now) - LATENESS - self.first;
        (ready >= BLOCK as i64).then(|| self.commit(BLOCK))
    }

    /// What is left at the end, block by block, up to `now`.
    pub fn rest(&mut self, now: Instant) -> Option<Block> {
        let left = usize::try_from(self.frames(now) - self.first).unwrap_or(0);
        (left > 0).then(|| self.commit(left.min(BLOCK)))
    }

    /// How many frames have been handed out.
    pub fn committed(&self) -> u64 {
        u64::try_from(self.first).unwrap_or(0)
    }

    /// When the next block is due.
    pub fn due(&self) -> Instant {
        let frame = u64::try_from(self.first + BLOCK as i64 + LATENESS).unwrap_or(0);
        self.start + Duration::from_micros(frame * 125)
    }

    fn commit(&mut self, frames: usize) -> Block {
        let first = u64::try_from(self.first).unwrap_or(0);
        let mut samples = Vec::with_capacity(2 * frames);
        samples.extend(self.window.drain(..frames.min(self.window.len())).flatten());
        samples.resize(2 * frames, 0);
        self.first += frames as i64;
        Block { first, samples: samples.into() }
    }

    fn frames(&self, now: Instant) -> i64 {
        i64::try_from(now.since(self.start).as_micros() / 125).unwrap_or(i64::MAX / 2)
    }
}

/// The anchor moved to this packet: by its timestamp if that goes on from before, else by its arrival.
fn follow(before: Option<Anchor>, (ssrc, timestamp): (u32, u32), arrival: i64) -> Anchor {
    let fresh = Anchor { ssrc, timestamp, frame: arrival, late: 0 };
    let Some(anchor) = before.filter(|a| a.ssrc == ssrc) else { return fresh };
    let frame = anchor.frame + i64::from(timestamp.wrapping_sub(anchor.timestamp) as i32);
    let deviation = arrival - frame;
    if deviation.abs() > JUMP {
        return fresh;
    }
    let late = anchor.late + deviation - anchor.late / SMOOTHING;
    let step = if (late / SMOOTHING).abs() > DRIFT { STEP * late.signum() } else { 0 };
    Anchor { ssrc, timestamp, frame: frame + step, late: late - step * SMOOTHING }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Codec;

    const LAW: Codec = Codec::Pcma;

    struct Tape {
        placement: Placement,
        frames: Vec<[i16; 2]>,
    }

    impl Tape {
        fn new() -> Self {
            Tape { placement: Placement::new(Instant(0)), frames: vec![] }
        }
        fn add(&mut self, block: Block) {
            assert_eq!(block.first, self.frames.len() as u64, "blocks follow each other");
            self.frames.extend(block.samples.chunks(2).map(|f| [f[0], f[1]]));
        }
        fn packet(&mut self, us: u64, side: Side, timestamp: u32, value: i16) {
            let now = Instant(us * 1_000);
            while let Some(block) = self.placement.block(now) {
                self.add(block);
            }
            self.placement.place(now, side, (1, timestamp), &[LAW.encode(value); 160], LAW.decoder());
        }
        fn stop(mut self, us: u64) -> Vec<[i16; 2]> {
            while let Some(block) = self.placement.rest(Instant(us * 1_000)) {
                self.add(block);
            }
            self.frames
        }
    }

    fn loud(frames: &[[i16; 2]], side: Side) -> Vec<usize> {
        (0..frames.len()).filter(|i| frames[*i][side as usize].abs() > 500).collect()
    }

    #[test]
    fn jitter_reorder_and_duplicates_leave_one_smooth_stretch() {
        let mut tape = Tape::new();
        for (order, late) in [(0, 0), (1, 9), (3, 2), (2, 25), (2, 26), (4, 13), (5, 1)] {
            tape.packet(1_020_000 + order * 20_000 + late * 1_000, Side::Left, order as u32 * 160, 4_000);
        }
        let frames = tape.stop(2_000_000);
        assert_eq!(frames.len(), 16_000, "as long as it took");
        assert_eq!(loud(&frames, Side::Left), (8_000..8_960).collect::<Vec<_>>());
        assert!(loud(&frames, Side::Right).is_empty());
    }

    #[test]
    fn a_gap_is_silence_of_its_length() {
        let mut tape = Tape::new();
        for n in (0..200u64).filter(|n| !(50..75).contains(n)) {
            tape.packet(20_000 + n * 20_000, Side::Right, n as u32 * 160, 4_000);
        }
        let frames = tape.stop(4_000_000);
        assert_eq!(frames.len(), 32_000);
        assert_eq!(loud(&frames, Side::Right), (0..8_000).chain(12_000..32_000).collect::<Vec<_>>());
    }

    #[test]
    fn clocks_that_drift_do_not_pull_the_channels_apart() {
        let mut tape = Tape::new();
        // As much drift as in an hour at 100 ppm, left slow and right fast, in twelve minutes, and each says something every 10 s.
        let packets = (0..36_000u64).flat_map(|n| [(20_000 + n * 20_010, Side::Left, n), (20_000 + n * 19_990, Side::Right, n)]);
        let mut packets: Vec<_> = packets.collect();
        packets.sort_by_key(|(us, _, _)| *us);
        for (us, side, n) in packets {
            tape.packet(us, side, n as u32 * 160, if n % 500 == 0 { 8_000 } else { 0 });
        }
        let frames = tape.stop(720_400_000);
        let starts = |side| {
            let loud = loud(&frames, side);
            let gap = |i: &usize| *i == 0 || loud[*i] > loud[*i - 1] + 8_000;
            (0..loud.len()).filter(gap).map(|i| loud[i] as i64).collect::<Vec<_>>()
        };
        let (left, right) = (starts(Side::Left), starts(Side::Right));
        assert_eq!((left.len(), right.len()), (72, 72));
        for (n, (l, r)) in left.iter().zip(&right).enumerate() {
            // By arrival the left one lies later by 20 us a packet.
            let said = n as i64 * 500 * 20 / 125;
            assert!((l - r - said).abs() <= 2 * DRIFT + 160, "{n}: {l} {r}");
        }
    }

    #[test]
    fn another_stream_or_a_timestamp_set_anew_is_placed_by_arrival() {
        let mut tape = Tape::new();
        tape.packet(20_000, Side::Left, 0, 4_000);
        tape.packet(520_000, Side::Left, 4_000_000_000, 4_000);
        tape.packet(540_000, Side::Left, 4_000_000_160, 4_000);
        assert_eq!(loud(&tape.stop(1_000_000), Side::Left), (0..160).chain(4_000..4_320).collect::<Vec<_>>());
    }

    #[test]
    fn what_comes_too_late_or_too_early_stays_bounded() {
        let mut tape = Tape::new();
        tape.packet(5_000_000, Side::Left, 0, 4_000);
        tape.packet(5_000_000, Side::Left, 3_000, 4_000);
        for n in 0..10_000u32 {
            tape.packet(5_000_000, Side::Left, n.wrapping_mul(3_100), 4_000);
        }
        assert!(tape.placement.window.len() <= WINDOW as usize);
        assert_eq!(tape.stop(6_000_000).len(), 48_000);
    }
}
