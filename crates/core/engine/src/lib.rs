//! The Centre: the only place where the cores meet, and the only place that decides.

mod words;

pub use words::*;
