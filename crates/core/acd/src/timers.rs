//! Every deadline of the ACD: what it is for, and which comes first.

use crate::agent::AgentKey;
use base::{Instant, VisitId};
use std::collections::{BTreeMap, BTreeSet};

/// What becomes due. Among equals the order below decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Timer {
    /// The agent's state resolves itself: the phone rang long enough, wrap-up is over, a lease ran out.
    Agent(AgentKey),
    /// This agent may be tried again for this visit.
    Bar(VisitId, AgentKey),
    /// The visit reached the age at which it leaves its queue.
    Age(VisitId),
    /// The caller may hear the position again.
    Announce(VisitId),
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Timers {
    at: BTreeMap<Timer, Instant>,
    order: BTreeSet<(Instant, Timer)>,
}

impl Timers {
    /// Sets, moves or (with `None`) clears.
    pub fn set(&mut self, timer: Timer, at: Option<Instant>) {
        let before = match at {
            Some(at) => self.at.insert(timer, at),
            None => self.at.remove(&timer),
        };
        if let Some(before) = before {
            self.order.remove(&(before, timer));
        }
        if let Some(at) = at {
            self.order.insert((at, timer));
        }
    }

    pub fn at(&self, timer: Timer) -> Option<Instant> {
        self.at.get(&timer).copied()
    }

    pub fn first(&self) -> Option<Instant> {
        self.order.first().map(|(at, _)| *at)
    }

    pub fn pop_due(&mut self, now: Instant) -> Option<Timer> {
        let (at, timer) = *self.order.first()?;
        if at > now {
            return None;
        }
        self.order.pop_first();
        self.at.remove(&timer);
        Some(timer)
    }

    pub fn iter(&self) -> impl Iterator<Item = (Instant, Timer)> {
        self.order.iter().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_earliest_comes_first_and_a_moved_one_once() {
        let (a, b) = (Timer::Agent(AgentKey(1)), Timer::Agent(AgentKey(2)));
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
}
