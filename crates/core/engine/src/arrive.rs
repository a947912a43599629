//! From an INVITE to what it is for: a caller for a flow, or an agent's phone.
//!
//! ```text
//!  Incoming ─▶ what for? codec? port? ─▶ Arriving ── Opened ──▶ 200, or 183 until an agent answers: the flow begins (Ivr)
//!      │ nothing known                     │ OpenFailed: the next port, a few times
//!      └─▶ rejected 404 / 488 / 480        └─ PORT_WAIT passed ─▶ rejected 480
//!
//!  An agent's phone: a feature code and a call of its own are calls; a consultation and monitoring are legs of the
//!  call that they are about.
//! ```

use crate::call::{Call, Own, OwnAct};
use crate::centre::Centre;
use crate::leg::{Leg, Purpose};
use crate::party::Party;
use crate::way::Way;
use crate::{Output, Place, identity};
use base::fact::{Direction, What};
use base::{CallId, Cause, LegId, PartyId, Pii, Tenant};
use ring::hmac;
use sip::sdp::AudioCodec;
use sip::{IncomingInvite, Peer, Reason, Refusal, SessionId};
use std::sync::Arc;
use std::time::Duration;

/// An ACK comes within 32 s of the 200 or never (RFC 3261 13.3.1.4).
const ACK_WAIT: Duration = Duration::from_secs(35);
/// The media plane answers in microseconds; this long without a word and it is gone.
const PORT_WAIT: Duration = Duration::from_secs(2);

impl Centre {
    pub(crate) fn on_incoming(&mut self, session: SessionId, peer: Peer, invite: IncomingInvite) {
        match self.way(&peer, &invite) {
            Some(Way::Joins { call, purpose, to }) => self.join((session, &peer), &invite, call, purpose, to),
            Some(Way::Refused(status)) => self.refuse_session(session, status),
            way => self.arrive(session, &peer, &invite, way),
        }
    }

    fn arrive(&mut self, session: SessionId, peer: &Peer, invite: &IncomingInvite, way: Option<Way>) {
        let id = self.new_call(session, peer, invite, way.as_ref());
        let direction = self.calls[&id].direction;
        let shown = match &way {
            // A number that is none of ours may be anybody's: it does not go into a log that is kept for years.
            None => String::new(),
            Some(Way::Own { act: OwnAct::Call(Party::Number(_)), .. }) => String::new(),
            Some(Way::Flow { dialled, .. }) => dialled.to_string(),
            Some(_) => invite.dialled.to_string(),
        };
        let trunk = self.calls[&id].trunk.to_string();
        let owner = if let Some(Way::Own { agent, .. }) = &way { Some(agent.clone()) } else { None };
        self.call_fact(id, |a| a.agent = owner, What::CallArrived { direction, trunk, number: shown });
        let Some(way) = way else { return self.reject(id, 404, Cause::UnknownNumber) };
        if let Some((status, cause)) =
            self.unacceptable(invite, &self.codecs_of(peer, &self.calls[&id].tenant)).or_else(|| self.take_channel(id))
        {
            return self.reject(id, status, cause);
        }
        let reserve = if direction == Direction::Incoming { self.reserve() } else { 0 };
        let shared = if let Peer::Trunk(trunk) = peer { self.shared_port(trunk) } else { None };
        let Some(port) = shared.or_else(|| self.ports.take_leaving(reserve)) else { return self.reject(id, 480, Cause::NoPorts) };
        let deadline = self.now.mono + PORT_WAIT;
        if let Some(call) = self.calls.get_mut(&id) {
            call.deadline = Some(deadline);
            match way {
                Way::Flow { flow, lang, .. } => call.flow = Some(ivr::Interpreter::new(flow, lang)),
                Way::Own { agent, act, .. } => call.own = Some(Own { agent, act }),
                Way::Joins { .. } | Way::Refused(_) => {}
            }
        }
        self.rearm(id);
        // From now on, not from when its port is there: an offer may be answered in between.
        self.engage_own(id);
        self.open(LegId::caller(id), invite.flow, port);
    }

