//! From facts to tickets: rules per queue, the embedded ticket book, and the outbox as a machine.
//!
//! ```text
//!  Logged ─▶ Book (rules, calls in progress) ─▶ Change ─▶ store: ticket, outbox row and mark in one transaction
//!                                                              │
//!            Outbox (order, retries, breaker) ◀── rows ────────┘ ─▶ Send ─▶ outbound
//! ```
//!
//! The key of everything is (tenant, call, action, how often): each does its work once, however often the log is read.

mod book;
mod change;
mod memory;
mod outbox;
mod port;
mod rule;
mod stamp;
mod ticket;

pub use book::Book;
pub use change::{Change, Key};
pub use memory::Memory;
pub use outbox::{Answer, Delivery, Fate, Input, Outbox, Output, Progress};
pub use port::{Letter, Rows};
pub use rule::{Impact, PLACEHOLDERS, Priority, Rule, Webhook, When, unknown_placeholder};
pub use stamp::parse_rfc3339;
pub use ticket::{Act, Number, Refused, State, Step, Ticket, What};
