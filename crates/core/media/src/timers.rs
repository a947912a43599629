//! Deadlines by key: each key has at most one, and the earliest is at hand.

use base::Instant;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone, Debug)]
pub(crate) struct Timers<K> {
    at: BTreeMap<K, Instant>,
    queue: BTreeSet<(Instant, K)>,
}

impl<K: Ord + Copy> Timers<K> {
    pub fn new() -> Self {
        Timers { at: BTreeMap::new(), queue: BTreeSet::new() }
    }

    /// Sets the key's deadline, in place of another.
    pub fn set(&mut self, key: K, at: Instant) {
        self.cancel(key);
        self.at.insert(key, at);
        self.queue.insert((at, key));
    }

    pub fn cancel(&mut self, key: K) {
        if let Some(at) = self.at.remove(&key) {
            self.queue.remove(&(at, key));
        }
    }

    pub fn earliest(&self) -> Option<Instant> {
        self.queue.first().map(|(at, _)| *at)
    }

    /// Takes the earliest that is due.
    pub fn due(&mut self, now: Instant) -> Option<K> {
        let (at, key) = *self.queue.first()?;
        if at > now {
            return None;
        }
        self.cancel(key);
        Some(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_earliest_comes_first_and_a_key_has_one_deadline() {
        let mut timers = Timers::new();
        timers.set('a', Instant(5));
        timers.set('b', Instant(3));
        timers.set('a', Instant(9));
        timers.set('c', Instant(4));
        timers.cancel('c');
        assert_eq!(timers.earliest(), Some(Instant(3)));
        assert_eq!((timers.due(Instant(8)), timers.due(Instant(8)), timers.due(Instant(9))), (Some('b'), None, Some('a')));
        assert_eq!(timers.earliest(), None);
    }
}
