//! Who has this id? Found by a hash that is the same on each run, and never asked for its order.

use hashbrown::HashTable;
use rustc_hash::FxBuildHasher;
use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hash};

#[derive(Clone, Debug)]
pub(crate) struct Index<I, K>(HashTable<(I, K)>);

impl<I, K> Default for Index<I, K> {
    fn default() -> Self {
        Index(HashTable::new())
    }
}

impl<I: Hash + Eq, K: Copy> Index<I, K> {
    pub fn get(&self, id: &I) -> Option<K> {
        self.0.find(hash(id), |(other, _)| other == id).map(|(_, key)| *key)
    }

    /// Whose id is like this one: hashes the same, and `is` it.
    pub fn find(&self, like: &impl Hash, is: impl Fn(&I) -> bool) -> Option<K> {
        self.0.find(hash(like), |(id, _)| is(id)).map(|(_, key)| *key)
    }

    /// Reads where it is or would be.
    pub fn glance(&self, id: &I) -> usize {
        let mut met = 0;
        let found = self.0.find(hash(id), |_| {
            met += 1;
            false
        });
        met ^ usize::from(found.is_some())
    }

    /// An id that is not there.
    pub fn insert(&mut self, id: I, key: K) {
        self.0.insert_unique(hash(&id), (id, key), |(other, _)| hash(other));
    }

    pub fn remove(&mut self, id: &I) {
        if let Ok(found) = self.0.find_entry(hash(id), |(other, _)| other == id) {
            found.remove();
        }
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }
}

fn hash<I: Hash>(id: &I) -> u64 {
    FxBuildHasher.hash_one(id)
}

/// An index that can also be walked in the order of the ids.
#[derive(Clone, Debug)]
pub(crate) struct Names<I, K> {
    sorted: BTreeMap<I, K>,
    index: Index<I, K>,
}

impl<I, K> Default for Names<I, K> {
    fn default() -> Self {
        Names { sorted: BTreeMap::new(), index: Index::default() }
    }
}

impl<I: Hash + Ord + Clone, K: Copy> Names<I, K> {
    pub fn get(&self, id: &I) -> Option<K> {
        self.index.get(id)
    }

    pub fn insert(&mut self, id: I, key: K) {
        if self.sorted.insert(id.clone(), key).is_some() {
            self.index.remove(&id);
        }
        self.index.insert(id, key);
    }

    pub fn remove(&mut self, id: &I) {
        self.sorted.remove(id);
        self.index.remove(id);
    }

    pub fn iter(&self) -> impl Iterator<Item = (&I, K)> {
        self.sorted.iter().map(|(id, key)| (id, *key))
    }

    pub fn keys(&self) -> impl Iterator<Item = K> {
        self.sorted.values().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_until_it_is_removed_and_walked_in_order() {
        let mut names = Names::default();
        (0..500).rev().for_each(|n| names.insert(format!("t/a{n:03}"), n));
        (0..500).step_by(3).for_each(|n| names.remove(&format!("t/a{n:03}")));
        names.insert("t/a001".into(), 7);
        let left = |n: &u32| !n.is_multiple_of(3);
        assert!((0..500).all(|n| names.get(&format!("t/a{n:03}")) == Some(if n == 1 { 7 } else { n }).filter(left)));
        assert!(names.keys().eq(std::iter::once(7).chain((2..500).filter(left))));
        assert!(names.iter().map(|(name, _)| name).is_sorted());
        assert_eq!(names.index.len(), names.sorted.len());
    }
}
