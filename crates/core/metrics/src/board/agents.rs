//! Offers and agents' states.

use super::{Board, state_slices};
use crate::interval::bucket_of;
use crate::live::{LiveAgent, Moment};
use base::fact::About;
use base::{AgentId, AgentState, Cause};

impl Board {
    pub(super) fn on_offer_sent(&mut self, about: &About, at: Moment) {
        self.agent(about, at, |agent| {
            agent.call = about.call;
            agent.queue = about.queue.clone();
        });
        let bucket = bucket_of(at.now.wall);
        if let Some(agent) = &about.agent {
            self.interval(bucket, |i| i.agents.entry(agent.clone()).or_default().offers += 1);
        }
        if let Some(queue) = &about.queue {
            self.queue(bucket, queue, |sums| sums.offers += 1);
        }
    }

    pub(super) fn on_rona(&mut self, about: &About, at: Moment) {
        let bucket = bucket_of(at.now.wall);
        if let Some(agent) = &about.agent {
            self.interval(bucket, |i| i.agents.entry(agent.clone()).or_default().rona += 1);
        }
        if let Some(queue) = &about.queue {
            self.queue(bucket, queue, |sums| sums.rona += 1);
        }
    }

    pub(super) fn on_agent_state(&mut self, about: &About, state: AgentState, reason: Option<String>, at: Moment) {
        let Some(id) = about.agent.clone() else { return };
        if let Some((before, since)) = self.agents.get(&id).map(|a| (a.state, a.since)) {
            if before == state && state == AgentState::LoggedOut {
                return;
            }
            for (bucket, ms) in state_slices(before, &since, &at) {
                self.interval(bucket, |i| *i.agents.entry(id.clone()).or_default().states.entry(before).or_insert(0) += ms);
            }
        }
        self.agent(about, at, |agent| {
            (agent.state, agent.since, agent.cause, agent.reason) = (state, at, about.cause, reason);
            use AgentState::*;
            if matches!(state, LoggedOut | Available | Paused | Unreachable) {
                (agent.call, agent.queue) = (None, None);
            }
        });
    }

    /// Logins survive a restart and are said again before the first heartbeat. Who is not said again is not in the
    /// site any more.
    pub(super) fn on_heartbeat(&mut self, at: Moment) {
        let gone = |agent: &LiveAgent| agent.state != AgentState::LoggedOut && agent.since.boot != at.boot;
        if at.boot.is_none() || !self.agents.values().any(gone) {
            return;
        }
        let gone: Vec<AgentId> = self.agents.iter().filter(|(_, a)| gone(a)).map(|(id, _)| id.clone()).collect();
        for id in gone {
            let about = About { agent: Some(id), cause: Some(Cause::NodeLost), ..About::default() };
            self.on_agent_state(&about, AgentState::LoggedOut, None, at);
        }
    }
}
