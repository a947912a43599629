//! After a crash: recordings whose sidecar still says "recording" get a header that fits their length, a hash,
//! and the truth in the sidecar.

use super::disk::{Disk, OsDisk};
use super::files::{Form, HashOf, Note, Places, State, sha256};
use super::sound::{self, Chunks, Sound, SoundError, measure};
use base::RecordingId;
use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Arc;
use vault::{Keyring, wav};

/// A recording without an end in the log, as it was found or mended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repaired {
    pub recording: RecordingId,
    /// Below the recordings folder, without extension.
    pub file: Arc<str>,
    pub duration_ms: u64,
    /// Empty if there is no audio at all.
    pub sha256: Arc<str>,
    /// It was closed whole; only the log does not say so.
    pub complete: bool,
    /// `node_lost`, `no_audio` if the file is missing or shorter than a header, or what the sidecar says.
    pub reason: Arc<str>,
}

/// Mends what a crash left below the recordings folder; to be called before the plane starts. A folder that isn't
/// there needs nothing. What can't be mended is logged and left as it is. Of the recordings in `owed`, of which the
/// log does not know how they ended, those that are closed already are told of too. A sealed file needs no key for it;
/// without one its hash is of the sealed file.
pub fn repair(folder: &Path, owed: &BTreeSet<RecordingId>, keys: Option<&Keyring>) -> io::Result<Vec<Repaired>> {
    let mut found = vec![];
    walk(folder, 0, &mut |path| {
        if is_left_over(path)
            && let Err(error) = std::fs::remove_file(path)
        {
            tracing::error!(file = %path.display(), %error, "what a crash left half written can't be removed");
        }
        match path.extension().is_some_and(|e| e == "json").then(|| mend(folder, path, owed, keys)) {
            Some(Ok(repaired)) => found.extend(repaired),
            Some(Err(error)) => tracing::error!(file = %path.display(), %error, "recording can't be mended"),
            None => {}
        }
        true
    })?;
    found.sort_by_key(|r| r.recording);
    Ok(found)
}

/// What was written and never put into its place: sound and keys would outlive the recording's erasure.
fn is_left_over(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let Some(name) = name.strip_suffix(".new") else { return false };
    let ours = |extension: &str| name.strip_suffix(extension).is_some_and(|id| id.parse::<RecordingId>().is_ok());
    [".flac", ".sealed", ".key", ".json"].into_iter().any(ours)
}

/// Every file below a folder, as deep as recordings may lie, until `act` says that it is enough. False: it did.
pub(crate) fn walk(folder: &Path, depth: usize, act: &mut dyn FnMut(&Path) -> bool) -> io::Result<bool> {
    let list = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound && depth == 0 => return Ok(true),
        // Such as a volume's `lost+found`: whatever it holds, it must not keep the node from starting.
        Err(error) if depth > 0 => {
            tracing::error!(folder = %folder.display(), %error, "a folder of recordings can't be read, and is passed over");
            return Ok(true);
        }
        other => other?,
    };
    for entry in list {
        let entry = entry?;
        let (kind, path) = (entry.file_type()?, entry.path());
        let on = if kind.is_dir() && depth < 8 { walk(&path, depth + 1, act)? } else { !kind.is_file() || act(&path) };
        if !on {
            return Ok(false);
        }
    }
    Ok(true)
}

fn mend(folder: &Path, sidecar: &Path, owed: &BTreeSet<RecordingId>, keys: Option<&Keyring>) -> io::Result<Option<Repaired>> {
    let Ok(mut note) = serde_json::from_slice::<Note>(&std::fs::read(sidecar)?) else { return Ok(None) };
    if note.state != State::Recording {
        return Ok(owed.contains(&note.about.recording).then(|| found(note)));
    }
    let places = Places::new(folder, &note.file)?;
    let frames = match note.form {
        Form::Sealed | Form::SealedFlac => mend_sealed(&places.audio(Form::Sealed))?,
        // What is recorded is compressed only once it is closed.
        Form::Wav | Form::Flac => mend_wav(&places.audio(Form::Wav))?,
    };
    let (frames, hash, reason) = match frames {
        Some(frames) => (frames, hash(&places, &mut note, keys)?, "node_lost"),
        None => (0, "".into(), "no_audio"),
    };
    note.end(frames, hash, reason);
    OsDisk.replace(sidecar, &note.to_json()?)?;
    Ok(Some(found(note)))
}

/// Of the WAV; of the file as it is if it can't be opened.
fn hash(places: &Places, note: &mut Note, keys: Option<&Keyring>) -> io::Result<Arc<str>> {
    let sound = Sound::open_at(places, &note.about.recording.to_string(), keys);
    match sound.and_then(|sound| measure(sound).map_err(SoundError::Io)) {
        Ok(content) => {
            note.hear(&content.heard);
            Ok(content.sha256.into())
        }
        Err(SoundError::Io(error)) if error.kind() != io::ErrorKind::InvalidData => Err(error),
        // No key, or a chunk in the middle that does not open.
        Err(why) => {
            tracing::warn!(recording = %note.about.recording, %why, "mended unheard");
            note.sha256_of = HashOf::File;
            sha256(&mut File::open(places.audio(note.form))?)
        }
    }
}

fn found(note: Note) -> Repaired {
    Repaired {
        recording: note.about.recording,
        file: note.file,
        duration_ms: note.duration_ms,
        sha256: note.sha256,
        complete: note.state == State::Complete,
        reason: note.reason,
    }
}

/// Writes the lengths that the file has into its header, and cuts a frame that is not whole. None: no audio.
fn mend_wav(path: &Path) -> io::Result<Option<u64>> {
    let Some(mut file) = open(path)? else { return Ok(None) };
    let mut head = [0; wav::HEADER];
    let read = file.read_exact(&mut head).is_ok();
    let Some((channels, rate)) = wav::read(&head).filter(|_| read) else { return Ok(None) };
    let frame = u64::from(channels) * wav::SAMPLE;
    let frames = ((file.metadata()?.len() - wav::HEADER as u64) / frame).min(wav::most_frames(channels));
    file.set_len(wav::HEADER as u64 + frames * frame)?;
    file.seek(SeekFrom::Start(0))?;
    file.write_all(&wav::header(channels, rate, frames))?;
    file.sync_all()?;
    Ok(Some(frames))
}

/// Cuts a chunk that is not whole. The file has no last chunk then, which says that it was cut. None: no audio.
fn mend_sealed(path: &Path) -> io::Result<Option<u64>> {
    let Some(mut file) = open(path)? else { return Ok(None) };
    let header = match sound::header(&mut file) {
        Ok(header) => header,
        Err(SoundError::Io(error)) => return Err(error),
        Err(_) => return Ok(None),
    };
    let (end, plain) = Chunks::find(&file)?.end;
    file.set_len(end)?;
    file.sync_all()?;
    Ok(Some(plain / (u64::from(header.channels) * wav::SAMPLE)))
}

/// None: it is not there.
fn open(path: &Path) -> io::Result<Option<File>> {
    match OpenOptions::new().read(true).write(true).open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        other => other.map(Some),
    }
}
