//! Agents: each state follows from the one before, and lasts as long as the facts say.

use super::calls::Calls;
use super::{Checked, Seen, broken, must};
use base::fact::What;
use base::{AgentId, AgentState, Cause, Now};
use std::collections::BTreeMap;

#[derive(Default)]
pub struct Agents {
    states: BTreeMap<AgentId, State>,
}

struct State {
    state: AgentState,
    since: Now,
    epoch: u32,
    logged_in: bool,
    wraps: bool,
}

/// Whether the picture in the ACD has that arrow. A call of the agent's own lies over the states below it.
fn follows(state: AgentState, previous: AgentState) -> bool {
    use AgentState::*;
    match state {
        Reserved => previous == Available,
        Ringing => previous == Reserved,
        Holding => previous == Talking,
        WrapUp => matches!(previous, Talking | Holding | Engaged),
        LoggedOut | Available | Talking | Paused | Unreachable | Engaged => true,
    }
}

impl Agents {
    pub fn read(&mut self, seen: &Seen, _calls: &Calls) -> Checked {
        let (fact, about) = (&seen.logged.fact, &seen.logged.fact.about);
        let Some(agent) = about.agent.clone() else { return Ok(()) };
        let known = || State { state: AgentState::LoggedOut, since: fact.now, epoch: 0, logged_in: false, wraps: false };
        match &fact.what {
            What::AgentStateChanged { state, previous, previous_ms, .. } => {
                let entry = self.states.entry(agent.clone()).or_insert_with(known);
                must(entry.state == *previous, "a state follows the last", || {
                    format!("{agent} was {}, not {previous}", entry.state)
                })?;
                let restored = about.cause == Some(Cause::NodeLost) || entry.epoch != seen.logged.epoch;
                must(restored || follows(*state, *previous), "a state is reached by its ways", || {
                    format!("{agent}: {previous} to {state}")
                })?;
                let lasted = fact.now.mono.since(entry.since.mono).as_millis() as u64;
                // Who was out of the site meanwhile is logged out since now.
                let new = *previous == AgentState::LoggedOut && *previous_ms <= lasted;
                must(restored || new || *previous_ms == lasted, "a state lasts from its beginning", || {
                    format!("{agent} {previous} {previous_ms} ms, not {lasted}")
                })?;
                must(!entry.wraps || *state == AgentState::WrapUp || restored, "wrap-up ends once", || agent.to_string())?;
                (entry.state, entry.since, entry.epoch) = (*state, fact.now, seen.logged.epoch);
                Ok(())
            }
            What::AgentLoggedIn { .. } => {
                let entry = self.states.entry(agent.clone()).or_insert_with(known);
                must(!std::mem::replace(&mut entry.logged_in, true), "logged in once", || agent.to_string())
            }
            What::AgentLoggedOut { .. } => {
                let entry = self.states.entry(agent.clone()).or_insert_with(known);
                must(std::mem::replace(&mut entry.logged_in, false), "logged out once", || agent.to_string())
            }
            What::WrapUpStarted { .. } => match self.states.get_mut(&agent) {
                Some(state) if state.state == AgentState::WrapUp => {
                    state.wraps = true;
                    Ok(())
                }
                _ => broken("wrap-up begins in wrap-up", agent),
            },
            What::WrapUpEnded { .. } => {
                if let Some(state) = self.states.get_mut(&agent) {
                    state.wraps = false;
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }
}
