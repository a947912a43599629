//! Callbacks: a caller who hung up and keeps the place.
//!
//! ```text
//!  queue.left callback ─ callback.requested ─ queue.entered ─ … ─ callback.done ─▶ connected | failed | joined | cancelled
//!  the caller's visit     counted here         a place in line, in the queue's length alone
//! ```

use super::Board;
use crate::interval::bucket_of;
use crate::live::{LiveCallback, Moment, Try};
use base::fact::{About, CallbackEnd};

impl Board {
    pub(super) fn on_callback_requested(&mut self, about: &About, at: Moment) {
        let Some(call) = about.call.and_then(|call| self.calls.get_mut(&call)) else { return };
        let Some(queue) = about.queue.clone().or_else(|| call.queue.clone()) else { return };
        if call.callback.is_some() {
            return;
        }
        let bucket = bucket_of(at.now.wall);
        call.callback = Some(LiveCallback { queue: queue.clone(), bucket });
        self.queues.insert(queue.clone());
        self.queue(bucket, &queue, |sums| sums.callbacks.requested += 1);
    }

    pub(super) fn on_callback_attempted(&mut self, about: &About, at: Moment) {
        let callback = about.call.and_then(|call| self.calls.get(&call)).and_then(|call| call.callback.as_ref());
        if let Some(queue) = callback.map(|callback| callback.queue.clone()) {
            self.queue(bucket_of(at.now.wall), &queue, |sums| sums.callbacks.attempts += 1);
        }
    }

    /// Counted where it was requested.
    pub(super) fn on_callback_done(&mut self, about: &About, end: CallbackEnd, wait_ms: u64) {
        let Some(call) = about.call.and_then(|call| self.calls.get_mut(&call)) else { return };
        let Some(callback) = call.callback.take() else { return };
        call.last_try = Some(Try::Callback(end));
        self.queue(callback.bucket, &callback.queue, |sums| sums.callbacks.record(end, wait_ms));
    }
}
