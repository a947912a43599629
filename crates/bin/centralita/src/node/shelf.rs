//! Recordings on disk behind the web shell's doors: the log says which there are, the shelf what they are.

mod erase;
mod hold;
mod plan;

use crate::clock::Clock;
use arc_swap::ArcSwap;
use base::RecordingId;
use engine::Setup;
use hold::Ledger;
use shell_media::{AccessLog, Found, Outcome, Rekeyed, Verified};
use shell_store::{AccessChange, AccessHead, ERASED, Store};
use shell_web::{Accept, Fault, HoldAsk, HoldRow, Looked, PlanLine};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use vault::Keyring;
use vault::access::{Access, Act, Head};

pub use erase::{Ended, Refused, seen};
pub use plan::Planned;

/// In the data folder.
const LOG: &str = "recording-access.log";
/// Rows read at once.
const PAGE: usize = 500;
/// A clock that is so much later than when it was last believed is not believed.
const UNBELIEVED: Duration = Duration::from_secs(30 * 86_400);
/// Nor one that was set by so much since the start.
const SET: Duration = Duration::from_secs(3_600);

pub struct Shelf {
    pub files: shell_media::Shelf,
    pub store: Arc<Store>,
    pub clock: Clock,
    /// What counts, with how long recordings are kept.
    pub setup: Arc<ArcSwap<Setup>>,
    log: AccessLog,
    /// Held while something is erased or held: what is held is not erased a moment later.
    holds: Mutex<Ledger>,
    /// The store is told no head of a log that it would not know again.
    in_doubt: AtomicBool,
}

impl Shelf {
    pub fn open(
        setup: Arc<ArcSwap<Setup>>,
        keys: Option<Arc<Keyring>>,
        store: Arc<Store>,
        clock: Clock,
    ) -> std::io::Result<Shelf> {
        let site = &setup.load().site;
        let log = AccessLog::open(&site.data.join(LOG))?;
        let holds = Ledger::read(&log.read()?, log.is_new(), &store).map_err(std::io::Error::other)?;
        if let Some(doubt) = &holds.doubt {
            tracing::error!(doubt, "no recording is deleted");
        }
        let (in_doubt, holds) = (AtomicBool::new(holds.doubt.is_some()), Mutex::new(holds));
        let files = shell_media::Shelf::new(site.recordings.clone(), keys);
        Ok(Shelf { files, store, clock, setup: setup.clone(), log, holds, in_doubt })
    }

    fn access(&self, who: &str, act: Act, recording: &str, why: &str) -> Access {
        let at = self.clock.now().wall.to_string();
        Access { at, who: who.into(), act, recording: recording.into(), why: why.into(), refused: None }
    }

    /// Nothing is done, so that one which can't be written down is refused all the same.
    fn refuse(&self, access: Access, refused: &str) {
        let access = Access { refused: Some(refused.into()), ..access };
        if let Err(error) = self.written(&access, |_| AccessChange::None) {
            tracing::error!(error, act = %access.act, "what was refused can't be written down");
        }
    }

    /// The number of its line; the store knows of it when this returns, and of what comes of it. An erasure of which it
    /// does not is an error: nobody would finish it after a crash.
    fn written(&self, access: &Access, change: impl FnOnce(u64) -> AccessChange) -> Result<u64, String> {
        let mut unkept = None;
        let kept = |head: &Head| {
            if self.in_doubt.load(Ordering::Acquire) {
                return;
            }
            let change = change(head.n);
            let erases = matches!(change, AccessChange::Erases(_));
            // A hold counts all the same: the next start tells the store of all that are in the log.
            if let Err(error) = self.store.keep_access(&kept_head(head), &change) {
                tracing::error!(%error, "the store does not know the end of the log of accesses");
                unkept = erases.then(|| format!("the catalogue can't be told of it: {error}"));
            }
        };
        let n = self.log.note(access, kept).map_err(text)?;
        unkept.map_or(Ok(n), Err)
    }

