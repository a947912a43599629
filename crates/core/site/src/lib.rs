//! The site file: what it says, where it says it, and whether it makes sense.
//!
//! [`Site::parse`] reads one TOML file into plain values and reports every finding at once, each with its
//! place. [`check`] then asks what only the whole can answer: is there such a flow, is each prompt rendered,
//! can anybody meet what a queue asks for. Neither reads a file: text comes in, values go out.

mod check;
mod known;
mod model;
mod parse;
mod places;
mod reader;
mod restart;
mod scalar;

pub use check::check;
pub use known::{Known, Name, Stranger};
pub use model::*;
pub use restart::needs_restart;
