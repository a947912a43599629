//! What 20 ms of sound hold. Everybody hears the same music, prompts and tones, so that what was measured once is
//! remembered by its bytes.

use super::stamp::Stamp;
use crate::audio::{Bank, FRAME, Law};
use rustc_hash::FxHashMap;

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
    known: FxHashMap<(Law, [u8; FRAME]), Sound>,
    /// The last one of another length.
    odd: Sound,
}

impl Listener {
    pub fn new(bank: Bank) -> Listener {
        Listener { bank, known: FxHashMap::default(), odd: Sound::default() }
    }

    /// What it is, and what is stamped into it: only a voice carries that.
    pub fn hears(&mut self, law: Law, payload: &[u8]) -> (&Sound, Option<Stamp>) {
        let Ok(mut frame) = <[u8; FRAME]>::try_from(payload) else {
            self.odd = measure(&self.bank, law, payload);
            return (&self.odd, None);
        };
        let stamp = Stamp::read(law, &frame);
        if stamp.is_some() {
            Stamp::blank(law, &mut frame);
        }
        if self.known.len() >= MOST {
            self.known.clear();
        }
        let sound = self.known.entry((law, frame)).or_insert_with(|| measure(&self.bank, law, &frame));
        let stamp = stamp.filter(|_| !sound.tones.is_empty());
        (sound, stamp)
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
        assert_eq!(listener.hears(Law::Pcma, &frame), (&heard, None));
        assert_eq!(listener.hears(Law::Pcma, &frame), (&heard, None));
        assert_eq!(listener.hears(Law::Pcma, &frame[..80]), (&heard, None), "half a frame is enough");
        assert_eq!(listener.hears(Law::Pcmu, &[0xFF; FRAME]), (&Sound::default(), None));
        assert!(listener.hears(Law::Pcma, &[0xFF; FRAME]).0.loud, "the same bytes mean another sound there");
    }

    #[test]
    fn stamped_frames_are_the_tone_that_they_are_and_remembered_as_one() {
        let mut listener = Listener::new(Bank::new([1_000, 2_000]));
        let mut tone = Tone::new(2_000);
        let mut frame: [u8; FRAME] = std::array::from_fn(|_| Law::Pcmu.encode(tone.next_sample()));
        let heard = Sound { loud: true, tones: vec![2_000] };
        for count in 0..10 {
            let stamp = Stamp { stream: 4, count, at: 77 + count };
            stamp.write(Law::Pcmu, &mut frame);
            assert_eq!(listener.hears(Law::Pcmu, &frame), (&heard, Some(stamp)));
        }
        assert_eq!(listener.known.len(), 1);
        let mut quiet = [0xFF; FRAME];
        Stamp { stream: 4, count: 0, at: 0 }.write(Law::Pcmu, &mut quiet);
        assert_eq!(listener.hears(Law::Pcmu, &quiet).1, None, "by chance, in something that is no voice");
    }
}
