//! What the core says, as the facts that the engine makes of it.

use crate::people::Caller;
use acd::{Config, Output};
use base::fact::{About, Fact, What};
use base::{AgentState, Cause, Now, OfferEnd, OfferId, Outcome, QueueId, VisitId};
use std::sync::Arc;
use std::time::Duration;

/// None of what only the engine and the caller's ear need. Thresholds are those of the configuration.
pub fn fact_of(config: &Config, now: Now, output: &Output, caller: Option<&Caller>) -> Option<Fact> {
    let (about, what) = match output.clone() {
        Output::Entered { visit, queue, requires, priority_s, position, expected, credit } => {
            let (expected_p50_ms, expected_p90_ms) = (expected.map(|e| millis(e.p50)), expected.map(|e| millis(e.p90)));
            let credit_ms = millis(credit);
            let what = What::QueueEntered { requires, priority_s, position, expected_p50_ms, expected_p90_ms, credit_ms };
            (of_visit(visit, queue, None, caller), what)
        }
        Output::Refused { visit, queue, cause } => {
            let about = of_visit(visit, queue, Some(cause), caller);
            (About { visit: None, ..about }, What::QueueRefused {})
        }
        Output::Left { visit, queue, outcome, cause, waited, ringing, to } => {
            let what = left(config, &queue, outcome, waited, ringing, to);
            (of_visit(visit, queue, cause, caller), what)
        }
        Output::Offer { offer, agent, queue, .. } => {
            let about = About { agent: Some(agent), ..of_offer(offer, queue, None) };
            (about, What::OfferSent { legs: 1, why: Default::default() })
        }
        Output::OfferEnded { offer, agent, queue, end, cause, ring } => {
            (About { agent: Some(agent), ..of_offer(offer, queue, cause) }, offer_end(end, millis(ring)))
        }
        Output::AgentChanged { agent, state, previous, in_previous, cause, reason } => {
            let about = About { agent: Some(agent), cause: Some(cause), ..About::default() };
            (about, changed(state, previous, in_previous, reason))
        }
        _ => return None,
    };
    Some(Fact { now, about, what })
}

fn of_visit(visit: VisitId, queue: QueueId, cause: Option<Cause>, caller: Option<&Caller>) -> About {
    let (lang, party) = (caller.and_then(|c| c.lang), caller.and_then(|c| c.party));
    About { call: Some(visit.call), visit: Some(visit), queue: Some(queue), cause, lang, party, ..About::default() }
}

fn of_offer(offer: OfferId, queue: QueueId, cause: Option<Cause>) -> About {
    About { offer: Some(offer), ..of_visit(offer.visit, queue, cause, None) }
}

fn left(config: &Config, queue: &QueueId, outcome: Outcome, waited: Duration, ringing: bool, to: Option<QueueId>) -> What {
    let settings = config.queues.get(queue);
    let threshold_ms = settings.map_or(0, |q| millis(q.threshold));
    let short_ms = settings.map_or(0, |q| millis(q.short_abandon));
    What::QueueLeft { outcome, wait_ms: millis(waited), ringing, threshold_ms, short_ms, to }
}

fn changed(state: AgentState, previous: AgentState, in_previous: Duration, reason: Option<Arc<str>>) -> What {
    let reason = reason.map(|r| r.to_string());
    What::AgentStateChanged { state, previous, previous_ms: millis(in_previous), reason }
}

fn offer_end(end: OfferEnd, ring_ms: u64) -> What {
    match end {
        OfferEnd::Accepted => What::OfferAccepted { ring_ms },
        OfferEnd::Rejected => What::OfferRejected { ring_ms },
        OfferEnd::TimedOut => What::OfferTimedOut { ring_ms },
        OfferEnd::Cancelled => What::OfferCancelled { ring_ms },
        OfferEnd::Withdrawn => What::OfferWithdrawn { ring_ms },
    }
}

fn millis(d: Duration) -> u64 {
    u64::try_from(d.as_millis()).unwrap_or(u64::MAX)
}
