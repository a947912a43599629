//! One agent's state.
//!
//! ```text
//!              LogIn                    offer               180            accepted, or Assign
//!  logged_out ───────▶ available ─────────────▶ reserved ─────────▶ ringing ─────────▶ talking ◀──▶ holding
//!       ▲               ▲  ▲  ▲  ▲               │    │ ring elapsed  │                   │  Released    │
//!       │ LogOut, or    │  │  │  └───────────────┼────┼───────────────┤                   ▼              │
//!       │ too many      │  │  │ rejected, withdrawn,  │               │                wrap_up ◀─────────┘
//!       │ misses        │  │  │ cancelled        │    ▼               │                   │ time or cap is up, Ready,
//!       │               │  │  └──── Ready ──── paused(no_answer) ◀────┘                   │ or (forced) coded
//!       │               │  └────────────────────────────────────────────────────────────◀─┘
//!       │               └─ Reachable, or the lease ends ── unreachable ◀── no phone, or none of them answers
//! ```
//! Pause and LogOut lead from every state; during a conversation they are kept and applied after wrap-up. A call of the
//! agent's own lies over available, paused, wrap_up and unreachable as `engaged`; what is below goes on, and shows again
//! when the call is over.
//!
//! | state | owner | resolves itself |
//! |---|---|---|
//! | reserved, ringing | ACD | when the queue's `ring` has passed since the offer was sent |
//! | talking, holding | engine | the conversation is a lease of its own (RTP); its end is `Released` |
//! | engaged | engine | the call is a lease of its own; its end is `Engaged` without work |
//! | wrap_up | ACD | after its time, at most at its cap |
//! | unreachable, the phone registered | ACD | after the queue's `retry.unreachable` |
//! | unreachable, no phone | registrar | `Reachable` |
//! | available, the phone said busy | ACD | after the queue's `retry.busy` |

use crate::queue::{GroupKey, QueueKey};
use crate::seats::{NEVER, Seat, Standing};
use crate::visit::{BarKey, VisitKey};
use crate::{Agent as AgentConfig, AgentView, Ask, Owner, Work, WrapUp};
use base::{AgentId, AgentState, Cause, Instant, OfferId, QueueId, Skills, Tenant, VisitId};
use smallvec::SmallVec;
use std::sync::Arc;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct AgentKey(pub usize);

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Phase {
    LoggedOut,
    Available,
    Reserved(Ring),
    Ringing(Ring),
    Talking(Talk),
    Holding(Talk),
    WrapUp(Wrap),
    /// `missed`: not asked for, a call rang out.
    Paused {
        missed: bool,
    },
    Unreachable,
}

/// The offer that rings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ring {
    pub offer: OfferId,
    pub visit: VisitKey,
}

/// The conversation that an accepted offer began, or one that was assigned.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Talk {
    pub visit: VisitId,
    pub queue: Option<QueueId>,
    /// Where that was when the conversation began; after a reload another may be there.
    pub near: QueueKey,
    pub assigned: bool,
    /// Wrap-up was asked for.
    pub wrap_up: bool,
    pub coded: bool,
}

/// What follows a conversation; after a restart nobody knows of which.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Wrap {
    pub of: Option<(VisitId, QueueId)>,
    pub rule: WrapUp,
    /// However long it is made.
    pub latest: Instant,
}

/// What was last said of an agent's state.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Told {
    pub state: AgentState,
    pub work: Option<Work>,
    pub reason: Option<Arc<str>>,
}

#[derive(Clone, Debug)]
pub(crate) struct Agent {
    pub id: AgentId,
    pub tenant: Tenant,
    /// As it is read when the site changes; what decisions read of it is beside.
    pub config: Box<AgentConfig>,
    pub rank: u32,
    pub wrap_up: Option<Box<WrapUp>>,
    /// By a supervisor, instead of the site's.
    pub own_skills: Option<Skills>,
    pub groups: Vec<GroupKey>,
    pub profile: usize,
    pub phase: Phase,
    pub reason: Option<Arc<str>>,
    pub work: Option<Work>,
    pub told: Told,
    pub since: Instant,
    pub cause: Cause,
    /// When the phase resolves itself; in `Available`: not before this (the phone said busy).
    pub until: Option<Instant>,
    /// Restarts at login and at the end of wrap-up, and at what the configuration names; not by a rejection, nor by an
    /// offer that was cancelled or withdrawn.
    pub idle_since: Instant,
    /// Drawn with each restart of the idle clock: who is idle since the same instant is not served by name.
    pub lot: u64,
    pub login: Instant,
    /// Since login: conversations, nanoseconds in them and in wrap-up, and when the last offer came.
    pub calls: u32,
    pub busy: u64,
    pub offered: Instant,
    pub reachable: bool,
    /// Asked for during a call.
    pub pending: Option<(Ask, Cause)>,
    /// Calls in a row that rang out.
    pub misses: u32,
    /// Visits this agent is not tried for again yet, sorted.
    pub barred: Vec<(VisitKey, BarKey)>,
    /// Visits that wait for this agent, who had their caller last.
    pub kept: SmallVec<[VisitKey; 2]>,
    /// The visit whose customer is being dialled because this agent was free.
    pub dialling: Option<VisitKey>,
    /// The board holds the agent as free, as its standing says, with this leaf in its tournament.
    pub seated: Option<u32>,
    /// No longer in the site file: gone when the conversation ends.
    pub removed: bool,
}

