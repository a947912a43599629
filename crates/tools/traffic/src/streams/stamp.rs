//! Who speaks, the how manieth frame this is and when it left, inside the sound itself: whatever relays it untouched
//! brings all three to the other end, where each packet's way is known exactly.
//!
//! 24 samples at a frame's beginning carry four bits each, in the codes next to silence, so that the rest of the frame
//! is heard as the tone that it is:
//!
//! ```text
//! | mark 4 | stream 6 | count 6 | time in 10 us 8 |  nibbles
//! ```

use crate::audio::{FRAME, Law};

/// Samples that a stamp takes.
pub const STAMP: usize = 24;
const MARK: u128 = 0xC5A3;
/// A unit of [`Stamp::at`], in nanoseconds.
pub const UNIT_NS: u64 = 10_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// The lowest 24 bits count.
    pub stream: u32,
    pub count: u32,
    /// In units of 10 us, since any moment that both ends share; goes round in 11 hours.
    pub at: u32,
}

/// The code of the smallest positive sample; the four bits below it are the mantissa of the lowest segment.
fn quiet(law: Law) -> u8 {
    match law {
        Law::Pcmu => 0xF0,
        // Each second bit of A-law is turned around.
        Law::Pcma => 0xD0,
    }
}

impl Stamp {
    pub fn write(self, law: Law, frame: &mut [u8; FRAME]) {
        let low = |value: u32| u128::from(value & 0xFF_FFFF);
        let all = MARK << 80 | low(self.stream) << 56 | low(self.count) << 32 | u128::from(self.at);
        for (place, sample) in frame.iter_mut().take(STAMP).enumerate() {
            *sample = quiet(law) | (all >> (4 * (STAMP - 1 - place)) & 0x0F) as u8;
        }
    }

    /// `None` where nothing was stamped.
    pub fn read(law: Law, frame: &[u8]) -> Option<Stamp> {
        let samples = frame.get(..STAMP)?;
        if samples.iter().any(|sample| sample & 0xF0 != quiet(law)) {
            return None;
        }
        let all = samples.iter().fold(0, |all, sample| all << 4 | u128::from(sample & 0x0F));
        let low = |shift: u32| (all >> shift) as u32 & 0xFF_FFFF;
        (all >> 80 == MARK).then_some(Stamp { stream: low(56), count: low(32), at: all as u32 })
    }

    /// The frame as it would be with nothing stamped into it: the same for each frame of one tone.
    pub fn blank(law: Law, frame: &mut [u8; FRAME]) {
        frame.iter_mut().take(STAMP).for_each(|sample| *sample = quiet(law));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::{Bank, Tone};

    #[test]
    fn a_stamp_is_read_as_written_and_leaves_the_tone() {
        for law in [Law::Pcmu, Law::Pcma] {
            let mut tone = Tone::new(1_700);
            let mut frame: [u8; FRAME] = std::array::from_fn(|_| law.encode(tone.next_sample()));
            assert_eq!(Stamp::read(law, &frame), None);
            let stamp = Stamp { stream: 0xABCDEF, count: 0x123456, at: 0xFEDC_BA98 };
            stamp.write(law, &mut frame);
            assert_eq!(Stamp::read(law, &frame), Some(stamp));
            let linear: Vec<i16> = frame.iter().map(|byte| law.decode(*byte)).collect();
            assert!(linear.iter().take(STAMP).all(|sample| sample.unsigned_abs() <= 256), "{linear:?}");
            assert_eq!(Bank::new((1_000..=3_300).step_by(100)).hears(&linear), [1_700]);
            Stamp::blank(law, &mut frame);
            assert_eq!(Stamp::read(law, &frame), None);
        }
    }

    #[test]
    fn silence_is_no_stamp() {
        assert_eq!(Stamp::read(Law::Pcmu, &[0xFF; FRAME]), None);
        assert_eq!(Stamp::read(Law::Pcma, &[0xD5; FRAME]), None);
        assert_eq!(Stamp::read(Law::Pcma, &[0xD5; 10]), None);
    }
}
