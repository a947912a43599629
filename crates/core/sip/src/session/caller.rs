//! A session that came in, until it is answered (RFC 3261 13.3).

use super::reoffer::Offers;
use super::{Leg, State, established, hangup, reason};
use crate::desk::{Desk, phrase};
use crate::dialog::Dialog;
use crate::respond::SDP;
use crate::transaction::TxId;
use crate::transaction::timer::Wait;
use crate::{Builder, EndedBy, HeaderId, Reason, Refusal, response_to};
use bytes::Bytes;
use std::time::Duration;

/// Proxies give an INVITE three minutes from its last provisional; each minute is asked for (RFC 3261 13.3.1.1).
const RINGING: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub(crate) struct Incoming {
    pub tx: TxId,
    pub dialog: Dialog,
    /// The INVITE had an offer, so that our 200 has the answer; else our 200 has the offer and the ACK the answer.
    offered: bool,
    ringing: Option<(u16, Bytes)>,
}

impl Incoming {
    pub fn new(tx: TxId, dialog: Dialog, offered: bool) -> Incoming {
        Incoming { tx, dialog, offered, ringing: None }
    }

    /// 180 or 183, each at any time.
    pub fn on_ring(&mut self, desk: &mut Desk<'_>, leg: &Leg, status: u16, sdp: Option<Bytes>) {
        if !(101..200).contains(&status) {
            return;
        }
        let Some(head) = self.head(desk, leg, status) else {
            return;
        };
        let bytes = match sdp {
            Some(sdp) => head.body(SDP, &sdp),
            None => head.finish(),
        };
        self.ringing = Some((status, bytes.clone()));
        desk.respond(self.tx, status, bytes);
        desk.arm(leg.id, Wait::RepeatRinging, RINGING);
    }

    pub fn repeat_ringing(&mut self, desk: &mut Desk<'_>, leg: &Leg) {
        if let Some((status, bytes)) = &self.ringing {
            desk.respond(self.tx, *status, bytes.clone());
            desk.arm(leg.id, Wait::RepeatRinging, RINGING);
        }
    }

    pub fn on_answer(self: Box<Self>, desk: &mut Desk<'_>, leg: &Leg, sdp: Bytes) -> State {
        let Some(head) = self.head(desk, leg, 200) else {
            return State::Incoming(self);
        };
        desk.disarm(leg.id, Wait::RepeatRinging);
        let sequence = desk.transactions.request_of(self.tx).and_then(|invite| invite.cseq().ok()).map_or(0, |cseq| cseq.0);
        let offers = Offers::answered(desk, leg, self.tx, sequence, head.body(SDP, &sdp), true, !self.offered);
        established(self.dialog, offers)
    }

    pub fn on_reject(self: Box<Self>, desk: &mut Desk<'_>, leg: &Leg, refusal: &Refusal) -> State {
        refuse(desk, leg, self.tx, refusal);
        hangup::end(desk, leg, EndedBy::Us, None);
        State::Over(None)
    }

    /// RFC 3261 9.2: 487, and the caller is gone.
    pub fn on_cancel(self: Box<Self>, desk: &mut Desk<'_>, leg: &Leg, reason: Option<Reason>) -> State {
        desk.reply(self.tx, 487, Some(&leg.local_tag), |builder| builder);
        hangup::end(desk, leg, EndedBy::Peer, reason);
        State::Over(None)
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

/// A final refusal of an INVITE, with why and when to come back.
pub(super) fn refuse(desk: &mut Desk<'_>, leg: &Leg, tx: TxId, refusal: &Refusal) {
    let status = if (300..700).contains(&refusal.status) { refusal.status } else { 500 };
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
