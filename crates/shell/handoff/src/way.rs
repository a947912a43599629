//! The bounded way to one owner, from any thread.
//!
//! Two queues: the main one has a fixed room; what must not be lost and finds no room goes to the spill, which the owner
//! takes after the main one. While something is in the spill all such things go there, so that what one thread pushed
//! comes out in its order. What may be lost (a datagram, which its sender repeats) is refused instead.

use crate::bell::Bell;
use crate::machine::Std;
use crossbeam::queue::{ArrayQueue, SegQueue};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Instant;

/// Makes a way with room for so many, and its one end.
pub fn way<T: Send>(room: usize) -> (Way<T>, Taker<T>) {
    let shared = Arc::new(Shared {
        main: ArrayQueue::new(room.max(1)),
        spill: SegQueue::new(),
        spilled: AtomicUsize::new(0),
        closed: AtomicBool::new(false),
        bell: Bell::default(),
    });
    (Way(shared.clone()), Taker(shared))
}

struct Shared<T> {
    main: ArrayQueue<T>,
    spill: SegQueue<T>,
    /// In the spill, or about to be.
    spilled: AtomicUsize,
    closed: AtomicBool,
    bell: Bell<Std>,
}

/// Where anybody pushes.
pub struct Way<T>(Arc<Shared<T>>);

impl<T> Clone for Way<T> {
    fn clone(&self) -> Self {
        Way(self.0.clone())
    }
}

/// There was no room (or nobody takes any more); here it is back.
#[derive(Debug, PartialEq, Eq)]
pub struct Full<T>(pub T);

impl<T> Way<T> {
    /// For what may be lost.
    ///
    /// # Errors
    /// No room is left, or the owner is gone.
    pub fn offer(&self, item: T) -> Result<(), Full<T>> {
        if self.is_closed() {
            return Err(Full(item));
        }
        self.0.main.push(item).map_err(Full)?;
        self.0.bell.ring();
        Ok(())
    }

    /// For what must not be lost: it waits for nobody, and is refused only when the owner is gone.
    ///
    /// # Errors
    /// The owner is gone.
    pub fn push(&self, item: T) -> Result<(), Full<T>> {
        if self.is_closed() {
            return Err(Full(item));
        }
        let item = if self.0.spilled.load(Ordering::Acquire) == 0 { self.0.main.push(item) } else { Err(item) };
        if let Err(item) = item {
            self.0.spilled.fetch_add(1, Ordering::AcqRel);
            self.0.spill.push(item);
        }
        self.0.bell.ring();
        Ok(())
    }

    /// How many wait; by the time you read it, others.
    pub fn waiting(&self) -> usize {
        self.0.main.len() + self.0.spilled.load(Ordering::Relaxed)
    }

    /// The owner takes what is there and is told that nothing follows.
    pub fn close(&self) {
        self.0.closed.store(true, Ordering::Release);
        self.0.bell.ring();
    }

    pub fn is_closed(&self) -> bool {
        self.0.closed.load(Ordering::Acquire)
    }
}

/// The owner's end.
pub struct Taker<T>(Arc<Shared<T>>);

/// Why [`Taker::take`] came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// There is something in the batch.
    Some,
    /// The moment came first.
    Nothing,
    /// Nothing follows any more.
    Closed,
}

impl<T> Taker<T> {
    /// Appends at most `most` to the batch, in the order of each pusher. Sleeps until there is something, or until the
    /// moment; without one, as long as it takes.
    pub fn take(&self, batch: &mut Vec<T>, most: usize, until: Option<Instant>) -> Taken {
        loop {
            if self.fill(batch, most) {
                return Taken::Some;
            }
            // Closed before it was looked at for the last time, so nothing is left behind.
            if self.0.closed.load(Ordering::Acquire) {
                return if self.fill(batch, most) { Taken::Some } else { Taken::Closed };
            }
            if until.is_some_and(|until| Instant::now() >= until) {
                return Taken::Nothing;
            }
            self.0.bell.wait(until, || !self.is_empty() || self.0.closed.load(Ordering::Acquire));
        }
    }

    fn fill(&self, batch: &mut Vec<T>, most: usize) -> bool {
        let before = batch.len();
        while batch.len() - before < most {
            let Some(item) = self.0.main.pop().or_else(|| self.spilled()) else { break };
            batch.push(item);
        }
        batch.len() > before
    }

    fn spilled(&self) -> Option<T> {
        let item = self.0.spill.pop()?;
        self.0.spilled.fetch_sub(1, Ordering::AcqRel);
        Some(item)
    }

    fn is_empty(&self) -> bool {
        self.0.main.is_empty() && self.0.spill.is_empty()
    }
}

impl<T> Drop for Taker<T> {
    fn drop(&mut self) {
        self.0.closed.store(true, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn what_may_be_lost_is_refused_and_what_may_not_is_kept_in_order() {
        let (way, taker) = way(2);
        assert_eq!(
            (way.push(1), way.push(2), way.push(3), way.offer(4), way.push(5)),
            (Ok(()), Ok(()), Ok(()), Err(Full(4)), Ok(()))
        );
        assert_eq!(way.waiting(), 4);
        let mut batch = Vec::new();
        assert_eq!(taker.take(&mut batch, 1, None), Taken::Some);
        // There is room again, but 3 and 5 wait in the spill: 6 must not pass them.
        assert_eq!(way.push(6), Ok(()));
        assert_eq!(taker.take(&mut batch, 100, None), Taken::Some);
        assert_eq!(batch, [1, 2, 3, 5, 6]);
        assert_eq!(way.waiting(), 0);
    }

    #[test]
    fn a_closed_way_gives_what_it_has_and_then_says_so() {
        let (way, taker) = way(2);
        way.push(1).unwrap();
        way.close();
        assert_eq!(way.push(2), Err(Full(2)));
        let mut batch = Vec::new();
        assert_eq!(taker.take(&mut batch, 10, None), Taken::Some);
        assert_eq!(taker.take(&mut batch, 10, None), Taken::Closed);
        assert_eq!(batch, [1]);
    }

    #[test]
    fn a_moment_that_has_come_ends_the_wait() {
        let (_way, taker) = way::<u8>(2);
        assert_eq!(taker.take(&mut Vec::new(), 10, Some(Instant::now())), Taken::Nothing);
        assert_eq!(taker.take(&mut Vec::new(), 10, Some(Instant::now() + Duration::from_millis(1))), Taken::Nothing);
    }

    #[test]
    fn nobody_pushes_to_an_owner_that_is_gone() {
        let (way, taker) = way(2);
        drop(taker);
        assert_eq!((way.push(1), way.offer(2)), (Err(Full(1)), Err(Full(2))));
    }

    #[test]
    fn everything_from_every_thread_arrives_once_and_in_its_order() {
        const THREADS: usize = 4;
        const EACH: usize = 20_000;
        let (way, taker) = way(64);
        let pushers: Vec<_> = (0..THREADS)
            .map(|thread| {
                let way = way.clone();
                std::thread::spawn(move || (0..EACH).for_each(|n| way.push((thread, n)).unwrap()))
            })
            .collect();
        let (mut next, mut batch) = ([0; THREADS], Vec::new());
        while next.iter().sum::<usize>() < THREADS * EACH {
            assert_eq!(taker.take(&mut batch, 256, None), Taken::Some);
            for (thread, n) in batch.drain(..) {
                assert_eq!(n, next[thread], "of thread {thread}");
                next[thread] += 1;
            }
        }
        pushers.into_iter().for_each(|p| p.join().unwrap());
        assert_eq!(way.waiting(), 0);
    }
}
