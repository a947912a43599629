//! Who is called this? Found by a hash that is the same on each run, and never asked for its order.

use hashbrown::HashTable;
use rustc_hash::FxBuildHasher;
use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hash};

/// Numbers of things by what they are called. The names lie with the things: whoever asks says whether it is this one. An
/// entry takes eight bytes, so that of many thousands hardly any is far away.
#[derive(Clone, Debug, Default)]
pub(crate) struct Index {
    table: HashTable<Entry>,
    /// Half of the table's room. Up to so many entries the table clears the marks of removed ones where it lies; beyond, it
    /// would grow for them, at some time among inserts that follow removals one to one.
    room: usize,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    /// Half of the name's hash, which stands for it.
    half: u32,
    number: u32,
}

impl Index {
    /// The one that is called so, of those whose names hash like this.
    pub fn find(&self, name: &impl Hash, is: impl Fn(usize) -> bool) -> Option<usize> {
        let half = half(name);
        let found = self.table.find(spread(half), |entry| entry.half == half && is(entry.number as usize));
        found.map(|entry| entry.number as usize)
    }

    /// Reads where it is or would be.
    pub fn glance(&self, name: &impl Hash) -> usize {
        let mut met = 0;
        let found = self.table.find(spread(half(name)), |entry| {
            met ^= entry.half as usize;
            false
        });
        met ^ usize::from(found.is_some())
    }

    /// A name that is not there.
    pub fn insert(&mut self, name: &impl Hash, number: usize) {
        let entry =
            Entry { half: half(name), number: u32::try_from(number).expect("what is named is in memory, and not that many") };
        let hash = |entry: &Entry| spread(entry.half);
        if self.len() == self.room {
            self.table.reserve(self.room + 2, hash);
            self.room = self.table.capacity() / 2;
        }
        self.table.insert_unique(hash(&entry), entry, hash);
    }

    /// Of a name that is there, this number.
    pub fn remove(&mut self, name: &impl Hash, number: usize) {
        if let Ok(found) = self.table.find_entry(spread(half(name)), |entry| entry.number as usize == number) {
            found.remove();
        }
    }

    pub fn len(&self) -> usize {
        self.table.len()
    }
}

fn half(name: &impl Hash) -> u32 {
    (FxBuildHasher.hash_one(name) >> 32) as u32
}

/// The table takes its place from the low bits of a hash and its mark from the high ones.
fn spread(half: u32) -> u64 {
    u64::from(half).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

/// An index that can also be walked in the order of the ids.
#[derive(Clone, Debug)]
pub(crate) struct Names<I> {
    sorted: BTreeMap<I, usize>,
    index: Index,
}

impl<I> Default for Names<I> {
    fn default() -> Self {
        Names { sorted: BTreeMap::new(), index: Index::default() }
    }
}

impl<I: Hash + Ord + Clone> Names<I> {
    pub fn find(&self, id: &I, is: impl Fn(usize) -> bool) -> Option<usize> {
        self.index.find(id, is)
    }

    pub fn insert(&mut self, id: I, number: usize) {
        if let Some(before) = self.sorted.insert(id.clone(), number) {
            self.index.remove(&id, before);
        }
        self.index.insert(&id, number);
    }

    pub fn remove(&mut self, id: &I) {
        if let Some(number) = self.sorted.remove(id) {
            self.index.remove(id, number);
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = (&I, usize)> {
        self.sorted.iter().map(|(id, number)| (id, *number))
    }

    pub fn numbers(&self) -> impl Iterator<Item = usize> {
        self.sorted.values().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_until_it_is_removed_and_walked_in_order() {
        let mut names = Names::default();
        let name = |n: usize| format!("t/a{n:03}");
        (0..500).rev().for_each(|n| names.insert(name(n), n));
        (0..500).step_by(3).for_each(|n| names.remove(&name(n)));
        names.insert(name(1), 700);
        let called = |n: usize| if n == 700 { name(1) } else { name(n) };
        let found = |n: usize| names.find(&name(n), |number| called(number) == name(n));
        let left = |n: &usize| !n.is_multiple_of(3);
        assert!((0..500).all(|n| found(n) == Some(if n == 1 { 700 } else { n }).filter(|_| left(&n))));
        assert!(names.numbers().eq(std::iter::once(700).chain((2..500).filter(left))));
        assert!(names.iter().map(|(name, _)| name).is_sorted());
        assert_eq!(names.index.len(), names.sorted.len());
    }

    #[test]
    fn what_comes_for_each_that_goes_never_makes_an_index_grow() {
        for full in [100, 1_000, 5_000] {
            let mut index = Index::default();
            (0..full).for_each(|n| index.insert(&n, n));
            let before = index.table.allocation_size();
            for n in full..50 * full {
                index.remove(&(n - full), n - full);
                index.insert(&n, n);
            }
            assert_eq!((index.len(), index.table.allocation_size()), (full, before));
        }
    }

    #[test]
    fn of_names_that_hash_alike_each_is_found() {
        #[derive(PartialEq)]
        struct Alike(usize);
        impl Hash for Alike {
            fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
                0.hash(state);
            }
        }
        let mut index = Index::default();
        (0..100).for_each(|n| index.insert(&Alike(n), n));
        (0..100).step_by(2).for_each(|n| index.remove(&Alike(n), n));
        assert!((0..100).all(|n| index.find(&Alike(n), |number| number == n).is_some() == (n % 2 == 1)));
    }
}
