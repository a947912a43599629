//! What one leg hears: packets read by the `rtp` crate, counted, decoded and listened to.

use super::header::Header;
use super::listener::{Listener, Sound};
use super::pace::Pace;
use super::stamp::Stamp;
use crate::audio::Law;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// Longer than three packets: a listener notices.
const GAP: Duration = Duration::from_millis(60);
/// Frames of one tone in a row before it counts as a person: music and prompts do not hold one that long.
const STEADY: u32 = 5;

/// What a leg counted from its opening to its end.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Heard {
    pub packets: u64,
    /// Packets that can't be read as RTP version 2.
    pub malformed: u64,
    /// Missing sequence numbers, and packets that came twice or late.
    pub lost: u64,
    pub out_of_order: u64,
    /// Arrivals more than 60 ms after the one before.
    pub gaps_over_60ms: u64,
    pub longest_gap_ms: u64,
    /// Changes of SSRC, and jumps of the sequence by more than 100, after the first packet.
    pub source_changes: u64,
    pub sequence_jumps: u64,
    /// Timestamps that did not grow by the samples sent.
    pub timestamp_jumps: u64,
    /// Frames with sound in them, in milliseconds; of those, each steady tone by its frequency.
    pub sound_ms: u64,
    pub tones_ms: BTreeMap<u32, u64>,
    /// RFC 4733 keys.
    pub keys: String,
    /// Frames with somebody's stamp; those of them that did not come in between, and that came twice or late.
    pub stamped: u64,
    pub stamped_lost: u64,
    pub stamped_again: u64,
    /// Whose stamps they were, in their order.
    pub streams: Vec<u32>,
}

#[derive(Clone, Copy, Debug)]
struct Last {
    arrived: Duration,
    ssrc: u32,
    sequence: u16,
    timestamp: u32,
    samples: u32,
}

/// One leg's ear. Time is counted from any fixed moment.
pub struct Ear {
    dtmf: Option<u8>,
    last: Option<Last>,
    key_timestamp: Option<u32>,
    /// Who has been heard, frame after frame, how often, and since when.
    run: Vec<Run>,
    before: Vec<Run>,
    stamp: Option<Stamp>,
    pace: Pace,
    pub heard: Heard,
}

/// Frames in a row that hold one tone.
#[derive(Clone, Copy, Debug)]
struct Run {
    hz: u32,
    frames: u32,
    since: Duration,
}

/// What a packet was.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Meant {
    /// What it meant to whoever listens, and since when that goes on: a tone is noticed some frames after it began.
    pub noticed: Option<(Noticed, Duration)>,
    /// When it was sent, in units of a stamp.
    pub sent: Option<u32>,
    /// How late packets without a stamp were, if some are told with this one: see [`Pace`].
    pub paced: Vec<Duration>,
}

/// What a packet meant to whoever listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Noticed {
    /// A steady tone began.
    Tone(u32),
    Key(char),
}

impl Ear {
    pub fn new(dtmf: Option<u8>) -> Self {
        Ear {
            dtmf,
            last: None,
            key_timestamp: None,
            run: vec![],
            before: vec![],
            stamp: None,
            pace: Pace::default(),
            heard: Heard::default(),
        }
    }

    pub fn expect_keys_as(&mut self, dtmf: Option<u8>) {
        self.dtmf = dtmf;
    }

    /// The stream pauses by agreement (hold): the next arrival is no gap.
    pub fn forgive(&mut self) {
        self.last = None;
    }

