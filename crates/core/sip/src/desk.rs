//! What every part works with while one input is handled.

use crate::seal::Seal;
use crate::transaction::timer::{Alarm, Wait};
use crate::transaction::{Errand, Owner, Transactions, TxId};
use crate::{Builder, Config, Flow, HeaderId, Message, Output, SessionId, Transport, Uri, Via};
use base::{Now, Random};
use bytes::Bytes;
use std::time::Duration;

/// Methods that we take (RFC 3261 20.5).
pub(crate) const ALLOW: &str = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, PRACK, UPDATE, REFER, REGISTER";

pub(crate) struct Desk<'a> {
    pub now: Now,
    pub config: &'a Config,
    pub transactions: &'a mut Transactions,
    pub random: &'a mut Random,
    /// Begins each branch of ours, so that a request that comes round is known (RFC 3261 16.3, RFC 7332).
    pub cookie: &'a str,
    pub seal: &'a Seal,
    pub out: &'a mut Vec<Output>,
}

impl Desk<'_> {
    /// 64 random bits (security row 34).
    pub fn tag(&mut self) -> String {
        self.random.token()
    }

    /// A Via with a new branch.
    pub fn via(&mut self, flow: Flow) -> Via {
        let branch = format!("{}{}", self.cookie, self.random.token());
        Via::new(flow.transport, self.config.host_towards(flow), Some(flow.local.port()), &branch)
    }

    /// The same, for an INVITE to this user: should it come back to us, [`Self::came_round`] knows it.
    pub fn via_towards(&mut self, flow: Flow, user: &str) -> Via {
        let mut via = self.via(flow);
        if let Some(branch) = &mut via.branch {
            branch.push_str(&format!("-{}", self.seal.tag(&[b"towards", user.as_bytes()])));
        }
        via
    }

    /// Whether a Via is ours, of a request that was sent to this very user.
    pub fn came_round(&self, via: &[u8], user: &str) -> bool {
        let branch = Via::parse(via).and_then(|via| via.branch).unwrap_or_default();
        let sent_to = branch.strip_prefix(self.cookie).map(|rest| rest.split_once('-').map(|(_, mark)| mark));
        sent_to.is_some_and(|mark| mark.is_none_or(|mark| mark == self.seal.tag(&[b"towards", user.as_bytes()])))
    }

    /// Our Contact, as the peer at the end of this flow reaches it.
    pub fn contact(&self, flow: Flow) -> String {
        let host = self.config.host_towards(flow);
        let uri = Uri::sip(Some(&self.config.contact_user), host, Some(flow.local.port()));
        match flow.transport {
            Transport::Udp => format!("<{uri}>"),
            Transport::Tcp => format!("<{uri};transport=tcp>"),
        }
    }

    pub fn transmit(&mut self, flow: Flow, bytes: Bytes) {
        self.out.push(Output::Transmit { flow, bytes });
    }

    /// Whether an open transaction took this request.
    pub fn absorbs(&mut self, request: &Message) -> bool {
        self.transactions.absorb(self.now.mono, request, self.out)
    }

    pub fn request(&mut self, flow: Flow, bytes: Bytes, session: SessionId, errand: Errand) -> Option<TxId> {
        self.transactions.request(self.now.mono, flow, bytes, Owner { session, errand }, self.out)
    }

    pub fn respond(&mut self, tx: TxId, status: u16, bytes: Bytes) {
        self.transactions.respond(self.now.mono, tx, status, bytes, self.out);
    }

    /// A response without a body; `more` adds fields.
    pub fn reply(&mut self, tx: TxId, status: u16, tag: Option<&str>, more: impl FnOnce(Builder) -> Builder) {
        let (Some(request), Some(flow)) = (self.transactions.request_of(tx), self.transactions.source_of(tx)) else {
            return;
        };
        let builder = crate::response_to(request, status, phrase(status), tag, flow.remote);
        let bytes = more(builder.header(HeaderId::Server, &*self.config.user_agent)).finish();
        self.respond(tx, status, bytes);
    }

    pub fn arm(&mut self, session: SessionId, wait: Wait, after: Duration) {
        self.transactions.timers.arm(Alarm::Session(session, wait), self.now.mono + after);
    }

    pub fn disarm(&mut self, session: SessionId, wait: Wait) {
        self.transactions.timers.disarm(&Alarm::Session(session, wait));
    }
}

/// RFC 3261 21 and its extensions.
pub(crate) fn phrase(status: u16) -> &'static str {
    match status {
        100 => "Trying",
        180 => "Ringing",
        181 => "Call Is Being Forwarded",
        182 => "Queued",
        183 => "Session Progress",
        200 => "OK",
        202 => "Accepted",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        410 => "Gone",
        415 => "Unsupported Media Type",
        416 => "Unsupported URI Scheme",
        420 => "Bad Extension",
        422 => "Session Interval Too Small",
        423 => "Interval Too Brief",
        440 => "Max-Breadth Exceeded",
        480 => "Temporarily Unavailable",
        481 => "Call/Transaction Does Not Exist",
        482 => "Loop Detected",
        483 => "Too Many Hops",
        484 => "Address Incomplete",
        486 => "Busy Here",
        487 => "Request Terminated",
        488 => "Not Acceptable Here",
        491 => "Request Pending",
        500 => "Server Internal Error",
        501 => "Not Implemented",
        503 => "Service Unavailable",
        504 => "Server Time-out",
        505 => "Version Not Supported",
        513 => "Message Too Large",
        600 => "Busy Everywhere",
        603 => "Decline",
        606 => "Not Acceptable",
        _ => match status / 100 {
            1 => "Progress",
            2 => "Accepted",
            3 => "Elsewhere",
            4 => "Refused",
            5 => "Server Error",
            _ => "Refused Everywhere",
        },
    }
}
