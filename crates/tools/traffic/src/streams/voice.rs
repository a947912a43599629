//! What one leg says: a packet each 20 ms, of silence, a tone, or a key (RFC 4733). Headers are written by hand here
//! and read by the `rtp` crate or by the server, never by the same code.

use crate::audio::{FRAME, Law, Tone};
use std::collections::VecDeque;

/// A key is held for five packets and ended by three (RFC 4733 2.5.1.4), then nothing is pressed for four.
const HELD: u16 = 5;
const ENDED: u16 = 8;
const RELEASED: u16 = 12;
const HEADER: usize = 12;

pub struct Voice {
    law: Law,
    dtmf: Option<u8>,
    ssrc: u32,
    sequence: u16,
    timestamp: u32,
    marker: bool,
    tone: Option<u32>,
    /// 20 ms of it: whole periods, so that the next 20 ms are the same.
    frame: [u8; FRAME],
    keys: VecDeque<u8>,
    /// The key being pressed, how many of its packets are out, and its timestamp.
    pressed: Option<(u8, u16, u32)>,
    packet: [u8; HEADER + FRAME],
}

impl Voice {
    /// `seed` gives SSRC, first sequence number and first timestamp.
    pub fn new(law: Law, dtmf: Option<u8>, seed: u64) -> Self {
        let mut random = base::Random::from_seed(seed);
        Voice {
            law,
            dtmf,
            ssrc: random.bits() as u32,
            sequence: random.bits() as u16,
            timestamp: random.bits() as u32,
            marker: true,
            tone: None,
            frame: encoded(law, None),
            keys: VecDeque::new(),
            pressed: None,
            packet: [0; HEADER + FRAME],
        }
    }

    pub fn negotiate(&mut self, law: Law, dtmf: Option<u8>) {
        (self.law, self.dtmf) = (law, dtmf);
        self.frame = encoded(law, self.tone);
    }

    /// A tone of a multiple of 50 Hz from now on, or silence.
    pub fn say(&mut self, hz: Option<u32>) {
        self.tone = hz;
        self.frame = encoded(self.law, hz);
    }

    /// Presses keys one after the other: digits, `*`, `#`, `A` to `D`; anything else is ignored.
    pub fn press(&mut self, keys: &str) {
        let code = |key: char| "0123456789*#ABCD".find(key).and_then(|i| u8::try_from(i).ok());
        self.keys.extend(keys.chars().filter_map(code));
    }

    /// The next 20 ms.
    pub fn next_packet(&mut self) -> &[u8] {
        if self.pressed.is_none()
            && let (Some(key), Some(_)) = (self.keys.front().copied(), self.dtmf)
        {
            self.keys.pop_front();
            self.pressed = Some((key, 0, self.timestamp));
        }
        let length = match (self.pressed, self.dtmf) {
            (Some((key, sent, timestamp)), Some(payload)) if sent < ENDED => self.write_key(payload, key, sent, timestamp),
            _ => self.write_audio(),
        };
        self.pressed = self.pressed.map(|(key, sent, at)| (key, sent + 1, at)).filter(|(_, sent, _)| *sent < RELEASED);
        self.sequence = self.sequence.wrapping_add(1);
        self.timestamp = self.timestamp.wrapping_add(FRAME as u32);
        self.packet.get(..length).unwrap_or(&self.packet)
    }

    fn write_audio(&mut self) -> usize {
        let marker = std::mem::take(&mut self.marker);
        self.write_header(self.law.payload(), marker, self.timestamp);
        self.packet[HEADER..].copy_from_slice(&self.frame);
        HEADER + FRAME
    }

    /// Event, end bit with volume, duration in samples. The duration stands still in the three last packets.
    fn write_key(&mut self, payload: u8, key: u8, sent: u16, timestamp: u32) -> usize {
        self.write_header(payload, sent == 0, timestamp);
        let duration = (sent.min(HELD - 1) + 1) * FRAME as u16;
        let end = if sent >= HELD { 0x80 } else { 0 };
        let [high, low] = duration.to_be_bytes();
        self.packet[HEADER..HEADER + 4].copy_from_slice(&[key, end | 10, high, low]);
        HEADER + 4
    }

    fn write_header(&mut self, payload: u8, marker: bool, timestamp: u32) {
        self.packet[0] = 0x80;
        self.packet[1] = payload | if marker { 0x80 } else { 0 };
        self.packet[2..4].copy_from_slice(&self.sequence.to_be_bytes());
        self.packet[4..8].copy_from_slice(&timestamp.to_be_bytes());
        self.packet[8..12].copy_from_slice(&self.ssrc.to_be_bytes());
    }
}

fn encoded(law: Law, hz: Option<u32>) -> [u8; FRAME] {
    let mut tone = hz.map(Tone::new);
    std::array::from_fn(|_| law.encode(tone.as_mut().map_or(0, Tone::next_sample)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_keeps_its_timestamp_and_audio_goes_on_in_time() {
        let mut voice = Voice::new(Law::Pcmu, Some(96), 1);
        voice.next_packet();
        let start = voice.timestamp;
        voice.press("5");
        let packets: Vec<Vec<u8>> = (0..9).map(|_| voice.next_packet().to_vec()).collect();
        for (i, packet) in packets[..8].iter().enumerate() {
            assert_eq!(packet[4..8], start.to_be_bytes());
            assert_eq!(packet[1] & 0x7F, 96);
            assert_eq!(packet[1] >> 7, u8::from(i == 0), "the marker is on the first packet alone");
            assert_eq!(packet[13] >> 7, u8::from(i >= 5), "the last three packets end it");
        }
        assert_eq!(packets[7][14..16], 800u16.to_be_bytes());
        assert_eq!(packets[8][4..8], start.wrapping_add(8 * 160).to_be_bytes());
        assert_eq!(packets[8].len(), 172);
    }

    #[test]
    fn without_telephone_event_no_key_is_sent() {
        let mut voice = Voice::new(Law::Pcmu, None, 1);
        voice.press("5");
        assert!((0..20).all(|_| voice.next_packet().len() == 172));
    }
}
