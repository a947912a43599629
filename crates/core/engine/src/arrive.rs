//! From an INVITE to an answered call in its flow.
//!
//! ```text
//!  Incoming ─▶ known number? codec? port? ─▶ Arriving ── Opened ──▶ 200, flow begins (Ivr)
//!      │ no                                     │ OpenFailed: the next port, at most PORT_TRIES
//!      └─▶ rejected 404 / 488 / 480             └─ PORT_WAIT passed ─▶ rejected 480
//! ```

use crate::call::{Call, Leg, Media};
use crate::centre::Centre;
use crate::{Output, Place};
use base::fact::{Direction, What};
use base::{AgentId, CallId, Cause, LegId, PartyId, Pii, Tenant};
use ring::hmac;
use sip::{IncomingInvite, Peer, Reason, Refusal, SessionId};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// An ACK comes within 32 s of the 200 or never (RFC 3261 13.3.1.4).
const ACK_WAIT: Duration = Duration::from_secs(35);
const PORT_TRIES: u8 = 8;
/// The media plane answers in microseconds; this long without a word and it is gone.
const PORT_WAIT: Duration = Duration::from_secs(2);

/// Where a call that may come in leads.
struct Way {
    tenant: Tenant,
    flow: Option<(Arc<ivr::Flow>, Option<base::Lang>)>,
    ask: Option<(AgentId, acd::Ask)>,
}

impl Centre {
    pub(crate) fn on_incoming(&mut self, session: SessionId, peer: Peer, invite: IncomingInvite) {
        let way = self.way(&peer, &invite.dialled);
        let id = self.new_call(session, &peer, &invite, way.as_ref());
        let direction = self.calls[&id].direction;
        // A number that is none of ours may be anybody's: it does not go into a log that is kept for years.
        let number = if way.is_some() { invite.dialled.to_string() } else { String::new() };
        let trunk = self.calls[&id].trunk.to_string();
        self.call_fact(id, |_| (), What::CallArrived { direction, trunk, number });
        let Some(way) = way else { return self.reject(id, 404, Cause::UnknownNumber) };
        if let Some(offer) = &invite.offer {
            let probe = self.local(invite.flow, 9, 0);
            if let Err(refused) = sip::sdp::answer(offer, &probe) {
                let status = refused.status();
                return self.reject(id, status, if status == 488 { Cause::CodecMismatch } else { Cause::ProtocolError });
            }
        }
        if invite.max_forwards == 0 {
            return self.reject(id, 483, Cause::Loop);
        }
        let Some(port) = self.ports.take_leaving(self.reserve()) else { return self.reject(id, 480, Cause::NoPorts) };
        let deadline = self.now.mono + PORT_WAIT;
        if let Some(call) = self.calls.get_mut(&id) {
            call.leg.media = Media::Opening(port);
            call.deadline = Some(deadline);
            call.flow = way.flow.map(|(flow, lang)| ivr::Interpreter::new(flow, lang));
            call.ask = way.ask;
        }
        self.rearm(id);
        self.open(LegId::caller(id), invite.flow, port);
    }

    /// Ports that callers leave to the phones of agents: without those nobody who waits could ever be answered.
    fn reserve(&self) -> usize {
        self.setup.site.agents.len().min(self.ports.all() / 4)
    }

    fn way(&self, peer: &Peer, dialled: &str) -> Option<Way> {
        match peer {
            Peer::Trunk(_) => {
                let number = self.setup.site.number(dialled)?;
                let flow = self.setup.flows.get(&number.flow)?.clone();
                Some(Way { tenant: number.tenant.clone(), flow: Some((flow, number.lang)), ask: None })
            }
            Peer::Phone(user) => {
                let agent = self.setup.agent_of_user(user)?.clone();
                let ask = self.setup.feature(dialled)?;
                Some(Way { tenant: agent.tenant(), flow: None, ask: Some((agent, ask)) })
            }
        }
    }

