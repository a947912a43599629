//! What the ACD decides, applied: visits, offers, the states of agents.

use crate::call::{Call, Offer, Visit};
use crate::centre::{Centre, Login};
use crate::{DECISIONS_KEPT, Decision, Place, Reply};
use base::fact::{About, What};
use base::{AgentId, AgentState, Cause, OfferEnd, OfferId, Outcome, QueueId, VisitId};
use std::sync::Arc;
use std::time::Duration;

/// The end of a visit, as the ACD tells it.
struct Leaving {
    visit: VisitId,
    queue: QueueId,
    outcome: Outcome,
    cause: Option<Cause>,
    waited: Duration,
    ringing: bool,
    to: Option<QueueId>,
}

impl Centre {
    pub(crate) fn on_acd(&mut self, output: acd::Output) {
        use acd::Output as O;
        match output {
            O::Entered { visit, queue, requires, priority_s, position, expected, credit } => {
                let what = entered(requires, priority_s, position, expected, credit);
                self.on_entered(visit, queue, what);
            }
            O::Refused { visit, queue, cause } => self.on_refused(visit, queue, cause),
            O::Offer { offer, agent, queue, why } => self.on_offer(offer, agent, queue, why),
            O::Withdraw { offer } => self.stop_ringing(offer),
            O::OfferEnded { offer, agent, queue, end, cause, ring } => self.on_offer_ended(offer, agent, queue, end, cause, ring),
            O::Left { visit, queue, outcome, cause, waited, ringing, to } => {
                self.on_left(Leaving { visit, queue, outcome, cause, waited, ringing, to });
            }
            O::AgentChanged { agent, state, previous, in_previous, cause, reason } => {
                self.on_agent_changed(agent, state, previous, in_previous, cause, reason);
            }
            O::AskKept { .. } => self.reply(Reply::Pending),
            O::AskRefused { why, .. } => {
                self.refusal = Some(why.clone());
                self.reply(Reply::Refused { why });
            }
            O::Coded { agent, visit, queue, code } => self.on_coded(agent, visit, queue, &code),
            O::Announce { visit, position, waited, wait, .. } => self.on_announce(visit, position, waited, wait),
            O::CallCustomer { visit, .. } => self.dial_customer(visit.call),
        }
    }

    fn on_entered(&mut self, visit: VisitId, queue: QueueId, what: What) {
        let now = self.now;
        let Some(call) = self.calls.get_mut(&visit.call) else { return };
        call.visits = call.visits.max(visit.n);
        call.visit = Some(Visit { id: visit, queue: queue.clone() });
        // While its agent asks a queue, the customer does not wait for one.
        if call.conversation.is_none() {
            call.waiting_since.get_or_insert(now);
            call.goes_to(call.waiting_place(), now);
        }
        let about = |a: &mut About| {
            a.visit = Some(visit);
            a.queue = Some(queue);
        };
        self.call_fact(visit.call, about, what);
        if self.calls.get(&visit.call).is_some_and(|c| c.ending.is_some()) {
            // It overflowed in the very moment in which its call ended.
            return self.tell_acd(acd::Input::Leave { visit, outcome: Outcome::Abandoned, cut_off: None });
        }
        self.passed_to_queue(visit.call);
    }

    fn on_refused(&mut self, visit: VisitId, queue: QueueId, cause: Cause) {
        let about = |a: &mut About| {
            a.queue = Some(queue);
            a.cause = Some(cause);
        };
        self.call_fact(visit.call, about, What::QueueRefused {});
        if self.calls.get(&visit.call).is_some_and(|c| c.passing.is_some()) {
            return self.transfer_failed(visit.call, 480);
        }
        if self.calls.get(&visit.call).is_some_and(Call::asks_a_queue) {
            return self.consult_failed(visit.call, 480);
        }
        if self.calls.get(&visit.call).is_some_and(Call::is_kept) {
            return self.rest(visit.call);
        }
        self.enter_flow(visit.call, ivr::Input::QueueRefused(cause));
    }

