//! The journal: every input of the decision thread, in order, so that a day can be played again.
//!
//! ```text
//! <data>/journal/<epoch>.jnl:  "CTLJ" · form u16 · epoch u32 · seed u64 · sha256 of the site [32] · crc32 of these
//!                              then frames: length u32 · crc32 u32 · outputs [8] · the entry in postcard
//! ```
//! The first entry is what the epoch was born with; the others are inputs. `outputs` is a digest of what the entry
//! before gave, so that a replay finds the first one that gives something else; a frame without an entry holds the last
//! one, in a journal that was closed.
//!
//! All numbers little-endian. Entries are buffered and written by a thread each 100 ms, without an fsync: what a kill
//! leaves behind reads up to the last whole frame. What does not fit in the buffer, or on the disk, ends the journal
//! with an alarm and nothing else: a gap would make it worthless, and calls matter more.

mod reader;
mod retention;

pub use reader::{Entries, Recorded, read_journal};
pub use retention::Retention;

use crate::error::{Result, StoreError};
use serde::Serialize;
use std::fs::File;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

const MAGIC: &[u8; 4] = b"CTLJ";
/// Raised with each change to the words of an entry: postcard names no field, so an older entry would read as another.
const FORM: u16 = 6;
const HEADER: usize = 4 + 2 + 4 + 8 + 32 + 4;
/// An entry is at most a SIP message and its surroundings.
const LONGEST_FRAME: usize = 16 << 20;

const EACH: Duration = Duration::from_millis(100);
/// Bytes that wait for the disk; beyond them the journal ends.
const BUFFERED: usize = 32 << 20;

/// Of what an entry gave.
pub type Digest = [u8; 8];

/// What the decisions of an epoch depend on beside their inputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    pub epoch: u32,
    /// The routing seed.
    pub seed: u64,
    pub site_sha256: [u8; 32],
}

/// An epoch's journal, being written. [`Journal::append`] never waits for the disk.
pub struct Journal {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    state: Mutex<State>,
    work: Condvar,
}

#[derive(Default)]
struct State {
    buffer: Vec<u8>,
    /// Of the last entry.
    outputs: Digest,
    closed: bool,
    failed: Option<String>,
    written: u64,
    most: u64,
}

impl Journal {
    /// Begins the file of the header's epoch, after making room for it. `birth` is the first entry.
    pub fn start<B: Serialize>(data: &Path, header: Header, birth: &B, retention: Retention) -> Result<Journal> {
        let dir = data.join("journal");
        std::fs::create_dir_all(&dir).map_err(StoreError::file(&dir))?;
        retention.make_room(&dir)?;
        let path = path_of(data, header.epoch);
        // An epoch is never used twice, and neither is its file.
        let file = File::options().write(true).create_new(true).mode(0o600).open(&path).map_err(StoreError::file(&path))?;
        let state = State { buffer: header.to_bytes(), most: retention.bytes, ..State::default() };
        let shared = Arc::new(Shared { state: Mutex::new(state), work: Condvar::new() });
        let thread = std::thread::Builder::new().name("journal".into());
        let run = {
            let shared = shared.clone();
            move || shared.run(file)
        };
        let thread = thread.spawn(run).map_err(StoreError::file(&path))?;
        let journal = Journal { shared, thread: Some(thread) };
        journal.append(birth);
        Ok(journal)
    }

    pub fn append<T: Serialize>(&self, entry: &T) {
        match postcard::to_stdvec(entry) {
            Ok(bytes) => self.shared.append(&bytes),
            Err(error) => self.shared.state().fail(format!("an entry cannot be rendered: {error}")),
        }
    }

    /// What the last entry gave.
    pub fn gave(&self, outputs: Digest) {
        self.shared.state().outputs = outputs;
    }

    /// Why the journal ended before its epoch did: an alarm.
    pub fn failed(&self) -> Option<String> {
        self.shared.state().failed.clone()
    }

