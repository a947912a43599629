//! FLAC on disk, read from anywhere as the PCM that it is. What comes next is at hand; a jump backwards begins anew.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use vault::flac::{BadFlac, Decoder};
use vault::wav;

/// Bytes that can be read from anywhere.
pub(super) trait Bytes: Send {
    fn read_at(&mut self, buffer: &mut [u8], place: u64) -> io::Result<usize>;
}

impl Bytes for File {
    fn read_at(&mut self, buffer: &mut [u8], place: u64) -> io::Result<usize> {
        FileExt::read_at(self, buffer, place)
    }
}

/// From a place on.
struct From {
    bytes: Box<dyn Bytes>,
    place: u64,
}

impl Read for From {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.bytes.read_at(buffer, self.place)?;
        self.place += read as u64;
        Ok(read)
    }
}

pub(super) struct Unpacked {
    /// None after an error: the stream stands nowhere.
    decoder: Option<Decoder<From>>,
    about: (u16, u32),
    frames: u64,
    /// One block of PCM, and where it begins.
    block: Vec<u8>,
    from: u64,
}

impl Unpacked {
    pub fn open(bytes: Box<dyn Bytes>) -> Result<Unpacked, BadFlac> {
        let decoder = Decoder::new(From { bytes, place: 0 })?;
        let (about, frames) = ((decoder.channels(), decoder.rate()), decoder.frames());
        Ok(Unpacked { decoder: Some(decoder), about, frames, block: vec![], from: 0 })
    }

    /// Channels, and samples a second.
    pub fn about(&self) -> (u16, u32) {
        self.about
    }

    pub fn frames(&self) -> u64 {
        self.frames
    }

    /// A stream that ends before its own length is an error, never silence.
    pub fn read_at(&mut self, buffer: &mut [u8], place: u64) -> io::Result<usize> {
        let length = self.frames * u64::from(self.about.0) * wav::SAMPLE;
        if place >= length || buffer.is_empty() {
            return Ok(0);
        }
        if place < self.from {
            self.begin_anew()?;
        }
        while place >= self.from + self.block.len() as u64 {
            self.next()?;
        }
        let at = usize::try_from(place - self.from).unwrap_or(usize::MAX);
        let mut rest = self.block.get(at..).unwrap_or(&[]);
        rest.read(buffer)
    }

    fn next(&mut self) -> io::Result<()> {
        self.from += self.block.len() as u64;
        let mut decoder = self.decoder.take().ok_or(io::ErrorKind::InvalidData)?;
        if !decoder.block(&mut self.block).map_err(bad)? {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.decoder = Some(decoder);
        Ok(())
    }

    fn begin_anew(&mut self) -> io::Result<()> {
        let From { bytes, .. } = self.decoder.take().ok_or(io::ErrorKind::InvalidData)?.into_inner();
        self.decoder = Some(Decoder::new(From { bytes, place: 0 }).map_err(bad)?);
        self.block.clear();
        self.from = 0;
        Ok(())
    }
}

fn bad(error: BadFlac) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}
