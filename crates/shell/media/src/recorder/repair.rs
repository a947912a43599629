//! After a crash: recordings whose sidecar still says "recording" get a header that fits their length, a hash,
//! and the truth in the sidecar.

use super::disk::{Disk, OsDisk};
use super::files::{Note, SAMPLE_BYTES, State, WAV_HEADER, paths, sha256};
use base::RecordingId;
use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Arc;

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
/// log does not know how they ended, those that are closed already are told of too.
pub fn repair(folder: &Path, owed: &BTreeSet<RecordingId>) -> io::Result<Vec<Repaired>> {
    let mut found = vec![];
    walk(folder, 0, &mut |sidecar| match mend(folder, sidecar, owed) {
        Ok(repaired) => found.extend(repaired),
        Err(error) => tracing::error!(file = %sidecar.display(), %error, "recording can't be mended"),
    })?;
    found.sort_by_key(|r| r.recording);
    Ok(found)
}

/// Every sidecar below a folder, as deep as recordings may lie.
fn walk(folder: &Path, depth: usize, act: &mut dyn FnMut(&Path)) -> io::Result<()> {
    let list = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound && depth == 0 => return Ok(()),
        other => other?,
    };
    for entry in list {
        let entry = entry?;
        let (kind, path) = (entry.file_type()?, entry.path());
        if kind.is_dir() && depth < 8 {
            walk(&path, depth + 1, act)?;
        } else if kind.is_file() && path.extension().is_some_and(|e| e == "json") {
            act(&path);
        }
    }
    Ok(())
}

fn mend(folder: &Path, sidecar: &Path, owed: &BTreeSet<RecordingId>) -> io::Result<Option<Repaired>> {
    let Ok(mut note) = serde_json::from_slice::<Note>(&std::fs::read(sidecar)?) else { return Ok(None) };
    if note.state != State::Recording {
        return Ok(owed.contains(&note.about.recording).then(|| found(note)));
    }
    let (wav, _) = paths(folder, &note.file)?;
    let (frames, hash, reason) = match mend_audio(&wav)? {
        Some(frames) => (frames, sha256(&wav)?, "node_lost"),
        None => (0, "".into(), "no_audio"),
    };
    note.end(frames, hash, reason);
    OsDisk.replace(sidecar, &note.to_json()?)?;
    Ok(Some(found(note)))
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
fn mend_audio(wav: &Path) -> io::Result<Option<u64>> {
    let mut file = match OpenOptions::new().read(true).write(true).open(wav) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other?,
    };
    let length = file.metadata()?.len();
    if length < WAV_HEADER {
        return Ok(None);
    }
    let Some(channels) = channels_of_ours(&mut file)? else { return Ok(None) };
    let frame_bytes = u64::from(channels) * SAMPLE_BYTES;
    let frames = (length - WAV_HEADER).min(u64::from(u32::MAX) - WAV_HEADER) / frame_bytes;
    let bytes = u32::try_from(frames * frame_bytes).map_err(|_| io::ErrorKind::FileTooLarge)?;
    file.set_len(WAV_HEADER + u64::from(bytes))?;
    // RIFF: what follows the first 8 bytes; data: the samples alone.
    for (place, value) in [(4, bytes + WAV_HEADER as u32 - 8), (WAV_HEADER - 4, bytes)] {
        file.seek(SeekFrom::Start(place))?;
        file.write_all(&value.to_le_bytes())?;
    }
    file.sync_all()?;
    Ok(Some(frames))
}

/// How many channels a file has, if its header is one that we write.
fn channels_of_ours(file: &mut File) -> io::Result<Option<u16>> {
    let mut head = [0; WAV_HEADER as usize];
    file.read_exact(&mut head)?;
    let ours = &head[..4] == b"RIFF" && &head[8..16] == b"WAVEfmt " && &head[36..40] == b"data";
    let channels = u16::from_le_bytes([head[22], head[23]]);
    Ok(Some(channels).filter(|channels| ours && (1..=2).contains(channels)))
}
