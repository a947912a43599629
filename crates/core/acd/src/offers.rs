//! Offers: sent once, ended once.
//!
//! ```text
//!                ┌─ accepted   the visit is answered, every other offer of it is withdrawn
//!  Offer ─ring──▶├─ rejected   the agent is barred from this visit (busy: from all) for `retry_delay`
//!                ├─ timed_out  the agent goes to paused(no_answer), or is logged out after too many in a row
//!                ├─ cancelled  the caller left: the agent is free again as if nothing had been
//!                └─ withdrawn  someone else took it, the visit went elsewhere, or the agent does not want it
//! ```
//! After all but `accepted` and `cancelled` a visit that still waits is open again, at its own place.

use crate::agent::{AgentKey, Phase, Talk};
use crate::board::Seat;
use crate::place::millis;
use crate::timers::Timer;
use crate::visit::Offer;
use crate::{Acd, OfferResult, Output, PACE, Retry, Rule, Turn, Why, WrapUpMode};
use base::{Cause, Instant, OfferEnd, OfferId, Outcome, QueueId, VisitId};
use std::time::Duration;

impl Acd {
    /// Rings this free agent for this open visit. `counts` as in [`Why`].
    pub(crate) fn send_offer(&mut self, visit: VisitId, seat: Seat, rule: Rule, counts: (u32, u32), turn: &mut Turn) {
        let config = self.config.clone();
        let Some(v) = self.visits.get_mut(&visit) else { return };
        let Some(queue) = config.queues.get(&v.queue) else { return };
        let Some(n) = v.last_offer.checked_add(1) else {
            return self.leave(visit, Outcome::System, Some(Cause::Internal), None, turn);
        };
        let offer = OfferId { visit, n };
        v.last_offer = n;
        v.offers.push(offer);
        self.offers.insert(offer, Offer { agent: seat.agent, sent: turn.now });
        let score = v.place.score(turn.now, self.board.groups[v.group].weight);
        let why = Why {
            rule,
            score_ms: millis(score),
            idle: turn.now.since(seat.idle_since),
            agents: counts.0,
            visits: counts.1,
            candidates: Default::default(),
            rivals: Default::default(),
        };
        let agent = self.agents[seat.agent.0].id.clone();
        turn.say(Output::Offer { offer, agent, queue: v.queue.clone(), why });
        self.refresh_open(visit);
        self.change(seat.agent, Phase::Reserved(offer), Some(turn.now + queue.ring), Cause::CallWaiting, None, turn);
    }

    /// The offer's one end; the visit is open again. What becomes of the agent is the caller's to say.
    pub(crate) fn end_offer(&mut self, offer: OfferId, end: OfferEnd, cause: Option<Cause>, turn: &mut Turn) -> Option<AgentKey> {
        let Offer { agent, sent } = self.offers.remove(&offer)?;
        if matches!(end, OfferEnd::TimedOut | OfferEnd::Cancelled | OfferEnd::Withdrawn) {
            turn.say(Output::Withdraw { offer });
        }
        let v = self.visits.get_mut(&offer.visit)?;
        v.offers.retain(|o| *o != offer);
        let (id, queue) = (self.agents[agent.0].id.clone(), v.queue.clone());
        turn.say(Output::OfferEnded { offer, agent: id, queue, end, cause, ring: turn.now.since(sent) });
        self.refresh_open(offer.visit);
        Some(agent)
    }

    /// Ends an offer through no doing of the agent, who is free again with the idle clock as it was.
    pub(crate) fn take_back(&mut self, offer: OfferId, end: OfferEnd, cause: Option<Cause>, turn: &mut Turn) {
        if let Some(key) = self.end_offer(offer, end, cause, turn) {
            self.settle(key, None, cause.unwrap_or(Cause::Requested), turn);
        }
    }

    pub(crate) fn on_offer_ringing(&mut self, offer: OfferId, turn: &mut Turn) {
        let Some(key) = self.offers.get(&offer).map(|o| o.agent) else { return };
        let until = self.agents[key.0].until;
        self.change(key, Phase::Ringing(offer), until, Cause::CallWaiting, None, turn);
    }

