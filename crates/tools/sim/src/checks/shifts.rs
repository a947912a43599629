//! What each agent did since login, as strategies count it: reckoned from state changes and the ends of offers.
//!
//! What the facts leave open (a wrap-up that ended below a call of the agent's own) is kept as the earliest and the
//! latest it may have been: of two such spans that overlap nothing is said.

use super::Seen;
use acd::IdleEvent;
use base::fact::What;
use base::{AgentId, AgentState, Cause, Instant};
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::time::Duration;

/// The earliest and the latest moment of something.
pub type Span = (Instant, Instant);

#[derive(Default)]
pub struct Shifts {
    all: BTreeMap<AgentId, Shift>,
}

pub struct Shift {
    pub login: Instant,
    pub idle_since: Span,
    /// Conversations.
    pub calls: u32,
    /// In conversation and wrap-up, in nanoseconds.
    pub busy: u64,
    /// The last offer, if there was one.
    pub offered: Option<Span>,
    pub state: AgentState,
    since: Instant,
    /// The pause began because a call rang out.
    missed: bool,
}

impl Shifts {
    pub fn of(&self, agent: &AgentId) -> Option<&Shift> {
        self.all.get(agent)
    }

    pub fn read(&mut self, seen: &Seen) {
        let (fact, about) = (&seen.logged.fact, &seen.logged.fact.about);
        let (Some(agent), now) = (&about.agent, fact.now.mono) else { return };
        match &fact.what {
            What::AgentStateChanged { state: AgentState::LoggedOut, .. } => drop(self.all.remove(agent)),
            What::AgentStateChanged { state, reason, .. } => {
                let missed = reason.as_deref() == Some("no_answer");
                let known = self.all.entry(agent.clone()).or_insert_with(|| Shift::begun(now, *state));
                known.changes(*state, missed, now, seen);
            }
            What::OfferAccepted { ring_ms }
            | What::OfferRejected { ring_ms }
            | What::OfferTimedOut { ring_ms }
            | What::OfferCancelled { ring_ms }
            | What::OfferWithdrawn { ring_ms }
                if about.cause != Some(Cause::NodeLost) =>
            {
                let Some(shift) = self.all.get_mut(agent) else { return };
                let ago = |ms: u64| Instant(now.0.saturating_sub(Duration::from_millis(ms).as_nanos() as u64));
                shift.offered = Some((ago(ring_ms + 1), ago(*ring_ms)));
            }
            _ => {}
        }
    }
}

impl Shift {
    fn begun(now: Instant, state: AgentState) -> Shift {
        let idle_since = (now, now);
        Shift { login: now, idle_since, calls: 0, busy: 0, offered: None, state, since: now, missed: false }
    }

    fn changes(&mut self, state: AgentState, missed: bool, now: Instant, seen: &Seen) {
        use AgentState::{Available, Engaged, Holding, Paused, Talking, Unreachable, WrapUp};
        let before = self.state;
        if matches!(before, Talking | Holding | WrapUp) {
            self.busy += now.0.saturating_sub(self.since.0);
        }
        self.calls += u32::from(state == Talking && !matches!(before, Talking | Holding));
        match (before, state) {
            // Below a call of the agent's own much may end without being told.
            (Engaged, Talking | Holding | WrapUp | Engaged) => {}
            (Engaged, _) | (Talking | Holding | WrapUp, Engaged) => self.idle_since.1 = now,
            (Talking | Holding | WrapUp, Available | Paused | Unreachable) => self.idle_since = (now, now),
            (Paused, Available | Unreachable) => {
                let event = if self.missed { IdleEvent::NoAnswer } else { IdleEvent::Pause };
                if seen.setup.site.idle_restarts.contains(&event) {
                    self.idle_since = (now, now);
                }
            }
            _ => {}
        }
        (self.state, self.since, self.missed) = (state, now, missed);
    }

    /// Nothing of it changed at this moment.
    pub fn is_settled(&self, now: Instant) -> bool {
        self.since < now
    }

    /// At work, or back soon.
    pub fn is_about(&self) -> bool {
        !matches!(self.state, AgentState::Paused | AgentState::Unreachable)
    }

    /// Who was idle first; `None` if that can't be known.
    pub fn by_idle(&self, other: &Shift) -> Option<Ordering> {
        compare(self.idle_since, other.idle_since)
    }

    /// Who was offered a call first, or never.
    pub fn by_offer(&self, other: &Shift) -> Option<Ordering> {
        match (self.offered, other.offered) {
            (Some(one), Some(other)) => compare(one, other),
            (one, other) => Some(one.is_some().cmp(&other.is_some())),
        }
    }

    /// Whose share of the time since login was busy the least.
    pub fn by_occupancy(&self, other: &Shift, now: Instant) -> Ordering {
        let all = |shift: &Shift| u128::from(now.0.saturating_sub(shift.login.0).max(1));
        (u128::from(self.busy) * all(other)).cmp(&(u128::from(other.busy) * all(self)))
    }
}

fn compare(one: Span, other: Span) -> Option<Ordering> {
    match (one.1 < other.0, other.1 < one.0) {
        (true, _) => Some(Ordering::Less),
        (_, true) => Some(Ordering::Greater),
        _ if one == other && one.0 == one.1 => Some(Ordering::Equal),
        _ => None,
    }
}
