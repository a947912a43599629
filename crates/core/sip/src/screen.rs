//! What a request must pass before it reaches a session: RFC 3261 8.2 and the order of its checks.

use crate::describe::describe;
use crate::desk::{ALLOW, Desk};
use crate::dialog::Dialog;
use crate::endpoint::{Endpoint, owner};
use crate::identify::{self, Verdict};
use crate::message::BadMessage;
use crate::refer;
use crate::respond::{self, SDP, stateless};
use crate::session::{Session, too_short};
use crate::transaction::Errand;
use crate::{Config, Flow, HeaderId, Message, Method, Output, Peer};
use base::Now;

pub(crate) fn on_request(endpoint: &mut Endpoint, now: Now, flow: Flow, request: &Message, out: &mut Vec<Output>) {
    if let Err(bad) = request.check_request() {
        return on_bad(endpoint, now, flow, request, bad, out);
    }
    if endpoint.core.desk(now, out).absorbs(request) {
        return;
    }
    match request.method() {
        Some(Method::Ack) => return on_ack(endpoint, now, flow, request, out),
        Some(Method::Cancel) => return on_cancel(endpoint, now, flow, request, out),
        _ => {}
    }
    if request.to().is_ok_and(|to| to.tag.is_some()) && request.method() != Some(Method::Register) {
        return in_dialog(endpoint, now, flow, request, out);
    }
    if let Some((status, reason)) = loops(&endpoint.core.desk(now, out), request) {
        return stateless(&mut endpoint.core.desk(now, out), request, flow, status, reason, |builder| builder);
    }
    if endpoint.core.desk(now, out).transactions.is_merged(request) {
        return stateless(&mut endpoint.core.desk(now, out), request, flow, 482, Some("Merged Request"), |builder| builder);
    }
    outside(endpoint, now, flow, request, out);
}

fn on_bad(endpoint: &mut Endpoint, now: Now, flow: Flow, request: &Message, bad: BadMessage, out: &mut Vec<Output>) {
    let mut desk = endpoint.core.desk(now, out);
    match bad {
        BadMessage::Answer { status, reason } => {
            endpoint.gate.note(&mut desk, flow.remote, reason);
            stateless(&mut desk, request, flow, status, Some(reason), |builder| builder);
        }
        BadMessage::Drop(reason) => endpoint.gate.note(&mut desk, flow.remote, reason),
    }
}

/// An ACK to a 2xx; any other that no transaction took answers nothing of ours. Never answered.
fn on_ack(endpoint: &mut Endpoint, now: Now, flow: Flow, ack: &Message, out: &mut Vec<Output>) {
    let found = dialog_of(endpoint, ack);
    if let Some((id, _)) = found {
        endpoint.to(now, id, out, |session, desk| session.on_ack(desk, ack, flow));
    }
}

/// RFC 3261 9.2: by the branch, never by tags. 200 whether or not it comes in time.
fn on_cancel(endpoint: &mut Endpoint, now: Now, flow: Flow, cancel: &Message, out: &mut Vec<Output>) {
    let mut desk = endpoint.core.desk(now, out);
    let Some(invite) = desk.transactions.cancelled_by(cancel) else {
        endpoint.gate.note(&mut desk, flow.remote, "CANCEL of nothing");
        return stateless(&mut desk, cancel, flow, 481, None, |builder| builder);
    };
    // The same tag in both answers, where there still is a session.
    let tag = invite.and_then(|owner| endpoint.calls.tag_of(owner.session)).unwrap_or_else(|| desk.tag());
    if let Some(tx) = desk.transactions.accept(cancel, flow, None) {
        desk.reply(tx, 200, Some(&tag), |builder| builder);
    }
    if let Some(owner) = invite {
        endpoint.to(now, owner.session, out, |session, desk| session.on_cancel(desk, owner.errand, cancel));
    }
}

/// RFC 3261 16.3, RFC 5393, RFC 7332: a back-to-back user agent breaks loops as a proxy does. A request in a dialog
/// has arrived and goes no further, however many hops it has left.
///
/// What comes back for the user that we sent it to is a loop. For another user it is a spiral, which is allowed and
/// which Max-Forwards and Max-Breadth bring to an end: the engine hands both on.
fn loops(desk: &Desk<'_>, request: &Message) -> Option<(u16, Option<&'static str>)> {
    if request.max_forwards() == Ok(Some(0)) {
        return Some((483, None));
    }
    let user = request.uri().ok().and_then(|uri| uri.user()).unwrap_or_default();
    if request.values(HeaderId::Via).any(|value| desk.came_round(&value, &user)) {
        return Some((482, None));
    }
    let breadth = request.header(HeaderId::MaxBreadth);
    breadth.is_some_and(|value| crate::message::text::number(&value) == Some(0)).then_some((440, None))
}

