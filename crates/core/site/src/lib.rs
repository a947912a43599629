//! The site file: what it says, where it says it, and whether it makes sense.
//!
//! [`Site::parse`] reads one TOML file into plain values and reports every finding at once, each with its
//! place. It reads no file itself: text comes in, values go out.

mod model;
mod near;
mod parse;
mod reader;
mod scalar;

pub use model::*;
pub use near::nearest;
