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
//! All numbers little-endian. Frames are queued without a lock and written by a thread each 100 ms, without an fsync:
//! what a kill leaves behind reads up to the last whole frame. What does not fit in the queue, or on the disk, ends the
//! journal with an alarm and nothing else: a gap would make it worthless, and calls matter more.

mod reader;
mod retention;

pub use reader::{Entries, Recorded, read_journal};
pub use retention::Retention;

use crate::error::{Result, StoreError};
use crossbeam::queue::SegQueue;
use serde::Serialize;
use std::fs::File;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;
use std::time::Duration;

const MAGIC: &[u8; 4] = b"CTLJ";
/// Raised with each change to the words of an entry: postcard names no field, so an older entry would read as another.
const FORM: u16 = 11;
const HEADER: usize = 4 + 2 + 4 + 8 + 32 + 4;
/// Length, checksum, outputs.
const FRAME_HEADER: usize = 4 + 4 + 8;
/// An entry is at most a SIP message and its surroundings.
const LONGEST_FRAME: usize = 16 << 20;

const EACH: Duration = Duration::from_millis(100);
/// Bytes that wait for the disk; beyond them the journal ends.
const BUFFERED: u64 = 32 << 20;

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

/// An epoch's journal, being written: entries are appended by one thread, which waits neither for the disk nor for a lock.
pub struct Journal {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    /// Whole frames that wait for the disk, [`BUFFERED`] bytes of them.
    frames: SegQueue<Vec<u8>>,
    /// Of the last entry: its digest, in the order of its bytes.
    outputs: AtomicU64,
    /// Bytes rendered so far, and of those the ones that the disk has.
    rendered: AtomicU64,
    written: AtomicU64,
    most: u64,
    closed: AtomicBool,
    failed: OnceLock<String>,
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
        let shared = Arc::new(Shared::new(retention.bytes));
        shared.queue(header.to_bytes());
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
        match postcard::to_extend(entry, vec![0; FRAME_HEADER]) {
            Ok(frame) => self.shared.append(frame),
            Err(error) => self.shared.fail(format!("an entry cannot be rendered: {error}")),
        }
    }

    /// What the last entry gave.
    pub fn gave(&self, outputs: Digest) {
        self.shared.outputs.store(u64::from_le_bytes(outputs), Ordering::Relaxed);
    }

    /// Why the journal ended before its epoch did: an alarm.
    pub fn failed(&self) -> Option<String> {
        self.shared.failed.get().cloned()
    }

    /// Writes out what is buffered and ends the file.
    pub fn close(mut self) -> Option<String> {
        self.end();
        self.failed()
    }

    fn end(&mut self) {
        let Some(thread) = self.thread.take() else { return };
        self.shared.append(vec![0; FRAME_HEADER]);
        self.shared.closed.store(true, Ordering::Release);
        thread.thread().unpark();
        if thread.join().is_err() {
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
    fn new(most: u64) -> Self {
        Shared {
            frames: SegQueue::new(),
            outputs: AtomicU64::new(0),
            rendered: AtomicU64::new(0),
            written: AtomicU64::new(0),
            most,
            closed: AtomicBool::new(false),
            failed: OnceLock::new(),
        }
    }

    /// A frame whose header is still to be filled in.
    fn append(&self, mut frame: Vec<u8>) {
        if self.failed.get().is_some() || self.closed.load(Ordering::Relaxed) {
            return;
        }
        let of_entry = frame.len() - FRAME_HEADER;
        let rendered = self.rendered.load(Ordering::Relaxed) + frame.len() as u64;
        if of_entry + 8 > LONGEST_FRAME {
            return self.fail(format!("an entry of {of_entry} bytes is longer than a frame"));
        }
        if rendered - self.written.load(Ordering::Relaxed) > BUFFERED {
            return self.fail("the disk does not keep up".into());
        }
        if rendered > self.most {
            return self.fail(format!("it reached {} bytes", self.most));
        }
        // It fits: bounded by LONGEST_FRAME above.
        let len = u32::try_from(of_entry + 8).unwrap_or(u32::MAX);
        frame[8..FRAME_HEADER].copy_from_slice(&self.outputs.swap(0, Ordering::Relaxed).to_le_bytes());
        let crc = crc32(&frame[8..]);
        frame[..4].copy_from_slice(&len.to_le_bytes());
        frame[4..8].copy_from_slice(&crc.to_le_bytes());
        self.queue(frame);
    }

    fn queue(&self, bytes: Vec<u8>) {
        self.rendered.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        self.frames.push(bytes);
    }

    fn run(&self, mut file: File) {
        let mut batch = Vec::new();
        loop {
            // Read first: what was queued before is in this batch, and nothing is queued after.
            let end = self.closed.load(Ordering::Acquire) || self.failed.get().is_some();
            while let Some(frame) = self.frames.pop() {
                batch.extend_from_slice(&frame);
            }
            if let Err(error) = file.write_all(&batch) {
                return self.fail(error.to_string());
            }
            self.written.fetch_add(batch.len() as u64, Ordering::Relaxed);
            if end {
                return;
            }
            batch.clear();
            std::thread::park_timeout(EACH);
        }
    }

    fn fail(&self, why: String) {
        if self.failed.set(why).is_ok() {
            tracing::error!(why = self.failed.get(), "the journal of this epoch ends here");
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

/// CRC-32 as in IEEE 802.3, a byte at a time: the journal's frames are small.
fn crc32(bytes: &[u8]) -> u32 {
    const TABLE: [u32; 256] = table();
    !bytes.iter().fold(u32::MAX, |crc, b| (crc >> 8) ^ TABLE[((crc ^ u32::from(*b)) & 255) as usize])
}

const fn table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut i = 0;
    while i < 256 {
        let mut crc = i as u32;
        let mut bit = 0;
        while bit < 8 {
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
