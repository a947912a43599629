//! Keeps recordings: says what is on the disk, makes it smaller, and deletes what is due, on one thread of the lowest
//! priority. Which go, and when, is [`recording::retention`]'s to say.
//!
//! ```text
//!   each 5 s    closed, and nobody looked ──▶ what is on the disk ──▶ catalogue
//!               closed for long enough    ──▶ FLAC                ──▶ catalogue
//!   each 10 min all rows ──▶ plan ──▶ log of accesses ──▶ key, then audio, destroyed ──▶ catalogue
//! ```
//! The catalogue is its queue: what a round does not get to waits there, bounded, also over a restart. No round waits for
//! audio, and no audio for a round.

use super::shelf::{Planned, Refused, Shelf};
use arc_swap::ArcSwap;
use base::RecordingId;
use recording::retention::{Cause, Fate};
use shell_media::{Compressed, Found};
use shell_store::{MISSING, Store};
use shell_web::Gauge;
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
/// A disk that is full sooner is an alarm.
const SOON: Duration = Duration::from_secs(3 * 86_400);

/// Who deletes, as the log of accesses says.
pub const WHO: &str = "retention";

/// What the keeper knows, for whoever looks at the node.
#[derive(Clone, Debug, Default)]
pub struct Kept {
    pub planned: Planned,
    pub deleted: u64,
    pub deleted_bytes: u64,
    pub compressed: u64,
    pub saved_bytes: u64,
    /// Recordings that stay as they are.
    pub failed: u64,
    /// Recordings that should go, and are still recorded by what their sidecar says.
    pub open: u64,
    pub trouble: Option<String>,
}

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

