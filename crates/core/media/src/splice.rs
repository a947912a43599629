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

use crate::rtp::{FRAME, Header, Line};
use base::Instant;
use std::time::Duration;

/// A source that jumps further ahead than this has restarted (RFC 3550 A.1, MAX_DROPOUT).
const DROPOUT: i16 = 3_000;
/// Further back than this is not late but another numbering (RFC 3550 A.1, MAX_MISORDER).
const MISORDER: i16 = -100;
/// A timestamp that leaves the clock by 2 s has been set anew.
const TIMESTAMP_JUMP: i64 = 16_000;

/// The outgoing stream of one leg.
#[derive(Clone, Debug)]
pub struct Splice {
    ssrc: u32,
    next_sequence: u16,
    /// The timestamp that belongs to a moment: where the stream's clock started.
    anchor: Option<(Instant, u32)>,
    first_timestamp: u32,
    last_timestamp: u32,
    last_samples: u32,
    last_at: Instant,
    source: Source,
    marker_owed: bool,
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
    pub fn new(ssrc: u32, sequence: u16, timestamp: u32) -> Self {
        Splice {
            ssrc,
            next_sequence: sequence,
            anchor: None,
            first_timestamp: timestamp,
            last_timestamp: timestamp,
            last_samples: 0,
            last_at: Instant::ZERO,
            source: Source::Nobody,
            marker_owed: false,
        }
    }

    pub fn ssrc(&self) -> u32 {
        self.ssrc
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
        self.sent(at, line.sequence, timestamp, Some(FRAME as u32));
        line
    }

