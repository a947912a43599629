//! Compression of what is closed: FLAC beside the audio, read back, and only then in its place.
//!
//! ```text
//!   X.wav, X.sealed ──read, compare with the sidecar's hash──▶ encode ──▶ X.flac.new, X.sealed.new ──fsync──▶ decode, compare
//!                                                                                                                 │
//!   the folder synced ◀── X.wav removed ◀── sidecar: its form ◀── the folder synced ◀── renamed to X.flac, X.sealed ◀┘
//! ```
//! A crash between any two of these leaves a recording that plays: the old audio is there until the new one is in its
//! place, whole and synced. A `.new` is written anew by the next try. A sealed file stays sealed, under the same key of
//! its own with another random id in the header, hence another audio key ([`vault::sealed`]).

use super::Shelf;
use crate::recorder::{Disk, DiskFile, Form, HashOf, Note, Places, Sound, SoundError, State, beside, file_key, measure, random};
use base::RecordingId;
use std::io::{self, Read};
use std::path::Path;
use vault::flac::{BadFlac, Encoder};
use vault::sealed::{Content, Header, LONGEST, Sealer};
use vault::wav;

/// PCM that is read at once, in bytes.
const PIECE: usize = 1 << 16;

/// What became of a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compressed {
    /// From and to so many bytes of audio.
    Smaller { from: u64, to: u64 },
    /// It was before.
    Already,
    /// There is nothing to compress, or it is still recorded.
    Nothing,
}