    fn on_offer(&mut self, offer: OfferId, agent: AgentId, queue: QueueId, why: acd::Why) {
        let now = self.now;
        let Some(call) = self.calls.get_mut(&offer.call()) else { return };
        if !call.asks_a_queue() {
            call.goes_to(Place::Offer, now);
        }
        if call.decisions.len() == DECISIONS_KEPT {
            call.decisions.remove(0);
        }
        let decision = Decision { offer, agent: agent.clone(), queue: queue.clone(), at: now.wall, why: why.clone() };
        call.decisions.push(decision);
        let entry = Offer { agent, queue, why: Some(Box::new(why)), open: 0, legs: 0, refusal: None, winner: None };
        call.offers.insert(offer, entry);
        self.ring(offer);
    }

    fn on_offer_ended(
        &mut self,
        id: OfferId,
        agent: AgentId,
        queue: QueueId,
        end: OfferEnd,
        cause: Option<Cause>,
        ring: Duration,
    ) {
        let ring_ms = ring.as_millis() as u64;
        let what = match end {
            OfferEnd::Accepted => What::OfferAccepted { ring_ms },
            OfferEnd::Rejected => What::OfferRejected { ring_ms },
            OfferEnd::TimedOut => What::OfferTimedOut { ring_ms },
            OfferEnd::Cancelled => What::OfferCancelled { ring_ms },
            OfferEnd::Withdrawn => What::OfferWithdrawn { ring_ms },
        };
        let about = |a: &mut About| {
            a.visit = Some(id.visit);
            a.offer = Some(id);
            a.agent = Some(agent);
            a.queue = Some(queue);
            a.cause = cause;
        };
        self.call_fact(id.call(), about, what);
        if end == OfferEnd::Accepted {
            return;
        }
        self.stop_ringing(id);
        let now = self.now;
        let Some(call) = self.calls.get_mut(&id.call()) else { return };
        call.offers.remove(&id);
        if call.offers.is_empty() && call.place == Place::Offer {
            call.goes_to(call.waiting_place(), now);
        }
    }

    fn on_left(&mut self, leaving: Leaving) {
        let Leaving { visit, queue, outcome, cause, waited, ringing, to } = leaving;
        let limits = self.setup.site.queues.get(&queue);
        let threshold_ms = limits.map_or(0, |q| q.threshold.as_millis() as u64);
        let short_ms = limits.map_or(0, |q| q.short_abandon.as_millis() as u64);
        let agent = self.winner_of(visit).map(|(_, agent, _)| agent);
        let about = |a: &mut About| {
            a.visit = Some(visit);
            a.queue = Some(queue);
            a.agent = agent;
            a.cause = cause;
        };
        let wait_ms = waited.as_millis() as u64;
        self.call_fact(visit.call, about, What::QueueLeft { outcome, wait_ms, ringing, threshold_ms, short_ms, to });
        let Some(call) = self.calls.get_mut(&visit.call) else { return };
        call.visit = None;
        match outcome {
            Outcome::Answered => self.connect(visit),
            // The next visit's `Entered` follows.
            Outcome::Overflowed => (),
            _ if call.ending.is_some() => (),
            _ if call.asks_a_queue() => self.consult_failed(visit.call, 480),
            _ if call.conversation.is_some() => (),
            Outcome::Callback => self.on_place_kept(visit.call),
            _ if call.is_kept() => self.on_place_lost(visit.call, outcome, waited),
            // The flow is there already.
            Outcome::KeyExit | Outcome::Voicemail => {
                self.is_with_flow(visit.call);
            }
            _ => self.enter_flow(visit.call, ivr::Input::QueueLeft(outcome)),
        }
    }

