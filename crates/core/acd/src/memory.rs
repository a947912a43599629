//! A bounded memory: when it is full, what was remembered first is forgotten first.
//!
//! What is remembered lies in a slab, linked in the order of remembering, and is found by a hash. Full, it takes the
//! room of what it forgets: nothing is allocated any more.

use hashbrown::HashTable;
use rustc_hash::FxBuildHasher;
use std::hash::{BuildHasher, Hash};

/// Before the first and behind the last.
const END: usize = usize::MAX;

#[derive(Clone, Debug)]
pub(crate) struct Memory<K, V> {
    found: HashTable<usize>,
    items: Vec<Item<K, V>>,
    /// The first of the forgotten, each of which knows the next as `later`.
    vacant: usize,
    oldest: usize,
    youngest: usize,
    room: usize,
}

#[derive(Clone, Debug)]
struct Item<K, V> {
    /// `None`: forgotten.
    what: Option<(K, V)>,
    earlier: usize,
    later: usize,
}

impl<K: Hash + Eq, V> Memory<K, V> {
    pub fn new(room: usize) -> Self {
        Memory { found: HashTable::new(), items: Vec::new(), vacant: END, oldest: END, youngest: END, room }
    }

    /// Takes all the room that it may need, so that it never grows.
    pub fn make_room(&mut self) {
        let items = &self.items;
        self.found.reserve(self.room - self.found.len(), |at| items[*at].hash());
        self.items.reserve_exact(self.room - self.items.len());
    }

    /// What is said again is young.
    pub fn remember(&mut self, key: K, value: V) {
        self.forget(&key);
        if self.found.len() >= self.room {
            self.drop_at(self.oldest);
        }
        let hash = hash(&key);
        let at = self.put(Item { what: Some((key, value)), earlier: self.youngest, later: END });
        match self.items.get_mut(self.youngest) {
            Some(before) => before.later = at,
            None => self.oldest = at,
        }
        self.youngest = at;
        let items = &self.items;
        self.found.insert_unique(hash, at, |at| items[*at].hash());
    }

    pub fn recall(&self, key: &K) -> Option<&V> {
        let at = self.found.find(hash(key), |at| self.items[*at].is(key))?;
        self.items[*at].what.as_ref().map(|(_, value)| value)
    }

    pub fn forget(&mut self, key: &K) -> Option<V> {
        let items = &self.items;
        let at = *self.found.find(hash(key), |at| items[*at].is(key))?;
        self.drop_at(at)
    }

    pub fn retain(&mut self, keep: impl Fn(&K, &V) -> bool) {
        let mut next = self.oldest;
        while let Some(item) = self.items.get(next) {
            let (at, stays) = (next, item.what.as_ref().is_some_and(|(key, value)| keep(key, value)));
            next = item.later;
            if !stays {
                self.drop_at(at);
            }
        }
    }

    pub fn values(&self) -> impl Iterator<Item = &V> {
        self.items.iter().filter_map(|item| item.what.as_ref()).map(|(_, value)| value)
    }

    fn put(&mut self, item: Item<K, V>) -> usize {
        let at = self.vacant;
        match self.items.get_mut(at) {
            Some(vacant) => {
                self.vacant = vacant.later;
                *vacant = item;
                at
            }
            None => {
                self.items.push(item);
                self.items.len() - 1
            }
        }
    }

    fn drop_at(&mut self, at: usize) -> Option<V> {
        let item = self.items.get_mut(at)?;
        let (hash, earlier, later) = (item.hash(), item.earlier, std::mem::replace(&mut item.later, self.vacant));
        let (_, value) = item.what.take()?;
        self.vacant = at;
        if let Ok(found) = self.found.find_entry(hash, |other| *other == at) {
            found.remove();
        }
        match self.items.get_mut(earlier) {
            Some(before) => before.later = later,
            None => self.oldest = later,
        }
        match self.items.get_mut(later) {
            Some(after) => after.earlier = earlier,
            None => self.youngest = earlier,
        }
        Some(value)
    }
}

impl<K: Hash + Eq, V> Item<K, V> {
    fn is(&self, key: &K) -> bool {
        self.what.as_ref().is_some_and(|(own, _)| own == key)
    }

    fn hash(&self) -> u64 {
        self.what.as_ref().map_or(0, |(key, _)| hash(key))
    }
}

fn hash(key: &impl Hash) -> u64 {
    FxBuildHasher.hash_one(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_oldest_is_forgotten_first_and_what_is_said_again_is_young() {
        let mut memory = Memory::new(2);
        memory.remember('a', 1);
        memory.remember('b', 2);
        memory.remember('a', 3);
        memory.remember('c', 4);
        assert_eq!((memory.recall(&'a'), memory.recall(&'b'), memory.recall(&'c')), (Some(&3), None, Some(&4)));
        assert_eq!((memory.forget(&'a'), memory.recall(&'a')), (Some(3), None));
        (0..100).for_each(|n| memory.remember('c', n));
        assert!(memory.items.len() <= 2 && memory.values().eq([&99]));
        memory.retain(|_, n| *n < 99);
        assert_eq!(memory.values().count(), 0);
    }

    proptest! {
        #[test]
        fn it_remembers_as_a_list_would(steps in prop::collection::vec((0u8..8, 0u8..20), 0..300)) {
            let (mut memory, mut model) = (Memory::new(10), Vec::<(u8, usize)>::new());
            memory.make_room();
            for (n, (act, key)) in steps.into_iter().enumerate() {
                let at = model.iter().position(|(known, _)| *known == key);
                match act {
                    0 => prop_assert_eq!(memory.forget(&key), at.map(|at| model.remove(at).1)),
                    1 => {
                        memory.retain(|key, n| !(usize::from(*key) + n).is_multiple_of(5));
                        model.retain(|(key, n)| !(usize::from(*key) + n).is_multiple_of(5));
                    }
                    _ => {
                        at.map(|at| model.remove(at));
                        if model.len() == 10 {
                            model.remove(0);
                        }
                        model.push((key, n));
                        memory.remember(key, n);
                    }
                }
                prop_assert!((0..20).all(|key| memory.recall(&key) == model.iter().find(|(k, _)| *k == key).map(|(_, n)| n)));
                prop_assert_eq!(memory.values().count(), model.len());
            }
            prop_assert!(memory.items.len() <= 10);
        }
    }
}
