//! Queues, skills and agents: matching, reservation, deadlines.

mod words;

pub use words::*;
