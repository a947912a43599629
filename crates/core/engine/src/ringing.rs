//! An offer's legs: each phone of the agent is rung, the first 200 wins.
//!
//! ```text
//!  on_offer ─▶ a leg per phone: Open port ─ Opened ─▶ INVITE ─ 180 ─▶ ringing
//!                  │ none                                │ 4 s without a word, refusal, no port
//!                  ▼                                     ▼
//!             Unreachable                     that leg is over; the last one ends the offer
//!                                    200 ─▶ the offer is accepted, the other legs are told
//!                                           "Call completed elsewhere" (calls.md line 2)
//! ```

use crate::Place;
use crate::call::{AgentLeg, Call, Leg, Media};
use crate::centre::Centre;
use acd::OfferResult;
use base::fact::{About, What};
use base::{AgentId, Cause, LegId, OfferId, Pii, VisitId};
use sip::{Dial, Reason};
use site::Phone;
use std::sync::Arc;
use std::time::Duration;

/// No answer at all within this: unreachable, the next agent is tried (calls.md line 3).
const PROVISIONAL_WITHIN: Duration = Duration::from_secs(4);

impl Centre {
    /// Rings every phone of the offer's agent.
    pub(crate) fn ring(&mut self, offer: OfferId) {
        let Some(agent) = self.calls.get(&offer.call()).and_then(|c| c.offers.get(&offer)).map(|o| o.agent.clone()) else {
            return;
        };
        let dials = self.dials(&agent, offer);
        let phones = dials.len();
        let mut started = 0;
        for dial in dials {
            let Some(id) = self.calls.get_mut(&offer.call()).and_then(Call::next_leg) else { break };
            let Some(port) = self.ports.take() else { break };
            let Some(call) = self.calls.get_mut(&offer.call()) else { break };
            let leg = Leg::new(id, None, dial.call_id.clone(), dial.flow, port);
            let flow = dial.flow;
            call.agent_legs.insert(id, AgentLeg { offer, dial: Some(Box::new(dial)), leg });
            self.open(id, flow, port);
            started += 1;
        }
        if let Some(entry) = self.calls.get_mut(&offer.call()).and_then(|c| c.offers.get_mut(&offer)) {
            entry.open = started;
            entry.legs = started;
        }
        if started == 0 {
            // Without a port it is not the agent's fault.
            let result = if phones > 0 { OfferResult::Rejected(Cause::NoPorts) } else { OfferResult::Unreachable };
            self.tell_acd(acd::Input::OfferResult { offer, result });
        }
    }

    fn dials(&mut self, agent: &AgentId, offer: OfferId) -> Vec<Dial> {
        let Some(entry) = self.setup.site.agents.get(agent).cloned() else { return Vec::new() };
        let targets: Vec<(Arc<str>, sip::Flow, Option<sip::DialCredential>)> = match &entry.phone {
            Phone::Registered(c) => self.sip.bindings(&c.user).iter().map(|b| (b.contact.clone(), b.flow, None)).collect(),
            Phone::Address { uri, addr, login } => {
                let credential = login.as_ref().map(|l| sip::DialCredential {
                    realm: l.realm.as_str().into(),
                    username: l.user.as_str().into(),
                    password: Pii::new(l.password.reveal().as_str().into()),
                });
                let local = self.boot.towards.get(&addr.ip()).copied().unwrap_or(self.boot.sip.ip());
                let local = std::net::SocketAddr::new(local, self.boot.sip.port());
                let flow = sip::Flow { transport: sip::Transport::Udp, local, remote: *addr, connection: 0 };
                vec![(uri.as_str().into(), flow, credential)]
            }
        };
        targets.into_iter().map(|(uri, flow, credential)| self.dial(offer, uri, flow, credential)).collect()
    }

    fn dial(&mut self, offer: OfferId, uri: Arc<str>, flow: sip::Flow, credential: Option<sip::DialCredential>) -> Dial {
        let call = self.calls.get(&offer.call());
        let queue = call.and_then(|c| c.offers.get(&offer)).map(|o| o.queue.name().to_string()).unwrap_or_default();
        let lang = call.and_then(|c| c.lang).map(|l| format!(" · {l}")).unwrap_or_default();
        let from_user = call.map(|c| c.caller.clone()).unwrap_or_default();
        // A phone behind a switch that sends the call back to us must not make a circle without end (RFC 7332).
        let hops = call.map_or(0, |c| c.max_forwards);
        let call_header: Arc<str> = offer.call().to_string().into();
        Dial {
            uri,
            flow,
            call_id: format!("{}{}", self.random.token(), self.random.token()).into(),
            from_display: Pii::new(format!("{queue}{lang}").into()),
            from_user,
            sdp: bytes::Bytes::new(),
            credential,
            provisional_within: PROVISIONAL_WITHIN,
            headers: vec![("X-Centralita-Call".into(), call_header), ("Max-Forwards".into(), hops.to_string().into())],
        }
    }