    /// Of an offer that is over it is ignored: the engine hangs up what it dialled.
    pub(crate) fn on_offer_result(&mut self, offer: OfferId, result: OfferResult, turn: &mut Turn) {
        if !self.offers.contains_key(&offer) {
            return;
        }
        match result {
            OfferResult::Accepted => self.on_accepted(offer, turn),
            OfferResult::Rejected(cause) => self.on_rejected(offer, cause, turn),
            OfferResult::Unreachable => self.on_unreachable(offer, turn),
        }
    }

    fn on_accepted(&mut self, offer: OfferId, turn: &mut Turn) {
        let Some(key) = self.end_offer(offer, OfferEnd::Accepted, None, turn) else { return };
        let Some(v) = self.visits.get(&offer.visit) else { return };
        let queue = v.queue.clone();
        for other in v.offers.clone() {
            self.take_back(other, OfferEnd::Withdrawn, Some(Cause::CallWaiting), turn);
        }
        self.drop_visit(offer.visit, Outcome::Answered, None, None, true, turn);
        self.agents[key.0].misses = 0;
        self.change(key, Phase::Talking(Talk { visit: offer.visit, queue: Some(queue) }), None, Cause::CallWaiting, None, turn);
    }

    fn on_rejected(&mut self, offer: OfferId, cause: Cause, turn: &mut Turn) {
        let Some((key, retry_at)) = self.end_refused(offer, cause, turn) else { return };
        let until = (cause == Cause::Busy).then_some(retry_at);
        self.settle(key, until, cause, turn);
    }

    fn on_unreachable(&mut self, offer: OfferId, turn: &mut Turn) {
        let Some((key, retry_at)) = self.end_refused(offer, Cause::Unreachable, turn) else { return };
        self.change(key, Phase::Unreachable, Some(retry_at), Cause::Unreachable, None, turn);
    }

    /// Somebody or something said no: other agents are tried at once, this one for this visit not before the delay.
    fn end_refused(&mut self, offer: OfferId, cause: Cause, turn: &mut Turn) -> Option<(AgentKey, Instant)> {
        let key = self.end_offer(offer, OfferEnd::Rejected, Some(cause), turn)?;
        let v = self.visits.get_mut(&offer.visit)?;
        let retry_at = turn.now + self.config.queues.get(&v.queue).map_or(PACE, |q| retry_after(&q.retry, cause).max(PACE));
        let agent = &mut self.agents[key.0];
        agent.misses = 0;
        agent.barred.insert(offer.visit);
        v.barred.push(key);
        self.timers.set(Timer::Bar(offer.visit, key), Some(retry_at));
        Some((key, retry_at))
    }

    /// RONA: it rang long enough.
    pub(crate) fn on_ring_elapsed(&mut self, offer: OfferId, turn: &mut Turn) {
        let Some(key) = self.end_offer(offer, OfferEnd::TimedOut, Some(Cause::NoAnswer), turn) else { return };
        let agent = &mut self.agents[key.0];
        agent.misses = agent.misses.saturating_add(1);
        let cap = agent.config.max_misses;
        if cap > 0 && agent.misses >= cap {
            self.log_out(key, Cause::NoAnswer, turn);
        } else {
            self.change(key, Phase::Paused, None, Cause::NoAnswer, Some("no_answer".into()), turn);
        }
    }

    /// The agent may be tried for this visit again.
    pub(crate) fn on_bar_due(&mut self, visit: VisitId, key: AgentKey) {
        if let Some(v) = self.visits.get_mut(&visit) {
            v.barred.retain(|k| *k != key);
        }
        self.agents[key.0].barred.remove(&visit);
        self.woken_agents.push(key);
    }

    pub(crate) fn wrap_up_of(&self, queue: &QueueId) -> Duration {
        self.config.queues.get(queue).map_or(Duration::ZERO, |q| match q.wrap_up.mode {
            WrapUpMode::None | WrapUpMode::Optional => Duration::ZERO,
            WrapUpMode::Timed => q.wrap_up.time.min(q.wrap_up.cap),
            WrapUpMode::Forced => q.wrap_up.cap,
        })
    }
}

fn retry_after(retry: &Retry, cause: Cause) -> Duration {
    match cause {
        Cause::Busy => retry.busy,
        Cause::Unreachable => retry.unreachable,
        _ => retry.rejected,
    }
}
