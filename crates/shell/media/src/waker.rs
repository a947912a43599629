//! Ends a media thread's wait from another thread.
//!
//! ```text
//!  who has something for it          the media thread
//!    put it where the thread looks     asleep := true
//!    ── fence ──                       ── fence ──
//!    asleep? then asleep := false      is there something? then don't wait
//!       and write to the counter       else wait for packets or the counter
//! ```
//! Of two that write, pass a sequentially consistent fence and then read what the other wrote, at least one sees it: no
//! wake-up is lost, and a thread that is busy with packets costs nobody a system call.

use rustix::event::{EventfdFlags, eventfd};
use rustix::io::{Errno, read, write};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering, fence};

/// A counter of the kernel that can be waited for (eventfd(2)); many wakes before one is seen are one.
pub struct Waker {
    counter: OwnedFd,
    asleep: AtomicBool,
}

impl Waker {
    pub fn new() -> io::Result<Waker> {
        let counter = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        Ok(Waker { counter, asleep: AtomicBool::new(false) })
    }

    /// After something was put where the thread looks before it sleeps.
    pub fn wake(&self) -> io::Result<()> {
        fence(Ordering::SeqCst);
        if self.asleep.load(Ordering::Relaxed) && self.asleep.swap(false, Ordering::AcqRel) { self.ring() } else { Ok(()) }
    }

    /// Whether or not it sleeps: for what it can't see before it does.
    pub fn ring(&self) -> io::Result<()> {
        match write(&self.counter, &1u64.to_ne_bytes()) {
            // The counter is full: a wake is pending.
            Ok(_) | Err(Errno::AGAIN) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether the thread may wait: from here on a wake ends that. It may not if there is something.
    pub(crate) fn may_sleep(&self, nothing: impl FnOnce() -> bool) -> bool {
        self.asleep.store(true, Ordering::Release);
        fence(Ordering::SeqCst);
        nothing() || !self.asleep.swap(false, Ordering::AcqRel)
    }

    pub(crate) fn awake(&self) {
        self.asleep.swap(false, Ordering::AcqRel);
    }

    /// What was pending has been seen.
    pub(crate) fn clear(&self) {
        let _ = read(&self.counter, &mut [0; 8]);
    }
}

impl AsFd for Waker {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.counter.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::event::{PollFd, PollFlags, poll};
    use std::sync::Arc;
    use std::sync::mpsc::sync_channel;

    /// Whether the counter was written to.
    fn rung(waker: &Waker) -> bool {
        let now = rustix::event::Timespec { tv_sec: 0, tv_nsec: 0 };
        poll(&mut [PollFd::new(waker, PollFlags::IN)], Some(&now)).unwrap() == 1
    }

    #[test]
    fn only_one_that_sleeps_is_woken_and_only_once() {
        let waker = Waker::new().unwrap();
        waker.wake().unwrap();
        assert!(!rung(&waker), "it is awake");
        assert!(!waker.may_sleep(|| false));
        waker.wake().unwrap();
        assert!(!rung(&waker), "it had something to do");
        assert!(waker.may_sleep(|| true));
        waker.wake().unwrap();
        assert!(rung(&waker));
        waker.clear();
        waker.wake().unwrap();
        assert!(!rung(&waker), "it has been woken already");
        waker.ring().unwrap();
        assert!(rung(&waker));
    }

    #[test]
    fn no_wake_is_lost_between_two_threads() {
        const ROUNDS: usize = 20_000;
        let waker = Arc::new(Waker::new().unwrap());
        // Room for one: the producer goes on when the other has taken what was there.
        let (sender, receiver) = sync_channel(1);
        let ringer = waker.clone();
        let producer = std::thread::spawn(move || {
            for round in 0..ROUNDS {
                sender.send(round).unwrap();
                ringer.wake().unwrap();
            }
        });
        let mut seen = 0;
        while seen < ROUNDS {
            let mut first = None;
            if waker.may_sleep(|| {
                first = receiver.try_recv().ok();
                first.is_none()
            }) {
                poll(&mut [PollFd::new(&*waker, PollFlags::IN)], None).unwrap();
            }
            waker.awake();
            waker.clear();
            seen += first.into_iter().chain(receiver.try_iter()).count();
        }
        producer.join().unwrap();
    }
}
