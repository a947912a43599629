//! Two queues that give what one thread pushed in its order: a main one with a fixed room, and a spill beside it.
//!
//! ```text
//!  producer                                owner
//!    spilled = 0 and the main has room?      in hand: nothing?  first of the main, else take from the spill in hand
//!       into the main                        in hand: something? first of the main, else what is in hand; spilled − 1
//!    else spilled + 1, into the spill
//! ```
//! What a thread put into the main before it spilled is there when the owner holds the spilled thing, and the owner looks
//! into the main once more before it gives that out. What a thread puts into the main after it spilled goes there only
//! once `spilled` is 0 again, which is after its spilled things were given out. While something is spilled nobody begins
//! to push into the main, so that look ends.

use crate::machine::{Machine, Word};
use std::marker::PhantomData;
use std::sync::atomic::Ordering;

/// First in, first out; from any thread.
pub trait Queue<T>: Send + Sync {
    /// The item is given back if there is no room.
    fn push(&self, item: T) -> Result<(), T>;
    fn pop(&self) -> Option<T>;
    fn is_empty(&self) -> bool;
}

/// Any number of producers, one owner.
pub struct Lanes<T, M: Machine, A: Queue<T>, B: Queue<T>> {
    main: A,
    spill: B,
    /// In the spill or in the owner's hand, or about to be in the spill.
    spilled: M::Word,
    /// How much may be spilled.
    most: usize,
    of: PhantomData<fn() -> T>,
}

impl<T, M: Machine, A: Queue<T>, B: Queue<T>> Lanes<T, M, A, B> {
    pub fn new(main: A, spill: B, most: usize) -> Self {
        Lanes { main, spill, spilled: M::Word::new(0), most, of: PhantomData }
    }

    /// Into the main only, and not past what is spilled.
    ///
    /// # Errors
    /// There is no room; here it is back.
    pub fn offer(&self, item: T) -> Result<(), T> {
        if self.spilled.load(Ordering::Acquire) == 0 { self.main.push(item) } else { Err(item) }
    }

    /// # Errors
    /// The spill has no room either.
    pub fn push(&self, item: T) -> Result<(), T> {
        let Err(item) = self.offer(item) else { return Ok(()) };
        if self.spilled.add(1, Ordering::AcqRel) >= self.most {
            self.spilled.sub(1, Ordering::AcqRel);
            return Err(item);
        }
        // The spill's own room is for all that may be spilled.
        self.spill.push(item).inspect_err(|_| {
            self.spilled.sub(1, Ordering::AcqRel);
        })
    }

    /// The next one, by the owner, whose `hand` it is: always the same, empty at first.
    pub fn next(&self, hand: &mut Option<T>) -> Option<T> {
        if let Some(item) = self.main.pop() {
            return Some(item);
        }
        if hand.is_none() {
            *hand = Some(self.spill.pop()?);
            if let Some(item) = self.main.pop() {
                return Some(item);
            }
        }
        self.spilled.sub(1, Ordering::AcqRel);
        hand.take()
    }

    /// Nothing to take, beside what is in the owner's hand.
    pub fn is_empty(&self) -> bool {
        self.main.is_empty() && self.spill.is_empty()
    }

    pub fn spilled(&self) -> usize {
        self.spilled.load(Ordering::Relaxed)
    }

    pub fn main(&self) -> &A {
        &self.main
    }
}
