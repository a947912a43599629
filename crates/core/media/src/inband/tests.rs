//! What is a key and what is not, by the figures of Q.24.

use super::*;
use crate::g711::Law;
use crate::rtp::{Header, Line, Packet};
use crate::{Codec, Prompt, tone};
use base::Random;
use std::path::Path;

const LAW: Law = Law::Pcmu;
const ALL: &str = "123A456B789C*0#D";
/// A sine of 0 dBm0 (G.711: full scale has 3.14).
const ZERO_DBM0: f64 = 32_767.0 * 0.696_6;

/// One press, as a keypad makes it.
#[derive(Clone, Copy)]
struct Press {
    key: char,
    ms: usize,
    /// Of the low tone, in dBm0; how much the high one is above; how much each is off, in percent.
    level: f64,
    twist: f64,
    off: (f64, f64),
}

fn press(key: char) -> Press {
    Press { key, ms: 60, level: -10.0, twist: 0.0, off: (0.0, 0.0) }
}

fn hertz(key: char) -> (f64, f64) {
    let n = ALL.find(key).unwrap();
    ([697.0, 770.0, 852.0, 941.0][n / 4], [1_209.0, 1_336.0, 1_477.0, 1_633.0][n % 4])
}

impl Press {
    fn samples(self) -> Vec<i16> {
        let (low, high) = hertz(self.key);
        let sine = |hertz: f64, off: f64, level: f64| {
            tone::sine(8_000, hertz * (1.0 + off / 100.0), ZERO_DBM0 * 10f64.powf(level / 20.0), self.ms * 8)
        };
        sum(&sine(low, self.off.0, self.level), &sine(high, self.off.1, self.level + self.twist))
    }

    fn at(self, level: f64, twist: f64) -> Press {
        Press { level, twist, ..self }
    }

    /// What is heard of it, beginning in each part of a block.
    fn heard(self) -> Vec<String> {
        let pressed = self.samples();
        (0..40).step_by(8).map(|shift| keys(&[&vec![0; 800 + shift][..], &pressed, &[0; 1_600]].concat())).collect()
    }

    fn is_heard_once(self) -> bool {
        self.heard().iter().all(|heard| heard.chars().eq([self.key]))
    }

    fn is_not_heard(self) -> bool {
        self.heard().iter().all(|heard| heard.is_empty())
    }
}

fn sum(a: &[i16], b: &[i16]) -> Vec<i16> {
    a.iter().zip(b).map(|(a, b)| a.saturating_add(*b)).collect()
}

/// A peer's stream of 20 ms packets.
struct Peer {
    ear: Ear,
    sequence: u16,
    timestamp: u32,
    heard: String,
}

impl Peer {
    fn new() -> Peer {
        Peer { ear: Ear::default(), sequence: 0xFFF0, timestamp: 0xFFFF_F000, heard: String::new() }
    }

    fn says(&mut self, samples: &[i16]) {
        self.says_but(samples, &[]);
    }

    /// The packets with these numbers are lost.
    fn says_but(&mut self, samples: &[i16], lost: &[usize]) {
        for (n, frame) in samples.chunks(FRAME).enumerate() {
            if !lost.contains(&n) {
                self.packet(self.sequence, self.timestamp, frame);
            }
            self.sequence = self.sequence.wrapping_add(1);
            self.timestamp = self.timestamp.wrapping_add(frame.len() as u32);
        }
    }

    fn packet(&mut self, sequence: u16, timestamp: u32, frame: &[i16]) {
        let payload: Vec<u8> = frame.iter().map(|s| LAW.encode(*s)).collect();
        let header = Header::read(Packet::new(0, Line { marker: false, sequence, timestamp, ssrc: 1 }, &payload).as_bytes());
        let now = Instant(1_000_000_000 + u64::from(timestamp.wrapping_sub(0xFFFF_F000)) * 125_000);
        self.ear.hear(now, &Said::by_law(&header.unwrap(), &payload, LAW), |key| self.heard.push(key));
    }
}

/// The keys in these samples.
fn keys(samples: &[i16]) -> String {
    let mut peer = Peer::new();
    peer.says(samples);
    peer.heard
}

fn noise(level: f64, count: usize) -> Vec<i16> {
    let mut random = Random::from_seed(9);
    let rms = ZERO_DBM0 / 2f64.sqrt() * 10f64.powf(level / 20.0);
    // The sum of twelve dice is nearly normal.
    let mut normal = || (0..12).map(|_| (random.bits() >> 11) as f64 / (1u64 << 53) as f64).sum::<f64>() - 6.0;
    (0..count).map(|_| (normal() * rms).round() as i16).collect()
}

#[test]
fn each_key_is_heard_once_at_any_level_and_twist_that_q24_allows() {
    for key in ALL.chars() {
        for level in [-3.0, -10.0, -25.0] {
            assert!(press(key).at(level, 0.0).is_heard_once(), "{key} at {level} dBm0");
        }
        for (level, twist) in [(-7.0, 4.0), (-25.0, 4.0), (-3.0, -8.0), (-17.0, -8.0)] {
            assert!(press(key).at(level, twist).is_heard_once(), "{key} at {level} dBm0, twisted by {twist} dB");
        }
    }
}

