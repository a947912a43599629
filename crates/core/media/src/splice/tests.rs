//! One stream, whoever speaks.

use super::*;
use crate::rtp::{FRAME, Packet};
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
fn line_11_a_prompt_then_a_bridge_then_a_prompt_is_one_stream() {
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
fn line_11_a_telephone_event_keeps_one_timestamp_and_its_own_marker() {
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

#[test]
fn a_splice_after_a_late_packet_follows_the_newest_one() {
    let mut splice = Splice::new(7, 0, 0);
    (0..19u16).for_each(|n| _ = relay(&mut splice, u64::from(n) * 20, theirs(2, 100 + n, u32::from(n) * 160)));
    assert_eq!(relay(&mut splice, 400, theirs(2, 100, 0)).unwrap().sequence, 0, "late");
    let line = splice.frame(Instant(420 * MS));
    assert_eq!((line.sequence, line.marker), (19, true));
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
                    at = splice.free_at(at).max(at);
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
        let mut newest = lines.first().map_or(0, |line| line.sequence);
        for pair in lines.windows(2) {
            prop_assert_eq!(pair[0].ssrc, pair[1].ssrc);
            let step = pair[1].sequence.wrapping_sub(pair[0].sequence) as i16;
            let forward = pair[1].timestamp.wrapping_sub(pair[0].timestamp) as i32;
            // The one sent before may have been a late one.
            let ahead = pair[1].sequence.wrapping_sub(newest) as i16;
            prop_assert!(ahead == 1 || !pair[1].marker, "a splice closes up: {:?}", pair);
            prop_assert!(step < 1 || forward >= 160, "{:?}", pair);
            if ahead > 0 {
                newest = pair[1].sequence;
            }
        }
    }
}
