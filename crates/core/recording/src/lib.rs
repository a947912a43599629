//! Recordings, as far as they are rules: which are owed ([`Policies`]) and how they end ([`Ledger`]).

mod ledger;
mod policy;

pub use ledger::{ALARM_AFTER, Coverage, Input, Ledger, Output, State};
pub use policy::{Account, Asked, Decision, Kind, Policies, Rule, draw};
