//! Recordings, as far as they are rules: which are owed ([`Policies`]), how they end ([`Ledger`]), and how long they are
//! kept ([`retention`]).

mod ledger;
mod policy;
pub mod retention;
mod trouble;

pub use ledger::{ALARM_AFTER, Coverage, Input, Ledger, Output, State};
pub use policy::{Account, Asked, Decision, Hold, Kind, Policies, Rule, draw};
pub use trouble::Trouble;

/// One with no agent in it is a voice message, which somebody shall hear.
pub fn is_message(agent: Option<&base::AgentId>) -> bool {
    agent.is_none()
}
