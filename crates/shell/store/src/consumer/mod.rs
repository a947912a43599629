//! What reads the log: each a thread with a mark of its own.

mod metrics;
mod tickets;

pub use metrics::{Metrics, MetricsOptions};
pub use tickets::{Tickets, TicketsOptions};
