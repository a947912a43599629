//! From bytes to the parts of a URI.

use super::{Host, Scheme, Uri};
use crate::header::Params;
use crate::message::text::decode;
use std::net::{IpAddr, Ipv6Addr};

/// `[user[:password]@]host[:port][;params][?headers]`
pub(super) fn parse_sip(scheme: Scheme, rest: &[u8]) -> Option<Uri> {
    // `;`, `?` and `:` may stand in the user part, `@` may not stand after it, so the first `@` decides.
    let (user, rest) = match rest.iter().position(|byte| *byte == b'@') {
        Some(at) => (Some(rest.get(..at)?), rest.get(at + 1..)?),
        None => (None, rest),
    };
    let (user, password) = match user {
        Some(info) => user_info(info)?,
        None => (None, None),
    };
    let (rest, headers) = match rest.iter().position(|byte| *byte == b'?') {
        Some(at) => (rest.get(..at)?, Some(plain(rest.get(at + 1..)?)?)),
        None => (rest, None),
    };
    let (host, params) = match rest.iter().position(|byte| *byte == b';') {
        Some(at) => (rest.get(..at)?, Params::parse(uri_text(rest.get(at + 1..)?)?)?),
        None => (rest, Params::default()),
    };
    let (host, port) = host_and_port(host)?;
    Some(Uri { scheme, user, password, host, port, params, headers })
}

fn user_info(info: &[u8]) -> Option<(Option<String>, Option<String>)> {
    let (user, password) = match info.iter().position(|byte| *byte == b':') {
        Some(at) => (info.get(..at)?, Some(plain(info.get(at + 1..)?)?)),
        None => (info, None),
    };
    let user = plain(&escape_high(user)).filter(|user| !user.is_empty())?;
    Some((Some(user), password))
}

pub(super) fn parse_tel(rest: &[u8]) -> Option<Uri> {
    let (number, params) = match rest.iter().position(|byte| *byte == b';') {
        Some(at) => (rest.get(..at)?, Params::parse(uri_text(rest.get(at + 1..)?)?)?),
        None => (rest, Params::default()),
    };
    let number = plain(number).filter(|number| !number.is_empty())?;
    Some(Uri { scheme: Scheme::Tel, user: Some(number), password: None, host: Host::None, port: None, params, headers: None })
}

pub(super) fn parse_other(name: String, rest: &[u8]) -> Option<Uri> {
    let user = Some(plain(rest)?);
    let params = Params::default();
    Some(Uri { scheme: Scheme::Other(name), user, password: None, host: Host::None, port: None, params, headers: None })
}

/// A host, with brackets if it is an IPv6 address, and a port.
pub(crate) fn host_and_port(bytes: &[u8]) -> Option<(Host, Option<u16>)> {
    let text = std::str::from_utf8(bytes).ok()?;
    let (host, port) = if let Some(inner) = text.strip_prefix('[') {
        let (address, rest) = inner.split_once(']')?;
        (Host::Ip(IpAddr::V6(ipv6(address)?)), rest)
    } else {
        let end = text.find(':').unwrap_or(text.len());
        let (host, rest) = text.split_at(end);
        (host_name(host)?, rest)
    };
    match port.strip_prefix(':') {
        None if port.is_empty() => Some((host, None)),
        None => None,
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => Some((host, Some(digits.parse().ok()?))),
        Some(_) => None,
    }
}

/// RFC 5118 4.10: the grammar of RFC 3261 made some write three colons before an embedded IPv4 address.
fn ipv6(text: &str) -> Option<Ipv6Addr> {
    text.parse().ok().or_else(|| text.replacen(":::", "::", 1).parse().ok())
}

/// Letters, digits, `-`, `.` and the underscore that real names have.
fn host_name(text: &str) -> Option<Host> {
    let byte = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    if text.is_empty() || text.len() > 255 || !text.bytes().all(byte) {
        return None;
    }
    Some(text.parse().map_or_else(|_| Host::Name(text.to_owned()), |ip| Host::Ip(IpAddr::V4(ip))))
}

/// Printable ASCII without what delimits a URI, each `%` before two hexadecimal digits.
fn uri_text(bytes: &[u8]) -> Option<&[u8]> {
    let allowed = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'<' | b'>' | b'"');
    let mut rest = bytes;
    while let Some((&first, tail)) = rest.split_first() {
        if !allowed(first) {
            return None;
        }
        rest = match first {
            b'%' if tail.get(..2).is_some_and(|pair| pair.iter().all(u8::is_ascii_hexdigit)) => tail.get(2..)?,
            b'%' => return None,
            _ => tail,
        };
    }
    Some(bytes)
}

fn plain(bytes: &[u8]) -> Option<String> {
    uri_text(bytes).map(|bytes| decode(bytes).into_owned())
}

fn escape_high(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    for &byte in bytes {
        if byte < 0x80 {
            out.push(byte);
        } else {
            out.extend_from_slice(format!("%{byte:02X}").as_bytes());
        }
    }
    out
}
