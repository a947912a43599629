//! The store from outside, on real files.

mod common;
mod crash;
mod figures;
mod journal;
mod log;
mod recordings;
mod tickets;
