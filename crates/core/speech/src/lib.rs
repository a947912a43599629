//! How numbers, times, durations and positions are said in each language, and the catalogue of what is
//! rendered once for all flows.
//!
//! A [`Phrase`] is a whole breath, with the id of its prompt: whole phrases sound better than words strung
//! together, so the catalogue keeps few of them and each complete.

mod catalogue;
mod number;
mod time;

pub use catalogue::{AgentNotice, Phrase, catalogue, notice, position, positions};
pub use number::{Gender, number};
pub use time::{clock, minutes, seconds};
