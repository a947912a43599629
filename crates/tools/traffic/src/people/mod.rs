//! The habits of callers and agents, as machines: events in, acts out, time as an argument.

mod agent;
mod called;
mod caller;
mod own;

pub use agent::{AgentCall, Habit, Pass};
pub use called::CalledPerson;
pub use caller::{Caller, Intent};
pub use own::OwnCall;

use std::time::{Duration, Instant};

/// What happened to somebody's call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// 200 and ACK are through: both sides may speak.
    Connected,
    /// The first packet of sound came.
    FirstPacket,
    /// A steady tone began.
    Tone(u32),
    /// The moment that `due` named.
    Due,
    /// The run is over.
    Stop,
    /// A final status above 299, or none at all (408).
    Failed(u16),
    /// The call is over.
    Ended {
        by_us: bool,
    },
    /// Whoever is consulted answered, or is not there (any more).
    ThirdAnswered,
    ThirdGone,
    /// What became of the transfer.
    PassedOn(u16),
}

/// What somebody does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    Press(char),
    /// Speaks this tone from now on.
    Say(u32),
    /// Picks up, and speaks this tone from that moment on.
    Answer(u32),
    Refuse,
    HangUp,
    /// Puts the caller on hold and dials whoever is to be consulted; and back to the caller.
    Consult,
    Resume,
    /// Passes the call on: to whom was named, or to whoever is consulted.
    PassOn,
}

/// Milliseconds between two moments.
fn millis(from: Instant, to: Instant) -> u64 {
    (to.saturating_duration_since(from)).as_millis() as u64
}

/// Long enough to be never.
pub const NEVER: Duration = Duration::from_secs(24 * 3_600);