    /// What cannot be talked about at all is refused before a port is taken.
    fn unacceptable(&self, invite: &IncomingInvite, codecs: &[AudioCodec]) -> Option<(u16, Cause)> {
        if let Some(offer) = &invite.offer {
            let probe = self.local(invite.flow, codecs, 9, 0);
            if let Err(refused) = sip::sdp::answer(offer, &probe) {
                let status = refused.status();
                return Some((status, if status == 488 { Cause::CodecMismatch } else { Cause::ProtocolError }));
            }
        }
        (invite.max_forwards == 0).then_some((483, Cause::Loop))
    }

    /// What a call that comes from there may use.
    fn codecs_of(&self, peer: &Peer, tenant: &Tenant) -> Vec<AudioCodec> {
        let site = &self.setup.site;
        match peer {
            Peer::Trunk(trunk) => site.codecs_of_trunk(trunk, Some(tenant)).to_vec(),
            Peer::Phone(user) => {
                site.agent_of_user(user).map_or(&site.media.codecs[..], |(id, _)| site.codecs_of_agent(id)).to_vec()
            }
        }
    }

    fn refuse_session(&mut self, session: SessionId, status: u16) {
        let refusal = Refusal { status, phrase: None, reason: None, retry_after: None };
        self.tell_sip(sip::Input::Reject { session, refusal });
    }

    /// One more leg of a call, which an agent's phone began.
    fn join(
        &mut self,
        (session, peer): (SessionId, &Peer),
        invite: &IncomingInvite,
        id: CallId,
        purpose: Purpose,
        to: Option<Party>,
    ) {
        let Some(call) = self.calls.get(&id) else { return self.refuse_session(session, 480) };
        let codecs = self.codecs_of(peer, &call.tenant);
        if let Some((status, _)) = self.unacceptable(invite, &codecs) {
            return self.refuse_session(session, status);
        }
        let Some(port) = self.ports.take() else { return self.refuse_session(session, 480) };
        let Some((call, leg)) = self.calls.get_mut(&id).and_then(|c| c.next_leg().map(|leg| (c, leg))) else {
            self.ports.give(port);
            return self.refuse_session(session, 480);
        };
        let mut state = Leg::new(leg, purpose.clone(), invite.call_id.clone(), invite.flow);
        state.session = Some(session);
        state.inbound = true;
        state.offer = invite.offer.clone();
        state.codecs = codecs;
        call.legs.insert(leg, state);
        self.sessions.insert(session, leg);
        match (purpose, to) {
            (Purpose::Second, Some(to)) => self.second_begins(id, to),
            (Purpose::Monitor(supervisor), _) => self.monitor_dialled(id, supervisor),
            _ => {}
        }
        self.open(leg, invite.flow, port);
    }

    /// Ports that callers leave to the phones of agents: without those nobody who waits could ever be answered.
    fn reserve(&self) -> usize {
        self.setup.site.agents.len().min(self.ports.all() / 4)
    }

    pub(crate) fn next_call(&mut self, tenant: Tenant, direction: Direction) -> Call {
        self.last_call += 1;
        let id = CallId { node: self.boot.node, epoch: self.boot.epoch, n: self.last_call };
        Call::new(id, tenant, direction, self.now)
    }

