//! Calls and visits: both counted where they came, whenever they end.

use super::Board;
use crate::interval::{QueueSums, bucket_of};
use crate::live::{LiveCall, LiveVisit, Moment, Try};
use crate::sums::{count_down, count_up};
use base::fact::{About, CallbackEnd, Direction};
use base::{CallId, Cause, Outcome};

impl Board {
    pub(super) fn on_arrived(&mut self, about: &About, direction: Direction, at: Moment) {
        let Some(call) = about.call else { return };
        let bucket = bucket_of(at.now.wall);
        self.calls.insert(call, LiveCall::new(direction, bucket));
        match direction {
            Direction::Incoming => self.interval(bucket, |i| i.calls.incoming += 1),
            Direction::Outgoing => self.of_agent(bucket, about.agent.as_ref(), |sums| sums.outgoing += 1),
            Direction::Internal => self.of_agent(bucket, about.agent.as_ref(), |sums| sums.internal += 1),
            Direction::FeatureCode => {}
        }
        if about.lang.is_some() {
            self.on_language(about);
        }
    }

    /// The call's last fact.
    pub(super) fn on_call_over(&mut self, about: &About, rejected: bool) {
        // A call that ends with its callback still to come, as that of a dead node, is one that failed.
        self.on_callback_done(about, CallbackEnd::Failed, 0);
        let Some(call) = about.call.and_then(|call| self.calls.remove(&call)) else { return };
        if call.direction != Direction::Incoming {
            return;
        }
        let hung_up = about.cause == Some(Cause::CallerHungUp);
        let abandoned_queue = call.last_try == Some(Try::Visit(Outcome::Abandoned)) && !call.reached_agent;
        self.interval(call.bucket, |i| {
            let sums = &mut i.calls;
            match (rejected, call.queued) {
                // Once queued it is counted as such, whatever ends it.
                (_, true) => {}
                (true, false) => sums.rejected += 1,
                (false, false) if hung_up => sums.ivr_abandoned += 1,
                (false, false) => sums.ivr_ended += 1,
            }
            sums.lost += u64::from(call.is_lost(about.cause));
            sums.hung_up_before_agent += u64::from(abandoned_queue || (!rejected && !call.queued && hung_up));
        });
    }

    pub(super) fn on_language(&mut self, about: &About) {
        let (Some(call), Some(lang)) = (about.call.and_then(|call| self.calls.get_mut(&call)), about.lang) else { return };
        if call.direction != Direction::Incoming || call.lang == Some(lang) {
            return;
        }
        let (bucket, before) = (call.bucket, call.lang.replace(lang));
        self.interval(bucket, |i| {
            if let Some(before) = before {
                count_down(&mut i.languages, &before);
            }
            count_up(&mut i.languages, lang);
        });
    }

    pub(super) fn on_entered(&mut self, about: &About, expected: Option<(u64, u64)>, at: Moment) {
        let (Some(visit), Some(queue)) = (about.visit, &about.queue) else { return };
        self.on_language(about);
        self.queues.insert(queue.clone());
        let callback = self.calls.get(&visit.call).is_some_and(LiveCall::awaits_callback);
        self.visits.insert(visit, LiveVisit { queue: queue.clone(), entered: at, callback, expected });
        if callback {
            return self.queue(bucket_of(at.now.wall), queue, |sums| sums.callbacks.places += 1);
        }
        self.queue(bucket_of(at.now.wall), queue, |sums| sums.offered += 1);
        let Some(call) = self.calls.get_mut(&visit.call) else { return };
        call.queue = Some(queue.clone());
        if call.direction == Direction::Incoming && !call.queued {
            call.queued = true;
            let bucket = call.bucket;
            self.interval(bucket, |i| i.calls.queued += 1);
        }
    }

    /// A place that is not kept for a callback turns nobody away: it will be asked for again.
    pub(super) fn on_refused(&mut self, about: &About, at: Moment) {
        if let Some(call) = about.call.and_then(|call| self.calls.get_mut(&call)) {
            if call.awaits_callback() {
                return;
            }
            call.last_try = Some(Try::Refused);
        }
        if let Some(queue) = &about.queue {
            self.queues.insert(queue.clone());
            self.queue(bucket_of(at.now.wall), queue, |sums| {
                sums.refused += 1;
                sums.refused_closed += u64::from(about.cause == Some(Cause::Closed));
                sums.refused_dissuaded += u64::from(about.cause == Some(Cause::Dissuaded));
            });
        }
    }

    /// Counted where the visit entered; its waiting time in each interval it crossed. What becomes of a callback's place
    /// says nothing of the caller: the callback's own end does.
    pub(super) fn on_left(
        &mut self,
        about: &About,
        outcome: Outcome,
        wait_ms: u64,
        at: Moment,
        record: impl FnOnce(&mut QueueSums),
    ) {
        let Some((id, visit)) = about.visit.and_then(|id| self.visits.remove_entry(&id)) else { return };
        for (bucket, ms) in visit.entered.slices(&at) {
            self.queue(bucket, &visit.queue, |sums| sums.waiting_ms += ms);
        }
        if visit.callback {
            return;
        }
        self.queue(bucket_of(visit.entered.now.wall), &visit.queue, |sums| {
            record(sums);
            if let (Outcome::Answered, Some((p50_ms, p90_ms))) = (outcome, visit.expected) {
                sums.expected.record(wait_ms, p50_ms, p90_ms);
            }
        });
        if let Some(call) = self.calls.get_mut(&id.call) {
            call.last_try = Some(Try::Visit(outcome));
        }
        if outcome == Outcome::Answered {
            self.on_agent_reached(id.call);
        }
    }

    pub(super) fn on_agent_reached(&mut self, call: CallId) {
        let Some(call) = self.calls.get_mut(&call) else { return };
        if call.direction == Direction::Incoming && !call.reached_agent {
            call.reached_agent = true;
            let bucket = call.bucket;
            self.interval(bucket, |i| i.calls.reached_agent += 1);
        }
    }

    /// Its call may be over by now, and may never have been in a queue.
    pub(super) fn on_voicemail(&mut self, about: &About, at: Moment) {
        let bucket = bucket_of(at.now.wall);
        self.interval(bucket, |i| i.calls.voicemails_left += 1);
        if let Some(queue) = &about.queue {
            self.queues.insert(queue.clone());
            self.queue(bucket, queue, |sums| sums.voicemails_left += 1);
        }
    }

    pub(super) fn on_forwarded(&mut self, about: &About) {
        let Some(call) = about.call.and_then(|call| self.calls.get_mut(&call)) else { return };
        if call.direction == Direction::Incoming && !call.forwarded {
            call.forwarded = true;
            let bucket = call.bucket;
            self.interval(bucket, |i| i.calls.forwarded += 1);
        }
    }
}
