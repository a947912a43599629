//! Which journals are kept: the newest, by number and size.

use crate::error::{Result, StoreError};
use std::path::{Path, PathBuf};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Journals kept, with the new one.
    pub epochs: usize,
    /// Bytes of all that are kept; also the most that one may have.
    pub bytes: u64,
}

impl Default for Retention {
    fn default() -> Self {
        Retention { epochs: 20, bytes: 2 << 30 }
    }
}

impl Retention {
    /// Removes the oldest journals, so that a new one of any size up to half the bytes has room.
    pub(super) fn make_room(self, dir: &Path) -> Result<()> {
        let mut kept = 0;
        for (n, (path, size)) in journals(dir)?.into_iter().rev().enumerate() {
            kept += size;
            if n + 1 >= self.epochs || kept > self.bytes / 2 {
                std::fs::remove_file(&path).map_err(StoreError::file(&path))?;
            }
        }
        Ok(())
    }
}

/// Paths and sizes, oldest first: the names sort by epoch.
fn journals(dir: &Path) -> Result<Vec<(PathBuf, u64)>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(StoreError::file(dir))? {
        let entry = entry.map_err(StoreError::file(dir))?;
        let path = entry.path();
        if path.extension().is_some_and(|e| e == "jnl") {
            found.push((path, entry.metadata().map_or(0, |m| m.len())));
        }
    }
    found.sort();
    Ok(found)
}
