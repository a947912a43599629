//! What becomes of the book by one fact.

use crate::rule::When;
use crate::ticket::{Act, Number, Ticket};
use base::{AgentId, CallId, Outcome, Tenant, Wall};
use serde_json::{Value, json};
use std::fmt;

/// What was done once: prints as `acme/1-3-42/answered`, and as `acme/1-3-42/transferred.2` the second time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    pub tenant: Tenant,
    pub call: CallId,
    pub action: When,
    /// From 1.
    pub n: u16,
}

/// What becomes of the book by one fact.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    Opened {
        key: Key,
        ticket: Box<Ticket>,
    },
    /// The ticket of the call gets a note; its outcome and agent may be known by now.
    Noted {
        key: Key,
        number: Number,
        at: Wall,
        note: String,
        outcome: Option<Outcome>,
        agent: Option<AgentId>,
    },
}

impl Change {
    pub fn key(&self) -> &Key {
        match self {
            Change::Opened { key, .. } | Change::Noted { key, .. } => key,
        }
    }

    /// The ticket as it is after this change: `before` is the one of the book, needed for a note.
    pub fn applied(&self, before: Option<Ticket>) -> Option<Ticket> {
        match self {
            Change::Opened { ticket, .. } => Some((**ticket).clone()),
            Change::Noted { at, note, outcome, agent, .. } => {
                let mut ticket = before?;
                // A note is possible in every state.
                ticket.act(*at, "rule", Act::Note { note: note.clone() }).ok()?;
                ticket.outcome = outcome.or(ticket.outcome);
                ticket.agent = agent.clone().or(ticket.agent);
                Some(ticket)
            }
        }
    }

    /// What a webhook is told: a CloudEvent. `{caller}` in the subject is still to be filled in.
    pub fn cloud_event(&self, source: &str, ticket: &Ticket) -> Value {
        let (kind, at) = match self {
            Change::Opened { ticket, .. } => ("ticket.opened", ticket.opened),
            Change::Noted { at, .. } => ("ticket.updated", *at),
        };
        json!({
            "specversion": "1.0",
            "id": self.key().to_string(),
            "source": source,
            "type": kind,
            "subject": format!("ticket/{}", ticket.number),
            "time": at.to_string(),
            "datacontenttype": "application/json",
            "data": { "key": self.key().to_string(), "action": self.key().action, "ticket": ticket },
        })
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.tenant, self.call, self.action.name())?;
        if self.n > 1 { write!(f, ".{}", self.n) } else { Ok(()) }
    }
}
