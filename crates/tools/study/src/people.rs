//! Who calls, and what agents and their phones do: everything the decision core does not decide.

use base::{AgentId, Cause, Instant, Lang, OfferId, Outcome, PartyId, QueueId, Requirement};
use std::time::Duration;

/// One call for an agent.
#[derive(Clone, Debug, PartialEq)]
pub struct Caller {
    pub at: Instant,
    pub queue: QueueId,
    pub requires: Requirement,
    pub priority_s: i64,
    pub lang: Option<Lang>,
    pub party: Option<PartyId>,
    /// Waited before: it counts in the order of the line only.
    pub credit: Duration,
    /// How the caller leaves who is not answered before; `None`: never.
    pub leaves: Option<Leaving>,
    /// From the agent's answer to the conversation's end, holds included.
    pub talk: Duration,
    /// The agent is ready this long after; `None`: as the queue's rule for wrap-up says.
    pub wrap_up: Option<Duration>,
}

/// How a caller's waiting ends if nothing else ends it. A caller who leaves by `Callback` stays in line as one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Leaving {
    pub after: Duration,
    pub outcome: Outcome,
}

impl Leaving {
    pub fn hanging_up(after: Duration) -> Leaving {
        Leaving { after, outcome: Outcome::Abandoned }
    }
}

/// What a phone does that is rung.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Answered after this long.
    Answers(Duration),
    /// Never answered; the ACD gives up.
    RingsOut,
    /// Busy, declined or diverted.
    Rejects(Duration, Cause),
    Unreachable(Duration),
}

/// What the agents do.
pub trait Staff {
    /// The phone of this agent is rung.
    fn rung(&mut self, offer: OfferId, agent: &AgentId) -> Fate;

    /// The agent missed a call and is paused for it: back after this long, `None` for never.
    fn back_after_a_miss(&mut self, agent: &AgentId) -> Option<Duration>;

    /// The agent missed too many in a row and is logged out for it: logs in again after this long, `None` for never.
    fn back_after_a_logout(&mut self, _agent: &AgentId) -> Option<Duration> {
        None
    }
}

/// Each phone answers at once.
#[derive(Clone, Copy, Debug, Default)]
pub struct AtOnce;

impl Staff for AtOnce {
    fn rung(&mut self, _: OfferId, _: &AgentId) -> Fate {
        Fate::Answers(Duration::ZERO)
    }

    fn back_after_a_miss(&mut self, _: &AgentId) -> Option<Duration> {
        Some(Duration::ZERO)
    }
}
