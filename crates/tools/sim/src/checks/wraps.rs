//! What an agent's next state must be: after a conversation, after a call that rang out.

use super::{Checked, Seen, must};
use acd::WrapUpMode;
use base::fact::What;
use base::{AgentId, AgentState, Cause, VisitId};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

#[derive(Default)]
pub struct Wraps {
    next: BTreeMap<AgentId, Next>,
    /// Conversations that have their disposition, by agent and visit.
    coded: BTreeSet<(AgentId, VisitId)>,
    limits: BTreeMap<AgentId, Duration>,
    /// Calls in a row that rang out; counted from the login.
    misses: BTreeMap<AgentId, u32>,
}

enum Next {
    WrapUp(Duration),
    NoWrapUp,
    /// After a call that rang out; after too many of them, logged out.
    Away {
        out: bool,
    },
    /// After one whose caller left while it rang: as if nothing had been.
    AsBefore,
}

impl Wraps {
    pub fn forget(&mut self) {
        self.next.clear();
        self.limits.clear();
    }

    /// Logins begin anew.
    pub fn on_restart(&mut self) {
        *self = Wraps::default();
    }

    pub fn read(&mut self, seen: &Seen) -> Checked {
        let (fact, about) = (&seen.logged.fact, &seen.logged.fact.about);
        let Some(agent) = about.agent.clone() else { return Ok(()) };
        match &fact.what {
            What::WrapUpCoded { .. } => {
                self.coded.extend(about.visit.map(|visit| (agent, visit)));
                Ok(())
            }
            // A crash ends what it cut off; what follows comes from the epoch after it.
            What::AgentLegEnded { .. } if about.cause == Some(Cause::NodeLost) => Ok(()),
            What::AgentLegEnded { .. } => {
                if let Some(next) = self.after_conversation(seen, &agent) {
                    self.next.insert(agent, next);
                }
                Ok(())
            }
            What::OfferTimedOut { .. } => {
                let misses = self.misses.entry(agent.clone()).or_default();
                *misses += 1;
                let cap = seen.setup.site.agents.get(&agent).map_or(0, |a| a.acd.max_misses);
                let out = cap > 0 && *misses >= cap;
                self.next.insert(agent, Next::Away { out });
                Ok(())
            }
            What::OfferCancelled { .. } => {
                self.next.insert(agent, Next::AsBefore);
                Ok(())
            }
            What::OfferAccepted { .. } | What::OfferRejected { .. } | What::AgentLoggedIn { .. } => {
                self.misses.remove(&agent);
                Ok(())
            }
            What::AgentStateChanged { state, .. } => self.changed(agent, *state),
            What::WrapUpStarted { limit_ms } => {
                let Some(limit) = self.limits.remove(&agent) else { return Ok(()) };
                must(u128::from(*limit_ms) == limit.as_millis(), "wrap-up lasts as the site says", || {
                    format!("{agent}: {limit_ms} ms, not {limit:?}")
                })
            }
            _ => Ok(()),
        }
    }

    fn after_conversation(&mut self, seen: &Seen, agent: &AgentId) -> Option<Next> {
        let about = &seen.logged.fact.about;
        let queue = seen.setup.site.queues.get(about.queue.as_ref()?)?;
        let rule = seen.setup.site.agents.get(agent)?.acd.wrap_up.unwrap_or(queue.wrap_up);
        let coded = self.coded.iter().any(|(by, visit)| by == agent && Some(visit.call) == about.call);
        let time = match rule.mode {
            WrapUpMode::None => Duration::ZERO,
            WrapUpMode::Timed => rule.time.min(rule.cap),
            // Of a call that was passed on and came back, only the ACD knows which conversation was coded.
            WrapUpMode::Forced if !coded => rule.cap,
            WrapUpMode::Forced | WrapUpMode::Optional => return None,
        };
        Some(if time.is_zero() { Next::NoWrapUp } else { Next::WrapUp(time) })
    }

    fn changed(&mut self, agent: AgentId, state: AgentState) -> Checked {
        self.limits.remove(&agent);
        let Some(next) = self.next.remove(&agent) else { return Ok(()) };
        // A call of the agent's own lies over whatever is below.
        if state == AgentState::Engaged {
            return Ok(());
        }
        // A consultation that ends with the conversation may leave a moment of hold.
        if matches!((&next, state), (Next::WrapUp(_) | Next::NoWrapUp, AgentState::Holding | AgentState::Talking)) {
            self.next.insert(agent, next);
            return Ok(());
        }
        match next {
            Next::WrapUp(limit) => {
                must(state == AgentState::WrapUp, "wrap-up follows a conversation", || format!("{agent} is {state}"))?;
                self.limits.insert(agent, limit);
                Ok(())
            }
            Next::NoWrapUp => {
                must(state != AgentState::WrapUp, "no wrap-up where there is none", || format!("{agent} is {state}"))
            }
            Next::Away { out } => {
                let away = if out { AgentState::LoggedOut } else { AgentState::Paused };
                must(state == away, "who does not answer is paused, then logged out", || format!("{agent} is {state}"))
            }
            Next::AsBefore => {
                must(state != AgentState::Paused, "whose caller left is as before", || format!("{agent} is {state}"))
            }
        }
    }
}