    fn new_call(&mut self, session: SessionId, peer: &Peer, invite: &IncomingInvite, way: Option<&Way>) -> CallId {
        // A number that is nobody's belongs to no tenant; the first one is told of it.
        let nobodys = || self.setup.site.tenants.first().cloned().unwrap_or_else(|| "none".parse().expect("a valid name"));
        let (tenant, direction, purpose) = match (way, peer) {
            (Some(Way::Flow { tenant, .. }), _) => (tenant.clone(), Direction::Incoming, Purpose::Customer),
            (Some(Way::Own { agent, act: OwnAct::Call(_), direction }), _) => (agent.tenant(), *direction, Purpose::Agent),
            (Some(Way::Own { agent, direction, .. }), _) => (agent.tenant(), *direction, Purpose::Customer),
            (_, Peer::Trunk(_)) => (nobodys(), Direction::Incoming, Purpose::Customer),
            (_, Peer::Phone(_)) => (nobodys(), Direction::FeatureCode, Purpose::Customer),
        };
        let (Peer::Trunk(name) | Peer::Phone(name)) = peer;
        let own = match way {
            Some(Way::Own { act: OwnAct::Call(party), .. }) => Some(party),
            _ => None,
        };
        let counterpart = match own {
            Some(Party::Number(number)) => number.clone(),
            Some(Party::Agent(_) | Party::Queue(_)) => Pii::default(),
            None => Pii::new(identity::caller(invite).unwrap_or_default().into()),
        };
        let outwards = matches!(own, Some(Party::Number(_)));
        let trunk = if outwards { self.setup.trunk_of(&tenant).unwrap_or_default().into() } else { name.clone() };
        let party = way.and_then(|_| self.party(&tenant, &trunk, &counterpart, &invite.caller_name));
        let codecs = self.codecs_of(peer, &tenant);
        let mut call = self.next_call(tenant, direction);
        let id = call.id;
        call.trunk = name.clone();
        call.number = match way {
            Some(Way::Flow { dialled, .. }) => dialled.clone(),
            _ if own.is_some() => "".into(),
            _ => invite.dialled.clone(),
        };
        call.user_to_user = invite.user_to_user.clone();
        if let (Some(party), Some(value)) = (party, invite.user_to_user.clone()) {
            self.out.push(Output::UserToUser { tenant: call.tenant.clone(), call: id, party, value });
        }
        call.caller = counterpart;
        call.party = party;
        call.max_forwards = invite.max_forwards.saturating_sub(1);
        call.max_breadth = usize::try_from(invite.max_breadth).unwrap_or(usize::MAX);
        call.last_leg = 1;
        let leg = LegId::caller(id);
        call.customer = (purpose == Purpose::Customer).then_some(leg);
        let mut caller_leg = Leg::new(leg, purpose, invite.call_id.clone(), invite.flow);
        caller_leg.session = Some(session);
        caller_leg.inbound = true;
        caller_leg.offer = invite.offer.clone();
        caller_leg.codecs = codecs;
        call.legs.insert(leg, caller_leg);
        self.sessions.insert(session, leg);
        self.calls.insert(id, call);
        id
    }