    fn on_announce(&mut self, visit: VisitId, position: u32, waited: Duration, wait: Option<Duration>) {
        let about = |a: &mut About| a.visit = Some(visit);
        let said_ms = wait.map(|wait| wait.as_millis() as u64);
        let wait_ms = waited.as_millis() as u64;
        self.call_fact(visit.call, about, What::QueueAnnounced { position, wait_ms, said_ms });
        let queue = self.calls.get(&visit.call).and_then(|c| c.visit.as_ref()).map(|v| &v.queue);
        let says = queue.and_then(|q| self.setup.site.queues.get(q)).is_none_or(|q| q.announce.position);
        self.tell_flow(visit.call, ivr::Input::Announce { position: says.then_some(position), wait });
    }

    /// The disposition of a conversation, perhaps after its call.
    fn on_coded(&mut self, agent: AgentId, visit: VisitId, queue: QueueId, code: &str) {
        let about = |a: &mut About| {
            a.visit = Some(visit);
            a.agent = Some(agent.clone());
            a.queue = Some(queue.clone());
        };
        let what = What::WrapUpCoded { code: code.into() };
        if self.calls.contains_key(&visit.call) {
            return self.call_fact(visit.call, about, what);
        }
        let mut alone = About { tenant: Some(agent.tenant()), ..About::default() };
        about(&mut alone);
        self.fact(alone, what);
    }

    fn on_agent_changed(
        &mut self,
        agent: AgentId,
        state: AgentState,
        previous: AgentState,
        in_previous: Duration,
        cause: Cause,
        reason: Option<Arc<str>>,
    ) {
        let about =
            |cause| About { tenant: Some(agent.tenant()), agent: Some(agent.clone()), cause: Some(cause), ..About::default() };
        let previous_ms = in_previous.as_millis() as u64;
        let restored = self.restored.remove(&agent);
        let (previous, previous_ms) = match &restored {
            Some(before) => (before.state, self.now.wall.since(before.since.wall).as_millis() as u64),
            None => (previous, previous_ms),
        };
        if let Some(before) = &restored {
            self.logins.insert(agent.clone(), Login::BeforeBoot(before.logged_in.wall));
        } else if previous == AgentState::LoggedOut && state != AgentState::LoggedOut {
            self.logins.insert(agent.clone(), Login::Here(self.now.mono));
            let queues = self.setup.site.agents.get(&agent).map(|a| a.acd.queues.clone()).unwrap_or_default();
            self.fact(about(cause), What::AgentLoggedIn { queues });
        }
        if previous == AgentState::WrapUp && state != AgentState::WrapUp {
            self.fact(about(cause), What::WrapUpEnded { wrapup_ms: previous_ms });
        }
        let reason = reason.or_else(|| self.desk_reason(&agent, state)).map(|r| r.to_string());
        self.fact(about(cause), What::AgentStateChanged { state, previous, previous_ms, reason });
        if state == AgentState::WrapUp {
            // The agent may be called in the very input that the conversation ended in.
            let until = self.acd.wraps_up_until(&agent);
            let limit_ms = until.map_or(0, |at| at.since(self.now.mono).as_millis() as u64);
            self.fact(about(cause), What::WrapUpStarted { limit_ms });
        }
        if state == AgentState::LoggedOut && previous != AgentState::LoggedOut {
            let session = match self.logins.remove(&agent) {
                Some(Login::Here(since)) => self.now.mono.since(since),
                Some(Login::BeforeBoot(since)) => self.now.wall.since(since),
                None => Duration::ZERO,
            };
            self.fact(about(cause), What::AgentLoggedOut { session_ms: session.as_millis() as u64 });
            self.forget_desk(&agent);
        }
    }
}

fn entered(
    requires: base::Requirement,
    priority_s: i64,
    position: u32,
    expected: Option<acd::Expected>,
    credit: Duration,
) -> What {
    let ms = |d: Duration| d.as_millis() as u64;
    let expected_p50_ms = expected.map(|e| ms(e.p50));
    let expected_p90_ms = expected.map(|e| ms(e.p90));
    What::QueueEntered { requires, priority_s, position, expected_p50_ms, expected_p90_ms, credit_ms: ms(credit) }
}
