//! Our offers in a confirmed dialog: re-INVITEs, one at a time, and what becomes of them (RFC 3261 14.1).

use super::challenge::{self, Authorization};
use super::lease::Lease;
use super::reoffer::{Established, Offers};
use super::{Leg, State, early, forks, hangup};
use crate::desk::Desk;
use crate::dialog::Dialog;
use crate::respond::{SDP, sdp_of};
use crate::transaction::Errand;
use crate::transaction::timer::Wait;
use crate::{HeaderId, Message, Method, Output};
use bytes::Bytes;
use std::time::Duration;

/// An offer to make.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub sdp: Bytes,
    /// How often 491 came back.
    tries: u8,
    /// Nobody asked for it: it only renews the session timer.
    pub refresh: bool,
}

#[derive(Debug)]
pub(crate) struct Ours {
    plan: Plan,
    sequence: u32,
    authorization: Option<Authorization>,
    /// RSeq of the last provisional that wanted a PRACK, and the SDP that one held.
    rseq: Option<u32>,
    early: Option<Bytes>,
}

/// After so many 491 the peer will not come to an end.
const MOST_TRIES: u8 = 10;

impl Established {
    pub fn is_reoffering(&self) -> bool {
        matches!(self.offers, Offers::Ours(_))
    }

    pub fn on_reoffer(&mut self, desk: &mut Desk<'_>, leg: &Leg, sdp: Bytes) {
        if self.leaving.is_some() {
            return;
        }
        if let Offers::Quiet = self.offers {
            self.send_offer(desk, leg, Plan { sdp, tries: 0, refresh: false }, None);
        } else if self.queued.replace(sdp).is_some() {
            desk.out.push(Output::ReofferDone { session: leg.id, result: Err(491) });
        }
    }

    /// What came back to our re-INVITE.
    pub fn on_response(mut self: Box<Self>, desk: &mut Desk<'_>, leg: &mut Leg, response: &Message, status: u16) -> State {
        let sequence = response.cseq().map_or(0, |(sequence, _)| sequence);
        let ours = match &mut self.offers {
            Offers::Ours(ours) if ours.sequence == sequence => ours,
            _ => return State::Established(self),
        };
        match status {
            ..200 => ours.on_provisional(desk, leg, &mut self.dialog, response),
            200..300 => {
                self.dialog.refresh(response);
                forks::acknowledge(desk, leg, &self.dialog, sequence, ours.authorization.as_ref());
                let result = sdp_of(response).or(ours.early.take()).ok_or(488);
                self.finish_offer(desk, leg, result);
                self.renew_lease(desk, leg, Lease::granted(response));
            }
            491 if ours.plan.tries < MOST_TRIES => self.back_off(desk, leg),
            401 | 407 if ours.authorization.is_none() => self.on_challenge(desk, leg, response, status),
            408 => return hangup::lost(desk, leg, Some(self.dialog)),
            481 => return hangup::lost(desk, leg, None),
            _ => {
                self.lengthen_lease(response, status);
                self.finish_offer(desk, leg, Err(status));
            }
        }
        State::Established(self)
    }

    pub fn on_glare_over(&mut self, desk: &mut Desk<'_>, leg: &Leg) {
        if let Offers::Backoff(plan) = &self.offers {
            let plan = plan.clone();
            self.send_offer(desk, leg, plan, None);
        }
    }

    /// A re-INVITE that changes nothing, for a peer that takes no UPDATE. False: not now, or not at all.
    pub(super) fn refresh_by_offer(&mut self, desk: &mut Desk<'_>, leg: &Leg) -> bool {
        let sdp = self.local.clone().filter(|_| matches!(self.offers, Offers::Quiet));
        if let Some(sdp) = sdp {
            self.send_offer(desk, leg, Plan { sdp, tries: 0, refresh: true }, None);
            return true;
        }
        false
    }

