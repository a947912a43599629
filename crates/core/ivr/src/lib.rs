//! The flow language: parse, check, interpret.
//!
//! A [`Flow`] is read from YAML once, with every name resolved and every finding at its place. An
//! [`Interpreter`] walks it for one call: it takes [`Input`]s, gives [`Output`]s, and never waits without a
//! deadline of its own or of the queue it gave the call to. `ivr-flows/README.md` is the language's reference.

mod flow;
mod interpreter;
mod parse;
mod raw;
mod shape;
mod step;
pub mod text;
mod words;

pub use flow::{Flow, Prompt, QueueUse};
pub use interpreter::Interpreter;
pub use words::*;
