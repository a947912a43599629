//! Agents' phones and what is done with them.

use super::{Span, answers};
use serde::{Deserialize, Serialize};

/// One agent's phone and habits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AgentSpec {
    pub user: String,
    /// It registers with this password. `None`: the site knows its address, and it only answers.
    #[serde(default)]
    pub password: Option<String>,
    /// From the INVITE to the 200; 180 goes at once.
    #[serde(default = "answers")]
    pub answer_after: Span,
    /// Hangs up after this long, unless the caller does first. `None`: never first.
    #[serde(default)]
    pub talk: Option<Span>,
    /// Part of 1: calls that are left ringing, and calls that are refused with 486.
    #[serde(default)]
    pub never_answers: f64,
    #[serde(default)]
    pub refuses: f64,
    #[serde(default)]
    pub transfers: Transfers,
    /// Calls of its own, made while the phone is free.
    #[serde(default)]
    pub own: Vec<OwnCalls>,
}

/// How an agent passes calls on, from the phone itself.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Transfers {
    /// Parts of 1 of the answered calls: passed on without asking, and after a consultation.
    pub blind: f64,
    pub attended: f64,
    /// What is dialled: one is drawn.
    pub blind_to: Vec<String>,
    pub attended_to: Vec<String>,
    /// From the answer to passing it on, and from the third party's answer to joining the two.
    pub after: Span,
    pub consult: Span,
}

/// Calls that an agent's phone makes again and again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnCalls {
    pub purpose: Purpose,
    /// One is drawn.
    pub to: Vec<Target>,
    /// Pressed once the call is up, one each second.
    #[serde(default)]
    pub keys: String,
    /// From the end of one, or the beginning of the run, to the next.
    pub every: Span,
    /// From the answer to hanging up, unless the other side does first.
    pub lasts: Span,
}

/// What somebody dials.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    pub dial: String,
    /// Only while this agent's phone is in a conversation.
    #[serde(default)]
    pub while_talking: Option<String>,
}

/// Why an agent's phone dials.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Somebody outside, a colleague or a feature code.
    #[default]
    Call,
    /// A supervisor takes part in somebody else's call.
    Monitor,
    /// The other half of an attended transfer.
    Consult,
}

impl AgentSpec {
    pub fn new(user: &str, password: &str) -> Self {
        AgentSpec {
            user: user.into(),
            password: Some(password.into()),
            answer_after: answers(),
            talk: None,
            never_answers: 0.0,
            refuses: 0.0,
            transfers: Transfers::default(),
            own: Vec::new(),
        }
    }
}
