//! The way to the decision thread and the way back, neither with a lock.
//!
//! ```text
//!  any thread ─ push ─▶ ┌─ queue ─┐ ─ take, in batches ─▶ decision thread ─ publish ─▶ snapshot ─ load ─▶ any thread
//!                 └ ring ──────────────────────────────────▲ (only if it sleeps)
//! ```
//! The queues are crossbeam's and the slot of the snapshot is arc-swap's. Ours are the three protocols around them: who
//! wakes the sleeper ([`Bell`]), what order there is between a queue and its spill ([`Lanes`]), and what a reader may
//! rely on ([`Published`]). They are written against [`Machine`], so that the model checker runs the very same code
//! (`tests/model.rs`).
//!
//! "Without a lock" is said of our code and of what it calls. Two things under it are not wait-free: a thread that pops
//! from crossbeam's array spins for as long as a producer stands between taking a slot and filling it, and to wake a
//! sleeper is a system call, which a producer makes only if the owner sleeps.

mod bell;
mod lanes;
mod machine;
mod published;
mod way;

pub use bell::Bell;
pub use lanes::{Lanes, Queue};
pub use machine::{Machine, Slot, Std, Word};
pub use published::Published;
pub use way::{Full, Refused, SPILL, Taken, Taker, Way, way};
