//! A session that came in, until it is answered (RFC 3261 13.3).
//!
//! ```text
//!   INVITE ──▶ Ring: 1xx, reliably where the peer wants it ──▶ Answer: 200 ──▶ Established
//!                 │ a reliable one with an SDP is open: Answer waits for its PRACK
//!                 ▼
//!             PRACK came: offer and answer are settled, the 200 holds none, the peer may offer by UPDATE
//! ```

use super::lease::Lease;
use super::reliable::{Reliable, Wanted};
use super::reoffer::{Offers, refuse_for_now};
use super::{Established, Leg, State, hangup, reason};
use crate::desk::{Desk, phrase};
use crate::dialog::Dialog;
use crate::respond::{SDP, sdp_of};
use crate::transaction::TxId;
use crate::transaction::timer::Wait;
use crate::{Builder, EndedBy, HeaderId, Message, Method, Output, Reason, Refusal, response_to};
use bytes::Bytes;
use std::time::Duration;

/// Proxies give an INVITE three minutes from its last provisional; each minute is asked for (RFC 3261 13.3.1.1).
const RINGING: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub(crate) struct Incoming {
    pub tx: TxId,
    pub dialog: Dialog,
    /// The INVITE had an offer, so that our 200 has the answer; else our 200 has the offer and the ACK the answer.
    offer: Option<Bytes>,
    /// What is said again each minute.
    ringing: Option<(u16, Option<Bytes>)>,
    reliable: Reliable,
    /// These wait for a PRACK; the answer also for ours to an offer of theirs.
    next_ring: Option<(u16, Option<Bytes>)>,
    answer: Option<Bytes>,
    /// An offer of ours for when the answer is out.
    queued: Option<Bytes>,
    /// Our SDP, once it went out in a provisional that must arrive.
    sent: Option<Bytes>,
    /// The peer's last SDP since then: its answer to our offer, or its offer in an UPDATE.
    heard: Option<Bytes>,
    /// The PRACK of `sent` came.
    settled: bool,
    /// An offer of the peer's, in an UPDATE or a PRACK, that is not answered yet.
    theirs: Option<(TxId, Bytes)>,
}

impl Incoming {
    pub fn new(tx: TxId, dialog: Dialog, invite: &Message) -> Incoming {
        Incoming {
            tx,
            dialog,
            offer: sdp_of(invite),
            ringing: None,
            reliable: Reliable::of(invite),
            next_ring: None,
            answer: None,
            queued: None,
            sent: None,
            heard: None,
            settled: false,
            theirs: None,
        }
    }

    /// 180 or 183, each at any time.
    pub fn on_ring(&mut self, desk: &mut Desk<'_>, leg: &Leg, status: u16, sdp: Option<Bytes>) {
        if (101..200).contains(&status) && self.answer.is_none() {
            self.ringing = Some((status, sdp.clone()));
            self.ring(desk, leg, status, sdp);
            desk.arm(leg.id, Wait::RepeatRinging, RINGING);
        }
    }

    pub fn repeat_ringing(&mut self, desk: &mut Desk<'_>, leg: &Leg) {
        if let Some((status, sdp)) = self.ringing.clone() {
            self.ring(desk, leg, status, sdp);
            desk.arm(leg.id, Wait::RepeatRinging, RINGING);
        }
    }

    fn ring(&mut self, desk: &mut Desk<'_>, leg: &Leg, status: u16, sdp: Option<Bytes>) {
        let always = self.reliable.wanted == Wanted::Always;
        // One SDP of ours is enough; and an offer of ours in a 1xx that may be lost would be none (RFC 3261 13.2.1).
        let sdp = sdp.filter(|_| self.sent.is_none() && (self.offer.is_some() || always));
        let reliably = always || (self.reliable.wanted == Wanted::Possible && sdp.is_some());
        // RFC 3262 5: the first that must arrive has our offer, if the INVITE had none. Better silent than wrong.
        if reliably && self.offer.is_none() && self.sent.is_none() && sdp.is_none() {
            return;
        }
        if reliably && self.reliable.is_open() {
            let waiting = self.next_ring.take().and_then(|(_, sdp)| sdp);
            self.next_ring = Some((status, sdp.or(waiting)));
            return;
        }
        let Some(head) = self.head(desk, leg, status) else {
            return;
        };
        if reliably {
            self.reliable.send(desk, leg, self.tx, status, head, sdp.as_ref());
            self.sent = self.sent.take().or(sdp);
            return;
        }
        let bytes = match sdp {
            Some(sdp) => head.body(SDP, &sdp),
            None => head.finish(),
        };
        desk.respond(self.tx, status, bytes);
    }

    pub fn repeat_reliable(&mut self, desk: &mut Desk<'_>, leg: &Leg) {
        self.reliable.repeat(desk, leg, self.tx);
    }

