//! How a recording goes, and what a crash on the way leaves to be done.
//!
//! ```text
//!   may it? ──▶ log of accesses ──▶ catalogue: "erasing" ──▶ key, audio, sidecar ──▶ catalogue: "erased"
//!                     │                     └─ error, crash ─▶ finished by the keeper, which asks anew what is held
//!                     └─ crash: the next start reads that line, and the catalogue says so then
//! ```

use super::{Shelf, text};
use base::RecordingId;
use shell_media::{Found, NotErased};
use shell_store::{AccessChange, ERASED, MISSING, StoreError};
use shell_web::Fault;
use vault::access::Act;

/// What the sidecar says where only the log knows more.
const BEGUN: &str = "as the log of accesses says, after a start anew";

/// Why a recording was not erased.
pub enum Refused {
    /// Something keeps it, or the log of accesses is in doubt.
    Kept(Fault),
    /// By its sidecar it is still recorded.
    Running,
    /// Nothing of it is on the disk.
    Missing,
    Failed(String),
}

impl Shelf {
    /// Unless it is held, or too young and not to be erased early. On the disk, in both logs and in the catalogue when
    /// this returns. Of one that is nowhere the catalogue says so from here on.
    pub fn erase_file(&self, who: &str, id: RecordingId, file: &str, why: &str, early: bool) -> Result<(), Refused> {
        let holds = self.ledger();
        self.may_go(&holds, id, early).map_err(Refused::Kept)?;
        self.files.may_erase(file).map_err(|not| self.refused(id, not))?;
        let access = self.access(who, Act::Erase, &id.to_string(), why);
        self.written(&access, |_| AccessChange::Erases(id)).map_err(Refused::Failed)?;
        self.destroy(id, file, why)
    }

    /// One whose erasure was begun. What is held since stays as it is, and the catalogue says what that is.
    pub fn finish_erasure(&self, id: RecordingId, file: &str) -> Result<(), String> {
        let holds = self.ledger();
        if self.may_go(&holds, id, true).is_err() {
            return self.tell(id, &self.files.find(file).map_err(text)?);
        }
        match self.destroy(id, file, BEGUN) {
            Ok(()) | Err(Refused::Missing) => Ok(()),
            Err(Refused::Running) => self.tell(id, &self.files.find(file).map_err(text)?),
            Err(Refused::Failed(error)) => Err(error),
            Err(Refused::Kept(fault)) => Err(format!("{fault:?}")),
        }
    }

    /// To the catalogue.
    pub fn tell(&self, id: RecordingId, found: &Found) -> Result<(), String> {
        self.store.on_disk(&[seen(id, found)]).map_err(text)
    }

    fn destroy(&self, id: RecordingId, file: &str, why: &str) -> Result<(), Refused> {
        self.files.erase(file, why).map_err(|not| self.refused(id, not))?;
        self.store.on_disk(&[(id, ERASED, 0)]).map_err(failed)
    }

    fn refused(&self, id: RecordingId, not: NotErased) -> Refused {
        match not {
            NotErased::Running => Refused::Running,
            NotErased::Missing => self.store.on_disk(&[(id, MISSING, 0)]).map_or_else(failed, |()| Refused::Missing),
            NotErased::Io(error) => Refused::Failed(error.to_string()),
        }
    }
}

/// As the catalogue says it.
pub fn seen(id: RecordingId, found: &Found) -> (RecordingId, &'static str, u64) {
    match found {
        Found::Audio { form, bytes } => (id, form.name(), *bytes),
        Found::Erased { .. } => (id, ERASED, 0),
        Found::Missing => (id, MISSING, 0),
    }
}

fn failed(error: StoreError) -> Refused {
    Refused::Failed(error.to_string())
}