    /// The other side's packet as it leaves here; none if it came too late for its number.
    /// `samples` is none for a telephone-event, whose timestamp stands still and whose marker means its start.
    pub fn relay(&mut self, at: Instant, header: &Header, samples: Option<u32>) -> Option<Line> {
        let continues = match &self.source {
            Source::Relay(r) => r.continues(at, header, samples.is_some()),
            _ => Some(false),
        }?;
        if !continues {
            self.rebase(at, header);
        }
        let Source::Relay(relay) = &mut self.source else { return None };
        let sequence = header.sequence.wrapping_add(relay.sequence_shift);
        let timestamp = header.timestamp.wrapping_add(relay.timestamp_shift);
        relay.note(at, header, samples.is_some());
        let marker = header.marker || (samples.is_some() && std::mem::take(&mut self.marker_owed));
        self.sent(at, sequence, timestamp, samples);
        Some(Line { marker, sequence, timestamp, ssrc: self.ssrc })
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

    /// Nothing is sent from now; what follows is a splice.
    pub fn interrupt(&mut self) {
        self.source = Source::Nobody;
    }

    /// The player starts something else: its next frame carries a marker.
    pub fn mark(&mut self) {
        self.marker_owed = true;
    }

    /// When the last packet has been played out; a new source that waits for it runs ahead of no clock.
    pub fn free_at(&self) -> Instant {
        self.last_at + duration(self.last_samples)
    }

    /// Our timestamp at a moment, for sender reports.
    pub fn timestamp_at(&self, now: Instant) -> u32 {
        self.last_timestamp.wrapping_add(samples(now.since(self.last_at)))
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

    /// Where the clock stands now, and never before the end of what was sent.
    fn resume_timestamp(&mut self, at: Instant) -> u32 {
        let (start, first) = *self.anchor.get_or_insert((at, self.first_timestamp));
        let clock = first.wrapping_add(samples(at.since(start)));
        let end = self.last_timestamp.wrapping_add(self.last_samples);
        if clock.wrapping_sub(end) as i32 > 0 { clock } else { end }
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
    fn continues(&self, at: Instant, header: &Header, audio: bool) -> Option<bool> {
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
        let Some((timestamp, then)) = self.audio.filter(|_| audio) else { return Some(true) };
        let advance = i64::from(header.timestamp.wrapping_sub(timestamp) as i32);
        let elapsed = i64::from(samples(at.since(then)));
        Some((advance - elapsed).abs() < TIMESTAMP_JUMP)
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

/// Samples at 8 kHz in a span, modulo 2^32 as timestamps are.
pub(crate) fn samples(span: Duration) -> u32 {
    (span.as_micros() * 8 / 1_000) as u32
}

fn duration(samples: u32) -> Duration {
    Duration::from_micros(u64::from(samples) * 125)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rtp::Packet;
    use proptest::prelude::*;

    const MS: u64 = 1_000_000;

    fn theirs(ssrc: u32, sequence: u16, timestamp: u32) -> Header {
        let line = Line { marker: false, sequence, timestamp, ssrc };
        Header::read(Packet::new(0, line, &[0; FRAME]).as_bytes()).unwrap()
    }

    fn relay(splice: &mut Splice, ms: u64, header: Header) -> Option<Line> {
        splice.relay(Instant(ms * MS), &header, Some(160))
    }

    #[test]
    fn a_prompt_then_a_bridge_then_a_prompt_is_one_stream() {
        let mut splice = Splice::new(7, 65_534, u32::MAX - 100);
        let lines: Vec<Line> = [
            splice.frame(Instant(0)),
            splice.frame(Instant(20 * MS)),
            relay(&mut splice, 45, theirs(99, 5_000, 123_456)).unwrap(),
            relay(&mut splice, 65, theirs(99, 5_001, 123_616)).unwrap(),
            splice.frame(Instant(185 * MS)),
        ]
        .into();
        assert!(lines.iter().all(|l| l.ssrc == 7));
        assert_eq!(lines.iter().map(|l| l.sequence).collect::<Vec<_>>(), [65_534, 65_535, 0, 1, 2]);
        assert_eq!(lines.iter().map(|l| l.marker).collect::<Vec<_>>(), [true, false, true, false, true]);
        let steps: Vec<u32> = lines.windows(2).map(|w| w[1].timestamp.wrapping_sub(w[0].timestamp)).collect();
        assert_eq!(steps, [160, 200, 160, 960], "the clock takes up what passed");
    }

    #[test]
    fn loss_and_reorder_of_the_other_side_stay_visible() {
        let mut splice = Splice::new(7, 0, 0);
        let sequences: Vec<u16> = [10u16, 11, 14, 13, 15]
            .iter()
            .map(|s| relay(&mut splice, u64::from(*s) * 20, theirs(1, *s, u32::from(*s) * 160)).unwrap().sequence)
            .collect();
        assert_eq!(sequences, [0, 1, 4, 3, 5]);
    }

    #[test]
    fn what_comes_late_from_before_the_bridge_is_dropped() {
        let mut splice = Splice::new(7, 0, 0);
        relay(&mut splice, 0, theirs(1, 100, 0)).unwrap();
        assert_eq!(relay(&mut splice, 1, theirs(1, 99, 0)), None);
        assert_eq!(relay(&mut splice, 1, theirs(1, 100, 0)), None, "a duplicate");
    }

    #[test]
    fn a_telephone_event_keeps_one_timestamp_and_its_own_marker() {
        let mut splice = Splice::new(7, 0, 0);
        relay(&mut splice, 0, theirs(1, 1, 0)).unwrap();
        let events: Vec<Line> =
            (2..6).map(|s| splice.relay(Instant(u64::from(s) * 20 * MS), &theirs(1, s, 160), None).unwrap()).collect();
        assert!(events.iter().all(|l| l.timestamp == events[0].timestamp && !l.marker));
        let after = relay(&mut splice, 120, theirs(1, 6, 960)).unwrap();
        assert_eq!((after.sequence, after.timestamp, after.marker), (5, 960, false));
    }

    #[test]
    fn a_splice_in_the_middle_of_an_event_marks_the_audio_after_it() {
        let mut splice = Splice::new(7, 0, 0);
        splice.frame(Instant(0));
        assert!(!splice.relay(Instant(20 * MS), &theirs(1, 1, 0), None).unwrap().marker);
        assert!(relay(&mut splice, 40, theirs(1, 2, 800)).unwrap().marker);
    }

    #[test]
    fn skipped_packets_look_like_no_loss() {
        let mut splice = Splice::new(7, 0, 0);
        relay(&mut splice, 0, theirs(1, 1, 0)).unwrap();
        splice.skip(&theirs(1, 2, 160));
        splice.skip(&theirs(1, 3, 160));
        assert_eq!(relay(&mut splice, 60, theirs(1, 4, 480)).unwrap().sequence, 1);
    }

    #[test]
    fn a_source_that_sets_its_timestamp_anew_is_spliced() {
        let mut splice = Splice::new(7, 0, 0);
        relay(&mut splice, 0, theirs(1, 1, 0)).unwrap();
        let line = relay(&mut splice, 20, theirs(1, 2, 900_000)).unwrap();
        assert_eq!((line.sequence, line.timestamp, line.marker), (1, 160, true));
    }

    #[derive(Clone, Debug)]
    enum Step {
        Frames(u8),
        Relay { ssrc: u32, sequence: u16, count: u8 },
        Pause(u8),
        Skip,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            (1..20u8).prop_map(Step::Frames),
            (0..3u32, any::<u16>(), 1..20u8).prop_map(|(ssrc, sequence, count)| Step::Relay { ssrc, sequence, count }),
            any::<u8>().prop_map(Step::Pause),
            Just(Step::Skip),
        ]
    }

    proptest! {
        #[test]
        fn whatever_is_spliced_sequence_steps_by_one_and_time_never_runs_back(steps in proptest::collection::vec(step(), 1..40)) {
            let mut splice = Splice::new(7, 65_500, u32::MAX - 5_000);
            let mut at = Instant(0);
            let mut lines = vec![];
            let (mut sequence, mut timestamp) = (0u16, 0u32);
            for step in steps {
                match step {
                    Step::Frames(n) => for _ in 0..n {
                        at = splice.free_at().max(at);
                        lines.push(splice.frame(at));
                    },
                    Step::Relay { ssrc, sequence: start, count } => {
                        sequence = start;
                        for _ in 0..count {
                            at = at + Duration::from_millis(20);
                            sequence = sequence.wrapping_add(1);
                            timestamp = timestamp.wrapping_add(160);
                            lines.extend(splice.relay(at, &theirs(ssrc, sequence, timestamp), Some(160)));
                        }
                    }
                    Step::Pause(ms) => {
                        splice.interrupt();
                        at = at + Duration::from_millis(ms.into());
                    }
                    Step::Skip => {
                        sequence = sequence.wrapping_add(1);
                        timestamp = timestamp.wrapping_add(160);
                        at = at + Duration::from_millis(20);
                        splice.skip(&theirs(1, sequence, timestamp));
                    }
                }
            }
            for pair in lines.windows(2) {
                prop_assert_eq!(pair[0].ssrc, pair[1].ssrc);
                let step = pair[1].sequence.wrapping_sub(pair[0].sequence) as i16;
                let forward = pair[1].timestamp.wrapping_sub(pair[0].timestamp) as i32;
                prop_assert!(step == 1 || !pair[1].marker, "a splice closes up: {:?}", pair);
                prop_assert!(step < 1 || forward >= 160, "{:?}", pair);
            }
        }
    }
}