    /// The port for a phone is there: send the INVITE.
    pub(crate) fn on_agent_opened(&mut self, leg: LegId, port: u16) {
        let session = self.sip.new_session();
        let session_id = self.random.bits() >> 2;
        let Some(state) = self.calls.get_mut(&leg.call).and_then(|c| c.agent_legs.get_mut(&leg)) else { return };
        let Some(mut dial) = state.dial.take() else { return };
        let (offer, flow) = (state.offer, dial.flow);
        let local = self.local(flow, port, session_id);
        dial.sdp = sip::sdp::offer(&local);
        if let Some(state) = self.calls.get_mut(&leg.call).and_then(|c| c.agent_legs.get_mut(&leg)) {
            state.leg.media = Media::Open(port);
            state.leg.local = Some(local);
            state.leg.session = Some(session);
        }
        self.sessions.insert(session, leg);
        self.tell_sip(sip::Input::Invite { session, dial });
        let Some(entry) = self.calls.get_mut(&leg.call).and_then(|c| c.offers.get_mut(&offer)) else { return };
        if entry.sent {
            return;
        }
        entry.sent = true;
        let (agent, queue, legs) = (entry.agent.clone(), entry.queue.clone(), entry.legs);
        let about = |a: &mut About| {
            a.visit = Some(offer.visit);
            a.offer = Some(offer);
            a.agent = Some(agent);
            a.queue = Some(queue);
        };
        self.call_fact(leg.call, about, What::OfferSent { legs });
    }

    pub(crate) fn on_progress(&mut self, leg: LegId, status: u16) {
        let Some(offer) = self.offer_of(leg) else { return };
        if (180..190).contains(&status) {
            self.tell_acd(acd::Input::OfferRinging { offer });
        }
    }

    pub(crate) fn on_no_provisional(&mut self, leg: LegId) {
        self.drop_agent_leg(leg, None);
        self.on_agent_leg_failed(leg, OfferResult::Unreachable);
    }

    /// A leg of an offer is over without an answer. A refusal says more than silence; the last leg ends the offer.
    pub(crate) fn on_agent_leg_failed(&mut self, leg: LegId, result: OfferResult) {
        let Some(offer) = self.offer_of(leg) else { return };
        self.close_media(leg);
        let Some(call) = self.calls.get_mut(&leg.call) else { return };
        call.agent_legs.remove(&leg);
        let Some(entry) = call.offers.get_mut(&offer) else { return };
        entry.open = entry.open.saturating_sub(1);
        if matches!(result, OfferResult::Rejected(_)) || entry.refusal.is_none() {
            entry.refusal = Some(result);
        }
        if let (0, None, Some(result)) = (entry.open, entry.winner, entry.refusal) {
            self.tell_acd(acd::Input::OfferResult { offer, result });
        }
    }

    /// The phone's 200. If the offer still stands, the agent has the call.
    pub(crate) fn on_agent_answered(&mut self, leg: LegId, sdp: &[u8]) {
        let Some(call) = self.calls.get_mut(&leg.call) else { return };
        let Some(offer) = call.agent_legs.get(&leg).map(|a| a.offer) else { return };
        let free = call.offers.get(&offer).is_some_and(|o| o.winner.is_none());
        let taken = call.offers.values().any(|o| o.winner.is_some());
        if !free || taken || call.place != Place::Offer {
            self.drop_agent_leg(leg, Some(completed_elsewhere()));
            if let Some(call) = self.calls.get_mut(&leg.call) {
                call.agent_legs.remove(&leg);
            }
            return;
        }
        let local = call.agent_legs.get(&leg).and_then(|a| a.leg.local.clone());
        let Some(Ok(audio)) = local.map(|local| sip::sdp::read_answer(sdp, &local)) else {
            self.drop_agent_leg(leg, None);
            return self.on_agent_leg_failed(leg, OfferResult::Unreachable);
        };
        if let Some(entry) = self.calls.get_mut(&leg.call).and_then(|c| c.offers.get_mut(&offer)) {
            entry.winner = Some(leg);
        }
        self.configure_leg(leg, audio);
        self.tell_acd(acd::Input::OfferResult { offer, result: OfferResult::Accepted });
    }

    /// The ACD took the offer back, or it is over: no phone of it rings any more, except one that won.
    pub(crate) fn stop_ringing(&mut self, offer: OfferId) {
        let Some(call) = self.calls.get(&offer.call()) else { return };
        let talks = call.conversation.as_ref().map(|c| c.leg);
        let won = talks.or_else(|| call.offers.values().find_map(|o| o.winner));
        let rings = |(id, a): (&LegId, &AgentLeg)| (a.offer == offer && Some(*id) != won).then_some(*id);
        let legs: Vec<LegId> = call.agent_legs.iter().filter_map(rings).collect();
        for leg in legs {
            self.drop_agent_leg(leg, won.map(|_| completed_elsewhere()));
            if let Some(call) = self.calls.get_mut(&offer.call()) {
                call.agent_legs.remove(&leg);
            }
        }
    }

    /// Hangs up one phone and frees its port.
    pub(crate) fn drop_agent_leg(&mut self, leg: LegId, reason: Option<Reason>) {
        let Some(state) = self.calls.get_mut(&leg.call).and_then(|c| c.agent_legs.get_mut(&leg)) else { return };
        let session = state.leg.session.take();
        if let Some(session) = session {
            self.tell_sip(sip::Input::HangUp { session, reason });
        }
        self.close_media(leg);
    }

    /// The leg, agent and offer that took this visit.
    pub(crate) fn winner_of(&self, visit: VisitId) -> Option<(LegId, AgentId, OfferId)> {
        let call = self.calls.get(&visit.call)?;
        let won = |(id, o): (&OfferId, &crate::call::Offer)| (id.visit == visit).then_some((o.winner?, o.agent.clone(), *id));
        call.offers.iter().find_map(won)
    }

    fn offer_of(&self, leg: LegId) -> Option<OfferId> {
        self.calls.get(&leg.call)?.agent_legs.get(&leg).map(|a| a.offer)
    }
}

fn completed_elsewhere() -> Reason {
    Reason { protocol: "SIP".into(), cause: 200, text: "Call completed elsewhere".into() }
}
