//! A media thread's way to the recorder. It never waits.

use crossbeam::channel::{Sender, TrySendError};
use media::Tape;
use std::collections::VecDeque;

/// Blocks are dropped when the ring is full (the recorder sees the hole by the next block's place); opening and
/// closing are kept until they fit.
#[derive(Clone)]
pub(crate) struct RecorderDoor {
    ring: Sender<Tape>,
    kept: VecDeque<Tape>,
}

impl RecorderDoor {
    pub fn new(ring: Sender<Tape>) -> Self {
        RecorderDoor { ring, kept: VecDeque::new() }
    }

    pub fn hand(&mut self, tape: Tape) {
        self.retry();
        let block = matches!(tape, Tape::Block { .. });
        if !self.kept.is_empty() {
            // A block must not overtake the opening of its own recording.
            if !block {
                self.kept.push_back(tape);
            }
        } else if let Err(TrySendError::Full(tape)) = self.ring.try_send(tape)
            && !block
        {
            self.kept.push_back(tape);
        }
    }

    /// Hands over what was kept, as far as it fits.
    pub fn retry(&mut self) {
        while let Some(tape) = self.kept.pop_front() {
            if let Err(TrySendError::Full(tape)) = self.ring.try_send(tape) {
                self.kept.push_front(tape);
                return;
            }
        }
    }

    /// Whether something is kept.
    pub fn waits(&self) -> bool {
        !self.kept.is_empty()
    }

    /// Waits until it fits: for who has no packets to hold up.
    pub fn hand_over(&self, tape: Tape) {
        // A recorder that is gone takes nothing; its end has been logged.
        let _ = self.ring.send(tape);
    }

    /// At the thread's end there is no audio to hold up: waits until all is handed over.
    pub fn finish(mut self) {
        std::mem::take(&mut self.kept).into_iter().for_each(|tape| self.hand_over(tape));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::{CallId, ConversationId, RecordingId};
    use crossbeam::channel;
    use media::placement::Block;

    #[test]
    fn a_full_ring_loses_blocks_but_never_an_end() {
        let recording = RecordingId { conversation: ConversationId { call: CallId { node: 1, epoch: 1, n: 1 }, n: 1 }, n: 1 };
        let block = |first| Tape::Block { recording, block: Block { first, samples: Box::new([0; 2]) } };
        let (sender, receiver) = channel::bounded(2);
        let mut door = RecorderDoor::new(sender);
        (0..5).for_each(|n| door.hand(block(n)));
        let close = || Tape::Close { recording, frames: 5, proof: None };
        door.hand(close());
        assert!(door.waits());
        assert_eq!((receiver.recv().unwrap(), receiver.recv().unwrap()), (block(0), block(1)));
        door.retry();
        assert_eq!(receiver.recv().unwrap(), close());
        assert!(!door.waits());
    }
}
