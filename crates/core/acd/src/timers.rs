//! Every deadline of the ACD: what it is for, and which comes first.
//!
//! A table says when each is due. Deadlines of one sort mostly come in the order in which they were set, so they queue up
//! in lanes, each in rising order: a new one goes behind the latest that comes before it, and the first of all is the
//! first of a lane. What fits no lane goes into a heap. What is moved or cleared stays until it is the first of all, and is
//! recognised by the table: to give up a deadline costs nothing until it comes up. When such leftovers outnumber the
//! living, they are thrown out.

use crate::agent::AgentKey;
use crate::visit::{BarKey, VisitKey};
use base::Instant;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

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

/// Of each visit, from `Age` to `Announce`.
const OF_VISIT: usize = 5;
const FIRST_OF_VISIT: u8 = 2;
const SORTS: u8 = 8;
const NEVER: u64 = u64::MAX;
/// Leftovers that are not worth a sweep.
const LEFTOVERS: usize = 64;
const LANES: usize = 12;

/// When, and what: the timer's sort above its number, so that the order is that of [`Timer`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Entry(u64, u64);

const NONE: Entry = Entry(NEVER, NEVER);
const SORT_SHIFT: u32 = 56;

#[derive(Clone, Debug, Default)]
struct Tables {
    agents: Vec<u64>,
    bars: Vec<u64>,
    visits: Vec<[u64; OF_VISIT]>,
    returns: Vec<u64>,
}

/// Entries in rising order.
#[derive(Clone, Debug, Default)]
struct Lane(VecDeque<Entry>);

#[derive(Clone, Debug)]
pub(crate) struct Timers {
    at: Tables,
    lanes: [Lane; LANES],
    /// Of each lane, kept at hand; [`NONE`] if it is empty.
    lasts: [Entry; LANES],
    /// Where the last of each sort was put.
    lane_of: [usize; SORTS as usize],
    heap: BinaryHeap<Reverse<Entry>>,
    live: usize,
    held: usize,
    first: Entry,
}

impl Default for Timers {
    fn default() -> Self {
        Timers {
            at: Tables::default(),
            lanes: Default::default(),
            lasts: [NONE; LANES],
            lane_of: [0; SORTS as usize],
            heap: BinaryHeap::new(),
            live: 0,
            held: 0,
            first: NONE,
        }
    }
}

