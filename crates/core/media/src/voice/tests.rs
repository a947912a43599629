//! What one peer says, decoded, whatever becomes of its packets.

use super::*;
use crate::rtp::{Line, Packet};
use crate::tone;
use proptest::prelude::*;

const NOW: Instant = Instant(1_000_000_000);

fn packets(count: u16) -> Vec<Vec<u8>> {
    let mut encoder = g722::Encoder::new();
    let packet = |n: u16| {
        let mut frame = [0; FRAME];
        let said = tone::part(8_000, 440.0, 8_000.0, usize::from(n) * FRAME..usize::from(n + 1) * FRAME);
        encoder.encode(&said, &mut frame);
        let line = Line { marker: false, sequence: n.wrapping_sub(2), timestamp: u32::from(n) * 160, ssrc: 1 };
        Packet::new(9, line, &frame).as_bytes().to_vec()
    };
    (0..count).map(packet).collect()
}

/// The packets in this order; what was said, by timestamp.
fn said(order: &[usize]) -> Vec<(u32, Vec<i16>)> {
    let packets = packets(40);
    let (mut voice, mut said) = (Voice::new(Codec::G722), vec![]);
    for n in order {
        let header = Header::read(&packets[*n]).unwrap();
        voice.hear(NOW, &header, packets[*n].get(header.body()), |_, s| {
            if s.origin == Origin::TooLate {
                return;
            }
            let Samples::Linear(samples) = s.samples else { panic!("decoded") };
            said.push((s.timestamp, samples.to_vec()));
        });
    }
    said
}

#[test]
fn what_was_encoded_is_what_is_decoded() {
    let said = said(&(0..40).collect::<Vec<_>>());
    assert!(said.iter().enumerate().all(|(n, (timestamp, _))| *timestamp == n as u32 * 160));
    let heard: Vec<i16> = said.into_iter().flat_map(|(_, samples)| samples).collect();
    assert!((7_600.0..8_400.0).contains(&tone::amplitude(&heard[800..], 8_000, 440.0)));
    assert!(tone::carries(&heard, 8_000, 440.0));
}

#[test]
fn packets_in_disorder_are_said_in_order_each_once_and_the_same() {
    let straight: Vec<usize> = (0..12).collect();
    assert_eq!(said(&[0, 2, 1, 1, 5, 3, 5, 4, 2, 6, 8, 9, 7, 10, 11]), said(&straight));
}

#[test]
fn a_packet_that_is_missing_is_waited_for_no_longer_than_three_packets() {
    let timestamps = |order: &[usize]| said(order).into_iter().map(|(t, _)| t / 160).collect::<Vec<_>>();
    assert_eq!(timestamps(&[0, 2, 3, 4]), [0]);
    assert_eq!(timestamps(&[0, 2, 3, 4, 5]), [0, 2, 3, 4, 5]);
    assert_eq!(timestamps(&[0, 2, 3, 4, 5, 1, 6]), [0, 2, 3, 4, 5, 6], "then it is too late");
    assert_eq!(timestamps(&[0, 2, 4, 6, 8, 10, 12, 14]), [0, 2, 4, 6, 8], "three are held");
}

#[test]
fn a_key_between_two_words_is_no_gap_and_another_source_begins_at_once() {
    let packets = packets(3);
    let (mut voice, mut said) = (Voice::new(Codec::G722), vec![]);
    let read = |n: usize| Header::read(&packets[n]).unwrap();
    voice.hear(NOW, &read(0), packets[0].get(12..), |_, s| said.push(s.samples.len()));
    voice.hear(NOW, &read(1), None, |_, s| said.push(s.samples.len()));
    voice.hear(NOW, &read(2), packets[2].get(12..), |_, s| said.push(s.samples.len()));
    assert_eq!(said, [FRAME, 0, FRAME]);
    let mut other = read(0);
    other.ssrc = 2;
    voice.hear(NOW, &other, packets[0].get(12..), |_, s| said.push(s.samples.len()));
    assert_eq!(said.len(), 4);
}

