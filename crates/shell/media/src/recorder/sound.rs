//! A recording's sound as the WAV that it is for whoever hears it, whatever it is on disk.

use super::files::{Form, Places};
use super::unpack::{Bytes, Unpacked};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt;
use std::path::Path;
use vault::flac::BadFlac;
use vault::keys::BadKey;
use vault::sealed::{self, BadSeal, Chunk, TAG, WORD};
use vault::verdict::{Content, Meter};
use vault::{Header, Keyring, Opener, WrappedKey, wav};

/// Why there is nothing to hear.
#[derive(Debug, thiserror::Error)]
pub enum SoundError {
    #[error("there is no audio")]
    NoAudio,
    #[error("its key was destroyed")]
    NoKey,
    #[error("it is sealed, and the site has no master key")]
    NoMaster,
    #[error("its key: {0}")]
    Key(#[from] BadKey),
    #[error("{0}")]
    Seal(#[from] BadSeal),
    #[error("it is no WAV of ours")]
    Wav,
    #[error("it is no FLAC of ours: {0}")]
    Flac(#[from] BadFlac),
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// A WAV with a header that fits its length at the moment it was opened.
pub struct Sound {
    header: [u8; wav::HEADER],
    channels: u16,
    rate: u32,
    frames: u64,
    /// It was closed in order; of a file in the clear nothing says so.
    whole: bool,
    form: Form,
    pcm: Pcm,
    place: u64,
}

enum Pcm {
    Clear(File),
    Sealed(Box<Sealed>),
    Flac(Box<Unpacked>),
}

impl Sound {
    /// Opens a recording by its `file` below the folder; `recording` is its id.
    pub fn open(folder: &Path, file: &str, recording: &str, keys: Option<&Keyring>) -> Result<Sound, SoundError> {
        Sound::open_at(&Places::new(folder, file)?, recording, keys)
    }

    pub(crate) fn open_at(places: &Places, recording: &str, keys: Option<&Keyring>) -> Result<Sound, SoundError> {
        let open = || {
            let form = places.file()?.ok_or(SoundError::NoAudio)?;
            Sound::open_file(places, &places.audio(form), form, (recording, keys))
        };
        match open() {
            // Compression has put another file in the place of this one since.
            Err(SoundError::Io(error)) if error.kind() == io::ErrorKind::NotFound => open(),
            sound => sound,
        }
    }

    /// One of the files that may be there; of a sealed one the form is what its header says.
    pub(crate) fn open_file(
        places: &Places,
        path: &Path,
        form: Form,
        (recording, keys): (&str, Option<&Keyring>),
    ) -> Result<Sound, SoundError> {
        let mut file = File::open(path)?;
        match form {
            Form::Wav => Sound::clear(file),
            Form::Flac => Sound::unpacked(Box::new(file), true, Form::Flac),
            Form::Sealed | Form::SealedFlac => {
                let header = header(&mut file)?;
                let opener = Opener::new(&file_key(places, recording, keys)?, &header);
                let sealed = Sealed::open(file, opener)?;
                let whole = sealed.whole;
                if header.content == sealed::Content::Flac {
                    return Sound::unpacked(Box::new(sealed), whole, Form::SealedFlac);
                }
                let frames = sealed.length / (u64::from(header.channels) * wav::SAMPLE);
                Ok(Sound::new((header.channels, header.rate), frames, whole, (Form::Sealed, Pcm::Sealed(Box::new(sealed)))))
            }
        }
    }

    fn unpacked(bytes: Box<dyn Bytes>, whole: bool, form: Form) -> Result<Sound, SoundError> {
        let unpacked = Unpacked::open(bytes)?;
        let (about, frames) = (unpacked.about(), unpacked.frames());
        Ok(Sound::new(about, frames, whole, (form, Pcm::Flac(Box::new(unpacked)))))
    }

    fn clear(mut file: File) -> Result<Sound, SoundError> {
        let mut head = [0; wav::HEADER];
        file.read_exact(&mut head).map_err(|_| SoundError::Wav)?;
        let (channels, rate) = wav::read(&head).ok_or(SoundError::Wav)?;
        let bytes = file.metadata()?.len().saturating_sub(wav::HEADER as u64);
        let frames = bytes / (u64::from(channels) * wav::SAMPLE);
        Ok(Sound::new((channels, rate), frames, true, (Form::Wav, Pcm::Clear(file))))
    }

    fn new((channels, rate): (u16, u32), frames: u64, whole: bool, (form, pcm): (Form, Pcm)) -> Sound {
        let frames = frames.min(wav::most_frames(channels));
        Sound { header: wav::header(channels, rate, frames), channels, rate, frames, whole, form, pcm, place: 0 }
    }

    /// What it is on disk.
    pub fn form(&self) -> Form {
        self.form
    }

    pub fn channels(&self) -> u16 {
        self.channels
    }

    /// Samples a second.
    pub fn rate(&self) -> u32 {
        self.rate
    }

    pub fn frames(&self) -> u64 {
        self.frames
    }

    /// False: a sealed file that was never closed, or was cut.
    pub fn is_whole(&self) -> bool {
        self.whole
    }

    /// Bytes of the whole WAV.
    pub fn length(&self) -> u64 {
        wav::HEADER as u64 + self.frames * u64::from(self.channels) * wav::SAMPLE
    }
}

impl Read for Sound {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.length().saturating_sub(self.place)).unwrap_or(usize::MAX);
        let most = buffer.len().min(left);
        let buffer = &mut buffer[..most];
        let header = usize::try_from(self.place).ok().and_then(|at| self.header.get(at..)).filter(|rest| !rest.is_empty());
        let read = match (header, &mut self.pcm) {
            (Some(mut rest), _) => rest.read(buffer)?,
            (None, Pcm::Clear(file)) => file.read_at(buffer, self.place)?,
            (None, Pcm::Sealed(sealed)) => sealed.read_at(buffer, self.place - wav::HEADER as u64)?,
            (None, Pcm::Flac(flac)) => flac.read_at(buffer, self.place - wav::HEADER as u64)?,
        };
        self.place += read as u64;
        Ok(read)
    }
}

impl Seek for Sound {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let place = match to {
            SeekFrom::Start(place) => Some(place),
            SeekFrom::End(by) => self.length().checked_add_signed(by),
            SeekFrom::Current(by) => self.place.checked_add_signed(by),
        };
        self.place = place.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.place)
    }
}