    /// Why the time of day is not to be deleted by.
    pub fn clock_doubt(&self) -> Result<Option<String>, String> {
        let now = self.clock.now().wall;
        if self.clock.drift() > SET {
            let why = format!("the system's clock was set by more than an hour since the node, where it is {now}, was started");
            return Ok(Some(format!("{why}: see that it is right, and start the node anew")));
        }
        let known = self.store.believed_clock().and_then(|at| if at.is_some() { Ok(at) } else { self.store.last_before() });
        Ok(known.map_err(text)?.filter(|known| now > known.plus(UNBELIEVED)).map(|known| {
            format!(
                "the clock says {now}, and was last known to be right at {known}: if it is right now, \
                 `centralita recording retention --clock-is-right --reason …`"
            )
        }))
    }

    /// It is not doubted, and what is deleted is deleted by it.
    pub fn believe_clock(&self) -> Result<(), String> {
        let (now, known) = (self.clock.now().wall, self.store.believed_clock().map_err(text)?);
        if known.is_some_and(|known| known >= now) { Ok(()) } else { self.store.believe_clock(now).map_err(text) }
    }

    /// Every recording that has a file by the log, oldest first.
    fn rows(&self, act: &mut dyn FnMut(RecordingId, &str, shell_store::Recording) -> bool) -> Result<(), String> {
        let mut after = 0;
        loop {
            let page = self.store.stored(after, PAGE).map_err(text)?;
            let Some((last, _)) = page.last() else { return Ok(()) };
            after = *last;
            for (_, row) in page {
                if let Some(file) = row.file.clone()
                    && !act(row.recording, &file, row)
                {
                    return Ok(());
                }
            }
        }
    }

    /// Where a recording lies. Of one that failed the log names no file, and there may be one.
    fn file_of(&self, row: &shell_store::Recording) -> Result<Option<String>, String> {
        if row.file.is_some() {
            return Ok(row.file.clone());
        }
        let mut found = None;
        let mut look = |file: &str, id: RecordingId| {
            if id == row.recording {
                found = Some(file.to_string());
            }
            found.is_none()
        };
        self.files.walk(&mut look).map_err(text)?;
        Ok(found)
    }

    fn look(&self, row: &shell_store::Recording, file: &str) -> Looked {
        looked(self.files.verify(file, row.recording, row.sha256.as_deref(), row.duration_ms))
    }

    /// What there is to see of a row: on disk, or that there is nothing.
    fn look_for(&self, row: &shell_store::Recording) -> Result<Looked, String> {
        if row.kept.is_none() {
            return Ok(looked(Verified::running(row.recording)));
        }
        let file = self.file_of(row)?;
        Ok(file.map_or_else(|| looked(Verified::missing(row.recording)), |file| self.look(row, &file)))
    }
}

impl shell_web::Shelf for Shelf {
    fn note(&self, who: &str, act: Act, recording: &str, why: &str) -> Result<(), String> {
        self.written(&self.access(who, act, recording, why), |_| AccessChange::None).map(drop)
    }

    fn refused(&self, who: &str, act: Act, recording: &str, why: &str, refused: &str) {
        self.refuse(self.access(who, act, recording, why), refused);
    }

    fn accesses(&self) -> Result<String, String> {
        self.log.read().map_err(text)
    }

    fn verify(&self, id: RecordingId) -> Result<Option<Looked>, String> {
        self.store.recording(id).map_err(text)?.map(|row| self.look_for(&row)).transpose()
    }

    fn verify_all(&self, tell: &mut dyn FnMut(Looked) -> bool) -> Result<(), String> {
        let mut goes_on = true;
        self.rows(&mut |_, file, row| {
            goes_on = tell(self.look(&row, file));
            goes_on
        })?;
        if goes_on { self.files_alone(tell) } else { Ok(()) }
    }

    fn orphans(&self, tell: &mut dyn FnMut(Looked) -> bool) -> Result<(), String> {
        let mut goes_on = true;
        self.rows(&mut |id, file, _| {
            // What was erased on purpose has no file, and is no orphan.
            goes_on = match self.files.find(file) {
                Ok(Found::Missing) => tell(looked(Verified::missing(id))),
                Ok(_) => true,
                Err(error) => tell(looked(Verified::unread(id, &error))),
            };
            goes_on
        })?;
        if goes_on { self.files_alone(tell) } else { Ok(()) }
    }