impl Talk {
    pub fn offered(visit: VisitId, queue: QueueId, near: QueueKey) -> Self {
        Talk { visit, queue: Some(queue), near, assigned: false, wrap_up: false, coded: false }
    }

    pub fn assigned(visit: VisitId, queue: Option<QueueId>) -> Self {
        Talk { visit, queue, near: QueueKey(0), assigned: true, wrap_up: false, coded: false }
    }
}

impl Phase {
    fn state(&self) -> AgentState {
        match self {
            Phase::LoggedOut => AgentState::LoggedOut,
            Phase::Available => AgentState::Available,
            Phase::Reserved(_) => AgentState::Reserved,
            Phase::Ringing(_) => AgentState::Ringing,
            Phase::Talking(_) => AgentState::Talking,
            Phase::Holding(_) => AgentState::Holding,
            Phase::WrapUp(_) => AgentState::WrapUp,
            Phase::Paused { .. } => AgentState::Paused,
            Phase::Unreachable => AgentState::Unreachable,
        }
    }

    pub fn ring(&self) -> Option<Ring> {
        match self {
            Phase::Reserved(ring) | Phase::Ringing(ring) => Some(*ring),
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
    pub fn new(id: AgentId, config: AgentConfig, now: Instant) -> Self {
        Agent {
            tenant: id.tenant(),
            id,
            rank: config.rank,
            wrap_up: config.wrap_up.map(Box::new),
            config: Box::new(config),
            own_skills: None,
            groups: Vec::new(),
            profile: 0,
            phase: Phase::LoggedOut,
            reason: None,
            work: None,
            told: Told { state: AgentState::LoggedOut, work: None, reason: None },
            since: now,
            cause: Cause::Requested,
            until: None,
            idle_since: now,
            lot: 0,
            login: now,
            calls: 0,
            busy: 0,
            offered: NEVER,
            reachable: false,
            pending: None,
            misses: 0,
            barred: Vec::new(),
            kept: SmallVec::new(),
            dialling: None,
            seated: None,
            removed: false,
        }
    }

    /// Before the board is made anew.
    pub fn configure(&mut self, config: AgentConfig) {
        (self.rank, self.wrap_up) = (config.rank, config.wrap_up.map(Box::new));
        *self.config = config;
    }

    /// As it shows from outside.
    pub fn state(&self) -> AgentState {
        let below = self.phase.state();
        let covers = matches!(self.phase, Phase::Available | Phase::Paused { .. } | Phase::WrapUp(_) | Phase::Unreachable);
        if covers && self.work.is_some() { AgentState::Engaged } else { below }
    }

    pub fn skills(&self) -> &Skills {
        self.own_skills.as_ref().unwrap_or(&self.config.skills)
    }

    /// Could get an offer now.
    pub fn is_free(&self) -> bool {
        matches!(self.phase, Phase::Available) && self.work.is_none() && self.until.is_none()
    }

    /// Logged in and not away: who comes back to this agent may wait.
    pub fn is_about(&self) -> bool {
        !matches!(self.state(), AgentState::LoggedOut | AgentState::Paused | AgentState::Unreachable)
    }

    pub fn bars(&self, visit: VisitKey) -> bool {
        self.barred.binary_search_by_key(&visit, |(barred, _)| *barred).is_ok()
    }

    pub fn standing(&self, agent: AgentKey) -> Standing {
        Standing {
            seat: Seat { key: 0, idle_since: self.idle_since, lot: self.lot, agent },
            calls: self.calls,
            offered: self.offered,
            rank: self.rank,
            busy: self.busy,
            login: self.login,
            may_dial: self.dialling.is_none(),
        }
    }

    pub fn view(&self) -> AgentView {
        let offer = self.phase.ring().map(|ring| ring.offer);
        let engaged = self.told.state == AgentState::Engaged;
        AgentView {
            agent: self.id.clone(),
            state: self.told.state,
            since: self.since,
            owner: self.owner(),
            cause: self.cause,
            reason: self.told.reason.clone(),
            deadline: self.until.filter(|_| !engaged),
            offer,
            visit: offer.map(|o| o.visit).or(self.phase.talk().map(|t| t.visit)),
            pending: self.pending.as_ref().map(|(ask, _)| ask.clone()),
            reachable: self.reachable,
            work: self.work,
            skills: self.skills().clone(),
        }
    }

    fn owner(&self) -> Owner {
        match self.told.state {
            AgentState::Reserved | AgentState::Ringing | AgentState::WrapUp => Owner::Acd,
            AgentState::Talking | AgentState::Holding | AgentState::Engaged => Owner::Engine,
            AgentState::Unreachable if !self.reachable => Owner::Registrar,
            AgentState::Unreachable => Owner::Acd,
            AgentState::Available if self.until.is_some() => Owner::Acd,
            AgentState::LoggedOut | AgentState::Available | AgentState::Paused => Owner::Agent,
        }
    }
}

impl Work {
    /// As the reason of `engaged`.
    pub fn name(self) -> &'static str {
        match self {
            Work::FeatureCode => "feature_code",
            Work::Internal => "internal",
            Work::Outbound => "outbound",
            Work::Monitoring => "monitoring",
        }
    }
}
