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

use super::challenge::{self, Authorization};
use super::invite::invite;
use super::reoffer::Offers;
use super::{Leg, State, established, forks, hangup, reason};
use crate::desk::Desk;
use crate::dialog::Dialog;
use crate::transaction::timer::{PATIENCE, Wait};
use crate::transaction::{Errand, TxId, cancel_of};
use crate::{Dial, EndedBy, HeaderId, Message, Method, Output, Reason, Uri};
use bytes::Bytes;

#[derive(Debug)]
pub(crate) struct Outgoing {
    dial: Box<Dial>,
    uri: Uri,
    tx: TxId,
    sequence: u32,
    authorization: Option<Authorization>,
    /// Some provisional came, so that a CANCEL may go (RFC 3261 9.1).
    heard: bool,
    cancelled: bool,
    /// Early dialogs, with the last SDP that each sent.
    forks: Vec<(String, Option<Bytes>)>,
    /// On the way out: who wanted it and why.
    leaving: Option<(EndedBy, Option<Reason>)>,
}

/// Early dialogs of one INVITE that are told apart.
const MOST_FORKS: usize = 16;

impl Outgoing {
    pub fn start(desk: &mut Desk<'_>, leg: &mut Leg, dial: Box<Dial>) -> State {
        let uri = Uri::parse(dial.uri.as_bytes()).ok().filter(|uri| uri.is_sip() || uri.scheme == crate::Scheme::Tel);
        let Some(uri) = uri.map(|uri| Uri { headers: None, ..uri }) else {
            return failed(desk, leg, 400);
        };
        let sequence = 1;
        let invite = invite(desk, leg, &dial, &uri, sequence, None);
        let full = desk.transactions.len() >= desk.config.max_transactions;
        let Some(tx) = (!full).then(|| desk.request(dial.flow, invite, leg.id, Errand::Invite)).flatten() else {
            return failed(desk, leg, 503);
        };
        desk.arm(leg.id, Wait::Provisional, dial.provisional_within);
        State::Outgoing(Box::new(Outgoing {
            dial,
            uri,
            tx,
            sequence,
            authorization: None,
            heard: false,
            cancelled: false,
            forks: vec![],
            leaving: None,
        }))
    }

    pub fn knows_fork(&self, wanted: impl Fn(&str) -> bool) -> bool {
        self.forks.iter().any(|(known, _)| wanted(known))
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
            _ => self.on_no_answer(desk, leg, status),
        }
    }

    fn on_provisional(&mut self, desk: &mut Desk<'_>, leg: &Leg, response: &Message, status: u16) {
        let sdp = crate::respond::sdp_of(response);
        if let Some(tag) = response.to().ok().and_then(|to| to.tag) {
            self.remember_fork(tag, sdp.clone());
        }
        if self.leaving.is_some() {
            self.cancel(desk, leg);
        } else if status != 100 {
            desk.out.push(Output::Progress { session: leg.id, status, sdp });
        }
    }

    fn remember_fork(&mut self, tag: String, sdp: Option<Bytes>) {
        let room = self.forks.len() < MOST_FORKS;
        match self.forks.iter_mut().find(|(known, _)| *known == tag) {
            Some((_, last)) => *last = sdp.or(last.take()),
            None if room => self.forks.push((tag, sdp)),
            None => {}
        }
    }

    fn on_success(self: Box<Self>, desk: &mut Desk<'_>, leg: &mut Leg, response: &Message) -> State {
        desk.disarm(leg.id, Wait::Cancelled);
        let dialog = desk
            .transactions
            .request_of(self.tx)
            .and_then(|invite| Dialog::of_response(invite, response, self.dial.flow, leg.registered));
        let Some(dialog) = dialog else {
            // Nothing to send an ACK along: the peer gives up by itself.
            return self.on_no_answer(desk, leg, 500);
        };
        forks::acknowledge(desk, leg, &dialog, self.sequence, self.authorization.as_ref());
        if let Some((by, reason)) = self.leaving {
            return hangup::bye(desk, leg, dialog, by, reason);
        }
        // RFC 3261 13.2.1 wants the answer in the 2xx; some send it only in the 183 before.
        let early = || self.forks.iter().find(|(tag, _)| *tag == dialog.remote_tag).and_then(|(_, sdp)| sdp.clone());
        match crate::respond::sdp_of(response).or_else(early) {
            Some(sdp) => {
                desk.out.push(Output::Answered { session: leg.id, sdp });
                established(dialog, Offers::Quiet)
            }
            None => {
                hangup::stray_bye(desk, leg, dialog);
                failed(desk, leg, 488)
            }
        }
    }

    fn on_challenge(mut self: Box<Self>, desk: &mut Desk<'_>, leg: &mut Leg, response: &Message, status: u16) -> State {
        let uri = self.uri.to_string();
        let answer = challenge::answer(desk, leg, response, &Method::Invite, &uri, &self.dial.sdp);
        let Some(authorization) = answer else {
            return self.on_no_answer(desk, leg, status);
        };
        self.sequence += 1;
        let invite = invite(desk, leg, &self.dial, &self.uri, self.sequence, Some(&authorization));
        let Some(tx) = desk.request(self.dial.flow, invite, leg.id, Errand::Invite) else {
            return self.on_no_answer(desk, leg, 500);
        };
        // The new INVITE has heard nothing yet: a CANCEL waits again, and its silence counts from now.
        *self = Outgoing { tx, authorization: Some(authorization), heard: false, forks: vec![], ..*self };
        desk.arm(leg.id, Wait::Provisional, self.dial.provisional_within);
        State::Outgoing(self)
    }

    /// The end without a 2xx: a refusal, silence, or a transport that failed.
    pub fn on_no_answer(self: Box<Self>, desk: &mut Desk<'_>, leg: &Leg, status: u16) -> State {
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
