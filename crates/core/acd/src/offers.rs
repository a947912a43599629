//! Offers: sent once, ended once.
//!
//! ```text
//!                ┌─ accepted   the visit is answered, every other offer of it is withdrawn
//!  Offer ─ring──▶├─ rejected   the agent is barred from this visit (busy: from all) for its `retry`
//!                ├─ timed_out  the agent goes to paused(no_answer), or is logged out after too many in a row
//!                ├─ cancelled  the caller left: the agent is free again as if nothing had been
//!                └─ withdrawn  someone else took it, the visit went elsewhere, or the agent does not want it
//! ```
//! After all but `accepted` and `cancelled` a visit that still waits is open again, at its own place.

use crate::agent::{AgentKey, Phase, Ring, Talk};
use crate::leaving::End;
use crate::seats::AT_FIRST;
use crate::timers::Timer;
use crate::visit::{Bar, BarKey, Hold, Offer, VisitKey};
use crate::{Acd, OfferResult, Output, PACE, Retry, Turn, Why};
use base::{Cause, Instant, Mutation, OfferEnd, OfferId, Outcome, mutated};
use std::time::Duration;

impl Acd {
    /// Rings this free agent for this open visit.
    pub(crate) fn send_offer(&mut self, key: VisitKey, agent: AgentKey, why: Why, turn: &mut Turn) {
        let v = &mut self.visits[key.0];
        let Some(n) = v.last_offer.checked_add(1) else {
            return self.leave(key, End::new(Outcome::System, Cause::Internal), turn);
        };
        v.last_offer = n;
        let offer = Offer { n, agent, sent: turn.now };
        if v.offers.len() == 1
            && !v.offers.spilled()
            && let Some(mut roomy) = self.roomy.pop()
        {
            roomy.append(&mut v.offers);
            v.offers = roomy;
        }
        v.offers.push(offer);
        let ring = Ring { offer: v.offer_id(&offer), visit: key };
        let queue = &self.queues[v.queue.0];
        let until = turn.now + queue.config.ring * if mutated(Mutation::SkipRingDeadline) { 100 } else { 1 };
        let a = &mut self.agents[agent.0];
        turn.say(Output::Offer { offer: ring.offer, agent: a.id.clone(), queue: queue.id.clone(), why });
        self.expect_offers_changed(key, turn.now);
        self.refresh_open(key);
        self.change(agent, Phase::Reserved(ring), Some(until), (Cause::CallWaiting, None), turn);
        self.agents[agent.0].offered = turn.now.max(AT_FIRST);
    }

    /// The offer's one end; the visit is open again. What becomes of the agent is the caller's to say.
    pub(crate) fn end_offer(&mut self, ring: Ring, end: OfferEnd, cause: Option<Cause>, turn: &mut Turn) -> Option<AgentKey> {
        let (key, offer) = (ring.visit, ring.offer);
        let v = &mut self.visits[key.0];
        let at = v.offers.iter().position(|o| o.n == offer.n)?;
        let Offer { agent, sent, .. } = v.offers.remove(at);
        if matches!(end, OfferEnd::TimedOut | OfferEnd::Cancelled | OfferEnd::Withdrawn) {
            turn.say(Output::Withdraw { offer });
        }
        let (id, queue) = (self.agents[agent.0].id.clone(), self.queues[v.queue.0].id.clone());
        turn.say(Output::OfferEnded { offer, agent: id, queue, end, cause, ring: turn.now.since(sent) });
        let (kept, kind) = (v.hold == Hold::KeptFor(agent), v.kind);
        if kept {
            self.release(key);
        }
        // An answered visit leaves at once.
        if end != OfferEnd::Accepted {
            self.expect_offers_changed(key, turn.now);
            if mutated(Mutation::LoseThePlaceOnRequeue) {
                self.visits[key.0].entered = turn.now;
                self.sort_again(key, turn);
                self.set_deadlines(key, turn);
            }
            self.refresh_open(key);
        }
        self.board.suspect(kind);
        Some(agent)
    }

    /// Ends an offer through no doing of the agent, who is free again with the idle clock as it was.
    fn take_back(&mut self, ring: Ring, end: OfferEnd, cause: Option<Cause>, turn: &mut Turn) {
        if let Some(agent) = self.end_offer(ring, end, cause, turn) {
            if end == OfferEnd::Cancelled && mutated(Mutation::CancelledOfferPauses) {
                return self.pause(agent, "".into(), Cause::NoAnswer, turn);
            }
            self.settle(agent, None, cause.unwrap_or(Cause::Requested), turn);
        }
    }

    pub(crate) fn take_back_all(&mut self, key: VisitKey, end: OfferEnd, cause: Option<Cause>, turn: &mut Turn) {
        while let Some(offer) = self.visits[key.0].offers.first().copied() {
            let ring = Ring { offer: self.visits[key.0].offer_id(&offer), visit: key };
            self.take_back(ring, end, cause, turn);
        }
    }

    /// Of an offer that is over there is nothing: the engine hangs up what it dialled.
    fn find_offer(&self, id: OfferId) -> Option<(Ring, AgentKey)> {
        let visit = self.visit_key(id.visit)?;
        let offer = self.visits[visit.0].offer(id.n)?;
        Some((Ring { offer: id, visit }, offer.agent))
    }

