//! Calls and visits: both counted where they came, whenever they end.

use super::Board;
use crate::interval::{QueueSums, bucket_of};
use crate::live::{LiveCall, LiveVisit, Moment, Try};
use base::fact::{About, Direction};
use base::{CallId, Cause, Lang, Outcome};
use std::collections::BTreeMap;

impl Board {
    pub(super) fn on_arrived(&mut self, about: &About, direction: Direction, at: Moment) {
        let Some(call) = about.call else { return };
        let bucket = bucket_of(at.now.wall);
        let live = LiveCall { direction, bucket, lang: None, queued: false, reached_agent: false, last_try: None };
        self.calls.insert(call, live);
        if direction == Direction::Incoming {
            self.interval(bucket, |i| i.calls.incoming += 1);
        }
        if about.lang.is_some() {
            self.on_language(about);
        }
    }

    /// The call's last fact.
    pub(super) fn on_call_over(&mut self, about: &About, rejected: bool) {
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
                count_down(&mut i.languages, before);
            }
            *i.languages.entry(lang).or_insert(0) += 1;
        });
    }

    pub(super) fn on_entered(&mut self, about: &About, at: Moment) {
        let (Some(visit), Some(queue)) = (about.visit, &about.queue) else { return };
        self.on_language(about);
        self.queues.insert(queue.clone());
        self.visits.insert(visit, LiveVisit { queue: queue.clone(), entered: at });
        self.queue(bucket_of(at.now.wall), queue, |sums| sums.offered += 1);
        if let Some(call) = self.calls.get_mut(&visit.call)
            && call.direction == Direction::Incoming
            && !call.queued
        {
            call.queued = true;
            let bucket = call.bucket;
            self.interval(bucket, |i| i.calls.queued += 1);
        }
    }

    pub(super) fn on_refused(&mut self, about: &About, at: Moment) {
        if let Some(call) = about.call.and_then(|call| self.calls.get_mut(&call)) {
            call.last_try = Some(Try::Refused);
        }
        if let Some(queue) = &about.queue {
            self.queues.insert(queue.clone());
            self.queue(bucket_of(at.now.wall), queue, |sums| sums.refused += 1);
        }
    }

    /// Counted where the visit entered; its waiting time in each interval it crossed.
    pub(super) fn on_left(&mut self, about: &About, outcome: Outcome, at: Moment, record: impl FnOnce(&mut QueueSums)) {
        let Some((id, visit)) = about.visit.and_then(|id| self.visits.remove_entry(&id)) else { return };
        self.queue(bucket_of(visit.entered.now.wall), &visit.queue, record);
        for (bucket, ms) in visit.entered.slices(&at) {
            self.queue(bucket, &visit.queue, |sums| sums.waiting_ms += ms);
        }
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
}

fn count_down(counts: &mut BTreeMap<Lang, u64>, lang: Lang) {
    if let Some(n) = counts.get_mut(&lang) {
        *n = n.saturating_sub(1);
        if *n == 0 {
            counts.remove(&lang);
        }
    }
}
