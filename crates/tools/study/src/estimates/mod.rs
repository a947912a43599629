//! The expected wait against the wait: how often the P90 held, and how far off the estimators are.

mod days;
mod rivals;
mod watch;

pub use days::{Day, days};
pub use rivals::{Rival, rivals};
pub use watch::{Coverage, Quotes};
