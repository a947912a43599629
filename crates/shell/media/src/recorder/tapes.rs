//! The recorder by itself: for whoever has the sound in blocks already, and no call that it comes from.

use super::{Disk, RecorderDoor};
use crate::Sink;
use media::Tape;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use vault::Keyring;

/// The recorder's threads, and the way to them.
pub struct Tapes {
    door: RecorderDoor,
    threads: Vec<JoinHandle<()>>,
}

impl Tapes {
    /// `ring` tapes wait for the disk at most. What becomes of each recording goes to the sink, as from a media plane.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(
        folder: PathBuf,
        disk: Arc<dyn Disk>,
        keys: Option<Arc<Keyring>>,
        ring: usize,
        sink: Arc<dyn Sink>,
    ) -> io::Result<Tapes> {
        let (door, threads) = super::start(folder, disk, keys, ring, sink)?;
        Ok(Tapes { door, threads })
    }

    /// Waits while the ring is full: there is no packet that would have to wait as well.
    pub fn hand(&self, tape: Tape) {
        self.door.hand_over(tape);
    }

    /// Ends what is still open, and waits until everything is on the disk.
    pub fn finish(self) {
        drop(self.door);
        for thread in self.threads {
            if thread.join().is_err() {
                tracing::error!("a thread of the recorder ended in panic");
            }
        }
    }
}
