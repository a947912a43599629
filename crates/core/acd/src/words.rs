//! The words of the ACD: what enters it and what leaves it.

use base::{
    AgentId, AgentState, Calendar, Cause, Instant, Lang, OfferId, Outcome, PartyId, QueueId, Requirement, Skill, Skills, Tenant,
    VisitId,
};
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// Queues and agents of every tenant, as the site file gives them. A reload hands over the whole of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Config {
    pub queues: BTreeMap<QueueId, Queue>,
    pub agents: BTreeMap<AgentId, Agent>,
    /// What agents of a tenant may give as the reason of a pause. A tenant that is not here takes any.
    pub pause_reasons: BTreeMap<Tenant, PauseReasons>,
    /// What restarts the idle clock, beside login and the end of wrap-up (calls.md line 16).
    pub idle_restarts: BTreeSet<IdleEvent>,
}

/// Name of a group of agents within their tenant, such as `backup`.
pub type Group = Arc<str>;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Queue {
    /// Asked of every visit, beside what the visit asks itself.
    pub requires: Requirement,
    pub strategy: Strategy,
    /// Score = seconds waited x weight + priority seconds. 0 counts as 1: every call ages.
    pub weight: u32,
    /// What becomes easier as a visit ages, in rising order of age. Ages are cumulative, however long ringing took.
    pub relax: Vec<Relax>,
    /// Agents of these groups are offered a visit only from this age on (backup staff).
    pub delays: BTreeMap<Group, Duration>,
    /// The agent who had this caller last is preferred this long; zero: no such preference.
    pub sticky: Duration,
    /// An agent's phone rings this long.
    pub ring: Duration,
    pub wrap_up: WrapUp,
    /// A visit ends here at this age: overflow to `overflow_to`, else outcome `timeout`. Counted from the visit's
    /// start, however long ringing took.
    pub overflow_after: Option<Duration>,
    pub overflow_to: Option<QueueId>,
    /// Visits that may wait at once.
    pub capacity: usize,
    pub dissuade: Dissuade,
    /// Refused at the door with `no_agents` when every agent who could serve the visit is in one of these states (also
    /// when there is none). Empty: never.
    pub join_empty: BTreeSet<AgentState>,
    /// The same of a visit that waits: it leaves with `no_agents`. Empty: never.
    pub leave_empty: BTreeSet<AgentState>,
    /// `None`: always open. Closed, it refuses with `closed`; who waits already is served.
    pub hours: Option<Calendar>,
    pub announce: Announce,
    pub callback: Option<Callback>,
    /// A caller whom a failure cut off, and who is back within this, gets the old place. Zero: never.
    pub return_within: Duration,
    /// T and S of the service level (`metrics.md`); carried into the facts.
    pub threshold: Duration,
    pub short_abandon: Duration,
    pub retry: Retry,
}

impl Default for Queue {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Queue {
            requires: Requirement::default(),
            strategy: Strategy::LongestIdle,
            weight: 1,
            relax: Vec::new(),
            delays: BTreeMap::new(),
            sticky: Duration::ZERO,
            ring: seconds(20),
            wrap_up: WrapUp::default(),
            overflow_after: None,
            overflow_to: None,
            capacity: 100,
            dissuade: Dissuade::default(),
            join_empty: BTreeSet::new(),
            leave_empty: BTreeSet::new(),
            hours: None,
            announce: Announce::default(),
            callback: None,
            return_within: seconds(60),
            threshold: seconds(20),
            short_abandon: seconds(5),
            retry: Retry::default(),
        }
    }
}

/// Who of the free agents that can take a visit gets it. Of equals the longest idle.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    #[default]
    LongestIdle,
    /// The highest sum of levels in the skills that the visit asks for.
    MostSkilled,
    /// The lowest such sum, then the fewest skills: experts stay free.
    LeastSkilled,
    /// Fewest conversations since login.
    FewestCalls,
    /// Lowest share of the time since login in conversation and wrap-up.
    LeastOccupied,
    /// The one offered a call longest ago.
    RoundRobin,
    Random,
    /// All who can take it ring; the first wins.
    RingAll,
    /// By [`Agent::rank`], lowest first.
    TopDown,
}

