//! What the wire says (SIP sessions and media), brought to the rule it belongs to.

use crate::Output;
use crate::centre::Centre;
use crate::leg::{Leg, Purpose};
use crate::ringing::result_of;
use base::{Cause, LegId, Mutation, mutated};
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
            S::Progress { session, status, sdp } => self.with_leg(session, |c, leg| c.on_progress(leg, status, sdp.as_deref())),
            S::NoProvisional { session } => self.with_leg(session, |c, leg| c.on_dialled_failed(leg, 408)),
            S::Answered { session, sdp } => self.with_leg(session, |c, leg| c.on_answered(leg, &sdp)),
            S::Failed { session, status } => {
                if let Some(leg) = self.forget_session(session) {
                    self.on_dialled_failed(leg, status);
                }
            }
            S::Confirmed { session, sdp } => self.with_leg(session, |c, leg| c.on_confirmed(leg, sdp.as_ref())),
            S::Reoffered { session, sdp } => self.with_leg(session, |c, leg| c.on_reoffered(leg, sdp.as_deref())),
            S::ReofferDone { .. } => (),
            S::Referred { session, refer } => self.with_leg(session, |c, leg| c.on_referred(leg, session, *refer)),
            S::Refreshed { session } => self.with_leg(session, |c, leg| c.renew(leg.call)),
            S::Info { session, content_type, body } => self.with_leg(session, |c, leg| c.on_info(leg, &content_type, &body)),
            S::Ended { session, by, .. } => {
                if let Some(leg) = self.forget_session(session) {
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
            M::Alive { legs } => self.on_alive(&legs),
            M::RecordingStarted { recording } => self.on_recording_started(recording),
            M::RecordingClosed { recording, file, duration_ms, sha256, complete, reason } => {
                self.on_recording_closed(recording, &file, duration_ms, &sha256, complete, &reason);
            }
            M::RecordingFailed { recording, reason } => self.on_recording_failed(recording, &reason),
            M::Closed { leg, stats } => self.on_closed(leg, &stats),
            M::RecorderAlive { grew } => self.on_recorder_alive(&grew),
        }
    }

    /// For sessions whose call lives; what comes for others is late and means nothing.
    fn with_leg(&mut self, session: sip::SessionId, rule: impl FnOnce(&mut Centre, LegId)) {
        if let Some(leg) = self.sessions.get(&session).copied() {
            rule(self, leg);
        }
    }

    /// Nothing more comes of this session. The leg that it was, if it lives.
    fn forget_session(&mut self, session: sip::SessionId) -> Option<LegId> {
        let leg = self.sessions.remove(&session)?;
        self.leg_mut(leg).filter(|l| l.session == Some(session))?.session = None;
        Some(leg)
    }

    pub(crate) fn purpose_of(&self, leg: LegId) -> Option<Purpose> {
        self.calls.get(&leg.call)?.legs.get(&leg).map(|l| l.purpose.clone())
    }

    fn on_progress(&mut self, leg: LegId, status: u16, sdp: Option<&[u8]>) {
        match self.purpose_of(leg) {
            Some(Purpose::Offer(offer)) => self.on_offer_progress(offer, status),
            Some(Purpose::Reached(errand)) => self.on_reach_progress(leg, &errand, sdp),
            _ => (),
        }
    }

    fn on_answered(&mut self, leg: LegId, sdp: &[u8]) {
        match self.purpose_of(leg) {
            Some(Purpose::Offer(offer)) => self.on_offer_answered(leg, offer, sdp),
            Some(Purpose::Reached(errand)) => self.on_reach_answered(leg, errand, sdp),
            _ => (),
        }
    }

    /// A leg that we dialled, or wanted to, came to nothing.
    pub(crate) fn on_dialled_failed(&mut self, leg: LegId, status: u16) {
        match self.purpose_of(leg) {
            Some(Purpose::Offer(offer)) => self.on_offer_leg_failed(leg, offer, result_of(status)),
            Some(Purpose::Reached(errand)) => self.on_reach_leg_failed(leg, errand, status),
            _ => (),
        }
    }

    fn on_played(&mut self, leg: LegId, play: u32) {
        let Some(call) = self.calls.get(&leg.call) else { return };
        let greeted = call.conversation.as_ref().is_some_and(|c| c.leg == leg && c.greeting == Some(play));
        if greeted {
            return self.bridge(leg.call);
        }
        if play >= crate::conversation::OWN_PLAYS && self.leaves_message(leg) {
            return self.on_beep_heard(leg.call);
        }
        if call.customer != Some(leg) || play >= crate::conversation::OWN_PLAYS {
            return;
        }
        if call.flow.is_none() {
            return self.end_call(leg.call, Cause::FlowEnded);
        }
        self.tell_flow(leg.call, ivr::Input::Played(play));
    }

    fn on_leg_ended(&mut self, leg: LegId, by: EndedBy) {
        let lost = by == EndedBy::Lost;
        match self.purpose_of(leg) {
            Some(Purpose::Customer) => {
                self.end_call(leg.call, if lost { Cause::TransportFailed } else { Cause::CallerHungUp });
            }
            Some(Purpose::Agent) if lost && self.calls.get(&leg.call).is_some_and(|c| c.own.is_none()) => {
                self.agent_lost(leg.call);
            }
            Some(Purpose::Agent) => self.agent_hung_up(leg.call),
            Some(Purpose::Offer(_) | Purpose::Reached(_)) => self.on_dialled_failed(leg, 480),
            Some(_) => {
                let cause = if lost { Cause::TransportFailed } else { Cause::AgentHungUp };
                self.on_leg_gone(leg, cause);
            }
            None => {}
        }
    }

    /// A leg that should speak went quiet (calls.md line 12: RTP and RTCP renew the lease).
    fn on_silent(&mut self, leg: LegId) {
        let talks = self.calls.get(&leg.call).and_then(|c| c.legs.get(&leg)).is_some_and(|l: &Leg| l.up);
        match self.purpose_of(leg) {
            Some(Purpose::Customer) => self.end_call(leg.call, Cause::NoMedia),
            Some(Purpose::Agent) if talks && self.calls.get(&leg.call).is_some_and(|c| c.own.is_none()) => {
                self.agent_lost(leg.call);
            }
            Some(Purpose::Agent) if talks => self.end_call(leg.call, Cause::NoMedia),
            Some(Purpose::Second | Purpose::Third | Purpose::Monitor(_)) => self.on_leg_gone(leg, Cause::NoMedia),
            _ => {}
        }
    }

    /// A leg beside customer and agent is over.
    pub(crate) fn on_leg_gone(&mut self, leg: LegId, cause: Cause) {
        let purpose = self.purpose_of(leg);
        if purpose != Some(Purpose::Leaving) {
            self.drop_leg(leg, None);
        }
        match purpose {
            Some(Purpose::Second) => self.second_gone(leg.call),
            Some(Purpose::Third) => self.third_gone(leg.call, cause),
            Some(Purpose::Monitor(_)) if mutated(Mutation::MonitorExitEndsCall) => self.end_call(leg.call, cause),
            Some(Purpose::Monitor(supervisor)) => self.end_monitor(leg.call, &supervisor),
            Some(Purpose::Leaving) => self.leaving_gone(leg),
            _ => {}
        }
        self.relink(leg.call);
    }
}
