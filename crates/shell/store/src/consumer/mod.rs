//! What reads the log: each a thread with a mark of its own.

mod metrics;

pub use metrics::{Metrics, MetricsOptions};