    pub(crate) fn on_offer_ringing(&mut self, offer: OfferId, turn: &mut Turn) {
        let Some((ring, agent)) = self.find_offer(offer) else { return };
        let until = self.agents[agent.0].until;
        self.change(agent, Phase::Ringing(ring), until, (Cause::CallWaiting, None), turn);
    }

    pub(crate) fn on_offer_result(&mut self, offer: OfferId, result: OfferResult, turn: &mut Turn) {
        let Some((ring, _)) = self.find_offer(offer) else { return };
        match result {
            OfferResult::Accepted => self.on_accepted(ring, turn),
            OfferResult::Rejected(cause) => self.on_rejected(ring, cause, turn),
            OfferResult::Unreachable => self.on_unreachable(ring, turn),
        }
    }

    fn on_accepted(&mut self, ring: Ring, turn: &mut Turn) {
        let Some(agent) = self.end_offer(ring, OfferEnd::Accepted, None, turn) else { return };
        if !mutated(Mutation::RingAllTwoWinners) {
            self.take_back_all(ring.visit, OfferEnd::Withdrawn, Some(Cause::CallWaiting), turn);
        }
        self.remember_agent(ring.visit, agent);
        let v = &self.visits[ring.visit.0];
        let talk = Talk::offered(v.id, self.queues[v.queue.0].id.clone(), v.queue);
        self.drop_visit(ring.visit, End { outcome: Outcome::Answered, cause: None, to: None }, true, turn);
        let a = &mut self.agents[agent.0];
        (a.misses, a.calls) = (0, a.calls.saturating_add(1));
        self.change(agent, Phase::Talking(talk), None, (Cause::CallWaiting, None), turn);
    }

    fn on_rejected(&mut self, ring: Ring, cause: Cause, turn: &mut Turn) {
        let Some((agent, retry_at)) = self.end_refused(ring, cause, turn) else { return };
        let until = (cause == Cause::Busy).then_some(retry_at);
        self.settle(agent, until, cause, turn);
    }

    fn on_unreachable(&mut self, ring: Ring, turn: &mut Turn) {
        let Some((agent, retry_at)) = self.end_refused(ring, Cause::Unreachable, turn) else { return };
        self.change(agent, Phase::Unreachable, Some(retry_at), (Cause::Unreachable, None), turn);
    }

    /// Somebody or something said no: other agents are tried at once, this one for this visit not before the delay.
    fn end_refused(&mut self, ring: Ring, cause: Cause, turn: &mut Turn) -> Option<(AgentKey, Instant)> {
        let agent = self.end_offer(ring, OfferEnd::Rejected, Some(cause), turn)?;
        let queue = self.visits[ring.visit.0].queue;
        let retry_at = turn.now + retry_after(&self.queues[queue.0].config.retry, cause).max(PACE);
        self.agents[agent.0].misses = 0;
        self.bar(ring.visit, agent, retry_at);
        Some((agent, retry_at))
    }

    /// RONA: it rang long enough.
    pub(crate) fn on_ring_elapsed(&mut self, ring: Ring, turn: &mut Turn) {
        let Some(key) = self.end_offer(ring, OfferEnd::TimedOut, Some(Cause::NoAnswer), turn) else { return };
        let agent = &mut self.agents[key.0];
        agent.misses = agent.misses.saturating_add(1);
        let cap = agent.config.max_misses;
        if cap > 0 && agent.misses >= cap && !mutated(Mutation::MissesNeverCount) {
            self.log_out(key, Cause::NoAnswer, turn);
        } else {
            let reason = Some(self.reasons.no_answer.clone());
            self.change(key, Phase::Paused { missed: true }, None, (Cause::NoAnswer, reason), turn);
        }
    }

    fn bar(&mut self, visit: VisitKey, agent: AgentKey, until: Instant) {
        if mutated(Mutation::SkipBarred) {
            return;
        }
        let bar = BarKey(self.bars.insert(Bar { visit, agent }));
        self.visits[visit.0].barred.push((agent, bar));
        let barred = &mut self.agents[agent.0].barred;
        barred.insert(barred.partition_point(|(other, _)| *other < visit), (visit, bar));
        self.timers.set(Timer::Bar(bar), Some(until));
    }

    /// The agent may be tried for this visit again.
    pub(crate) fn on_bar_due(&mut self, key: BarKey) {
        let Bar { agent, .. } = self.bars[key.0];
        self.lift(key);
        self.woken_agents.push(agent);
    }

    fn lift(&mut self, key: BarKey) {
        let Bar { visit, agent } = self.bars[key.0];
        self.visits[visit.0].barred.retain(|(_, bar)| *bar != key);
        self.agents[agent.0].barred.retain(|(_, bar)| *bar != key);
        self.timers.set(Timer::Bar(key), None);
        self.bars.remove(key.0);
    }

    pub(crate) fn drop_bars_of_visit(&mut self, visit: VisitKey) {
        while let Some((_, bar)) = self.visits[visit.0].barred.last().copied() {
            self.lift(bar);
        }
    }

    pub(crate) fn drop_bars_of_agent(&mut self, agent: AgentKey) {
        while let Some((_, bar)) = self.agents[agent.0].barred.last().copied() {
            self.lift(bar);
        }
    }
}

fn retry_after(retry: &Retry, cause: Cause) -> Duration {
    match cause {
        Cause::Busy => retry.busy,
        Cause::Unreachable => retry.unreachable,
        _ => retry.rejected,
    }
}
