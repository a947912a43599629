//! One agent's state.
//!
//! ```text
//!              LogIn                    offer               180            accepted
//!  logged_out ───────▶ available ─────────────▶ reserved ─────────▶ ringing ─────────▶ talking ◀──▶ holding
//!       ▲               ▲  ▲  ▲  ▲               │    │ ring elapsed  │                   │  Released    │
//!       │ LogOut, or    │  │  │  └───────────────┼────┼───────────────┤                   ▼              │
//!       │ too many      │  │  │ rejected, withdrawn,  │               │                wrap_up ◀─────────┘
//!       │ misses        │  │  │ cancelled        │    ▼               │                   │
//!       │               │  │  └──── Ready ──── paused(no_answer) ◀────┘                   │ time is up, or Ready
//!       │               │  └────────────────────────────────────────────────────────────◀─┘
//!       │               └─ Reachable, or the lease ends ── unreachable ◀── no phone, or none of them answers
//! ```
//! Pause and LogOut lead from every state; during a conversation they are kept and applied after wrap-up.
//!
//! | state | owner | resolves itself |
//! |---|---|---|
//! | reserved, ringing | ACD | when the queue's `ring` has passed since the offer was sent |
//! | talking, holding | engine | the conversation is a lease of its own (RTP); its end is `Released` |
//! | wrap_up | ACD | after the queue's `wrap_up` |
//! | unreachable, the phone registered | ACD | after the queue's `retry_delay` |
//! | unreachable, no phone | registrar | `Reachable` |
//! | available, the phone said busy | ACD | after the queue's `retry_delay` |

use crate::board::Seat;
use crate::{Agent as AgentConfig, AgentView, Ask, Owner, Work};
use base::{AgentId, AgentState, Cause, Instant, OfferId, QueueId, VisitId};
use std::collections::BTreeSet;
use std::sync::Arc;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct AgentKey(pub usize);

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Phase {
    LoggedOut,
    Available,
    Reserved(OfferId),
    Ringing(OfferId),
    Talking(Talk),
    Holding(Talk),
    WrapUp,
    Paused,
    Unreachable,
}

/// The conversation that an accepted offer began, or one that was assigned.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Talk {
    pub visit: VisitId,
    pub queue: Option<QueueId>,
}

#[derive(Clone, Debug)]
pub(crate) struct Agent {
    pub id: AgentId,
    pub config: AgentConfig,
    pub profile: usize,
    pub phase: Phase,
    pub since: Instant,
    pub cause: Cause,
    pub reason: Option<Arc<str>>,
    /// When the phase resolves itself; in `Available`: not before this (the phone said busy).
    pub until: Option<Instant>,
    /// Restarts at login and at the end of wrap-up, and at nothing else: not by a pause, a rejection, a call that rang
    /// out, nor by an offer that was cancelled or withdrawn.
    pub idle_since: Instant,
    /// Drawn with each restart of the idle clock: who is idle since the same instant is not served by name.
    pub lot: u64,
    pub reachable: bool,
    pub work: Option<Work>,
    /// Asked for during a conversation.
    pub pending: Option<(Ask, Cause)>,
    /// Calls in a row that rang out.
    pub misses: u32,
    /// Visits this agent is not tried for again yet.
    pub barred: BTreeSet<VisitId>,
    /// Whether the board holds the agent as free.
    pub seated: bool,
    /// No longer in the site file: gone when the conversation ends.
    pub removed: bool,
}

impl Phase {
    pub fn state(&self) -> AgentState {
        match self {
            Phase::LoggedOut => AgentState::LoggedOut,
            Phase::Available => AgentState::Available,
            Phase::Reserved(_) => AgentState::Reserved,
            Phase::Ringing(_) => AgentState::Ringing,
            Phase::Talking(_) => AgentState::Talking,
            Phase::Holding(_) => AgentState::Holding,
            Phase::WrapUp => AgentState::WrapUp,
            Phase::Paused => AgentState::Paused,
            Phase::Unreachable => AgentState::Unreachable,
        }
    }

    pub fn offer(&self) -> Option<OfferId> {
        match self {
            Phase::Reserved(offer) | Phase::Ringing(offer) => Some(*offer),
            _ => None,
        }
    }

    pub fn talk(&self) -> Option<&Talk> {
        match self {
            Phase::Talking(talk) | Phase::Holding(talk) => Some(talk),
            _ => None,
        }
    }
}

impl Agent {
    pub fn new(id: AgentId, config: AgentConfig, profile: usize, now: Instant) -> Self {
        Agent {
            id,
            config,
            profile,
            phase: Phase::LoggedOut,
            since: now,
            cause: Cause::Requested,
            reason: None,
            until: None,
            idle_since: now,
            lot: 0,
            reachable: false,
            work: None,
            pending: None,
            misses: 0,
            barred: BTreeSet::new(),
            seated: false,
            removed: false,
        }
    }

    /// Could get an offer now.
    pub fn is_free(&self) -> bool {
        self.phase == Phase::Available && self.work.is_none() && self.until.is_none()
    }

    pub fn seat(&self, agent: AgentKey) -> Seat {
        Seat { idle_since: self.idle_since, lot: self.lot, agent }
    }

    pub fn view(&self) -> AgentView {
        let offer = self.phase.offer();
        AgentView {
            agent: self.id.clone(),
            state: self.phase.state(),
            since: self.since,
            owner: self.owner(),
            cause: self.cause,
            reason: self.reason.clone(),
            deadline: self.until,
            offer,
            visit: offer.map(|o| o.visit).or(self.phase.talk().map(|t| t.visit)),
            pending: self.pending.as_ref().map(|(ask, _)| ask.clone()),
            reachable: self.reachable,
            work: self.work,
            skills: self.config.skills.clone(),
        }
    }

    fn owner(&self) -> Owner {
        match self.phase {
            Phase::Reserved(_) | Phase::Ringing(_) | Phase::WrapUp => Owner::Acd,
            Phase::Talking(_) | Phase::Holding(_) => Owner::Engine,
            Phase::Unreachable if !self.reachable => Owner::Registrar,
            Phase::Unreachable => Owner::Acd,
            Phase::LoggedOut | Phase::Available | Phase::Paused => Owner::Agent,
        }
    }
}
