//! A caller keeps the place in line, hangs up, and is called back.
//!
//! ```text
//!  the flow asks ─▶ Promised ── an agent answers meanwhile: an ordinary conversation, and no callback
//!                      │ the caller's leg is over: that visit leaves as `callback`, a virtual one has its place
//!                      ▼
//!        ┌─────────▶ Kept ─────────── cancelled; the same caller is in the same queue again: joined
//!        │             │ agent first: the offer is accepted       │ customer first: CallCustomer
//!        │             ▼                                          ▼
//!        │ not there Dialling ── answered ─▶ bridged: done     Dialling ── answered ─▶ Back: waits as any caller ─▶ done
//!        │             │                                          │
//!        └── later ◀───┴──────────────── not there ◀──────────────┘ too often: done, failed
//! ```
//! A place that the queue does not hold just now (closed, nobody there) rests, and asks again. None lives longer than
//! [`LONGEST`]. The end of the node is not the end of a promise (`promise`).

use crate::call::{Asked, Call};
use crate::centre::Centre;
use crate::leg::Purpose;
use crate::party::{Errand, Party};
use crate::{Place, identity};
use acd::Caller;
use base::fact::{About, CallbackEnd, What};
use base::{CallId, Cause, Instant, LegId, Mutation, Outcome, Pii, QueueId, VisitId, mutated};
use std::sync::Arc;
use std::time::Duration;

/// Nobody expects to be called back later than this.
const LONGEST: Duration = Duration::from_secs(12 * 3600);
/// A queue that does not take the place now is asked again after this.
const REST: Duration = Duration::from_secs(60);

/// A promise to call somebody.
pub struct Callback {
    pub stage: Stage,
    /// As it is dialled.
    pub number: Pii<Arc<str>>,
    pub queue: QueueId,
    pub asked: Asked,
    pub terms: acd::Callback,
    /// How often the customer was dialled.
    pub attempts: u8,
    /// The place is offered to nobody before this.
    pub not_before: Option<Instant>,
    pub expires: Instant,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The caller is still on the line, and in the queue.
    Promised,
    /// Nobody is on the line.
    Kept,
    Dialling,
    /// The customer answered and waits for an agent.
    Back,
}

impl Call {
    /// The place in line is kept while nobody is on the line.
    pub fn is_kept(&self) -> bool {
        self.callback.as_ref().is_some_and(|c| matches!(c.stage, Stage::Kept | Stage::Dialling))
    }

    /// Where the call is while no agent is asked.
    pub fn waiting_place(&self) -> Place {
        if self.is_kept() { Place::Callback } else { Place::Queue }
    }
}

impl Centre {
    /// The flow's caller wants to be called back, at a number keyed in or at the one that called.
    pub(crate) fn on_callback_asked(&mut self, id: CallId, number: Option<Pii<Arc<str>>>) {
        let promise = if self.draining() { None } else { self.promise(id, number) };
        let taken = promise.is_some();
        if let Some(call) = self.calls.get_mut(&id) {
            call.callback = promise;
        }
        // It is on its way to the disk before the caller hears of it.
        self.write_promise(id);
        self.tell_flow(id, ivr::Input::CallbackTaken(taken));
    }

    fn promise(&self, id: CallId, number: Option<Pii<Arc<str>>>) -> Option<Callback> {
        let call = self.calls.get(&id)?;
        let queue = call.visit.as_ref()?.queue.clone();
        let terms = self.setup.site.queues.get(&queue)?.callback?;
        let trunk = self.setup.trunk_of(&call.tenant)?;
        let number = match number {
            Some(keyed) => identity::may_be_called(&self.setup.site, trunk, keyed.reveal()).then_some(keyed)?,
            None if call.caller.reveal().is_empty() => return None,
            None => call.caller.clone(),
        };
        let expires = self.now.mono + LONGEST;
        let (asked, stage) = (call.asked.clone()?, Stage::Promised);
        Some(Callback { stage, number, queue, asked, terms, attempts: 0, not_before: None, expires })
    }

    /// Instead of the call's end, where a promise stands. False: there is none, and the call is over.
    pub(crate) fn keep_place(&mut self, id: CallId, cause: Cause) -> bool {
        let Some(call) = self.calls.get(&id).filter(|c| c.ending.is_none()) else { return false };
        let Some(stage) = call.callback.as_ref().map(|c| c.stage) else { return false };
        match (stage, cause) {
            (Stage::Promised, Cause::CallerHungUp | Cause::Callback | Cause::NoMedia | Cause::TransportFailed)
                if call.conversation.is_none() =>
            {
                self.leave_line(id);
                true
            }
            // The agent does not wait for the customer to answer: the next one may.
            (Stage::Kept | Stage::Dialling, Cause::AgentHungUp | Cause::Unreachable | Cause::NoMedia | Cause::LeaseEnded)
                if call.conversation.is_some() || stage == Stage::Dialling =>
            {
                self.end_conversation(id, cause);
                self.give_up(id, &Errand::Customer);
                self.try_later(id);
                true
            }
            _ => false,
        }
    }

