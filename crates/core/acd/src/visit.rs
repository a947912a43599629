//! One waiting visit, and one offer of it to an agent.
//!
//! ```text
//!                  ┌─ a callback before its time ─┐
//!                  │                              ▼
//!   enters ────────┼─ kept for one agent ──────▶ open ──▶ on offer ──▶ answered
//!                  │                              │ ▲        │
//!                  └──────────────────────────────▶ └────────┘ the offer ended otherwise
//!                                                 │ ▲
//!                      a callback, customer first │ │ CustomerAnswered
//!                                                 ▼ │
//!                                            being dialled
//! ```
//! From everywhere it may leave. A visit that rings everybody is open and on offer at once.

use crate::agent::AgentKey;
use crate::expect::Ticket;
use crate::place::Place;
use crate::queue::QueueKey;
use crate::{CallFirst, Caller, Strategy};
use base::{Instant, Mutation, OfferId, PartyId, QueueId, Requirement, VisitId, mutated};
use smallvec::SmallVec;
use std::time::Duration;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct VisitKey(pub usize);

/// "This agent is not tried for this visit again yet."
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct BarKey(pub usize);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bar {
    pub visit: VisitKey,
    pub agent: AgentKey,
}

#[derive(Clone, Debug)]
pub(crate) struct Visit {
    pub id: VisitId,
    pub queue: QueueKey,
    /// What the call asks for itself, whatever the queue.
    pub asks: Requirement,
    pub priority_s: i64,
    pub credit: Duration,
    /// How much of the credit was waited in this queue: steps count from there.
    pub aged: Duration,
    pub entered: Instant,
    /// Its longest wait counts from here: later than its beginning, if its customer was dialled.
    pub on_the_line: Instant,
    pub party: Option<PartyId>,
    pub caller: Caller,
    /// Steps of the queue's plan that its age has behind it.
    pub step: usize,
    pub place: Place,
    pub kind: usize,
    /// Live ones, in the order they were sent.
    pub offers: SmallVec<[Offer; 1]>,
    pub last_offer: u16,
    pub barred: SmallVec<[(AgentKey, BarKey); 2]>,
    /// Queues this call overflowed from, to end chains that bite their tail.
    pub been: SmallVec<[QueueId; 1]>,
    /// The last position and expected wait that the caller heard.
    pub heard: Option<u32>,
    pub heard_wait: Option<Duration>,
    pub hold: Hold,
    pub ticket: Ticket,
    /// Whether the board holds the visit as open to offers.
    pub open: bool,
}

/// What keeps a visit from being offered to everybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hold {
    Nothing,
    /// A callback before its time.
    NotYet,
    /// For the agent who had this caller last.
    KeptFor(AgentKey),
    /// Its customer is being dialled, on this agent's account.
    Dialling(Option<AgentKey>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Offer {
    pub n: u16,
    pub agent: AgentKey,
    pub sent: Instant,
}

impl Visit {
    /// Would take an(other) offer now.
    pub fn wants_offer(&self, strategy: Strategy) -> bool {
        self.hold == Hold::Nothing && (self.offers.is_empty() || strategy == Strategy::RingAll || mutated(Mutation::OfferTwice))
    }

    /// Its turn means that the customer is dialled.
    pub fn dials(&self) -> bool {
        matches!(self.caller, Caller::Virtual { first: CallFirst::Customer, .. })
    }

    pub fn is_virtual(&self) -> bool {
        self.caller != Caller::OnTheLine
    }

    /// As the queue's steps count it.
    pub fn age(&self, now: Instant) -> Duration {
        now.since(self.entered).saturating_add(self.aged)
    }

    pub fn offer_id(&self, offer: &Offer) -> OfferId {
        OfferId { visit: self.id, n: offer.n }
    }

    pub fn offer(&self, n: u16) -> Option<Offer> {
        let at = self.offers.binary_search_by_key(&n, |o| o.n).ok()?;
        Some(self.offers[at])
    }

    pub fn bars(&self, agent: AgentKey) -> bool {
        self.barred.iter().any(|(key, _)| *key == agent)
    }
}
