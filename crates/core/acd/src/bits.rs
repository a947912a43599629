//! Sets of small numbers that are intersected 64 at a time.

/// Which kinds, families or profiles. Grows with the highest number ever set.
#[derive(Clone, Debug, Default)]
pub(crate) struct Bits(Vec<u64>);

impl Bits {
    pub fn set(&mut self, number: usize, on: bool) {
        let (word, bit) = (number / 64, 1u64 << (number % 64));
        if on && word >= self.0.len() {
            self.0.resize(word + 1, 0);
        }
        if let Some(w) = self.0.get_mut(word) {
            *w = if on { *w | bit } else { *w & !bit };
        }
    }

    pub fn has(&self, number: usize) -> bool {
        self.0.get(number / 64).is_some_and(|w| w & (1 << (number % 64)) != 0)
    }

    /// In rising order.
    pub fn iter(&self) -> impl Iterator<Item = usize> {
        self.common(self)
    }

    /// What is in both, in rising order.
    pub fn common<'a>(&'a self, other: &'a Bits) -> impl Iterator<Item = usize> + 'a {
        self.0.iter().zip(&other.0).enumerate().flat_map(|(at, (a, b))| Ones(a & b).map(move |bit| at * 64 + bit))
    }

    /// Something is in both.
    pub fn meets(&self, other: &Bits) -> bool {
        self.0.iter().zip(&other.0).any(|(a, b)| a & b != 0)
    }
}

struct Ones(u64);

impl Iterator for Ones {
    type Item = usize;
    fn next(&mut self) -> Option<usize> {
        let bit = self.0.trailing_zeros();
        // Clears the lowest bit that is set.
        self.0 &= self.0.wrapping_sub(1);
        (bit < 64).then_some(bit as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_sets_meet_in_rising_order() {
        let (mut a, mut b) = (Bits::default(), Bits::default());
        [0, 63, 64, 200, 500].into_iter().for_each(|i| a.set(i, true));
        [63, 64, 65, 200].into_iter().for_each(|i| b.set(i, true));
        b.set(64, false);
        b.set(9_000, false);
        assert_eq!(a.common(&b).collect::<Vec<_>>(), [63, 200]);
        assert_eq!(a.iter().collect::<Vec<_>>(), [0, 63, 64, 200, 500]);
        assert!(a.meets(&b) && b.meets(&a) && !b.meets(&Bits::default()));
        assert!(a.has(500) && !a.has(501) && !b.has(64) && !b.has(9_000));
    }
}