    pub fn listen(&mut self, at: Duration, datagram: &[u8], listener: &mut Listener) -> Meant {
        let Some((header, payload)) = Header::read(datagram) else {
            self.heard.malformed += 1;
            return Meant::default();
        };
        self.heard.packets += 1;
        let is_key = Some(header.payload_type) == self.dtmf;
        let fresh = self.count(at, &header, if is_key { 0 } else { payload.len() as u32 });
        if is_key {
            let noticed = self.key(header.timestamp, payload).map(|key| (key, at));
            return Meant { noticed, ..Meant::default() };
        }
        let Some(law) = Law::of_payload(header.payload_type).filter(|_| fresh) else { return Meant::default() };
        let (sound, stamp) = listener.hears(law, payload);
        if let Some(stamp) = stamp {
            self.stamped(stamp);
        }
        let paced = if stamp.is_some() { self.pace.end() } else { self.pace.played(at, &header) };
        Meant { noticed: self.sound(at, sound, payload.len()), sent: stamp.map(|stamp| stamp.at), paced }
    }

    /// Nothing more comes; how late the last packets without a stamp were.
    pub fn end(&mut self) -> Vec<Duration> {
        self.pace.end()
    }

    /// Each count once, one after the other, as long as one voice is heard.
    fn stamped(&mut self, stamp: Stamp) {
        self.heard.stamped += 1;
        match self.stamp.filter(|last| last.stream == stamp.stream) {
            Some(last) => match stamp.count.wrapping_sub(last.count) {
                0 | 0x8000_0000.. => {
                    self.heard.stamped_again += 1;
                    return;
                }
                ahead => self.heard.stamped_lost += u64::from(ahead - 1),
            },
            None => self.heard.streams.push(stamp.stream),
        }
        self.stamp = Some(stamp);
    }

    /// Sequence, timestamp and arrival; false for a packet that is older than what was heard. A key has no samples.
    fn count(&mut self, at: Duration, header: &Header, samples: u32) -> bool {
        let now = Last { arrived: at, ssrc: header.ssrc, sequence: header.sequence, timestamp: header.timestamp, samples };
        let Some(last) = self.last.replace(now) else { return true };
        let gap = at.saturating_sub(last.arrived);
        self.heard.longest_gap_ms = self.heard.longest_gap_ms.max(gap.as_millis() as u64);
        self.heard.gaps_over_60ms += u64::from(gap > GAP);
        if header.ssrc != last.ssrc {
            self.heard.source_changes += 1;
            return true;
        }
        let ahead = header.sequence.wrapping_sub(last.sequence);
        match ahead {
            1 => {}
            2..=100 => self.heard.lost += u64::from(ahead) - 1,
            0 | 0xFF9C.. => {
                self.heard.out_of_order += 1;
                self.last = Some(Last { arrived: at, ..last });
                return false;
            }
            _ => self.heard.sequence_jumps += 1,
        }
        let grew = header.timestamp.wrapping_sub(last.timestamp);
        if ahead == 1 && samples > 0 && last.samples > 0 && grew != last.samples {
            self.heard.timestamp_jumps += 1;
        }
        true
    }

    /// RFC 4733: a key is one for all packets of one timestamp.
    fn key(&mut self, timestamp: u32, payload: &[u8]) -> Option<Noticed> {
        let event = *payload.first()?;
        if self.key_timestamp == Some(timestamp) {
            return None;
        }
        self.key_timestamp = Some(timestamp);
        let key = "0123456789*#ABCD".chars().nth(usize::from(event))?;
        self.heard.keys.push(key);
        Some(Noticed::Key(key))
    }

