//! The words of the ACD: what enters it and what leaves it.

use base::{AgentId, AgentState, Cause, Instant, Lang, OfferId, Outcome, PartyId, QueueId, Requirement, Skills, VisitId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Queues and agents of every tenant, as the site file gives them. A reload hands over the whole of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Config {
    pub queues: BTreeMap<QueueId, Queue>,
    pub agents: BTreeMap<AgentId, Agent>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Queue {
    /// Asked of every visit, beside what the visit asks itself.
    pub requires: Requirement,
    pub strategy: Strategy,
    /// Score = seconds waited x weight + priority seconds. 0 counts as 1: every call ages.
    pub weight: u32,
    /// An agent's phone rings this long.
    pub ring: Duration,
    pub wrap_up: Duration,
    /// A visit ends here at this age: overflow to `overflow_to`, else outcome `timeout`. Counted from the visit's
    /// start, however long ringing took.
    pub overflow_after: Option<Duration>,
    pub overflow_to: Option<QueueId>,
    /// Visits that may wait at once.
    pub capacity: usize,
    /// Announce position each so often; `None` never.
    pub announce_every: Option<Duration>,
    /// T and S of the service level (`metrics.md`); carried into the facts.
    pub threshold: Duration,
    pub short_abandon: Duration,
    /// False: while nobody who could serve it is logged in, refuse at the door with `no_agents`.
    pub join_empty: bool,
    /// Rejected (busy, declined, diverted) or unreachable: this agent is not tried again before.
    pub retry_delay: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    LongestIdle,
    /// All who can take it ring; the first wins.
    RingAll,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Agent {
    pub skills: Skills,
    pub queues: Vec<QueueId>,
    /// Logged in when the site is loaded for the first time.
    pub starts_logged_in: bool,
    /// The agent is logged out with the call that rings out as this one in a row; 0 never.
    pub max_misses: u32,
}

/// What enters the ACD.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Input {
    /// The first configuration, or a reload with calls waiting and agents talking.
    Configure(Arc<Config>),
    /// A call asks for an agent. `waited` is credit from before (a failure, a dead agent phone): it counts in the
    /// score, not in the visit's own wait.
    Enqueue {
        visit: VisitId,
        queue: QueueId,
        requires: Requirement,
        priority_s: i64,
        waited: Duration,
        lang: Option<Lang>,
        party: Option<PartyId>,
    },
    /// The visit ends from outside: the caller hung up (`Abandoned`), a key, the end of the node.
    Leave {
        visit: VisitId,
        outcome: Outcome,
    },
    OfferResult {
        offer: OfferId,
        result: OfferResult,
    },
    /// The agent's phone rings (state `ringing`).
    OfferRinging {
        offer: OfferId,
    },
    /// The conversation that an accepted offer began is over: wrap-up begins.
    Released {
        agent: AgentId,
        cause: Cause,
    },
    /// Hold began or ended.
    Held {
        agent: AgentId,
        held: bool,
    },
    AgentAsked {
        agent: AgentId,
        ask: Ask,
        cause: Cause,
    },
    /// A phone of the agent registered, or the last one is gone. An agent begins without one; of an agent not (yet)
    /// configured it is ignored.
    Reachable {
        agent: AgentId,
        reachable: bool,
    },
    /// Any call we know of, outside offers, blocks the agent in all queues (a call to a feature code, say).
    Occupied {
        agent: AgentId,
        occupied: bool,
    },
    /// State from before a restart: logged in, in this state. Conversations come back as `WrapUp`.
    Restore {
        agent: AgentId,
        state: AgentState,
        reason: Option<Arc<str>>,
    },
    Due,
}

/// What an agent asks for, through feature code, API or desk. During a call it is pending until it ends; the last wins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ask {
    LogIn,
    LogOut,
    /// Ready; ends wrap-up and pause.
    Ready,
    Pause {
        reason: Arc<str>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum OfferResult {
    /// The first 200 was applied.
    Accepted,
    /// 486, 600, 603 and the like, or a 3xx. `Cause` is `Busy`, `Declined` or `Diverted`.
    Rejected(Cause),
    /// No provisional, 404, 408, 480, 5xx on each of the agent's phones.
    Unreachable,
}

/// What leaves the ACD.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Output {
    /// The visit is in. Position counts from 1.
    Entered {
        visit: VisitId,
        queue: QueueId,
        requires: Requirement,
        priority_s: i64,
        position: u32,
    },
    /// It could not enter: queue full, no agents, unknown queue. The visit never was.
    Refused {
        visit: VisitId,
        queue: QueueId,
        cause: Cause,
    },
    /// Ring this agent for this visit, until the ACD withdraws it.
    Offer {
        offer: OfferId,
        agent: AgentId,
        queue: QueueId,
        why: Why,
    },
    /// Stop ringing. `end` is `TimedOut`, `Cancelled` or `Withdrawn`.
    Withdraw {
        offer: OfferId,
    },
    /// The offer's one end, for the facts. `ring` since it was sent.
    OfferEnded {
        offer: OfferId,
        agent: AgentId,
        queue: QueueId,
        end: base::OfferEnd,
        cause: Option<Cause>,
        ring: Duration,
    },
    /// The visit's one end. With `Overflowed` the next visit's `Entered` follows, its number one higher.
    Left {
        visit: VisitId,
        queue: QueueId,
        outcome: Outcome,
        cause: Option<Cause>,
        waited: Duration,
        ringing: bool,
        to: Option<QueueId>,
    },
    AgentChanged {
        agent: AgentId,
        state: AgentState,
        previous: AgentState,
        in_previous: Duration,
        cause: Cause,
        reason: Option<Arc<str>>,
    },
    /// For the agent's phone or desk: a request was kept for later, or makes no sense now.
    AskPending {
        agent: AgentId,
        ask: Ask,
    },
    Announce {
        visit: VisitId,
        position: u32,
        waited: Duration,
    },
}

/// Why this agent and this visit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Why {
    /// The visit's score in milliseconds at the moment of the decision.
    pub score_ms: i64,
    /// How long the agent had been idle.
    pub idle: Duration,
    pub rule: Rule,
    /// Agents who could have taken it, and visits the agent could have taken.
    pub agents: u32,
    pub visits: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// A visit came, and of the free agents this one was idle longest.
    LongestIdle,
    /// An agent became free, and of all waiting visits it can take this one has the best score.
    BestScore,
    RingAll,
}

/// One agent as seen from outside.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AgentView {
    pub agent: AgentId,
    pub state: AgentState,
    pub since: Instant,
    pub cause: Cause,
    pub reason: Option<Arc<str>>,
    /// Every state that waits has one (routing invariant 3).
    pub deadline: Option<Instant>,
    pub offer: Option<OfferId>,
    /// The visit of the offer or conversation.
    pub visit: Option<VisitId>,
    pub pending: Option<Ask>,
    pub reachable: bool,
}

/// One waiting visit as seen from outside.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VisitView {
    pub visit: VisitId,
    pub queue: QueueId,
    pub entered: Instant,
    pub requires: Requirement,
    pub priority_s: i64,
    pub credit: Duration,
    pub offers: Vec<OfferId>,
    pub deadline: Option<Instant>,
}
