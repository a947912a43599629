//! The flow language: parse, check, interpret.

mod words;

pub use words::*;
