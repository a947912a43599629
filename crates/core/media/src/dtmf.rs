//! Keys by telephone-event (RFC 4733): many packets say one key, and it is reported once, at its first packet.
//!
//! ```text
//!   marker, ts=T ──▶ key!     ts=T again ──▶ nothing     end, ts=T (three times) ──▶ nothing
//!   ts later, another press ──▶ key!     ts later, goes on where T ended, no marker ──▶ a segment: nothing
//! ```
//! Reporting at the first packet makes lost end packets harmless: the next press has a timestamp of its own
//! (RFC 4733 section 2.5.1.2), and the first packet heard of a press counts, whichever it is.

use crate::rtp::Header;
use base::Instant;
use std::time::Duration;

/// Keys a peer may send at once, and the time in which it earns another: faster is no person and no dialler.
const BURST: u32 = 24;
const EARN: Duration = Duration::from_millis(50);
/// A packet's step, how much of an event may be missing between two packets that belong together: 20 ms, a 50th of a second.
const STEPS_A_SECOND: u32 = 50;

/// One packet's content (RFC 4733 section 2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    pub code: u8,
    pub end: bool,
    /// In timestamp units since the packet's timestamp.
    pub duration: u16,
}

impl Event {
    /// Counts the time of an event in a packet by another clock, in Hz.
    pub(crate) fn change_clock(body: &mut [u8], from: u32, to: u32) {
        let Some([_, _, high, low]) = body.first_chunk_mut::<4>() else { return };
        if from == to || from == 0 {
            return;
        }
        let duration = u64::from(u16::from_be_bytes([*high, *low])) * u64::from(to) / u64::from(from);
        // What does not fit is the longest that does: a press goes on until its end is said (RFC 4733 section 2.5.1.3).
        [*high, *low] = u16::try_from(duration).unwrap_or(u16::MAX).to_be_bytes();
    }

    /// The first event in a payload.
    pub fn read(payload: &[u8]) -> Option<Event> {
        let b: &[u8; 4] = payload.first_chunk()?;
        Some(Event { code: b[0], end: b[1] & 0x80 != 0, duration: u16::from_be_bytes([b[2], b[3]]) })
    }

    /// As it goes on the line, at -10 dBm0.
    pub fn to_bytes(self) -> [u8; 4] {
        let [d0, d1] = self.duration.to_be_bytes();
        [self.code, u8::from(self.end) << 7 | 10, d0, d1]
    }

    /// The key of a code, if it is one of the sixteen (RFC 4733 section 3.2).
    pub fn key(code: u8) -> Option<char> {
        b"0123456789*#ABCD".get(usize::from(code)).map(|b| char::from(*b))
    }

    /// The code of a key.
    pub fn code(key: char) -> Option<u8> {
        "0123456789*#ABCD".find(key.to_ascii_uppercase()).and_then(|i| u8::try_from(i).ok())
    }
}

/// Reads the keys of one peer.
#[derive(Clone, Debug, Default)]
pub struct Receiver {
    last: Option<Press>,
    pace: Pace,
}

/// How fast keys may come.
#[derive(Clone, Debug)]
pub(crate) struct Pace {
    tokens: u32,
    refilled: Instant,
}

#[derive(Clone, Copy, Debug)]
struct Press {
    ssrc: u32,
    timestamp: u32,
    code: u8,
    duration: u16,
    ended: bool,
}

impl Default for Pace {
    fn default() -> Self {
        Pace { tokens: BURST, refilled: Instant::ZERO }
    }
}

impl Receiver {
    /// A key, when a packet is the first of a press. `clock` is how fast its events count their time, in Hz.
    pub fn hear(&mut self, now: Instant, header: &Header, clock: u32, payload: &[u8]) -> Option<char> {
        let event = Event::read(payload)?;
        let key = Event::key(event.code)?;
        let press = Press {
            ssrc: header.ssrc,
            timestamp: header.timestamp,
            code: event.code,
            duration: event.duration,
            ended: event.end,
        };
        match self.last.as_mut().filter(|p| p.ssrc == header.ssrc) {
            Some(last) if last.timestamp == press.timestamp => {
                last.duration = last.duration.max(press.duration);
                last.ended |= press.ended;
                return None;
            }
            // Late, from before the newest press.
            Some(last) if (press.timestamp.wrapping_sub(last.timestamp) as i32) < 0 => return None,
            Some(last) if last.goes_on_in(&press, header.marker, clock) => {
                *last = press;
                return None;
            }
            _ => self.last = Some(press),
        }
        self.pace.allows(now).then_some(key)
    }
}

impl Pace {
    /// Whether one more key may come now; if so, it has.
    pub(crate) fn allows(&mut self, now: Instant) -> bool {
        let earned = (now.since(self.refilled).as_millis() / EARN.as_millis()).min(BURST.into()) as u32;
        self.tokens = self.tokens.saturating_add(earned).min(BURST);
        self.refilled = (self.refilled + EARN * earned).max(now - EARN * BURST);
        let allowed = self.tokens > 0;
        self.tokens = self.tokens.saturating_sub(1);
        allowed
    }
}

