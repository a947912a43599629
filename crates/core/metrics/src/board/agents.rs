//! Offers, agents' states, conversations and the recordings that they owe.

use super::{Board, state_slices};
use crate::interval::bucket_of;
use crate::live::{LiveAgent, LiveConversation, Moment};
use base::fact::{About, Kept};
use base::{AgentId, AgentState, Cause, ConversationId, RecordingId};
use std::collections::BTreeMap;

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

    pub(super) fn on_connected(&mut self, about: &About, at: Moment) {
        let Some(id) = about.conversation else { return };
        let bucket = bucket_of(at.now.wall);
        self.on_agent_reached(id.call);
        self.agent(about, at, |agent| {
            agent.call = Some(id.call);
            agent.queue = about.queue.clone().or(agent.queue.take());
        });
        let queue = about.agent.as_ref().and_then(|a| self.agents.get(a)).and_then(|a| a.queue.clone());
        let live = LiveConversation { bucket, agent: about.agent.clone(), queue, ended: false, parts: BTreeMap::new() };
        self.conversations.insert(id, live);
        self.interval(bucket, |i| {
            i.recordings.expected += 1;
            if let Some(agent) = &about.agent {
                i.agents.entry(agent.clone()).or_default().calls += 1;
            }
        });
    }

    pub(super) fn on_conversation_ended(&mut self, about: &About, at: Moment, talk_ms: u64, hold_ms: u64) {
        let Some(id) = about.conversation else { return };
        let Some(live) = self.conversations.get_mut(&id) else { return };
        if std::mem::replace(&mut live.ended, true) {
            return;
        }
        let (bucket, agent, queue) = (bucket_of(at.now.wall), live.agent.clone(), live.queue.clone());
        if let Some(queue) = &queue {
            self.queue(bucket, queue, |sums| {
                sums.handled += 1;
                sums.talk_ms += talk_ms;
                sums.hold_ms += hold_ms;
            });
        }
        if let Some(agent) = agent {
            self.interval(bucket, |i| {
                let sums = i.agents.entry(agent.clone()).or_default();
                sums.handled += 1;
                sums.handle_ms += talk_ms + hold_ms;
            });
            if let Some(agent) = self.agents.get_mut(&agent) {
                agent.handled = Some((bucket, queue));
            }
        }
        self.settle(id);
    }

    /// Wrap-up belongs to the interval in which its conversation ended, also after a logout.
    pub(super) fn on_wrapped_up(&mut self, about: &About, wrapup_ms: u64) {
        let Some(id) = &about.agent else { return };
        let Some((bucket, queue)) = self.agents.get_mut(id).and_then(|a| a.handled.take()) else { return };
        self.interval(bucket, |i| i.agents.entry(id.clone()).or_default().handle_ms += wrapup_ms);
        if let Some(queue) = &queue {
            self.queue(bucket, queue, |sums| sums.wrap_ms += wrapup_ms);
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

    /// A part began (`None`) or ended; its first end stands.
    pub(super) fn on_part(&mut self, recording: RecordingId, kept: Option<Kept>) {
        let Some(live) = self.conversations.get_mut(&recording.conversation) else { return };
        let part = live.parts.entry(recording.n).or_insert(None);
        *part = part.or(kept);
        self.settle(recording.conversation);
    }

    /// A conversation that ended, with each part ended, is counted and forgotten.
    fn settle(&mut self, id: ConversationId) {
        let Some(live) = self.conversations.get(&id).filter(|live| live.ended) else { return };
        let (bucket, Some(kept)) = (live.bucket, live.kept()) else { return };
        self.conversations.remove(&id);
        self.interval(bucket, |i| match kept {
            Kept::Complete => i.recordings.complete += 1,
            Kept::Partial => i.recordings.partial += 1,
            Kept::Failed => i.recordings.failed += 1,
        });
    }
}
