//! One ticket of the book, and what may become of it.
//!
//! ```text
//!            assign                  resolve
//!   open ───────────▶ assigned ────────────────▶ resolved ── close ─▶ closed
//!    │ ▲               │ ▲  ▲                    ▲    │                 │
//!    │ │          hold │ │  └────── reopen ──────┼────┴─────────────────┘
//!    │ │               ▼ │ assign                │
//!    │ └ reopen ──── pending ────────────────────┘ resolve
//!    └─────────────── resolve ──────────────────────────▶ resolved
//! ```
//!
//! `reopen` leads back to assigned if somebody has it, else to open. A note changes no state and is always possible.

use crate::rule::{Impact, Priority, When};
use crate::stamp;
use base::{AgentId, CallId, Lang, Outcome, PartyId, QueueId, Tenant, Wall};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A ticket's number within its tenant, `T-000001`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Number(pub u64);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Open,
    Assigned,
    Pending,
    Resolved,
    Closed,
}

/// A ticket with everything that happened to it. It holds no number and no name of the caller, only the `party`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ticket {
    pub number: Number,
    pub tenant: Tenant,
    pub call: CallId,
    pub state: State,
    pub subject: String,
    pub category: String,
    pub impact: Impact,
    pub priority: Priority,
    pub group: Option<String>,
    pub assigned_to: Option<String>,
    pub party: Option<PartyId>,
    pub queue: Option<QueueId>,
    pub agent: Option<AgentId>,
    pub lang: Option<Lang>,
    /// How long the caller waited for an agent.
    pub wait_ms: Option<u64>,
    pub outcome: Option<Outcome>,
    #[serde(with = "stamp")]
    pub opened: Wall,
    #[serde(with = "stamp")]
    pub updated: Wall,
    pub steps: Vec<Step>,
}

/// One dated step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    #[serde(with = "stamp")]
    pub at: Wall,
    /// `rule` or whoever did it.
    pub by: String,
    #[serde(flatten)]
    pub what: What,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum What {
    Opened { when: When },
    Noted { note: String },
    Assigned { to: String },
    Held { why: String },
    Resolved { how: String },
    Closed,
    Reopened { why: String },
}

/// What a person asks of a ticket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    Note { note: String },
    Assign { to: String },
    Hold { why: String },
    Resolve { how: String },
    Close,
    Reopen { why: String },
}

/// A ticket in this state does not do that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the ticket is {0}: that is not possible now")]
pub struct Refused(pub State);

/// Steps of one ticket: beyond it notes of a runaway rule are dropped.
const MOST_STEPS: usize = 200;

impl Ticket {
    /// Takes the step, or says in which state it does not.
    pub fn act(&mut self, at: Wall, by: &str, act: Act) -> Result<(), Refused> {
        use State::*;
        let (state, what) = match (act, self.state) {
            (Act::Note { note }, state) => (state, What::Noted { note }),
            (Act::Assign { to }, Open | Assigned | Pending) => (Assigned, What::Assigned { to }),
            (Act::Hold { why }, Assigned) => (Pending, What::Held { why }),
            (Act::Resolve { how }, Open | Assigned | Pending) => (Resolved, What::Resolved { how }),
            (Act::Close, Resolved) => (Closed, What::Closed),
            (Act::Reopen { why }, Pending | Resolved | Closed) => {
                (if self.assigned_to.is_some() { Assigned } else { Open }, What::Reopened { why })
            }
            (_, state) => return Err(Refused(state)),
        };
        if let What::Assigned { to } = &what {
            self.assigned_to = Some(to.clone());
        }
        self.state = state;
        self.step(Step { at, by: by.into(), what });
        Ok(())
    }

    fn step(&mut self, step: Step) {
        self.updated = self.updated.max(step.at);
        if self.steps.len() < MOST_STEPS || !matches!(step.what, What::Noted { .. }) {
            self.steps.push(step);
        }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "T-{:06}", self.0)
    }
}

