//! Questions of numbers, put to the real decision core under a virtual clock.
//!
//! [`World`] drives [`acd::Acd`] with callers, agents and phones; whoever watches sees each word the core says. Pure: the
//! same plan and seeds give the same run. Where what is: `people` who calls and who answers; `world` the clock; `tally`
//! figures in batches; `judge` intervals; `erlang` the exact answers; `oracles` the table that
//! compares; `estimates` the expected wait against the wait; `whatif` a day of the log against another site.

mod draw;
pub mod erlang;
pub mod estimates;
pub mod judge;
pub mod oracles;
mod people;
mod stream;
mod tally;
pub mod whatif;
mod world;

pub use people::{AtOnce, Caller, Fate, Leaving, Staff};
pub use stream::{Rate, Sort, Stream, Talk};
pub use tally::{Batch, Tally};
pub use world::{Plan, Watch, World};
