//! A confirmed dialog: the ACK to our 200, and re-INVITEs both ways (RFC 3261 14, RFC 6141).
//!
//! ```text
//!                     ┌──────────────┐ Reoffer: INVITE        ┌──────┐
//!      ACK  ┌─────────▶    Quiet     ├────────────────────────▶ Ours │ their INVITE: 491
//!           │         │              ◀────────────────────────┤      │
//!  ┌────────┴───────┐ │              │ 2xx: ACK; other finals └─┬──▲─┘
//!  │ Unacknowledged │ │              │                      491 │  │ timer
//!  │ 200 repeated   │ └──────┬─▲─────┘                        ┌─▼──┴────┐
//!  └────────▲───────┘  their │ │ refused, cancelled           │ Backoff │ their INVITE: taken
//!           │         INVITE │ │                              └─────────┘
//!           │         ┌──────▼─┴─────┐
//!           └─────────┤    Theirs    │ another one: 500, Retry-After
//!           200       └──────────────┘
//! ```
//! A refused re-INVITE leaves everything as it was. No ACK, 408 and 481 end the dialog.

use super::challenge::{self, Authorization};
use super::{Leg, State, caller, forks, hangup};
use crate::desk::Desk;
use crate::dialog::Dialog;
use crate::respond::{SDP, sdp_of};
use crate::transaction::timer::{PATIENCE, T1, T2, Wait};
use crate::transaction::{Errand, TxId};
use crate::{EndedBy, Flow, HeaderId, Message, Method, Output, Reason, Refusal};
use bytes::Bytes;
use std::time::Duration;

#[derive(Debug)]
pub(crate) struct Established {
    pub dialog: Dialog,
    offers: Offers,
    /// An offer of ours that waits for its turn.
    queued: Option<Bytes>,
    /// HangUp came before the first ACK: RFC 3261 15 forbids the callee's BYE until then.
    leaving: Option<Option<Reason>>,
}

#[derive(Debug)]
pub(crate) enum Offers {
    Quiet,
    Ours(Ours),
    Backoff { sdp: Bytes, tries: u8 },
    Theirs { tx: TxId, sequence: u32, offered: bool },
    Unacknowledged(Unacknowledged),
}

#[derive(Debug)]
pub(crate) struct Ours {
    sdp: Bytes,
    sequence: u32,
    authorization: Option<Authorization>,
    /// How often 491 came back.
    tries: u8,
}

#[derive(Debug)]
pub(crate) struct Unacknowledged {
    tx: TxId,
    sequence: u32,
    answer: Bytes,
    interval: Duration,
    /// The 200 to the session's first INVITE.
    first: bool,
    /// Our 200 held the offer; the ACK brings the answer.
    owes_answer: bool,
}

/// After so many 491 the peer will not come to an end.
const MOST_TRIES: u8 = 10;

impl Offers {
    /// Sends a 200 and repeats it until its ACK (RFC 3261 13.3.1.4), on streams too.
    pub fn answered(
        desk: &mut Desk<'_>,
        leg: &Leg,
        tx: TxId,
        sequence: u32,
        answer: Bytes,
        first: bool,
        owes_answer: bool,
    ) -> Offers {
        desk.respond(tx, 200, answer.clone());
        desk.arm(leg.id, Wait::RepeatAnswer, T1);
        desk.arm(leg.id, Wait::Acknowledge, PATIENCE);
        Offers::Unacknowledged(Unacknowledged { tx, sequence, answer, interval: T1, first, owes_answer })
    }
}

impl Established {
    pub fn new(dialog: Dialog, offers: Offers) -> Established {
        Established { dialog, offers, queued: None, leaving: None }
    }

    pub fn is_reoffering(&self) -> bool {
        matches!(self.offers, Offers::Ours(_))
    }

    pub fn on_reoffer(&mut self, desk: &mut Desk<'_>, leg: &Leg, sdp: Bytes) {
        if self.leaving.is_some() {
            return;
        }
        if let Offers::Quiet = self.offers {
            self.send_offer(desk, leg, sdp, None, 0);
        } else if self.queued.replace(sdp).is_some() {
            desk.out.push(Output::ReofferDone { session: leg.id, result: Err(491) });
        }
    }

    pub fn on_answer(&mut self, desk: &mut Desk<'_>, leg: &Leg, sdp: Bytes) {
        let Offers::Theirs { tx, sequence, offered } = self.offers else {
            return;
        };
        if let Some(head) = caller::head(desk, leg, tx, 200) {
            self.offers = Offers::answered(desk, leg, tx, sequence, head.body(SDP, &sdp), false, !offered);
        }
    }

