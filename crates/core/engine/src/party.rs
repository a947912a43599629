//! Who else takes part in a call beside customer and agent, and whom it tries to reach.

use base::fact::Monitor;
use base::{AgentId, Instant, LegId, Now, Pii, QueueId};
use std::fmt;
use std::sync::Arc;

/// Somebody who can be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Party {
    Agent(AgentId),
    /// Dialled through a trunk.
    Number(Pii<Arc<str>>),
    /// Whom this queue gives the call to: nobody's phone, so that nothing rings until the ACD says whose.
    Queue(QueueId),
}

/// As facts and views name it: a number is nobody's business there.
impl fmt::Display for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Party::Agent(agent) => write!(f, "agent/{}", agent.name()),
            Party::Number(_) => f.write_str("number"),
            Party::Queue(queue) => write!(f, "queue/{}", queue.name()),
        }
    }
}

/// What somebody is rung for. A call has each errand at most once at a time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Errand {
    /// The agent's own phone, for a call asked for at the desk.
    OwnPhone,
    /// The other end of an agent's own call.
    FarEnd,
    Consult,
    /// Whoever is to have the call.
    Transfer,
    /// Back to the agent who passed the call on, because nobody took it.
    Recall,
    Monitor(AgentId),
    /// Whoever asked to be called back.
    Customer,
    /// A number outside that the flow sends the call to.
    Forward,
}

/// Somebody is being rung, on all of their phones.
pub struct Reach {
    pub to: Party,
    /// Phones that may still answer.
    pub open: u16,
    /// The most telling refusal so far, as a SIP status.
    pub refusal: Option<u16>,
    pub until: Instant,
    /// It holds the agent who is rung.
    pub holds: bool,
}

/// Who was consulted, takes part, or has the call outside.
pub struct Third {
    pub to: Party,
    pub role: Role,
    /// Found by this queue: the ACD says that the agent talks, until released.
    pub from: Option<QueueId>,
    /// Once answered.
    pub leg: Option<LegId>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The agent speaks with them while the customer waits. `since` they answered.
    Consulted { since: Option<Now> },
    /// All three speak.
    Joined,
    /// Customer and third speak, outside the centre.
    Has,
}

/// The call is on its way from an agent to whom it was passed on.
pub struct Passing {
    pub by: AgentId,
    /// The leg on which the agent's phone waits to hear how it went.
    pub refer: Option<LegId>,
    /// Whose conversation it was: for the wrap-up of whoever takes it.
    pub queue: Option<QueueId>,
}

/// A supervisor who takes part.
pub struct Monitoring {
    /// As the door knows them.
    pub who: Arc<str>,
    pub mode: Monitor,
    /// Since the phone answered; `None`: it rings.
    pub since: Option<Now>,
}
