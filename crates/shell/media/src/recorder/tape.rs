//! One open recording: stereo or mono, 8 kHz, 16 bit, with a header that is right after every flush.

use super::closer::Ended;
use super::disk::{Disk, DiskFile};
use super::files::{Note, RATE, SAMPLE_BYTES, WAV_HEADER, paths};
use media::Sidecar;
use media::placement::Block;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Frames between flushes: 400 ms, so that with a block's delay a crash costs less than a second.
const FLUSH: u64 = 3_200;
/// A WAV file's length is 32 bits: 37 hours of stereo.
const MOST_SAMPLES: u64 = (u32::MAX as u64 - 4_096) / SAMPLE_BYTES;
/// A stretch of silence for what the ring lost.
const SILENCE: [i16; 3_200] = [0; 3_200];

/// The file, shared between hound (which keeps its writer to itself) and us, who sync and cut it.
#[derive(Clone)]
pub(super) struct Shared(Arc<Mutex<Box<dyn DiskFile>>>);

impl Shared {
    pub fn lock(&self) -> MutexGuard<'_, Box<dyn DiskFile>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.lock().write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.lock().flush()
    }
}
impl Seek for Shared {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.lock().seek(to)
    }
}

pub(super) struct OpenTape {
    file: Shared,
    wav: hound::WavWriter<Shared>,
    path: PathBuf,
    sidecar: PathBuf,
    note: Note,
    channels: u16,
    frames: u64,
    flushed: u64,
    reason: &'static str,
}

impl OpenTape {
    /// Creates the audio with its header, and the sidecar in state "recording".
    pub fn create(disk: &dyn Disk, folder: &Path, name: &Arc<str>, about: Sidecar, channels: u16) -> io::Result<OpenTape> {
        let (path, sidecar) = paths(folder, name)?;
        let note = Note::new(about, name.clone(), channels);
        let sample_format = hound::SampleFormat::Int;
        let spec = hound::WavSpec { channels, sample_rate: RATE, bits_per_sample: 8 * SAMPLE_BYTES as u16, sample_format };
        let file = Shared(Arc::new(Mutex::new(disk.create(&path)?)));
        let begin = || {
            let mut wav = hound::WavWriter::new(file.clone(), spec).map_err(to_io)?;
            wav.flush().map_err(to_io)?;
            disk.replace(&sidecar, &note.to_json()?)?;
            Ok(wav)
        };
        match begin() {
            Ok(wav) => Ok(OpenTape { file, wav, path, sidecar, note, channels, frames: 0, flushed: 0, reason: "" }),
            Err(error) => {
                let _ = std::fs::remove_file(&path);
                Err(error)
            }
        }
    }

    /// Appends a block; a hole before it becomes silence. True if the file was flushed with it.
    pub fn write(&mut self, block: &Block) -> io::Result<bool> {
        self.fill_to(block.first)?;
        self.append(&block.samples)?;
        if self.frames >= self.flushed + FLUSH {
            self.wav.flush().map_err(to_io)?;
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

    /// The recording is not complete; the first reason stays.
    pub fn spoil(&mut self, reason: &'static str) {
        if self.reason.is_empty() {
            self.reason = reason;
        }
    }

    /// Ends writing; what is left to do does not belong on this thread.
    pub fn end(mut self) -> Ended {
        let frames = u64::from(self.wav.duration());
        if let Err(error) = self
            .wav
            .finalize()
            .map_err(to_io)
            .and_then(|()| self.file.lock().truncate(WAV_HEADER + frames * u64::from(self.channels) * SAMPLE_BYTES))
        {
            tracing::error!(recording = %self.note.about.recording, %error, "recording can't be finished");
            if self.reason.is_empty() {
                self.reason = super::disk::reason(&error);
            }
        }
        Ended { file: self.file, path: self.path, sidecar: self.sidecar, note: self.note, frames, reason: self.reason }
    }

    fn append(&mut self, samples: &[i16]) -> io::Result<()> {
        let frames = samples.len() as u64 / u64::from(self.channels);
        if (self.frames + frames) * u64::from(self.channels) > MOST_SAMPLES {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let count = u32::try_from(samples.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
        let mut writer = self.wav.get_i16_writer(count);
        samples.iter().for_each(|s| writer.write_sample(*s));
        writer.flush().map_err(to_io)?;
        self.frames += frames;
        Ok(())
    }
}

fn to_io(error: hound::Error) -> io::Error {
    match error {
        hound::Error::IoError(error) => error,
        other => io::Error::other(other),
    }
}
