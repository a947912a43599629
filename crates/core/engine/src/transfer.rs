//! A conversation passed on by its agent (calls.md line 9).
//!
//! ```text
//!  to a queue: ─▶ the agent is free ─▶ a new visit, with all that was waited as credit
//!                                        │ the queue does not take it
//!                                        ▼
//!  blind, or consulted and      ─▶ rings (music) ─ nobody ─▶ recall: the agent is called back ─ nobody ─▶ the old place
//!  completed before the answer        │ answered                  │ answered                  (an apology, the front
//!                                     ▼                           ▼                            of the line)
//!  consulted, completed        ─▶ an agent: the next conversation; a number: with somebody outside
//! ```
//! A phone that asked by REFER stays on its line until it was told how that went.

use crate::Place;
use crate::centre::Centre;
use crate::leg::Purpose;
use crate::party::{Errand, Party, Passing, Role, Third};
use base::fact::{Transfer, What};
use base::{CallId, Cause, LegId, Mutation, QueueId, mutated};
use std::time::Duration;

impl Centre {
    /// Passes the call on to a queue of its tenant.
    pub(crate) fn transfer_to_queue(&mut self, id: CallId, queue: QueueId, refer: Option<LegId>) {
        let to = format!("queue/{}", queue.name());
        if self.part(id, Transfer::ToQueue, to, refer).is_none() {
            return;
        }
        self.enters(id, queue);
        self.relink(id);
    }

    fn enters(&mut self, id: CallId, queue: QueueId) {
        let Some((waited, asked)) = self.calls.get(&id).map(|c| (c.waited, c.asks_again())) else { return };
        let waited = if mutated(Mutation::TransferForgetsTheWait) { Duration::ZERO } else { waited };
        self.visit(id, queue, asked, waited);
    }

    /// The queue took a call that was passed on.
    pub(crate) fn passed_to_queue(&mut self, id: CallId) {
        if self.calls.get(&id).is_some_and(|c| c.passing.is_some()) {
            self.stop_passing(id, 200);
            self.tell_flow(id, ivr::Input::Transferred);
            self.relink(id);
        }
    }

    /// Passes the call on without asking.
    pub(crate) fn transfer_to(&mut self, id: CallId, to: Party, refer: Option<LegId>) {
        let kind = if matches!(to, Party::Number(_)) { Transfer::External } else { Transfer::Blind };
        if self.part(id, kind, to.to_string(), refer).is_none() {
            return;
        }
        self.on_its_way(id, &to);
        let shown = self.shown_to_agent(id);
        self.reach(id, Errand::Transfer, to, &shown);
    }

    /// Whoever is consulted, or takes part, has the call: also while it still rings there.
    pub(crate) fn complete_transfer(&mut self, id: CallId, refer: Option<LegId>) {
        let Some(third) = self.calls.get(&id).and_then(|c| c.third.as_ref()) else { return };
        let (to, leg, from) = (third.to.clone(), third.leg, third.from.clone());
        let kind = match to {
            Party::Agent(_) => Transfer::Attended,
            Party::Number(_) => Transfer::External,
            Party::Queue(_) => Transfer::ToQueue,
        };
        if self.part(id, kind, to.to_string(), refer).is_none() {
            return;
        }
        if let Some(call) = self.calls.get_mut(&id) {
            call.third = None;
            // The wrap-up is that of the queue which found the agent.
            call.passing.iter_mut().for_each(|p| p.queue = from.clone().or(p.queue.take()));
        }
        match (leg, &to) {
            (Some(leg), _) => self.transfer_reached(id, leg, to),
            (None, Party::Queue(queue)) => self.goes_on_waiting(id, queue.clone()),
            (None, _) => self.goes_on_ringing(id, to),
        }
        self.relink(id);
    }

    fn goes_on_ringing(&mut self, id: CallId, to: Party) {
        self.on_its_way(id, &to);
        let rings = self.calls.get(&id).is_some_and(|call| call.reaches.contains_key(&Errand::Consult));
        if !rings {
            // The phone that consults had no port yet: nobody is rung so far.
            let shown = self.shown_to_agent(id);
            return self.reach(id, Errand::Transfer, to, &shown);
        }
        let Some(call) = self.calls.get_mut(&id) else { return };
        for leg in call.reached(&Errand::Consult) {
            if let Some(leg) = call.legs.get_mut(&leg) {
                leg.purpose = Purpose::Reached(Errand::Transfer);
            }
        }
        if let Some(reach) = call.reaches.remove(&Errand::Consult) {
            call.reaches.insert(Errand::Transfer, reach);
        }
    }

