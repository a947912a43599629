//! Keeps recordings: says what is on the disk, makes it smaller, and deletes what is due, on one thread of the lowest
//! priority, which never has the database's turn to write: the store writes for it. Which go, and when, is
//! [`recording::retention`]'s to say.
//!
//! ```text
//!   each 5 s    erasure was cut short     ──▶ finished            ──▶ catalogue
//!               closed, and nobody looked ──▶ what is on the disk ──▶ catalogue
//!               closed for long enough    ──▶ FLAC                ──▶ catalogue
//!   each 10 min all rows ──▶ plan ──▶ log of accesses ──▶ key, then audio, destroyed ──▶ catalogue
//! ```
//! The catalogue is its queue: what a round does not get to waits there, bounded, also over a restart. No round waits for
//! audio, and no audio for a round.

mod kept;

pub use kept::Kept;

use super::shelf::{Ended, Refused, Shelf, seen};
use arc_swap::ArcSwap;
use base::RecordingId;
use recording::retention::{Cause, Fate};
use shell_media::{Compressed, Found};
use shell_store::Which;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError, TryRecvError};
use std::thread::JoinHandle;
use std::time::Duration;

const BEAT: Duration = Duration::from_secs(5);
/// Beats from one plan to the next.
const ROUND: u32 = 120;
/// Rows taken at once.
const PAGE: u32 = 64;
/// Recordings that can't be compressed, after which no more are tried until the next start.
const FAILURES: usize = 10_000;
/// Lowest of all, for this thread alone (Linux gives each thread its own).
const NICE: i32 = 19;
/// Who deletes, as the log of accesses says.
pub const WHO: &str = "retention";

pub struct Keeper {
    pub kept: Arc<ArcSwap<Kept>>,
    /// Dropped, the thread ends.
    runs: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Keeper {
    pub fn start(shelf: Arc<Shelf>) -> std::io::Result<Keeper> {
        let (runs, over) = mpsc::channel();
        let kept = Arc::new(ArcSwap::from_pointee(Kept::default()));
        let mut round = Round { shelf, kept: Kept::default(), shown: kept.clone(), failed: BTreeSet::new(), over };
        let thread = std::thread::Builder::new().name("keeper".into()).spawn(move || {
            if let Err(error) = rustix::process::nice(NICE) {
                tracing::warn!(%error, "the thread that keeps recordings has the priority of all others");
            }
            let mut beat = 0;
            while round.waits() {
                round.beat(beat % ROUND == 0);
                beat += 1;
            }
        })?;
        Ok(Keeper { kept, runs: Some(runs), thread: Some(thread) })
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.runs = None;
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the thread that keeps recordings panicked");
        }
    }
}

type Step = fn(&mut Round) -> Result<(), String>;

/// One thread's work.
struct Round {
    shelf: Arc<Shelf>,
    kept: Kept,
    shown: Arc<ArcSwap<Kept>>,
    failed: BTreeSet<RecordingId>,
    over: mpsc::Receiver<()>,
}

impl Round {
    /// True when the next beat is due, false when the node ends.
    fn waits(&self) -> bool {
        self.over.recv_timeout(BEAT) == Err(RecvTimeoutError::Timeout)
    }

    fn goes_on(&self) -> bool {
        self.over.try_recv() == Err(TryRecvError::Empty)
    }

    fn beat(&mut self, plans: bool) {
        let mut trouble = None;
        const EACH: &[Step] = &[Round::finish, Round::look, Round::compress];
        const WITH_PLAN: &[Step] = &[Round::finish, Round::look_again, Round::look, Round::compress, Round::retain];
        for step in if plans { WITH_PLAN } else { EACH } {
            match catch_unwind(AssertUnwindSafe(|| step(self))) {
                Ok(Ok(())) => {}
                Ok(Err(error)) => trouble = Some(error),
                Err(_) => trouble = Some("a step of it panicked".into()),
            }
        }
        if let Some(trouble) = trouble.as_ref().filter(|trouble| self.kept.trouble.as_ref() != Some(*trouble)) {
            tracing::error!(trouble, "recordings are not kept as they should be");
        }
        self.kept.trouble = trouble;
        self.shown.store(Arc::new(self.kept.clone()));
    }

    /// Erasures that a crash or an error has cut short.
    fn finish(&mut self) -> Result<(), String> {
        let (shelf, mut trouble) = (self.shelf.clone(), None);
        for rows in shelf.store.paged(Which::Erasing, PAGE).take_while(|_| self.over.try_recv() == Err(TryRecvError::Empty)) {
            for (id, file) in rows.map_err(text)? {
                match shelf.finish_erasure(id, &file) {
                    Ok(Some(Ended { who, bytes })) if who.as_deref() == Some(WHO) => {
                        self.kept.deleted += 1;
                        self.kept.deleted_bytes += bytes;
                    }
                    Ok(_) => {}
                    Err(error) => trouble = Some(format!("{id} can't be deleted: {error}")),
                }
            }
        }
        trouble.map_or(Ok(()), Err)
    }

    /// What is on the disk of those of which nobody has said it, also of those that failed.
    fn look(&mut self) -> Result<(), String> {
        self.look_at(Which::Unseen)?;
        self.look_at(Which::Failed)
    }

    /// What was nowhere may be back, with its volume.
    fn look_again(&mut self) -> Result<(), String> {
        self.look_at(Which::Missing)
    }

