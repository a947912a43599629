//! Where the frames of a recording lie: its channels on one time base, the arrival at our socket.
//!
//! ```text
//!   start                      committed            now - 400 ms          now
//!     ├── blocks of 200 ms ──────▶├──── window: a track for each leg, zeros where nothing came ────┤
//! ```
//! Each leg has a track of its own, so that a third party, or another agent, joins in the same time base; the legs of
//! one side are added up when a block is committed.

use crate::said::{Origin, Said};
use crate::tally::Proof;
use crate::track::{Terms, Track};
use base::{Instant, LegId};
use smallvec::SmallVec;
use std::time::Duration;

/// Frames of one block: 200 ms.
pub const BLOCK: usize = 1_600;
/// How late a packet may come and still find its place: 400 ms.
const LATENESS: i64 = 3_200;
/// No packet is placed further ahead of the committed part than 2 s.
const TERMS: Terms = Terms { window: 16_000, lateness: LATENESS, live: false, scale: 1 };

/// Which channel: the caller is left, the agent right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Left,
    Right,
}

/// Samples of all channels, interleaved, from frame `first` of the recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    pub first: u64,
    pub samples: Box<[i16]>,
}

/// One recording in the making.
#[derive(Clone, Debug)]
pub struct Placement {
    start: Instant,
    /// 1 or 2.
    channels: u16,
    /// Mostly one on each side: those lie here, so that a packet looks in one place less.
    voices: SmallVec<[Voice; 2]>,
    /// Who waits is recorded too.
    pub(crate) waiting: bool,
    /// The first frame that is not committed.
    first: i64,
    proof: Proof,
}

/// What one leg says on one side. It has `left` when nothing new is to come.
#[derive(Clone, Debug)]
struct Voice {
    leg: LegId,
    side: Side,
    left: bool,
    track: Track,
}

impl Placement {
    /// Legs on the left and on the right; none on the right: one channel, for good.
    pub fn new(start: Instant, left: &[LegId], right: &[LegId]) -> Self {
        let channels = if right.is_empty() { 1 } else { 2 };
        let (waiting, proof) = (false, Proof::default());
        let mut placement = Placement { start, channels, voices: SmallVec::new(), waiting, first: 0, proof };
        placement.set_legs(left, right);
        placement
    }

    pub fn channels(&self) -> u16 {
        self.channels
    }

    /// Other legs from now on. What the ones before have said stays.
    pub fn set_legs(&mut self, left: &[LegId], right: &[LegId]) {
        self.voices.iter_mut().for_each(|voice| voice.left = true);
        let left = left.iter().map(|leg| (*leg, Side::Left));
        for (leg, side) in left.chain(right.iter().map(|leg| (*leg, Side::Right))) {
            match self.voices.iter_mut().find(|v| v.leg == leg && v.side == side) {
                Some(voice) => voice.left = false,
                None => self.voices.push(Voice { leg, side, left: false, track: Track::new(TERMS, self.first) }),
            }
        }
    }

    /// Who is recorded; one that is on both sides twice.
    pub fn legs(&self) -> impl Iterator<Item = LegId> {
        self.voices.iter().filter(|v| !v.left).map(|v| v.leg)
    }

