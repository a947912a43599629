//! The way to the decision thread and the way back, neither with a lock.
//!
//! ```text
//!  any thread ─ push ─▶ ┌─ queue ─┐ ─ take, in batches ─▶ decision thread ─ publish ─▶ snapshot ─ load ─▶ any thread
//!                 └ ring ──────────────────────────────────▲ (only if it sleeps)
//! ```
//! The queues are crossbeam's and the slot of the snapshot is arc-swap's. Ours are the two protocols around them: who
//! wakes the sleeper ([`Bell`]), and what a reader may rely on ([`Published`]). Both are written against [`Machine`],
//! so that the model checker runs the very same code (`tests/model.rs`).

mod bell;
mod machine;
mod published;
mod way;

pub use bell::Bell;
pub use machine::{Machine, Slot, Std, Word};
pub use published::Published;
pub use way::{Full, Taken, Taker, Way, way};
