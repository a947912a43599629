//! What happens after the last sample: to the disk, read back, hashed, told.

use super::body::Shared;
use super::disk::{self, Disk};
use super::files::{self, Note, Places};
use super::sound::{Sound, SoundError};
use crate::Sink;
use crossbeam::channel::Receiver;
use media::Input;
use std::io;
use std::sync::Arc;
use vault::Keyring;

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
        sink.input(close(ended, disk, keys));
    }
}

fn close(ended: Ended, disk: &dyn Disk, keys: Option<&Keyring>) -> Input {
    let Ended { files, places, mut note, frames, reason } = ended;
    // After a failed fsync the pages may be gone though a second one succeeds: what is told is the first answer.
    let synced: io::Result<()> = files.iter().try_for_each(|file| file.lock().sync());
    let hash = hash(&places, &note, keys);
    let failure = [synced.as_ref().err(), hash.as_ref().err()].into_iter().flatten().next().map(disk::reason);
    let reason = if reason.is_empty() { failure.unwrap_or_default() } else { reason };
    note.end(frames, hash.unwrap_or_default(), reason);
    let written = note.to_json().and_then(|json| disk.replace(&places.sidecar(), &json));
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

/// Of the WAV as it is read back from the disk.
fn hash(places: &Places, note: &Note, keys: Option<&Keyring>) -> io::Result<Arc<str>> {
    let sound = Sound::open_at(places, &note.about.recording.to_string(), keys);
    files::sha256(&mut sound.map_err(|error| match error {
        SoundError::Io(error) => error,
        other => io::Error::new(io::ErrorKind::InvalidData, other),
    })?)
}