    /// Puts what a leg said where it belongs. Too late, it is dropped.
    pub(crate) fn place(&mut self, now: Instant, leg: LegId, said: &Said<'_>) {
        if said.origin == Origin::TooLate {
            return;
        }
        let arrival = self.frames(now).saturating_sub(said.samples.len() as i64);
        for voice in self.voices.iter_mut().filter(|v| v.leg == leg && !v.left) {
            let placed = voice.track.place(arrival, said);
            let channel = if self.channels == 1 { 0 } else { voice.side as usize };
            let samples = said.samples.len() as u64;
            self.proof.received[channel] += samples;
            self.proof.dropped[channel] += if placed { 0 } else { samples };
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

    /// What has gone into it so far.
    pub fn proof(&self) -> Proof {
        self.proof
    }

    /// When the next block is due.
    pub fn due(&self) -> Instant {
        let frame = u64::try_from(self.first + BLOCK as i64 + LATENESS).unwrap_or(0);
        self.start + Duration::from_micros(frame * 125)
    }

    fn commit(&mut self, frames: usize) -> Block {
        let first = u64::try_from(self.first).unwrap_or(0);
        let channels = usize::from(self.channels);
        let mut sums = [[0; BLOCK]; 2];
        for voice in &mut self.voices {
            let channel = if channels == 1 { 0 } else { voice.side as usize };
            voice.track.take(&mut sums[channel][..frames]);
        }
        let mut samples = vec![0; channels * frames];
        let [left, right] = &sums;
        if channels == 1 {
            samples.iter_mut().zip(left).for_each(|(sample, sum)| *sample = saturate(*sum));
        } else {
            let frames = samples.chunks_exact_mut(2).zip(left.iter().zip(right));
            frames.for_each(|(frame, (left, right))| frame.copy_from_slice(&[saturate(*left), saturate(*right)]));
        }
        self.voices.retain(|voice| !voice.left || !voice.track.is_empty());
        self.first += frames as i64;
        self.proof.tally.take(&samples);
        Block { first, samples: samples.into() }
    }

    fn frames(&self, now: Instant) -> i64 {
        i64::try_from(now.since(self.start).as_micros() / 125).unwrap_or(i64::MAX / 2)
    }
}

/// A sum of voices as a sample: what is too loud is cut.
pub(crate) fn saturate(sum: i32) -> i16 {
    sum.clamp(i16::MIN.into(), i16::MAX.into()) as i16
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::g711::Law;
    use crate::track::DRIFT;
    use base::CallId;

    const LAW: Law = Law::Pcma;
    const CALL: CallId = CallId { node: 1, epoch: 1, n: 1 };
    const A: LegId = LegId { call: CALL, n: 1 };
    const B: LegId = LegId { call: CALL, n: 2 };
    const C: LegId = LegId { call: CALL, n: 3 };

    /// A packet of source 1, each 20 ms of speech being one number further.
    fn packet(timestamp: u32, payload: &[u8]) -> Said<'_> {
        Said {
            ssrc: 1,
            sequence: (timestamp / 160) as u16,
            timestamp,
            samples: crate::said::Samples::Law(payload, LAW),
            wide: None,
            origin: Origin::Packet,
        }
    }

    struct Tape {
        placement: Placement,
        frames: Vec<[i16; 2]>,
    }

    impl Tape {
        fn new() -> Self {
            Tape { placement: Placement::new(Instant(0), &[A], &[B]), frames: vec![] }
        }
        fn add(&mut self, block: Block) {
            assert_eq!(block.first, self.frames.len() as u64, "blocks follow each other");
            self.frames.extend(block.samples.chunks(2).map(|f| [f[0], f[1]]));
        }
        fn packet(&mut self, us: u64, side: Side, timestamp: u32, value: i16) {
            self.say(us, if side == Side::Left { A } else { B }, timestamp, value);
        }
        fn say(&mut self, us: u64, leg: LegId, timestamp: u32, value: i16) {
            let now = Instant(us * 1_000);
            while let Some(block) = self.placement.block(now) {
                self.add(block);
            }
            self.placement.place(now, leg, &packet(timestamp, &[LAW.encode(value); 160]));
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
    fn a_gap_keeps_its_length_and_fades_to_silence() {
        let mut tape = Tape::new();
        for n in (0..200u64).filter(|n| !(50..75).contains(n)) {
            tape.packet(20_000 + n * 20_000, Side::Right, n as u32 * 160, 4_000);
        }
        let frames = tape.stop(4_000_000);
        assert_eq!(frames.len(), 32_000);
        let gap: Vec<usize> = (0..32_000).filter(|n| !(8_000..12_000).contains(n)).collect();
        let loud = loud(&frames, Side::Right);
        assert!(loud.iter().filter(|n| (8_000..12_000).contains(*n)).all(|n| *n < 8_480), "60 ms at most");
        // The voice comes back within 4 ms.
        assert!(gap.iter().filter(|n| !(12_000..12_032).contains(*n)).all(|n| loud.binary_search(n).is_ok()));
    }

    #[test]
    fn line_11_clocks_that_drift_do_not_pull_the_channels_apart() {
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
    fn line_11_another_stream_or_a_timestamp_set_anew_is_placed_by_arrival() {
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
        let end = tape.placement.voices[0].track.end();
        assert!(end <= TERMS.window, "{end}");
        assert_eq!(tape.stop(6_000_000).len(), 48_000);
    }

    #[test]
    fn legs_of_one_side_are_added_up_and_cut_where_they_are_too_loud() {
        let mut tape = Tape::new();
        tape.placement.set_legs(&[A], &[B, C]);
        for n in 0..50u32 {
            for (leg, value) in [(A, 2_000), (B, 4_000), (C, if n < 25 { 8_000 } else { 32_000 })] {
                tape.say(20_000 + u64::from(n) * 20_000, leg, n * 160, value);
            }
        }
        let frames = tape.stop(1_020_000);
        let about = |sample: i16, value: i32| (i32::from(sample) - value).abs() <= value / 30;
        assert!(frames[..8_000].iter().all(|f| about(f[0], 2_000)));
        assert!(frames[160..4_000].iter().all(|f| about(f[1], 12_000)));
        assert!(frames[4_000..8_000].iter().all(|f| f[1] == i16::MAX));
    }

    #[test]
    fn legs_change_in_the_middle_and_nothing_said_before_is_lost() {
        let mut tape = Tape::new();
        for n in 0..100u32 {
            let now = 20_000 + u64::from(n) * 20_000;
            if n == 50 {
                tape.placement.set_legs(&[A], &[C]);
            }
            for (leg, value) in [(A, 2_000), (B, 4_000), (C, 8_000)] {
                tape.say(now, leg, n * 160, value);
            }
        }
        let frames = tape.stop(2_000_000);
        assert_eq!(frames.len(), 16_000);
        assert!(frames.iter().all(|f| f[0] > 1_900));
        assert!(frames[..8_000].iter().all(|f| (3_800..4_200).contains(&f[1])), "B until its last word");
        assert!(frames[8_000..].iter().all(|f| (7_700..8_300).contains(&f[1])), "then C");
    }

    #[test]
    fn a_leg_that_is_recorded_no_more_takes_no_room() {
        let mut placement = Placement::new(Instant(0), &[A], &[B]);
        for n in 0..1_000 {
            let other = LegId { call: CALL, n };
            placement.set_legs(&[A], &[other]);
            placement.place(Instant(u64::from(n) * 1_000_000_000), other, &packet(0, &[0; 160]));
            while placement.block(Instant(u64::from(n) * 1_000_000_000)).is_some() {}
        }
        assert!(placement.voices.len() <= 3, "{}", placement.voices.len());
    }

    #[test]
    fn a_recording_without_a_right_side_has_one_channel_for_good() {
        let mut placement = Placement::new(Instant(0), &[A], &[]);
        placement.set_legs(&[A], &[B]);
        for leg in [A, B] {
            placement.place(Instant(20_000_000), leg, &packet(0, &[LAW.encode(4_000); 160]));
        }
        let block = placement.rest(Instant(40_000_000)).unwrap();
        assert_eq!((placement.channels(), block.samples.len()), (1, 320));
        assert!(block.samples[..160].iter().all(|s| (7_700..8_300).contains(s)), "both in the one channel");
    }
}
