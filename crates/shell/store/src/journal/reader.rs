//! Reading a journal back, up to the last whole frame.
//!
//! ```text
//!            whole frame            the file ends inside a frame, or with one that does not check
//!  reading ◀────┘  │ └──────────────────────────────────────────────────▶ torn: as a kill leaves it
//!                  ├─ frame without an entry, the last ─▶ closed
//!                  ├─ the file ends between two frames ──▶ neither: the journal ended before its epoch
//!                  └─ a bad frame, and more after it ────▶ an error: damage
//! ```

use super::{Digest, FORM, HEADER, Header, LONGEST_FRAME, MAGIC, crc32};
use crate::error::{Result, StoreError};
use serde::de::DeserializeOwned;
use std::fs::File;
use std::io::{BufReader, ErrorKind, Read};
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

/// Bytes checked at most in the search for a whole frame behind a bad one.
const SEARCHED: usize = LONGEST_FRAME;

/// The entries of a journal in their order. Ends before a frame that is cut, since a kill tears the tail; a frame that
/// is damaged before the tail is an error.
pub struct Entries<T> {
    path: PathBuf,
    file: Box<dyn Read>,
    /// Of the next frame.
    at: u64,
    /// Frames read; the birth is the first, so that this is the next input's number.
    frames: u64,
    end: Option<End>,
    /// The frame whose digest of outputs was needed for the entry before, or why there is none.
    ahead: Option<Result<Frame>>,
    entry: PhantomData<fn() -> T>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Between,
    Torn,
    Closed,
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
    let (at, frames) = (HEADER as u64, 0);
    let mut entries = Entries { path: path.into(), file: Box::new(file), at, frames, end: None, ahead: None, entry: PhantomData };
    let nothing = || StoreError::File { path: path.into(), error: std::io::Error::from(ErrorKind::UnexpectedEof) };
    let birth = entries.frame()?.ok_or_else(nothing)?;
    let birth = entries.parse(&birth.entry)?;
    entries.ahead = entries.frame().transpose();
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
    /// After the end: whether the file ends inside a frame.
    pub fn is_torn(&self) -> bool {
        self.end == Some(End::Torn)
    }

    /// After the end: whether the journal was closed, and so has all of its epoch.
    pub fn is_closed(&self) -> bool {
        self.end == Some(End::Closed)
    }

    fn frame(&mut self) -> Result<Option<Frame>> {
        let mut bytes = self.read(8)?;
        if bytes.is_empty() {
            self.end = Some(End::Between);
            return Ok(None);
        }
        let Some((len, crc)) = head(&bytes).filter(|(len, _)| (8..=LONGEST_FRAME).contains(len)) else {
            return self.bad_frame(bytes);
        };
        bytes.extend(self.read(len)?);
        let body = bytes.get(8..).unwrap_or_default();
        let Some((before, entry)) = body.split_first_chunk().filter(|_| body.len() == len && crc32(body) == crc) else {
            return self.bad_frame(bytes);
        };
        let frame = Frame { before: *before, entry: entry.to_vec() };
        self.at += bytes.len() as u64;
        self.frames += 1;
        if frame.entry.is_empty() {
            return self.close(frame);
        }
        Ok(Some(frame))
    }

    /// What closes a journal is its last.
    fn close(&mut self, frame: Frame) -> Result<Option<Frame>> {
        if !self.read(1)?.is_empty() {
            return Err(self.damaged());
        }
        self.end = Some(End::Closed);
        Ok(Some(frame))
    }

    /// `bytes` were read of it. A kill leaves a part of one frame and nothing after it. The length itself may be what is
    /// bad, so that whatever is left is searched for a whole frame.
    fn bad_frame(&mut self, mut bytes: Vec<u8>) -> Result<Option<Frame>> {
        let claimed = head(&bytes).map(|(len, _)| len + 8);
        let read = bytes.len();
        bytes.extend(self.read(LONGEST_FRAME + 9)?);
        let more_than_one_frame = bytes.len() > LONGEST_FRAME + 8;
        let behind_a_whole_one = claimed == Some(read) && bytes.len() > read;
        if more_than_one_frame || behind_a_whole_one || holds_a_frame(&bytes) {
            return Err(self.damaged());
        }
        self.end = Some(End::Torn);
        Ok(None)
    }

    fn damaged(&self) -> StoreError {
        StoreError::Damaged { path: self.path.clone(), at: self.at, entry: self.frames }
    }

    /// So many bytes, or as many as there still are.
    fn read(&mut self, most: usize) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let read = self.file.as_mut().take(most as u64).read_to_end(&mut bytes);
        read.map_err(StoreError::file(&self.path))?;
        Ok(bytes)
    }

    /// An error is a whole frame that does not read: another version's entry.
    fn parse<U: DeserializeOwned>(&self, bytes: &[u8]) -> Result<U> {
        postcard::from_bytes(bytes).map_err(|e| StoreError::File {
            path: self.path.clone(),
            error: std::io::Error::new(
                ErrorKind::InvalidData,
                format!("the entry that ends before byte {} does not read: {e}", self.at),
            ),
        })
    }
}

impl<T: DeserializeOwned> Iterator for Entries<T> {
    type Item = Result<Recorded<T>>;

    fn next(&mut self) -> Option<Result<Recorded<T>>> {
        let frame = match self.ahead.take()? {
            Ok(frame) => frame,
            Err(error) => return Some(Err(error)),
        };
        if frame.entry.is_empty() {
            return None;
        }
        let entry = self.parse(&frame.entry);
        self.ahead = self.frame().transpose();
        let outputs = self.ahead.as_ref().and_then(|next| Some(next.as_ref().ok()?.before));
        Some(entry.map(|entry| Recorded { entry, outputs }))
    }
}

/// Length and checksum.
fn head(bytes: &[u8]) -> Option<(usize, u32)> {
    let (len, rest) = bytes.split_first_chunk()?;
    let (crc, _) = rest.split_first_chunk()?;
    Some((u32::from_le_bytes(*len) as usize, u32::from_le_bytes(*crc)))
}

/// Whether a whole frame begins anywhere but at the first byte. A search that takes too long is taken as found: a torn
/// frame does not look so much like many.
fn holds_a_frame(bytes: &[u8]) -> bool {
    let mut searched = 0;
    (1..bytes.len()).any(|from| {
        let Some((len, crc)) = head(&bytes[from..]) else { return false };
        let Some(body) = bytes.get(from + 8..).and_then(|rest| rest.get(..len)).filter(|_| len >= 8) else { return false };
        searched += len;
        searched > SEARCHED || crc32(body) == crc
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Broken;

    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("the disk is gone"))
        }
    }

    #[test]
    fn a_disk_that_does_not_read_is_an_error_and_no_torn_tail() {
        let file: Box<dyn Read> = Box::new(Broken);
        let mut entries: Entries<u8> =
            Entries { path: "a.jnl".into(), file, at: 0, frames: 0, end: None, ahead: None, entry: PhantomData };
        assert_eq!(entries.frame().err().unwrap().to_string(), "a.jnl: the disk is gone");
        assert!(!entries.is_torn());
    }

    #[test]
    fn the_search_for_a_whole_frame_has_an_end() {
        // Each offset looks like a frame of 256 KiB.
        let head = [0, 0, 4, 0].repeat(1 << 18);
        assert!(holds_a_frame(&head));
        assert!(!holds_a_frame(&head[..4096]));
    }
}
