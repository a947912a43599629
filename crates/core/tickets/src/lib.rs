//! From facts to tickets: rules per queue, the embedded ticket book, and the outbox as a machine.

mod rule;
mod stamp;
mod ticket;

pub use rule::{Impact, PLACEHOLDERS, Priority, Rule, Webhook, When, unknown_placeholder};
pub use stamp::parse_rfc3339;
pub use ticket::{Act, Number, Refused, State, Step, Ticket, What};
