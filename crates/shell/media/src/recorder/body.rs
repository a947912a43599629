//! The audio of an open recording: in the clear as a WAV whose header is right after every flush, or sealed, where
//! each flush is one more chunk that can be opened.

use super::disk::{Disk, DiskFile};
use super::files::{Form, Places, RATE};
use ring::rand::{SecureRandom, SystemRandom};
use std::io;
use std::path::Path;
use vault::{Content, FileKey, Header, Keyring, Sealer, wav};

/// Samples that become bytes at once: those of a block in stereo, with room.
const PIECE: usize = 4_096;

pub(super) enum Body {
    Clear(Clear),
    Sealed(Box<Sealed>),
}

/// What a body is when nothing more is written to it.
pub(super) struct Finished {
    /// What is left to sync.
    pub files: Vec<Box<dyn DiskFile>>,
    /// Those that can be read back.
    pub frames: u64,
    pub written: io::Result<()>,
}

impl Body {
    /// New files; with keys they are sealed. None of them is left behind after an error.
    pub fn create(disk: &dyn Disk, places: &Places, channels: u16, keys: Option<(&Keyring, &str)>) -> io::Result<Body> {
        let Some((keys, recording)) = keys else { return Clear::create(disk, places, channels).map(Body::Clear) };
        Sealed::create(disk, places, channels, keys, recording).map(|sealed| Body::Sealed(Box::new(sealed)))
    }

    pub fn form(&self) -> Form {
        match self {
            Body::Clear(_) => Form::Wav,
            Body::Sealed(_) => Form::Sealed,
        }
    }

    pub fn append(&mut self, samples: &[i16]) -> io::Result<()> {
        match self {
            Body::Clear(clear) => clear.append(samples),
            Body::Sealed(sealed) => sealed.append(samples),
        }
    }

    /// What was appended can be read back by whoever opens the file now.
    pub fn flush(&mut self) -> io::Result<()> {
        match self {
            Body::Clear(clear) => clear.flush(),
            Body::Sealed(sealed) => sealed.write_chunk(false),
        }
    }

    /// Ends the file; what a failed write left behind is cut off.
    pub fn finish(self, channels: u16) -> Finished {
        match self {
            Body::Clear(clear) => clear.finish(),
            Body::Sealed(sealed) => sealed.finish(channels),
        }
    }
}

pub(super) struct Clear {
    file: Box<dyn DiskFile>,
    channels: u16,
    /// Those that were written whole.
    samples: u64,
}

impl Clear {
    fn create(disk: &dyn Disk, places: &Places, channels: u16) -> io::Result<Clear> {
        let file = new(disk, &places.audio(Form::Wav), &wav::header(channels, RATE, 0))?;
        Ok(Clear { file, channels, samples: 0 })
    }

    fn append(&mut self, samples: &[i16]) -> io::Result<()> {
        let mut bytes = [0; PIECE * wav::SAMPLE as usize];
        for piece in samples.chunks(PIECE) {
            let (pairs, _) = bytes.as_chunks_mut();
            pairs.iter_mut().zip(piece).for_each(|(pair, sample)| *pair = sample.to_le_bytes());
            self.file.write_all(&bytes[..piece.len() * wav::SAMPLE as usize])?;
            self.samples += piece.len() as u64;
        }
        Ok(())
    }

    /// The header says how long it is.
    fn flush(&mut self) -> io::Result<()> {
        self.file.write_over(0, &wav::header(self.channels, RATE, self.frames()))
    }

    fn finish(mut self) -> Finished {
        let frames = self.frames();
        let end = wav::HEADER as u64 + frames * u64::from(self.channels) * wav::SAMPLE;
        // Cut first: a full disk may have no room for the header, and has for this.
        let cut = self.file.truncate(end);
        let written = self.flush().and(cut);
        Finished { files: vec![self.file], frames, written }
    }

    fn frames(&self) -> u64 {
        self.samples / u64::from(self.channels)
    }
}

pub(super) struct Sealed {
    file: Box<dyn DiskFile>,
    key: Box<dyn DiskFile>,
    /// None after a failed write: no other chunk may have its number.
    sealer: Option<Sealer>,
    /// Appended, and in no chunk yet.
    open: Vec<u8>,
    chunk: Vec<u8>,
    /// Bytes of the file up to its last whole chunk, and of audio in them.
    end: u64,
    sealed: u64,
}

impl Sealed {
    fn create(disk: &dyn Disk, places: &Places, channels: u16, keys: &Keyring, recording: &str) -> io::Result<Sealed> {
        let key = FileKey::new(random()?);
        let wrapped = keys.wrap(recording, &key, random()?).to_bytes();
        let header = Header { content: Content::Pcm, channels, rate: RATE, id: random()? };
        let audio = new(disk, &places.audio(Form::Sealed), &header.to_bytes())?;
        // Synced before there is audio that nothing else opens: a machine that loses its power must not lose the key.
        let key_file = new(disk, &places.key(), &wrapped).and_then(|mut file| file.sync().map(|()| file));
        let beside = key_file.inspect_err(|_| drop(std::fs::remove_file(places.audio(Form::Sealed))))?;
        Ok(Sealed {
            file: audio,
            key: beside,
            sealer: Some(Sealer::new(&key, &header)),
            open: Vec::new(),
            chunk: Vec::new(),
            end: vault::sealed::HEADER as u64,
            sealed: 0,
        })
    }

    fn append(&mut self, samples: &[i16]) -> io::Result<()> {
        for some in samples.chunks(vault::sealed::LONGEST / 4) {
            self.open.extend(some.iter().flat_map(|sample| sample.to_le_bytes()));
            if self.open.len() >= vault::sealed::LONGEST / 2 {
                self.write_chunk(false)?;
            }
        }
        Ok(())
    }

    fn write_chunk(&mut self, last: bool) -> io::Result<()> {
        let mut sealer = self.sealer.take().ok_or(io::ErrorKind::BrokenPipe)?;
        self.chunk.clear();
        sealer.seal(&self.open, last, &mut self.chunk).map_err(io::Error::other)?;
        self.file.write_all(&self.chunk)?;
        self.end += self.chunk.len() as u64;
        self.sealed += self.open.len() as u64;
        self.open.clear();
        self.sealer = Some(sealer);
        Ok(())
    }

    fn finish(mut self, channels: u16) -> Finished {
        let written = if self.sealer.is_some() { self.write_chunk(true) } else { Ok(()) };
        let cut = self.file.truncate(self.end);
        let frames = self.sealed / (u64::from(channels) * wav::SAMPLE);
        Finished { files: vec![self.key, self.file], frames, written: written.and(cut) }
    }
}

/// A new file that begins with this; none is left behind after an error.
fn new(disk: &dyn Disk, path: &Path, begin: &[u8]) -> io::Result<Box<dyn DiskFile>> {
    let mut file = disk.create(path)?;
    match file.write_all(begin) {
        Ok(()) => Ok(file),
        Err(error) => {
            let _ = std::fs::remove_file(path);
            Err(error)
        }
    }
}

/// Bytes that nobody can guess.
pub(crate) fn random<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).map_err(|_| io::Error::other("the system gives no randomness"))?;
    Ok(bytes)
}
