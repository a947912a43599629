//! An offer's legs: each phone of the agent is rung, the first 200 wins.
//!
//! ```text
//!  on_offer ─▶ a leg per phone: Open port ─ Opened ─▶ INVITE ─ 180 ─▶ ringing
//!                  │ none                                │ 4 s without a word, refusal, no port
//!                  ▼                                     ▼
//!             Unreachable                     that leg is over; the last one ends the offer
//!                                    200 ─▶ (an outside phone: "press 1") ─▶ the offer is accepted, the other legs
//!                                           are told "Call completed elsewhere" (calls.md line 2)
//! ```

use crate::Place;
use crate::centre::Centre;
use crate::dialling::{Shown, completed_elsewhere};
use crate::leg::{Leg, Purpose};
use acd::OfferResult;
use base::fact::{About, What};
use base::{AgentId, CallId, Cause, LegId, Mutation, OfferId, Pii, VisitId, mutated};
use media::{Command, Sound};

impl Centre {
    /// Rings every phone of the offer's agent.
    pub(crate) fn ring(&mut self, offer: OfferId) {
        let id = offer.call();
        let Some(agent) = self.calls.get(&id).and_then(|c| c.offers.get(&offer)).map(|o| o.agent.clone()) else { return };
        let shown = self.shown_to_agent(id);
        let dials = self.dials(id, &agent, &shown);
        let phones = dials.len();
        let started = self.start_dialling(id, &Purpose::Offer(offer), dials);
        if let Some(entry) = self.calls.get_mut(&id).and_then(|c| c.offers.get_mut(&offer)) {
            entry.open = started;
            entry.legs = started;
        }
        if started == 0 {
            // Without a port it is not the agent's fault.
            let result = if phones > 0 { OfferResult::Rejected(Cause::NoPorts) } else { OfferResult::Unreachable };
            self.tell_acd(acd::Input::OfferResult { offer, result });
        }
    }

    /// Account, language and caller, as the agent's phone shows them: "acme · es · +52 …" (calls.md line 8).
    pub(crate) fn shown_to_agent(&self, id: CallId) -> Shown {
        let Some(call) = self.calls.get(&id) else { return Shown::default() };
        let lang = call.lang.map(|l| format!(" · {l}")).unwrap_or_default();
        let caller = call.caller.reveal();
        let caller = if caller.is_empty() { String::new() } else { format!(" · {caller}") };
        Shown { display: Pii::new(format!("{}{lang}{caller}", call.tenant).into()), user: call.caller.clone() }
    }

    /// An INVITE of the offer went out; the first one is its beginning.
    pub(crate) fn offer_sent(&mut self, offer: OfferId) {
        let Some(entry) = self.calls.get_mut(&offer.call()).and_then(|c| c.offers.get_mut(&offer)) else { return };
        let Some(why) = entry.why.take() else { return };
        let (agent, queue, legs) = (entry.agent.clone(), entry.queue.clone(), entry.legs);
        let about = |a: &mut About| {
            a.visit = Some(offer.visit);
            a.offer = Some(offer);
            a.agent = Some(agent);
            a.queue = Some(queue);
        };
        let why = serde_json::to_value(&why).unwrap_or_default();
        self.call_fact(offer.call(), about, What::OfferSent { legs, why });
    }

    pub(crate) fn on_offer_progress(&mut self, offer: OfferId, status: u16) {
        if (180..190).contains(&status) {
            self.tell_acd(acd::Input::OfferRinging { offer });
        }
    }

    /// A leg of an offer is over without an answer. A refusal says more than silence; the last leg ends the offer.
    pub(crate) fn on_offer_leg_failed(&mut self, leg: LegId, offer: OfferId, result: OfferResult) {
        self.drop_leg(leg, None);
        let Some(entry) = self.calls.get_mut(&leg.call).and_then(|c| c.offers.get_mut(&offer)) else { return };
        entry.open = entry.open.saturating_sub(1);
        if matches!(result, OfferResult::Rejected(_)) || entry.refusal.is_none() {
            entry.refusal = Some(result);
        }
        if let (0, None, Some(result)) = (entry.open, entry.winner, entry.refusal) {
            self.tell_acd(acd::Input::OfferResult { offer, result });
        }
    }