impl FromStr for Number {
    type Err = String;
    /// `T-000012`, `T-12` or `12`.
    fn from_str(s: &str) -> Result<Self, String> {
        let digits = s.strip_prefix("T-").or_else(|| s.strip_prefix("t-")).unwrap_or(s);
        let number = Some(digits).filter(|d| d.bytes().all(|b| b.is_ascii_digit())).and_then(|d| d.parse().ok());
        number.map(Number).ok_or_else(|| format!("expected a ticket number such as T-000001, found \"{s}\""))
    }
}

impl From<Number> for String {
    fn from(n: Number) -> String {
        n.to_string()
    }
}

impl TryFrom<String> for Number {
    type Error = String;
    fn try_from(s: String) -> Result<Self, String> {
        s.parse()
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            State::Open => "open",
            State::Assigned => "assigned",
            State::Pending => "pending",
            State::Resolved => "resolved",
            State::Closed => "closed",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ticket(state: State) -> Ticket {
        Ticket {
            number: Number(1),
            tenant: "acme".parse().unwrap(),
            call: "1-1-1".parse().unwrap(),
            state,
            subject: "s".into(),
            category: "c".into(),
            impact: Impact::One,
            priority: Priority::Medium,
            group: None,
            assigned_to: None,
            party: None,
            queue: None,
            agent: None,
            lang: None,
            wait_ms: None,
            outcome: None,
            opened: Wall(0),
            updated: Wall(0),
            steps: Vec::new(),
        }
    }

    #[test]
    fn every_state_against_every_act() {
        use State::*;
        let t = || String::from("x");
        let acts: [fn(String) -> Act; 6] = [
            |note| Act::Note { note },
            |to| Act::Assign { to },
            |why| Act::Hold { why },
            |how| Act::Resolve { how },
            |_| Act::Close,
            |why| Act::Reopen { why },
        ];
        //            note           assign          hold           resolve         close         reopen
        let table = [
            (Open, [Some(Open), Some(Assigned), None, Some(Resolved), None, None]),
            (Assigned, [Some(Assigned), Some(Assigned), Some(Pending), Some(Resolved), None, None]),
            (Pending, [Some(Pending), Some(Assigned), None, Some(Resolved), None, Some(Open)]),
            (Resolved, [Some(Resolved), None, None, None, Some(Closed), Some(Open)]),
            (Closed, [Some(Closed), None, None, None, None, Some(Open)]),
        ];
        for (from, row) in table {
            for (act, to) in acts.iter().zip(row) {
                let mut it = ticket(from);
                let result = it.act(Wall(5), "ana", act(t()));
                assert_eq!(result.is_ok().then_some(it.state), to, "{from} {:?}", act(t()));
                assert_eq!(it.steps.len(), usize::from(to.is_some()), "a refused act leaves no step");
            }
        }
    }

    #[test]
    fn reopening_what_somebody_has_gives_it_back_to_them() {
        let mut it = ticket(State::Open);
        it.act(Wall(1), "sup", Act::Assign { to: "ana".into() }).unwrap();
        it.act(Wall(2), "ana", Act::Resolve { how: "restarted".into() }).unwrap();
        it.act(Wall(3), "sup", Act::Reopen { why: "again".into() }).unwrap();
        assert_eq!((it.state, it.updated, it.assigned_to.as_deref()), (State::Assigned, Wall(3), Some("ana")));
    }

    #[test]
    fn numbers_and_tickets_read_back() {
        assert_eq!(Number(12).to_string(), "T-000012");
        assert_eq!("T-12".parse::<Number>(), Ok(Number(12)));
        assert!("T-".parse::<Number>().is_err() && "T-x".parse::<Number>().is_err());
        let mut it = ticket(State::Open);
        it.act(Wall(1_000_000), "ana", Act::Close).unwrap_err();
        it.act(Wall(1_000_000), "ana", Act::Note { note: "n".into() }).unwrap();
        let json = serde_json::to_string(&it).unwrap();
        assert!(
            json.contains(r#""steps":[{"at":"1970-01-01T00:00:01.000000Z","by":"ana","step":"noted","note":"n"}]"#),
            "{json}"
        );
        assert_eq!(serde_json::from_str::<Ticket>(&json).unwrap(), it);
    }
}
