//! A confirmed dialog: the ACK to our 200, and offers both ways (RFC 3261 14, RFC 3311, RFC 6141).
//!
//! ```text
//!                     ┌──────────────┐ Reoffer: INVITE        ┌──────┐
//!      ACK  ┌─────────▶    Quiet     ├────────────────────────▶ Ours │ their offer: 491
//!           │         │              ◀────────────────────────┤      │
//!  ┌────────┴───────┐ │              │ 2xx: ACK; other finals └─┬──▲─┘
//!  │ Unacknowledged │ │              │                      491 │  │ timer
//!  │ 200 repeated   │ └──────┬─▲─────┘                        ┌─▼──┴────┐
//!  └────────▲───────┘ INVITE,│ │ refused, cancelled,          │ Backoff │ their offer: taken
//!           │         UPDATE │ │ UPDATE: 200                  └─────────┘
//!           │         ┌──────▼─┴─────┐
//!           └─────────┤    Theirs    │ another one: 500, Retry-After
//!      INVITE: 200    └──────────────┘
//! ```
//! A refused offer leaves everything as it was. No ACK, 408 and 481 end the dialog. An UPDATE without an offer fits
//! anywhere: it and the session timer are in `refresh.rs`, what we
//! offer in `ours.rs`.

use super::lease::Lease;
use super::ours::{Ours, Plan};
use super::reliable::Reliable;
use super::{Leg, State, caller, hangup};
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
    pub(super) offers: Offers,
    /// An offer of ours that waits for its turn.
    pub(super) queued: Option<Bytes>,
    /// HangUp came before the first ACK: RFC 3261 15 forbids the callee's BYE until then.
    pub(super) leaving: Option<Option<Reason>>,
    /// The last SDPs of both sides.
    pub(super) local: Option<Bytes>,
    pub(super) remote: Option<Bytes>,
    pub(super) lease: Option<Lease>,
    /// A provisional to the first INVITE, with that one's sequence number, whose PRACK our 200 did not wait for.
    pub(super) owed_prack: Option<(Reliable, u32)>,
}

#[derive(Debug)]
pub(crate) enum Offers {
    Quiet,
    Ours(Ours),
    Backoff(Plan),
    Theirs(Theirs),
    Unacknowledged(Unacknowledged),
}

#[derive(Debug)]
pub(crate) struct Theirs {
    tx: TxId,
    sequence: u32,
    offer: Option<Bytes>,
    /// RFC 3311: its 200 gets no ACK.
    update: bool,
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
    /// The answer came before, in a PRACK.
    early_answer: Option<Bytes>,
}

impl Offers {
    /// Sends the 200 to a session's first INVITE.
    pub fn first_answer(
        desk: &mut Desk<'_>,
        leg: &Leg,
        tx: TxId,
        sequence: u32,
        answer: Bytes,
        owes_answer: bool,
        early_answer: Option<Bytes>,
    ) -> Offers {
        let interval = T1;
        Unacknowledged { tx, sequence, answer, interval, first: true, owes_answer, early_answer }.send(desk, leg)
    }
}

impl Unacknowledged {
    /// Sends a 200 and repeats it until its ACK (RFC 3261 13.3.1.4), on streams too.
    fn send(self, desk: &mut Desk<'_>, leg: &Leg) -> Offers {
        desk.respond(self.tx, 200, self.answer.clone());
        desk.arm(leg.id, Wait::RepeatAnswer, T1);
        desk.arm(leg.id, Wait::Acknowledge, PATIENCE);
        Offers::Unacknowledged(self)
    }
}

impl Established {
    pub fn new(dialog: Dialog, offers: Offers, local: Option<Bytes>, remote: Option<Bytes>) -> Established {
        Established { dialog, offers, queued: None, leaving: None, local, remote, lease: None, owed_prack: None }
    }

