//! Facts to figures: one fold over the log, nothing else.
//!
//! The contract: [`Board::apply`] takes the facts in the log's order, each once; [`Board::figures`] reads the result
//! for a window of whole quarter hours. A board rebuilt from the log equals the one kept live, to the last unit,
//! and a board that was serialised and read back goes on as if nothing had happened.
//!
//! ```text
//!  Logged ─▶ Board ──┬─ live: calls, visits, agents, recordings owed
//!                    └─ 15-minute UTC intervals: sums, counts, histograms ─▶ figures(View) ─▶ Figures
//! ```
//!
//! Each figure has one definition, in [`definitions()`]; `metrics.md` beside this crate is its printed form.

mod board;
mod definitions;
mod figures;
mod formula;
mod histogram;
mod interval;
mod live;
mod quality;
mod read;
mod sums;

pub use board::{Board, Folded, Mark};
pub use definitions::{Basis, Definition, definition, definitions};
pub use figures::{
    AgentFigures, Callbacks, Calls, ExpectedWait, Figures, OfPolicy, QueueFigures, Recordings, Supervision, Totals, Transfers,
    Visits,
};
pub use formula::{Formula, Switches};
pub use histogram::Histogram;
pub use interval::{AgentSums, CallSums, Interval, PolicySums, QueueSums, RecordingSums, bucket_of, bucket_start};
pub use quality::{Distribution, Quality, QualitySums};
pub use read::View;
pub use sums::{CallbackSums, ExpectedSums, SupervisionSums, TransferSums};
