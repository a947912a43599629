//! What happens to agents, event by event. The picture is in `agent.rs`.

use crate::agent::{AgentKey, Phase, Talk, Told, Wrap};
use crate::seats::NEVER;
use crate::timers::Timer;
use crate::{Acd, IdleEvent, Output, Turn, Work, WrapUp, WrapUpMode};
use base::{AgentState, Cause, Instant, Skills};
use std::sync::Arc;
use std::time::Duration;

impl Acd {
    /// Every change of phase goes through here: deadline, state and seat follow from it.
    pub(crate) fn change(
        &mut self,
        key: AgentKey,
        phase: Phase,
        until: Option<Instant>,
        (cause, reason): (Cause, Option<Arc<str>>),
        turn: &mut Turn,
    ) {
        let agent = &mut self.agents[key.0];
        agent.phase = phase;
        agent.until = until;
        agent.reason = reason;
        self.timers.set(Timer::Agent(key), until);
        self.tell(key, cause, turn);
    }

    /// Says what shows from outside, if it changed, and lets the board know.
    fn tell(&mut self, key: AgentKey, cause: Cause, turn: &mut Turn) {
        let agent = &mut self.agents[key.0];
        let (state, previous) = (agent.state(), agent.told.state);
        let work = agent.work.filter(|_| state == AgentState::Engaged);
        let same_reason = work.is_some() || agent.told.reason == agent.reason;
        if state != previous || work != agent.told.work || !same_reason {
            let in_previous = turn.now.since(agent.since);
            if matches!(previous, AgentState::Talking | AgentState::Holding | AgentState::WrapUp) {
                let busy = u64::try_from(in_previous.as_nanos()).unwrap_or(u64::MAX);
                agent.busy = agent.busy.saturating_add(busy);
            }
            let reason = work.map_or_else(|| agent.reason.clone(), |work| Some(self.reasons.of(work)));
            agent.since = turn.now;
            agent.cause = cause;
            agent.told = Told { state, work, reason: reason.clone() };
            let id = agent.id.clone();
            turn.say(Output::AgentChanged { agent: id, state, previous, in_previous, cause, reason });
        }
        if state != previous {
            self.board.move_state(self.agents[key.0].profile, Some(previous), Some(state));
        }
        if !self.agents[key.0].is_about() {
            self.release_kept(key);
        }
        self.refresh_seat(key, turn.now);
    }

    /// The board learns whether the agent is free: at once that it is not; that it is when matching begins, or somebody
    /// asks before. Most who become free while calls wait are taken in the same turn, and never sit down.
    pub(crate) fn refresh_seat(&mut self, key: AgentKey, now: Instant) {
        if !self.agents[key.0].is_free() {
            return self.unseat(key, now);
        }
        if self.matching {
            self.seat(key, now);
        }
        self.woken_agents.push(key);
    }

    /// The board has a free agent as free.
    pub(crate) fn seat(&mut self, key: AgentKey, now: Instant) {
        if self.agents.get(key.0).is_some_and(|agent| agent.is_free() && agent.seated.is_none()) {
            let agent = &mut self.agents[key.0];
            agent.seated = Some(self.board.seat(agent.profile, &agent.standing(key), now));
        }
    }

    /// Before anybody asks who is free.
    pub(crate) fn seat_woken(&mut self, now: Instant) {
        (0..self.woken_agents.len()).for_each(|n| self.seat(self.woken_agents[n], now));
    }

    /// Before anything changes by which a free agent is ordered or found.
    pub(crate) fn unseat(&mut self, key: AgentKey, now: Instant) {
        let agent = &mut self.agents[key.0];
        if let Some(leaf) = agent.seated.take() {
            self.board.unseat(agent.profile, &agent.standing(key), leaf, now);
        }
    }

    /// Nothing holds the agent any more: available, if there is a phone. `until`: but not before.
    pub(crate) fn settle(&mut self, key: AgentKey, until: Option<Instant>, cause: Cause, turn: &mut Turn) {
        let agent = &self.agents[key.0];
        if agent.removed {
            self.log_out(key, cause, turn);
        } else if agent.reachable {
            self.change(key, Phase::Available, until, (cause, None), turn);
        } else {
            self.change(key, Phase::Unreachable, None, (cause, None), turn);
        }
    }

    pub(crate) fn restart_idle_clock(&mut self, key: AgentKey, now: Instant) {
        self.unseat(key, now);
        let agent = &mut self.agents[key.0];
        agent.idle_since = now;
        agent.lot = self.random.bits();
    }

    pub(crate) fn restarts_idle_clock(&self, event: IdleEvent) -> bool {
        self.config.idle_restarts.contains(&event)
    }

    /// What is counted since login begins.
    fn begin_shift(&mut self, key: AgentKey, now: Instant) {
        self.restart_idle_clock(key, now);
        let agent = &mut self.agents[key.0];
        (agent.misses, agent.calls, agent.busy) = (0, 0, 0);
        (agent.login, agent.offered) = (now, NEVER);
    }

    pub(crate) fn log_in(&mut self, key: AgentKey, cause: Cause, turn: &mut Turn) {
        self.begin_shift(key, turn.now);
        self.settle(key, None, cause, turn);
    }

    /// Of an agent whom nothing holds.
    pub(crate) fn log_out(&mut self, key: AgentKey, cause: Cause, turn: &mut Turn) {
        self.agents[key.0].pending = None;
        self.change(key, Phase::LoggedOut, None, (cause, None), turn);
        if self.agents[key.0].removed {
            self.forget(key);
        }
    }

