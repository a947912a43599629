//! The INVITE that we dial with (RFC 3261 8.1.1, 13.2.1).

use super::Leg;
use super::challenge::Authorization;
use super::lease::Terms;
use crate::desk::Desk;
use crate::message::text::number;
use crate::respond::{SDP, abilities};
use crate::{Builder, Dial, HeaderId, Host, Method, NameAddr, Uri};
use bytes::Bytes;

pub(super) fn invite(
    desk: &mut Desk<'_>,
    leg: &Leg,
    dial: &Dial,
    uri: &Uri,
    sequence: u32,
    terms: Terms,
    authorization: Option<&Authorization>,
) -> Bytes {
    let host = own_host(desk, dial);
    let via = desk.via_towards(dial.flow, &uri.user().unwrap_or_default());
    let mut builder = Builder::request(Method::Invite, uri)
        .write(HeaderId::Via, via)
        .write(HeaderId::From, from(leg, dial, &host))
        .write(HeaderId::To, NameAddr::new(uri.clone()))
        .header(HeaderId::CallId, &leg.call_id)
        .write(HeaderId::CSeq, format_args!("{sequence} INVITE"))
        .write(HeaderId::MaxForwards, given(dial, HeaderId::MaxForwards).map_or(70, |hops| hops.min(255)))
        .maybe(HeaderId::MaxBreadth, given(dial, HeaderId::MaxBreadth))
        .header(HeaderId::Contact, desk.contact(dial.flow))
        .header(HeaderId::UserAgent, &*desk.config.user_agent);
    builder = terms.write(abilities(builder));
    if dial.withheld {
        builder = builder.header(HeaderId::Privacy, "id");
    }
    if dial.auto_answer {
        builder = answer_by_itself(builder, &host);
    }
    if let Some((id, value)) = authorization {
        builder = builder.header(*id, value);
    }
    for (name, value) in dial.headers.iter().filter(|(name, value)| may_add(name, value)) {
        builder = builder.header(&**name, &**value);
    }
    builder.body(SDP, &dial.sdp)
}

/// RFC 3323 4.1.1.3: who is withheld has this name and this address.
fn from(leg: &Leg, dial: &Dial, host: &Host) -> NameAddr {
    let (user, host, display) = match dial.withheld {
        true => (Some("anonymous"), Host::Name("anonymous.invalid".into()), "Anonymous".to_owned()),
        false => (Some(&**dial.from_user.reveal()), host.clone(), dial.from_display.reveal().to_string()),
    };
    let mut from = NameAddr::new(Uri::sip(user, host, None)).with_tag(&leg.local_tag);
    from.display = Some(display).filter(|display| !display.is_empty());
    from
}

/// RFC 5373 4.1, without Require so that a phone that does not know it rings; `answer-after` and `alert-autoanswer`
/// are what phones knew before it. Both fields need an address, which none of them looks at.
fn answer_by_itself(builder: Builder, host: &Host) -> Builder {
    builder
        .header(HeaderId::AnswerMode, "Auto")
        .write(HeaderId::CallInfo, format_args!("<sip:{host}>;answer-after=0"))
        .write(HeaderId::AlertInfo, format_args!("<http://{host}>;info=alert-autoanswer"))
}

/// A realm may be any text; the host of a URI may not.
fn own_host(desk: &Desk<'_>, dial: &Dial) -> Host {
    let name = &*desk.config.host;
    match Uri::parse(format!("sip:{name}").as_bytes()) {
        Ok(Uri { user: None, host, port: None, headers: None, params, .. }) if params.is_empty() => host,
        _ => desk.config.host_towards(dial.flow),
    }
}

/// What the dialler may not say: it is ours to say, and once.
fn may_add(name: &str, value: &str) -> bool {
    let ours = [
        HeaderId::Via,
        HeaderId::From,
        HeaderId::To,
        HeaderId::CallId,
        HeaderId::CSeq,
        HeaderId::Contact,
        HeaderId::MaxForwards,
        HeaderId::MaxBreadth,
        HeaderId::ContentLength,
        HeaderId::ContentType,
        HeaderId::Supported,
        HeaderId::SessionExpires,
        HeaderId::MinSe,
        HeaderId::Allow,
    ];
    !ours.contains(&HeaderId::parse(name.trim().as_bytes())) && !value.contains(['\r', '\n', '\0'])
}

/// RFC 7332 4: who dials because of a call that came in hands its hops and its breadth on.
fn given(dial: &Dial, id: HeaderId) -> Option<u32> {
    let given = dial.headers.iter().find(|(name, _)| HeaderId::parse(name.trim().as_bytes()) == id);
    given.and_then(|(_, value)| number(value.trim().as_bytes()))
}