/// Why a recording stays as it is.
#[derive(Debug, thiserror::Error)]
pub enum NotCompressed {
    #[error("{0}")]
    Sound(#[from] SoundError),
    #[error("it is not what was recorded, and is left as it is")]
    Differs,
    #[error("nobody could hear it when a crash had cut it, so nothing says what it should hold")]
    Unheard,
    #[error("what was compressed does not give back what was recorded")]
    Lossy,
    #[error("{0}")]
    Flac(#[from] BadFlac),
    #[error("{0}")]
    Io(#[from] io::Error),
}

impl NotCompressed {
    /// The disk is full or away: the next try may go well.
    pub fn is_transient(&self) -> bool {
        use io::ErrorKind::{Interrupted, QuotaExceeded, ReadOnlyFilesystem, StaleNetworkFileHandle, StorageFull, TimedOut};
        match self {
            NotCompressed::Io(error) | NotCompressed::Sound(SoundError::Io(error)) => matches!(
                error.kind(),
                StorageFull | QuotaExceeded | ReadOnlyFilesystem | StaleNetworkFileHandle | TimedOut | Interrupted
            ),
            _ => false,
        }
    }
}

impl Shelf {
    /// Takes as long as reading it three times and encoding it once.
    pub fn compress(&self, file: &str, recording: RecordingId) -> Result<Compressed, NotCompressed> {
        let places = Places::new(&self.folder, file)?;
        let note = match note(&places) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Compressed::Nothing),
            read => read?,
        };
        if !matches!(note.state, State::Complete | State::Partial) {
            return Ok(Compressed::Nothing);
        }
        let sound = match self.sound(file, recording) {
            Err(SoundError::NoAudio) => return Ok(Compressed::Nothing),
            sound => sound?,
        };
        let form = sound.form();
        if form == form.compressed() {
            return Ok(Compressed::Already);
        }
        if note.sha256_of != HashOf::Wav {
            return Err(NotCompressed::Unheard);
        }
        let whole = sound.is_whole();
        if *measure(sound)?.sha256 != *note.sha256 {
            return Err(NotCompressed::Differs);
        }
        let beside = beside(&places.audio(form.compressed()));
        let made = self.make(&places, recording, &beside, whole).and_then(|()| {
            let made = Sound::open_file(&places, &beside, form.compressed(), (&recording.to_string(), self.keys.as_deref()))?;
            let same = *measure(made)?.sha256 == *note.sha256;
            if same { self.take_over(&places, &note, form, &beside) } else { Err(NotCompressed::Lossy) }
        });
        made.or_else(|error| {
            drop(self.disk.remove(&beside));
            // Whatever came of it then is no failure.
            if self::note(&places).is_ok_and(|note| note.state == State::Erased) { Ok(Compressed::Nothing) } else { Err(error) }
        })
    }

    /// The whole of it, encoded and on the disk.
    fn make(&self, places: &Places, recording: RecordingId, path: &Path, whole: bool) -> Result<(), NotCompressed> {
        let recording = recording.to_string();
        let mut sound = Sound::open_at(places, &recording, self.keys.as_deref())?;
        let (channels, rate) = (sound.channels(), sound.rate());
        let sealer = if sound.form().is_sealed() {
            let header = Header { content: Content::Flac, channels, rate, id: random()? };
            let key = file_key(places, &recording, self.keys.as_deref())?;
            Some((header, Sealer::new(&key, &header)))
        } else {
            None
        };
        let mut out = Out::create(&*self.disk, path, sealer)?;
        let mut flac = vec![];
        let mut encoder = Encoder::new(channels, rate, sound.frames(), &mut flac)?;
        sound.read_exact(&mut [0; wav::HEADER])?;
        let mut pcm = vec![0; PIECE];
        loop {
            let read = sound.read(&mut pcm)?;
            if read == 0 {
                break;
            }
            encoder.take(&pcm[..read], &mut flac)?;
            out.put(&mut flac)?;
        }
        encoder.finish(&mut flac)?;
        out.put(&mut flac)?;
        Ok(out.finish(whole)?)
    }

    /// What was erased meanwhile stays so.
    fn take_over(&self, places: &Places, before: &Note, form: Form, beside: &Path) -> Result<Compressed, NotCompressed> {
        let _alone = self.change_keys();
        let mut note = note(places)?;
        if note != *before {
            return Err(NotCompressed::Differs);
        }
        let (old, new) = (places.audio(form), places.audio(form.compressed()));
        let (from, to) = (std::fs::metadata(&old)?.len(), std::fs::metadata(beside)?.len());
        self.disk.rename(beside, &new)?;
        self.disk.sync_folder_of(&new)?;
        note.form = form.compressed();
        self.disk.replace(&places.sidecar(), &note.to_json()?)?;
        if old != new {
            self.disk.remove(&old)?;
            self.disk.sync_folder_of(&old)?;
        }
        Ok(Compressed::Smaller { from, to })
    }
}

fn note(places: &Places) -> io::Result<Note> {
    Ok(serde_json::from_slice(&std::fs::read(places.sidecar())?)?)
}

/// Where FLAC goes: into the file, or into its chunks.
struct Out {
    file: Box<dyn DiskFile>,
    sealer: Option<Sealer>,
    chunk: Vec<u8>,
    open: Vec<u8>,
}

impl Out {
    /// One that a crash left there is ours.
    fn create(disk: &dyn Disk, path: &Path, sealer: Option<(Header, Sealer)>) -> io::Result<Out> {
        disk.remove_if_there(path)?;
        let mut file = disk.create(path)?;
        let sealer = match sealer {
            Some((header, sealer)) => {
                file.write_all(&header.to_bytes())?;
                Some(sealer)
            }
            None => None,
        };
        Ok(Out { file, sealer, chunk: vec![], open: vec![] })
    }

    /// Empties what it is given.
    fn put(&mut self, bytes: &mut Vec<u8>) -> io::Result<()> {
        self.open.append(bytes);
        while self.open.len() >= LONGEST {
            let rest = self.open.split_off(LONGEST);
            self.write(false)?;
            self.open = rest;
        }
        Ok(())
    }

    fn write(&mut self, last: bool) -> io::Result<()> {
        match &mut self.sealer {
            Some(sealer) => {
                self.chunk.clear();
                sealer.seal(&self.open, last, &mut self.chunk).map_err(io::Error::other)?;
                self.file.write_all(&self.chunk)?;
            }
            None => self.file.write_all(&self.open)?,
        }
        self.open.clear();
        Ok(())
    }

    /// One that was cut off stays without a last chunk.
    fn finish(mut self, whole: bool) -> io::Result<()> {
        self.write(whole)?;
        self.file.sync()
    }
}
