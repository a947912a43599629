//! Sets of small numbers: of a few a list, of many a bit for each, which are intersected 64 at a time, and past empty words
//! 4,096 at a time.

use smallvec::SmallVec;

/// As many are listed; so many lie in the set itself.
const FEW: usize = 128;
const AT_HAND: usize = 14;

/// Which kinds, families or profiles. Grows with the highest number ever set.
#[derive(Clone, Debug, Default)]
pub(crate) struct Bits {
    /// All of them, in rising order, as long as there were never more than [`FEW`].
    few: SmallVec<[u32; AT_HAND]>,
    /// Empty as long as the list holds.
    words: Vec<u64>,
    /// Which words are not empty.
    some: SmallVec<[u64; 2]>,
}

impl Bits {
    pub fn set(&mut self, number: usize, on: bool) {
        if !self.words.is_empty() {
            return self.set_bit(number, on);
        }
        match (self.few.binary_search(&listed(number)), on) {
            (Err(at), true) if self.few.len() < FEW => self.few.insert(at, listed(number)),
            (Err(_), true) => {
                for other in std::mem::take(&mut self.few) {
                    self.set_bit(other as usize, true);
                }
                self.set_bit(number, true);
            }
            (Ok(at), false) => drop(self.few.remove(at)),
            (Ok(_), true) | (Err(_), false) => {}
        }
    }

    fn set_bit(&mut self, number: usize, on: bool) {
        let (word, bit) = (number / 64, 1u64 << (number % 64));
        if on && word >= self.words.len() {
            self.words.resize(word + 1, 0);
            self.some.resize(word / 64 + 1, 0);
        }
        let Some(w) = self.words.get_mut(word) else { return };
        *w = if on { *w | bit } else { *w & !bit };
        let mark = 1u64 << (word % 64);
        let some = &mut self.some[word / 64];
        *some = if *w == 0 { *some & !mark } else { *some | mark };
    }

    /// Reads where it lies.
    pub fn glance(&self) -> usize {
        self.words.len() ^ self.some.len() ^ self.few.first().map_or(0, |number| *number as usize)
    }

    #[inline]
    pub fn has(&self, number: usize) -> bool {
        if self.words.is_empty() {
            return self.few.binary_search(&listed(number)).is_ok();
        }
        self.words.get(number / 64).is_some_and(|w| w & (1 << (number % 64)) != 0)
    }

    /// In rising order.
    pub fn iter(&self) -> Common<'_> {
        self.common(self)
    }

    /// What is in both, in rising order.
    pub fn common<'a>(&'a self, other: &'a Bits) -> Common<'a> {
        let listed = self.either_list(other).map(|(list, set)| (list.iter(), set));
        let some = if listed.is_none() { self.some_common(other, 0) } else { 0 };
        Common { sets: (self, other), listed, block: 0, some, word: 0, bits: 0 }
    }

    /// The same at a fraction of the cost: what is in both goes to `each`, in rising order.
    #[inline]
    pub fn for_common(&self, other: &Bits, mut each: impl FnMut(usize)) {
        if let Some((list, set)) = self.either_list(other) {
            for number in list.iter().map(|number| *number as usize) {
                if set.has(number) {
                    each(number);
                }
            }
            return;
        }
        for (block, (a, b)) in self.some.iter().zip(&other.some).enumerate() {
            let mut some = a & b;
            while some != 0 {
                let word = block * 64 + take_lowest(&mut some);
                let mut bits = self.words[word] & other.words[word];
                while bits != 0 {
                    each(word * 64 + take_lowest(&mut bits));
                }
            }
        }
    }

    /// Something is in both.
    pub fn meets(&self, other: &Bits) -> bool {
        if let Some((list, set)) = self.either_list(other) {
            return list.iter().any(|number| set.has(*number as usize));
        }
        let mut blocks = self.some.iter().zip(&other.some).enumerate();
        blocks.any(|(block, (a, b))| {
            let mut some = a & b;
            let mut next = || (some != 0).then(|| block * 64 + take_lowest(&mut some));
            std::iter::from_fn(&mut next).any(|word| self.words[word] & other.words[word] != 0)
        })
    }

    /// The list, if one of the two is one, and the other set; of two lists the shorter.
    fn either_list<'a>(&'a self, other: &'a Bits) -> Option<(&'a [u32], &'a Bits)> {
        match (self.words.is_empty(), other.words.is_empty()) {
            (false, false) => None,
            (true, true) if other.few.len() < self.few.len() => Some((&other.few, self)),
            (true, _) => Some((&self.few, other)),
            (false, true) => Some((&other.few, self)),
        }
    }

    /// Which words of this block of 64 are empty in neither.
    fn some_common(&self, other: &Bits, block: usize) -> u64 {
        let of = |bits: &Bits| bits.some.get(block).copied().unwrap_or(0);
        of(self) & of(other)
    }
}

pub(crate) struct Common<'a> {
    sets: (&'a Bits, &'a Bits),
    /// What is left of the list, and the set that it is looked up in.
    listed: Option<(std::slice::Iter<'a, u32>, &'a Bits)>,
    /// Words still to be looked at, of this block of 64.
    block: usize,
    some: u64,
    /// Bits still to be told, of this word.
    word: usize,
    bits: u64,
}

impl Iterator for Common<'_> {
    type Item = usize;
    fn next(&mut self) -> Option<usize> {
        if let Some((list, set)) = &mut self.listed {
            return list.map(|number| *number as usize).find(|number| set.has(*number));
        }
        let (a, b) = self.sets;
        while self.bits == 0 {
            while self.some == 0 {
                self.block += 1;
                if self.block >= a.some.len().min(b.some.len()) {
                    return None;
                }
                self.some = a.some_common(b, self.block);
            }
            self.word = self.block * 64 + take_lowest(&mut self.some);
            self.bits = a.words[self.word] & b.words[self.word];
        }
        Some(self.word * 64 + take_lowest(&mut self.bits))
    }
}

fn listed(number: usize) -> u32 {
    u32::try_from(number).expect("kinds, families and profiles are in memory, and not that many")
}

/// Of bits of which some are set.
fn take_lowest(bits: &mut u64) -> usize {
    let lowest = bits.trailing_zeros() as usize;
    *bits &= bits.wrapping_sub(1);
    lowest
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

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

    proptest! {
        #[test]
        fn they_are_sets(steps in prop::collection::vec((any::<bool>(), any::<bool>(), 0usize..20_000), 0..300)) {
            let (mut bits, mut model) = ([Bits::default(), Bits::default()], [BTreeSet::new(), BTreeSet::new()]);
            for (which, on, number) in steps {
                bits[usize::from(which)].set(number, on);
                let set = &mut model[usize::from(which)];
                if on { set.insert(number) } else { set.remove(&number) };
            }
            prop_assert!(bits[0].iter().eq(model[0].iter().copied()));
            prop_assert!(bits[0].common(&bits[1]).eq(model[0].intersection(&model[1]).copied()));
            let mut common = Vec::new();
            bits[0].for_common(&bits[1], |number| common.push(number));
            prop_assert!(common.into_iter().eq(model[0].intersection(&model[1]).copied()));
            prop_assert_eq!(bits[0].meets(&bits[1]), !model[0].is_disjoint(&model[1]));
        }
    }
}
