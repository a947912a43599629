//! What a recording should hold, counted where its sound is handed over, so that whoever reads it back can hold it against
//! that.

/// A sum over samples, each with its place: none can be missing, twice, moved or changed without another sum, save by a
/// rare chance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    samples: u64,
    sum: u64,
    /// A sample's first byte without its second.
    half: Option<u8>,
}

impl Tally {
    pub fn take(&mut self, samples: &[i16]) {
        for sample in samples {
            self.samples += 1;
            let value = u64::from(sample.cast_unsigned()) + 1;
            self.sum = self.sum.wrapping_add(self.samples.wrapping_mul(value));
        }
    }

    /// The same as bytes, little-endian, in pieces of any size.
    pub fn take_pcm(&mut self, bytes: &[u8]) {
        for byte in bytes {
            match self.half.take() {
                None => self.half = Some(*byte),
                Some(low) => self.take(&[i16::from_le_bytes([low, *byte])]),
            }
        }
    }
}

/// What went into a recording. Of each channel the samples that packets brought, and those of them that found no place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Proof {
    pub tally: Tally,
    pub received: [u64; 2],
    pub dropped: [u64; 2],
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(samples: &[i16]) -> Tally {
        let mut tally = Tally::default();
        tally.take(samples);
        tally
    }

    #[test]
    fn whatever_is_changed_moved_missing_or_twice_is_told() {
        let sound = [0, 0, 700, -700, i16::MIN, 5];
        let others: [&[i16]; 6] = [
            &[0, 0, 700, -700, i16::MIN],
            &[0, 0, 0, 700, -700, i16::MIN, 5],
            &[0, 700, 0, -700, i16::MIN, 5],
            &[0, 0, 0, 0, i16::MIN, 5],
            &[0, 0, 700, -700, i16::MIN, 4],
            &[],
        ];
        for other in others {
            assert_ne!(tally(other), tally(&sound), "{other:?}");
        }
    }

    #[test]
    fn bytes_in_any_pieces_are_the_same_as_samples() {
        let sound: Vec<i16> = (-500..500).map(|n| n * 61).collect();
        let bytes: Vec<u8> = sound.iter().flat_map(|sample| sample.to_le_bytes()).collect();
        for piece in [1, 3, 64, 2_000] {
            let mut read = Tally::default();
            bytes.chunks(piece).for_each(|piece| read.take_pcm(piece));
            assert_eq!(read, tally(&sound));
        }
    }
}
