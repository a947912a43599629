//! Conversations: their beginning and end, what they were passed on to, their wrap-up and code, the recording they owe.
//!
//! A conversation in an agent's own call (outgoing, internal) is counted as that and as nothing else.

use super::Board;
use crate::interval::{AgentSums, QueueSums, bucket_of};
use crate::live::{Handled, LiveConversation, Moment};
use crate::sums::{count_down, count_up};
use base::fact::{About, Direction, Excluded, Kept, Transfer};
use base::{AgentId, CallId, ConversationId, RecordingId};
use std::collections::BTreeMap;

/// What `agent_leg.ended` says.
#[derive(Clone, Copy)]
pub(super) struct Talk {
    pub talk_ms: u64,
    pub hold_ms: u64,
    pub consult_ms: u64,
}

impl Board {
    pub(super) fn on_connected(&mut self, about: &About, at: Moment) {
        let Some(id) = about.conversation else { return };
        let bucket = bucket_of(at.now.wall);
        let own = self.own(about, id);
        if own.is_none() {
            self.on_agent_reached(id.call);
        }
        self.agent(about, at, |agent| {
            agent.call = Some(id.call);
            if own.is_some() {
                agent.queue = None;
                // Its wrap-up, if there is one, is not that of the conversation before.
                agent.handled.iter_mut().for_each(|handled| handled.wrapped = true);
            } else if about.queue.is_some() {
                agent.queue.clone_from(&about.queue);
            }
        });
        let queue = about.agent.as_ref().and_then(|a| self.agents.get(a)).and_then(|a| a.queue.clone());
        let live = LiveConversation {
            bucket,
            agent: about.agent.clone(),
            queue,
            own,
            ended: None,
            transferred: None,
            conferenced: false,
            code: None,
            owes: own.is_none(),
            excluded: false,
            policy: None,
            parts: BTreeMap::new(),
        };
        self.conversations.insert(id, live);
        if own.is_none() {
            self.interval(bucket, |i| i.recordings.expected += 1);
            self.of_agent(bucket, about.agent.as_ref(), |sums| sums.calls += 1);
        }
    }

    /// Which way an agent's own call went, if this conversation is one: it stands in no queue's name.
    fn own(&self, about: &About, id: ConversationId) -> Option<Direction> {
        let direction = self.calls.get(&id.call)?.direction;
        (direction != Direction::Incoming && about.visit.is_none() && about.queue.is_none()).then_some(direction)
    }

    pub(super) fn on_transferred(&mut self, about: &About, kind: Transfer) {
        if let Some(live) = about.conversation.and_then(|id| self.conversations.get_mut(&id)) {
            live.transferred = Some(kind);
        }
    }

    pub(super) fn on_conferenced(&mut self, about: &About) {
        if let Some(live) = about.conversation.and_then(|id| self.conversations.get_mut(&id)) {
            live.conferenced = true;
        }
    }

    pub(super) fn on_conversation_ended(&mut self, about: &About, at: Moment, talk: Talk) {
        let Some(id) = about.conversation else { return };
        let Some(live) = self.conversations.get_mut(&id) else { return };
        if live.ended.replace(at).is_some() {
            return;
        }
        let (bucket, live) = (bucket_of(at.now.wall), live.clone());
        match live.own {
            Some(direction) => self.of_agent(bucket, live.agent.as_ref(), |sums| match direction {
                Direction::Outgoing => sums.outgoing_talk_ms += talk.talk_ms,
                Direction::Internal => sums.internal_talk_ms += talk.talk_ms,
                Direction::Incoming | Direction::FeatureCode => {}
            }),
            None => self.count_handled(id.call, bucket, live, talk),
        }
        self.settle(id);
    }

    fn count_handled(&mut self, call: CallId, bucket: i64, live: LiveConversation, talk: Talk) {
        if let Some(queue) = &live.queue {
            self.queue(bucket, queue, |sums| {
                sums.handled += 1;
                sums.talk_ms += talk.talk_ms;
                sums.hold_ms += talk.hold_ms;
                sums.consult_ms += talk.consult_ms;
                sums.conferences += u64::from(live.conferenced);
                if let Some(kind) = live.transferred {
                    sums.transfers.record(kind);
                }
            });
        }
        self.of_agent(bucket, live.agent.as_ref(), |sums| {
            sums.handled += 1;
            sums.handle_ms += talk.talk_ms + talk.hold_ms;
            if let Some(kind) = live.transferred {
                sums.transfers.record(kind);
            }
        });
        let Some(agent) = live.agent else { return };
        let handled = Handled { call, wrapped: false, bucket, queue: live.queue, code: live.code };
        self.recode(&agent, &handled, None, handled.code.clone());
        if let Some(agent) = self.agents.get_mut(&agent) {
            agent.handled = Some(handled);
        }
    }

