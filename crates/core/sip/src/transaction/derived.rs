//! Messages that follow from a transaction's request alone, and the way back for responses.

use crate::{Builder, Flow, HeaderId, Message, Method, StartLine, Transport};
use bytes::Bytes;
use std::net::SocketAddr;

/// ACK to a 300-699 (RFC 3261 17.1.1.3): the INVITE's URI, top Via and Route; To from the response.
pub(super) fn ack_of(invite: &Message, response: &Message) -> Bytes {
    let to = response.header(HeaderId::To);
    follow(invite, Method::Ack, to.as_deref()).finish()
}

/// CANCEL for an INVITE of ours (RFC 3261 9.1); further fields may be added.
pub(crate) fn cancel_of(invite: &Message) -> Builder {
    let to = invite.header(HeaderId::To);
    follow(invite, Method::Cancel, to.as_deref())
}

fn follow(invite: &Message, method: Method, to: Option<&[u8]>) -> Builder {
    let uri = match invite.start() {
        StartLine::Request { uri, .. } => String::from_utf8_lossy(uri).into_owned(),
        StartLine::Response { .. } => String::new(),
    };
    let sequence = invite.cseq().map_or(0, |(sequence, _)| sequence);
    let mut builder = Builder::request(method.clone(), uri);
    if let Some(via) = invite.values(HeaderId::Via).next() {
        builder = builder.header(HeaderId::Via, via);
    }
    for route in invite.headers(HeaderId::Route) {
        builder = builder.header(HeaderId::Route, route);
    }
    for (id, value) in [(HeaderId::From, invite.header(HeaderId::From)), (HeaderId::CallId, invite.header(HeaderId::CallId))] {
        if let Some(value) = value {
            builder = builder.header(id, value);
        }
    }
    if let Some(to) = to {
        builder = builder.header(HeaderId::To, to);
    }
    builder.write(HeaderId::CSeq, format_args!("{sequence} {method}")).header(HeaderId::MaxForwards, "70")
}

/// RFC 3261 18.2.2, RFC 3581 4: the same connection; on UDP the source, but the port of the sent-by where the peer
/// did not ask for `rport` and its sent-by names the host it sends from (no address translation between us).
pub(crate) fn reply_flow(request: &Message, flow: Flow) -> Flow {
    let Ok(via) = request.via() else {
        return flow;
    };
    let same_host = via.host.ip() == Some(flow.remote.ip().to_canonical());
    if flow.transport == Transport::Tcp || via.rport.is_some() || !same_host {
        return flow;
    }
    Flow { remote: SocketAddr::new(flow.remote.ip(), via.port.unwrap_or(5060)), ..flow }
}
