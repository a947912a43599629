//! What the protocols need of the machine. There are two: this one, and the model checker's.

use crate::lanes::Queue;
use arc_swap::ArcSwap;
use crossbeam::queue::{ArrayQueue, SegQueue};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering, fence};
use std::time::Instant;

/// Atomics, fences and sleeping threads.
pub trait Machine: 'static {
    type Word: Word;
    type Thread: Clone + Send + Sync;

    /// Sequentially consistent.
    fn fence();
    fn current() -> Self::Thread;
    /// A thread that does not sleep yet does not fall asleep the next time.
    fn wake(thread: &Self::Thread);
    /// Until woken, or until that moment; or earlier, for no reason.
    fn sleep(until: Option<Instant>);
}

/// An atomic number.
pub trait Word: Send + Sync {
    fn new(value: usize) -> Self;
    fn load(&self, order: Ordering) -> usize;
    fn store(&self, value: usize, order: Ordering);
    fn swap(&self, value: usize, order: Ordering) -> usize;
    /// True if it was `current` and now is `new`; else nothing is written.
    fn exchange(&self, current: usize, new: usize, order: Ordering) -> bool;
    /// What it was before.
    fn add(&self, more: usize, order: Ordering) -> usize;
    fn sub(&self, less: usize, order: Ordering) -> usize;
}

/// Where the newest of something is: stores and loads never wait for each other.
pub trait Slot<T>: Send + Sync {
    /// Visible to whoever acquires what was released afterwards.
    fn store(&self, value: T);
    fn load(&self) -> Arc<T>;
}

/// The machine we run on.
pub struct Std;

impl Machine for Std {
    type Word = AtomicUsize;
    type Thread = std::thread::Thread;

    fn fence() {
        fence(Ordering::SeqCst);
    }

    fn current() -> Self::Thread {
        std::thread::current()
    }

    fn wake(thread: &Self::Thread) {
        thread.unpark();
    }

    fn sleep(until: Option<Instant>) {
        match until {
            None => std::thread::park(),
            Some(until) => std::thread::park_timeout(until.saturating_duration_since(Instant::now())),
        }
    }
}

impl Word for AtomicUsize {
    fn new(value: usize) -> Self {
        AtomicUsize::new(value)
    }

    fn load(&self, order: Ordering) -> usize {
        AtomicUsize::load(self, order)
    }

    fn store(&self, value: usize, order: Ordering) {
        AtomicUsize::store(self, value, order);
    }

    fn swap(&self, value: usize, order: Ordering) -> usize {
        AtomicUsize::swap(self, value, order)
    }

    fn exchange(&self, current: usize, new: usize, order: Ordering) -> bool {
        self.compare_exchange(current, new, order, Ordering::Relaxed).is_ok()
    }

    fn add(&self, more: usize, order: Ordering) -> usize {
        self.fetch_add(more, order)
    }

    fn sub(&self, less: usize, order: Ordering) -> usize {
        self.fetch_sub(less, order)
    }
}

impl<T: Send + Sync> Slot<T> for ArcSwap<T> {
    fn store(&self, value: T) {
        ArcSwap::store(self, Arc::new(value));
    }

    fn load(&self) -> Arc<T> {
        self.load_full()
    }
}

impl<T, S: Slot<T>> Slot<T> for Arc<S> {
    fn store(&self, value: T) {
        S::store(self, value);
    }

    fn load(&self) -> Arc<T> {
        S::load(self)
    }
}

impl<T: Send> Queue<T> for ArrayQueue<T> {
    fn push(&self, item: T) -> Result<(), T> {
        ArrayQueue::push(self, item)
    }

    fn pop(&self) -> Option<T> {
        ArrayQueue::pop(self)
    }

    fn is_empty(&self) -> bool {
        ArrayQueue::is_empty(self)
    }
}

impl<T: Send> Queue<T> for SegQueue<T> {
    fn push(&self, item: T) -> Result<(), T> {
        SegQueue::push(self, item);
        Ok(())
    }

    fn pop(&self) -> Option<T> {
        SegQueue::pop(self)
    }

    fn is_empty(&self) -> bool {
        SegQueue::is_empty(self)
    }
}
