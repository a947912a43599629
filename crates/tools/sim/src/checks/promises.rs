//! What was asked for and promised: each request is answered once, and what is kept for later comes.

use super::{Broken, Checked, broken, must};
use acd::Ask;
use base::fact::{Direction, Logged, What};
use base::{AgentId, AgentState};
use engine::{Input, Output, Reply, Request, Setup, Snapshot};
use std::collections::BTreeMap;

#[derive(Default)]
pub struct Promises {
    kept: BTreeMap<AgentId, Ask>,
}

impl Promises {
    pub fn on_restart(&mut self) {
        self.kept.clear();
    }

    /// An input and all that followed from it.
    pub fn hear(&mut self, input: &Input, out: &[Output]) -> Checked {
        let replies =
            out.iter().filter_map(|o| if let Output::Reply { number, reply } = o { Some((number, reply)) } else { None });
        let replies: Vec<_> = replies.collect();
        let Input::Asked { number, request, .. } = input else {
            return must(replies.is_empty(), "an answer has a question", || format!("{replies:?}"));
        };
        let [(answered, reply)] = replies[..] else {
            return broken("a request is answered once", format!("{request:?}: {} times", replies.len()));
        };
        must(answered == number, "a request is answered once", || format!("{answered} instead of {number}"))?;
        if let Request::Agent { agent, ask } = request {
            match (ask, reply) {
                (Ask::LogOut | Ask::Pause { .. }, Reply::Pending) => drop(self.kept.insert(agent.clone(), ask.clone())),
                (Ask::Code { .. } | Ask::WrapUp, _) | (_, Reply::Refused { .. } | Reply::Unknown { .. }) => {}
                _ => drop(self.kept.remove(agent)),
            }
        }
        Ok(())
    }

    /// What was asked for and done shows.
    pub fn shows(&self, input: &Input, out: &[Output], after: &Snapshot) -> Checked {
        let Input::Asked { request: Request::Prioritise { call, priority_s }, .. } = input else { return Ok(()) };
        let done = out.iter().any(|o| matches!(o, Output::Reply { reply: Reply::Done, .. }));
        let shown = after.visits.iter().find(|v| v.visit.call == *call).map(|v| v.priority_s);
        must(!done || shown.is_none_or(|shown| shown == *priority_s), "what is done shows", || {
            format!("priority of {call} is {shown:?} instead of {priority_s}")
        })
    }

    pub fn read(&mut self, logged: &Logged, setup: &Setup) -> Checked {
        let (fact, about) = (&logged.fact, &logged.fact.about);
        match &fact.what {
            // What the agent's phone asks for is asked last.
            What::CallArrived { direction: Direction::FeatureCode, trunk, .. } => {
                self.kept.retain(|agent, _| agent.name() != trunk);
                Ok(())
            }
            What::AgentStateChanged { state, .. } => {
                let Some(agent) = about.agent.as_ref() else { return Ok(()) };
                match state {
                    AgentState::LoggedOut | AgentState::Paused => drop(self.kept.remove(agent)),
                    AgentState::Available if setup.site.agents.contains_key(agent) => {
                        if let Some(ask) = self.kept.remove(agent) {
                            return Err(Broken {
                                law: "what is kept comes".into(),
                                how: format!("{agent} is available after {ask:?}"),
                            });
                        }
                    }
                    _ => {}
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }
}
