//! Every deadline of the ACD: what it is for, and which comes first.
//!
//! A table says when each is due; a heap says which comes first. What is moved or cleared stays in the heap until it
//! surfaces, and is recognised by the table; when such leftovers outnumber the living, they are thrown out.

use crate::agent::AgentKey;
use crate::visit::{BarKey, VisitKey};
use base::Instant;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// What becomes due. Among equals the order below decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Timer {
    /// The agent's state resolves itself: the phone rang long enough, wrap-up is over, a lease ran out.
    Agent(AgentKey),
    /// This agent may be tried again for this visit.
    Bar(BarKey),
    /// The visit reached the age at which it leaves its queue.
    Age(VisitKey),
    /// The age at which something becomes easier.
    Step(VisitKey),
    /// The visit is no longer kept for the caller's last agent.
    Kept(VisitKey),
    /// A callback's turn may come; or its customer was dialled long enough.
    Callback(VisitKey),
    /// The caller may hear the position again.
    Announce(VisitKey),
    /// Who was cut off is forgotten.
    Returns,
}

const TABLES: usize = 8;
const NEVER: u64 = u64::MAX;
/// Leftovers in the heap that are not worth a sweep.
const LEFTOVERS: usize = 64;

#[derive(Clone, Debug, Default)]
pub(crate) struct Timers {
    at: [Vec<u64>; TABLES],
    heap: BinaryHeap<Reverse<(u64, Timer)>>,
    live: usize,
}

impl Timer {
    fn slot(self) -> (usize, usize) {
        match self {
            Timer::Agent(agent) => (0, agent.0),
            Timer::Bar(bar) => (1, bar.0),
            Timer::Age(visit) => (2, visit.0),
            Timer::Step(visit) => (3, visit.0),
            Timer::Kept(visit) => (4, visit.0),
            Timer::Callback(visit) => (5, visit.0),
            Timer::Announce(visit) => (6, visit.0),
            Timer::Returns => (7, 0),
        }
    }

    fn of(table: usize, key: usize) -> Timer {
        match table {
            0 => Timer::Agent(AgentKey(key)),
            1 => Timer::Bar(BarKey(key)),
            2 => Timer::Age(VisitKey(key)),
            3 => Timer::Step(VisitKey(key)),
            4 => Timer::Kept(VisitKey(key)),
            5 => Timer::Callback(VisitKey(key)),
            6 => Timer::Announce(VisitKey(key)),
            _ => Timer::Returns,
        }
    }
}

impl Timers {
    /// Sets, moves or (with `None`) clears.
    pub fn set(&mut self, timer: Timer, at: Option<Instant>) {
        let (table, key) = timer.slot();
        let at = at.map_or(NEVER, |at| at.0.min(NEVER - 1));
        let table = &mut self.at[table];
        if key >= table.len() {
            if at == NEVER {
                return;
            }
            table.resize(key + 1, NEVER);
        }
        let before = std::mem::replace(&mut table[key], at);
        if before == at {
            return;
        }
        self.live -= usize::from(before != NEVER);
        if at != NEVER {
            self.live += 1;
            self.heap.push(Reverse((at, timer)));
        }
        self.sweep();
    }

    pub fn at(&self, timer: Timer) -> Option<Instant> {
        let (table, key) = timer.slot();
        self.at[table].get(key).copied().filter(|at| *at != NEVER).map(Instant)
    }

    pub fn first(&self) -> Option<Instant> {
        self.heap.peek().map(|Reverse((at, _))| Instant(*at))
    }

    pub fn pop_due(&mut self, now: Instant) -> Option<Timer> {
        let Reverse((at, timer)) = *self.heap.peek()?;
        if at > now.0 {
            return None;
        }
        self.set(timer, None);
        Some(timer)
    }

    /// In no order of time.
    pub fn iter(&self) -> impl Iterator<Item = (Instant, Timer)> {
        let all = self.at.iter().enumerate();
        all.flat_map(|(t, table)| table.iter().enumerate().map(move |(key, at)| (*at, t, key)))
            .filter(|(at, ..)| *at != NEVER)
            .map(|(at, t, key)| (Instant(at), Timer::of(t, key)))
    }

    /// What is first in the heap is alive.
    fn sweep(&mut self) {
        if self.heap.len() > 4 * self.live + LEFTOVERS {
            let at = &self.at;
            self.heap.retain(|Reverse(entry)| lives(at, *entry));
        }
        while self.heap.peek().is_some_and(|Reverse(entry)| !lives(&self.at, *entry)) {
            self.heap.pop();
        }
    }
}

fn lives(tables: &[Vec<u64>; TABLES], (at, timer): (u64, Timer)) -> bool {
    let (table, key) = timer.slot();
    tables[table].get(key) == Some(&at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    #[test]
    fn the_earliest_comes_first_and_a_moved_one_once() {
        let (a, b) = (Timer::Agent(AgentKey(1)), Timer::Age(VisitKey(2)));
        let mut timers = Timers::default();
        timers.set(a, Some(Instant(5)));
        timers.set(b, Some(Instant(7)));
        timers.set(a, Some(Instant(9)));
        assert_eq!((timers.first(), timers.at(a)), (Some(Instant(7)), Some(Instant(9))));
        assert_eq!(timers.pop_due(Instant(6)), None);
        assert_eq!(timers.pop_due(Instant(9)), Some(b));
        timers.set(a, None);
        assert_eq!((timers.pop_due(Instant(99)), timers.first()), (None, None));
    }

    proptest! {
        #[test]
        fn it_agrees_with_a_sorted_map(steps in prop::collection::vec((0usize..TABLES, 0usize..40, prop::option::of(0u64..50)), 0..600)) {
            let (mut timers, mut model) = (Timers::default(), BTreeMap::new());
            for (n, (table, key, at)) in steps.into_iter().enumerate() {
                let timer = Timer::of(table, key);
                timers.set(timer, at.map(Instant));
                match at {
                    Some(at) => drop(model.insert(timer, at)),
                    None => drop(model.remove(&timer)),
                }
                if n % 5 == 0 {
                    let due = model.iter().map(|(timer, at)| (*at, *timer)).min().filter(|(at, _)| *at <= 9);
                    prop_assert_eq!(timers.pop_due(Instant(9)), due.map(|(_, timer)| timer));
                    due.map(|(_, timer)| model.remove(&timer));
                }
                prop_assert_eq!(timers.first().map(|at| at.0), model.values().min().copied());
            }
            prop_assert_eq!(timers.iter().count(), model.len());
            prop_assert!(timers.iter().all(|(at, timer)| model.get(&timer) == Some(&at.0)));
        }
    }
}
