//! Where the rows of the outbox are kept: the store, and in tests one that fails.

use crate::outbox::{Delivery, Progress};
use base::{Pii, Wall};

/// What is sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Letter {
    /// `acme/1-3-42/answered`: the same on every attempt.
    pub key: String,
    /// The CloudEvent, with `{caller}` still in its ticket's subject.
    pub body: String,
    /// The caller's number, if the event has room for it and it was not erased.
    pub caller: Option<Pii<String>>,
    /// What the network said about the call (RFC 7433), on the same terms.
    pub user_to_user: Option<Pii<String>>,
}

/// Blocking; errors are text for the operator's log.
pub trait Rows: Send + Sync {
    /// Rows that wait, oldest first.
    fn waiting(&self, now: Wall, limit: usize) -> Result<Vec<Delivery>, String>;
    /// None if the row is gone.
    fn letter(&self, id: u64) -> Result<Option<Letter>, String>;
    fn save(&self, now: Wall, id: u64, progress: &Progress) -> Result<(), String>;
}
