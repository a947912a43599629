//! The closed lists that routing, figures and tickets share: how a visit, an offer or a call ends,
//! and the states of an agent.

use serde::{Deserialize, Serialize};
use std::fmt;

/// How a visit ended (`metrics.md`, two levels). Exactly one for each visit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Answered,
    Abandoned,
    Overflowed,
    Timeout,
    NoAgents,
    KeyExit,
    Callback,
    Voicemail,
    System,
}

/// How an offer ended. Exactly one for each offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OfferEnd {
    Accepted,
    /// The phone said no: busy, declined, diverted, unreachable. The cause says which.
    Rejected,
    /// The agent did not answer in time (RONA).
    TimedOut,
    /// The caller left while it rang.
    Cancelled,
    /// Someone else took the visit, or it went elsewhere.
    Withdrawn,
}

/// An agent's state; each state that waits has an owner, a cause and a deadline in the ACD.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgentState {
    LoggedOut,
    Available,
    /// Chosen for an offer whose phone does not ring yet.
    Reserved,
    Ringing,
    Talking,
    Holding,
    WrapUp,
    /// In a call of its own: outbound, internal, a feature code, monitoring. The reason says which.
    Engaged,
    /// The cause names the reason.
    Paused,
    Unreachable,
}

/// Why something ended or changed. Closed, so that figures can be grouped by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    CallerHungUp,
    AgentHungUp,
    FlowEnded,
    Timeout,
    NoAgents,
    Closed,
    QueueFull,
    /// Turned away at the door: too many wait.
    Dissuaded,
    Busy,
    Declined,
    Diverted,
    NoAnswer,
    Unreachable,
    NoMedia,
    CodecMismatch,
    NoPorts,
    UnknownNumber,
    UnknownPeer,
    Loop,
    Draining,
    Overloaded,
    Requested,
    BySchedule,
    ByFeatureCode,
    BySupervisor,
    CallWaiting,
    /// Passed on by the agent.
    Transferred,
    /// An agent's own call, or one that rang it.
    OwnCall,
    /// A caller who was called back, or the call that a callback joined.
    Callback,
    /// The tenant's or the trunk's calls are used up.
    ChannelLimit,
    /// The session timer ran out (RFC 4028), or nothing renewed the conversation's lease.
    LeaseEnded,
    DiskFull,
    WriteFailed,
    NodeLost,
    TransportFailed,
    ProtocolError,
    Internal,
}

/// Prints as it serialises: snake case.
macro_rules! prints_as_serialised {
    ($($t:ty),*) => {$(
        impl fmt::Display for $t {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.serialize(f)
            }
        }
    )*};
}
prints_as_serialised!(Outcome, OfferEnd, AgentState, Cause);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_print_as_they_serialise() {
        assert_eq!(Outcome::NoAgents.to_string(), "no_agents");
        assert_eq!(AgentState::WrapUp.to_string(), "wrap_up");
        assert_eq!(serde_json::to_string(&Cause::NodeLost).unwrap(), "\"node_lost\"");
    }
}
