//! The way to the decision thread: one bounded queue, in which everything but new calls has room reserved. What somebody
//! waits for an answer to brings the answer's envelope along, so that no table is shared.

use engine::{Input, Reply, Request, Setup};
use shell_handoff::{Full, Refused, Taker, way};
use std::sync::Arc;
use tokio::sync::oneshot;

/// Inputs that may wait.
const ROOM: usize = 65_536;
/// Beyond this, new calls are refused; releases, digits and answers still have the rest.
const ROOM_FOR_NEW_CALLS: usize = ROOM / 4;

pub struct Way(shell_handoff::Way<Brought>);

/// What is brought to the decision thread.
pub enum Brought {
    Input(Input),
    Asked {
        who: Arc<str>,
        request: Request,
        answer: oneshot::Sender<Reply>,
    },
    /// A configuration that `who` asked for: beside the inputs, which are journaled, as its text holds secrets.
    Site {
        setup: Arc<Setup>,
        who: Arc<str>,
        /// Told when it counts.
        applied: oneshot::Sender<()>,
    },
}

impl Way {
    pub fn new() -> (Way, Taker<Brought>) {
        let (inputs, taker) = way(ROOM);
        (Way(inputs), taker)
    }

    /// Waits for nobody. False: the decision thread is gone, or has stood still for so long that there is no room for
    /// anything.
    pub fn push(&self, input: Input) -> bool {
        self.0.push(Brought::Input(input)).is_ok()
    }

    /// The decision thread takes what is there, and ends.
    pub fn close(&self) {
        self.0.close();
    }

    /// Hands over a configuration that `who` asked for. The receiver fails if the decision thread is gone.
    pub fn configure(&self, setup: Arc<Setup>, who: &str) -> oneshot::Receiver<()> {
        let (applied, told) = oneshot::channel();
        // Refused, the sender is dropped, and the receiver fails.
        let _ = self.0.push(Brought::Site { setup, who: who.into(), applied });
        told
    }

    /// What found no room.
    pub fn refused(&self) -> Refused {
        self.0.refused()
    }
}

impl shell_web::Ask for Way {
    /// A request; its answer comes when the Centre has applied it, and never if there is no room.
    fn ask(&self, who: Arc<str>, request: Request) -> oneshot::Receiver<Reply> {
        let (answer, receiver) = oneshot::channel();
        let _ = self.0.offer(Brought::Asked { who, request, answer });
        receiver
    }
}

impl shell_signalling::Sink for Way {
    fn offer(&self, input: sip::Input) -> Result<(), sip::Input> {
        let crowded = self.0.waiting() >= ROOM_FOR_NEW_CALLS;
        if crowded && matches!(&input, sip::Input::Received { bytes, .. } if sip::begins_call(bytes)) {
            return Err(input);
        }
        match self.0.offer(Brought::Input(Input::Sip(input))) {
            Err(Full(Brought::Input(Input::Sip(input)))) => Err(input),
            _ => Ok(()),
        }
    }
}

impl shell_media::Sink for Way {
    fn input(&self, input: media::Input) {
        self.push(Input::Media(input));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::CallId;
    use shell_web::Ask;

    fn ask(way: &Way) -> oneshot::Receiver<Reply> {
        way.ask("ana".into(), Request::Why { call: CallId { node: 1, epoch: 1, n: 1 } })
    }

    #[test]
    fn a_request_that_finds_no_room_is_told_so_and_counted_and_what_must_not_be_lost_has_room_beyond() {
        let (way, taker) = Way::new();
        let mut asked: Vec<_> = (0..ROOM).map(|_| ask(&way)).collect();
        assert!(ask(&way).try_recv().is_err_and(|e| e == oneshot::error::TryRecvError::Closed));
        assert!(way.push(Input::Due));
        assert_eq!(way.refused(), Refused { offered: 1, pushed: 0 });
        let mut batch = Vec::new();
        taker.take(&mut batch, 1, None);
        let Some(Brought::Asked { answer, .. }) = batch.pop() else { panic!("the first one asked") };
        answer.send(Reply::Done).unwrap();
        assert_eq!(asked[0].try_recv(), Ok(Reply::Done));
    }

    #[test]
    fn whoever_asks_a_thread_that_is_gone_is_told_so() {
        let (way, taker) = Way::new();
        drop(taker);
        assert!(ask(&way).try_recv().is_err_and(|e| e == oneshot::error::TryRecvError::Closed));
        assert!(!way.push(Input::Due));
    }
}