#[test]
fn what_is_too_quiet_or_too_twisted_is_no_key() {
    for key in ALL.chars() {
        for (level, twist) in [(-55.0, 0.0), (-38.0, 0.0), (-12.0, 8.0), (-5.0, -12.0)] {
            assert!(press(key).at(level, twist).is_not_heard(), "{key} at {level} dBm0, twisted by {twist} dB");
        }
    }
}

#[test]
fn tones_off_by_one_and_a_half_percent_are_heard_and_by_three_and_a_half_not() {
    for key in ALL.chars() {
        for off in [(1.5, 1.5), (-1.5, -1.5), (1.5, -1.5), (-1.5, 1.5)] {
            assert!(Press { off, ms: 40, ..press(key) }.is_heard_once(), "{key} off by {off:?} %");
            assert!(Press { off, ..press(key).at(-20.0, -8.0) }.is_heard_once(), "{key} off by {off:?} %, twisted");
        }
        for off in [(3.5, 0.0), (-3.5, 0.0), (0.0, 3.5), (0.0, -3.5), (5.0, 5.0), (5.0, 0.0), (0.0, -5.0)] {
            assert!(Press { off, ms: 200, ..press(key) }.is_not_heard(), "{key} off by {off:?} %");
        }
    }
}

#[test]
fn forty_milliseconds_are_a_press_and_twenty_three_are_none() {
    for key in ALL.chars() {
        for (level, twist) in [(-10.0, 0.0), (-25.0, 0.0), (-10.0, 4.0), (-10.0, -8.0)] {
            assert!(Press { ms: 40, ..press(key).at(level, twist) }.is_heard_once(), "{key} at {level}, {twist}");
            assert!(Press { ms: 23, ..press(key).at(level, twist) }.is_not_heard(), "{key} at {level}, {twist}");
        }
    }
}

#[test]
fn a_number_dialled_as_fast_as_may_be_is_heard_whole() {
    for number in ["0034911234567", "11", "5555555", "*#06#", "123A456B789C*0#D"] {
        for pause in [vec![0; 320], noise(-45.0, 320)] {
            let dialled: Vec<i16> =
                number.chars().flat_map(|k| [Press { ms: 40, ..press(k) }.samples(), pause.clone()].concat()).collect();
            assert_eq!(keys(&dialled), number);
        }
    }
}

#[test]
fn a_long_press_is_one_key_and_so_is_one_with_a_gap_of_10_ms() {
    for key in ALL.chars() {
        assert!(Press { ms: 5_000, ..press(key) }.is_heard_once());
        for at in [8 * 40, 8 * 47, 8 * 90] {
            let mut pressed = Press { ms: 200, ..press(key) }.samples();
            pressed[at..at + 80].fill(0);
            assert_eq!(keys(&[&[0; 800][..], &pressed, &[0; 800]].concat()), key.to_string());
        }
    }
}

#[test]
fn keys_are_heard_in_noise() {
    for key in ALL.chars() {
        let pressed = Press { ms: 50, ..press(key) }.samples();
        let line = [&vec![0; 403][..], &pressed, &[0; 1_000]].concat();
        assert_eq!(keys(&sum(&line, &noise(-25.0, line.len()))), key.to_string(), "15 dB below the tones");
    }
}

#[test]
fn a_press_over_a_lost_packet_is_one_key() {
    let pressed = [&[0; 480][..], &Press { ms: 120, ..press('5') }.samples(), &[0; 1_600]].concat();
    for lost in [&[3][..], &[4], &[5], &[6], &[7], &[8], &[9], &[10], &[5, 6]] {
        let mut peer = Peer::new();
        peer.says_but(&pressed, lost);
        assert_eq!(peer.heard, "5", "lost {lost:?}");
    }
}

#[test]
fn packets_that_come_late_or_twice_change_nothing() {
    let pressed = [&[0; 480][..], &Press { ms: 120, ..press('5') }.samples(), &[0; 1_600]].concat();
    let mut order: Vec<usize> = (0..pressed.len() / FRAME).flat_map(|n| [n, n]).collect();
    order.swap(9, 11);
    order.swap(3, 6);
    let mut peer = Peer::new();
    for n in order {
        peer.packet(n as u16, n as u32 * 160, &pressed[n * FRAME..][..FRAME]);
    }
    assert_eq!(peer.heard, "5");
}

#[test]
fn a_peer_that_sends_nothing_while_it_is_silent_presses_twice() {
    let mut peer = Peer::new();
    for _ in 0..2 {
        peer.says(&Press { ms: 80, ..press('1') }.samples());
        peer.timestamp = peer.timestamp.wrapping_add(4_000);
    }
    assert_eq!(peer.heard, "11");
}

