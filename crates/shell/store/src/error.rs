//! What can go wrong with what is kept.

use std::path::PathBuf;

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("the data folder {folder} is in use by another centralita{}: stop that one, or set another data folder", process.map(|p| format!(" (process {p})")).unwrap_or_default())]
    InUse { folder: PathBuf, process: Option<u32> },
    #[error("{path} was written by a newer version (form {found}, this program knows {known}): use that version")]
    TooNew { path: PathBuf, found: u32, known: u32 },
    #[error("{path}: {error}")]
    File { path: PathBuf, error: std::io::Error },
    /// `entry` counts from 1, without the one a journal begins with.
    #[error("{path} is damaged at byte {at}, in entry {entry}, and more follows: no kill leaves it so")]
    Damaged { path: PathBuf, at: u64, entry: u64 },
    #[error("the database: {0}")]
    Database(#[from] rusqlite::Error),
    #[error("the log at {epoch}-{seq} holds a fact that does not read: {error}")]
    Fact { epoch: u32, seq: u64, error: String },
    #[error("{what} does not read: {error}")]
    Row { what: &'static str, error: String },
    #[error("the system gave no randomness")]
    Randomness,
    #[error("what was erased is still in the database's write-ahead log, which somebody is reading: erase it again")]
    StillRead,
    #[error("a change of the database was not made: the thread that makes them panicked at it, or has ended")]
    Panicked,
}

pub type Result<T> = std::result::Result<T, StoreError>;

impl StoreError {
    pub(crate) fn row(what: &'static str) -> impl Fn(serde_json::Error) -> StoreError {
        move |error| StoreError::Row { what, error: error.to_string() }
    }

    pub(crate) fn file(path: &std::path::Path) -> impl Fn(std::io::Error) -> StoreError {
        move |error| StoreError::File { path: path.into(), error }
    }
}