    /// The same number of the same tenant has the same id, however this trunk writes it; a withheld one has none.
    pub(crate) fn party(
        &mut self,
        tenant: &Tenant,
        trunk: &str,
        number: &Pii<Arc<str>>,
        name: &Pii<Arc<str>>,
    ) -> Option<PartyId> {
        if number.reveal().is_empty() {
            return None;
        }
        let known_as = identity::known_as(&self.setup.site, trunk, number.reveal());
        let plain = known_as.reveal();
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.boot.party_key);
        let tag = hmac::sign(&key, format!("{tenant}|{plain}").as_bytes());
        let party = PartyId(u64::from_be_bytes(tag.as_ref()[..8].try_into().expect("SHA-256 has 32 bytes")));
        self.out.push(Output::Party { tenant: tenant.clone(), party, number: number.clone(), name: name.clone() });
        Some(party)
    }

    /// The caller's port is there: answer, and let the flow speak.
    pub(crate) fn on_caller_opened(&mut self, id: CallId) {
        let leg = LegId::caller(id);
        let unanswered = self.answers_late(id);
        let flows = if unanswered {
            self.ring_leg(leg, true);
            Ok(true)
        } else {
            self.answer_leg(leg)
        };
        let flows = match flows {
            Ok(flows) => flows,
            Err(status) => return self.reject(id, status, Cause::CodecMismatch),
        };
        let now = self.now;
        if let Some(call) = self.calls.get_mut(&id) {
            call.begun = true;
            // Without an offer the answer comes in the ACK, and the flow begins then.
            call.deadline = (!flows).then(|| now.mono + ACK_WAIT);
            call.goes_to(Place::Ivr, now);
        }
        if !unanswered {
            self.call_fact(id, |_| (), What::CallAnswered {});
        }
        if flows {
            self.begin(id);
        }
        self.rearm(id);
    }

    /// What the caller hears before an agent answers is unbilled early media, which needs an offer to answer.
    fn answers_late(&self, id: CallId) -> bool {
        let Some(call) = self.calls.get(&id).filter(|c| c.direction == Direction::Incoming) else { return false };
        let offered = call.customer_leg().is_some_and(|leg| leg.offer.is_some());
        offered && self.setup.site.number(&call.number).is_some_and(|number| number.unanswered)
    }

    /// An agent answered a call that was in early media until now.
    pub(crate) fn answer_late(&mut self, id: CallId) {
        let Some(leg) = self.calls.get(&id).and_then(|c| c.customer_leg()) else { return };
        if leg.up || leg.said.is_none() {
            return;
        }
        let leg = leg.id;
        if self.answer_leg(leg).is_ok() {
            self.call_fact(id, |_| (), What::CallAnswered {});
        }
    }

    /// A caller who was never answered is refused with what the wait came to (calls.md, Answering).
    pub(crate) fn refuse_late(&mut self, id: CallId, cause: Cause) {
        let status = match cause {
            Cause::CallerHungUp | Cause::TransportFailed => return,
            Cause::QueueFull | Cause::Dissuaded => 486,
            _ => 480,
        };
        let Some(leg) = self.calls.get(&id).and_then(|c| c.customer_leg()).map(|leg| leg.id) else { return };
        let session = self.leg_mut(leg).filter(|leg| leg.inbound && !leg.up).and_then(|leg| leg.session.take());
        if let Some(session) = session {
            self.tell_sip(sip::Input::Reject { session, refusal: refusal(status, cause) });
        }
    }

    /// The first thing the call does once media can flow.
    pub(crate) fn begin(&mut self, id: CallId) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        call.deadline = None;
        let (agent, ask, pause) = match &call.own {
            Some(Own { agent, act: OwnAct::Ask(ask) }) => (Some(agent.clone()), Some(ask.clone()), None),
            Some(Own { agent, act: OwnAct::PauseRecording(pause) }) => (Some(agent.clone()), None, Some(*pause)),
            _ => (None, None, None),
        };
        self.relink(id);
        match (agent, ask, pause) {
            (Some(agent), Some(ask), _) => self.on_feature_code(id, agent, ask),
            (Some(agent), _, Some(pause)) => self.on_recording_code(id, agent, pause),
            _ => self.enter_flow(id, ivr::Input::Start),
        }
    }

    /// A leg that came to us cannot be had.
    pub(crate) fn refuse_leg(&mut self, leg: LegId, status: u16, cause: Cause) {
        if leg.is_caller() {
            return self.reject(leg.call, status, cause);
        }
        let session = self.leg_mut(leg).and_then(|l| l.session.take());
        if let Some(session) = session {
            self.tell_sip(sip::Input::Reject { session, refusal: refusal(status, cause) });
        }
        self.on_leg_gone(leg, cause);
    }

    /// Refuses a call that has not begun; its last fact.
    pub(crate) fn reject(&mut self, id: CallId, status: u16, cause: Cause) {
        let leg = LegId::caller(id);
        let session = self.leg_mut(leg).filter(|l| l.inbound && !l.up).and_then(|l| l.session.take());
        if let Some(session) = session {
            self.tell_sip(sip::Input::Reject { session, refusal: refusal(status, cause) });
        }
        self.end_monitors(id);
        self.call_fact(id, |a| a.cause = Some(cause), What::CallRejected { status });
        self.forget(id);
    }
}

/// Q.850 says to a telephone network what the status says to SIP (RFC 3326, RFC 3398).
fn refusal(status: u16, cause: Cause) -> Refusal {
    let q850 = |cause: u16, text: &str| Some(Reason { protocol: "Q.850".into(), cause, text: text.into() });
    let reason = match cause {
        Cause::UnknownNumber => q850(1, "Unallocated number"),
        Cause::Busy | Cause::QueueFull | Cause::Dissuaded => q850(17, "User busy"),
        Cause::ChannelLimit if status == 486 => q850(17, "User busy"),
        Cause::Timeout | Cause::NoAnswer => q850(19, "No answer from user"),
        Cause::NoAgents | Cause::Closed | Cause::Unreachable => q850(20, "Subscriber absent"),
        Cause::NoPorts | Cause::ChannelLimit => q850(34, "No circuit available"),
        Cause::CodecMismatch => q850(88, "Incompatible destination"),
        _ => None,
    };
    Refusal { status, phrase: None, reason, retry_after: None }
}
