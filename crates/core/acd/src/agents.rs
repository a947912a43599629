//! What happens to agents, event by event. The picture is in `agent.rs`.

use crate::agent::{AgentKey, Phase, Talk};
use crate::timers::Timer;
use crate::{Acd, Ask, Output, Turn, Work};
use base::{AgentState, Cause, Instant, OfferEnd};
use std::sync::Arc;
use std::time::Duration;

impl Acd {
    /// Every change of state goes through here: deadline, presence and seat follow from the phase.
    pub(crate) fn change(
        &mut self,
        key: AgentKey,
        phase: Phase,
        until: Option<Instant>,
        cause: Cause,
        reason: Option<Arc<str>>,
        turn: &mut Turn,
    ) {
        let agent = &mut self.agents[key.0];
        let (previous, state) = (agent.phase.state(), phase.state());
        agent.phase = phase;
        agent.until = until;
        self.timers.set(Timer::Agent(key), until);
        if previous != state || agent.reason != reason {
            let in_previous = turn.now.since(agent.since);
            agent.since = turn.now;
            agent.cause = cause;
            agent.reason = reason.clone();
            let id = agent.id.clone();
            turn.say(Output::AgentChanged { agent: id, state, previous, in_previous, cause, reason });
        }
        let (was_in, is_in) = (previous != AgentState::LoggedOut, state != AgentState::LoggedOut);
        if was_in != is_in {
            self.board.set_present(agent.profile, is_in);
        }
        self.refresh_seat(key);
    }

    /// The board learns whether the agent is free.
    pub(crate) fn refresh_seat(&mut self, key: AgentKey) {
        let agent = &mut self.agents[key.0];
        let free = agent.is_free();
        if free != agent.seated {
            agent.seated = free;
            self.board.set_free(agent.profile, agent.seat(key), free);
        }
        if free {
            self.woken_agents.push(key);
        }
    }

    /// Nothing holds the agent any more: available, if there is a phone. `until`: but not before.
    pub(crate) fn settle(&mut self, key: AgentKey, until: Option<Instant>, cause: Cause, turn: &mut Turn) {
        let agent = &self.agents[key.0];
        if agent.removed {
            self.log_out(key, cause, turn);
        } else if agent.reachable {
            self.change(key, Phase::Available, until, cause, None, turn);
        } else {
            self.change(key, Phase::Unreachable, None, cause, None, turn);
        }
    }

    fn restart_idle_clock(&mut self, key: AgentKey, now: Instant) {
        let agent = &mut self.agents[key.0];
        if agent.seated {
            // A seat is found by the clock it was taken with.
            self.board.set_free(agent.profile, agent.seat(key), false);
            agent.seated = false;
        }
        agent.idle_since = now;
        agent.lot = self.random.bits();
    }

    pub(crate) fn log_in(&mut self, key: AgentKey, cause: Cause, turn: &mut Turn) {
        self.restart_idle_clock(key, turn.now);
        self.agents[key.0].misses = 0;
        self.settle(key, None, cause, turn);
    }

    /// Of an agent whom nothing holds.
    pub(crate) fn log_out(&mut self, key: AgentKey, cause: Cause, turn: &mut Turn) {
        self.agents[key.0].pending = None;
        self.change(key, Phase::LoggedOut, None, cause, None, turn);
        if self.agents[key.0].removed {
            self.forget(key);
        }
    }

    fn forget(&mut self, key: AgentKey) {
        let agent = &self.agents[key.0];
        for visit in &agent.barred {
            if let Some(v) = self.visits.get_mut(visit) {
                v.barred.retain(|k| *k != key);
            }
            self.timers.set(Timer::Bar(*visit, key), None);
        }
        self.board.leave_profile(agent.profile);
        self.by_id.remove(&agent.id);
        self.agents.remove(key.0);
        self.woken_agents.retain(|k| *k != key);
    }

    pub(crate) fn on_asked(&mut self, key: AgentKey, ask: Ask, cause: Cause, turn: &mut Turn) {
        match &self.agents[key.0].phase {
            Phase::LoggedOut => self.asked_logged_out(key, ask, cause, turn),
            Phase::Talking(_) | Phase::Holding(_) => {
                self.agents[key.0].pending = Some((ask.clone(), cause));
                self.say_pending(key, ask, turn);
            }
            Phase::WrapUp => self.asked_in_wrap_up(key, ask, cause, turn),
            _ => self.asked_when_idle(key, ask, cause, turn),
        }
    }

    fn asked_logged_out(&mut self, key: AgentKey, ask: Ask, cause: Cause, turn: &mut Turn) {
        match ask {
            Ask::LogIn => self.log_in(key, cause, turn),
            Ask::LogOut => {}
            Ask::Ready | Ask::Pause { .. } | Ask::WrapUp | Ask::Code { .. } => self.refuse(key, ask, "not logged in", turn),
        }
    }

    /// The last wish wins: what was pending is forgotten.
    fn asked_in_wrap_up(&mut self, key: AgentKey, ask: Ask, cause: Cause, turn: &mut Turn) {
        self.agents[key.0].pending = match ask {
            Ask::LogIn => return self.agents[key.0].pending = None,
            Ask::WrapUp | Ask::Code { .. } => return,
            Ask::Ready => None,
            Ask::LogOut | Ask::Pause { .. } => Some((ask, cause)),
        };
        self.end_wrap_up(key, cause, turn);
    }

