//! What follows a conversation.
//!
//! ```text
//!             none, or optional and not asked for, or forced and coded already
//!  Released ──────────────────────────────────────────────────────────────────▶ pending ask, or available
//!     │                                                                             ▲
//!     └──▶ wrap_up ── optional: Ready ── timed: Ready, its time ── forced: Code ────┤
//!             │                                                                     │
//!             └──────── the cap ────────────────────────────────────────────────────┘
//! ```
//! It blocks the agent in all queues.

use crate::agent::{AgentKey, Phase, Talk, Wrap};
use crate::queue::QueueKey;
use crate::timers::Timer;
use crate::{Acd, Ask, Output, Turn, WrapUp, WrapUpMode};
use base::{Cause, Mutation, mutated};
use std::sync::Arc;
use std::time::Duration;

impl Acd {
    /// The agent's own rule, else the queue's; without a queue there is none.
    pub(crate) fn wrap_up_rule(&self, key: AgentKey, queue: Option<QueueKey>) -> WrapUp {
        let none = WrapUp { mode: WrapUpMode::None, ..WrapUp::default() };
        let Some(queue) = queue.map(|queue| &self.queues[queue.0]) else { return none };
        let first = || self.agents[key.0].config.queues.first();
        if mutated(Mutation::IgnoreWrapUpAcrossQueues) && first() != Some(&queue.id) {
            return none;
        }
        self.agents[key.0].wrap_up.as_deref().copied().unwrap_or(queue.config.wrap_up)
    }

    /// The queue of a conversation, if there is one and it is still in the site.
    fn queue_of_talk(&self, talk: &Talk) -> Option<QueueKey> {
        let id = talk.queue.as_ref()?;
        let stays = self.queues.get(talk.near.0).is_some_and(|queue| queue.id == *id);
        if stays { Some(talk.near) } else { self.queue_key(id) }
    }

    pub(crate) fn on_released(&mut self, key: AgentKey, cause: Cause, turn: &mut Turn) {
        let agent = &self.agents[key.0];
        let Some(talk) = agent.phase.talk() else { return };
        let rule = self.wrap_up_rule(key, self.queue_of_talk(talk));
        let time = match rule.mode {
            WrapUpMode::Optional if talk.wrap_up => rule.cap,
            WrapUpMode::Timed => rule.time.min(rule.cap),
            WrapUpMode::Forced if !talk.coded => rule.cap,
            WrapUpMode::None | WrapUpMode::Optional | WrapUpMode::Forced => Duration::ZERO,
        };
        if agent.removed || time.is_zero() {
            return self.end_wrap_up(key, cause, turn);
        }
        let of = talk.queue.clone().map(|queue| (talk.visit, queue));
        let wrap = Wrap { of, rule, latest: turn.now + rule.cap };
        self.change(key, Phase::WrapUp(wrap), Some(turn.now + time), (cause, None), turn);
    }

    /// In conversation: wrap-up shall follow. In wrap-up: longer, up to the cap.
    pub(crate) fn on_wrap_up_asked(&mut self, key: AgentKey, turn: &mut Turn) {
        let agent = &self.agents[key.0];
        if let Some(talk) = agent.phase.talk() {
            if self.wrap_up_rule(key, self.queue_of_talk(talk)).mode == WrapUpMode::None {
                return self.refuse(key, Ask::WrapUp, "this conversation has no wrap-up", turn);
            }
            let agent = &mut self.agents[key.0];
            if let Phase::Talking(talk) | Phase::Holding(talk) = &mut agent.phase {
                talk.wrap_up = true;
            }
            return turn.say(Output::AskKept { agent: agent.id.clone(), ask: Ask::WrapUp });
        }
        let Phase::WrapUp(wrap) = &agent.phase else { return self.refuse(key, Ask::WrapUp, "no conversation", turn) };
        let (rule, latest) = (wrap.rule, wrap.latest);
        let Some(until) = agent.until.filter(|until| rule.mode == WrapUpMode::Timed && *until < latest) else {
            return self.refuse(key, Ask::WrapUp, "it can't last longer", turn);
        };
        let until = (until + rule.time).min(latest);
        self.agents[key.0].until = Some(until);
        self.timers.set(Timer::Agent(key), Some(until));
    }

    /// The conversation's disposition; the last one said counts.
    pub(crate) fn on_code(&mut self, key: AgentKey, code: Arc<str>, turn: &mut Turn) {
        let agent = &mut self.agents[key.0];
        let of = match &mut agent.phase {
            Phase::Talking(talk) | Phase::Holding(talk) => talk.queue.clone().map(|queue| (talk.visit, queue)),
            Phase::WrapUp(wrap) => wrap.of.clone(),
            _ => None,
        };
        let Some((visit, queue)) = of else { return self.refuse(key, Ask::Code { code }, "no conversation to code", turn) };
        if code.is_empty() {
            return self.refuse(key, Ask::Code { code }, "which code", turn);
        }
        turn.say(Output::Coded { agent: agent.id.clone(), visit, queue, code });
        match &mut agent.phase {
            Phase::Talking(talk) | Phase::Holding(talk) => talk.coded = true,
            Phase::WrapUp(wrap) if wrap.rule.mode == WrapUpMode::Forced => self.end_wrap_up(key, Cause::Requested, turn),
            _ => {}
        }
    }

    /// What was asked for during the conversation is applied now, or after the agent's own call.
    pub(crate) fn end_wrap_up(&mut self, key: AgentKey, cause: Cause, turn: &mut Turn) {
        self.restart_idle_clock(key, turn.now);
        let agent = &mut self.agents[key.0];
        if agent.work.is_some() && !agent.removed {
            return self.settle(key, None, cause, turn);
        }
        match agent.pending.take() {
            Some((Ask::LogOut, cause)) => self.log_out(key, cause, turn),
            Some((Ask::Pause { reason }, cause)) if !self.agents[key.0].removed => self.pause(key, reason, cause, turn),
            _ => self.settle(key, None, cause, turn),
        }
    }
}