/// Reads a WAV from end to end.
pub(crate) fn measure(sound: Sound) -> io::Result<Content> {
    measure_with(sound, &mut |_| {})
}

/// The same, and shows its PCM, piece by piece.
pub(super) fn measure_with(mut sound: Sound, show: &mut dyn FnMut(&[u8])) -> io::Result<Content> {
    let mut header = [0; wav::HEADER];
    sound.read_exact(&mut header)?;
    let mut meter = Meter::new(sound.channels);
    meter.take(&header);
    let mut buffer = vec![0; 1 << 16];
    loop {
        match sound.read(&mut buffer)? {
            0 => return Ok(meter.finish(sound.whole)),
            n => {
                meter.take(&buffer[..n]);
                show(&buffer[..n]);
            }
        }
    }
}

pub(super) fn header(file: &mut File) -> Result<Header, SoundError> {
    let mut head = [0; sealed::HEADER];
    file.read_exact(&mut head).map_err(|_| BadSeal::Header)?;
    Ok(Header::read(&head)?)
}

/// The key of a recording from beside its audio.
pub(crate) fn file_key(places: &Places, recording: &str, keys: Option<&Keyring>) -> Result<vault::FileKey, SoundError> {
    let bytes = std::fs::read(places.key()).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => SoundError::NoKey,
        _ => SoundError::Io(error),
    })?;
    Ok(keys.ok_or(SoundError::NoMaster)?.unwrap(recording, &WrappedKey::read(&bytes)?)?)
}

/// The chunks of a sealed file that are whole, found by their lengths alone.
pub(super) struct Chunks {
    /// Where each begins in the file and in the plain text.
    pub list: Vec<(u64, u64, Chunk)>,
    /// Where the last whole one ends, in the file and in the plain text.
    pub end: (u64, u64),
    /// The last one is marked as such and ends the file.
    pub whole: bool,
}

impl Chunks {
    pub fn find(file: &File) -> io::Result<Chunks> {
        let length = file.metadata()?.len();
        let mut chunks = Chunks { list: vec![], end: (sealed::HEADER as u64, 0), whole: false };
        while chunks.end.0 + (WORD as u64) <= length && !chunks.list.last().is_some_and(|(.., chunk)| chunk.last) {
            let mut word = [0; WORD];
            file.read_exact_at(&mut word, chunks.end.0)?;
            let Ok(chunk) = Chunk::read(word) else { break };
            if chunks.end.0 + chunk.size() > length {
                break;
            }
            chunks.list.push((chunks.end.0, chunks.end.1, chunk));
            chunks.end = (chunks.end.0 + chunk.size(), chunks.end.1 + chunk.length as u64);
        }
        chunks.whole = chunks.end.0 == length && chunks.list.last().is_some_and(|(.., chunk)| chunk.last);
        Ok(chunks)
    }
}

impl Bytes for Sealed {
    fn read_at(&mut self, buffer: &mut [u8], place: u64) -> io::Result<usize> {
        Sealed::read_at(self, buffer, place)
    }
}

/// What a sealed file holds, read from anywhere; one chunk is open at a time.
struct Sealed {
    file: File,
    opener: Opener,
    chunks: Vec<(u64, u64, Chunk)>,
    length: u64,
    whole: bool,
    /// Which chunk is in the buffer.
    open: Option<usize>,
    buffer: Vec<u8>,
}

impl Sealed {
    fn open(file: File, opener: Opener) -> Result<Sealed, SoundError> {
        let Chunks { list, end, whole } = Chunks::find(&file)?;
        let mut sealed = Sealed { file, opener, chunks: list, length: end.1, whole, open: None, buffer: vec![] };
        // A key that does not fit is told now, not in the middle of an answer.
        if !sealed.chunks.is_empty() {
            sealed.open_chunk(0)?;
        }
        Ok(sealed)
    }

    fn read_at(&mut self, buffer: &mut [u8], place: u64) -> io::Result<usize> {
        if place >= self.length || buffer.is_empty() {
            return Ok(0);
        }
        let n = self.chunks.partition_point(|(_, from, chunk)| from + chunk.length as u64 <= place);
        if self.open != Some(n) {
            self.open_chunk(n).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        }
        let (_, from, chunk) = self.chunks[n];
        let at = usize::try_from(place - from).unwrap_or(chunk.length);
        let mut rest = self.buffer.get(at..chunk.length).unwrap_or(&[]);
        rest.read(buffer)
    }

    fn open_chunk(&mut self, n: usize) -> Result<(), SoundError> {
        let (at, _, chunk) = self.chunks[n];
        self.open = None;
        self.buffer.resize(chunk.length + TAG, 0);
        self.file.read_exact_at(&mut self.buffer, at + WORD as u64)?;
        self.opener.open(n as u64, chunk, &mut self.buffer)?;
        self.open = Some(n);
        Ok(())
    }
}