    fn forget(&mut self, key: AgentKey) {
        self.drop_bars_of_agent(key);
        if let Some(v) = self.agents[key.0].dialling {
            self.visits[v.0].hold = crate::visit::Hold::Dialling(None);
        }
        let agent = &self.agents[key.0];
        self.board.leave_profile(agent.profile, agent.told.state);
        self.by_id.remove(&agent.id);
        self.agents.remove(key.0);
        self.names.remove(key.0);
        self.woken_agents.retain(|k| *k != key);
    }

    /// A profile of its own makes an agent of other skills; offers that ring go on.
    pub(crate) fn find_profile(&mut self, key: AgentKey, now: Instant) {
        self.unseat(key, now);
        let traits = self.traits_of(key);
        let agent = &mut self.agents[key.0];
        let before = agent.profile;
        agent.profile = self.board.join_profile(&traits, agent.told.state);
        self.board.leave_profile(before, agent.told.state);
        self.review_kept(key);
        self.refresh_seat(key, now);
    }

    pub(crate) fn on_set_skills(&mut self, key: AgentKey, skills: Option<Skills>, turn: &mut Turn) {
        self.agents[key.0].own_skills = skills;
        self.find_profile(key, turn.now);
    }

    pub(crate) fn on_held(&mut self, key: AgentKey, held: bool, turn: &mut Turn) {
        let Some(talk) = self.agents[key.0].phase.talk().cloned() else { return };
        let phase = if held { Phase::Holding(talk) } else { Phase::Talking(talk) };
        self.change(key, phase, None, (Cause::Requested, None), turn);
    }

    /// A colleague passed a call on to the agent, or the agent took one over.
    pub(crate) fn on_assign(&mut self, key: AgentKey, talk: Talk, turn: &mut Turn) {
        let agent = &self.agents[key.0];
        if agent.phase.talk().is_some() || agent.phase == Phase::LoggedOut {
            return;
        }
        self.decline_offer(key, Cause::Transferred, turn);
        self.unseat(key, turn.now);
        let agent = &mut self.agents[key.0];
        agent.work = None;
        agent.calls = agent.calls.saturating_add(1);
        self.change(key, Phase::Talking(talk), None, (Cause::Transferred, None), turn);
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

    /// A call of the agent's own begins, changes its kind or ends.
    pub(crate) fn on_engaged(&mut self, key: AgentKey, work: Option<Work>, turn: &mut Turn) {
        let agent = &mut self.agents[key.0];
        let before = std::mem::replace(&mut agent.work, work);
        match work {
            Some(_) if agent.phase.ring().is_some() => {
                self.decline_offer(key, Cause::OwnCall, turn);
                self.settle(key, None, Cause::OwnCall, turn);
            }
            Some(_) => self.tell(key, Cause::OwnCall, turn),
            None if before.is_some() => self.after_own_call(key, before, turn),
            None => {}
        }
    }

    /// Back to where the agent was, or to what was asked for meanwhile.
    fn after_own_call(&mut self, key: AgentKey, work: Option<Work>, turn: &mut Turn) {
        let outside = matches!(work, Some(Work::Outbound | Work::Internal));
        if outside && self.restarts_idle_clock(IdleEvent::OwnCall) {
            self.restart_idle_clock(key, turn.now);
        }
        let agent = &mut self.agents[key.0];
        if agent.phase.talk().is_none()
            && let Some((ask, cause)) = agent.pending.take()
        {
            self.on_asked(key, ask, cause, turn);
        }
        if self.agents.get(key.0).is_some() {
            self.tell(key, Cause::OwnCall, turn);
        }
    }

    /// As the log of the epoch before says. What it was doing with a call is over.
    pub(crate) fn on_restore(&mut self, key: AgentKey, state: AgentState, reason: Option<Arc<str>>, turn: &mut Turn) {
        let agent = &self.agents[key.0];
        if agent.phase.ring().is_some() || agent.phase.talk().is_some() {
            return;
        }
        let cause = Cause::NodeLost;
        if state == AgentState::LoggedOut {
            return self.log_out(key, cause, turn);
        }
        self.begin_shift(key, turn.now);
        let time = self.longest_wrap_up(key);
        match state {
            AgentState::Paused => self.change(key, Phase::Paused { missed: false }, None, (cause, reason), turn),
            AgentState::Talking | AgentState::Holding | AgentState::WrapUp if !time.is_zero() => {
                let rule = WrapUp { mode: WrapUpMode::Timed, time, cap: time };
                let wrap = Wrap { of: None, rule, latest: turn.now + time };
                self.change(key, Phase::WrapUp(wrap), Some(turn.now + time), (cause, None), turn);
            }
            _ => self.settle(key, None, cause, turn),
        }
    }

    fn longest_wrap_up(&self, key: AgentKey) -> Duration {
        let config = &self.agents[key.0].config;
        let queues = config.queues.iter().map(|queue| self.wrap_up_rule(key, self.queue_key(queue)));
        let times = queues.map(|rule| match rule.mode {
            WrapUpMode::None | WrapUpMode::Optional => Duration::ZERO,
            WrapUpMode::Timed => rule.time.min(rule.cap),
            WrapUpMode::Forced => rule.cap,
        });
        times.max().unwrap_or_default()
    }

    pub(crate) fn on_agent_due(&mut self, key: AgentKey, turn: &mut Turn) {
        self.agents[key.0].until = None;
        match self.agents[key.0].phase.clone() {
            Phase::Reserved(ring) | Phase::Ringing(ring) => self.on_ring_elapsed(ring, turn),
            Phase::WrapUp(_) => self.end_wrap_up(key, Cause::Timeout, turn),
            Phase::Unreachable => self.settle(key, None, Cause::Timeout, turn),
            Phase::Available => self.refresh_seat(key, turn.now),
            Phase::LoggedOut | Phase::Talking(_) | Phase::Holding(_) | Phase::Paused { .. } => {}
        }
    }
}