/// Rows after a place: of each its own place, the recording and its file.
type Page = fn(&Store, i64, u32) -> shell_store::Result<Vec<(i64, RecordingId, String)>>;
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
        const EACH: &[Step] = &[Round::look, Round::compress];
        const WITH_PLAN: &[Step] = &[Round::look_again, Round::look, Round::compress, Round::retain];
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

    /// What is on the disk of those of which nobody has said it, also of those that failed.
    fn look(&mut self) -> Result<(), String> {
        self.look_at(Store::unseen, false)?;
        self.look_at(Store::failed, false)
    }

    /// What was nowhere may be back, with its volume.
    fn look_again(&mut self) -> Result<(), String> {
        self.look_at(Store::missing, true)
    }

    /// Where nobody can say, nothing is said: it is looked at again.
    fn look_at(&mut self, page: Page, again: bool) -> Result<(), String> {
        let (mut after, mut trouble) = (i64::MIN, None);
        loop {
            let store = &self.shelf.store;
            let rows = page(store, after, PAGE).map_err(text)?;
            let Some((last, ..)) = rows.last().filter(|_| self.goes_on()) else {
                return trouble.map_or(Ok(()), Err);
            };
            after = *last;
            let mut found = Vec::new();
            for (_, id, file) in &rows {
                match self.shelf.files.find(file) {
                    Ok(Found::Missing) if again => {}
                    Ok(there) => {
                        if let Found::Audio { .. } = there {
                            store.lies_at(*id, file).map_err(text)?;
                        }
                        found.push(seen(*id, &there));
                    }
                    Err(error) => trouble = Some(format!("{id} can't be looked at: {error}")),
                }
            }
            store.on_disk(&found).map_err(text)?;
        }
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
                    self.compress_one(id, &file)?;
                }
            }
        }
        Ok(())
    }

    fn compress_one(&mut self, id: RecordingId, file: &str) -> Result<(), String> {
        let files = &self.shelf.files;
        match catch_unwind(AssertUnwindSafe(|| files.compress(file, id))) {
            Ok(Ok(Compressed::Smaller { from, to })) => {
                self.kept.compressed += 1;
                self.kept.saved_bytes += from.saturating_sub(to);
            }
            // What the catalogue says of it is not true any more; it is put right below.
            Ok(Ok(Compressed::Already | Compressed::Nothing)) => {}
            Ok(Err(error)) if error.is_transient() => return Err(format!("{id} can't be compressed now: {error}")),
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
        self.shelf.store.on_disk(&[seen(id, &found)]).map_err(text)
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

/// As the catalogue says it.
fn seen(id: RecordingId, found: &Found) -> (RecordingId, &'static str, u64) {
    match found {
        Found::Audio { form, bytes } => (id, form.name(), *bytes),
        Found::Erased { .. } => (id, shell_store::ERASED, 0),
        Found::Missing => (id, MISSING, 0),
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

impl Kept {
    /// What a person should look at now.
    pub fn alarms(&self) -> Vec<String> {
        let Planned { now, plan, disk_full, stopped, .. } = &self.planned;
        let mut alarms = Vec::new();
        for short in &plan.short {
            let whose = short.tenant.as_ref().map(|tenant| format!(" of {tenant}")).unwrap_or_default();
            let next = short.next.map_or_else(|| "all of them are held".into(), |next| format!("the next may go at {next}"));
            alarms.push(format!("recordings take {} bytes more than the budget{whose}: {next}", short.missing_bytes));
        }
        alarms.extend(stopped.as_ref().map(|why| format!("no recording is deleted: {why}")));
        alarms.extend(self.trouble.as_ref().map(|why| format!("recordings are not kept as they should be: {why}")));
        let soon = disk_full.filter(|at| *at <= now.plus(SOON));
        alarms.extend(soon.map(|at| format!("at the present rate recordings fill the disk by {at}")));
        if self.open > 0 {
            let why = "their sidecars say that they are still recorded, which the next start puts right";
            alarms.push(format!("recordings that should go, and may not: {}; {why}", self.open));
        }
        if self.failed > 0 {
            alarms.push(format!("recordings that can't be compressed: {}", self.failed));
        }
        alarms
    }

    pub fn gauges(&self) -> Vec<Gauge> {
        let gauge = |name, help, value| Gauge { name, help, value };
        let Planned { plan, .. } = &self.planned;
        let missing = plan.short.iter().map(|short| short.missing_bytes).max().unwrap_or(0);
        vec![
            gauge(
                "recording_bytes",
                "Bytes of audio of closed recordings on the disk, as of the last plan, made each 10 minutes.",
                plan.forecasts.first().map_or(0, |all| all.bytes) as f64,
            ),
            gauge(
                "recordings_held",
                "Closed recordings that a legal hold keeps, as of the last plan.",
                plan.held.recordings as f64,
            ),
            gauge(
                "recording_bytes_missing",
                "Bytes by which a budget of recordings is passed and minimum or holds keep them, the worst of all budgets: an alarm.",
                missing as f64,
            ),
            gauge("recordings_deleted", "Recordings that retention deleted since the start.", self.deleted as f64),
            gauge("recording_bytes_deleted", "Bytes of audio that retention deleted since the start.", self.deleted_bytes as f64),
            gauge("recordings_compressed", "Recordings that became FLAC since the start.", self.compressed as f64),
            gauge("recording_bytes_saved", "Bytes of audio that compression saved since the start.", self.saved_bytes as f64),
        ]
    }
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

#[cfg(test)]
mod tests {
    use super::super::shelf::tests::{filled, id, open, with_a_failed_one};
    use super::*;
    use std::path::Path;

    fn round(shelf: Shelf) -> (Round, mpsc::Sender<()>) {
        let (runs, over) = mpsc::channel();
        let shown = Arc::default();
        (Round { shelf: Arc::new(shelf), kept: Kept::default(), shown, failed: BTreeSet::new(), over }, runs)
    }

    fn forms(round: &Round, count: u32) -> Vec<String> {
        let row = |n| round.shelf.store.recording(id(n)).unwrap().unwrap();
        (1..=count).map(|n| row(n).form.unwrap_or_default()).collect()
    }

    fn there(folder: &Path, name: &str) -> bool {
        folder.join("recordings/2026/11/22").join(name).exists()
    }

    #[test]
    fn what_is_past_its_maximum_goes_by_itself_and_it_is_written_down_everywhere() {
        let folder = tempfile::tempdir().unwrap();
        let (mut round, _runs) = round(filled(folder.path(), "[retention.tenants.acme]\nmaximum = \"5d\"", &[9, 9, 2]));
        round.beat(true);
        assert_eq!(forms(&round, 3), ["erased", "wav", "wav"]);
        assert!(!there(folder.path(), "1-1-1.c1.p1.wav") && there(folder.path(), "1-1-1.c1.p1.json"));
        let sidecar = std::fs::read_to_string(folder.path().join("recordings/2026/11/22/1-1-1.c1.p1.json")).unwrap();
        assert!(sidecar.contains("\"erased\"") && sidecar.contains("older than its maximum"), "{sidecar}");
        let log = std::fs::read_to_string(folder.path().join("data/recording-access.log")).unwrap();
        assert!(log.contains("\"who\":\"retention\",\"act\":\"erase\",\"recording\":\"1-1-1.c1.p1\""), "{log}");
        assert_eq!(log.lines().count(), 1);
        let kept = round.shown.load_full();
        assert_eq!((kept.deleted, kept.deleted_bytes, kept.alarms()), (1, 32_044, vec![]));
        round.beat(true);
        assert_eq!(round.kept.deleted, 1, "there is nothing left to do");
        assert_eq!(round.kept.planned.plan.found.recordings, 2);
    }

    #[test]
    fn a_budget_that_the_minimum_keeps_from_being_kept_is_an_alarm_and_deletes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let shelf = filled(folder.path(), "[retention]\nminimum = \"30d\"\nbudget = \"100MB\"", &[40, 31, 9]);
        // As if each were large.
        let (mut round, _runs) = round(shelf);
        round.beat(false);
        let large = [1, 2, 3].map(|n| (id(n), "wav", 60_000_000));
        round.shelf.store.on_disk(&large).unwrap();
        round.beat(true);
        assert_eq!(forms(&round, 3), ["erased", "erased", "wav"], "the oldest, until it is kept");
        assert!(round.kept.alarms().is_empty());
        round.shelf.store.on_disk(&[(id(3), "wav", 160_000_000)]).unwrap();
        round.beat(true);
        let alarm = round.kept.alarms().remove(0);
        assert!(alarm.starts_with("recordings take 60000000 bytes more than the budget: the next may go at 20"), "{alarm}");
        assert_eq!(forms(&round, 3)[2], "wav");
    }

    #[test]
    fn what_is_closed_for_long_enough_becomes_flac_of_those_tenants_that_want_it() {
        let folder = tempfile::tempdir().unwrap();
        let rules = "[compression]\nform = \"flac\"\nafter = \"2d\"\n[compression.tenants.globex]\nform = \"none\"";
        let (mut round, _runs) = round(filled(folder.path(), rules, &[9, 9, 1]));
        round.beat(false);
        assert_eq!(forms(&round, 3), ["flac", "wav", "wav"], "none of globex, and none that is too young");
        assert!(there(folder.path(), "1-1-1.c1.p1.flac") && !there(folder.path(), "1-1-1.c1.p1.wav"));
        let row = round.shelf.store.recording(id(1)).unwrap().unwrap();
        assert!(row.bytes.unwrap() < 32_044);
        assert_eq!((round.kept.compressed, round.kept.saved_bytes), (1, 32_044 - row.bytes.unwrap()));
    }

    #[test]
    fn one_that_cannot_be_compressed_stays_as_it_is_and_keeps_no_other_from_it() {
        let folder = tempfile::tempdir().unwrap();
        let shelf = filled(folder.path(), "[compression]\nform = \"flac\"", &[9, 9, 9]);
        let path = folder.path().join("recordings/2026/11/22/1-1-1.c1.p1.wav");
        let mut wav = std::fs::read(&path).unwrap();
        wav[9_000] ^= 1;
        std::fs::write(&path, &wav).unwrap();
        let (mut round, _runs) = round(shelf);
        round.beat(false);
        assert_eq!(forms(&round, 3), ["wav", "flac", "flac"]);
        assert_eq!(std::fs::read(&path).unwrap(), wav);
        assert_eq!(round.kept.alarms(), ["recordings that can't be compressed: 1"]);
    }

    #[test]
    fn one_that_has_lost_its_files_keeps_no_other_from_being_deleted() {
        let folder = tempfile::tempdir().unwrap();
        let (mut round, _runs) = round(filled(folder.path(), "[retention]\nmaximum = \"5d\"", &[12, 11, 10, 9, 2]));
        round.beat(false);
        let day = folder.path().join("recordings/2026/11/22");
        for gone in ["1-1-1.c1.p1.wav", "1-1-1.c1.p1.json", "1-1-2.c1.p1.json"] {
            std::fs::remove_file(day.join(gone)).unwrap();
        }
        std::fs::write(day.join("1-1-3.c1.p1.json"), "no note of ours").unwrap();
        round.beat(true);
        assert_eq!(forms(&round, 5), ["missing", "erased", "wav", "erased", "wav"], "audio goes without its sidecar, too");
        assert!(!there(folder.path(), "1-1-2.c1.p1.wav") && there(folder.path(), "1-1-3.c1.p1.wav"));
        assert!(round.kept.alarms()[0].contains("1-1-3.c1.p1 can't be deleted"), "{:?}", round.kept.alarms());
        let log = std::fs::read_to_string(folder.path().join("data/recording-access.log")).unwrap();
        assert_eq!(log.lines().count(), 2, "what could not be done is not written down as done: {log}");
    }

    #[test]
    fn what_should_go_and_is_still_recorded_by_its_sidecar_is_an_alarm() {
        let folder = tempfile::tempdir().unwrap();
        let (mut round, _runs) = round(filled(folder.path(), "[retention]\nmaximum = \"5d\"", &[9, 9]));
        let sidecar = folder.path().join("recordings/2026/11/22/1-1-1.c1.p1.json");
        let text = std::fs::read_to_string(&sidecar).unwrap().replace("\"complete\"", "\"recording\"");
        std::fs::write(&sidecar, text).unwrap();
        round.beat(true);
        assert_eq!(forms(&round, 2), ["wav", "erased"]);
        assert!(round.kept.alarms()[0].starts_with("recordings that should go, and may not: 1"), "{:?}", round.kept.alarms());
        let log = std::fs::read_to_string(folder.path().join("data/recording-access.log")).unwrap();
        assert_eq!(log.lines().count(), 1);
    }

    #[test]
    fn a_volume_that_is_away_makes_nothing_missing_and_what_is_back_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let shelf = filled(folder.path(), "", &[9, 9]);
        let (recordings, away) = (folder.path().join("recordings"), folder.path().join("away"));
        std::fs::rename(&recordings, &away).unwrap();
        let (mut round, _runs) = round(shelf);
        round.beat(true);
        std::fs::create_dir(&recordings).unwrap();
        round.beat(true);
        assert_eq!(forms(&round, 2), ["", ""], "nobody can say");
        assert!(round.kept.alarms()[0].contains("as if its volume was away"), "{:?}", round.kept.alarms());
        round.shelf.store.on_disk(&[(id(1), MISSING, 0)]).unwrap();
        std::fs::remove_dir(&recordings).unwrap();
        std::fs::rename(&away, &recordings).unwrap();
        round.beat(false);
        assert_eq!(forms(&round, 2), ["missing", "wav"]);
        round.beat(true);
        assert_eq!(forms(&round, 2), ["wav", "wav"]);
        assert_eq!(round.kept.alarms(), Vec::<String>::new());
    }

    #[test]
    fn nothing_goes_by_a_clock_that_is_doubted() {
        let folder = tempfile::tempdir().unwrap();
        let (mut round, _runs) = round(filled(folder.path(), "[retention]\nmaximum = \"5d\"", &[9]));
        let now = round.shelf.clock.now().wall;
        round.shelf.store.believe_clock(base::Wall(now.0 - 31 * 86_400_000_000)).unwrap();
        round.beat(true);
        round.beat(true);
        assert_eq!(forms(&round, 1), ["wav"]);
        assert!(round.kept.alarms()[0].contains("--clock-is-right"), "{:?}", round.kept.alarms());
        round.shelf.store.believe_clock(now).unwrap();
        round.beat(true);
        assert_eq!(forms(&round, 1), ["erased"]);
        assert!(round.shelf.store.believed_clock().unwrap().unwrap() > now);
    }

    #[test]
    fn audio_of_a_recording_that_failed_is_counted_and_goes_at_its_time() {
        let folder = tempfile::tempdir().unwrap();
        let (mut round, _runs) = round(with_a_failed_one(folder.path(), "[retention]\nmaximum = \"30d\""));
        round.beat(true);
        assert_eq!((forms(&round, 1), round.kept.planned.plan.found.recordings), (vec!["wav".to_string()], 1));
        let shelf = open_again(round, folder.path(), "[retention]\nmaximum = \"5d\"");
        let (mut round, _runs) = self::round(shelf);
        round.beat(true);
        assert_eq!(forms(&round, 1), ["erased"]);
    }

    fn open_again(round: Round, folder: &Path, rules: &str) -> Shelf {
        drop(round);
        open(folder, rules)
    }

    #[test]
    fn what_a_database_from_before_does_not_say_is_looked_up_on_the_disk() {
        let folder = tempfile::tempdir().unwrap();
        let shelf = filled(folder.path(), "", &[9, 9]);
        std::fs::remove_file(folder.path().join("recordings/2026/11/22/1-1-2.c1.p1.wav")).unwrap();
        let (mut round, _runs) = round(shelf);
        round.beat(false);
        assert_eq!(forms(&round, 2), ["wav", "missing"]);
        drop(round);
        assert_eq!(open(folder.path(), "").store.unseen(0, 9).unwrap(), []);
    }
}