impl Timer {
    fn slot(self) -> (u8, usize) {
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

    fn of(sort: u8, key: usize) -> Timer {
        match sort {
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

impl Entry {
    fn new(at: u64, (sort, key): (u8, usize)) -> Self {
        Entry(at, u64::from(sort) << SORT_SHIFT | key as u64)
    }

    fn slot(self) -> (u8, usize) {
        ((self.1 >> SORT_SHIFT) as u8, (self.1 & ((1 << SORT_SHIFT) - 1)) as usize)
    }
}

impl Tables {
    fn get(&self, (sort, key): (u8, usize)) -> u64 {
        let due = match sort {
            0 => self.agents.get(key),
            1 => self.bars.get(key),
            7 => self.returns.get(key),
            _ => self.visits.get(key).map(|due| &due[usize::from(sort - FIRST_OF_VISIT)]),
        };
        due.copied().unwrap_or(NEVER)
    }

    /// Gives what was there.
    fn replace(&mut self, (sort, key): (u8, usize), at: u64) -> u64 {
        let due = match sort {
            0 => slot_of(&mut self.agents, key, NEVER),
            1 => slot_of(&mut self.bars, key, NEVER),
            7 => slot_of(&mut self.returns, key, NEVER),
            _ => &mut slot_of(&mut self.visits, key, [NEVER; OF_VISIT])[usize::from(sort - FIRST_OF_VISIT)],
        };
        std::mem::replace(due, at)
    }

    fn lives(&self, entry: Entry) -> bool {
        self.get(entry.slot()) == entry.0
    }
}

fn slot_of<T: Clone>(table: &mut Vec<T>, key: usize, never: T) -> &mut T {
    if key >= table.len() {
        table.resize(key + 1, never);
    }
    &mut table[key]
}

impl Timers {
    /// Sets, moves or (with `None`) clears.
    pub fn set(&mut self, timer: Timer, at: Option<Instant>) {
        let slot = timer.slot();
        let at = at.map_or(NEVER, |at| at.0.min(NEVER - 1));
        let before = self.at.replace(slot, at);
        if before == at {
            return;
        }
        if before != NEVER {
            self.live -= 1;
            self.give_up(Entry::new(before, slot));
        }
        if at != NEVER {
            self.live += 1;
            self.put_in(Entry::new(at, slot));
        }
    }

    /// Clears all of a visit's.
    pub fn clear_visit(&mut self, visit: VisitKey) {
        let Some(due) = self.at.visits.get_mut(visit.0) else { return };
        for (sort, at) in std::mem::replace(due, [NEVER; OF_VISIT]).into_iter().enumerate() {
            if at != NEVER {
                self.live -= 1;
                self.give_up(Entry::new(at, (FIRST_OF_VISIT + sort as u8, visit.0)));
            }
        }
    }

    pub fn at(&self, timer: Timer) -> Option<Instant> {
        Some(self.at.get(timer.slot())).filter(|at| *at != NEVER).map(Instant)
    }

    /// Reads where a visit's are.
    pub fn glance(&self, visit: usize) -> usize {
        self.at.visits.get(visit).map_or(0, |due| due[0] as usize ^ due[OF_VISIT - 1] as usize)
    }

    pub fn first(&self) -> Option<Instant> {
        (self.first != NONE).then_some(Instant(self.first.0))
    }

    pub fn pop_due(&mut self, now: Instant) -> Option<Timer> {
        if self.first.0 > now.0 || self.first == NONE {
            return None;
        }
        let (sort, key) = self.first.slot();
        let timer = Timer::of(sort, key);
        self.set(timer, None);
        Some(timer)
    }

    /// In no order of time.
    #[cfg(test)]
    fn iter(&self) -> impl Iterator<Item = (Instant, Timer)> {
        let keys = |sort: u8| match sort {
            0 => self.at.agents.len(),
            1 => self.at.bars.len(),
            7 => self.at.returns.len(),
            _ => self.at.visits.len(),
        };
        let all = (0..SORTS).flat_map(move |sort| (0..keys(sort)).map(move |key| Timer::of(sort, key)));
        all.filter_map(|timer| Some((self.at(timer)?, timer)))
    }

    /// Into the lane in which the last of its sort was put, else behind the latest that comes before it.
    fn put_in(&mut self, entry: Entry) {
        self.held += 1;
        self.first = self.first.min(entry);
        let sort = usize::from(entry.slot().0);
        if !self.fits(self.lane_of[sort], entry) {
            let best = (0..LANES).filter(|lane| self.fits(*lane, entry)).max_by_key(|lane| self.lasts[*lane]);
            let Some(lane) = best.or_else(|| (0..LANES).find(|lane| self.lasts[*lane] == NONE)) else {
                return self.heap.push(Reverse(entry));
            };
            self.lane_of[sort] = lane;
        }
        let lane = self.lane_of[sort];
        self.lasts[lane] = entry;
        self.lanes[lane].0.push_back(entry);
    }

    /// The lane ends before it. Of one that is empty that is not said.
    fn fits(&self, lane: usize, entry: Entry) -> bool {
        self.lasts[lane] < entry
    }

    /// It stays where it is until it is the first, unless it is what was put in last of its sort.
    fn give_up(&mut self, entry: Entry) {
        let lane = self.lane_of[usize::from(entry.slot().0)];
        if self.lasts[lane] == entry {
            self.lanes[lane].0.pop_back();
            self.held -= 1;
            self.lasts[lane] = self.lanes[lane].0.back().copied().unwrap_or(NONE);
        }
        if self.held > 4 * self.live + LEFTOVERS {
            self.sweep();
        }
        if self.first == entry {
            self.find_first();
        }
    }

    /// Drops what is dead at the head of the lanes and of the heap.
    fn find_first(&mut self) {
        self.first = NONE;
        for (lane, last) in self.lasts.iter_mut().enumerate().filter(|(_, last)| **last != NONE) {
            let entries = &mut self.lanes[lane].0;
            while entries.front().is_some_and(|entry| !self.at.lives(*entry)) {
                entries.pop_front();
                self.held -= 1;
            }
            match entries.front() {
                Some(first) => self.first = self.first.min(*first),
                None => *last = NONE,
            }
        }
        while self.heap.peek().is_some_and(|Reverse(first)| !self.at.lives(*first)) {
            self.heap.pop();
            self.held -= 1;
        }
        if let Some(Reverse(first)) = self.heap.peek() {
            self.first = self.first.min(*first);
        }
    }

    fn sweep(&mut self) {
        let at = &self.at;
        for (lane, entries) in self.lanes.iter_mut().enumerate() {
            entries.0.retain(|entry| at.lives(*entry));
            self.lasts[lane] = entries.0.back().copied().unwrap_or(NONE);
        }
        self.heap.retain(|Reverse(entry)| at.lives(*entry));
        self.held = self.heap.len() + self.lanes.iter().map(|lane| lane.0.len()).sum::<usize>();
    }
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

    #[test]
    fn what_is_set_and_cleared_over_and_over_is_not_kept() {
        let mut timers = Timers::default();
        (0..100).for_each(|n| timers.set(Timer::Age(VisitKey(n)), Some(Instant(1_000 + n as u64))));
        for n in 0..10_000 {
            timers.set(Timer::Agent(AgentKey(n % 3)), Some(Instant(500 + n as u64)));
            timers.set(Timer::Agent(AgentKey(n % 7)), None);
        }
        assert!(timers.held <= 4 * timers.live + LEFTOVERS, "{} for {}", timers.held, timers.live);
    }

    proptest! {
        #[test]
        fn it_agrees_with_a_sorted_map(steps in prop::collection::vec((0u8..SORTS, 0usize..40, prop::option::of(0u64..50)), 0..600)) {
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