fn dialog_of(endpoint: &Endpoint, request: &Message) -> Option<(crate::SessionId, bool)> {
    let tag = request.to().ok()?.tag?;
    let (id, session) = endpoint.calls.of_dialog(request.call_id().ok()?, &tag)?;
    Some((id, session.knows(request)))
}

/// RFC 3261 12.2.2. Guessed tags find nothing (security row 34).
fn in_dialog(endpoint: &mut Endpoint, now: Now, flow: Flow, request: &Message, out: &mut Vec<Output>) {
    let found = dialog_of(endpoint, request).filter(|(_, known)| *known);
    let mut desk = endpoint.core.desk(now, out);
    let Some((id, _)) = found else {
        // A peer of ours may end a call that a restart made us forget: that is no attack.
        if !desk.config.trunks.iter().any(|trunk| trunk.covers(flow.remote)) {
            endpoint.gate.note(&mut desk, flow.remote, "request in a dialog that does not exist");
        }
        return stateless(&mut desk, request, flow, 481, None, |builder| builder);
    };
    if let Some(refused) = unacceptable(desk.config, request) {
        return refused.send(&mut desk, request, flow);
    }
    // A peer that floods its own dialog: each of its requests would stay 32 s.
    if desk.transactions.len() >= desk.config.max_transactions.saturating_mul(2) {
        return respond::unavailable(&mut desk, request, flow);
    }
    let owner = if request.method() == Some(Method::Invite) { owner(id, Errand::Reinvite) } else { None };
    if let Some(tx) = desk.transactions.accept(request, flow, owner) {
        let asked = request.method().filter(|method| *method == Method::Refer).map(|_| refer::read(request, id, &endpoint.calls));
        endpoint.to(now, id, out, |session, desk| session.on_request(desk, tx, request, flow, asked));
    }
}

/// A request that begins something, or should.
fn outside(endpoint: &mut Endpoint, now: Now, flow: Flow, request: &Message, out: &mut Vec<Output>) {
    let mut desk = endpoint.core.desk(now, out);
    match request.method() {
        Some(Method::Invite) => on_invite(endpoint, now, flow, request, out),
        Some(Method::Options) => on_options(endpoint.draining, &mut desk, flow, request),
        Some(Method::Register) => on_register(endpoint, now, flow, request, out),
        Some(Method::Bye | Method::Info | Method::Update | Method::Prack) => {
            endpoint.gate.note(&mut desk, flow.remote, "request in a dialog that does not exist");
            stateless(&mut desk, request, flow, 481, None, |builder| builder);
        }
        // Security rows 27 and 28: what we do not do, we do not do for strangers either.
        Some(Method::Message | Method::Subscribe | Method::Publish | Method::Refer | Method::Notify) => {
            if identified(endpoint, now, flow, request, out).is_some() {
                not_allowed(&mut endpoint.core.desk(now, out), flow, request);
            }
        }
        _ => not_allowed(&mut desk, flow, request),
    }
}

fn not_allowed(desk: &mut Desk<'_>, flow: Flow, request: &Message) {
    stateless(desk, request, flow, 405, None, |builder| builder.header(HeaderId::Allow, ALLOW));
}

fn on_options(draining: bool, desk: &mut Desk<'_>, flow: Flow, request: &Message) {
    if draining {
        return respond::unavailable(desk, request, flow);
    }
    match unacceptable(desk.config, request) {
        Some(refused) => refused.send(desk, request, flow),
        None => stateless(desk, request, flow, 200, None, respond::capabilities),
    }
}

fn on_register(endpoint: &mut Endpoint, now: Now, flow: Flow, request: &Message, out: &mut Vec<Output>) {
    let peer = identified(endpoint, now, flow, request, out);
    let mut desk = endpoint.core.desk(now, out);
    let user = match peer {
        Some(Peer::Phone(user)) => user,
        Some(Peer::Trunk(_)) => return stateless(&mut desk, request, flow, 403, None, |builder| builder),
        None => return,
    };
    if let Some(refused) = unacceptable(desk.config, request) {
        return refused.send(&mut desk, request, flow);
    }
    if desk.transactions.len() >= desk.config.max_transactions.saturating_mul(2) {
        return respond::unavailable(&mut desk, request, flow);
    }
    if let Some(tx) = desk.transactions.accept(request, flow, None) {
        endpoint.registrar.on_register(&mut desk, tx, request, &user, flow);
    }
}

