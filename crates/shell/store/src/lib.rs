//! What is kept: the log of facts, the erasable table of persons, the phones' bindings, the ticket book and its outbox,
//! and the journal. One SQLite file `<data>/centralita.db` (settings and their reasons: [`schema`]) and a folder of
//! journals.
//!
//! One [`Writer`] commits the facts; consumers read them through a [`Feed`], each with a mark that it commits together
//! with what it derived. Nothing here decides anything.

#![forbid(unsafe_code)]

mod access;
mod book;
mod clerk;
mod consumer;
mod error;
mod facts;
mod feed;
pub mod journal;
mod outbox;
mod recording;
mod schema;
mod store;
mod stored;
mod writer;

pub use access::{AccessChange, AccessHead, KeptHold};
pub use book::TicketFilter;
pub use consumer::{Metrics, MetricsOptions, Tickets, TicketsOptions};
pub use error::{Result, StoreError};
pub use facts::{Facts, Filter};
pub use feed::{Feed, Next};
pub use outbox::OutboxRow;
pub use recording::{Recording, RecordingFilter, RecordingState};
pub use store::{Party, Store};
pub use stored::{Audio, ERASED, ERASING, MISSING, StoredFile, Which};
pub use writer::{Handle, Health, Promised, Writer};