    fn erase(&self, who: &str, id: RecordingId, why: &str, early: bool) -> Result<Option<Looked>, Fault> {
        let Some(row) = self.store.recording(id).map_err(text)? else { return Ok(None) };
        if row.kept.is_none() {
            return Err(Fault::Running(id));
        }
        let Some(file) = self.file_of(&row)? else { return self.look_for(&row).map(Some).map_err(Fault::Failed) };
        // There is nothing left to erase, and so nothing to write down.
        if row.form.as_deref() == Some(ERASED) && matches!(self.files.find(&file).map_err(text)?, Found::Erased { .. }) {
            return Ok(Some(self.look(&row, &file)));
        }
        match self.erase_file(who, id, &file, why, early) {
            Ok(()) => self.look_for(&row).map(Some).map_err(Fault::Failed),
            Err(Refused::Missing) => Ok(Some(looked(Verified::missing(id)))),
            Err(Refused::Kept(fault)) => Err(fault),
            Err(Refused::Running) => Err(Fault::Running(id)),
            Err(Refused::Failed(error)) => Err(Fault::Failed(error)),
        }
    }

    fn plan(&self, days: u32, tell: &mut dyn FnMut(PlanLine) -> bool) -> Result<(), String> {
        self.tell_plan(days, tell)
    }

    fn holds(&self) -> Result<Vec<HoldRow>, String> {
        Ok(self.all_holds())
    }

    fn hold(&self, who: &str, ask: &HoldAsk, why: &str) -> Result<Option<HoldRow>, Fault> {
        self.set_hold(who, ask, why)
    }

    fn release(&self, who: &str, hold: u64, why: &str) -> Result<Option<HoldRow>, Fault> {
        self.end_hold(who, hold, why)
    }

    fn accept(&self, who: &str, what: Accept, why: &str) -> Result<String, Fault> {
        match what {
            Accept::Log => self.accept_log(who, why),
            Accept::Clock => {
                let access = self.access(who, Act::Accept, "clock", why);
                self.written(&access, |_| AccessChange::None)?;
                let now = self.clock.now().wall;
                self.store.believe_clock(now).map_err(text)?;
                Ok(format!("the clock is taken to be right: it is {now}"))
            }
        }
    }

    fn may_rekey(&self) -> Result<(), Fault> {
        if self.files.has_keys() {
            return Ok(());
        }
        let expected = "[[vault.keys]] in the site file, the new key first, and the node started anew";
        Err(Fault::conflict("no master key is configured: there is nothing that could wrap the keys of recordings", expected))
    }

    fn rekey(&self, tell: &mut dyn FnMut(Looked) -> bool) -> Result<(), String> {
        self.rows(&mut |id, file, row| {
            let (outcome, reason) = match self.files.rekey(file, id) {
                Ok(None) => return true,
                Ok(Some(Rekeyed::Wrapped)) => ("wrapped", String::new()),
                Ok(Some(Rekeyed::Kept)) => ("kept", String::new()),
                Err(error) => ("failed", error.to_string()),
            };
            let duration_ms = row.duration_ms.unwrap_or_default();
            tell(Looked { recording: id, outcome, reason, form: None, duration_ms, heard: vec![] })
        })
    }
}

impl Shelf {
    /// Files of which the log knows nothing.
    fn files_alone(&self, tell: &mut dyn FnMut(Looked) -> bool) -> Result<(), String> {
        let mut orphan = |file: &str, id: RecordingId| {
            // One that is recorded now, or failed, has a row that names no file.
            let ours = match self.store.recording(id) {
                Ok(row) => row.is_some_and(|row| row.file.is_none_or(|known| known == file)),
                Err(_) => true,
            };
            ours || tell(looked(Verified::orphan(id)))
        };
        self.files.walk(&mut orphan).map_err(text)
    }
}

fn looked(verified: Verified) -> Looked {
    let outcome = match verified.outcome {
        Outcome::Complete => "complete",
        Outcome::Partial => "partial",
        Outcome::Failed => "failed",
        Outcome::Erased => "erased",
        Outcome::Running => "running",
        Outcome::Orphan => "orphan",
    };
    let Verified { recording, reason, form, duration_ms, heard, .. } = verified;
    Looked { recording, outcome, reason, form: form.map(shell_media::Form::name), duration_ms, heard }
}

/// The log's end, as the store remembers it.
fn kept_head(head: &Head) -> AccessHead {
    AccessHead { n: head.n, hash: head.hash.clone() }
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

#[cfg(test)]
pub mod tests;
