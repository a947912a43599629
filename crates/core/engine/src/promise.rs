//! What was promised outlives the node: who is to be called back is kept beside the log, and comes back with the next epoch.
//!
//! ```text
//!  Promised, Kept, Dialling, Back ─ each change: Output::Promised ─▶ the store ─▶ Resume.promises
//!                │ the node stops, or is killed                                        │ its call was open
//!                ▼                                                                     ▼
//!  its visit ends; neither callback nor call does            callback.requested, said again ─▶ Kept, with its place
//! ```
//! The number to call is somebody's: it stands in no fact, and is deleted from the store when the callback is over.

use crate::call::{Asked, Call};
use crate::callback::{Callback, Stage};
use crate::centre::Centre;
use crate::{Open, Output, Place, Promise};
use base::fact::{Direction, What};
use base::{CallId, Instant, LegId, Now, Wall};
use std::collections::BTreeMap;

impl Centre {
    /// Tells the store what is promised to this caller now.
    pub(crate) fn write_promise(&mut self, id: CallId) {
        let now = self.now;
        let promise = self.calls.get(&id).and_then(|call| call.promise(now)).map(Box::new);
        self.out.push(Output::Promised { call: id, promise });
    }

    /// Which promises stand: their call was open, and the site still has their queue. The others are forgotten.
    pub(crate) fn standing(&mut self, promises: Vec<Promise>, open: &Open) -> BTreeMap<CallId, Promise> {
        let setup = self.setup.clone();
        let stands = |p: &Promise| open.calls.contains_key(&p.call) && setup.site.queues.contains_key(&p.queue);
        let (standing, gone): (Vec<_>, Vec<_>) = promises.into_iter().partition(stands);
        gone.into_iter().for_each(|promise| self.write_promise(promise.call));
        standing.into_iter().map(|promise| (promise.call, promise)).collect()
    }

    /// The call goes on where the epoch before left it, with `rev` facts so far. Its queue is asked once there is one.
    pub(crate) fn restore_promise(&mut self, promise: Promise, open: &Open, rev: u32) {
        let id = promise.call;
        let told = open.calls.get(&id);
        let attempts = told.and_then(|call| call.callback.as_ref()).map_or(0, |callback| callback.attempts);
        let mut call = self.call_of_promise(promise, attempts);
        call.rev = rev;
        call.visits = call.visits.max(told.map_or(0, |call| call.visits));
        if let (Some(party), Some(callback)) = (call.party, call.callback.as_ref()) {
            self.callbacks.insert((party, callback.queue.clone()), id);
        }
        self.calls.insert(id, call);
        // Said in each epoch, so that the next one knows it too.
        self.callback_fact(id, None, What::CallbackRequested {});
        self.rearm(id);
        self.promised.push(id);
    }

    /// The queues are there: who waited longest asks first.
    pub(crate) fn places_again(&mut self) {
        let mut promised = std::mem::take(&mut self.promised);
        let now = self.now;
        promised.sort_by_key(|id| std::cmp::Reverse(self.calls.get(id).map(|call| call.total_wait(now))));
        promised.into_iter().for_each(|id| self.on_callback_due(id));
    }

    fn call_of_promise(&self, promise: Promise, attempts: u8) -> Call {
        let now = self.now;
        let on_clock = |at: Wall| now.mono + at.since(now.wall);
        let flow = self.setup.site.number(&promise.dialled).and_then(|number| self.setup.flows.get(&number.flow));
        let attempts = attempts.max(promise.attempts);
        let mut terms = promise.terms;
        if promise.dialling {
            // An attempt that our own end cut short does not count against the customer.
            terms.attempts = terms.attempts.max(attempts.saturating_add(1));
        }
        let again = promise.dialling.then(|| now.mono + terms.retry_after);
        let mut call = Call::new(promise.call, promise.tenant, Direction::Incoming, now);
        call.flow = flow.and_then(|flow| ivr::Interpreter::promised(flow.clone(), promise.lang, &promise.step));
        call.arrived = Now { mono: now.mono, wall: promise.arrived };
        call.before = now.wall.since(promise.arrived);
        call.waited = now.wall.since(promise.waits_since);
        call.waiting_since = Some(now);
        (call.trunk, call.number, call.caller) = (promise.trunk, promise.dialled, promise.caller);
        (call.party, call.lang, call.begun) = (promise.party, promise.lang, true);
        (call.visits, call.conversations) = (promise.visits, promise.conversations);
        (call.consent, call.answered_in) = (promise.consent, promise.answered_in);
        call.last_leg = LegId::caller(promise.call).n;
        call.deadline = Some(now.mono);
        call.goes_to(Place::Callback, now);
        call.callback = Some(Callback {
            stage: Stage::Kept,
            number: promise.number,
            queue: promise.queue,
            asked: Asked { requires: promise.requires, priority_s: promise.priority_s },
            terms,
            attempts,
            not_before: promise.not_before.map(on_clock).max(again),
            expires: on_clock(promise.expires),
        });
        call
    }
}

impl Call {
    /// What has to be kept of the promise, if there is one.
    fn promise(&self, now: Now) -> Option<Promise> {
        let callback = self.callback.as_ref()?;
        let on_wall = |at: Instant| now.wall.plus(at.since(now.mono));
        let waited_us = i64::try_from(self.total_wait(now).as_micros()).unwrap_or(i64::MAX);
        Some(Promise {
            call: self.id,
            tenant: self.tenant.clone(),
            party: self.party,
            lang: self.lang,
            caller: self.caller.clone(),
            number: callback.number.clone(),
            dialled: self.number.clone(),
            trunk: self.trunk.clone(),
            step: self.flow.as_ref().map(|flow| flow.queue_step()).unwrap_or_default().into(),
            queue: callback.queue.clone(),
            requires: callback.asked.requires.clone(),
            priority_s: callback.asked.priority_s,
            terms: callback.terms,
            arrived: self.arrived.wall,
            waits_since: Wall(now.wall.0.saturating_sub(waited_us)),
            attempts: callback.attempts,
            dialling: callback.stage == Stage::Dialling,
            not_before: callback.not_before.map(on_wall),
            expires: on_wall(callback.expires),
            visits: self.visits,
            conversations: self.conversations,
            consent: self.consent,
            answered_in: self.answered_in.clone(),
        })
    }
}
