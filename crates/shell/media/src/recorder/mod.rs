//! The recorder: blocks come through a bounded ring, and become files that can be read at every moment: WAV in the
//! clear, or sealed ([`vault::sealed`]) if the site has master keys.
//!
//! ```text
//!   media threads ──ring──▶ recorder: create, write, flush ──▶ closer: fsync, hash, sidecar, `RecordingClosed`
//!                    │
//!                    full: the block is lost, the audio goes on, the recording says "recorder_behind"
//! ```
//! Reading back and fsync have a thread of their own, so that the end of a long recording delays no other one.
//!
//! **What is on the disk when.** Synced are: key and sidecar at the beginning; nothing while the recording grows; at its end
//! key and audio, then the sidecar and the folder, before `RecordingClosed`. So a process that is killed loses less than
//! a second of each open recording, and a machine that loses power what its kernel had not written yet.
//!
//! **What proves it.** The media threads sum up what they hand over, each sample with its place ([`media::Tally`]); the
//! closer sums up what the disk gives back. A block that is lost, empty, twice or another's on the way makes a difference.
//!
//! **A panic** costs the recording at which it happened, and no other: the writer takes up its work again.

mod alive;
mod body;
mod closer;
mod disk;
mod door;
mod files;
mod repair;
mod sound;
mod tape;
mod tapes;
mod unpack;

pub(crate) use body::random;
pub(crate) use disk::beside;
pub use disk::{Disk, DiskFile, OsDisk};
pub(crate) use door::RecorderDoor;
pub use files::Form;
pub(crate) use files::{HashOf, Note, Places, RATE, State};
pub(crate) use repair::walk;
pub use repair::{Repaired, repair};
pub use sound::{Sound, SoundError};
pub(crate) use sound::{file_key, measure};
pub use tapes::Tapes;

use crate::Sink;
use alive::Alive;
use base::RecordingId;
use closer::Ended;
use crossbeam::channel::{self, Receiver, Sender};
use media::placement::Block;
use media::{Input, Proof, Sidecar, Tape};
use std::collections::BTreeMap;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};
use std::time::Duration;
use tape::OpenTape;
use vault::Keyring;

/// How long it lets blocks come together when it has written all: with many recordings a media thread that wakes it for
/// each one's, 2,000 times a second for 400, pays for that beside its packets.
const GATHERING: Duration = Duration::from_millis(10);
/// Why a recording ended at which the writer panicked.
const WRITER_LOST: &str = "writer_lost";

/// Starts both threads. They end when every door is gone.
pub(crate) fn start(
    folder: PathBuf,
    disk: Arc<dyn Disk>,
    keys: Option<Arc<Keyring>>,
    ring: usize,
    sink: Arc<dyn Sink>,
) -> io::Result<(RecorderDoor, Vec<JoinHandle<()>>)> {
    let (door, tapes) = channel::bounded(ring.max(1));
    let (ended, to_close) = channel::unbounded();
    let recorder = Recorder {
        folder,
        disk: disk.clone(),
        keys: keys.clone(),
        ended,
        sink: sink.clone(),
        open: BTreeMap::new(),
        alive: Alive::new(),
        at: None,
    };
    let writer = Builder::new().name("recorder".into()).spawn(move || recorder.run(&tapes))?;
    let close = move || closer::run(&to_close, &*disk, keys.as_deref(), &*sink);
    let closer = Builder::new().name("recorder-close".into()).spawn(close)?;
    Ok((RecorderDoor::new(door), vec![writer, closer]))
}

struct Recorder {
    folder: PathBuf,
    disk: Arc<dyn Disk>,
    keys: Option<Arc<Keyring>>,
    ended: Sender<Ended>,
    sink: Arc<dyn Sink>,
    open: BTreeMap<RecordingId, OpenTape>,
    alive: Alive,
    /// What is worked at.
    at: Option<RecordingId>,
}

impl Recorder {
    fn run(mut self, tapes: &Receiver<Tape>) {
        while catch_unwind(AssertUnwindSafe(|| self.work(tapes))).is_err() {
            self.on_panic();
        }
        for (_, tape) in std::mem::take(&mut self.open) {
            self.hand_on(tape);
        }
    }

    /// Until every door is gone.
    fn work(&mut self, tapes: &Receiver<Tape>) {
        while let Ok(tape) = tapes.recv() {
            self.take(tape);
            tapes.try_iter().for_each(|tape| self.take(tape));
            std::thread::sleep(GATHERING);
        }
    }

    fn take(&mut self, tape: Tape) {
        let (Tape::Open { recording, .. } | Tape::Block { recording, .. } | Tape::Close { recording, .. }) = tape;
        self.at = Some(recording);
        match tape {
            Tape::Open { recording, file, sidecar, channels } => self.on_open(recording, &file, *sidecar, channels),
            Tape::Block { recording, block } => self.on_block(recording, &block),
            Tape::Close { recording, frames, proof } => self.on_close(recording, frames, proof),
        }
        self.at = None;
    }

    /// The recording that was worked at is closed with what can be read of it. That may panic again: then it has failed.
    fn on_panic(&mut self) {
        let Some(recording) = self.at.take() else { return };
        tracing::error!(%recording, "the writer of recordings panicked, and goes on with the others");
        let closed = catch_unwind(AssertUnwindSafe(|| {
            let mut tape = self.open.remove(&recording)?;
            tape.spoil(WRITER_LOST);
            self.hand_on(tape);
            Some(())
        }));
        if !matches!(closed, Ok(Some(()))) {
            self.sink.input(Input::RecordingFailed { recording, reason: WRITER_LOST.into() });
        }
    }

    fn on_open(&mut self, recording: RecordingId, file: &Arc<str>, sidecar: Sidecar, channels: u16) {
        match OpenTape::create(&*self.disk, &self.folder, file, (sidecar, channels), self.keys.as_deref()) {
            Ok(tape) => {
                self.open.insert(recording, tape);
                self.sink.input(Input::RecordingStarted { recording });
            }
            Err(error) => {
                tracing::error!(%recording, %error, "recording can't be started");
                self.sink.input(Input::RecordingFailed { recording, reason: disk::reason(&error).into() });
            }
        }
    }

    fn on_block(&mut self, recording: RecordingId, block: &Block) {
        let mut flushed = false;
        self.on_tape(recording, |tape| {
            flushed = tape.write(block)?;
            Ok(())
        });
        if flushed {
            self.alive.grew(recording);
        }
        // Each open recording brings blocks all the time: while one is open, the second is not missed.
        self.alive.sign().into_iter().for_each(|sign| self.sink.input(sign));
    }

    /// A tape that can't be written any more is closed at once: what is on it stays playable.
    fn on_tape(&mut self, recording: RecordingId, act: impl FnOnce(&mut OpenTape) -> io::Result<()>) {
        let Some(tape) = self.open.get_mut(&recording) else { return };
        if let Err(error) = act(tape) {
            tracing::error!(%recording, %error, "recording is cut off");
            tape.spoil(disk::reason(&error));
            if let Some(tape) = self.open.remove(&recording) {
                self.hand_on(tape);
            }
        }
    }

    fn on_close(&mut self, recording: RecordingId, frames: u64, proof: Option<Proof>) {
        self.on_tape(recording, |tape| {
            tape.prove(proof);
            tape.fill_to(frames)
        });
        if let Some(tape) = self.open.remove(&recording) {
            self.hand_on(tape);
        }
    }

    fn hand_on(&self, tape: OpenTape) {
        if self.ended.send(tape.end()).is_err() {
            tracing::error!("the thread that closes recordings is gone");
        }
    }
}

#[cfg(test)]
mod tests;