    /// The caller's leg is over, the place in line is not.
    fn leave_line(&mut self, id: CallId) {
        let now = self.now;
        let Some(call) = self.calls.get_mut(&id) else { return };
        let (customer, visit) = (call.customer, call.visit.as_ref().map(|v| v.id));
        call.deadline = None;
        if let Some(callback) = call.callback.as_mut() {
            callback.stage = Stage::Kept;
        }
        call.goes_to(Place::Callback, now);
        if let (Some(party), Some(callback)) = (call.party, call.callback.as_ref()) {
            self.callbacks.insert((party, callback.queue.clone()), id);
        }
        customer.into_iter().for_each(|leg| self.drop_leg(leg, None));
        match visit {
            Some(visit) if mutated(Mutation::CallbackAbandoned) => {
                self.tell_acd(acd::Input::Leave { visit, outcome: Outcome::Abandoned, cut_off: None });
            }
            Some(visit) => self.tell_acd(acd::Input::Leave { visit, outcome: Outcome::Callback, cut_off: None }),
            None => self.on_place_kept(id),
        }
    }

    /// The visit before this one has left: the next one has its place.
    pub(crate) fn on_place_kept(&mut self, id: CallId) {
        let Some(callback) = self.calls.get(&id).and_then(|c| c.callback.as_ref()) else { return };
        if callback.attempts == 0 {
            self.callback_fact(id, None, What::CallbackRequested {});
        }
        self.enter_line(id);
    }

    /// A virtual visit, with all that was waited as credit.
    fn enter_line(&mut self, id: CallId) {
        if self.draining() {
            return self.end_call(id, Cause::Draining);
        }
        let now = self.now;
        let Some(call) = self.calls.get_mut(&id) else { return };
        let (waited, lang, party) = (call.total_wait(now), call.lang, call.party);
        let visit = VisitId { call: id, n: call.visits + 1 };
        call.goes_to(Place::Callback, now);
        let Some(callback) = call.callback.as_mut() else { return };
        callback.stage = Stage::Kept;
        call.deadline = Some(callback.expires);
        let Asked { requires, priority_s } = callback.asked.clone();
        let caller = Caller::Virtual { first: callback.terms.first, not_before: callback.not_before };
        let queue = callback.queue.clone();
        self.tell_acd(acd::Input::Enqueue { visit, queue, requires, priority_s, waited, lang, party, caller });
        self.rearm(id);
        self.write_promise(id);
    }

    /// The queue held the place no longer. One that became too old there is taken up again at once.
    pub(crate) fn on_place_lost(&mut self, id: CallId, outcome: Outcome, waited: Duration) {
        match outcome {
            Outcome::Timeout if waited >= Duration::from_secs(1) => self.enter_line(id),
            _ => self.rest(id),
        }
    }

    /// The queue does not hold the place now.
    pub(crate) fn rest(&mut self, id: CallId) {
        if self.draining() {
            return self.end_call(id, Cause::Draining);
        }
        let until = self.now.mono + REST;
        if let Some(call) = self.calls.get_mut(&id) {
            call.goes_to(Place::Callback, self.now);
            call.deadline = Some(until);
        }
        self.rearm(id);
    }

    /// The deadline of a place that is kept: it asks the queue again, or is as old as any may become.
    pub(crate) fn on_callback_due(&mut self, id: CallId) {
        let Some(call) = self.calls.get(&id) else { return };
        let old = call.callback.as_ref().is_none_or(|c| c.expires <= self.now.mono);
        match (old, call.visit.is_some()) {
            (true, _) => self.callback_fails(id, Cause::Timeout),
            (false, false) => self.enter_line(id),
            (false, true) => {}
        }
    }

    /// An agent accepted a callback, or its turn has come with the customer first: dial.
    pub(crate) fn dial_customer(&mut self, id: CallId) {
        let Some(callback) = self.calls.get_mut(&id).and_then(|c| c.callback.as_mut()) else { return };
        callback.attempts = callback.attempts.saturating_add(1);
        callback.stage = Stage::Dialling;
        let (n, number, ring) = (callback.attempts, callback.number.clone(), callback.terms.ring);
        self.callback_fact(id, None, What::CallbackAttempted { n });
        self.write_promise(id);
        self.reach(id, Errand::Customer, Party::Number(number), &crate::dialling::Shown::default());
        let until = self.now.mono + ring;
        if let Some(reach) = self.calls.get_mut(&id).and_then(|c| c.reaches.get_mut(&Errand::Customer)) {
            reach.until = until;
        }
        self.rearm(id);
    }

    /// An agent has the call, and its customer is not there yet.
    pub(crate) fn awaits_customer(&self, id: CallId) -> bool {
        self.calls.get(&id).is_some_and(|call| call.conversation.is_some() && call.customer.is_none())
    }

    /// The agent who accepted a callback has heard so.
    pub(crate) fn is_to_be_dialled(&self, id: CallId) -> bool {
        let kept = self.calls.get(&id).and_then(|c| c.callback.as_ref()).is_some_and(|c| c.stage == Stage::Kept);
        kept && self.awaits_customer(id)
    }

