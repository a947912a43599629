//! An agent's web desk: a session that shows signs of life (calls.md line 18).
//!
//! ```text
//!            a sign                     no sign for `web.desk_gone`
//!  nobody ──────────▶ here (a lease) ──────────────────────────────▶ gone: the agent is unreachable
//!    ▲                  ▲   │ a sign                                    │
//!    │                  └───┴──────────────── a sign ◀──────────────────┘
//!    └── closed on purpose, logged out, or a feature code from the phone: no desk is waited for
//! ```
//! It ends no call: who talks goes on talking, and is unreachable after that.

use crate::centre::Centre;
use base::{AgentId, AgentState, Instant};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The reason of an agent who is unreachable because of it.
const GONE: &str = "desk_gone";

/// Desks that were ever seen, of agents who are logged in.
#[derive(Default)]
pub(crate) struct Desks {
    /// The end of each lease; `None`: it is past.
    until: BTreeMap<AgentId, Option<Instant>>,
    due: BTreeSet<(Instant, AgentId)>,
}

impl Desks {
    pub fn next(&self) -> Option<Instant> {
        self.due.first().map(|(at, _)| *at)
    }

    pub fn is_gone(&self, agent: &AgentId) -> bool {
        self.until.get(agent).is_some_and(Option::is_none)
    }

    fn set(&mut self, agent: &AgentId, until: Option<Instant>) {
        self.forget(agent);
        self.due.extend(until.map(|at| (at, agent.clone())));
        self.until.insert(agent.clone(), until);
    }

    /// True if it was gone.
    fn forget(&mut self, agent: &AgentId) -> bool {
        let until = self.until.remove(agent);
        if let Some(Some(at)) = until {
            self.due.remove(&(at, agent.clone()));
        }
        until == Some(None)
    }
}

impl Centre {
    /// A sign of life; `open` false: the desk is closed on purpose.
    pub(crate) fn on_desk(&mut self, agent: &AgentId, open: bool) {
        if !open {
            return self.forget_desk(agent);
        }
        let until = self.now.mono + self.setup.site.web.desk_gone;
        self.desks.set(agent, Some(until));
        self.tell_reachable(agent);
    }

    pub(crate) fn on_desk_due(&mut self) {
        let now = self.now.mono;
        while let Some((_, agent)) = self.desks.due.first().cloned().filter(|(at, _)| *at <= now) {
            let logged_in = self.acd.agent(&agent).is_some_and(|a| a.state != AgentState::LoggedOut);
            if logged_in {
                self.desks.set(&agent, None);
            } else {
                self.desks.forget(&agent);
            }
            self.tell_reachable(&agent);
            self.settle();
        }
    }

    /// No desk is waited for any more.
    pub(crate) fn forget_desk(&mut self, agent: &AgentId) {
        if self.desks.forget(agent) {
            self.tell_reachable(agent);
        }
    }

    /// An agent whom the last epoch lost this way.
    pub(crate) fn restore_desk(&mut self, agent: &AgentId, reason: Option<&str>) {
        if reason == Some(GONE) {
            self.desks.set(agent, None);
        }
    }

    /// Why the agent is in this state, if it is for the desk.
    pub(crate) fn desk_reason(&self, agent: &AgentId, state: AgentState) -> Option<Arc<str>> {
        (state == AgentState::Unreachable && self.desks.is_gone(agent)).then(|| GONE.into())
    }
}
