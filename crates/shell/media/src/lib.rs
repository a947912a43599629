//! Media's shell: threads with sockets around [`media::Plane`], and the recorder. No tokio, and no rule of its own:
//! what is decided about packets is decided in the core.
//!
//! ```text
//!   engine ──Command──▶ channel + wake ──▶ media thread: wait ▶ packets ▶ plane ▶ send
//!   engine ◀──Input──── sink ◀────────────────┘    │ blocks of 200 ms, a bounded ring
//!                        ▲                         ▼
//!                        └──────────────── recorder ──▶ closer (hash, fsync, sidecar)
//! ```
//! The invariant: nothing on the way of a packet waits for a disk, a lock or the engine.

mod backend;
mod clock;
mod io;
mod measured;
mod prompts;
mod recorder;
mod ring;
mod shared;
mod shelf;
mod udp;
mod uring;
mod waker;
mod worker;

pub use backend::Way;
pub use io::{Arrival, PacketIo, Port};
pub use prompts::{PromptError, Prompts};
pub use recorder::{Disk, DiskFile, Form, OsDisk, Repaired, Sound, SoundError, Tapes, repair};
pub use shelf::{AccessLog, Compressed, Found, NotCompressed, NotErased, Outcome, Rekeyed, Shelf, Verified};
pub use udp::UdpIo;
pub use uring::UringIo;
pub use waker::Waker;

use backend::Backend;
use base::{CallId, LegId};
use crossbeam::channel::{self, Sender};
use measured::{Measured, Teller};
use media::{Command, Input, PlaneConfig, PromptBook, Stats};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;
use worker::{Told, Worker};

/// Where Inputs go. It is called on a media thread, so it must not wait.
pub trait Sink: Send + Sync {
    fn input(&self, input: Input);
}

impl<F: Fn(Input) + Send + Sync> Sink for F {
    fn input(&self, input: Input) {
        self(input);
    }
}

pub struct Config {
    /// One thread relays about 1,800 legs; the legs of one call share one, and only they can hear each other.
    pub threads: usize,
    /// Made if it isn't there.
    pub recordings: PathBuf,
    pub prompts: Arc<PromptBook>,
    /// How the legs of each thread are treated.
    pub plane: PlaneConfig,
    /// Blocks of 200 ms (6.4 KB) that wait for the disk at most; what is beyond is lost to the recording, not to the call.
    pub ring: usize,
    pub disk: Arc<dyn Disk>,
    /// With keys, recordings are sealed.
    pub keys: Option<Arc<vault::Keyring>>,
    /// All legs that are opened on this port share it. Of several threads, one can.
    pub shared_port: Option<u16>,
    /// Of all threads.
    pub way: Way,
}

impl Config {
    /// One thread, the real disk, 80 MB for a disk that stalls: 6 s of 400 recordings.
    pub fn new(recordings: impl Into<PathBuf>, prompts: Arc<PromptBook>) -> Self {
        Config {
            threads: 1,
            recordings: recordings.into(),
            prompts,
            plane: PlaneConfig::default(),
            ring: 12_288,
            disk: Arc::new(OsDisk),
            keys: None,
            shared_port: None,
            way: Way::default(),
        }
    }
}

pub struct MediaPlane;

impl MediaPlane {
    /// Starts the threads. Fails if the system gives no poller, no thread or no randomness.
    pub fn start(config: Config, sink: Arc<dyn Sink>) -> std::io::Result<Handle> {
        let port = |_| Backend::new(config.way, config.shared_port);
        let ports = (0..config.threads.max(1)).map(port).collect::<Result<Vec<_>, _>>()?;
        Self::start_on(config, sink, ports)
    }

