//! How a recording goes, and what a crash on the way leaves to be done.
//!
//! ```text
//!   may it? ──▶ log of accesses ──▶ catalogue: "erasing" ──▶ key, audio, sidecar ──▶ catalogue: "erased"
//!                     │                     └─ error, crash ─▶ finished by the keeper, which asks anew what is held
//!                     ├─ the catalogue can't be told: an error, and nothing is gone
//!                     └─ crash: the next start reads that line, and the catalogue says so then
//! ```
//! Only a hold ends "erasing" otherwise. A log of accesses in doubt, in which a hold may be missing, leaves it.

use super::hold::{Begun, Ledger};
use super::{Shelf, text};
use base::RecordingId;
use shell_media::{Found, NotErased};
use shell_store::{AccessChange, ERASED, MISSING, StoreError};
use shell_web::Fault;
use vault::access::Act;

/// What the sidecar says where only the log knows more.
const BEGUN: &str = "as the log of accesses says: it was cut short, and finished later";

/// Of an erasure that was cut short and is finished now.
pub struct Ended {
    /// Who had begun it, as far as the log of accesses says.
    pub who: Option<String>,
    /// Of audio, as the catalogue had it.
    pub bytes: u64,
}

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
        let mut ledger = self.ledger();
        self.may_go(&ledger, id, early).map_err(Refused::Kept)?;
        self.files.may_erase(file).map_err(|not| self.refused(id, not))?;
        let access = self.access(who, Act::Erase, &id.to_string(), why);
        self.written(&access, |_| AccessChange::Erases(id)).map_err(Refused::Failed)?;
        ledger.begin(id, Begun { who: who.into(), why: why.into() });
        self.destroy(&mut ledger, id, file)
    }

    /// One whose erasure was begun. What is held since stays as it is, and the catalogue says what that is. None: nothing
    /// was there to go.
    pub fn finish_erasure(&self, id: RecordingId, file: &str) -> Result<Option<Ended>, String> {
        let mut ledger = self.ledger();
        if let Some(doubt) = &ledger.doubt {
            return Err(doubt.clone());
        }
        let row = self.known(id).map_err(text)?;
        if let Some(hold) = ledger.holds.of(&row) {
            tracing::warn!(recording = %id, hold, "an erasure is in the log of accesses, and was not finished: a hold keeps what is there");
            return self.stays(&mut ledger, id, file);
        }
        let who = ledger.begun(id).map(|begun| begun.who.clone());
        match self.destroy(&mut ledger, id, file) {
            Ok(()) => Ok(Some(Ended { who, bytes: row.bytes })),
            Err(Refused::Missing) => Ok(None),
            Err(Refused::Running) => self.stays(&mut ledger, id, file),
            Err(Refused::Failed(error)) => Err(error),
            Err(Refused::Kept(fault)) => Err(format!("{fault:?}")),
        }
    }

    fn stays(&self, ledger: &mut Ledger, id: RecordingId, file: &str) -> Result<Option<Ended>, String> {
        self.store.now_on_disk(seen(id, &self.files.find(file).map_err(text)?)).map_err(text)?;
        ledger.end(id);
        Ok(None)
    }

    /// To the catalogue, what somebody saw.
    pub fn tell(&self, id: RecordingId, found: &Found) -> Result<(), String> {
        self.store.on_disk(&[seen(id, found)]).map_err(text)
    }

    fn destroy(&self, ledger: &mut Ledger, id: RecordingId, file: &str) -> Result<(), Refused> {
        let why = ledger.begun(id).map_or(BEGUN, |begun| &*begun.why);
        self.files.erase(file, why).map_err(|not| self.refused(id, not))?;
        self.store.now_on_disk((id, ERASED, 0)).map_err(failed)?;
        ledger.end(id);
        Ok(())
    }

    fn refused(&self, id: RecordingId, not: NotErased) -> Refused {
        match not {
            NotErased::Running => Refused::Running,
            NotErased::Missing => self.store.now_on_disk((id, MISSING, 0)).map_or_else(failed, |()| Refused::Missing),
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
