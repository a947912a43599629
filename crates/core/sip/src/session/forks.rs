//! ACKs to 2xx, and the branches of a fork that lost: ACK and BYE at once (RFC 3261 13.2.2.4).

use super::Leg;
use super::challenge::Authorization;
use crate::desk::Desk;
use crate::dialog::Dialog;
use crate::transaction::{Errand, TxId};
use crate::{Flow, HeaderId, Message, Method};
use bytes::Bytes;

/// The ACKs sent so far, to send again when their 2xx comes again.
#[derive(Debug, Default)]
pub(super) struct Acks(Vec<Ack>);

#[derive(Debug)]
struct Ack {
    sequence: u32,
    remote_tag: String,
    flow: Flow,
    bytes: Bytes,
}

impl Acks {
    /// Forks of one INVITE, or re-INVITEs whose 2xx may still come again.
    const MOST: usize = 16;

    /// True: this 2xx was acknowledged before, and now again.
    pub fn repeat(&self, desk: &mut Desk<'_>, response: &Message) -> bool {
        let Some((sequence, tag)) = identity(response) else {
            return false;
        };
        let Some(ack) = self.0.iter().find(|ack| ack.sequence == sequence && ack.remote_tag == tag) else {
            return false;
        };
        desk.transmit(ack.flow, ack.bytes.clone());
        true
    }

    fn keep(&mut self, ack: Ack) {
        if self.0.len() >= Self::MOST {
            self.0.remove(0);
        }
        self.0.push(ack);
    }
}

fn identity(response: &Message) -> Option<(u32, String)> {
    Some((response.cseq().ok()?.0, response.to().ok()?.tag.unwrap_or_default()))
}

/// ACK to a 2xx, in its dialog, with the INVITE's credentials (RFC 3261 22.1).
pub(super) fn acknowledge(
    desk: &mut Desk<'_>,
    leg: &mut Leg,
    dialog: &Dialog,
    sequence: u32,
    authorization: Option<&Authorization>,
) {
    let (mut builder, flow) = dialog.request_numbered(desk, Method::Ack, sequence);
    if let Some((id, value)) = authorization {
        builder = builder.header(*id, value);
    }
    let bytes = builder.finish();
    leg.acks.keep(Ack { sequence, remote_tag: dialog.remote_tag.clone(), flow, bytes: bytes.clone() });
    desk.transmit(flow, bytes);
}

/// A response to an INVITE that is decided already: a 2xx of another fork, or one that crossed our last word.
pub(super) fn on_late_response(desk: &mut Desk<'_>, leg: &mut Leg, tx: TxId, response: &Message, status: u16) {
    if !(200..300).contains(&status) {
        return;
    }
    let (Some(invite), Some(flow)) = (desk.transactions.request_of(tx), desk.transactions.source_of(tx)) else {
        return;
    };
    let authorization = authorization_of(invite);
    let Some(mut dialog) = Dialog::of_response(invite, response, flow, leg.registered) else {
        return;
    };
    let sequence = dialog.local_sequence;
    acknowledge(desk, leg, &dialog, sequence, authorization.as_ref());
    dialog.local_sequence = sequence.max(leg.spent);
    let (bye, flow) = dialog.request(desk, Method::Bye);
    desk.request(flow, bye.finish(), leg.id, Errand::Stray);
}

fn authorization_of(invite: &Message) -> Option<Authorization> {
    [HeaderId::Authorization, HeaderId::ProxyAuthorization]
        .into_iter()
        .find_map(|id| invite.header(id).map(|value| (id, String::from_utf8_lossy(&value).into_owned())))
}
