//! What happens after the last sample: to the disk, read back and verified, told.

use super::disk::{self, Disk, DiskFile};
use super::files::{Note, Places, RATE};
use super::sound::{Sound, SoundError, measure_with};
use crate::Sink;
use crossbeam::channel::{Receiver, RecvTimeoutError};
use media::{Input, Proof, Tally};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;
use vault::Keyring;
use vault::verdict::{Content, Expected, Verdict, judge};

/// A recording that is written to its end.
pub(super) struct Ended {
    /// To be synced.
    pub files: Vec<Box<dyn DiskFile>>,
    pub places: Places,
    pub note: Note,
    pub frames: u64,
    /// Empty if nothing is missing.
    pub reason: &'static str,
    /// What the media threads say that it holds.
    pub proof: Option<Proof>,
}

/// Of a channel's sound so much may find no place: a hundredth, and at least a quarter of a second.
fn is_too_much(dropped: u64, received: u64) -> bool {
    dropped > (received / 100).max(u64::from(RATE) / 4)
}

/// Between two tries to write a sidecar for which there was no room.
const AGAIN: Duration = Duration::from_secs(5);
/// Sidecars that wait for room; what is beyond the next start mends.
const WAITING: usize = 10_000;

pub(super) fn run(ended: &Receiver<Ended>, disk: &dyn Disk, keys: Option<&Keyring>, sink: &dyn Sink) {
    let mut waiting = Vec::new();
    loop {
        let next =
            if waiting.is_empty() { ended.recv().map_err(|_| RecvTimeoutError::Disconnected) } else { ended.recv_timeout(AGAIN) };
        match next {
            Ok(next) => {
                let recording = next.note.about.recording;
                let closed = catch_unwind(AssertUnwindSafe(|| close(next, disk, keys)));
                let (input, unwritten) = closed.unwrap_or_else(|_| {
                    tracing::error!(%recording, "the thread that closes recordings panicked, and goes on with the others");
                    (Input::RecordingFailed { recording, reason: "closer_lost".into() }, None)
                });
                sink.input(input);
                write_again(&mut waiting, disk);
                waiting.extend(unwritten.filter(|_| waiting.len() < WAITING));
            }
            Err(RecvTimeoutError::Timeout) => write_again(&mut waiting, disk),
            Err(RecvTimeoutError::Disconnected) => return write_again(&mut waiting, disk),
        }
    }
}

/// A sidecar that could not be written.
struct Unwritten {
    places: Places,
    note: Note,
}

/// Until one fails: then there is no room for the others either.
fn write_again(waiting: &mut Vec<Unwritten>, disk: &dyn Disk) {
    let written = |one: &Unwritten| one.note.to_json().and_then(|json| disk.replace(&one.places.sidecar(), &json)).is_ok();
    let count = waiting.iter().take_while(|one| written(one)).count();
    for one in waiting.drain(..count) {
        tracing::info!(recording = %one.note.about.recording, "its sidecar is written now");
    }
}

/// What the engine is told, and the sidecar if there was no room for it.
fn close(ended: Ended, disk: &dyn Disk, keys: Option<&Keyring>) -> (Input, Option<Unwritten>) {
    let Ended { mut files, places, mut note, frames, reason, proof } = ended;
    let recording = note.about.recording;
    // After a failed fsync the pages may be gone though a second one succeeds: what is told is the first answer.
    let synced: io::Result<()> = files.iter_mut().try_for_each(|file| file.sync());
    let mut tally = Tally::default();
    let content = read_back(&places, &note, keys, &mut tally);
    if let Some(error) = synced.as_ref().err().or(content.as_ref().err()) {
        tracing::error!(%recording, %error, "recording is not as it should be on the disk");
    }
    let failure = synced.as_ref().err().map(disk::reason);
    let (frames, sha256, found) = match &content {
        Ok(content) => {
            note.hear(&content.heard);
            let expected = Expected { frames: Some(frames), sha256: None, partial: reason };
            let found = match judge(&expected, content) {
                Verdict::Complete | Verdict::Partial(_) => proof.map_or(reason, |proof| proved(&proof, &tally, reason)),
                Verdict::Failed(why) => why,
            };
            (content.frames, content.sha256.as_str(), found)
        }
        Err(error) => (frames, "", disk::reason(error)),
    };
    if let Some(proof) = proof {
        let milliseconds = proof.received.map(|samples| samples / u64::from(RATE / 1_000));
        note.received_ms = milliseconds.into_iter().take(note.channels.len()).collect();
    }
    let reason = [reason, failure.unwrap_or_default(), found].into_iter().find(|r| !r.is_empty()).unwrap_or_default();
    note.end(frames, sha256.into(), reason);
    let written = note.to_json().and_then(|json| disk.replace(&places.sidecar(), &json));
    let reason = match &written {
        Ok(()) => reason,
        Err(error) => {
            tracing::error!(%recording, %error, "sidecar can't be written; it is tried again until there is room");
            if reason.is_empty() { disk::reason(error) } else { reason }
        }
    };
    // Log and sidecar say the same, whenever that is written.
    note.end(frames, sha256.into(), reason);
    let input = if sha256.is_empty() {
        Input::RecordingFailed { recording, reason: reason.into() }
    } else {
        let (complete, reason) = (reason.is_empty(), reason.into());
        let (file, duration_ms, sha256) = (note.file.clone(), note.duration_ms, note.sha256.clone());
        Input::RecordingClosed { recording, file, duration_ms, sha256, complete, reason }
    };
    (input, written.is_err().then_some(Unwritten { places, note }))
}

/// Whether the disk gives back what the media threads handed over, and whether they had a place for what they received.
fn proved(proof: &Proof, read: &Tally, reason: &'static str) -> &'static str {
    if !reason.is_empty() {
        return reason;
    }
    if proof.tally != *read {
        return "sound_lost";
    }
    let mut channels = proof.dropped.iter().zip(&proof.received);
    if channels.any(|(dropped, received)| is_too_much(*dropped, *received)) { "sound_dropped" } else { "" }
}

/// From the disk, with the key that is on the disk.
fn read_back(places: &Places, note: &Note, keys: Option<&Keyring>, tally: &mut Tally) -> io::Result<Content> {
    let sound = Sound::open_at(places, &note.about.recording.to_string(), keys);
    let sound = sound.map_err(|error| match error {
        SoundError::Io(error) => error,
        other => io::Error::new(io::ErrorKind::InvalidData, other),
    })?;
    measure_with(sound, &mut |pcm| tally.take_pcm(pcm))
}