    /// Of the agent's conversation in that call; the last code stands. It may come while the agent still talks, and then
    /// counts at the end. One that comes after the end of the agent's next conversation is in no figure.
    pub(super) fn on_coded(&mut self, about: &About, code: &str) {
        let call = about.conversation.map(|c| c.call).or(about.visit.map(|v| v.call)).or(about.call);
        let (Some(id), Some(call), code) = (&about.agent, call, Some(code.to_string())) else { return };
        let talks = |(c, live): &(&ConversationId, &mut LiveConversation)| {
            c.call == call && live.agent.as_ref() == Some(id) && live.ended.is_none()
        };
        if let Some((_, live)) = self.conversations.iter_mut().find(talks) {
            live.code = code;
            return;
        }
        let handled = self.agents.get_mut(id).and_then(|agent| agent.handled.as_mut());
        let Some(handled) = handled.filter(|handled| handled.call == call) else { return };
        let before = std::mem::replace(&mut handled.code, code.clone());
        let handled = handled.clone();
        self.recode(id, &handled, before, code);
    }

    fn recode(&mut self, agent: &AgentId, handled: &Handled, before: Option<String>, after: Option<String>) {
        let change = |counts: &mut BTreeMap<String, u64>| {
            if let Some(before) = &before {
                count_down(counts, before);
            }
            if let Some(after) = &after {
                count_up(counts, after.clone());
            }
        };
        self.of_agent(handled.bucket, Some(agent), |sums: &mut AgentSums| change(&mut sums.dispositions));
        if let Some(queue) = &handled.queue {
            self.queue(handled.bucket, queue, |sums: &mut QueueSums| change(&mut sums.dispositions));
        }
    }

    /// Wrap-up belongs to the interval in which its conversation ended, also after a logout.
    pub(super) fn on_wrapped_up(&mut self, about: &About, wrapup_ms: u64) {
        let Some(id) = &about.agent else { return };
        let handled = self.agents.get_mut(id).and_then(|a| a.handled.as_mut()).filter(|handled| !handled.wrapped);
        let Some(handled) = handled else { return };
        handled.wrapped = true;
        let handled = handled.clone();
        self.of_agent(handled.bucket, Some(id), |sums| sums.handle_ms += wrapup_ms);
        if let Some(queue) = &handled.queue {
            self.queue(handled.bucket, queue, |sums| sums.wrap_ms += wrapup_ms);
        }
    }

    /// It owes a recording, by this policy; told once.
    pub(super) fn on_owed(&mut self, about: &About, policy: &str) {
        let Some(live) = about.conversation.and_then(|id| self.conversations.get_mut(&id)) else { return };
        if live.policy.is_some() {
            return;
        }
        live.policy = Some(policy.to_string());
        let (bucket, owed) = (live.bucket, std::mem::replace(&mut live.owes, true));
        self.interval(bucket, |i| {
            i.recordings.expected += u64::from(!owed);
            i.recordings.policies.entry(policy.to_string()).or_default().expected += 1;
        });
    }

    /// It owes no recording: outside the expected ones, and shown by its reason.
    pub(super) fn on_excluded(&mut self, about: &About, reason: Excluded, policy: &str) {
        let Some((id, live)) = about.conversation.and_then(|id| Some((id, self.conversations.get_mut(&id)?))) else { return };
        if std::mem::replace(&mut live.excluded, true) {
            return;
        }
        let (bucket, owed) = (live.bucket, std::mem::take(&mut live.owes));
        self.interval(bucket, |i| {
            i.recordings.expected = i.recordings.expected.saturating_sub(u64::from(owed));
            count_up(&mut i.recordings.excluded, reason.name().to_string());
            if !policy.is_empty() {
                let of_policy = i.recordings.policies.entry(policy.to_string()).or_default();
                count_up(&mut of_policy.excluded, reason.name().to_string());
            }
        });
        self.settle(id);
    }

    pub(super) fn on_recording_alarm(&mut self, recording: RecordingId, at: Moment) {
        if self.alarms.insert(recording) {
            self.interval(bucket_of(at.now.wall), |i| i.recordings.alarms += 1);
        }
    }

    /// A part began (`None`) or ended; its first end stands.
    pub(super) fn on_part(&mut self, recording: RecordingId, kept: Option<Kept>) {
        if kept.is_some() {
            self.alarms.remove(&recording);
        }
        let Some(live) = self.conversations.get_mut(&recording.conversation) else { return };
        let part = live.parts.entry(recording.n).or_insert(None);
        *part = part.or(kept);
        if !live.excluded && !std::mem::replace(&mut live.owes, true) {
            let bucket = live.bucket;
            self.interval(bucket, |i| i.recordings.expected += 1);
        }
        self.settle(recording.conversation);
    }

    /// A conversation that ended, with each part ended, is counted and forgotten.
    fn settle(&mut self, id: ConversationId) {
        let Some(live) = self.conversations.get(&id).filter(|live| live.ended.is_some()) else { return };
        if !live.owes {
            self.conversations.remove(&id);
            return;
        }
        let (bucket, policy, Some(kept)) = (live.bucket, live.policy.clone(), live.kept()) else { return };
        self.conversations.remove(&id);
        self.interval(bucket, |i| {
            let all = &mut i.recordings;
            let of_policy = policy.map(|policy| all.policies.entry(policy).or_default());
            match kept {
                Kept::Complete => all.complete += 1,
                Kept::Partial => all.partial += 1,
                Kept::Failed => all.failed += 1,
            }
            of_policy.into_iter().for_each(|sums| match kept {
                Kept::Complete => sums.complete += 1,
                Kept::Partial => sums.partial += 1,
                Kept::Failed => sums.failed += 1,
            });
        });
    }
}
