//! A session that we dialled, until it is answered (RFC 3261 13.2).
//!
//! ```text
//!   INVITE ──▶ silent ──1xx──▶ heard ──2xx──▶ ACK, Established
//!                │ HangUp        │ HangUp
//!                ▼               ▼
//!             leaving ──1xx──▶ CANCEL sent ──487──▶ Ended
//!                │               └──2xx (crossed)──▶ ACK, BYE
//!                └──nothing for 64*T1──▶ Ended
//! ```

use super::caller::{confirm, refuse};
use super::challenge::{self, Authorization};
use super::early::Forks;
use super::invite::invite;
use super::lease::{Lease, Terms};
use super::reoffer::{Offers, refuse_for_now};
use super::{Established, Leg, State, forks, hangup, reason};
use crate::desk::Desk;
use crate::dialog::Dialog;
use crate::respond::sdp_of;
use crate::transaction::timer::{PATIENCE, Wait};
use crate::transaction::{Errand, TxId, cancel_of};
use crate::{Dial, EndedBy, HeaderId, Message, Method, Output, Reason, Refusal, Uri};
use bytes::Bytes;

#[derive(Debug)]
pub(crate) struct Outgoing {
    dial: Box<Dial>,
    uri: Uri,
    tx: TxId,
    sequence: u32,
    authorization: Option<Authorization>,
    /// What is asked for the session timer; a 422 raises it.
    terms: Terms,
    /// Some provisional came, so that a CANCEL may go (RFC 3261 9.1).
    heard: bool,
    cancelled: bool,
    forks: Forks,
    /// An UPDATE with an offer that came in a fork and is not answered yet.
    theirs: Option<Theirs>,
    /// Our last SDP: the offer, or our answer to an UPDATE.
    local: Bytes,
    /// On the way out: who wanted it and why.
    leaving: Option<(EndedBy, Option<Reason>)>,
}

#[derive(Debug)]
struct Theirs {
    tx: TxId,
    tag: String,
    offer: Bytes,
}

impl Outgoing {
    pub fn start(desk: &mut Desk<'_>, leg: &mut Leg, dial: Box<Dial>) -> State {
        let uri = Uri::parse(dial.uri.as_bytes()).ok().filter(|uri| uri.is_sip() || uri.scheme == crate::Scheme::Tel);
        let Some(uri) = uri.map(|uri| Uri { headers: None, ..uri }) else {
            return failed(desk, leg, 400);
        };
        let (sequence, terms) = (1, Terms { interval: desk.config.session_expires, least: None });
        let invite = invite(desk, leg, &dial, &uri, sequence, terms, None);
        let full = desk.transactions.len() >= desk.config.max_transactions;
        let Some(tx) = (!full).then(|| desk.request(dial.flow, invite, leg.id, Errand::Invite)).flatten() else {
            return failed(desk, leg, 503);
        };
        desk.arm(leg.id, Wait::Provisional, dial.provisional_within);
        let local = dial.sdp.clone();
        State::Outgoing(Box::new(Outgoing {
            dial,
            uri,
            tx,
            sequence,
            authorization: None,
            terms,
            heard: false,
            cancelled: false,
            forks: Forks::default(),
            theirs: None,
            local,
            leaving: None,
        }))
    }

    pub fn knows_fork(&self, wanted: impl Fn(&str) -> bool) -> bool {
        self.forks.knows(wanted)
    }

    pub fn dialog_with(&mut self, tag: &str) -> Option<&mut Dialog> {
        self.forks.find(tag).map(|fork| &mut fork.dialog)
    }

    pub fn on_response(mut self: Box<Self>, desk: &mut Desk<'_>, leg: &mut Leg, response: &Message, status: u16) -> State {
        self.heard = true;
        desk.disarm(leg.id, Wait::Provisional);
        match status {
            ..200 => {
                self.on_provisional(desk, leg, response, status);
                State::Outgoing(self)
            }
            200..300 => self.on_success(desk, leg, response),
            401 | 407 if self.leaving.is_none() && self.authorization.is_none() => self.on_challenge(desk, leg, response, status),
            422 if self.leaving.is_none() => self.on_too_short(desk, leg, response),
            _ => self.on_no_answer(desk, leg, status),
        }
    }

