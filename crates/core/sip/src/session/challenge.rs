//! Answering a 401 or 407 to a request of ours: once, and only in the realm that the dialler named (security row 26).

use super::Leg;
use crate::desk::Desk;
use crate::digest::{self, Account, Signed};
use crate::{HeaderId, Message, Method};

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
