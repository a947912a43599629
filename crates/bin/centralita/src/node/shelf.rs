//! Recordings on disk behind the web shell's doors: the log says which there are, the shelf what they are.

use crate::clock::Clock;
use base::RecordingId;
use shell_media::{AccessLog, Outcome, Rekeyed, Verified};
use shell_store::Store;
use shell_web::Looked;
use site::Site;
use std::sync::Arc;
use vault::Keyring;
use vault::access::{Access, Act};

/// In the data folder.
const LOG: &str = "recording-access.log";
/// Rows read at once.
const PAGE: usize = 500;

pub struct Shelf {
    pub files: shell_media::Shelf,
    store: Arc<Store>,
    log: AccessLog,
    clock: Clock,
}

impl Shelf {
    pub fn open(site: &Site, keys: Option<Arc<Keyring>>, store: Arc<Store>, clock: Clock) -> std::io::Result<Shelf> {
        let log = AccessLog::open(&site.data.join(LOG))?;
        Ok(Shelf { files: shell_media::Shelf::new(site.recordings.clone(), keys), store, log, clock })
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
        let at = self.clock.now().wall.to_string();
        self.log.note(&Access { at, who: who.into(), act, recording: recording.into(), why: why.into() }).map_err(text)
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
        if !goes_on {
            return Ok(());
        }
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

    fn erase(&self, id: RecordingId, why: &str) -> Result<Option<Looked>, String> {
        let Some(row) = self.store.recording(id).map_err(text)? else { return Ok(None) };
        if row.kept.is_some()
            && let Some(file) = self.file_of(&row)?
        {
            self.files.erase(&file, why).map_err(text)?;
        }
        self.look_for(&row).map(Some)
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

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::fact::{About, Fact, Kept, What};
    use shell_web::Shelf as _;
    use std::path::Path;

    fn stored(recording: &str) -> Fact {
        let recording: RecordingId = recording.parse().unwrap();
        let what = What::RecordingStored {
            recording,
            file: format!("2026/11/22/{recording}"),
            duration_ms: 1,
            sha256: String::new(),
            kept: Kept::Complete,
            reason: None,
        };
        let about = About { call: Some(recording.call()), ..About::default() };
        Fact { now: Default::default(), about, what }
    }

    fn shelf(folder: &Path) -> Shelf {
        let store = Arc::new(Store::open(&folder.join("data")).unwrap());
        let writer = shell_store::Writer::start(store.clone(), store.begin_epoch().unwrap()).unwrap();
        writer.handle().facts(vec![stored("1-1-1.c1.p1"), stored("1-1-2.c1.p1")]);
        writer.close();
        let files = shell_media::Shelf::new(folder.join("recordings"), None);
        Shelf { files, store, log: AccessLog::open(&folder.join(LOG)).unwrap(), clock: Clock::start() }
    }

    #[test]
    fn rows_without_a_file_and_files_without_a_row_are_found() {
        let folder = tempfile::tempdir().unwrap();
        let day = folder.path().join("recordings/2026/11/22");
        std::fs::create_dir_all(&day).unwrap();
        for name in ["1-1-1.c1.p1.wav", "1-1-9.c1.p1.wav", "1-1-8.c1.p1.sealed", "notes.wav"] {
            std::fs::write(day.join(name), vault::wav::header(2, 8_000, 0)).unwrap();
        }
        let shelf = shelf(folder.path());
        let mut found = Vec::new();
        let mut tell = |looked: Looked| {
            found.push((looked.recording.to_string(), looked.outcome, looked.reason));
            true
        };
        shelf.verify_all(&mut tell).unwrap();
        found[2..].sort();
        let told: Vec<(&str, &str)> = found.iter().map(|(id, outcome, _)| (id.as_str(), *outcome)).collect();
        let orphans = [("1-1-8.c1.p1", "orphan"), ("1-1-9.c1.p1", "orphan")];
        assert_eq!(told, [[("1-1-1.c1.p1", "failed"), ("1-1-2.c1.p1", "failed")], orphans].concat());
        assert!(found[0].2.contains("sidecar") && found[1].2.contains("no file"), "{found:?}");
        let mut first = 0;
        shelf
            .verify_all(&mut |_| {
                first += 1;
                false
            })
            .unwrap();
        assert_eq!(first, 1, "whoever has read enough is told no more");
    }
}
