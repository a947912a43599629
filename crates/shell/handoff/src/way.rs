//! The bounded way to one owner, from any thread.
//!
//! Two queues ([`Lanes`]): the main one has a fixed room. What may be lost (a datagram, which its sender repeats; a web
//! request, which is told so) is refused when there is none. What should not be lost goes to the spill then, and is
//! refused only when that holds [`SPILL`] times as much: the owner has stood still for long, and memory has an end as
//! well. Nobody waits. Either is counted.

use crate::bell::Bell;
use crate::lanes::Lanes;
use crate::machine::Std;
use crossbeam::queue::{ArrayQueue, SegQueue};
use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

/// Times the room of the main queue.
pub const SPILL: usize = 4;

/// Makes a way with room for so many, and its one end.
pub fn way<T: Send>(room: usize) -> (Way<T>, Taker<T>) {
    let room = room.max(1);
    let shared = Arc::new(Shared {
        lanes: Lanes::new(ArrayQueue::new(room), SegQueue::new(), room.saturating_mul(SPILL)),
        closed: AtomicBool::new(false),
        refused: [AtomicU64::new(0), AtomicU64::new(0)],
        bell: Bell::default(),
    });
    (Way(shared.clone()), Taker { shared, hand: Cell::new(None) })
}

struct Shared<T: Send> {
    lanes: Lanes<T, Std, ArrayQueue<T>, SegQueue<T>>,
    closed: AtomicBool,
    /// Offered and pushed.
    refused: [AtomicU64; 2],
    bell: Bell<Std>,
}

/// Where anybody pushes.
pub struct Way<T: Send>(Arc<Shared<T>>);

impl<T: Send> Clone for Way<T> {
    fn clone(&self) -> Self {
        Way(self.0.clone())
    }
}

/// There was no room (or nobody takes any more); here it is back.
#[derive(Debug, PartialEq, Eq)]
pub struct Full<T>(pub T);

/// What found no room, ever.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Refused {
    pub offered: u64,
    pub pushed: u64,
}

impl<T: Send> Way<T> {
    /// For what may be lost.
    ///
    /// # Errors
    /// No room is left, or the owner is gone.
    pub fn offer(&self, item: T) -> Result<(), Full<T>> {
        self.put(item, 0, |item| self.0.lanes.offer(item))
    }

    /// For what should not be lost: it waits for nobody.
    ///
    /// # Errors
    /// The spill is full, or the owner is gone.
    pub fn push(&self, item: T) -> Result<(), Full<T>> {
        self.put(item, 1, |item| self.0.lanes.push(item))
    }

    fn put(&self, item: T, how: usize, into: impl FnOnce(T) -> Result<(), T>) -> Result<(), Full<T>> {
        if self.is_closed() {
            return Err(Full(item));
        }
        let put = into(item).map_err(|item| {
            self.0.refused[how].fetch_add(1, Ordering::Relaxed);
            Full(item)
        });
        self.0.bell.ring();
        put
    }

    /// How many wait; by the time you read it, others.
    pub fn waiting(&self) -> usize {
        self.0.lanes.main().len() + self.0.lanes.spilled()
    }

    pub fn refused(&self) -> Refused {
        let [offered, pushed] = self.0.refused.each_ref().map(|n| n.load(Ordering::Relaxed));
        Refused { offered, pushed }
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
pub struct Taker<T: Send> {
    shared: Arc<Shared<T>>,
    /// Taken from the spill, and not yet its turn.
    hand: Cell<Option<T>>,
}

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

impl<T: Send> Taker<T> {
    /// Appends at most `most` to the batch, in the order of each pusher. Sleeps until there is something, or until the
    /// moment; without one, as long as it takes.
    pub fn take(&self, batch: &mut Vec<T>, most: usize, until: Option<Instant>) -> Taken {
        loop {
            if self.fill(batch, most) {
                return Taken::Some;
            }
            let shared = &self.shared;
            // Closed before it was looked at for the last time, so nothing is left behind.
            if shared.closed.load(Ordering::Acquire) {
                return if self.fill(batch, most) { Taken::Some } else { Taken::Closed };
            }
            if until.is_some_and(|until| Instant::now() >= until) {
                return Taken::Nothing;
            }
            // Nothing is in hand: it would have gone into the batch.
            shared.bell.wait(until, || !shared.lanes.is_empty() || shared.closed.load(Ordering::Acquire));
        }
    }

    fn fill(&self, batch: &mut Vec<T>, most: usize) -> bool {
        let (before, mut hand) = (batch.len(), self.hand.take());
        while batch.len() - before < most {
            let Some(item) = self.shared.lanes.next(&mut hand) else { break };
            batch.push(item);
        }
        self.hand.set(hand);
        batch.len() > before
    }
}

impl<T: Send> Drop for Taker<T> {
    fn drop(&mut self) {
        self.shared.closed.store(true, Ordering::Release);
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
        // There is room again, but 3 and 5 wait in the spill: 6 must not pass them, and what may be lost neither.
        assert_eq!((way.push(6), way.offer(7)), (Ok(()), Err(Full(7))));
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
    fn beyond_the_spill_it_is_refused_and_counted() {
        let (way, taker) = way(1);
        (0..=SPILL).for_each(|n| assert_eq!(way.push(n), Ok(())));
        assert_eq!((way.push(90), way.offer(91), way.offer(92)), (Err(Full(90)), Err(Full(91)), Err(Full(92))));
        assert_eq!(way.refused(), Refused { offered: 2, pushed: 1 });
        let mut batch = Vec::new();
        assert_eq!(taker.take(&mut batch, 2, None), Taken::Some);
        assert_eq!(way.push(SPILL + 1), Ok(()));
        assert_eq!(taker.take(&mut batch, 100, None), Taken::Some);
        assert_eq!(batch, Vec::from_iter(0..=SPILL + 1));
        assert_eq!((way.waiting(), way.offer(0)), (0, Ok(())));
    }

    /// A room of one, so that nearly each push meets the edge between the queue and its spill.
    #[test]
    fn everything_from_every_thread_arrives_once_and_in_its_order_also_at_the_edge_of_the_spill() {
        for (room, each) in [(1, 200_000), (2, 100_000), (64, 20_000)] {
            hurry(room, each);
        }
    }

    fn hurry(room: usize, each: usize) {
        const THREADS: usize = 3;
        let (way, taker) = way(room);
        let pushers: Vec<_> = (0..THREADS)
            .map(|thread| {
                let way = way.clone();
                std::thread::spawn(move || {
                    for n in 0..each {
                        let mut item = (thread, n);
                        while let Err(Full(back)) = way.push(item) {
                            item = back;
                            std::thread::yield_now();
                        }
                    }
                })
            })
            .collect();
        let (mut next, mut batch) = ([0; THREADS], Vec::new());
        while next.iter().sum::<usize>() < THREADS * each {
            assert_eq!(taker.take(&mut batch, 256, None), Taken::Some);
            for (thread, n) in batch.drain(..) {
                assert_eq!(n, next[thread], "of thread {thread}, with room for {room}");
                next[thread] += 1;
            }
        }
        pushers.into_iter().for_each(|p| p.join().unwrap());
        assert_eq!(way.waiting(), 0);
    }
}