    /// Where nobody can say, nothing is said: it is looked at again.
    fn look_at(&self, which: Which) -> Result<(), String> {
        let (store, mut trouble) = (&self.shelf.store, None);
        for rows in store.paged(which, PAGE).take_while(|_| self.goes_on()) {
            let mut found = Vec::new();
            for (id, file) in rows.map_err(text)? {
                match self.shelf.files.find(&file) {
                    Ok(Found::Missing) if which == Which::Missing => {}
                    Ok(there) => {
                        if let Found::Audio { .. } = there {
                            store.lies_at(id, &file).map_err(text)?;
                        }
                        found.push(seen(id, &there));
                    }
                    Err(error) => trouble = Some(format!("{id} can't be looked at: {error}")),
                }
            }
            store.on_disk(&found).map_err(text)?;
        }
        trouble.map_or(Ok(()), Err)
    }

    fn compress(&mut self) -> Result<(), String> {
        let setup = self.shelf.setup.load_full();
        let now = self.shelf.clock.now().wall;
        for tenant in &setup.site.tenants {
            let Some(after) = setup.site.compression.of(tenant) else { continue };
            let ended_before = base::Wall(now.0.saturating_sub(i64::try_from(after.as_micros()).unwrap_or(i64::MAX)));
            for form in ["wav", "sealed"] {
                if self.failed.len() >= FAILURES {
                    return Err(format!("{FAILURES} recordings can't be compressed, and no more are tried"));
                }
                let limit = PAGE + u32::try_from(self.failed.len()).unwrap_or(u32::MAX);
                let page = self.shelf.store.of_form(form, tenant, ended_before, limit).map_err(text)?;
                for (id, file) in page.into_iter().filter(|(id, _)| !self.failed.contains(id)).collect::<Vec<_>>() {
                    if !self.goes_on() {
                        return Ok(());
                    }
                    self.compress_one(id, &file, form)?;
                }
            }
        }
        Ok(())
    }

    /// One that was of this form; whatever comes of it, the catalogue says what is there then.
    fn compress_one(&mut self, id: RecordingId, file: &str, form: &str) -> Result<(), String> {
        let (files, mut later) = (&self.shelf.files, None);
        if !self.shelf.store.changes(id, form).map_err(text)? {
            return Ok(());
        }
        match catch_unwind(AssertUnwindSafe(|| files.compress(file, id))) {
            Ok(Ok(Compressed::Smaller { from, to })) => {
                self.kept.compressed += 1;
                self.kept.saved_bytes += from.saturating_sub(to);
            }
            // What the catalogue says of it is not true any more; it is put right below.
            Ok(Ok(Compressed::Already | Compressed::Nothing)) => {}
            Ok(Err(error)) if error.is_transient() => later = Some(format!("{id} can't be compressed now: {error}")),
            Ok(Err(error)) => {
                tracing::error!(recording = %id, %error, "a recording can't be compressed, and stays as it is");
                self.failed.insert(id);
            }
            Err(_) => {
                tracing::error!(recording = %id, "compressing a recording panicked; it stays as it is");
                self.failed.insert(id);
            }
        }
        self.kept.failed = self.failed.len() as u64;
        let found = files.find(file).map_err(text)?;
        self.shelf.tell(id, &found)?;
        later.map_or(Ok(()), Err)
    }

    /// Carries the plan out. What can't be deleted keeps no other from it.
    fn retain(&mut self) -> Result<(), String> {
        let (shelf, over) = (self.shelf.clone(), &self.over);
        let (mut deleted, mut bytes, mut open, mut failures, mut first) = (0, 0, 0, 0_u64, None);
        let believes = shelf.clock_doubt()?.is_none();
        let planned = shelf.plan(&mut |file, fate, _| {
            if over.try_recv() != Err(TryRecvError::Empty) {
                return Ok(false);
            }
            let Fate::Delete(cause) = fate else { return Ok(true) };
            if !believes {
                return Ok(true);
            }
            match shelf.erase_file(WHO, file.recording, &file.file, why(cause), false) {
                Ok(()) => {
                    deleted += 1;
                    bytes += file.bytes;
                }
                // Held since the plan was made, or the log of accesses is in doubt; or it is nowhere, and its row says so.
                Err(Refused::Kept(_) | Refused::Missing) => {}
                Err(Refused::Running) => open += 1,
                Err(Refused::Failed(error)) => {
                    tracing::error!(recording = %file.recording, error, "a recording can't be deleted");
                    failures += 1;
                    first.get_or_insert_with(|| format!("{} can't be deleted: {error}", file.recording));
                }
            }
            Ok(true)
        });
        self.kept.open = open;
        self.kept.deleted += deleted;
        self.kept.deleted_bytes += bytes;
        if deleted > 0 {
            tracing::info!(deleted, bytes, "recordings were deleted as the site's retention says");
        }
        self.kept.planned = planned?;
        if believes {
            shelf.believe_clock()?;
        }
        first.map_or(Ok(()), |first| Err(if failures > 1 { format!("{first}, and {} more", failures - 1) } else { first }))
    }
}

/// As the log of accesses and the sidecar say it.
fn why(cause: Cause) -> &'static str {
    match cause {
        Cause::Maximum => "older than its maximum",
        Cause::TenantBudget => "oldest beyond its minimum, and its tenant's budget was passed",
        Cause::Budget => "oldest beyond its minimum, and the budget was passed",
    }
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

#[cfg(test)]
mod tests;
