//! What happens after the last sample: to the disk, read back and verified, told.

use super::body::Shared;
use super::disk::{self, Disk};
use super::files::{Note, Places};
use super::sound::{Sound, SoundError, measure};
use crate::Sink;
use crossbeam::channel::Receiver;
use media::Input;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use vault::Keyring;
use vault::verdict::{Content, Expected, Verdict, judge};

/// A recording that is written to its end.
pub(super) struct Ended {
    /// To be synced.
    pub files: Vec<Shared>,
    pub places: Places,
    pub note: Note,
    pub frames: u64,
    /// Empty if nothing is missing.
    pub reason: &'static str,
}

pub(super) fn run(ended: &Receiver<Ended>, disk: &dyn Disk, keys: Option<&Keyring>, sink: &dyn Sink) {
    for ended in ended {
        let recording = ended.note.about.recording;
        let closed = catch_unwind(AssertUnwindSafe(|| close(ended, disk, keys)));
        sink.input(closed.unwrap_or_else(|_| {
            tracing::error!(%recording, "the thread that closes recordings panicked, and goes on with the others");
            Input::RecordingFailed { recording, reason: "closer_lost".into() }
        }));
    }
}

fn close(ended: Ended, disk: &dyn Disk, keys: Option<&Keyring>) -> Input {
    let Ended { files, places, mut note, frames, reason } = ended;
    let recording = note.about.recording;
    // After a failed fsync the pages may be gone though a second one succeeds: what is told is the first answer.
    let synced: io::Result<()> = files.iter().try_for_each(|file| file.lock().sync());
    let content = read_back(&places, &note, keys);
    if let Some(error) = synced.as_ref().err().or(content.as_ref().err()) {
        tracing::error!(%recording, %error, "recording is not as it should be on the disk");
    }
    let failure = synced.as_ref().err().map(disk::reason);
    let (frames, sha256, found) = match &content {
        Ok(content) => {
            note.hear(&content.heard);
            let expected = Expected { frames: Some(frames), sha256: None, partial: reason };
            let found = match judge(&expected, content) {
                Verdict::Complete | Verdict::Partial(_) => reason,
                Verdict::Failed(why) => why,
            };
            (content.frames, content.sha256.as_str(), found)
        }
        Err(error) => (frames, "", disk::reason(error)),
    };
    let reason = [reason, failure.unwrap_or_default(), found].into_iter().find(|r| !r.is_empty()).unwrap_or_default();
    note.end(frames, sha256.into(), reason);
    let written = note.to_json().and_then(|json| disk.replace(&places.sidecar(), &json));
    if let Err(error) = &written {
        tracing::error!(%recording, %error, "sidecar can't be written; the next start will mend it");
    }
    if sha256.is_empty() {
        return Input::RecordingFailed { recording, reason: reason.into() };
    }
    Input::RecordingClosed {
        recording,
        file: note.file,
        duration_ms: note.duration_ms,
        sha256: note.sha256,
        complete: reason.is_empty() && written.is_ok(),
        reason: if reason.is_empty() { written.as_ref().err().map_or("", disk::reason).into() } else { reason.into() },
    }
}

/// From the disk, with the key that is on the disk.
fn read_back(places: &Places, note: &Note, keys: Option<&Keyring>) -> io::Result<Content> {
    let sound = Sound::open_at(places, &note.about.recording.to_string(), keys);
    measure(sound.map_err(|error| match error {
        SoundError::Io(error) => error,
        other => io::Error::new(io::ErrorKind::InvalidData, other),
    })?)
}
