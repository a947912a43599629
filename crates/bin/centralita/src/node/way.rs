//! The way to the decision thread: one bounded queue, in which everything but new calls has room reserved.

use crossbeam::queue::SegQueue;
use dashmap::DashMap;
use engine::{Input, Reply, Request, Setup};
use shell_handoff::{Full, Taker, way};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::oneshot;

/// Inputs that may wait.
const ROOM: usize = 65_536;
/// Beyond this, new calls are refused; releases, digits and answers still have the rest.
const ROOM_FOR_NEW_CALLS: usize = ROOM / 4;

pub struct Way {
    inputs: shell_handoff::Way<Input>,
    asked: DashMap<u64, oneshot::Sender<Reply>>,
    next: AtomicU64,
    /// Configurations whose `Configure` is on its way.
    staged: SegQueue<Staged>,
}

/// A configuration that is handed over beside the way: its text holds secrets, and inputs are journaled.
pub struct Staged {
    pub setup: Arc<Setup>,
    /// Told when it counts.
    pub applied: oneshot::Sender<()>,
}

impl Way {
    pub fn new() -> (Way, Taker<Input>) {
        let (inputs, taker) = way(ROOM);
        (Way { inputs, asked: DashMap::new(), next: AtomicU64::new(1), staged: SegQueue::new() }, taker)
    }

    /// Waits for nobody. False: the decision thread is gone.
    pub fn push(&self, input: Input) -> bool {
        self.inputs.push(input).is_ok()
    }

    /// The decision thread takes what is there, and ends.
    pub fn close(&self) {
        self.inputs.close();
    }

    /// Hands over a configuration that `who` asked for. The receiver fails if the decision thread is gone.
    pub fn configure(&self, setup: Arc<Setup>, who: &str) -> oneshot::Receiver<()> {
        let (applied, told) = oneshot::channel();
        let sha256 = setup.sha256;
        self.staged.push(Staged { setup, applied });
        if !self.push(Input::Configure { sha256, who: Some(who.into()) }) {
            self.staged.pop();
        }
        told
    }

    /// What a `Configure` is about; none for the first, with which the Centre was born.
    pub fn staged(&self, sha256: [u8; 32]) -> Option<Staged> {
        let staged = self.staged.pop()?;
        if staged.setup.sha256 == sha256 {
            return Some(staged);
        }
        // It is another's, whose `Configure` follows.
        self.staged.push(staged);
        None
    }

    pub fn answered(&self, number: u64, reply: Reply) {
        if let Some((_, sender)) = self.asked.remove(&number) {
            // Whoever asked may have gone.
            let _ = sender.send(reply);
        }
    }
}

impl shell_web::Ask for Way {
    /// A request; its answer comes when the Centre has applied it.
    fn ask(&self, who: Arc<str>, request: Request) -> oneshot::Receiver<Reply> {
        let (sender, receiver) = oneshot::channel();
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        self.asked.insert(number, sender);
        if self.inputs.offer(Input::Asked { number, who, request }).is_err() {
            self.asked.remove(&number);
        }
        receiver
    }
}

impl shell_signalling::Sink for Way {
    fn offer(&self, input: sip::Input) -> Result<(), sip::Input> {
        let crowded = self.inputs.waiting() >= ROOM_FOR_NEW_CALLS;
        if crowded && matches!(&input, sip::Input::Received { bytes, .. } if sip::begins_call(bytes)) {
            return Err(input);
        }
        match self.inputs.offer(Input::Sip(input)) {
            Err(Full(Input::Sip(input))) => Err(input),
            _ => Ok(()),
        }
    }
}

impl shell_media::Sink for Way {
    fn input(&self, input: media::Input) {
        self.push(Input::Media(input));
    }
}