    pub fn on_answer(&mut self, desk: &mut Desk<'_>, leg: &Leg, sdp: Bytes) {
        let Offers::Theirs(Theirs { tx, sequence, update, .. }) = self.offers else {
            return;
        };
        let Some(head) = caller::head(desk, leg, tx, 200) else {
            return;
        };
        let lease = desk.transactions.request_of(tx).and_then(|request| Lease::accept(desk.config, request, self.lease));
        let head = lease.map_or(head.clone(), |lease| lease.write_answer(head));
        let answer = head.body(SDP, &sdp);
        let Offers::Theirs(theirs) = std::mem::replace(&mut self.offers, Offers::Quiet) else {
            return;
        };
        let owes_answer = theirs.offer.is_none();
        self.local = Some(sdp);
        self.remote = theirs.offer.or(self.remote.take());
        if update {
            desk.respond(tx, 200, answer);
            self.become_quiet(desk, leg);
        } else {
            let interval = T1;
            let waiting = Unacknowledged { tx, sequence, answer, interval, first: false, owes_answer, early_answer: None };
            self.offers = waiting.send(desk, leg);
        }
        self.renew_lease(desk, leg, lease);
    }

    pub fn on_refuse(&mut self, desk: &mut Desk<'_>, leg: &Leg, refusal: &Refusal) {
        if let Offers::Theirs(Theirs { tx, .. }) = self.offers {
            caller::refuse(desk, leg, tx, refusal);
            self.become_quiet(desk, leg);
        }
    }

    /// Their re-INVITE was cancelled.
    pub fn on_cancelled(&mut self, desk: &mut Desk<'_>, leg: &Leg) {
        if let Offers::Theirs(Theirs { update: false, .. }) = self.offers {
            self.give_up_theirs(desk);
            self.become_quiet(desk, leg);
        }
    }

    /// A BYE, theirs or ours, overtook their offer (RFC 3261 15.1.2).
    pub fn give_up_theirs(&mut self, desk: &mut Desk<'_>) {
        if let Offers::Theirs(Theirs { tx, .. }) = self.offers {
            desk.reply(tx, 487, None, |builder| builder);
            self.offers = Offers::Quiet;
        }
    }

    /// A re-INVITE, or an UPDATE with an offer.
    pub fn on_offer(&mut self, desk: &mut Desk<'_>, leg: &Leg, tx: TxId, request: &Message) {
        match &self.offers {
            Offers::Quiet => {}
            // Both sides at once: theirs goes first, ours waits for its turn; what only refreshes has no turn to wait for.
            Offers::Backoff(plan) => {
                let ours = Some(plan.sdp.clone()).filter(|_| !plan.refresh);
                self.queued = self.queued.take().or(ours);
                desk.disarm(leg.id, Wait::Glare);
            }
            Offers::Theirs(_) => return refuse_for_now(desk, tx),
            Offers::Ours(_) | Offers::Unacknowledged(_) => return desk.reply(tx, 491, None, |builder| builder),
        }
        let sequence = request.cseq().map_or(0, |(sequence, _)| sequence);
        let update = request.method() == Some(Method::Update);
        let offer = sdp_of(request);
        self.dialog.refresh(request);
        self.offers = Offers::Theirs(Theirs { tx, sequence, offer: offer.clone(), update });
        if !update {
            desk.reply(tx, 100, None, |builder| builder);
        }
        desk.out.push(Output::Reoffered { session: leg.id, sdp: offer });
    }

    pub fn on_ack(mut self: Box<Self>, desk: &mut Desk<'_>, leg: &mut Leg, ack: &Message, flow: Flow) -> State {
        let Offers::Unacknowledged(waiting) = &self.offers else {
            return State::Established(self);
        };
        if ack.cseq().map(|(sequence, _)| sequence) != Ok(waiting.sequence) {
            return State::Established(self);
        }
        let (first, owes_answer) = (waiting.first, waiting.owes_answer);
        let answer = if owes_answer { sdp_of(ack) } else { waiting.early_answer.clone() };
        self.dialog.flow = flow;
        desk.disarm(leg.id, Wait::RepeatAnswer);
        desk.disarm(leg.id, Wait::Acknowledge);
        if first || owes_answer {
            self.remote = answer.clone().or(self.remote.take());
            desk.out.push(Output::Confirmed { session: leg.id, sdp: answer });
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
            Errand::Refresh => {
                self.refresh_later(desk, leg);
                State::Established(self)
            }
            _ => State::Established(self),
        }
    }
}

/// RFC 3261 14.2: their other INVITE is not answered yet; Retry-After is random, 0 to 10 s.
pub(super) fn refuse_for_now(desk: &mut Desk<'_>, tx: TxId) {
    let seconds = desk.random.below(11);
    desk.reply(tx, 500, None, |builder| builder.write(HeaderId::RetryAfter, seconds));
}