/// Until the sender is known nothing is kept: the answers are stateless (security row 25).
fn on_invite(endpoint: &mut Endpoint, now: Now, flow: Flow, request: &Message, out: &mut Vec<Output>) {
    let desk = &mut endpoint.core.desk(now, out);
    let full = endpoint.calls.len() >= desk.config.max_sessions || desk.transactions.len() >= desk.config.max_transactions;
    if endpoint.draining || full {
        return respond::unavailable(desk, request, flow);
    }
    let Some(peer) = identified(endpoint, now, flow, request, out) else {
        return;
    };
    let desk = &mut endpoint.core.desk(now, out);
    if let Some(refused) = unacceptable(desk.config, request) {
        return refused.send(desk, request, flow);
    }
    let Some(mut invite) = describe(request, flow, &peer) else {
        return stateless(desk, request, flow, 400, Some("Control Character in User Part"), |builder| builder);
    };
    invite.replaces = match refer::replaced(request, &endpoint.calls) {
        Ok(session) => session,
        Err(status) => return stateless(desk, request, flow, status, None, |builder| builder),
    };
    let (tag, pinned) = (desk.tag(), matches!(peer, Peer::Phone(_)));
    let Some(dialog) = Dialog::of_request(request, flow, &tag, pinned) else {
        return stateless(desk, request, flow, 400, Some("Expected a SIP Address in Contact"), |builder| builder);
    };
    let id = endpoint.calls.new_session();
    let Some(tx) = desk.transactions.accept(request, flow, owner(id, Errand::Invite)) else {
        return;
    };
    let session = Session::incoming(id, tx, dialog, tag, request);
    // RFC 3261 8.2.6.1: 100 has no tag.
    desk.reply(tx, 100, None, |builder| builder);
    desk.out.push(Output::Incoming { session: id, peer, invite: Box::new(invite) });
    endpoint.calls.insert(id, session);
}

/// Who sent it; if that is not known, the answer is sent already.
fn identified(endpoint: &mut Endpoint, now: Now, flow: Flow, request: &Message, out: &mut Vec<Output>) -> Option<Peer> {
    let desk = &mut endpoint.core.desk(now, out);
    match endpoint.gate.identify(desk, request, flow, || endpoint.registrar.is_source(flow)) {
        Verdict::Known(peer) => return Some(peer),
        Verdict::Throttled => stateless(desk, request, flow, 403, None, |builder| builder),
        Verdict::Challenge { stale } => {
            let challenges = identify::challenges(desk, request, stale);
            stateless(desk, request, flow, 401, None, |builder| {
                challenges.iter().fold(builder, |builder, one| builder.write(HeaderId::WwwAuthenticate, one))
            });
        }
    }
    None
}

/// RFC 3261 8.2.2.3 and 8.2.3: extensions and bodies that we do not understand; RFC 4028 9.
enum Unacceptable {
    Extensions(String),
    Media,
    Encoding,
    /// The session interval; at least so many seconds.
    TooShort(u32),
}

fn unacceptable(config: &Config, request: &Message) -> Option<Unacceptable> {
    let unknown = request.unknown_options(HeaderId::Require, respond::OPTIONS);
    if !unknown.is_empty() {
        return Some(Unacceptable::Extensions(unknown.join(", ")));
    }
    if !matches!(request.method(), Some(Method::Invite | Method::Update | Method::Prack)) {
        return None;
    }
    if let Some(least) = too_short(config, request) {
        return Some(Unacceptable::TooShort(least));
    }
    if request.body().is_empty() {
        return None;
    }
    let encoded = request.values(HeaderId::ContentEncoding).any(|value| !value.eq_ignore_ascii_case(b"identity"));
    if encoded {
        return Some(Unacceptable::Encoding);
    }
    respond::sdp_of(request).is_none().then_some(Unacceptable::Media)
}

impl Unacceptable {
    fn send(self, desk: &mut Desk<'_>, request: &Message, flow: Flow) {
        match self {
            Unacceptable::Extensions(tags) => {
                stateless(desk, request, flow, 420, None, |b| b.header(HeaderId::Unsupported, tags))
            }
            Unacceptable::Media => stateless(desk, request, flow, 415, None, |b| b.header(HeaderId::Accept, SDP)),
            Unacceptable::Encoding => {
                stateless(desk, request, flow, 415, None, |b| b.header(HeaderId::AcceptEncoding, "identity"));
            }
            Unacceptable::TooShort(least) => {
                stateless(desk, request, flow, 422, None, |b| b.write(HeaderId::MinSe, least));
            }
        }
    }
}
