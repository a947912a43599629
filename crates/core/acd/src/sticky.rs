//! Callers who come back: to the agent they had last, and to the place that a failure took from them.
//!
//! A visit is kept for its caller's last agent for the queue's `sticky`, if that agent is logged in, not away, and could
//! serve it at some step. That agent takes what is kept for it first, best score first, then the best of all queues.
//! The keeping ends when its time is up, when the agent goes away or can't serve it any more, and with the first offer
//! to that agent that is not accepted. It is for who comes back: a call that this very agent had, and passed on to a
//! queue, is everybody's there.

use crate::agent::AgentKey;
use crate::board::Head;
use crate::timers::Timer;
use crate::visit::{Hold, VisitKey};
use crate::visits::Entry;
use crate::{Acd, Caller};
use base::{AgentId, CallId, Instant, Mutation, QueueId, mutated};
use std::time::Duration;

/// Who had a caller, and in which call.
#[derive(Clone, Debug)]
pub(crate) struct LastAgent {
    agent: AgentId,
    call: CallId,
}

/// The place of somebody who was cut off.
#[derive(Clone, Debug)]
pub(crate) struct Lost {
    entered: Instant,
    credit: Duration,
    priority_s: i64,
    until: Instant,
}

impl Acd {
    pub(crate) fn keep_for_last_agent(&mut self, key: VisitKey) {
        let v = &self.visits[key.0];
        let queue = &self.queues[v.queue.0];
        let (sticky, family) = (queue.config.sticky, self.board.kinds[v.kind].family);
        let Some(party) = v.party.filter(|_| !sticky.is_zero() && v.hold == Hold::Nothing && !v.dials()) else { return };
        let Some(last) = self.last_agents.recall(&(queue.tenant.clone(), party)) else { return };
        if last.call == v.id.call && !mutated(Mutation::PassedOnComesBack) {
            return;
        }
        let Some(agent) = self.agent_key(&last.agent) else { return };
        let a = &self.agents[agent.0];
        if !a.is_about() || a.removed || !self.board.could_serve(family, a.profile) {
            return;
        }
        self.timers.set(Timer::Kept(key), Some(v.entered + sticky));
        self.visits[key.0].hold = Hold::KeptFor(agent);
        self.agents[agent.0].kept.push(key);
        self.woken_agents.push(agent);
    }

    /// The caller had this agent.
    pub(crate) fn remember_agent(&mut self, key: VisitKey, agent: AgentKey) {
        let v = &self.visits[key.0];
        let queue = &self.queues[v.queue.0];
        if let Some(party) = v.party.filter(|_| queue.remembers && !mutated(Mutation::LastAgentForgotten)) {
            let last = LastAgent { agent: self.agents[agent.0].id.clone(), call: v.id.call };
            self.last_agents.remember((queue.tenant.clone(), party), last);
        }
    }

    /// Of the visits kept for this agent the one with the best score.
    pub(crate) fn best_kept(&self, agent: AgentKey, now: Instant) -> Option<Head> {
        self.agents[agent.0].kept.iter().map(|key| self.head_of(*key, now)).min()
    }

    /// Everybody may take it now.
    pub(crate) fn release(&mut self, key: VisitKey) {
        let Hold::KeptFor(agent) = self.visits[key.0].hold else { return };
        self.timers.set(Timer::Kept(key), None);
        self.agents[agent.0].kept.retain(|kept| *kept != key);
        self.visits[key.0].hold = Hold::Nothing;
        self.refresh_open(key);
    }

    /// All that is kept for this agent.
    pub(crate) fn release_kept(&mut self, agent: AgentKey) {
        while let Some(key) = self.agents[agent.0].kept.last().copied() {
            self.release(key);
        }
    }

    /// What the agent can't serve any more is kept no longer.
    pub(crate) fn review_kept(&mut self, agent: AgentKey) {
        for key in self.agents[agent.0].kept.clone() {
            let family = self.board.kinds[self.visits[key.0].kind].family;
            if !self.board.could_serve(family, self.agents[agent.0].profile) {
                self.release(key);
            }
        }
    }

    /// A failure took the caller's place. Nobody's who is not known, and nobody's who is not on the line.
    pub(crate) fn remember_place(&mut self, key: VisitKey, now: Instant) {
        let v = &self.visits[key.0];
        let queue = &self.queues[v.queue.0];
        let within = queue.config.return_within;
        if mutated(Mutation::ReturningCallerForgotten) {
            return;
        }
        let Some(party) = v.party.filter(|_| !within.is_zero() && !v.is_virtual()) else { return };
        let lost = Lost { entered: v.entered, credit: v.credit, priority_s: v.priority_s, until: now + within };
        let first = self.timers.at(Timer::Returns).map_or(lost.until, |first| first.min(lost.until));
        self.timers.set(Timer::Returns, Some(first));
        self.lost_places.remember((queue.id.clone(), party), lost);
    }

    /// Gives the old place to who is back in time: all that passed since the caller first entered counts as waited.
    pub(crate) fn give_back_place(&self, queue: &QueueId, entry: &mut Entry, now: Instant) -> bool {
        if let Caller::Virtual { .. } = entry.caller {
            entry.aged = entry.credit;
            return false;
        }
        let lost = entry.party.and_then(|party| self.lost_places.recall(&(queue.clone(), party)));
        let Some(lost) = lost else { return false };
        entry.aged = now.since(lost.entered);
        entry.credit = entry.credit.max(lost.credit.saturating_add(entry.aged));
        entry.priority_s = entry.priority_s.max(lost.priority_s);
        true
    }

    pub(crate) fn on_returns_due(&mut self, now: Instant) {
        self.lost_places.retain(|_, lost| lost.until > now);
        let first = self.lost_places.values().map(|lost| lost.until).min();
        self.timers.set(Timer::Returns, first);
    }
}
