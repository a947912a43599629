//! One waiting visit, and one offer of it to an agent.

use crate::agent::AgentKey;
use crate::place::Place;
use crate::{Caller, Strategy, VisitView};
use base::{Instant, OfferId, QueueId, Requirement, VisitId};
use smallvec::SmallVec;
use std::time::Duration;

#[derive(Clone, Debug)]
pub(crate) struct Visit {
    pub queue: QueueId,
    /// What the call asks for itself, whatever the queue.
    pub asks: Requirement,
    /// That and what the queue asks for.
    pub requires: Requirement,
    pub priority_s: i64,
    pub credit: Duration,
    pub entered: Instant,
    pub caller: Caller,
    pub place: Place,
    pub group: usize,
    /// Live ones, in the order they were sent.
    pub offers: SmallVec<[OfferId; 1]>,
    pub last_offer: u16,
    pub barred: SmallVec<[AgentKey; 2]>,
    /// Queues this call overflowed from, to end chains that bite their tail.
    pub been: SmallVec<[QueueId; 1]>,
    /// The last position the caller heard.
    pub heard: Option<u32>,
    /// Whether the board holds the visit as open to offers.
    pub open: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Offer {
    pub agent: AgentKey,
    pub sent: Instant,
}

impl Visit {
    /// Would take an(other) offer now.
    pub fn wants_offer(&self, strategy: Strategy) -> bool {
        match strategy {
            Strategy::RingAll => true,
            _ => self.offers.is_empty(),
        }
    }

    pub fn view(&self, visit: VisitId, deadline: Option<Instant>) -> VisitView {
        VisitView {
            visit,
            queue: self.queue.clone(),
            entered: self.entered,
            requires: self.requires.clone(),
            priority_s: self.priority_s,
            credit: self.credit,
            caller: self.caller,
            offers: self.offers.to_vec(),
            deadline,
            expected: None,
        }
    }
}