    /// Available, ringing, paused or unreachable.
    fn asked_when_idle(&mut self, key: AgentKey, ask: Ask, cause: Cause, turn: &mut Turn) {
        let agent = &self.agents[key.0];
        match ask {
            Ask::LogIn => {}
            Ask::WrapUp | Ask::Code { .. } => self.refuse(key, ask, "no conversation", turn),
            Ask::LogOut => {
                self.decline_offer(key, cause, turn);
                self.log_out(key, cause, turn);
            }
            Ask::Pause { reason } => {
                self.decline_offer(key, cause, turn);
                self.change(key, Phase::Paused, None, cause, Some(reason), turn);
            }
            Ask::Ready if agent.phase.offer().is_some() => {}
            Ask::Ready if agent.phase == Phase::Unreachable && !agent.reachable => self.refuse(key, ask, "no phone", turn),
            Ask::Ready => self.settle(key, None, cause, turn),
        }
    }

    fn say_pending(&self, key: AgentKey, ask: Ask, turn: &mut Turn) {
        turn.say(Output::AskKept { agent: self.agents[key.0].id.clone(), ask });
    }

    fn refuse(&self, key: AgentKey, ask: Ask, why: &str, turn: &mut Turn) {
        turn.say(Output::AskRefused { agent: self.agents[key.0].id.clone(), ask, why: why.into() });
    }

    /// The agent asks for something else while it rings: the visit keeps its place and tries another.
    pub(crate) fn decline_offer(&mut self, key: AgentKey, cause: Cause, turn: &mut Turn) {
        if let Some(offer) = self.agents[key.0].phase.offer() {
            self.end_offer(offer, OfferEnd::Withdrawn, Some(cause), turn);
        }
    }

    pub(crate) fn on_held(&mut self, key: AgentKey, held: bool, turn: &mut Turn) {
        let Some(talk) = self.agents[key.0].phase.talk().cloned() else { return };
        let phase = if held { Phase::Holding(talk) } else { Phase::Talking(talk) };
        self.change(key, phase, None, Cause::Requested, None, turn);
    }

    /// A colleague passed a call on to the agent, or the agent took one over.
    pub(crate) fn on_assign(&mut self, key: AgentKey, talk: Talk, turn: &mut Turn) {
        if self.agents[key.0].phase.talk().is_some() || self.agents[key.0].phase == Phase::LoggedOut {
            return;
        }
        self.decline_offer(key, Cause::Transferred, turn);
        self.agents[key.0].work = None;
        self.change(key, Phase::Talking(talk), None, Cause::Transferred, None, turn);
    }

    pub(crate) fn on_released(&mut self, key: AgentKey, cause: Cause, turn: &mut Turn) {
        let Some(talk) = self.agents[key.0].phase.talk() else { return };
        let wrap_up = talk.queue.as_ref().map_or(Duration::ZERO, |queue| self.wrap_up_of(queue));
        if self.agents[key.0].removed || wrap_up.is_zero() {
            self.end_wrap_up(key, cause, turn);
        } else {
            self.change(key, Phase::WrapUp, Some(turn.now + wrap_up), cause, None, turn);
        }
    }

    fn end_wrap_up(&mut self, key: AgentKey, cause: Cause, turn: &mut Turn) {
        self.restart_idle_clock(key, turn.now);
        match self.agents[key.0].pending.take() {
            Some((Ask::LogOut, cause)) => self.log_out(key, cause, turn),
            Some((Ask::Pause { reason }, cause)) if !self.agents[key.0].removed => {
                self.change(key, Phase::Paused, None, cause, Some(reason), turn);
            }
            _ => self.settle(key, None, cause, turn),
        }
    }

    pub(crate) fn on_reachable(&mut self, key: AgentKey, reachable: bool, turn: &mut Turn) {
        let agent = &mut self.agents[key.0];
        agent.reachable = reachable;
        let cause = if reachable { Cause::Requested } else { Cause::Unreachable };
        match agent.phase {
            Phase::Unreachable if reachable => self.settle(key, None, cause, turn),
            // Nothing to wait for any more but a phone: the lease of an unreachable agent ends here.
            Phase::Available | Phase::Unreachable if !reachable => self.settle(key, None, cause, turn),
            _ => {}
        }
    }

    pub(crate) fn on_engaged(&mut self, key: AgentKey, work: Option<Work>) {
        self.agents[key.0].work = work;
        self.refresh_seat(key);
    }

    /// As the log of the epoch before says. What it was doing with a call is over.
    pub(crate) fn on_restore(&mut self, key: AgentKey, state: AgentState, reason: Option<Arc<str>>, turn: &mut Turn) {
        let agent = &self.agents[key.0];
        if agent.phase.offer().is_some() || agent.phase.talk().is_some() {
            return;
        }
        let cause = Cause::NodeLost;
        if state == AgentState::LoggedOut {
            return self.log_out(key, cause, turn);
        }
        let wrap_up = agent.config.queues.iter().map(|q| self.wrap_up_of(q)).max().unwrap_or_default();
        match state {
            AgentState::Paused => self.change(key, Phase::Paused, None, cause, reason, turn),
            AgentState::Talking | AgentState::Holding | AgentState::WrapUp if !wrap_up.is_zero() => {
                self.change(key, Phase::WrapUp, Some(turn.now + wrap_up), cause, None, turn);
            }
            _ => self.log_in(key, cause, turn),
        }
    }

    pub(crate) fn on_agent_due(&mut self, key: AgentKey, turn: &mut Turn) {
        self.agents[key.0].until = None;
        match self.agents[key.0].phase.clone() {
            Phase::Reserved(offer) | Phase::Ringing(offer) => self.on_ring_elapsed(offer, turn),
            Phase::WrapUp => self.end_wrap_up(key, Cause::Timeout, turn),
            Phase::Unreachable => self.settle(key, None, Cause::Timeout, turn),
            Phase::Available => self.refresh_seat(key),
            Phase::LoggedOut | Phase::Talking(_) | Phase::Holding(_) | Phase::Paused => {}
        }
    }
}
