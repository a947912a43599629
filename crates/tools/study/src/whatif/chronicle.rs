//! A run as facts, folded by metrics: the same definitions for what happened and for what would have.

use super::facts::fact_of;
use crate::people::Caller;
use crate::world::Watch;
use acd::{Config, Output};
use base::fact::{About, Fact, Logged, What};
use base::{AgentId, AgentState, CallId, Now, Outcome};
use metrics::{Board, Interval, bucket_of, bucket_start};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Intervals that are added to the total at once; a board keeps three days.
const DAY: i64 = 96;

/// Facts in, sums out, however many days.
#[derive(Default)]
pub struct Chronicle {
    board: Board,
    total: Interval,
    /// The first interval that is not in the total yet.
    next: Option<i64>,
    seq: u64,
    last: Now,
    logged_in: BTreeSet<AgentId>,
    /// Calls whose callers asked to be called back: their later visits keep a place, and are nobody's on the line.
    called_back: BTreeSet<CallId>,
    config: Arc<Config>,
}

impl Chronicle {
    /// Of a run under this configuration: thresholds are taken from it.
    pub fn of(config: Arc<Config>, start: Now) -> Chronicle {
        let queues = config.queues.keys().cloned().collect();
        let mut chronicle = Chronicle { config, ..Chronicle::default() };
        let what = What::NodeStarted { boot_id: String::new(), version: base::fact::VERSION, queues };
        chronicle.fact(start, About::default(), what);
        chronicle
    }

    /// Of an epoch's log: from the node's first fact on.
    pub fn retell<'a>(facts: impl IntoIterator<Item = &'a Logged>) -> Interval {
        let mut chronicle = Chronicle::default();
        let own = facts.into_iter().skip_while(|l| !matches!(l.fact.what, What::NodeStarted { .. }));
        own.for_each(|logged| chronicle.tell(logged.fact.clone()));
        chronicle.close()
    }

    fn fact(&mut self, now: Now, about: About, what: What) {
        self.tell(Fact { now, about, what });
    }

    fn tell(&mut self, fact: Fact) {
        if let (What::AgentStateChanged { state, .. }, Some(agent)) = (&fact.what, &fact.about.agent) {
            if *state == AgentState::LoggedOut {
                self.logged_in.remove(agent);
            } else {
                self.logged_in.insert(agent.clone());
            }
        }
        self.seq += 1;
        self.last = fact.now;
        let bucket = bucket_of(fact.now.wall);
        self.board.apply(&Logged { epoch: 1, seq: self.seq, fact });
        let next = *self.next.get_or_insert(bucket);
        if bucket >= next + 2 * DAY {
            self.add_up_to(next + DAY);
        }
    }

    fn add_up_to(&mut self, end: i64) {
        let from = self.next.unwrap_or(end);
        for (_, interval) in self.board.intervals(bucket_start(from), bucket_start(end)) {
            self.total.merge(interval);
        }
        self.next = Some(end);
    }

    /// Everything. Whoever is logged in still counts up to the last fact.
    pub fn close(mut self) -> Interval {
        let end = self.last;
        for agent in std::mem::take(&mut self.logged_in) {
            let state = AgentState::LoggedOut;
            let what = What::AgentStateChanged { state, previous: state, previous_ms: 0, reason: None };
            self.fact(end, About { agent: Some(agent), ..About::default() }, what);
        }
        self.add_up_to(bucket_of(end.wall) + 1);
        self.total
    }
}

impl Watch for Chronicle {
    fn output(&mut self, now: Now, output: &Output, caller: Option<&Caller>) {
        let Some(fact) = fact_of(&self.config, now, output, caller) else { return };
        if let (What::QueueLeft { outcome: Outcome::Callback, .. }, Some(call)) = (&fact.what, fact.about.call) {
            self.called_back.insert(call);
        }
        let keeps_a_place = matches!(fact.what, What::QueueEntered { .. })
            && fact.about.call.is_some_and(|call| self.called_back.contains(&call));
        if !keeps_a_place {
            self.tell(fact);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracles::house;
    use crate::people::{AtOnce, Leaving};
    use crate::world::{Plan, World};
    use base::Requirement;
    use std::time::Duration;

    #[test]
    fn the_place_of_a_callback_is_no_second_visit() {
        let mut config = house::pooled(0);
        let queue = config.queues.keys().next().cloned().unwrap();
        let minute = Duration::from_secs(60);
        let callback = acd::Callback { first: acd::CallFirst::Agent, attempts: 2, retry_after: minute, ring: minute };
        config.queues.get_mut(&queue).unwrap().callback = Some(callback);
        let config = Arc::new(config);
        let start = Now::default();
        let caller = Caller {
            at: start.mono,
            queue: queue.clone(),
            requires: Requirement::default(),
            priority_s: 0,
            lang: None,
            party: None,
            credit: Duration::ZERO,
            leaves: Some(Leaving { after: Duration::from_secs(5), outcome: Outcome::Callback }),
            talk: Duration::ZERO,
            wrap_up: None,
        };
        let plan = Plan { config: config.clone(), routing_seed: 1, start, lines: None, schedule: Vec::new() };
        let mut chronicle = Chronicle::of(config, start);
        let mut world = World::new(plan, std::iter::once(caller), AtOnce, &mut chronicle);
        world.run(Some(start.mono + Duration::from_secs(60)), &mut chronicle);
        let sums = &chronicle.close().queues[&queue];
        assert_eq!((sums.offered, sums.callback), (1, 1));
    }
}