    /// An agent waits while the customer's phone rings.
    pub(crate) fn is_being_dialled(&self, id: CallId) -> bool {
        let dials = self.calls.get(&id).and_then(|c| c.callback.as_ref()).is_some_and(|c| c.stage == Stage::Dialling);
        dials && self.awaits_customer(id)
    }

    pub(crate) fn customer_reached(&mut self, id: CallId, leg: LegId) {
        let now = self.now;
        let Some(call) = self.calls.get_mut(&id) else { return };
        if let Some(state) = call.legs.get_mut(&leg) {
            state.purpose = Purpose::Customer;
        }
        call.customer = Some(leg);
        call.deadline = None;
        if let Some(callback) = call.callback.as_mut() {
            callback.stage = Stage::Back;
        }
        self.forget_place(id);
        let Some(call) = self.calls.get_mut(&id) else { return };
        if call.conversation.is_some() {
            self.both_there(id);
            return self.bridge(id);
        }
        call.goes_to(Place::Queue, now);
        if let Some(visit) = call.visit.as_ref().map(|v| v.id) {
            self.tell_acd(acd::Input::CustomerAnswered { visit });
        }
        self.relink(id);
        self.tell_flow(id, ivr::Input::CalledBack);
    }

    /// Busy, away, or the time is up.
    pub(crate) fn customer_not_reached(&mut self, id: CallId, status: u16) {
        let cause = if matches!(status, 486 | 600) { Cause::Busy } else { Cause::NoAnswer };
        self.end_conversation(id, cause);
        self.try_later(id);
    }

    /// Back in line, to be offered after a while; or never again.
    fn try_later(&mut self, id: CallId) {
        let now = self.now;
        let Some(call) = self.calls.get_mut(&id) else { return };
        let visit = call.visit.as_ref().map(|v| v.id);
        let Some(callback) = call.callback.as_mut() else { return };
        if callback.attempts >= callback.terms.attempts && !mutated(Mutation::CallbackDialsForEver) {
            return self.callback_fails(id, Cause::NoAnswer);
        }
        callback.stage = Stage::Kept;
        callback.not_before = Some(now.mono + callback.terms.retry_after);
        if mutated(Mutation::CallbackLostOnFailure) {
            return call.deadline = None;
        }
        match visit {
            Some(visit) => self.tell_acd(acd::Input::Leave { visit, outcome: Outcome::Callback, cut_off: None }),
            None => self.enter_line(id),
        }
    }

    fn callback_fails(&mut self, id: CallId, cause: Cause) {
        self.callback_done(id, CallbackEnd::Failed);
        self.end_call(id, cause);
    }

    /// Said once; after it the call is like any other, or over.
    pub(crate) fn callback_done(&mut self, id: CallId, end: CallbackEnd) {
        let wait_ms = self.calls.get(&id).map_or(0, |c| c.total_wait(self.now).as_millis() as u64);
        let Some(callback) = self.calls.get(&id).and_then(|c| c.callback.as_ref()) else { return };
        let (attempts, queue, promised) = (callback.attempts, callback.queue.clone(), callback.stage == Stage::Promised);
        self.forget_place(id);
        if let Some(call) = self.calls.get_mut(&id) {
            call.callback = None;
        }
        self.write_promise(id);
        // What was promised and never begun is in no figure.
        if !promised {
            self.callback_fact(id, Some(queue), What::CallbackDone { end, attempts, wait_ms });
        }
    }

    pub(crate) fn forget_place(&mut self, id: CallId) {
        self.callbacks.retain(|_, call| *call != id);
    }

    /// The same caller asks for the same queue again: that call has the place now, and what was waited (calls.md line 15).
    pub(crate) fn join_callback(&mut self, id: CallId, queue: &QueueId) -> Duration {
        let Some(party) = self.routing_party(id) else { return Duration::ZERO };
        let Some(kept) = self.callbacks.get(&(party, queue.clone())).copied().filter(|kept| *kept != id) else {
            return Duration::ZERO;
        };
        // Whoever is dialled this moment is reached there.
        let idle = |c: &Call| c.callback.as_ref().is_some_and(|c| c.stage == Stage::Kept) && c.conversation.is_none();
        let Some(waited) = self.calls.get(&kept).filter(|c| idle(c)).map(|c| c.total_wait(self.now)) else {
            return Duration::ZERO;
        };
        self.callback_done(kept, CallbackEnd::Joined);
        self.end_call(kept, Cause::Callback);
        waited
    }

    /// By a supervisor.
    pub(crate) fn cancel_callback(&mut self, id: CallId) {
        if self.calls.get(&id).is_some_and(Call::is_kept) {
            self.callback_done(id, CallbackEnd::Cancelled);
            self.end_call(id, Cause::BySupervisor);
        }
    }

    pub(crate) fn callback_fact(&mut self, id: CallId, queue: Option<QueueId>, what: What) {
        let queue = queue.or_else(|| Some(self.calls.get(&id)?.callback.as_ref()?.queue.clone()));
        self.call_fact(id, |a: &mut About| a.queue = queue, what);
    }
}