    pub fn on_prack(mut self: Box<Self>, desk: &mut Desk<'_>, leg: &Leg, tx: TxId, prack: &Message) -> State {
        let Some(held_sdp) = self.reliable.acknowledge(desk, leg, prack, self.sequence(desk)) else {
            desk.reply(tx, 481, None, |builder| builder);
            return State::Incoming(self);
        };
        self.settled |= held_sdp;
        match sdp_of(prack) {
            Some(_) if self.theirs.is_some() => refuse_for_now(desk, tx),
            Some(answer) if held_sdp && self.offer.is_none() => {
                self.heard = Some(answer);
                desk.reply(tx, 200, None, |builder| builder);
            }
            Some(offer) if self.settled => self.reoffered(desk, leg, tx, offer),
            // The first offer has no answer yet.
            Some(_) => desk.reply(tx, 491, None, |builder| builder),
            None => desk.reply(tx, 200, None, |builder| builder),
        }
        if let Some((status, sdp)) = self.next_ring.take().filter(|_| self.answer.is_none()) {
            self.ring(desk, leg, status, sdp);
        }
        self.answer_if_due(desk, leg)
    }

    /// RFC 3262 3: no PRACK came.
    pub fn on_no_prack(self: Box<Self>, desk: &mut Desk<'_>, leg: &Leg) -> State {
        let refusal = Refusal { status: 504, phrase: None, reason: None, retry_after: None };
        self.refuse(desk, leg, &refusal);
        hangup::end(desk, leg, EndedBy::Lost, None);
        State::Over(None)
    }

    /// RFC 3311 5.2: an offer is taken when the first one has its answer, reliably.
    pub fn on_update(&mut self, desk: &mut Desk<'_>, leg: &Leg, tx: TxId, update: &Message) {
        match sdp_of(update) {
            None => {
                self.dialog.refresh(update);
                confirm(desk, leg, tx, None, None);
            }
            Some(_) if self.theirs.is_some() => refuse_for_now(desk, tx),
            Some(offer) if self.settled => {
                self.dialog.refresh(update);
                self.reoffered(desk, leg, tx, offer);
            }
            Some(_) if self.offer.is_none() => desk.reply(tx, 491, None, |builder| builder),
            Some(_) => refuse_for_now(desk, tx),
        }
    }

    fn reoffered(&mut self, desk: &mut Desk<'_>, leg: &Leg, tx: TxId, offer: Bytes) {
        self.theirs = Some((tx, offer.clone()));
        desk.out.push(Output::Reoffered { session: leg.id, sdp: Some(offer) });
    }

    pub fn on_answer_reoffer(mut self: Box<Self>, desk: &mut Desk<'_>, leg: &Leg, sdp: Bytes) -> State {
        if let Some((tx, offer)) = self.theirs.take() {
            confirm(desk, leg, tx, Some(&sdp), None);
            (self.sent, self.heard) = (Some(sdp), Some(offer));
        }
        self.answer_if_due(desk, leg)
    }

    pub fn on_refuse_reoffer(mut self: Box<Self>, desk: &mut Desk<'_>, leg: &Leg, refusal: &Refusal) -> State {
        if let Some((tx, _)) = self.theirs.take() {
            refuse(desk, leg, tx, refusal);
        }
        self.answer_if_due(desk, leg)
    }

    fn answer_if_due(mut self: Box<Self>, desk: &mut Desk<'_>, leg: &Leg) -> State {
        match self.answer.take() {
            Some(sdp) => self.on_answer(desk, leg, sdp),
            None => State::Incoming(self),
        }
    }

    pub fn on_answer(mut self: Box<Self>, desk: &mut Desk<'_>, leg: &Leg, sdp: Bytes) -> State {
        desk.disarm(leg.id, Wait::RepeatRinging);
        // RFC 3262 3: not before the PRACK, if offer or answer are in what is not acknowledged yet. Nor while an offer
        // of the peer's has no answer.
        if self.reliable.holds_sdp() || self.theirs.is_some() {
            self.answer.get_or_insert(sdp);
            return State::Incoming(self);
        }
        let Some(head) = self.head(desk, leg, 200) else {
            return State::Incoming(self);
        };
        self.reliable.silence(desk, leg);
        let invite = desk.transactions.request_of(self.tx);
        let lease = invite.and_then(|invite| Lease::accept(desk.config, invite, None));
        let head = lease.map_or(head.clone(), |lease| lease.write_answer(head));
        let bytes = match self.settled {
            true => head.finish(),
            false => head.body(SDP, &sdp),
        };
        let sequence = self.sequence(desk);
        let owes_answer = self.offer.is_none() && !self.settled;
        let early_answer = self.heard.clone().filter(|_| self.offer.is_none());
        let offers = Offers::first_answer(desk, leg, self.tx, sequence, bytes, owes_answer, early_answer);
        let local = self.sent.filter(|_| self.settled).unwrap_or(sdp);
        let mut established = Established::new(self.dialog, offers, Some(local), self.heard.or(self.offer));
        established.owed_prack = self.reliable.is_open().then_some((self.reliable, sequence));
        established.queued = self.queued;
        established.begin_lease(desk, leg, lease);
        State::Established(Box::new(established))
    }

