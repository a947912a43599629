//! What the simulated people say and hear: G.711, tones and the measuring of tones. Written apart from `core/media`,
//! so that each sample is written by one and read by the other.

pub mod g711;
pub mod tone;

pub use g711::Law;
pub use tone::{Bank, Tone};

/// Samples in 20 ms at 8 kHz.
pub const FRAME: usize = 160;
