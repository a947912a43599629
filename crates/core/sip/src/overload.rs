//! What a server says that cannot even listen: for the signalling shell, when the way to the engine is full.

use crate::{HeaderId, Message, Method, response_to};
use bytes::Bytes;
use std::net::SocketAddr;

/// True for a request that begins a call: an INVITE outside a dialog. Cheap, for use before parsing is owed.
pub fn begins_call(bytes: &Bytes) -> bool {
    bytes.starts_with(b"INVITE ") && invite(bytes).is_some()
}

/// 503 for a new call, written without any state (RFC 3261 21.5.4); nothing else is refused this way.
pub fn overloaded(bytes: &Bytes, source: SocketAddr, retry_after: u32) -> Option<Bytes> {
    let invite = invite(bytes)?;
    let builder = response_to(&invite, 503, "Service Unavailable", Some("overload"), source);
    Some(builder.write(HeaderId::RetryAfter, retry_after).finish())
}

fn invite(bytes: &Bytes) -> Option<Message> {
    let message = Message::parse(bytes.clone()).ok()?;
    let outside = message.to().is_ok_and(|to| to.tag.is_none());
    (message.method() == Some(Method::Invite) && outside).then_some(message)
}