#[test]
fn wherever_numbers_jump_the_next_press_is_heard() {
    let pressed = [&[0; 480][..], &Press { ms: 80, ..press('5') }.samples(), &[0; 640]].concat();
    for timestamp in [0, 1, 160, 1_600, 1 << 31, (1 << 31) - 1, u32::MAX, u32::MAX - 159] {
        for sequence in [0, 1, 2, 1 << 15, (1 << 15) - 1, u16::MAX, u16::MAX - 50] {
            let mut peer = Peer::new();
            peer.says(&pressed);
            peer.timestamp = peer.timestamp.wrapping_add(timestamp);
            peer.sequence = peer.sequence.wrapping_add(sequence);
            peer.says(&[&pressed[..], &pressed].concat());
            assert!(peer.heard.starts_with("55"), "{timestamp} {sequence}: {}", peer.heard);
        }
    }
}

#[test]
fn a_flood_of_keys_is_bounded() {
    let dialled: Vec<i16> = "159D".repeat(100).chars().flat_map(|k| Press { ms: 40, ..press(k) }.samples()).collect();
    let mut peer = Peer::new();
    let payload: Vec<u8> = dialled.iter().map(|s| LAW.encode(*s)).collect();
    for (n, frame) in payload.chunks(FRAME).enumerate() {
        let line = Line { marker: false, sequence: n as u16, timestamp: n as u32 * 160, ssrc: 1 };
        let header = Header::read(Packet::new(0, line, frame).as_bytes()).unwrap();
        peer.ear.hear(Instant(1_000_000_000), &Said::by_law(&header, frame, LAW), |key| peer.heard.push(key));
    }
    assert!((10..=24).contains(&peer.heard.len()), "{}", peer.heard.len());
}

#[test]
fn noise_and_single_tones_are_no_keys() {
    for level in [-3.0, -20.0, -40.0] {
        assert_eq!(keys(&noise(level, 8_000 * 60)), "", "noise at {level} dBm0");
    }
    for hertz in [350.0, 425.0, 440.0, 697.0, 941.0, 1_209.0, 1_633.0, 1_100.0, 2_100.0] {
        assert_eq!(keys(&tone::sine(8_000, hertz, 8_000.0, 16_000)), "", "{hertz} Hz");
    }
    let dial = |a: f64, b: f64| sum(&tone::sine(8_000, a, 8_000.0, 16_000), &tone::sine(8_000, b, 8_000.0, 16_000));
    for (a, b) in [(350.0, 440.0), (480.0, 620.0), (440.0, 480.0), (697.0, 770.0), (1_209.0, 1_336.0), (900.0, 1_300.0)] {
        assert_eq!(keys(&dial(a, b)), "", "{a} and {b} Hz");
    }
}

#[test]
fn a_key_with_a_third_tone_or_its_harmonics_is_speech() {
    for key in ALL.chars() {
        let (low, high) = hertz(key);
        let pressed = Press { ms: 200, ..press(key) }.samples();
        for hertz in [2.0 * low, 2.0 * high, 400.0, 1_050.0] {
            let third = tone::sine(8_000, hertz, ZERO_DBM0 * 0.25, pressed.len());
            assert_eq!(keys(&sum(&pressed, &third)), "", "{key} with {hertz} Hz");
        }
    }
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the prompts are files")]
fn speech_and_music_are_no_keys() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../ivr-flows");
    let mut files = 0;
    for flow in ["service-desk", "speech"] {
        for lang in std::fs::read_dir(folder.join(flow).join("prompts")).unwrap() {
            for file in std::fs::read_dir(lang.unwrap().path()).unwrap().map(|f| f.unwrap().path()) {
                if file.extension().is_none_or(|ext| ext != "wav") {
                    continue;
                }
                let prompt = Prompt::from_wav(&std::fs::read(&file).unwrap(), &[]).unwrap();
                let bytes = (0..prompt.frames()).flat_map(|n| prompt.frame(n, Codec::Pcmu).unwrap());
                let samples: Vec<i16> = bytes.map(|b| LAW.decoder()[usize::from(*b)]).collect();
                assert_eq!(keys(&samples), "", "{}", file.display());
                files += 1;
            }
        }
    }
    assert!(files >= 248, "{files} prompts");
}

#[test]
fn what_was_made_up_for_a_lost_packet_is_no_part_of_a_key() {
    let mut peer = Peer::new();
    let tone = press('5').samples();
    for (n, frame) in tone.chunks(FRAME).enumerate() {
        let (sequence, timestamp) = (n as u16, (n * FRAME) as u32);
        let samples = crate::said::Samples::Linear(frame);
        let said = Said { ssrc: 1, sequence, timestamp, samples, wide: None, origin: Origin::MadeUp };
        peer.ear.hear(Instant(1_000_000_000), &said, |key| peer.heard.push(key));
    }
    assert_eq!(peer.heard, "");
}
