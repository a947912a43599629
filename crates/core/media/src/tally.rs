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

/// Samples that are summed up at once, in 32 bits: the machine does so with eight of them in one step.
const RUN: usize = 128;
/// A sample's weight is its place; within a run, counted from one.
const WEIGHTS: [i16; RUN] = weights();
/// What makes each sample's value one from 1 to 65,536: silence must count as well.
const LIFT: u64 = 1 << 15 | 1;

impl Tally {
    pub fn take(&mut self, samples: &[i16]) {
        samples.chunks(RUN).for_each(|run| self.take_run(run));
    }

    /// The same as bytes, little-endian, in pieces of any size.
    pub fn take_pcm(&mut self, mut bytes: &[u8]) {
        if let (Some(low), Some((high, rest))) = (self.half, bytes.split_first()) {
            self.half = None;
            self.take_run(&[i16::from_le_bytes([low, *high])]);
            bytes = rest;
        }
        let (whole, rest) = bytes.as_chunks::<2>();
        for pairs in whole.chunks(RUN) {
            let mut run = [0; RUN];
            run.iter_mut().zip(pairs).for_each(|(sample, pair)| *sample = i16::from_le_bytes(*pair));
            self.take_run(&run[..pairs.len()]);
        }
        self.half = self.half.or(rest.first().copied());
    }

    /// At most [`RUN`]. With n samples before them: the sum of (n + place) * value is n * (the sum of values) and what they
    /// weigh within the run.
    fn take_run(&mut self, run: &[i16]) {
        let (mut plain, mut weighed) = (0_i32, 0_i32);
        for (sample, weight) in run.iter().zip(&WEIGHTS) {
            plain = plain.wrapping_add(i32::from(*sample));
            weighed = weighed.wrapping_add(i32::from(*sample).wrapping_mul(i32::from(*weight)));
        }
        let count = run.len() as u64;
        let lift = |sum: i32, times: u64| i64::from(sum).cast_unsigned().wrapping_add(LIFT * times);
        let (plain, weighed) = (lift(plain, count), lift(weighed, count * (count + 1) / 2));
        self.sum = self.sum.wrapping_add(self.samples.wrapping_mul(plain)).wrapping_add(weighed);
        self.samples += count;
    }
}

const fn weights() -> [i16; RUN] {
    let mut weights = [0; RUN];
    let mut at = 0;
    while at < RUN {
        weights[at] = at as i16 + 1;
        at += 1;
    }
    weights
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
    fn what_is_summed_in_runs_is_the_sum_of_places_times_values() {
        let sound: Vec<i16> = (0..1_000).map(|n: i32| [i16::MIN, i16::MAX, (n * 61) as i16][n as usize % 3]).collect();
        let sum = (1_u64..).zip(&sound).map(|(place, sample)| place * (i64::from(*sample) + 32_769).cast_unsigned()).sum();
        assert_eq!(tally(&sound), Tally { samples: 1_000, sum, half: None });
        let mut pieces = Tally::default();
        sound.chunks(77).for_each(|piece| pieces.take(piece));
        assert_eq!(pieces, tally(&sound));
        for loudest in [[i16::MIN; RUN], [i16::MAX; RUN]] {
            let value = (i64::from(loudest[0]) + 32_769).cast_unsigned();
            assert_eq!(tally(&loudest).sum, (RUN * (RUN + 1) / 2) as u64 * value);
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