    /// Writes out what is buffered and ends the file.
    pub fn close(mut self) -> Option<String> {
        self.end();
        self.failed()
    }

    fn end(&mut self) {
        if self.thread.is_some() {
            self.shared.append(&[]);
        }
        self.shared.state().closed = true;
        self.shared.work.notify_all();
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the journal's thread panicked");
        }
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        self.end();
    }
}

/// Where an epoch's journal lies.
pub fn path_of(data: &Path, epoch: u32) -> PathBuf {
    data.join("journal").join(format!("{epoch:08}.jnl"))
}

impl Shared {
    fn append(&self, bytes: &[u8]) {
        let mut state = self.state();
        if state.failed.is_some() || state.closed {
            return;
        }
        let held = state.buffer.len() + bytes.len() + 16;
        if bytes.len() + 8 > LONGEST_FRAME {
            return state.fail(format!("an entry of {} bytes is longer than a frame", bytes.len()));
        }
        if held > BUFFERED {
            return state.fail("the disk does not keep up".into());
        }
        if state.written + held as u64 > state.most {
            let why = format!("it reached {} bytes", state.most);
            return state.fail(why);
        }
        // It fits: bounded by LONGEST_FRAME above.
        let len = u32::try_from(bytes.len() + 8).unwrap_or(u32::MAX);
        let outputs = std::mem::take(&mut state.outputs);
        let crc = !crc32_on(crc32_on(u32::MAX, &outputs), bytes);
        state.buffer.extend_from_slice(&len.to_le_bytes());
        state.buffer.extend_from_slice(&crc.to_le_bytes());
        state.buffer.extend_from_slice(&outputs);
        state.buffer.extend_from_slice(bytes);
    }

    fn run(&self, mut file: File) {
        let mut batch = Vec::new();
        loop {
            let mut state = self.state();
            if !state.closed {
                let waited = self.work.wait_timeout(state, EACH);
                state = waited.map_or_else(|e| e.into_inner().0, |(state, _)| state);
            }
            std::mem::swap(&mut state.buffer, &mut batch);
            let end = state.closed || state.failed.is_some();
            drop(state);
            if let Err(error) = file.write_all(&batch) {
                self.state().fail(error.to_string());
                return;
            }
            self.state().written += batch.len() as u64;
            batch.clear();
            if end {
                return;
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn fail(&mut self, why: String) {
        if self.failed.is_none() {
            tracing::error!(why, "the journal of this epoch ends here");
            self.failed = Some(why);
        }
    }
}

impl Header {
    fn to_bytes(self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEADER);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&FORM.to_le_bytes());
        bytes.extend_from_slice(&self.epoch.to_le_bytes());
        bytes.extend_from_slice(&self.seed.to_le_bytes());
        bytes.extend_from_slice(&self.site_sha256);
        let crc = crc32(&bytes);
        bytes.extend_from_slice(&crc.to_le_bytes());
        bytes
    }
}

/// CRC-32 as in IEEE 802.3, bit by bit over a table of 16: the journal's frames are small.
fn crc32(bytes: &[u8]) -> u32 {
    !crc32_on(u32::MAX, bytes)
}

/// The register after these bytes.
fn crc32_on(crc: u32, bytes: &[u8]) -> u32 {
    const TABLE: [u32; 16] = table();
    let step = |crc: u32, nibble: u32| (crc >> 4) ^ TABLE[((crc ^ nibble) & 15) as usize];
    bytes.iter().fold(crc, |crc, b| step(step(crc, u32::from(*b)), u32::from(*b >> 4)))
}

const fn table() -> [u32; 16] {
    let mut table = [0; 16];
    let mut i = 0;
    while i < 16 {
        let mut crc = i as u32;
        let mut bit = 0;
        while bit < 4 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 };
            bit += 1;
        }
        table[i] = crc;
        i += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_checksum_is_the_known_one() {
        assert_eq!(super::crc32(b"123456789"), 0xCBF4_3926);
        assert_eq!(super::crc32(b""), 0);
    }
}
