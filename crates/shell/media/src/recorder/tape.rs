//! One open recording: stereo or mono, 8 kHz, 16 bit, readable up to its last flush.

use super::body::{Body, Finished};
use super::closer::Ended;
use super::disk::Disk;
use super::files::{Note, Places};
use media::placement::Block;
use media::{Proof, Sidecar};
use std::io;
use std::path::Path;
use std::sync::Arc;
use vault::{Keyring, wav};

/// Frames between flushes: 400 ms, so that with a block's delay a crash costs less than a second.
const FLUSH: u64 = 3_200;
/// A stretch of silence for what the ring lost.
const SILENCE: [i16; 3_200] = [0; 3_200];

pub(super) struct OpenTape {
    body: Body,
    places: Places,
    note: Note,
    channels: u16,
    frames: u64,
    flushed: u64,
    reason: &'static str,
    /// What the media threads say that it holds; none of one that was not closed by them.
    proof: Option<Proof>,
}

impl OpenTape {
    /// Creates the audio, sealed if there are keys, and the sidecar in state "recording".
    pub fn create(
        disk: &dyn Disk,
        folder: &Path,
        name: &Arc<str>,
        (about, channels): (Sidecar, u16),
        keys: Option<&Keyring>,
    ) -> io::Result<OpenTape> {
        let places = Places::new(folder, name)?;
        let recording = about.recording.to_string();
        if let Some(folder) = places.sidecar().parent() {
            disk.make_folder(folder)?;
        }
        let body = Body::create(disk, &places, channels, keys.map(|keys| (keys, recording.as_str())))?;
        let note = Note::new(about, name.clone(), channels, body.form());
        if let Err(error) = note.to_json().and_then(|json| disk.replace(&places.sidecar(), &json)) {
            let _ = (std::fs::remove_file(places.audio(body.form())), std::fs::remove_file(places.key()));
            return Err(error);
        }
        Ok(OpenTape { body, places, note, channels, frames: 0, flushed: 0, reason: "", proof: None })
    }

    /// Appends a block; a hole before it becomes silence. True if the file was flushed with it.
    pub fn write(&mut self, block: &Block) -> io::Result<bool> {
        self.fill_to(block.first)?;
        self.append(&block.samples)?;
        if self.frames >= self.flushed + FLUSH {
            self.body.flush()?;
            self.flushed = self.frames;
            return Ok(true);
        }
        Ok(false)
    }

    /// Makes up for what the ring lost, so that the rest stays in its place.
    pub fn fill_to(&mut self, frames: u64) -> io::Result<()> {
        if self.frames < frames {
            self.spoil("recorder_behind");
        }
        while self.frames < frames {
            let missing = u64::from(self.channels) * (frames - self.frames);
            let some = usize::try_from(missing).unwrap_or(usize::MAX).min(SILENCE.len());
            self.append(&SILENCE[..some])?;
        }
        Ok(())
    }

    pub fn prove(&mut self, proof: Option<Proof>) {
        self.proof = proof;
    }

    /// The recording is not complete; the first reason stays.
    pub fn spoil(&mut self, reason: &'static str) {
        if self.reason.is_empty() {
            self.reason = reason;
        }
    }

    /// Ends writing; what is left to do does not belong on this thread.
    pub fn end(mut self) -> Ended {
        let Finished { files, frames, written } = self.body.finish(self.channels);
        if let Err(error) = written {
            tracing::error!(recording = %self.note.about.recording, %error, "recording can't be finished");
            if self.reason.is_empty() {
                self.reason = super::disk::reason(&error);
            }
        }
        Ended { files, places: self.places, note: self.note, frames, reason: self.reason, proof: self.proof }
    }

    fn append(&mut self, samples: &[i16]) -> io::Result<()> {
        let frames = samples.len() as u64 / u64::from(self.channels);
        if self.frames + frames > wav::most_frames(self.channels) {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.body.append(samples)?;
        self.frames += frames;
        Ok(())
    }
}
