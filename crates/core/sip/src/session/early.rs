//! Early dialogs of an INVITE that we sent: one for each branch of a fork that said something (RFC 3261 12.1,
//! RFC 3262 4).
//!
//! A provisional that must arrive is acknowledged with PRACK, in the order of its RSeq; one out of order or seen
//! before is dropped, as if it had not come. With the peer's SDP in it the offer is answered: from then on the peer may
//! make offers of its own by UPDATE (RFC 3311).

use super::Leg;
use crate::desk::Desk;
use crate::dialog::Dialog;
use crate::header::RAck;
use crate::message::text::number;
use crate::respond::sdp_of;
use crate::transaction::{Errand, TxId};
use crate::{HeaderId, Message, Method};
use bytes::Bytes;

/// Early dialogs of one INVITE that are told apart.
const MOST_FORKS: usize = 16;

#[derive(Debug, Default)]
pub(super) struct Forks(Vec<Fork>);

#[derive(Debug)]
pub(super) struct Fork {
    pub dialog: Dialog,
    /// The last SDP of the peer's.
    pub sdp: Option<Bytes>,
    /// RSeq of the last provisional that was acknowledged.
    rseq: Option<u32>,
    /// Our offer has its answer, reliably.
    pub settled: bool,
    /// The peer changed its SDP by UPDATE since: what its 200 holds is older.
    pub updated: bool,
}

impl Forks {
    pub fn knows(&self, wanted: impl Fn(&str) -> bool) -> bool {
        self.0.iter().any(|fork| wanted(&fork.dialog.remote_tag))
    }

    pub fn find(&mut self, tag: &str) -> Option<&mut Fork> {
        self.0.iter_mut().find(|fork| fork.dialog.remote_tag == tag)
    }

    pub fn highest_sequence(&self) -> u32 {
        self.0.iter().map(|fork| fork.dialog.local_sequence).max().unwrap_or(0)
    }

    pub fn take(&mut self, tag: &str) -> Option<Fork> {
        let at = self.0.iter().position(|fork| fork.dialog.remote_tag == tag)?;
        Some(self.0.swap_remove(at))
    }

    /// A provisional with status 101 to 199; `tx`: of the INVITE. False: drop it.
    pub fn on_provisional(&mut self, desk: &mut Desk<'_>, leg: &Leg, tx: TxId, response: &Message) -> bool {
        let Some(tag) = response.to().ok().and_then(|to| to.tag) else {
            return true;
        };
        if self.find(&tag).is_none() {
            let full = self.0.len() >= MOST_FORKS;
            let new = dialog_of(desk, leg, tx, response).filter(|_| !full);
            let Some(dialog) = new else {
                return true;
            };
            self.0.push(Fork { dialog, sdp: None, rseq: None, settled: false, updated: false });
        }
        self.find(&tag).is_none_or(|fork| fork.on_provisional(desk, leg, response))
    }
}

fn dialog_of(desk: &Desk<'_>, leg: &Leg, tx: TxId, response: &Message) -> Option<Dialog> {
    let (invite, flow) = (desk.transactions.request_of(tx)?, desk.transactions.source_of(tx)?);
    Dialog::of_response(invite, response, flow, leg.registered)
}

impl Fork {
    fn on_provisional(&mut self, desk: &mut Desk<'_>, leg: &Leg, response: &Message) -> bool {
        let sdp = sdp_of(response);
        if let Some(rseq) = reliable(response) {
            if self.rseq.is_some_and(|last| last.checked_add(1) != Some(rseq)) {
                return false;
            }
            self.rseq = Some(rseq);
            self.settled |= sdp.is_some();
            acknowledge(desk, leg, &mut self.dialog, response, rseq);
        }
        self.sdp = sdp.or(self.sdp.take());
        true
    }
}

/// RSeq of a provisional that wants a PRACK.
pub(super) fn reliable(response: &Message) -> Option<u32> {
    let wanted = response.values(HeaderId::Require).any(|tag| tag.eq_ignore_ascii_case(b"100rel"));
    let rseq = response.header(HeaderId::RSeq).and_then(|value| number(&value));
    rseq.filter(|rseq| wanted && *rseq > 0)
}

/// PRACK, in the dialog of the provisional (RFC 3262 4).
pub(super) fn acknowledge(desk: &mut Desk<'_>, leg: &Leg, dialog: &mut Dialog, response: &Message, rseq: u32) {
    let Ok((sequence, method)) = response.cseq() else {
        return;
    };
    let (builder, flow) = dialog.request(desk, Method::Prack);
    let bytes = builder.write(HeaderId::RAck, RAck { rseq, sequence, method }).finish();
    desk.request(flow, bytes, leg.id, Errand::Prack);
}