    fn send_offer(&mut self, desk: &mut Desk<'_>, leg: &Leg, plan: Plan, authorization: Option<Authorization>) {
        let (builder, flow) = self.dialog.request(desk, Method::Invite);
        let mut builder = crate::respond::abilities(builder.header(HeaderId::Contact, desk.contact(flow)));
        if let Some(lease) = self.lease {
            builder = lease.write_request(builder);
        }
        if let Some((id, value)) = &authorization {
            builder = builder.header(*id, value);
        }
        let sequence = self.dialog.local_sequence;
        desk.request(flow, builder.body(SDP, &plan.sdp), leg.id, Errand::Reinvite);
        self.offers = Offers::Ours(Ours { plan, sequence, authorization, rseq: None, early: None });
    }

    fn on_challenge(&mut self, desk: &mut Desk<'_>, leg: &Leg, response: &Message, status: u16) {
        let Offers::Ours(Ours { plan, .. }) = &self.offers else {
            return;
        };
        let plan = plan.clone();
        let uri = self.dialog.request_uri();
        match challenge::answer(desk, leg, response, &Method::Invite, &uri, &plan.sdp) {
            Some(authorization) => self.send_offer(desk, leg, plan, Some(authorization)),
            None => self.finish_offer(desk, leg, Err(status)),
        }
    }

    /// RFC 3261 14.1: 2.1 to 4 s for the owner of the Call-ID, else 0 to 2 s, in units of 10 ms.
    fn back_off(&mut self, desk: &mut Desk<'_>, leg: &Leg) {
        let Offers::Ours(Ours { plan, .. }) = &self.offers else {
            return;
        };
        let wait = match self.dialog.owns_call_id {
            true => 210 + desk.random.below(191),
            false => desk.random.below(201),
        };
        self.offers = Offers::Backoff(Plan { tries: plan.tries + 1, ..plan.clone() });
        desk.arm(leg.id, Wait::Glare, Duration::from_millis(wait * 10));
    }

    pub(super) fn finish_offer(&mut self, desk: &mut Desk<'_>, leg: &Leg, result: Result<Bytes, u16>) {
        let Offers::Ours(ours) = std::mem::replace(&mut self.offers, Offers::Quiet) else {
            return;
        };
        // A refresh is nobody's business, unless the peer used it to move its media.
        let mut told = !ours.plan.refresh;
        match &result {
            Ok(answer) => {
                told |= !self.remote.as_ref().is_some_and(|before| says_the_same(before, answer));
                self.local = Some(ours.plan.sdp);
                self.remote = Some(answer.clone());
            }
            Err(_) if ours.plan.refresh => self.refresh_later(desk, leg),
            Err(_) => {}
        }
        if told {
            desk.out.push(Output::ReofferDone { session: leg.id, result });
        }
        self.become_quiet(desk, leg);
    }

    pub(super) fn become_quiet(&mut self, desk: &mut Desk<'_>, leg: &Leg) {
        self.offers = Offers::Quiet;
        if let Some(sdp) = self.queued.take() {
            self.send_offer(desk, leg, Plan { sdp, tries: 0, refresh: false }, None);
        }
    }
}

impl Ours {
    /// RFC 3262 4, in a dialog that is confirmed.
    fn on_provisional(&mut self, desk: &mut Desk<'_>, leg: &Leg, dialog: &mut Dialog, response: &Message) {
        let Some(rseq) = early::reliable(response) else {
            return;
        };
        if self.rseq.is_none_or(|last| last.checked_add(1) == Some(rseq)) {
            self.rseq = Some(rseq);
            self.early = sdp_of(response).or(self.early.take());
            early::acknowledge(desk, leg, dialog, response, rseq);
        }
    }
}

/// Apart from `o=`, whose version some count up each time.
fn says_the_same(a: &Bytes, b: &Bytes) -> bool {
    fn lines(sdp: &Bytes) -> impl Iterator<Item = &[u8]> {
        sdp.split(|byte| *byte == b'\n').map(crate::message::text::trim).filter(|line| !line.starts_with(b"o="))
    }
    lines(a).eq(lines(b))
}
