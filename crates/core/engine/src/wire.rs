//! What the wire says (SIP sessions and media), brought to the rule it belongs to.

use crate::centre::Centre;
use crate::{Output, Place};
use base::{Cause, LegId};
use media::Input as M;
use sip::{EndedBy, Output as S};

impl Centre {
    pub(crate) fn on_sip(&mut self, output: sip::Output) {
        match output {
            S::Transmit { flow, bytes } => self.out.push(Output::Send { flow, bytes }),
            S::CloseConnection { flow } => self.out.push(Output::CloseConnection { flow }),
            S::Suspicious { remote, what } => self.out.push(Output::Suspicious { remote, what }),
            S::Registered { user, bindings } => self.on_registered(user, bindings),
            S::Incoming { session, peer, invite } => self.on_incoming(session, peer, *invite),
            S::Progress { session, status, .. } => self.with_leg(session, |c, leg| c.on_progress(leg, status)),
            S::NoProvisional { session } => self.with_leg(session, Centre::on_no_provisional),
            S::Answered { session, sdp } => self.with_leg(session, |c, leg| c.on_agent_answered(leg, &sdp)),
            S::Failed { session, status } => {
                if let Some(leg) = self.sessions.remove(&session) {
                    self.forget_session(leg);
                    self.on_agent_leg_failed(leg, result_of(status));
                }
            }
            S::Confirmed { session, sdp } => self.with_leg(session, |c, leg| c.on_confirmed(leg, sdp.as_deref())),
            S::Reoffered { session, sdp } => self.with_leg(session, |c, leg| c.on_reoffered(leg, sdp.as_deref())),
            S::ReofferDone { .. } => (),
            S::Info { session, content_type, body } => self.with_leg(session, |c, leg| c.on_info(leg, &content_type, &body)),
            S::Ended { session, by, .. } => {
                if let Some(leg) = self.sessions.remove(&session) {
                    self.forget_session(leg);
                    self.on_leg_ended(leg, by);
                }
            }
        }
    }

    pub(crate) fn on_media(&mut self, input: media::Input) {
        match input {
            M::Opened { leg, port } => self.on_opened(leg, port),
            M::OpenFailed { leg, port } => self.on_open_failed(leg, port),
            M::PlayDone { leg, play } => self.on_played(leg, play),
            M::Digit { leg, key } => self.on_digit(leg, key),
            M::Silent { leg, .. } => self.on_silent(leg),
            M::Heard { .. } => (),
            M::RecordingStarted { recording } => self.on_recording_started(recording),
            M::RecordingClosed { recording, file, duration_ms, sha256, complete, reason } => {
                self.on_recording_closed(recording, &file, duration_ms, &sha256, complete, &reason);
            }
            M::RecordingFailed { recording, reason } => self.on_recording_failed(recording, &reason),
            M::Closed { leg, .. } => {
                if let Some(port) = self.closing.remove(&leg) {
                    self.ports.give(port);
                }
            }
        }
    }

    /// For sessions whose call lives; what comes for others is late and means nothing.
    fn with_leg(&mut self, session: sip::SessionId, rule: impl FnOnce(&mut Centre, LegId)) {
        if let Some(leg) = self.sessions.get(&session).copied() {
            rule(self, leg);
        }
    }

    fn forget_session(&mut self, leg: LegId) {
        if let Some(leg) = self.calls.get_mut(&leg.call).and_then(|c| c.leg_mut(leg)) {
            leg.session = None;
        }
    }

    fn on_opened(&mut self, leg: LegId, port: u16) {
        let alive = self.calls.get_mut(&leg.call).and_then(|c| c.leg_mut(leg)).is_some();
        if !alive {
            return;
        }
        if leg.is_caller() { self.on_caller_opened(leg.call, port) } else { self.on_agent_opened(leg, port) }
    }

    fn on_played(&mut self, leg: LegId, play: u32) {
        let Some(call) = self.calls.get(&leg.call) else { return };
        if call.flow.is_none() {
            return self.end_call(leg.call, Cause::FlowEnded);
        }
        self.tell_flow(leg.call, ivr::Input::Played(play));
    }

    /// Keys count where the caller is in the flow or waits. In a conversation telephone-events pass through the media
    /// plane to the other side; keys in INFO end here.
    fn on_digit(&mut self, leg: LegId, key: char) {
        let listening = |p: Place| matches!(p, Place::Ivr | Place::Queue | Place::Offer);
        if leg.is_caller() && self.calls.get(&leg.call).is_some_and(|c| listening(c.place)) {
            self.tell_flow(leg.call, ivr::Input::Key(key));
        }
    }

    /// RFC 6086 bodies: `application/dtmf-relay` (`Signal=5`) and `application/dtmf` (the key alone).
    fn on_info(&mut self, leg: LegId, content_type: &str, body: &[u8]) {
        let text = std::str::from_utf8(body).unwrap_or("");
        let signal = match content_type {
            "application/dtmf-relay" => text.lines().find_map(|l| {
                let (name, value) = l.split_once('=')?;
                name.trim().eq_ignore_ascii_case("signal").then(|| value.trim())
            }),
            "application/dtmf" => Some(text.trim()),
            _ => None,
        };
        let key = signal.and_then(|s| s.chars().next()).map(|c| c.to_ascii_uppercase());
        if let Some(key) = key.filter(|k| matches!(k, '0'..='9' | '*' | '#' | 'A'..='D')) {
            self.on_digit(leg, key);
        }
    }

    fn on_leg_ended(&mut self, leg: LegId, by: EndedBy) {
        let Some(call) = self.calls.get(&leg.call) else { return };
        if leg.is_caller() {
            let cause = if by == EndedBy::Lost { Cause::TransportFailed } else { Cause::CallerHungUp };
            return self.end_call(leg.call, cause);
        }
        let talking = call.conversation.as_ref().is_some_and(|c| c.leg == leg);
        match (talking, by) {
            (true, EndedBy::Lost) => self.agent_lost(leg.call),
            (true, _) => self.end_call(leg.call, Cause::AgentHungUp),
            (false, _) => self.on_agent_leg_failed(leg, acd::OfferResult::Unreachable),
        }
    }

    /// A leg that should speak went quiet (calls.md line 12: RTP and RTCP renew the lease).
    fn on_silent(&mut self, leg: LegId) {
        let Some(call) = self.calls.get(&leg.call) else { return };
        if leg.is_caller() {
            return self.end_call(leg.call, Cause::NoMedia);
        }
        if call.conversation.as_ref().is_some_and(|c| c.leg == leg) {
            self.agent_lost(leg.call);
        }
    }
}

/// What a phone's final status means for the offer.
fn result_of(status: u16) -> acd::OfferResult {
    match status {
        486 | 600 => acd::OfferResult::Rejected(Cause::Busy),
        603 | 403 => acd::OfferResult::Rejected(Cause::Declined),
        300..=399 => acd::OfferResult::Rejected(Cause::Diverted),
        _ => acd::OfferResult::Unreachable,
    }
}
