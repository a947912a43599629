//! Reading ahead.
//!
//! A decision goes from record to record, and each is named by the one before: the id names the agent, the agent a profile,
//! the profile some kinds, the best of these a visit. Among thousands of agents and calls hardly any of them is in the
//! core's caches, so that one decision waits for memory several times in a row. Who has a batch of inputs lets them be
//! read ahead: each step is taken for all of them before the next one, and as those reads do not depend on each other,
//! the core waits for many at once.
//!
//! Nothing is decided or changed. Where a step needs to know who will be chosen, it guesses from how things stand before
//! the batch; a wrong guess has read something for nothing.

use crate::agent::{Agent, AgentKey};
use crate::queue::Queue;
use crate::visit::{Visit, VisitKey};
use crate::{Acd, Input, SHOWN, Strategy};
use base::{AgentId, Now, QueueId, Requirement, VisitId};
use smallvec::SmallVec;
use std::hint::black_box;

/// Inputs read ahead at once: more than the core can wait for, fewer than push each other out of its caches.
const AT_ONCE: usize = 32;

type Batch<T> = SmallVec<[T; AT_ONCE]>;

impl Acd {
    /// Of inputs that are about to be handled, in their order, at about this time: brings what they will look at into the
    /// caches. Only the first 32 that free an agent or bring a call are read; others may be among them.
    pub fn read_ahead<'a>(&self, now: Now, inputs: impl IntoIterator<Item = &'a Input>) {
        let (mut freed, mut coming) = (Batch::new(), Batch::new());
        for input in inputs {
            match input {
                _ if freed.len() + coming.len() == AT_ONCE => break,
                Input::Released { agent, .. } => freed.push(agent),
                Input::Enqueue { visit, queue, requires, .. } => coming.push((visit, queue, requires)),
                _ => {}
            }
        }
        black_box(self.read_freed(&freed, now) ^ self.read_coming(&coming));
    }

    /// Agents who are about to be free: they themselves, and the visits that they are likely to get.
    fn read_freed(&self, freed: &[&AgentId], now: Now) -> usize {
        let mut read = 0;
        let agents: Batch<AgentKey> = freed.iter().filter_map(|id| self.agent_key(id)).collect();
        read ^= agents.iter().fold(0, |read, key| read ^ self.glance_at_agent(*key));
        let profiles: Batch<usize> = agents.iter().map(|key| self.agents[key.0].profile).collect();
        read ^= profiles.iter().fold(0, |read, profile| read ^ self.board.glance_at_profile(*profile));
        let visits: Batch<(usize, VisitKey)> =
            profiles.iter().filter_map(|profile| self.board.likely_visit(*profile, now.mono)).collect();
        read ^= visits.iter().fold(0, |read, (_, key)| read ^ self.visits.get(key.0).map_or(0, Visit::glance));
        visits.iter().fold(read, |read, (kind, key)| {
            let queue = self.visits.get(key.0).and_then(|v| self.queues.get(v.queue.0));
            read ^ self.board.glance_at_kind(*kind) ^ queue.map_or(0, Queue::glance)
        })
    }

    /// Calls that come: the place each will have in memory, its queue and kind, and the agents who are likely to get it.
    fn read_coming(&self, coming: &[(&VisitId, &QueueId, &Requirement)]) -> usize {
        let mut read = coming.iter().fold(0, |read, (visit, ..)| read ^ self.visit_of.glance(*visit));
        let places = self.visits.vacant().take(coming.len());
        read ^= places.fold(0, |read, at| read ^ usize::from(self.visits.get(at).is_some()) ^ self.timers.glance(at));
        let kinds: Batch<(usize, Strategy)> = coming
            .iter()
            .filter_map(|(_, queue, requires)| {
                let key = self.queue_key(queue)?;
                let queue = &self.queues[key.0];
                read ^= queue.glance();
                Some((self.board.likely_kind(key, requires)?, queue.config.strategy))
            })
            .collect();
        read ^=
            kinds.iter().fold(0, |read, (kind, _)| read ^ self.board.glance_at_kind(*kind) ^ self.board.glance_at_asks(*kind));
        let agents: Batch<SmallVec<[(usize, AgentKey); SHOWN]>> =
            kinds.iter().map(|(kind, strategy)| self.board.likely_agents(*kind, *strategy)).collect();
        // Those who come next are named.
        let others = agents.iter().flat_map(|likely| likely.iter().skip(1));
        read ^= others.fold(0, |read, (_, key)| read ^ self.glance_at_name(*key));
        let firsts = || agents.iter().filter_map(|likely| likely.first());
        read ^= firsts().fold(0, |read, (_, key)| read ^ self.glance_at_agent(*key));
        read ^= firsts().fold(0, |read, (profile, _)| read ^ self.board.glance_at_profile(*profile));
        firsts().fold(read, |read, (profile, _)| read ^ self.board.glance_at_seats(*profile))
    }

    fn glance_at_name(&self, key: AgentKey) -> usize {
        self.names.get(key.0).and_then(|name| name.as_str().as_bytes().first()).map_or(0, |byte| usize::from(*byte))
    }

    fn glance_at_agent(&self, key: AgentKey) -> usize {
        let due = self.timers.at(crate::Timer::Agent(key)).map_or(0, |at| at.0 as usize);
        due ^ self.agents.get(key.0).map_or(0, Agent::glance) ^ self.glance_at_name(key)
    }
}

/// In each of these a field or two of every line of the cache that a decision looks at.
impl Agent {
    fn glance(&self) -> usize {
        let small = self.told.state as usize ^ self.rank as usize ^ self.calls as usize ^ usize::from(self.own_skills.is_some());
        let long = self.kept.len() ^ self.groups.len() ^ self.barred.len() ^ usize::from(self.phase.talk().is_some());
        small
            ^ long
            ^ self.profile
            ^ self.lot as usize
            ^ self.offered.0 as usize
            ^ usize::from(self.id.as_str().as_bytes().first().copied().unwrap_or(0))
    }
}

impl Visit {
    fn glance(&self) -> usize {
        let own = self.id.n as usize ^ self.queue.0 ^ self.kind ^ usize::from(self.open) ^ self.entered.0 as usize;
        let lists = self.offers.len() ^ self.barred.len() ^ self.been.len() ^ usize::from(self.party.is_some());
        own ^ lists ^ usize::from(self.dials()) ^ self.place.visit.0 ^ self.heard.map_or(0, |heard| heard as usize)
    }
}

impl Queue {
    fn glance(&self) -> usize {
        self.id.as_str().len()
            ^ self.config.ring.as_secs() as usize
            ^ self.config.weight as usize
            ^ self.line.len()
            ^ self.expect.glance()
    }
}