    /// To be made when the call is answered; before `Answer` there is nothing to offer again.
    pub fn on_reoffer(&mut self, desk: &mut Desk<'_>, leg: &Leg, sdp: Bytes) {
        if self.answer.is_some() && self.queued.replace(sdp).is_some() {
            desk.out.push(Output::ReofferDone { session: leg.id, result: Err(491) });
        }
    }

    pub fn on_reject(self: Box<Self>, desk: &mut Desk<'_>, leg: &Leg, refusal: &Refusal) -> State {
        self.refuse(desk, leg, refusal);
        hangup::end(desk, leg, EndedBy::Us, None);
        State::Over(None)
    }

    /// RFC 3261 9.2: 487, and the caller is gone.
    pub fn on_cancel(self: Box<Self>, desk: &mut Desk<'_>, leg: &Leg, reason: Option<Reason>) -> State {
        self.give_up_theirs(desk);
        desk.reply(self.tx, 487, Some(&leg.local_tag), |builder| builder);
        hangup::end(desk, leg, EndedBy::Peer, reason);
        State::Over(None)
    }

    /// The stream that the INVITE came on ended before its answer.
    pub fn on_broken(self: Box<Self>, desk: &mut Desk<'_>, leg: &Leg) -> State {
        self.give_up_theirs(desk);
        hangup::end(desk, leg, EndedBy::Lost, None);
        State::Over(None)
    }

    fn refuse(&self, desk: &mut Desk<'_>, leg: &Leg, refusal: &Refusal) {
        self.give_up_theirs(desk);
        refuse(desk, leg, self.tx, refusal);
    }

    fn give_up_theirs(&self, desk: &mut Desk<'_>) {
        if let Some((tx, _)) = self.theirs {
            desk.reply(tx, 487, None, |builder| builder);
        }
    }

    fn sequence(&self, desk: &Desk<'_>) -> u32 {
        desk.transactions.request_of(self.tx).and_then(|invite| invite.cseq().ok()).map_or(0, |cseq| cseq.0)
    }

    fn head(&self, desk: &Desk<'_>, leg: &Leg, status: u16) -> Option<Builder> {
        head(desk, leg, self.tx, status)
    }
}

/// A response that makes or confirms a dialog: with tag, Contact and what we can do (RFC 3261 12.1.1, 13.3.1.4).
pub(super) fn head(desk: &Desk<'_>, leg: &Leg, tx: TxId, status: u16) -> Option<Builder> {
    let (invite, flow) = (desk.transactions.request_of(tx)?, desk.transactions.source_of(tx)?);
    let head = response_to(invite, status, phrase(status), Some(&leg.local_tag), flow.remote)
        .header(HeaderId::Contact, desk.contact(flow))
        .header(HeaderId::Server, &*desk.config.user_agent);
    Some(crate::respond::abilities(head))
}

/// 200 to an UPDATE, or to a PRACK with an offer.
pub(super) fn confirm(desk: &mut Desk<'_>, leg: &Leg, tx: TxId, sdp: Option<&Bytes>, lease: Option<Lease>) {
    let Some(head) = head(desk, leg, tx, 200) else {
        return;
    };
    let head = match lease {
        Some(lease) => lease.write_answer(head),
        None => head,
    };
    let bytes = match sdp {
        Some(sdp) => head.body(SDP, sdp),
        None => head.finish(),
    };
    desk.respond(tx, 200, bytes);
}

/// A final refusal of an INVITE, an UPDATE or a REFER, with why and when to come back.
pub(super) fn refuse(desk: &mut Desk<'_>, leg: &Leg, tx: TxId, refusal: &Refusal) {
    let status = if (300..700).contains(&refusal.status) { refusal.status } else { 500 };
    // RFC 4320 4.2: to anything but an INVITE a 408 says what its sender knows already.
    let invites = desk.transactions.request_of(tx).is_some_and(|request| request.method() == Some(Method::Invite));
    let status = if status == 408 && !invites { 480 } else { status };
    let (Some(invite), Some(flow)) = (desk.transactions.request_of(tx), desk.transactions.source_of(tx)) else {
        return;
    };
    let words = refusal.phrase.as_deref().unwrap_or(phrase(status));
    let bytes = response_to(invite, status, words, Some(&leg.local_tag), flow.remote)
        .header(HeaderId::Server, &*desk.config.user_agent)
        .maybe(HeaderId::Reason, refusal.reason.as_ref().map(reason::print))
        .maybe(HeaderId::RetryAfter, refusal.retry_after)
        .finish();
    desk.respond(tx, status, bytes);
}