#[test]
fn what_is_held_is_said_at_the_end_and_another_stream_begins_at_once() {
    let packets = packets(40);
    let (mut voice, mut said) = (Voice::new(Codec::G722), vec![]);
    let hear = |voice: &mut Voice, n: usize, said: &mut Vec<u32>| {
        let header = Header::read(&packets[n]).unwrap();
        voice.hear(NOW, &header, packets[n].get(header.body()), |_, s| said.push(s.timestamp / 160));
    };
    [0, 2, 4, 5].into_iter().for_each(|n| hear(&mut voice, n, &mut said));
    voice.flush(|_, s| said.push(s.timestamp / 160));
    assert_eq!(said, [0, 2, 4, 5]);
    [6, 8].into_iter().for_each(|n| hear(&mut voice, n, &mut said));
    assert_eq!(said, [0, 2, 4, 5, 6], "the stream goes on");
    let mut other = Header::read(&packets[30]).unwrap();
    other.ssrc = 2;
    voice.hear(NOW, &other, packets[30].get(other.body()), |_, s| said.push(s.timestamp / 160));
    assert_eq!(said, [0, 2, 4, 5, 6, 8, 30], "what was held is said first");
}

#[test]
fn what_is_held_waits_for_60_ms_and_is_said_by_its_own_arrival() {
    let packets = packets(12);
    let (mut voice, mut said) = (Voice::new(Codec::G722), vec![]);
    let at = |ms: u64| NOW + Duration::from_millis(ms);
    let mut hear = |voice: &mut Voice, ms: u64, n: usize| {
        let header = Header::read(&packets[n]).unwrap();
        voice.hear(at(ms), &header, packets[n].get(header.body()), |at, s| said.push((at, s.timestamp / 160)));
    };
    hear(&mut voice, 0, 0);
    assert_eq!((voice.waits_until(), voice.waits_for()), (None, None));
    hear(&mut voice, 40, 2);
    assert_eq!((voice.waits_until(), voice.waits_for()), (Some(at(100)), Some((1, 160))));
    hear(&mut voice, 10_000, 3);
    assert_eq!(said, [(at(0), 0), (at(40), 2), (at(10_000), 3)], "ten seconds of silence later");
}

#[test]
fn no_more_is_decoded_and_made_up_than_a_peer_may_send() {
    // 120 ms in each packet, of which three between each two never come.
    let mut encoder = opus::Encoder::new();
    let mut frame = [0; FRAME];
    let length = encoder.encode(&[500; FRAME], &mut frame);
    let long = [&[frame[0] | 3, 6][..], &frame[1..length].repeat(6)].concat();
    let (mut voice, mut made_up, mut decoded) = (Voice::new(Codec::Opus), 0, 0);
    for n in 0..80u32 {
        let line = Line { marker: false, sequence: n as u16 * 4, timestamp: n * 4 * 5_760, ssrc: 1 };
        let header = Header::read(Packet::new(96, line, &[]).as_bytes()).unwrap();
        voice.hear(NOW + Duration::from_millis(96) * n, &header, Some(&long), |_, s| {
            let count = if s.origin == Origin::MadeUp { &mut made_up } else { &mut decoded };
            *count += s.samples.len();
        });
    }
    assert!(decoded >= 78 * LONGEST && (1..=8_000 * 2).contains(&made_up), "{} ms in 7.7 s", made_up / 8);
}

#[test]
fn whatever_bytes_come_are_decoded_without_harm() {
    let mut random = base::Random::from_seed(3);
    let mut voice = Voice::new(Codec::G722);
    let mut loudest = 0;
    for n in 0..2_000u16 {
        let bytes: Vec<u8> = (0..random.below(2_000)).map(|_| random.bits() as u8).collect();
        let line = Line { marker: false, sequence: n, timestamp: 0, ssrc: 1 };
        let header = Header::read(Packet::new(9, line, &[]).as_bytes()).unwrap();
        voice.hear(NOW, &header, Some(&bytes), |_, s| {
            assert!(s.samples.len() <= LONGEST);
            s.samples.each(|sample| loudest = loudest.max(sample));
        });
    }
    assert!(loudest > 10_000);
}

proptest! {
    #[test]
    fn whatever_timestamps_come_those_of_8_khz_follow_them(
        jumps in proptest::collection::vec(prop_oneof![Just(0x8000_0000), Just(0x8000_0001), Just(960), any::<u32>()], 1..50),
        first in any::<u32>(),
    ) {
        let (mut voice, mut timestamp) = (Voice::new(Codec::Opus), first);
        let (mut before, mut left) = (voice.of_8_khz(first), 0);
        for jump in jumps {
            timestamp = timestamp.wrapping_add(jump);
            let now = voice.of_8_khz(timestamp);
            let ticks = i64::from(jump.cast_signed()) + left;
            // What is left over must not take a jump round to the other side.
            if ticks <= i64::from(i32::MAX) {
                prop_assert_eq!(i64::from(now.wrapping_sub(before).cast_signed()), ticks.div_euclid(6));
                left = ticks.rem_euclid(6);
            } else {
                left = (ticks - (1 << 32)).rem_euclid(6);
            }
            before = now;
        }
    }
}
