//! What 20 ms of sound hold. Everybody hears the same music, prompts and tones, so that what was measured once is
//! remembered by its bytes.

use crate::audio::{Bank, FRAME, Law};
use std::collections::HashMap;

/// Frames remembered: more than music and prompts have, in both laws (230 bytes each).
const MOST: usize = 1 << 16;
/// Above the noise of silence.
const LOUD: u16 = 64;

/// What a frame holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sound {
    pub loud: bool,
    pub tones: Vec<u32>,
}

pub struct Listener {
    bank: Bank,
    known: HashMap<(Law, [u8; FRAME]), Sound>,
    /// The last one of another length.
    odd: Sound,
}

impl Listener {
    pub fn new(bank: Bank) -> Listener {
        Listener { bank, known: HashMap::new(), odd: Sound::default() }
    }

    pub fn hears(&mut self, law: Law, payload: &[u8]) -> &Sound {
        let Ok(frame) = <[u8; FRAME]>::try_from(payload) else {
            self.odd = measure(&self.bank, law, payload);
            return &self.odd;
        };
        if self.known.len() >= MOST {
            self.known.clear();
        }
        self.known.entry((law, frame)).or_insert_with(|| measure(&self.bank, law, payload))
    }
}

fn measure(bank: &Bank, law: Law, payload: &[u8]) -> Sound {
    let frame: Vec<i16> = payload.iter().map(|b| law.decode(*b)).collect();
    Sound { loud: frame.iter().any(|s| s.unsigned_abs() > LOUD), tones: bank.hears(&frame) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::Tone;

    #[test]
    fn a_frame_holds_the_same_each_time_and_in_each_law_its_own() {
        let mut listener = Listener::new(Bank::new([1_000, 2_000]));
        let mut tone = Tone::new(2_000);
        let frame: Vec<u8> = (0..FRAME).map(|_| Law::Pcma.encode(tone.next_sample())).collect();
        let heard = Sound { loud: true, tones: vec![2_000] };
        assert_eq!(*listener.hears(Law::Pcma, &frame), heard);
        assert_eq!(*listener.hears(Law::Pcma, &frame), heard);
        assert_eq!(*listener.hears(Law::Pcma, &frame[..80]), heard, "half a frame is enough");
        assert_eq!(*listener.hears(Law::Pcmu, &[0xFF; FRAME]), Sound::default());
        assert!(listener.hears(Law::Pcma, &[0xFF; FRAME]).loud, "the same bytes mean another sound there");
    }
}