    /// The phone's 200. If the offer still stands, the agent has the call.
    pub(crate) fn on_offer_answered(&mut self, leg: LegId, offer: OfferId, sdp: &[u8]) {
        if !self.still_stands(offer) {
            return self.drop_leg(leg, Some(completed_elsewhere()));
        }
        if !self.agreed(leg, sdp) {
            return self.on_offer_leg_failed(leg, offer, OfferResult::Unreachable);
        }
        let agent = self.calls.get(&leg.call).and_then(|c| c.offers.get(&offer)).map(|o| o.agent.clone());
        if agent.is_some_and(|agent| self.wants_a_key(leg, &agent)) {
            return;
        }
        self.take_offer(leg, offer);
    }

    /// The first answer wins.
    pub(crate) fn take_offer(&mut self, leg: LegId, offer: OfferId) {
        if !self.still_stands(offer) {
            return self.drop_leg(leg, Some(completed_elsewhere()));
        }
        if let Some(entry) = self.calls.get_mut(&leg.call).and_then(|c| c.offers.get_mut(&offer)) {
            entry.winner = Some(leg);
        }
        self.tell_acd(acd::Input::OfferResult { offer, result: OfferResult::Accepted });
    }

    fn still_stands(&self, offer: OfferId) -> bool {
        let Some(call) = self.calls.get(&offer.call()) else { return false };
        let taken = call.offers.values().any(|o| o.winner.is_some());
        let wanted = call.place == Place::Offer || call.asks_a_queue();
        wanted && !taken && call.offers.contains_key(&offer)
    }

    /// An outside phone's voicemail must not take the call: whoever answers presses 1 (calls.md line 7).
    pub(crate) fn wants_a_key(&mut self, leg: LegId, agent: &AgentId) -> bool {
        let Some(entry) = self.setup.site.agents.get(agent).filter(|entry| entry.press_to_accept) else { return false };
        let said = speech::notice(entry.lang, speech::AgentNotice::PressToAccept).map(|phrase| phrase.key());
        let Some(state) = self.leg_mut(leg) else { return false };
        state.awaits_key = true;
        self.relink(leg.call);
        if let Some(key) = said {
            let sounds = vec![Sound::Prompt(key.into())];
            self.tell_media(Command::Play { leg, play: crate::conversation::OWN_PLAYS, sounds });
        }
        true
    }

    /// The ACD took the offer back, or it is over: no phone of it rings any more, except one that won.
    pub(crate) fn stop_ringing(&mut self, offer: OfferId) {
        let Some(call) = self.calls.get(&offer.call()).filter(|_| !mutated(Mutation::ForgetToCancelOthers)) else { return };
        let won = call.offers.values().find_map(|o| o.winner).or_else(|| call.conversation.as_ref().map(|c| c.leg));
        let rings = |leg: &Leg| (leg.purpose == Purpose::Offer(offer) && Some(leg.id) != won).then_some(leg.id);
        let legs: Vec<LegId> = call.legs.values().filter_map(rings).collect();
        let elsewhere = won.is_some() && call.third.is_none();
        for leg in legs {
            self.drop_leg(leg, elsewhere.then(completed_elsewhere));
        }
    }

    /// The leg, agent and offer that took this visit.
    pub(crate) fn winner_of(&self, visit: VisitId) -> Option<(LegId, AgentId, OfferId)> {
        let call = self.calls.get(&visit.call)?;
        let won = |(id, o): (&OfferId, &crate::call::Offer)| (id.visit == visit).then_some((o.winner?, o.agent.clone(), *id));
        call.offers.iter().find_map(won)
    }
}

/// What a phone's final status means for the offer.
pub(crate) fn result_of(status: u16) -> OfferResult {
    match status {
        486 | 600 => OfferResult::Rejected(Cause::Busy),
        603 | 403 => OfferResult::Rejected(Cause::Declined),
        300..=399 => OfferResult::Rejected(Cause::Diverted),
        _ => OfferResult::Unreachable,
    }
}