impl Press {
    /// A long press in segments (RFC 4733 section 2.5.1.3), and senders that move the timestamp with each packet:
    /// the same key, no marker, no end seen, and no room for a pause between.
    fn goes_on_in(&self, next: &Press, marker: bool, clock: u32) -> bool {
        let step = next.timestamp.wrapping_sub(self.timestamp);
        !marker && !self.ended && next.code == self.code && step <= u32::from(self.duration) + clock / STEPS_A_SECOND
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rtp::{Line, Packet};

    struct Peer {
        receiver: Receiver,
        ms: u64,
        clock: u32,
    }

    impl Peer {
        fn new() -> Self {
            Peer { receiver: Receiver::default(), ms: 0, clock: 8_000 }
        }
        fn packet(&mut self, marker: bool, timestamp: u32, key: char, end: bool, duration: u16) -> Option<char> {
            self.ms += 20;
            let line = Line { marker, sequence: 0, timestamp, ssrc: 1 };
            let payload = Event { code: Event::code(key).unwrap(), end, duration }.to_bytes();
            let header = Header::read(Packet::new(101, line, &payload).as_bytes()).unwrap();
            self.receiver.hear(Instant(self.ms * 1_000_000), &header, self.clock, &payload)
        }
        /// A press of 100 ms with three end packets; `lost` says which of its eight are lost.
        fn press(&mut self, timestamp: u32, key: char, lost: &[usize]) -> String {
            let packets = (0..8).map(|i| (i == 0, i >= 5, (i.min(5) as u16 + 1) * 160));
            let kept: Vec<_> = packets.enumerate().filter(|(i, _)| !lost.contains(i)).map(|(_, p)| p).collect();
            kept.into_iter().filter_map(|(marker, end, duration)| self.packet(marker, timestamp, key, end, duration)).collect()
        }
    }

    #[test]
    fn a_press_is_one_key_whatever_is_lost_of_it() {
        for lost in [&[][..], &[0], &[0, 1, 2, 3, 4], &[5, 6, 7], &[1, 2, 3, 4, 5, 6, 7]] {
            assert_eq!(Peer::new().press(8_000, '5', lost), "5", "lost {lost:?}");
        }
    }

    #[test]
    fn two_presses_of_one_key_are_two_even_when_the_first_never_ended() {
        let mut peer = Peer::new();
        assert_eq!(peer.press(8_000, '1', &[5, 6, 7]) + &peer.press(9_600, '1', &[]), "11");
        assert_eq!(peer.press(20_000, '1', &[5, 6, 7]) + &peer.press(21_600, '1', &[0]), "11", "marker lost too");
    }

    #[test]
    fn all_sixteen_keys_are_read_and_other_events_are_not_keys() {
        let mut peer = Peer::new();
        let all: String = "0123456789*#ABCD".chars().enumerate().map(|(i, k)| peer.press(i as u32 * 2_000, k, &[])).collect();
        assert_eq!(all, "0123456789*#ABCD");
        assert_eq!(Event::key(16), None, "flash");
        assert_eq!(Event::read(&[1, 2, 3]), None);
    }

    #[test]
    fn a_late_packet_of_an_older_press_is_no_key() {
        let mut peer = Peer::new();
        assert_eq!(peer.packet(true, 1_000, '1', false, 160), Some('1'));
        assert_eq!(peer.packet(true, 5_000, '2', false, 160), Some('2'));
        assert_eq!(peer.packet(false, 1_000, '1', true, 800), None);
        assert_eq!(peer.packet(false, 5_000, '2', true, 800), None);
    }

    #[test]
    fn a_press_of_ten_seconds_in_segments_is_one_key() {
        let mut peer = Peer::new();
        assert_eq!(peer.packet(true, 1_000, '9', false, 160), Some('9'));
        assert_eq!(peer.packet(false, 1_000, '9', false, 0xFFFF), None);
        assert_eq!(peer.packet(false, 1_000 + 0xFFFF, '9', false, 160), None);
        assert_eq!(peer.packet(false, 1_000 + 0xFFFF, '9', true, 8_000), None);
    }

    #[test]
    fn a_sender_that_moves_the_timestamp_with_each_packet_presses_once() {
        let mut peer = Peer::new();
        let keys = (0..8u32).filter_map(|i| peer.packet(i == 0, 1_000 + i * 160, '7', i == 7, 160 * (i as u16 + 1)));
        assert_eq!(keys.collect::<String>(), "7");
    }

    #[test]
    fn by_a_clock_of_48_khz_a_press_is_one_key_too() {
        let mut peer = Peer { clock: 48_000, ..Peer::new() };
        assert_eq!(peer.packet(true, 6_000, '9', false, 960), Some('9'));
        assert_eq!(peer.packet(false, 6_000, '9', false, 0xFFFF - 959), None);
        // The packet that filled the segment is lost.
        assert_eq!(peer.packet(false, 6_000 + 0xFFFF, '9', false, 960), None);
        let mut peer = Peer { clock: 48_000, ..Peer::new() };
        let keys = (0..8u32).filter_map(|i| peer.packet(i == 0, 6_000 + i * 960, '7', i == 7, 960));
        assert_eq!(keys.collect::<String>(), "7");
    }

    #[test]
    fn a_flood_of_keys_is_bounded() {
        let mut peer = Peer::new();
        let keys = (0..1_000u32).filter_map(|i| peer.packet(true, i * 1_000, '3', false, 160)).count();
        assert!((400..450).contains(&keys), "{keys} in 20 s");
    }
}