    /// The same over given ports, one thread each.
    pub fn start_on<Io: PacketIo + 'static>(config: Config, sink: Arc<dyn Sink>, ports: Vec<Io>) -> std::io::Result<Handle> {
        let (recorder, mut threads) = recorder::start(config.recordings, config.disk, config.keys, config.ring, sink.clone())?;
        let measured = Arc::new(Measured::default());
        let fallen = Arc::new(AtomicUsize::new(0));
        let mut lanes = vec![];
        let mut workers = vec![];
        let plane = config.plane;
        for (n, io) in ports.into_iter().enumerate() {
            // Unbounded: a full channel would make the engine wait for us while we wait for its sink. The engine
            // bounds it, which gives a handful of commands for each decision about a call.
            let (sender, commands) = channel::unbounded();
            lanes.push(Lane { commands: sender, waker: io.waker() });
            let teller = Teller::new(measured.clone());
            let worker = Worker::new(io, plane, config.prompts.clone(), commands, recorder.clone(), sink.clone(), teller)?;
            let fallen = fallen.clone();
            workers.push(std::thread::Builder::new().name(format!("media-{n}")).spawn(move || watch(worker, &fallen))?);
        }
        workers.append(&mut threads);
        Ok(Handle { lanes, threads: workers, measured, fallen })
    }
}

/// Runs a media thread. One that ends before it is told to takes the sound of its calls with it: that is said aloud.
fn watch<Io: PacketIo>(worker: Worker<Io>, fallen: &AtomicUsize) {
    let ended = catch_unwind(AssertUnwindSafe(|| worker.run()));
    if let Ok(Ok(())) = ended {
        return;
    }
    fallen.fetch_add(1, Ordering::Relaxed);
    match ended {
        Ok(Err(error)) => tracing::error!(%error, "a media thread can't wait for packets and ended: its calls have no sound"),
        _ => tracing::error!("a media thread panicked and ended: its calls have no sound"),
    }
}

/// One media thread's door.
struct Lane {
    commands: Sender<Told>,
    waker: Arc<Waker>,
}

impl Lane {
    fn tell(&self, told: Told) {
        // A thread that is gone takes no commands; its end has been logged and is counted.
        let _ = self.commands.send(told);
        if let Err(error) = self.waker.wake() {
            tracing::error!(%error, "media thread can't be woken");
        }
    }
}

/// The running plane. Dropping it stops it in order, as [`Handle::stop`] does.
pub struct Handle {
    lanes: Vec<Lane>,
    /// Media threads first, then the recorder's: each ends when the ones before have.
    threads: Vec<JoinHandle<()>>,
    measured: Arc<Measured>,
    fallen: Arc<AtomicUsize>,
}

impl Handle {
    /// How many media threads have ended by themselves, by a panic or because the system gives them no packets: an alarm.
    pub fn fallen(&self) -> usize {
        self.fallen.load(Ordering::Relaxed)
    }

    /// Hands a command over; never waits. Commands of one call are carried out in order.
    pub fn send(&self, command: Command) {
        let Some(lane) = self.lanes.get(call_of(&command) as usize % self.lanes.len().max(1)) else { return };
        lane.tell(Told::Command(command));
    }

    /// Other prompts from now on; what plays already plays to its end.
    pub fn use_prompts(&self, prompts: Arc<PromptBook>) {
        self.lanes.iter().for_each(|lane| lane.tell(Told::Prompts(prompts.clone())));
    }

    /// What the open legs of this call counted, as of their last report (each 5 s or so).
    pub fn measured(&self, call: CallId) -> Vec<(LegId, Stats)> {
        self.measured.of(call)
    }

    /// Closes recordings and legs, and waits for the threads.
    pub fn stop(self) {
        drop(self);
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        for Lane { commands, waker } in self.lanes.drain(..) {
            drop(commands);
            // That nobody sends any more is nothing to be found in the channel.
            let _ = waker.ring();
        }
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a media thread ended in panic");
            }
        }
    }
}

fn call_of(command: &Command) -> u32 {
    match command {
        Command::Open { leg, .. }
        | Command::Configure { leg, .. }
        | Command::Play { leg, .. }
        | Command::Loop { leg, .. }
        | Command::LoopTone { leg, .. }
        | Command::Stop { leg }
        | Command::Hear { leg, .. }
        | Command::HearKeys { leg, .. }
        | Command::Close { leg } => leg.call.n,
        Command::Record { recording, .. }
        | Command::RecordLegs { recording, .. }
        | Command::RecordWaiting { recording }
        | Command::StopRecording { recording } => recording.call().n,
    }
}
