//! How numbers, times, durations and positions are said in each language, and the catalogue of what is
//! rendered once for all flows.
//!
//! A [`Phrase`] is a whole breath, with the id of its prompt: whole phrases sound better than words strung
//! together, so the catalogue keeps few of them and each complete. Only a phone number is read digit by digit.

mod agent;
mod caller;
mod catalogue;
mod line;
mod number;
mod time;

pub use agent::{AgentNotice, notice, whisper};
pub use caller::{Line, digit, line};
pub use catalogue::{LANGUAGES, Phrase, catalogue};
pub use line::{announcements, position, wait};
pub use number::{Gender, number};
pub use time::{clock, minutes, seconds};