    /// The visit that was to find somebody to consult is the customer's from now on.
    fn goes_on_waiting(&mut self, id: CallId, queue: QueueId) {
        let now = self.now;
        if self.calls.get(&id).is_some_and(|call| call.visit.is_none()) {
            // The phone that consults had no port yet: the queue was not asked so far.
            return self.enters(id, queue);
        }
        let Some(call) = self.calls.get_mut(&id) else { return };
        call.waiting_since = Some(now);
        call.goes_to(if call.offers.is_empty() { Place::Queue } else { Place::Offer }, now);
        self.passed_to_queue(id);
    }

    fn on_its_way(&mut self, id: CallId, to: &Party) {
        let now = self.now;
        let place = if matches!(to, Party::Agent(_)) { Place::Offer } else { Place::External };
        if let Some(call) = self.calls.get_mut(&id) {
            call.goes_to(place, now);
        }
    }

    /// The agent's part in the call is over; the call is on its way. `None`: there is no conversation to pass on.
    fn part(&mut self, id: CallId, kind: Transfer, to: String, refer: Option<LegId>) -> Option<()> {
        let call = self.calls.get(&id).filter(|c| c.ending.is_none() && c.customer.is_some())?;
        let conversation = call.conversation.as_ref()?;
        let (by, queue, leg) = (conversation.agent.clone(), conversation.queue.clone(), conversation.leg);
        let second = call.second().map(|l| l.id);
        self.conversation_fact(id, None, What::AgentLegTransferred { kind, to });
        self.finish_conversation(id, Cause::Transferred);
        for leg in [Some(leg), second].into_iter().flatten() {
            match self.leg_mut(leg) {
                Some(state) if refer == Some(leg) => state.purpose = Purpose::Leaving,
                _ => self.drop_leg(leg, None),
            }
        }
        let call = self.calls.get_mut(&id)?;
        call.own = None;
        call.passing = Some(Passing { by, refer, queue });
        Some(())
    }

    pub(crate) fn transfer_reached(&mut self, id: CallId, leg: LegId, to: Party) {
        let now = self.now;
        let queue = self.calls.get(&id).and_then(|c| c.passing.as_ref()).and_then(|p| p.queue.clone());
        self.stop_passing(id, 200);
        match to {
            Party::Agent(agent) => {
                self.assign(&agent, id, queue.clone());
                self.converse(id, agent, leg, queue, false);
            }
            to => {
                let Some(call) = self.calls.get_mut(&id) else { return };
                call.third = Some(Third { to, role: Role::Has, from: None, leg: Some(leg) });
                call.goes_to(Place::External, now);
                self.call_fact(id, |_| (), What::CallForwarded {});
                self.renew(id);
            }
        }
        self.relink(id);
    }

    /// Nobody took it: back to the agent who passed it on.
    pub(crate) fn transfer_failed(&mut self, id: CallId, status: u16) {
        self.tell_referrer(id, status);
        let now = self.now;
        let Some(call) = self.calls.get_mut(&id) else { return };
        call.goes_to(Place::Offer, now);
        let Some(by) = call.passing.as_ref().map(|p| p.by.clone()) else { return };
        let shown = self.shown_to_agent(id);
        self.reach(id, Errand::Recall, Party::Agent(by), &shown);
    }

    pub(crate) fn recall_failed(&mut self, id: CallId) {
        self.stop_passing(id, 480);
        self.back_to_the_line(id, Cause::NoAnswer);
    }

    /// It is on its way no more; the phone that asked hears how it went.
    pub(crate) fn stop_passing(&mut self, id: CallId, status: u16) {
        self.tell_referrer(id, status);
        self.give_up(id, &Errand::Transfer);
        self.give_up(id, &Errand::Recall);
        if let Some(call) = self.calls.get_mut(&id) {
            call.passing = None;
        }
    }

    /// NOTIFY with the final status (RFC 3515 2.4.5), and the phone's line is free.
    fn tell_referrer(&mut self, id: CallId, status: u16) {
        let passing = self.calls.get_mut(&id).and_then(|c| c.passing.as_mut());
        let Some(leg) = passing.and_then(|p| p.refer.take()) else { return };
        if let Some(session) = self.leg_mut(leg).and_then(|l| l.session) {
            self.tell_sip(sip::Input::ReferProgress { session, status });
        }
        self.drop_leg(leg, None);
    }

    /// The phone that asked did not wait for the answer.
    pub(crate) fn leaving_gone(&mut self, leg: LegId) {
        self.drop_leg(leg, None);
        let passing = self.calls.get_mut(&leg.call).and_then(|c| c.passing.as_mut());
        if let Some(passing) = passing.filter(|p| p.refer == Some(leg)) {
            passing.refer = None;
        }
    }
}