    pub fn on_refuse(&mut self, desk: &mut Desk<'_>, leg: &Leg, refusal: &Refusal) {
        if let Offers::Theirs { tx, .. } = self.offers {
            caller::refuse(desk, leg, tx, refusal);
            self.become_quiet(desk, leg);
        }
    }

    /// Their re-INVITE was cancelled.
    pub fn on_cancelled(&mut self, desk: &mut Desk<'_>, leg: &Leg) {
        if let Offers::Theirs { .. } = self.offers {
            self.give_up_theirs(desk);
            self.become_quiet(desk, leg);
        }
    }

    /// A BYE, theirs or ours, overtook their re-INVITE (RFC 3261 15.1.2).
    pub fn give_up_theirs(&mut self, desk: &mut Desk<'_>) {
        if let Offers::Theirs { tx, .. } = self.offers {
            desk.reply(tx, 487, None, |builder| builder);
            self.offers = Offers::Quiet;
        }
    }

    pub fn on_reinvite(&mut self, desk: &mut Desk<'_>, leg: &Leg, tx: TxId, request: &Message) {
        match &self.offers {
            Offers::Quiet => {}
            // Both sides at once: theirs goes first, ours waits for its turn.
            Offers::Backoff { sdp, .. } => {
                self.queued.get_or_insert(sdp.clone());
                desk.disarm(leg.id, Wait::Glare);
            }
            Offers::Theirs { .. } => return refuse_for_now(desk, tx),
            Offers::Ours(_) | Offers::Unacknowledged(_) => return desk.reply(tx, 491, None, |builder| builder),
        }
        let sequence = request.cseq().map_or(0, |(sequence, _)| sequence);
        let sdp = sdp_of(request);
        self.dialog.refresh(request);
        self.offers = Offers::Theirs { tx, sequence, offered: sdp.is_some() };
        desk.reply(tx, 100, None, |builder| builder);
        desk.out.push(Output::Reoffered { session: leg.id, sdp });
    }

    pub fn on_ack(mut self: Box<Self>, desk: &mut Desk<'_>, leg: &mut Leg, ack: &Message, flow: Flow) -> State {
        let Offers::Unacknowledged(waiting) = &self.offers else {
            return State::Established(self);
        };
        if ack.cseq().map(|(sequence, _)| sequence) != Ok(waiting.sequence) {
            return State::Established(self);
        }
        let (first, owes_answer) = (waiting.first, waiting.owes_answer);
        self.dialog.flow = flow;
        desk.disarm(leg.id, Wait::RepeatAnswer);
        desk.disarm(leg.id, Wait::Acknowledge);
        if first || owes_answer {
            let sdp = sdp_of(ack).filter(|_| owes_answer);
            desk.out.push(Output::Confirmed { session: leg.id, sdp });
        }
        if let Some(reason) = self.leaving {
            return hangup::bye(desk, leg, self.dialog, EndedBy::Us, reason);
        }
        self.become_quiet(desk, leg);
        State::Established(self)
    }

    pub fn repeat_answer(&mut self, desk: &mut Desk<'_>, leg: &Leg) {
        if let Offers::Unacknowledged(waiting) = &mut self.offers {
            waiting.interval = waiting.interval.saturating_mul(2).min(T2);
            desk.respond(waiting.tx, 200, waiting.answer.clone());
            desk.arm(leg.id, Wait::RepeatAnswer, waiting.interval);
        }
    }

    /// 64*T1 without an ACK: BYE, and the session is over (RFC 3261 13.3.1.4).
    pub fn on_no_ack(self: Box<Self>, desk: &mut Desk<'_>, leg: &mut Leg) -> State {
        match self.leaving {
            Some(reason) => hangup::bye(desk, leg, self.dialog, EndedBy::Us, reason),
            None => hangup::lost(desk, leg, Some(self.dialog)),
        }
    }

    pub fn on_hang_up(mut self: Box<Self>, desk: &mut Desk<'_>, leg: &mut Leg, reason: Option<Reason>) -> State {
        if let Offers::Unacknowledged(Unacknowledged { first: true, .. }) = self.offers {
            self.leaving.get_or_insert(reason);
            return State::Established(self);
        }
        self.give_up_theirs(desk);
        hangup::bye(desk, leg, self.dialog, EndedBy::Us, reason)
    }