/// What becomes easier at an age.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Relax {
    pub after: Duration,
    pub change: Change,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// The need of this skill is lowered to this level, if it is higher.
    Lower { skill: Skill, to: u8 },
    /// The skill is not needed any more.
    Drop { skill: Skill },
    /// Agents of this group may take it too, members of the queue or not. A delay of the group does not count then.
    Widen { group: Group },
    /// Seconds of priority are added.
    Raise { seconds: i64 },
}

/// What follows a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WrapUp {
    pub mode: WrapUpMode,
    /// Of `Timed`: its length.
    pub time: Duration,
    /// The longest it may last, extended or not coded.
    pub cap: Duration,
}

impl Default for WrapUp {
    fn default() -> Self {
        WrapUp { mode: WrapUpMode::Timed, time: Duration::from_secs(10), cap: Duration::from_secs(300) }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WrapUpMode {
    None,
    /// Only if the agent asks for it during the conversation ([`Ask::WrapUp`]); until `Ready` or the cap.
    Optional,
    /// For `time`, or until `Ready`; [`Ask::WrapUp`] adds another `time`, up to the cap.
    #[default]
    Timed,
    /// Until the conversation was coded ([`Ask::Code`]), at most to the cap; `Ready` does not end it.
    Forced,
}

/// Who is turned away at the door with `dissuaded`, so that nobody waits in vain. Never when nobody waits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dissuade {
    /// Visits that wait already.
    pub length: Option<usize>,
    /// The P50 of the expected wait.
    pub wait: Option<Duration>,
    /// Waiting visits for each logged-in agent who could serve them, in hundredths.
    pub per_agent: Option<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Announce {
    /// `None`: nothing is announced.
    pub every: Option<Duration>,
    pub position: bool,
    /// The expected wait, its P90, rounded up to the minute.
    pub wait: bool,
}

impl Default for Announce {
    fn default() -> Self {
        Announce { every: Some(Duration::from_secs(45)), position: true, wait: false }
    }
}

/// A caller may hang up and be called back, and keeps the place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Callback {
    pub first: CallFirst,
    /// The customer is dialled at most so often.
    pub attempts: u8,
    pub retry_after: Duration,
    /// The customer's phone rings this long.
    pub ring: Duration,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallFirst {
    /// The agent's phone is rung as for any visit; answered, the customer is dialled.
    #[default]
    Agent,
    /// The customer is dialled when an agent is free, and waits on the line for the next one.
    Customer,
}

/// An agent who did not take an offer is not tried for that visit again before this (busy: for any visit).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retry {
    pub busy: Duration,
    /// Declined or diverted.
    pub rejected: Duration,
    pub unreachable: Duration,
}

impl Default for Retry {
    fn default() -> Self {
        let ten = Duration::from_secs(10);
        Retry { busy: ten, rejected: ten, unreachable: ten }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Agent {
    pub skills: Skills,
    pub queues: Vec<QueueId>,
    pub groups: BTreeSet<Group>,
    /// For [`Strategy::TopDown`].
    pub rank: u32,
    /// Instead of the queue's.
    pub wrap_up: Option<WrapUp>,
    /// Logged in when the site is loaded for the first time.
    pub starts_logged_in: bool,
    /// The agent is logged out with the call that rings out as this one in a row; 0 never.
    pub max_misses: u32,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PauseReasons {
    pub mode: ReasonMode,
    /// Which there are; empty: any.
    pub codes: BTreeSet<Arc<str>>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReasonMode {
    /// None is kept.
    None,
    #[default]
    Optional,
    /// A pause without one is refused.
    Forced,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdleEvent {
    Pause,
    /// An outbound or internal call of the agent's own.
    OwnCall,
    /// A call that rang out.
    NoAnswer,
}

/// What enters the ACD.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Input {
    /// The first configuration, or a reload with calls waiting and agents talking.
    Configure(Arc<Config>),
    /// A call asks for an agent. `waited` is credit from before (a failure, a dead agent phone): it counts in the
    /// score, not in the visit's own wait; a callback's counts for the steps of its queue too.
    Enqueue {
        visit: VisitId,
        queue: QueueId,
        requires: Requirement,
        priority_s: i64,
        waited: Duration,
        lang: Option<Lang>,
        /// Known and not shared by several callers; for sticky agents and for who comes back after a failure.
        party: Option<PartyId>,
        caller: Caller,
    },
    /// The visit ends from outside: the caller hung up (`Abandoned`), a key, the end of the node. `cut_off`: by this
    /// failure, so that the caller may come back to the old place.
    Leave {
        visit: VisitId,
        outcome: Outcome,
        cut_off: Option<Cause>,
    },
    /// To another queue of the tenant, by a supervisor: this visit ends as `overflowed`, the next begins there with the
    /// time waited as credit.
    Move {
        visit: VisitId,
        queue: QueueId,
    },
    /// Priority seconds of a waiting visit, instead of those it has.
    Prioritise {
        visit: VisitId,
        priority_s: i64,
    },
    /// Said of a visit whose customer was dialled for [`Output::CallCustomer`]: on the line, the visit is an ordinary one.
    /// If not, the visit leaves by `Leave`.
    CustomerAnswered {
        visit: VisitId,
    },
    OfferResult {
        offer: OfferId,
        result: OfferResult,
    },
    /// The agent's phone rings (state `ringing`).
    OfferRinging {
        offer: OfferId,
    },
    /// The agent has a conversation that was not offered: passed on by a colleague, or taken over. State `talking`, until
    /// `Released`. An offer that rings is withdrawn; work, pause and wrap-up end. Of an agent who talks already it is
    /// ignored. `visit` is the call's last one (its number 0: the call never waited), `queue` sets the wrap-up.
    Assign {
        agent: AgentId,
        visit: VisitId,
        queue: Option<QueueId>,
    },
    /// The conversation that an accepted offer or `Assign` began is over: wrap-up begins.
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
    /// Any call we know of, outside offers, blocks the agent in all queues (calls.md line 6): state `engaged`. `None`: it
    /// is over. An offer that rings is withdrawn.
    Engaged {
        agent: AgentId,
        work: Option<Work>,
    },
    /// Instead of the site's, until `None` or a restart.
    SetSkills {
        agent: AgentId,
        skills: Option<Skills>,
    },
    /// Instead of the queue's hours, until `None` or a restart.
    SetOpen {
        queue: QueueId,
        open: Option<bool>,
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
    /// Empty: without a reason.
    Pause {
        reason: Arc<str>,
    },
    /// In conversation: wrap-up shall follow. In wrap-up: longer.
    WrapUp,
    /// The conversation's disposition; in or before wrap-up.
    Code {
        code: Arc<str>,
    },
}

/// Who stands behind a visit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Caller {
    #[default]
    OnTheLine,
    /// A callback: no offer before this moment (the last attempt was in vain), and who is called first.
    Virtual { first: CallFirst, not_before: Option<Instant> },
}

/// A call of an agent's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Work {
    FeatureCode,
    Internal,
    Outbound,
    /// Listening, whispering or barging in.
    Monitoring,
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
        expected: Option<Expected>,
        /// Waited before: after a failure, an overflow or a transfer, or as a callback.
        credit: Duration,
    },
    /// It could not enter: queue full, no agents, dissuaded, closed or unknown queue. The visit never was.
    Refused { visit: VisitId, queue: QueueId, cause: Cause },
    /// Ring this agent for this visit, until the ACD withdraws it.
    Offer { offer: OfferId, agent: AgentId, queue: QueueId, why: Why },
    /// Stop ringing. `end` is `TimedOut`, `Cancelled` or `Withdrawn`.
    Withdraw { offer: OfferId },
    /// The offer's one end, for the facts. `ring` since it was sent.
    OfferEnded { offer: OfferId, agent: AgentId, queue: QueueId, end: base::OfferEnd, cause: Option<Cause>, ring: Duration },
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
    /// For the agent's phone or desk: the request is kept until the call is over.
    AskKept { agent: AgentId, ask: Ask },
    /// It makes no sense now; `why` is for a person to read.
    AskRefused { agent: AgentId, ask: Ask, why: Arc<str> },
    /// The last conversation's disposition.
    Coded { agent: AgentId, visit: VisitId, queue: QueueId, code: Arc<str> },
    Announce {
        visit: VisitId,
        position: u32,
        waited: Duration,
        /// What is to be said: rounded up to minutes, and only when it is wanted and no more than what was said before.
        wait: Option<Duration>,
        expected: Option<Expected>,
    },
    /// A callback's turn, customer first: dial. Answered by `CustomerAnswered` or `Leave`.
    CallCustomer { visit: VisitId, queue: QueueId },
}

/// How long a visit will yet wait, as measured from what agents did lately.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expected {
    pub p50: Duration,
    pub p90: Duration,
    pub from: Estimate,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Estimate {
    /// By position, with the measured rates of completion and abandonment of the agents who can take the call.
    Position,
    /// What the last visit that entered service had waited: too little is measured yet.
    LastServed,
}

/// Why this agent and this visit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Why {
    pub rule: Rule,
    /// The visit's score in milliseconds at the moment of the decision.
    pub score_ms: i64,
    /// How long the agent had been idle.
    pub idle: Idle,
    /// Agents who could have taken it, and visits the agent could have taken.
    pub agents: u32,
    pub visits: u32,
    /// The best of each, best first, the chosen one among them; at most [`SHOWN`].
    pub candidates: SmallVec<[Candidate; SHOWN]>,
    pub rivals: SmallVec<[Rival; SHOWN]>,
    /// By which step of the queue's relaxation the agent may take the visit; `None`: by none, and in logs from before
    /// this was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub let_in: Option<LetIn>,
}

/// How many candidates and rivals a decision keeps: with more, every output would be as large as this one.
pub const SHOWN: usize = 3;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    pub agent: AgentId,
    /// What the strategy compares, lower is better: minus the levels' sum, calls, parts per million of occupation, rank …
    pub value: i64,
    pub idle: Idle,
}

/// A span in nanoseconds, at most 584 years: half as large as a `Duration`, which it is when it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Duration", into = "Duration")]
pub struct Idle(u64);

impl Idle {
    pub(crate) fn since(earlier: Instant, now: Instant) -> Self {
        Idle(now.0.saturating_sub(earlier.0))
    }
}

impl From<Duration> for Idle {
    fn from(span: Duration) -> Self {
        Idle(u64::try_from(span.as_nanos()).unwrap_or(u64::MAX))
    }
}

impl From<Idle> for Duration {
    fn from(span: Idle) -> Self {
        Duration::from_nanos(span.0)
    }
}

/// The first step after which the agent may take the visit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LetIn {
    pub step: Arc<RelaxStep>,
    /// Before the visit had its age: nobody logged in could serve it sooner, or it is kept for this agent.
    pub early: bool,
}

