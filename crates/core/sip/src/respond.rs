//! What goes into many messages: abilities, bodies, and responses that leave no state behind.

use crate::desk::{ALLOW, Desk, phrase};
use crate::transaction::reply_flow;
use crate::{Builder, Flow, HeaderId, Message, response_to};
use bytes::Bytes;

pub(crate) const SDP: &str = "application/sdp";
/// Extensions that a peer may require of us (RFC 3262, RFC 3891, RFC 4028, RFC 4488).
pub(crate) const OPTIONS: &[&str] = &["100rel", "replaces", "timer", "norefersub"];
const SUPPORTED: &str = "100rel, replaces, timer, norefersub";

/// In INVITEs and what answers them.
pub(crate) fn abilities(builder: Builder) -> Builder {
    builder.header(HeaderId::Allow, ALLOW).header(HeaderId::Supported, SUPPORTED)
}

/// The answer to OPTIONS (RFC 3261 11.2).
pub(crate) fn capabilities(builder: Builder) -> Builder {
    abilities(builder).header(HeaderId::Accept, SDP)
}

/// Whether the sender knows an extension: it says so in Supported or requires it.
pub(crate) fn supports(message: &Message, option: &str) -> bool {
    [HeaderId::Supported, HeaderId::Require]
        .into_iter()
        .any(|id| message.values(id).any(|tag| tag.eq_ignore_ascii_case(option.as_bytes())))
}

/// The message's session description.
pub(crate) fn sdp_of(message: &Message) -> Option<Bytes> {
    let essence = message.content_type().ok()??.essence;
    Some(message.body()).filter(|body| essence == SDP && !body.is_empty())
}

/// A response without a transaction: RFC 3261 8.2.7. The same request gets the same tag each time.
pub(crate) fn stateless(
    desk: &mut Desk<'_>,
    request: &Message,
    flow: Flow,
    status: u16,
    reason: Option<&str>,
    more: impl FnOnce(Builder) -> Builder,
) {
    let parts = [
        request.call_id().unwrap_or_default().as_bytes(),
        &request.header(HeaderId::From).unwrap_or_default(),
        &request.header(HeaderId::CSeq).unwrap_or_default(),
    ];
    let tag = desk.seal.tag(&parts);
    let head = response_to(request, status, reason.unwrap_or(phrase(status)), Some(&tag), flow.remote);
    let bytes = more(head.header(HeaderId::Server, &*desk.config.user_agent)).finish();
    desk.transmit(reply_flow(request, flow), bytes);
}

/// The whole server can take no more, or soon will not be here. Jittered, so that not all come back at once.
pub(crate) fn unavailable(desk: &mut Desk<'_>, request: &Message, flow: Flow) {
    let seconds = 5 + desk.random.below(26);
    stateless(desk, request, flow, 503, None, |builder| builder.write(HeaderId::RetryAfter, seconds));
}
