//! Who wakes the thread that sleeps because it had nothing to do.
//!
//! ```text
//!  producer                          owner
//!    put it where the owner looks      asleep := 1
//!    ── fence ──                       ── fence ──
//!    asleep = 1? then asleep := 0      is there something? then don't sleep
//!       and wake the owner             else sleep
//! ```
//! Of two threads that write, pass a sequentially consistent fence and then read what the other wrote, at least one
//! sees it. So the producer sees that the owner sleeps, or the owner sees what was put: a wake-up is never lost. A
//! producer whose owner is busy pays for a fence and a read, and never for a system call.

use crate::machine::{Machine, Word};
use std::sync::OnceLock;
use std::sync::atomic::Ordering;
use std::time::Instant;

/// One sleeper, any number of others who have something for it.
pub struct Bell<M: Machine> {
    asleep: M::Word,
    owner: OnceLock<M::Thread>,
}

impl<M: Machine> Default for Bell<M> {
    fn default() -> Self {
        Bell { asleep: M::Word::new(0), owner: OnceLock::new() }
    }
}

impl<M: Machine> Bell<M> {
    /// After something was put where the owner looks.
    pub fn ring(&self) {
        M::fence();
        if self.asleep.load(Ordering::Relaxed) == 1
            && self.asleep.exchange(1, 0, Ordering::AcqRel)
            && let Some(owner) = self.owner.get()
        {
            M::wake(owner);
        }
    }

    /// Sleeps unless `ready`, until somebody rings or the moment comes; or for a shorter time. Always from one thread.
    pub fn wait(&self, until: Option<Instant>, ready: impl FnOnce() -> bool) {
        self.owner.get_or_init(M::current);
        self.asleep.store(1, Ordering::Release);
        M::fence();
        if !ready() {
            M::sleep(until);
        }
        // A read as well: what a producer did who rang meanwhile is behind us now.
        self.asleep.swap(0, Ordering::AcqRel);
    }
}