    /// What came back to our re-INVITE.
    pub fn on_response(mut self: Box<Self>, desk: &mut Desk<'_>, leg: &mut Leg, response: &Message, status: u16) -> State {
        let sequence = response.cseq().map_or(0, |(sequence, _)| sequence);
        let ours = match &self.offers {
            Offers::Ours(ours) if ours.sequence == sequence && status >= 200 => ours,
            _ => return State::Established(self),
        };
        match status {
            200..300 => {
                self.dialog.refresh(response);
                forks::acknowledge(desk, leg, &self.dialog, sequence, ours.authorization.as_ref());
                let result = sdp_of(response).ok_or(488);
                self.finish_offer(desk, leg, result);
            }
            491 if ours.tries < MOST_TRIES => self.back_off(desk, leg),
            401 | 407 if ours.authorization.is_none() => self.on_challenge(desk, leg, response, status),
            408 => return hangup::lost(desk, leg, Some(self.dialog)),
            481 => return hangup::lost(desk, leg, None),
            _ => self.finish_offer(desk, leg, Err(status)),
        }
        State::Established(self)
    }

    /// A stream that ended took our re-INVITE with it; only what can't be sent at all ends the session.
    pub fn on_broken(mut self: Box<Self>, desk: &mut Desk<'_>, leg: &Leg, errand: Errand, flow: Flow) -> State {
        let first = matches!(self.offers, Offers::Unacknowledged(Unacknowledged { first: true, .. }));
        match errand {
            Errand::Invite if first => hangup::lost(desk, leg, Some(self.dialog)),
            Errand::Reinvite if self.is_reoffering() && flow.connection == 0 => hangup::lost(desk, leg, None),
            Errand::Reinvite if self.is_reoffering() => {
                self.finish_offer(desk, leg, Err(503));
                State::Established(self)
            }
            _ => State::Established(self),
        }
    }

    pub fn on_glare_over(&mut self, desk: &mut Desk<'_>, leg: &Leg) {
        if let Offers::Backoff { sdp, tries } = &self.offers {
            let (sdp, tries) = (sdp.clone(), *tries);
            self.send_offer(desk, leg, sdp, None, tries);
        }
    }

    fn send_offer(&mut self, desk: &mut Desk<'_>, leg: &Leg, sdp: Bytes, authorization: Option<Authorization>, tries: u8) {
        let (builder, flow) = self.dialog.request(desk, Method::Invite);
        let mut builder = crate::respond::abilities(builder.header(HeaderId::Contact, desk.contact(flow)));
        if let Some((id, value)) = &authorization {
            builder = builder.header(*id, value);
        }
        let sequence = self.dialog.local_sequence;
        desk.request(flow, builder.body(SDP, &sdp), leg.id, Errand::Reinvite);
        self.offers = Offers::Ours(Ours { sdp, sequence, authorization, tries });
    }

    fn on_challenge(&mut self, desk: &mut Desk<'_>, leg: &Leg, response: &Message, status: u16) {
        let Offers::Ours(Ours { sdp, tries, .. }) = &self.offers else {
            return;
        };
        let (sdp, tries) = (sdp.clone(), *tries);
        let uri = self.dialog.request_uri();
        match challenge::answer(desk, leg, response, &Method::Invite, &uri, &sdp) {
            Some(authorization) => self.send_offer(desk, leg, sdp, Some(authorization), tries),
            None => self.finish_offer(desk, leg, Err(status)),
        }
    }

    /// RFC 3261 14.1: 2.1 to 4 s for the owner of the Call-ID, else 0 to 2 s, in units of 10 ms.
    fn back_off(&mut self, desk: &mut Desk<'_>, leg: &Leg) {
        let Offers::Ours(Ours { sdp, tries, .. }) = &self.offers else {
            return;
        };
        let wait = match self.dialog.owns_call_id {
            true => 210 + desk.random.below(191),
            false => desk.random.below(201),
        };
        self.offers = Offers::Backoff { sdp: sdp.clone(), tries: tries + 1 };
        desk.arm(leg.id, Wait::Glare, Duration::from_millis(wait * 10));
    }

    fn finish_offer(&mut self, desk: &mut Desk<'_>, leg: &Leg, result: Result<Bytes, u16>) {
        desk.out.push(Output::ReofferDone { session: leg.id, result });
        self.become_quiet(desk, leg);
    }

    fn become_quiet(&mut self, desk: &mut Desk<'_>, leg: &Leg) {
        self.offers = Offers::Quiet;
        if let Some(sdp) = self.queued.take() {
            self.send_offer(desk, leg, sdp, None, 0);
        }
    }
}

/// RFC 3261 14.2: their other INVITE is not answered yet; Retry-After is random, 0 to 10 s.
pub(super) fn refuse_for_now(desk: &mut Desk<'_>, tx: TxId) {
    let seconds = desk.random.below(11);
    desk.reply(tx, 500, None, |builder| builder.write(HeaderId::RetryAfter, seconds));
}
