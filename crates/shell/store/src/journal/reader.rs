//! Reading a journal back, up to the last whole frame.

use super::{Digest, FORM, HEADER, Header, LONGEST_FRAME, MAGIC, crc32};
use crate::error::{Result, StoreError};
use serde::de::DeserializeOwned;
use std::fs::File;
use std::io::{BufReader, ErrorKind, Read};
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

/// The entries of a journal in their order. Ends before the first frame that is cut or damaged: a kill tears the tail.
pub struct Entries<T> {
    path: PathBuf,
    file: BufReader<File>,
    torn: bool,
    /// The frame whose digest of outputs was needed for the entry before.
    ahead: Option<Frame>,
    entry: PhantomData<fn() -> T>,
}

/// An entry, and the digest of what it gave; none if a kill came before that was written.
#[derive(Clone, Debug, PartialEq)]
pub struct Recorded<T> {
    pub entry: T,
    pub outputs: Option<Digest>,
}

struct Frame {
    before: Digest,
    entry: Vec<u8>,
}

/// Opens the journal at `path`, such as [`super::path_of`] names it.
pub fn read_journal<B: DeserializeOwned, T>(path: &Path) -> Result<(Header, B, Entries<T>)> {
    let mut file = BufReader::new(File::open(path).map_err(StoreError::file(path))?);
    let mut bytes = [0; HEADER];
    file.read_exact(&mut bytes).map_err(StoreError::file(path))?;
    let header = header(path, &bytes)?;
    let mut entries = Entries { path: path.into(), file, torn: false, ahead: None, entry: PhantomData };
    let nothing = || StoreError::File { path: path.into(), error: std::io::Error::from(ErrorKind::UnexpectedEof) };
    let birth = entries.frame().ok_or_else(nothing)?;
    let birth = entries.parse(&birth.entry)?;
    entries.ahead = entries.frame();
    Ok((header, birth, entries))
}

fn header(path: &Path, bytes: &[u8; HEADER]) -> Result<Header> {
    let bad = |error: &str| StoreError::File { path: path.into(), error: std::io::Error::new(ErrorKind::InvalidData, error) };
    let (magic, rest) = bytes.split_first_chunk::<4>().ok_or_else(|| bad("too short"))?;
    let (form, rest) = rest.split_first_chunk::<2>().ok_or_else(|| bad("too short"))?;
    let (epoch, rest) = rest.split_first_chunk::<4>().ok_or_else(|| bad("too short"))?;
    let (seed, rest) = rest.split_first_chunk::<8>().ok_or_else(|| bad("too short"))?;
    let (site_sha256, crc) = rest.split_first_chunk::<32>().ok_or_else(|| bad("too short"))?;
    if magic != MAGIC {
        return Err(bad("this is no journal"));
    }
    let form = u16::from_le_bytes(*form);
    if form > FORM {
        return Err(StoreError::TooNew { path: path.into(), found: form.into(), known: FORM.into() });
    }
    if form < FORM {
        return Err(bad(&format!("a journal of form {form}, this program reads form {FORM}: use the version that wrote it")));
    }
    if crc != crc32(&bytes[..HEADER - 4]).to_le_bytes() {
        return Err(bad("the journal's head is damaged"));
    }
    Ok(Header { epoch: u32::from_le_bytes(*epoch), seed: u64::from_le_bytes(*seed), site_sha256: *site_sha256 })
}

impl<T> Entries<T> {
    /// After the end: whether a cut or damaged frame ended it.
    pub fn is_torn(&self) -> bool {
        self.torn
    }

    fn frame(&mut self) -> Option<Frame> {
        let mut head = [0; 8];
        let mut got = 0;
        while got < head.len() {
            match self.file.read(&mut head[got..]) {
                Ok(0) if got == 0 => return None,
                Ok(0) => break,
                Ok(n) => got += n,
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(_) => break,
            }
        }
        self.torn = true;
        let len = u32::from_le_bytes([head[0], head[1], head[2], head[3]]) as usize;
        let crc = u32::from_le_bytes([head[4], head[5], head[6], head[7]]);
        if got < head.len() || len > LONGEST_FRAME {
            return None;
        }
        let mut bytes = vec![0; len];
        self.file.read_exact(&mut bytes).ok()?;
        if crc32(&bytes) != crc {
            return None;
        }
        let entry = bytes.split_off(bytes.len().min(8));
        let before = bytes.try_into().ok()?;
        self.torn = false;
        Some(Frame { before, entry })
    }

    /// An error is a whole frame that does not read: another version's entry.
    fn parse<U: DeserializeOwned>(&self, bytes: &[u8]) -> Result<U> {
        postcard::from_bytes(bytes).map_err(|e| StoreError::File {
            path: self.path.clone(),
            error: std::io::Error::new(ErrorKind::InvalidData, format!("an entry does not read: {e}")),
        })
    }
}

impl<T: DeserializeOwned> Iterator for Entries<T> {
    type Item = Result<Recorded<T>>;

    fn next(&mut self) -> Option<Result<Recorded<T>>> {
        let frame = self.ahead.take().filter(|frame| !frame.entry.is_empty())?;
        if !self.torn {
            self.ahead = self.frame();
        }
        let outputs = self.ahead.as_ref().map(|next| next.before);
        Some(self.parse(&frame.entry).map(|entry| Recorded { entry, outputs }))
    }
}
