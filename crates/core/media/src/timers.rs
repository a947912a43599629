//! Deadlines by key: each key has at most one, and the earliest is at hand.
//!
//! ```text
//!            the tick that is looked at
//!                 ▼
//!   near: │ 0 │ 1 │ 2 │ …  64 slots of 1 ms, gone round: what recurs each 20 ms costs a push and a pop
//!   far:  in order, what is further off: reports, silences, leases, blocks of recordings
//! ```
//! A deadline that is cancelled, or set anew, stays where it lies and is passed over when its time comes.

use base::Instant;
use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;
use std::collections::BTreeSet;
use std::hash::Hash;

const SLOTS: u64 = 64;
const NANOS_PER_SLOT: u64 = 1_000_000;

#[derive(Clone, Debug)]
pub(crate) struct Timers<K> {
    at: HashMap<K, Instant, FxBuildHasher>,
    near: [Slot<K>; SLOTS as usize],
    /// Of the near slots, those that hold something.
    held: u64,
    /// Which millisecond the wheel has come to.
    tick: u64,
    far: BTreeSet<(Instant, K)>,
}

/// What is due in one millisecond; the earliest last, once somebody asked.
#[derive(Clone, Debug)]
struct Slot<K> {
    entries: Vec<(Instant, K)>,
    sorted: bool,
}

impl<K: Ord + Copy + Hash> Timers<K> {
    pub fn new() -> Self {
        let empty = || Slot { entries: Vec::new(), sorted: true };
        Timers { at: HashMap::default(), near: std::array::from_fn(|_| empty()), held: 0, tick: 0, far: BTreeSet::new() }
    }

    /// Sets the key's deadline, in place of another.
    pub fn set(&mut self, key: K, at: Instant) {
        self.at.insert(key, at);
        let tick = (at.0 / NANOS_PER_SLOT).max(self.tick);
        if tick >= self.tick + SLOTS {
            self.far.insert((at, key));
            return;
        }
        let place = tick % SLOTS;
        let slot = &mut self.near[place as usize];
        slot.sorted = slot.entries.is_empty();
        slot.entries.push((at, key));
        self.held |= 1 << place;
    }

    pub fn cancel(&mut self, key: K) {
        if let Some(at) = self.at.remove(&key) {
            self.far.remove(&(at, key));
        }
    }

    /// Not later than the earliest deadline; earlier only by one that was cancelled or set anew.
    pub fn earliest(&self) -> Option<Instant> {
        if self.at.is_empty() {
            return None;
        }
        let ahead = self.held.rotate_right((self.tick % SLOTS) as u32).trailing_zeros();
        let slot = &self.near[((self.tick + u64::from(ahead)) % SLOTS) as usize];
        let near = if slot.sorted { slot.entries.last().copied() } else { slot.entries.iter().min().copied() };
        let near = near.filter(|_| self.held != 0).map(|(at, _)| at);
        let far = self.far.first().map(|(at, _)| *at);
        near.into_iter().chain(far).min()
    }

    /// Takes the earliest that is due.
    pub fn due(&mut self, now: Instant) -> Option<K> {
        loop {
            let near = self.nearest(now);
            let far = self.far.first().copied().filter(|(at, _)| *at <= now);
            let (at, key) = match (near, far) {
                (Some(near), Some(far)) if far < near => self.far.pop_first()?,
                (Some(_), _) => self.pop()?,
                (None, _) => {
                    far?;
                    self.far.pop_first()?
                }
            };
            // Passed over, if this is not the deadline that the key has now.
            if self.at.get(&key) == Some(&at) {
                self.at.remove(&key);
                return Some(key);
            }
        }
    }

    /// The earliest of the near ones that is due. The wheel moves on to it, or to now.
    fn nearest(&mut self, now: Instant) -> Option<(Instant, K)> {
        let last = now.0 / NANOS_PER_SLOT;
        let ahead = u64::from(self.held.rotate_right((self.tick % SLOTS) as u32).trailing_zeros());
        if self.held == 0 || self.tick + ahead > last {
            self.tick = self.tick.max(last);
            return None;
        }
        self.tick += ahead;
        let slot = &mut self.near[(self.tick % SLOTS) as usize];
        if !slot.sorted {
            slot.entries.sort_unstable_by(|one, other| other.cmp(one));
            slot.sorted = true;
        }
        slot.entries.last().copied().filter(|(at, _)| *at <= now)
    }

    fn pop(&mut self) -> Option<(Instant, K)> {
        let place = self.tick % SLOTS;
        let slot = &mut self.near[place as usize];
        let entry = slot.entries.pop();
        if slot.entries.is_empty() {
            slot.sorted = true;
            self.held &= !(1 << place);
        }
        entry
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

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
        assert_eq!((timers.due(Instant(1 << 40)), timers.earliest()), (None, None));
    }

    proptest! {
        /// Against a map that is searched from end to end.
        #[test]
        fn they_come_in_their_order_whatever_is_set_cancelled_and_waited_for(
            acts in proptest::collection::vec((0..3u8, 0..12u8, 0..200_000_000u64), 1..200),
        ) {
            let (mut timers, mut plain) = (Timers::new(), BTreeMap::new());
            let mut now = 0;
            for (act, key, span) in acts {
                match act {
                    0 => {
                        timers.set(key, Instant(now + span));
                        plain.insert(key, now + span);
                    }
                    1 => {
                        timers.cancel(key);
                        plain.remove(&key);
                    }
                    _ => now += span / 4,
                }
                let earliest = plain.values().min().copied();
                prop_assert!(timers.earliest().map(|at| at.0) <= earliest || earliest.is_none());
                prop_assert!(earliest.is_none() || timers.earliest().is_some());
                loop {
                    let next = plain.iter().map(|(key, at)| (*at, *key)).min().filter(|(at, _)| *at <= now);
                    prop_assert_eq!(timers.due(Instant(now)), next.map(|(_, key)| key));
                    let Some((_, key)) = next else { break };
                    plain.remove(&key);
                }
            }
        }
    }
}
