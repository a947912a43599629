//! The newest value, for readers on any thread.
//!
//! ```text
//!  owner                       reader
//!    slot := value               v := version (acquire)
//!    version := v (release)      value := slot        is at least as new as version v
//! ```

use crate::machine::{Machine, Slot, Std, Word};
use arc_swap::ArcSwap;
use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// One writer, any number of readers; nobody waits for anybody.
pub struct Published<T, M: Machine = Std, S: Slot<T> = Arc<ArcSwap<T>>> {
    slot: S,
    version: M::Word,
    of: PhantomData<fn() -> T>,
}

impl<T, M: Machine, S: Slot<T>> Published<T, M, S> {
    /// What the slot holds is version 0.
    pub fn over(slot: S) -> Self {
        Published { slot, version: M::Word::new(0), of: PhantomData }
    }

    /// By the one writer.
    pub fn publish(&self, value: T) {
        let next = self.version.load(Ordering::Relaxed) + 1;
        self.slot.store(value);
        self.version.store(next, Ordering::Release);
    }

    /// How often something was published: what [`Published::load`] gives afterwards is no older.
    pub fn version(&self) -> usize {
        self.version.load(Ordering::Acquire)
    }

    pub fn load(&self) -> Arc<T> {
        self.slot.load()
    }
}