    fn new_call(&mut self, session: SessionId, peer: &Peer, invite: &IncomingInvite, way: Option<&Way>) -> CallId {
        self.last_call += 1;
        let id = CallId { node: self.boot.node, epoch: self.boot.epoch, n: self.last_call };
        let leg = LegId::caller(id);
        let (direction, name) = match peer {
            Peer::Trunk(name) => (Direction::Incoming, name),
            Peer::Phone(user) => (Direction::FeatureCode, user),
        };
        // A number that is nobody's belongs to no tenant; the first one is told of it.
        let tenant = way.map(|w| w.tenant.clone()).or_else(|| self.setup.site.tenants.first().cloned());
        let tenant = tenant.unwrap_or_else(|| "none".parse().expect("a valid name"));
        let party = way.and_then(|_| self.party(&tenant, invite));
        let mut caller_leg = Leg::new(leg, Some(session), invite.call_id.clone(), invite.flow, 0);
        caller_leg.media = Media::Closed;
        caller_leg.offer = invite.offer.clone();
        let call = Call {
            id,
            tenant,
            direction,
            trunk: name.clone(),
            number: invite.dialled.clone(),
            caller: invite.caller.clone(),
            party,
            lang: None,
            arrived: self.now,
            place: Place::Arriving,
            since: self.now,
            rev: 0,
            leg: caller_leg,
            answered: false,
            flow: None,
            ask: None,
            visit: None,
            visits: 0,
            waiting_since: None,
            waited: Duration::ZERO,
            max_forwards: invite.max_forwards.saturating_sub(1),
            offers: BTreeMap::new(),
            agent_legs: BTreeMap::new(),
            conversation: None,
            legs: 1,
            conversations: 0,
            deadline: None,
            ending: None,
        };
        self.sessions.insert(session, leg);
        self.calls.insert(id, call);
        id
    }

