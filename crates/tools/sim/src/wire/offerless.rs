//! Calls whose INVITEs hold no offer (RFC 3261 13.2.1): it comes in the 200, the answer goes in the ACK. The endpoint of
//! the people's offers and reads an answer; what passes on the wire is changed here.

use super::rewrite::with_body;
use bytes::Bytes;
use sip::sdp::{self, Local};
use sip::{Message, Method};
use std::collections::BTreeMap;

#[derive(Default)]
pub struct Offerless {
    calls: BTreeMap<String, (Local, Option<Bytes>)>,
}

impl Offerless {
    pub fn begin(&mut self, call_id: &str, local: Local) {
        self.calls.insert(call_id.into(), (local, None));
    }

    /// The offer in a 200 is answered when the ACK goes.
    pub fn received(&mut self, bytes: &Bytes) {
        if self.calls.is_empty() {
            return;
        }
        let Ok(message) = Message::parse(bytes.clone()) else { return };
        let invites = message.cseq().is_ok_and(|(_, method)| method == Method::Invite);
        if !message.status().is_some_and(|status| (200..300).contains(&status)) || !invites {
            return;
        }
        if let Some((local, answer)) = message.call_id().ok().and_then(|id| self.calls.get_mut(id)) {
            *answer = sdp::answer(&message.body(), local).ok().map(|(answer, _)| answer);
        }
    }

    pub fn sent(&self, bytes: Bytes) -> Bytes {
        if self.calls.is_empty() {
            return bytes;
        }
        let Ok(message) = Message::parse(bytes.clone()) else { return bytes };
        let call = message.call_id().ok().and_then(|id| self.calls.get(id));
        match (call, message.method()) {
            (Some(_), Some(Method::Invite)) => with_body(&bytes, b""),
            (Some((_, Some(answer))), Some(Method::Ack)) => with_body(&bytes, answer),
            _ => bytes,
        }
    }
}
