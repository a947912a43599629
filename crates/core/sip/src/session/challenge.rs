//! Answering a 401 or 407 to a request of ours: once, and only in the realm that the dialler named (security row 26).

use super::Leg;
use crate::desk::Desk;
use crate::dialog::Dialog;
use crate::digest::{self, Account, Signed};
use crate::message::Name;
use crate::transaction::{Errand, TxId};
use crate::{Builder, HeaderId, Message, Method};

/// A field to add to the request, sent again.
pub(super) type Authorization = (HeaderId, String);

/// `None`: nothing to answer with.
pub(super) fn answer(
    desk: &mut Desk<'_>,
    leg: &Leg,
    response: &Message,
    method: &Method,
    uri: &str,
    body: &[u8],
) -> Option<Authorization> {
    let (challenge, authorization) = match response.status()? {
        401 => (HeaderId::WwwAuthenticate, HeaderId::Authorization),
        407 => (HeaderId::ProxyAuthenticate, HeaderId::ProxyAuthorization),
        _ => return None,
    };
    let credential = leg.credential.as_ref()?;
    let account = Account { realm: &credential.realm, username: &credential.username, password: credential.password.reveal() };
    let challenges: Vec<_> = response.headers(challenge).collect();
    let cnonce = desk.random.token();
    let signed = Signed { method, uri, body };
    let credentials = digest::respond(challenges.iter().map(|value| &**value), &account, &signed, &cnonce, 1)?;
    Some((authorization, credentials.to_string()))
}

/// A request of ours in a dialog, once more with an answer to the challenge that it got. Returns its sequence number;
/// `None`: nothing to answer with, or it was answered before.
pub(super) fn again(
    desk: &mut Desk<'_>,
    leg: &Leg,
    dialog: &mut Dialog,
    tx: TxId,
    response: &Message,
    errand: Errand,
) -> Option<u32> {
    let request = desk.transactions.request_of(tx)?.clone();
    if request.has(HeaderId::Authorization) || request.has(HeaderId::ProxyAuthorization) {
        return None;
    }
    let (method, body) = (request.method()?, request.body());
    let (id, value) = answer(desk, leg, response, &method, &dialog.request_uri(), &body)?;
    let (mut builder, flow) = dialog.request(desk, method);
    builder = rest_of(builder.header(id, value), &request);
    let content_type = request.header(HeaderId::ContentType);
    let bytes = match content_type {
        Some(kind) => builder.body(&String::from_utf8_lossy(&kind), &body),
        None => builder.finish(),
    };
    desk.request(flow, bytes, leg.id, errand).map(|_| dialog.local_sequence)
}

/// What [`Dialog::request`] and the body do not write by themselves.
fn rest_of(mut builder: Builder, request: &Message) -> Builder {
    const WRITTEN: [HeaderId; 10] = [
        HeaderId::Via,
        HeaderId::Route,
        HeaderId::From,
        HeaderId::To,
        HeaderId::CallId,
        HeaderId::CSeq,
        HeaderId::MaxForwards,
        HeaderId::UserAgent,
        HeaderId::ContentType,
        HeaderId::ContentLength,
    ];
    for (name, value) in request.fields() {
        let id = HeaderId::parse(name);
        let name = std::str::from_utf8(name).ok().map(Name::Other);
        if let Some(name) = name.filter(|_| !WRITTEN.contains(&id)) {
            builder = builder.header(name, value);
        }
    }
    builder
}
