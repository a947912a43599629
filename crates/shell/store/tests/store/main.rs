//! The store from outside, on real files.

mod common;
mod journal;
mod log;