    fn on_provisional(&mut self, desk: &mut Desk<'_>, leg: &mut Leg, response: &Message, status: u16) {
        let news = status == 100 || self.forks.on_provisional(desk, leg, self.tx, response);
        leg.spent = leg.spent.max(self.forks.highest_sequence());
        if self.leaving.is_some() {
            self.cancel(desk, leg);
        } else if status != 100 && news {
            desk.out.push(Output::Progress { session: leg.id, status, sdp: sdp_of(response) });
        }
    }

    /// RFC 3311 5.2: an UPDATE in an early dialog. An offer is taken once ours has its answer, reliably.
    pub fn on_update(&mut self, desk: &mut Desk<'_>, leg: &Leg, tx: TxId, update: &Message) {
        let tag = update.from().ok().and_then(|from| from.tag).unwrap_or_default();
        let Some(fork) = self.forks.find(&tag) else {
            return desk.reply(tx, 481, None, |builder| builder);
        };
        match sdp_of(update) {
            Some(_) if !fork.settled => desk.reply(tx, 491, None, |builder| builder),
            Some(_) if self.theirs.is_some() => refuse_for_now(desk, tx),
            None => {
                fork.dialog.refresh(update);
                confirm(desk, leg, tx, None, None);
            }
            Some(offer) => {
                fork.dialog.refresh(update);
                self.theirs = Some(Theirs { tx, tag, offer: offer.clone() });
                desk.out.push(Output::Reoffered { session: leg.id, sdp: Some(offer) });
            }
        }
    }

    pub fn on_answer_reoffer(&mut self, desk: &mut Desk<'_>, leg: &Leg, sdp: Bytes) {
        let Some(Theirs { tx, tag, offer }) = self.theirs.take() else {
            return;
        };
        confirm(desk, leg, tx, Some(&sdp), None);
        self.local = sdp;
        if let Some(fork) = self.forks.find(&tag) {
            (fork.sdp, fork.updated) = (Some(offer), true);
        }
    }

    pub fn on_refuse_reoffer(&mut self, desk: &mut Desk<'_>, leg: &Leg, refusal: &Refusal) {
        if let Some(Theirs { tx, .. }) = self.theirs.take() {
            refuse(desk, leg, tx, refusal);
        }
    }

    fn give_up_theirs(&mut self, desk: &mut Desk<'_>) {
        if let Some(Theirs { tx, .. }) = self.theirs.take() {
            desk.reply(tx, 487, None, |builder| builder);
        }
    }

    /// A PRACK of ours was challenged.
    pub fn on_pracked(&mut self, desk: &mut Desk<'_>, leg: &mut Leg, tx: TxId, response: &Message) {
        let tag = response.to().ok().and_then(|to| to.tag).unwrap_or_default();
        if let Some(fork) = self.forks.find(&tag) {
            challenge::again(desk, leg, &mut fork.dialog, tx, response, Errand::Prack);
        }
        leg.spent = leg.spent.max(self.forks.highest_sequence());
    }

    fn on_success(mut self: Box<Self>, desk: &mut Desk<'_>, leg: &mut Leg, response: &Message) -> State {
        desk.disarm(leg.id, Wait::Cancelled);
        let dialog = desk
            .transactions
            .request_of(self.tx)
            .and_then(|invite| Dialog::of_response(invite, response, self.dial.flow, leg.registered));
        let Some(mut dialog) = dialog else {
            // Nothing to send an ACK along: the peer gives up by itself.
            return self.on_no_answer(desk, leg, 500);
        };
        let fork = self.forks.take(&dialog.remote_tag);
        if let Some(fork) = &fork {
            dialog.succeed(&fork.dialog);
        }
        self.give_up_theirs(desk);
        forks::acknowledge(desk, leg, &dialog, self.sequence, self.authorization.as_ref());
        if let Some((by, reason)) = self.leaving {
            return hangup::bye(desk, leg, dialog, by, reason);
        }
        // RFC 3261 13.2.1 wants the answer in the 2xx; some send it only in the 183 before, and must, if that was
        // reliable. What an UPDATE said since then is newer than both.
        let updated = fork.as_ref().is_some_and(|fork| fork.updated);
        let early = fork.and_then(|fork| fork.sdp);
        let answer = sdp_of(response).filter(|_| !updated).or(early);
        let Some(sdp) = answer else {
            hangup::stray_bye(desk, leg, dialog);
            return failed(desk, leg, 488);
        };
        desk.out.push(Output::Answered { session: leg.id, sdp: sdp.clone() });
        let mut established = Established::new(dialog, Offers::Quiet, Some(self.local), Some(sdp));
        established.begin_lease(desk, leg, Lease::granted(response));
        State::Established(Box::new(established))
    }

