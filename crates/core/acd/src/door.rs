//! Who may enter a queue.
//!
//! | comes | closed | full | join_empty | dissuade |
//! |---|---|---|---|---|
//! | for the first time | refused | refused | refused | refused |
//! | from an overflow | refused | refused | refused | - |
//! | with credit, or cut off a moment ago | - | refused | refused | - |
//! | as a callback, or by a supervisor | - | refused | - | - |

use crate::queue::QueueKey;
use crate::visits::Entry;
use crate::{Acd, Caller};
use base::{Cause, Mutation, Wall, mutated};
use std::time::Duration;

/// How somebody comes to the door.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Door {
    New,
    Overflow,
    WaitedBefore,
    Privileged,
}

impl Acd {
    pub(crate) fn door_of(&self, entry: &Entry, returns: bool) -> Door {
        match entry.caller {
            Caller::Virtual { .. } => Door::Privileged,
            Caller::OnTheLine if returns || entry.credit > Duration::ZERO => Door::WaitedBefore,
            Caller::OnTheLine => Door::New,
        }
    }

    pub(crate) fn admit(&mut self, key: QueueKey, entry: &Entry, door: Door, wall: Wall) -> Result<(), Cause> {
        let queue = &mut self.queues[key.0];
        if door <= Door::Overflow && !queue.look_at_hours(wall) {
            return Err(Cause::Closed);
        }
        if self.is_full(key) {
            return Err(Cause::QueueFull);
        }
        if door < Door::Privileged && self.is_deserted(key, entry) {
            return Err(Cause::NoAgents);
        }
        if door == Door::New && self.is_dissuaded(key, entry) {
            return Err(Cause::Dissuaded);
        }
        Ok(())
    }

    pub(crate) fn is_full(&self, key: QueueKey) -> bool {
        let queue = &self.queues[key.0];
        queue.line.len() >= queue.config.capacity + usize::from(mutated(Mutation::CapacityOffByOne))
    }

    fn is_deserted(&mut self, key: QueueKey, entry: &Entry) -> bool {
        let queue = &self.queues[key.0];
        let states = queue.join_empty;
        !states.is_empty() && {
            let family = self.board.family(key, &entry.asks, queue);
            self.board.is_alone(family, states)
        }
    }

    /// Never when nobody waits.
    fn is_dissuaded(&mut self, key: QueueKey, entry: &Entry) -> bool {
        let queue = &self.queues[key.0];
        let (waiting, limits) = (queue.line.len(), queue.config.dissuade);
        if waiting == 0 {
            return false;
        }
        if limits.length.is_some_and(|length| waiting >= length) {
            return true;
        }
        if limits.wait.is_none() && limits.per_agent.is_none() {
            return false;
        }
        let family = self.board.family(key, &entry.asks, queue);
        let expected = self.expected_at_the_end(key, family);
        if limits.wait.is_some_and(|longest| expected.is_some_and(|expected| expected.p50 >= longest)) {
            return true;
        }
        limits.per_agent.is_some_and(|hundredths| {
            let agents = self.board.present_for(family) as u128;
            waiting as u128 * 100 >= agents * u128::from(hundredths)
        })
    }
}
