//! Keys heard in the audio (ITU-T Q.23, Q.24) of a peer with whom telephone-event was not negotiated. Each press is
//! reported once, when it has lasted 35 ms.
//!
//! ```text
//!            a key, three times in a row ──▶ reported
//!   nothing ─────────────────────────────────────────▶ pressed ──┐ the same key, a short gap, lost packets
//!      ▲                                                │  ▲      │
//!      └── none heard for 50 ms, or silence ◀───────────┘  └──────┘
//! ```
//! The window is 25 ms, so that 50 ms without the key are a pause of about 30: Q.24 wants one of 40 to be a pause, and
//! an interruption of 10 to be none. Where administrations differ (Q.24 table A-1), AT&T's column is followed.

mod goertzel;

use crate::dtmf::Pace;
use crate::rtp::FRAME;
use crate::said::{Origin, Said};
use base::Instant;
use goertzel::{Bank, Sound};

/// Looks in a row at 5 ms each, the first after 25 ms: 35 ms of tone, where 40 is to be taken and 23 to be refused (Q.24
/// table A-1, signal duration).
const LOOKS: u8 = 3;
/// Looks without the key that end a press.
const RELEASE: u8 = 10;
/// Lost audio that a press may go on after: 200 ms.
const LOST: u32 = 1_600;
/// A timestamp that is off by no more than a packet means nothing, if no packet is missing.
const SLACK: u32 = FRAME as u32;

/// Hears the keys of one peer.
#[derive(Clone, Debug, Default)]
pub struct Ear {
    bank: Bank,
    stream: Option<Stream>,
    /// A key that is beginning, and for how many looks.
    begun: Option<(char, u8)>,
    /// The key that was reported and goes on, and for how many looks it was not heard.
    pressed: Option<(char, u8)>,
    pace: Pace,
}

/// Where the next packet is expected.
#[derive(Clone, Copy, Debug)]
struct Stream {
    ssrc: u32,
    sequence: u16,
    timestamp: u32,
}

impl Ear {
    /// A packet's sound; `report` is told each key. A late packet says nothing: what came after it was heard.
    pub fn hear(&mut self, now: Instant, said: &Said<'_>, mut report: impl FnMut(char)) {
        // What was made up says nothing: the gap is seen at the next packet.
        if said.origin != Origin::Packet || !self.follow(said) {
            return;
        }
        let length = u32::try_from(said.samples.len()).unwrap_or(0);
        let (sequence, timestamp) = (said.sequence.wrapping_add(1), said.timestamp.wrapping_add(length));
        self.stream = Some(Stream { ssrc: said.ssrc, sequence, timestamp });
        said.samples.each(|sample| {
            let sound = self.bank.hear(sample);
            if let Some(key) = sound.and_then(|sound| self.look(sound)).filter(|_| self.pace.allows(now)) {
                report(key);
            }
        });
    }

    /// Sees where a packet lies in its stream; false if it is late, or without sound.
    fn follow(&mut self, said: &Said<'_>) -> bool {
        if said.samples.is_empty() {
            if let Some(stream) = self.stream.as_mut().filter(|s| (s.ssrc, s.sequence) == (said.ssrc, said.sequence)) {
                stream.sequence = stream.sequence.wrapping_add(1);
            }
            return false;
        }
        let Some(stream) = self.stream.filter(|s| s.ssrc == said.ssrc) else {
            self.restart();
            return true;
        };
        let gap = said.timestamp.wrapping_sub(stream.timestamp).cast_signed();
        let packets = said.sequence.wrapping_sub(stream.sequence).cast_signed();
        match packets {
            0 if gap.unsigned_abs() <= SLACK => true,
            ..0 if gap.unsigned_abs() <= LOST => false,
            // Nobody knows what was in the packets that were lost: neither a pause nor another key.
            1.. if gap >= 0 && gap.unsigned_abs() <= LOST => {
                self.bank.restart();
                true
            }
            // Nothing was lost and time has passed: the peer sends nothing while it is silent. Or another numbering.
            _ => {
                self.restart();
                true
            }
        }
    }

    fn restart(&mut self) {
        self.bank.restart();
        (self.begun, self.pressed) = (None, None);
    }

    /// A key, if this look is the one that makes it a press.
    fn look(&mut self, sound: Sound) -> Option<char> {
        match (sound, self.pressed) {
            (Sound::Key(key), Some((pressed, _))) if key == pressed => {
                (self.begun, self.pressed) = (None, Some((key, 0)));
                None
            }
            (Sound::Key(key), _) => {
                let looks = self.begun.filter(|(begun, _)| *begun == key).map_or(1, |(_, looks)| looks + 1);
                if looks < LOOKS {
                    self.begun = Some((key, looks));
                    return None;
                }
                (self.begun, self.pressed) = (None, Some((key, 0)));
                Some(key)
            }
            (Sound::Other, pressed) => {
                self.begun = None;
                self.pressed = pressed.map(|(key, missed)| (key, missed + 1)).filter(|(_, missed)| *missed < RELEASE);
                None
            }
        }
    }
}

#[cfg(test)]
mod tests;