    fn on_challenge(self: Box<Self>, desk: &mut Desk<'_>, leg: &mut Leg, response: &Message, status: u16) -> State {
        let uri = self.uri.to_string();
        match challenge::answer(desk, leg, response, &Method::Invite, &uri, &self.dial.sdp) {
            Some(authorization) => self.dial_again(desk, leg, Some(authorization)),
            None => self.on_no_answer(desk, leg, status),
        }
    }

    /// RFC 4028 7.3; once.
    fn on_too_short(mut self: Box<Self>, desk: &mut Desk<'_>, leg: &mut Leg, response: &Message) -> State {
        match self.terms.longer(response) {
            Some(terms) if self.terms.least.is_none() => {
                self.terms = terms;
                self.dial_again(desk, leg, None)
            }
            _ => self.on_no_answer(desk, leg, 422),
        }
    }

    /// The new INVITE has heard nothing yet: a CANCEL waits again, and its silence counts from now.
    fn dial_again(mut self: Box<Self>, desk: &mut Desk<'_>, leg: &mut Leg, authorization: Option<Authorization>) -> State {
        self.give_up_theirs(desk);
        self.sequence += 1;
        let invite = invite(desk, leg, &self.dial, &self.uri, self.sequence, self.terms, authorization.as_ref());
        let Some(tx) = desk.request(self.dial.flow, invite, leg.id, Errand::Invite) else {
            return self.on_no_answer(desk, leg, 500);
        };
        desk.arm(leg.id, Wait::Provisional, self.dial.provisional_within);
        let local = self.dial.sdp.clone();
        *self = Outgoing { tx, authorization, heard: false, forks: Forks::default(), local, ..*self };
        State::Outgoing(self)
    }

    /// The end without a 2xx: a refusal, silence, or a transport that failed.
    pub fn on_no_answer(mut self: Box<Self>, desk: &mut Desk<'_>, leg: &Leg, status: u16) -> State {
        self.give_up_theirs(desk);
        match self.leaving {
            Some((by, reason)) => {
                let reason = if by == EndedBy::Peer { reason } else { None };
                hangup::end(desk, leg, by, reason);
                State::Over(None)
            }
            None => failed(desk, leg, status),
        }
    }

    pub fn on_silence(&self, desk: &mut Desk<'_>, leg: &Leg) {
        if self.leaving.is_none() {
            desk.out.push(Output::NoProvisional { session: leg.id });
        }
    }

    /// HangUp, or the peer's BYE in an early dialog.
    pub fn leave(mut self: Box<Self>, desk: &mut Desk<'_>, leg: &Leg, by: EndedBy, reason: Option<Reason>) -> State {
        if self.leaving.is_none() {
            self.leaving = Some((by, reason));
            if self.heard {
                self.cancel(desk, leg);
            }
        }
        State::Outgoing(self)
    }

    /// RFC 3261 9.1: no final response within 64*T1 of the CANCEL.
    pub fn on_cancel_unheard(self: Box<Self>, desk: &mut Desk<'_>, leg: &Leg) -> State {
        desk.transactions.abandon(self.tx);
        self.on_no_answer(desk, leg, 408)
    }

    fn cancel(&mut self, desk: &mut Desk<'_>, leg: &Leg) {
        let Some(invite) = desk.transactions.request_of(self.tx).filter(|_| !self.cancelled) else {
            return;
        };
        self.cancelled = true;
        let why = self.leaving.as_ref().and_then(|(_, reason)| reason.as_ref()).map(reason::print);
        let bytes = cancel_of(invite).maybe(HeaderId::Reason, why).finish();
        desk.request(self.dial.flow, bytes, leg.id, Errand::Cancel);
        desk.arm(leg.id, Wait::Cancelled, PATIENCE);
    }
}

fn failed(desk: &mut Desk<'_>, leg: &Leg, status: u16) -> State {
    hangup::quiet(desk, leg);
    desk.out.push(Output::Failed { session: leg.id, status });
    State::Over(None)
}
