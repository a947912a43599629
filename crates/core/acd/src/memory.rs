//! A bounded memory: when it is full, what was remembered first is forgotten first.

use std::collections::{BTreeMap, VecDeque};

#[derive(Clone, Debug)]
pub(crate) struct Memory<K, V> {
    known: BTreeMap<K, (u64, V)>,
    /// In the order of remembering; what was remembered anew or forgotten since is recognised by its number.
    order: VecDeque<(u64, K)>,
    next: u64,
    room: usize,
}

impl<K: Ord + Clone, V> Memory<K, V> {
    pub fn new(room: usize) -> Self {
        Memory { known: BTreeMap::new(), order: VecDeque::new(), next: 0, room }
    }

    pub fn remember(&mut self, key: K, value: V) {
        let n = self.next;
        self.next += 1;
        self.known.insert(key.clone(), (n, value));
        self.order.push_back((n, key));
        while self.known.len() > self.room {
            self.forget_first();
        }
        if self.order.len() > 2 * self.room {
            let known = &self.known;
            self.order.retain(|(n, key)| known.get(key).is_some_and(|(m, _)| m == n));
        }
    }

    pub fn recall(&self, key: &K) -> Option<&V> {
        self.known.get(key).map(|(_, value)| value)
    }

    pub fn forget(&mut self, key: &K) -> Option<V> {
        self.known.remove(key).map(|(_, value)| value)
    }

    pub fn retain(&mut self, mut keep: impl FnMut(&K, &V) -> bool) {
        self.known.retain(|key, (_, value)| keep(key, value));
    }

    pub fn values(&self) -> impl Iterator<Item = &V> {
        self.known.values().map(|(_, value)| value)
    }

    fn forget_first(&mut self) {
        if let Some((n, key)) = self.order.pop_front()
            && self.known.get(&key).is_some_and(|(m, _)| *m == n)
        {
            self.known.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert!(memory.order.len() <= 4 && memory.values().eq([&99]));
        memory.retain(|_, n| *n < 99);
        assert_eq!(memory.values().count(), 0);
    }
}
