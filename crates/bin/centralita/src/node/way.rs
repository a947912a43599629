//! The way to the decision thread: one bounded queue, in which everything but new calls has room reserved.

use base::Instant;
use crossbeam::channel::{Receiver, RecvTimeoutError, Sender, TrySendError, bounded};
use dashmap::DashMap;
use engine::{Input, Reply, Request};
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::oneshot;

/// Inputs that may wait.
const ROOM: usize = 65_536;
/// Beyond this, new calls are refused; releases, digits and answers still have the rest.
const ROOM_FOR_NEW_CALLS: usize = ROOM / 4;

pub struct Way {
    inputs: Sender<Input>,
    asked: DashMap<u64, oneshot::Sender<Reply>>,
    next: AtomicU64,
}

impl Way {
    pub fn new() -> (Way, Receiver<Input>) {
        let (inputs, taken) = bounded(ROOM);
        (Way { inputs, asked: DashMap::new(), next: AtomicU64::new(1) }, taken)
    }

    /// Blocks only if the decision thread is behind by all of [`ROOM`]. False: it is gone.
    pub fn push(&self, input: Input) -> bool {
        self.inputs.send(input).is_ok()
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
    fn ask(&self, request: Request) -> oneshot::Receiver<Reply> {
        let (sender, receiver) = oneshot::channel();
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        self.asked.insert(number, sender);
        if self.inputs.try_send(Input::Asked { number, request }).is_err() {
            self.asked.remove(&number);
        }
        receiver
    }
}

impl shell_signalling::Sink for Way {
    fn offer(&self, input: sip::Input) -> Result<(), sip::Input> {
        let crowded = self.inputs.len() >= ROOM_FOR_NEW_CALLS;
        if crowded && matches!(&input, sip::Input::Received { bytes, .. } if sip::begins_call(bytes)) {
            return Err(input);
        }
        match self.inputs.try_send(Input::Sip(input)) {
            Ok(()) => Ok(()),
            Err(TrySendError::Full(Input::Sip(input)) | TrySendError::Disconnected(Input::Sip(input))) => Err(input),
            Err(_) => Ok(()),
        }
    }
}

impl shell_media::Sink for Way {
    fn input(&self, input: media::Input) {
        self.push(Input::Media(input));
    }
}

/// The next input, or `Due` when the deadline has come. `None`: nobody can send any more.
pub fn take(inputs: &Receiver<Input>, clock: &crate::clock::Clock, deadline: Option<Instant>) -> Option<Input> {
    let Some(deadline) = deadline else { return inputs.recv().ok() };
    // A full queue must not starve the timers.
    if clock.now().mono >= deadline {
        return Some(Input::Due);
    }
    match inputs.recv_deadline(clock.system(deadline)) {
        Ok(input) => Some(input),
        Err(RecvTimeoutError::Timeout) => Some(Input::Due),
        Err(RecvTimeoutError::Disconnected) => None,
    }
}
