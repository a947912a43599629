//! The store from outside, on real files.

mod common;
mod figures;
mod journal;
mod log;
