//! What one leg says: a packet each 20 ms, of silence, a tone, or a key (RFC 4733). Headers are written by hand here
//! and read by the `rtp` crate or by the server, never by the same code.

use super::stamp::Stamp;
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
    /// Tones carry this stream's stamp, and how many have done so.
    stamps: Option<u32>,
    stamped: u32,
    /// 20 ms of it: whole periods, so that the next 20 ms are the same.
    frame: [u8; FRAME],
    keys: VecDeque<u8>,
    /// The key being pressed, how many of its packets are out, and its timestamp.
    pressed: Option<(u8, u16, u32)>,
    packet: [u8; HEADER + FRAME],
    /// Of the packet, this much is to be sent; and its sound is `frame` already.
    length: usize,
    written: bool,
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
            stamps: None,
            stamped: 0,
            frame: encoded(law, None),
            keys: VecDeque::new(),
            pressed: None,
            packet: [0; HEADER + FRAME],
            length: 0,
            written: false,
        }
    }

    /// From now on each frame of a tone says that it is this stream's.
    pub fn stamp_as(&mut self, stream: u32) {
        self.stamps = Some(stream);
    }

    /// Frames that were stamped.
    pub fn stamped(&self) -> u32 {
        self.stamped
    }

    pub fn negotiate(&mut self, law: Law, dtmf: Option<u8>) {
        (self.law, self.dtmf) = (law, dtmf);
        self.write_frame();
    }

    /// A tone of a multiple of 50 Hz from now on, or silence.
    pub fn say(&mut self, hz: Option<u32>) {
        self.tone = hz;
        self.write_frame();
    }

    fn write_frame(&mut self) {
        self.frame = encoded(self.law, self.tone);
        self.written = false;
    }

    /// Presses keys one after the other: digits, `*`, `#`, `A` to `D`; anything else is ignored.
    pub fn press(&mut self, keys: &str) {
        let code = |key: char| "0123456789*#ABCD".find(key).and_then(|i| u8::try_from(i).ok());
        self.keys.extend(keys.chars().filter_map(code));
    }

    /// What was last made.
    pub fn packet(&self) -> &[u8] {
        self.packet.get(..self.length).unwrap_or_default()
    }

    /// The next 20 ms, of a voice without stamps.
    pub fn next_packet(&mut self) -> &[u8] {
        self.turn(0);
        self.packet()
    }

    /// Makes the next 20 ms, which leave `at`, in units of a stamp.
    pub fn turn(&mut self, at: u32) {
        if self.pressed.is_none()
            && let (Some(key), Some(_)) = (self.keys.front().copied(), self.dtmf)
        {
            self.keys.pop_front();
            self.pressed = Some((key, 0, self.timestamp));
        }
        self.length = match (self.pressed, self.dtmf) {
            (Some((key, sent, timestamp)), Some(payload)) if sent < ENDED => self.write_key(payload, key, sent, timestamp),
            _ => self.write_audio(at),
        };
        self.pressed = self.pressed.map(|(key, sent, at)| (key, sent + 1, at)).filter(|(_, sent, _)| *sent < RELEASED);
        self.sequence = self.sequence.wrapping_add(1);
        self.timestamp = self.timestamp.wrapping_add(FRAME as u32);
    }

    fn write_audio(&mut self, at: u32) -> usize {
        let marker = std::mem::take(&mut self.marker);
        self.write_header(self.law.payload(), marker, self.timestamp);
        if !std::mem::replace(&mut self.written, true) {
            self.packet[HEADER..].copy_from_slice(&self.frame);
        }
        if let (Some(stream), Some(_), Some(frame)) = (self.stamps, self.tone, self.packet.last_chunk_mut()) {
            Stamp { stream, count: self.stamped, at }.write(self.law, frame);
            self.stamped = self.stamped.wrapping_add(1);
        }
        HEADER + FRAME
    }

    /// Event, end bit with volume, duration in samples. The duration stands still in the three last packets.
    fn write_key(&mut self, payload: u8, key: u8, sent: u16, timestamp: u32) -> usize {
        self.write_header(payload, sent == 0, timestamp);
        self.written = false;
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

    #[test]
    fn stamps_are_on_each_frame_of_a_tone_and_on_nothing_else() {
        let mut voice = Voice::new(Law::Pcma, Some(101), 1);
        voice.stamp_as(7);
        let read = |voice: &mut Voice, at| {
            voice.turn(at);
            Stamp::read(Law::Pcma, &voice.packet()[HEADER..])
        };
        assert_eq!(read(&mut voice, 3), None, "silence");
        voice.say(Some(1_000));
        assert_eq!(read(&mut voice, 4), Some(Stamp { stream: 7, count: 0, at: 4 }));
        voice.press("5");
        assert!((0..12).all(|_| voice.next_packet().len() == 16 || voice.stamped() > 1), "a key");
        let last = Stamp { stream: 7, count: 5, at: 6 };
        assert_eq!(read(&mut voice, 6), Some(last), "eight packets are the key's, and it is let go for four");
        assert_eq!(voice.stamped(), 6);
        let tone = encoded(Law::Pcma, Some(1_000));
        assert_eq!(voice.packet()[HEADER + 24..], tone[24..], "the sound is there again after the key");
    }
}