    fn sound(&mut self, at: Duration, sound: &Sound, samples: usize) -> Option<(Noticed, Duration)> {
        let ms = samples as u64 / 8;
        if sound.loud {
            self.heard.sound_ms += ms;
        }
        std::mem::swap(&mut self.run, &mut self.before);
        self.run.clear();
        let mut noticed = None;
        for hz in &sound.tones {
            let run = self.before.iter().find(|run| run.hz == *hz);
            let run = run.map_or(Run { hz: *hz, frames: 1, since: at }, |run| Run { frames: run.frames + 1, ..*run });
            self.run.push(run);
            let counts = match run.frames {
                ..STEADY => 0,
                STEADY => STEADY,
                _ => 1,
            };
            if counts > 0 {
                *self.heard.tones_ms.entry(*hz).or_default() += ms * u64::from(counts);
            }
            if run.frames == STEADY {
                noticed = Some((Noticed::Tone(*hz), run.since));
            }
        }
        noticed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::Bank;
    use crate::streams::voice::Voice;

    fn spoken(voice: &mut Voice, packets: usize) -> Vec<Vec<u8>> {
        (0..packets).map(|_| voice.next_packet().to_vec()).collect()
    }

    fn ear() -> (Ear, Listener) {
        (Ear::new(Some(101)), Listener::new(Bank::new([1_000, 2_000])))
    }

    fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    #[test]
    fn a_steady_tone_is_noticed_once_and_counted_whole() {
        let mut voice = Voice::new(Law::Pcma, Some(101), 7);
        voice.say(Some(2_000));
        let (mut ear, mut listener) = ear();
        let noticed: Vec<_> = spoken(&mut voice, 50)
            .iter()
            .enumerate()
            .filter_map(|(i, p)| ear.listen(ms(20 * i as u64), p, &mut listener).noticed)
            .collect();
        assert_eq!(noticed, [(Noticed::Tone(2_000), ms(0))], "it has been there since the first packet");
        assert_eq!(ear.heard.tones_ms, BTreeMap::from([(2_000, 1_000)]));
        assert_eq!((ear.heard.packets, ear.heard.lost, ear.heard.gaps_over_60ms, ear.heard.timestamp_jumps), (50, 0, 0, 0));
    }

    #[test]
    fn what_a_voice_stamped_and_what_did_not_come_is_known_by_its_count() {
        let mut voice = Voice::new(Law::Pcmu, Some(101), 7);
        voice.stamp_as(9);
        voice.say(Some(2_000));
        let packets: Vec<_> = (0..10).map(|n| (voice.turn(n), voice.packet().to_vec()).1).collect();
        let (mut ear, mut listener) = ear();
        let sent: Vec<_> = [2, 3, 6, 7].map(|i| ear.listen(ms(20), &packets[i], &mut listener).sent).into();
        assert_eq!(sent, [2, 3, 6, 7].map(Some));
        // A relay that numbers what it passes on has no gap of its own.
        let mut twice = packets[7].clone();
        twice[3] += 1;
        ear.listen(ms(20), &twice, &mut listener);
        let heard = ear.heard;
        assert_eq!((heard.stamped, heard.stamped_lost, heard.stamped_again, heard.streams), (5, 2, 1, vec![9]));
    }

    #[test]
    fn loss_reordering_and_gaps_are_told_apart() {
        let mut voice = Voice::new(Law::Pcmu, None, 7);
        let packets = spoken(&mut voice, 10);
        let (mut ear, mut listener) = ear();
        for (at, i) in [(0, 0), (20, 1), (60, 3), (61, 2), (141, 5), (160, 6), (160, 6)] {
            ear.listen(ms(at), &packets[i], &mut listener);
        }
        let heard = &ear.heard;
        assert_eq!((heard.packets, heard.lost, heard.out_of_order), (7, 2, 2));
        assert_eq!((heard.gaps_over_60ms, heard.longest_gap_ms), (1, 80));
    }

    #[test]
    fn keys_are_read_once_each() {
        let mut voice = Voice::new(Law::Pcmu, Some(101), 7);
        voice.press("12#2");
        let (mut ear, mut listener) = ear();
        for (i, packet) in spoken(&mut voice, 80).iter().enumerate() {
            ear.listen(ms(20 * i as u64), packet, &mut listener);
        }
        assert_eq!(ear.heard.keys, "12#2");
        assert_eq!((ear.heard.lost, ear.heard.timestamp_jumps, ear.heard.sequence_jumps), (0, 0, 0));
    }

    #[test]
    fn what_is_not_rtp_is_counted_and_dropped() {
        let (mut ear, mut listener) = ear();
        for bad in [&b""[..], b"\x80", &[0u8; 12], &[0xFF; 40]] {
            assert_eq!(ear.listen(ms(0), bad, &mut listener), Meant::default());
        }
        assert_eq!(ear.heard.malformed, 4);
    }
}