/// One of [`Queue::relax`], which are numbered from 1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RelaxStep {
    pub number: u32,
    pub after: Duration,
    pub change: Change,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rival {
    pub visit: VisitId,
    pub score_ms: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// A visit came (or opened up), and of the free agents the queue's strategy chose this one.
    Strategy(Strategy),
    /// An agent became free, and of all waiting visits it can take this one has the best score.
    BestScore,
    /// The agent had this caller last.
    Sticky,
}

/// What a waiting visit waits for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Waits {
    /// What it asks for now, after the steps so far.
    pub requires: Requirement,
    pub position: u32,
    pub score_ms: i64,
    /// Agents who could take it now by skills, queue and group, by their state.
    pub agents: BTreeMap<AgentState, u32>,
    /// Agents who are free and are not offered it, and why: told no lately, of a delayed group.
    pub barred: Vec<(AgentId, Arc<str>)>,
    /// The step that comes next, and when.
    pub next: Option<(Instant, Change)>,
    /// The agent it is kept for, and until when.
    pub sticky: Option<(AgentId, Instant)>,
    pub expected: Option<Expected>,
}

/// One agent as seen from outside.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AgentView {
    pub agent: AgentId,
    pub state: AgentState,
    pub since: Instant,
    /// Who ends this state, why it began, and when it resolves itself (routing invariant 3).
    pub owner: Owner,
    pub cause: Cause,
    pub reason: Option<Arc<str>>,
    pub deadline: Option<Instant>,
    pub offer: Option<OfferId>,
    /// The visit of the offer or conversation.
    pub visit: Option<VisitId>,
    pub pending: Option<Ask>,
    pub reachable: bool,
    pub work: Option<Work>,
    /// As they count now, whoever set them.
    pub skills: Skills,
}

/// Who ends a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Owner {
    /// A deadline of the ACD's.
    Acd,
    /// A call of the engine's, which is a lease of its own.
    Engine,
    /// A phone that registers.
    Registrar,
    /// The agent's own will.
    Agent,
}

/// One waiting visit as seen from outside.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VisitView {
    pub visit: VisitId,
    pub queue: QueueId,
    pub entered: Instant,
    /// As it asks now, after the steps so far.
    pub requires: Requirement,
    pub priority_s: i64,
    pub credit: Duration,
    pub caller: Caller,
    pub offers: Vec<OfferId>,
    pub deadline: Option<Instant>,
    pub expected: Option<Expected>,
}
