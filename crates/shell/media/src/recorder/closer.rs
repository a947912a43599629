//! What happens after the last sample: to the disk, hashed, told.

use super::disk::{self, Disk};
use super::files::{self, Note};
use super::tape::Shared;
use crate::Sink;
use crossbeam::channel::Receiver;
use media::Input;
use std::path::PathBuf;

/// A recording that is written to its end.
pub(super) struct Ended {
    pub file: Shared,
    pub path: PathBuf,
    pub sidecar: PathBuf,
    pub note: Note,
    pub frames: u64,
    /// Empty if nothing is missing.
    pub reason: &'static str,
}

pub(super) fn run(ended: &Receiver<Ended>, disk: &dyn Disk, sink: &dyn Sink) {
    for ended in ended {
        sink.input(close(ended, disk));
    }
}

fn close(ended: Ended, disk: &dyn Disk) -> Input {
    let Ended { file, path, sidecar, mut note, frames, reason } = ended;
    // After a failed fsync the pages may be gone though a second one succeeds: what is told is the first answer.
    let synced = file.lock().sync();
    let hash = files::sha256(&path);
    let failure = [synced.as_ref().err(), hash.as_ref().err()].into_iter().flatten().next().map(disk::reason);
    let reason = if reason.is_empty() { failure.unwrap_or_default() } else { reason };
    note.end(frames, hash.unwrap_or_default(), reason);
    let written = note.to_json().and_then(|json| disk.replace(&sidecar, &json));
    if let Err(error) = &written {
        tracing::error!(recording = %note.about.recording, %error, "sidecar can't be written; the next start will mend it");
    }
    Input::RecordingClosed {
        recording: note.about.recording,
        file: note.file,
        duration_ms: note.duration_ms,
        sha256: note.sha256,
        complete: reason.is_empty() && written.is_ok(),
        reason: if reason.is_empty() { written.as_ref().err().map_or("", disk::reason).into() } else { reason.into() },
    }
}
