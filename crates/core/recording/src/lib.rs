//! Recordings, as far as they are rules: which are owed and how they end ([`Ledger`]).

mod ledger;

pub use ledger::{ALARM_AFTER, Coverage, Input, Ledger, Output, State};