    /// The same number of the same tenant has the same id; a withheld one has none.
    fn party(&mut self, tenant: &Tenant, invite: &IncomingInvite) -> Option<PartyId> {
        let number = invite.caller.reveal();
        if number.is_empty() || number.eq_ignore_ascii_case("anonymous") {
            return None;
        }
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.boot.party_key);
        let tag = hmac::sign(&key, format!("{tenant}|{number}").as_bytes());
        let party = PartyId(u64::from_be_bytes(tag.as_ref()[..8].try_into().expect("SHA-256 has 32 bytes")));
        let name = Pii::new(invite.caller_name.reveal().clone());
        self.out.push(Output::Party { tenant: tenant.clone(), party, number: invite.caller.clone(), name });
        Some(party)
    }

    /// What we say of ourselves in SDP.
    pub(crate) fn local(&self, flow: sip::Flow, port: u16, session_id: u64) -> sip::sdp::Local {
        let address = self.setup.site.media.advertise.unwrap_or(flow.local.ip());
        sip::sdp::Local::new(address, port, session_id)
    }

    pub(crate) fn open(&mut self, leg: LegId, flow: sip::Flow, port: u16) {
        // An address that is only advertised is the NAT's, and cannot be bound.
        let address = match self.setup.site.sip.advertise {
            Some(_) => self.boot.sip.ip(),
            None => flow.local.ip(),
        };
        self.tell_media(media::Command::Open { leg, address, port });
    }

    /// The caller's port is there: answer, and let the flow speak.
    pub(crate) fn on_caller_opened(&mut self, id: CallId, port: u16) {
        let session_id = self.random.bits() >> 2;
        let Some(call) = self.calls.get(&id) else { return };
        let Some(session) = call.leg.session else { return };
        let local = self.local(call.leg.flow, port, session_id);
        let answered = match &call.leg.offer {
            Some(offer) => sip::sdp::answer(offer, &local).map(|(sdp, audio)| (sdp, Some(audio))),
            // Without an offer, ours goes out in the 200 and the answer comes in the ACK (RFC 3261 13.3.1).
            None => Ok((sip::sdp::offer(&local), None)),
        };
        let (sdp, audio) = match answered {
            Ok(both) => both,
            Err(refused) => return self.reject(id, refused.status(), Cause::CodecMismatch),
        };
        let leg = LegId::caller(id);
        if let Some(call) = self.calls.get_mut(&id) {
            call.leg.media = Media::Open(port);
            call.leg.local = Some(local);
            call.leg.offer = None;
            call.answered = true;
            // Without an offer the answer comes in the ACK, and the flow begins then.
            call.deadline = audio.is_none().then(|| self.now.mono + ACK_WAIT);
            call.goes_to(Place::Ivr, self.now);
        }
        self.tell_sip(sip::Input::Answer { session, sdp });
        self.call_fact(id, |_| (), What::CallAnswered {});
        if let Some(audio) = audio {
            self.configure_leg(leg, audio);
            self.begin(id);
        }
        self.rearm(id);
    }

    /// The first thing the call does once media can flow.
    pub(crate) fn begin(&mut self, id: CallId) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        call.deadline = None;
        if let Some((agent, ask)) = call.ask.take() {
            return self.on_feature_code(id, agent, ask);
        }
        self.enter_flow(id, ivr::Input::Start);
    }

    /// Tells the media plane what was negotiated.
    pub(crate) fn configure_leg(&mut self, leg: LegId, audio: sip::sdp::Audio) {
        let session = media::Session {
            remote: audio.remote,
            codec: match audio.codec {
                sip::sdp::AudioCodec::Pcmu => media::Codec::Pcmu,
                sip::sdp::AudioCodec::Pcma => media::Codec::Pcma,
            },
            payload: audio.payload,
            dtmf: audio.dtmf,
            send: audio.send,
            receive: audio.receive,
        };
        self.tell_media(media::Command::Configure { leg, session });
        if let Some(leg) = self.calls.get_mut(&leg.call).and_then(|c| c.leg_mut(leg)) {
            if let Some(local) = leg.local.as_mut() {
                local.shape = audio.shape.clone();
            }
            leg.audio = Some(audio);
        }
    }

    pub(crate) fn on_open_failed(&mut self, leg: LegId, port: u16) {
        // It rests at the end of the line: whoever has it may give it back.
        self.ports.give(port);
        let Some(state) = self.calls.get_mut(&leg.call).and_then(|c| c.leg_mut(leg)) else {
            self.closing.remove(&leg);
            return;
        };
        state.media = Media::Closed;
        state.tries += 1;
        let (tries, flow) = (state.tries, state.flow);
        let next = if tries > PORT_TRIES { None } else { self.ports.take() };
        if let (Some(port), Some(state)) = (next, self.calls.get_mut(&leg.call).and_then(|c| c.leg_mut(leg))) {
            state.media = Media::Opening(port);
            return self.open(leg, flow, port);
        }
        if leg.is_caller() {
            self.reject(leg.call, 480, Cause::NoPorts)
        } else {
            self.on_agent_leg_failed(leg, acd::OfferResult::Unreachable)
        }
    }

    /// Refuses a call that was not answered; its last fact.
    pub(crate) fn reject(&mut self, id: CallId, status: u16, cause: Cause) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let session = call.leg.session.take();
        self.close_media(LegId::caller(id));
        if let Some(session) = session {
            self.sessions.remove(&session);
            self.tell_sip(sip::Input::Reject { session, refusal: refusal(status, cause) });
        }
        self.call_fact(id, |a| a.cause = Some(cause), What::CallRejected { status });
        self.forget(id);
    }
}

/// Q.850 says to a telephone network what the status says to SIP (RFC 3326, RFC 3398).
fn refusal(status: u16, cause: Cause) -> Refusal {
    let q850 = |cause: u16, text: &str| Some(Reason { protocol: "Q.850".into(), cause, text: text.into() });
    let reason = match cause {
        Cause::UnknownNumber => q850(1, "Unallocated number"),
        Cause::NoPorts => q850(34, "No circuit available"),
        Cause::CodecMismatch => q850(88, "Incompatible destination"),
        _ => None,
    };
    Refusal { status, phrase: None, reason, retry_after: None }
}
