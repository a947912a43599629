//! SIP, SIPS and tel URIs; others are kept as they are (RFC 3261 19.1, RFC 3966).

use crate::header::Params;
use crate::message::text::decode;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

/// A URI, taken apart. What is escaped stays escaped in the fields; [`Uri::user`] unescapes.
#[derive(Clone, PartialEq, Eq)]
pub struct Uri {
    pub scheme: Scheme,
    /// The user part; of `tel:` the number; of any other scheme all after the colon.
    pub user: Option<String>,
    pub password: Option<String>,
    pub host: Host,
    pub port: Option<u16>,
    pub params: Params,
    /// What follows `?`, without it.
    pub headers: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scheme {
    Sip,
    Sips,
    Tel,
    /// In lower case.
    Other(String),
}

/// The host of a SIP URI or a Via.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Host {
    Ip(IpAddr),
    Name(String),
    /// `tel:` and unknown schemes have none.
    None,
}

/// Not a URI.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a URI")]
pub struct BadUri;

impl Uri {
    /// A SIP URI of a user (unescaped, none if empty) at a host.
    pub fn sip(user: Option<&str>, host: Host, port: Option<u16>) -> Uri {
        let user = user.filter(|user| !user.is_empty()).map(escape);
        Uri { scheme: Scheme::Sip, user, password: None, host, port, params: Params::default(), headers: None }
    }

    /// Reads exactly one URI, without brackets or blanks around it. Bytes above 0x7F in the user part, which some
    /// phones send, are escaped; elsewhere they are refused.
    pub fn parse(bytes: &[u8]) -> Result<Uri, BadUri> {
        let colon = bytes.iter().position(|byte| *byte == b':').ok_or(BadUri)?;
        let (scheme, rest) = (bytes.get(..colon).ok_or(BadUri)?, bytes.get(colon + 1..).ok_or(BadUri)?);
        match Scheme::parse(scheme).ok_or(BadUri)? {
            Scheme::Tel => parse_tel(rest),
            Scheme::Other(name) => parse_other(name, rest),
            scheme => parse_sip(scheme, rest),
        }
        .ok_or(BadUri)
    }

    /// SIP or SIPS.
    pub fn is_sip(&self) -> bool {
        matches!(self.scheme, Scheme::Sip | Scheme::Sips)
    }

    /// The user part with its escapes resolved; what is not UTF-8 then is read as Latin-1. May hold any character,
    /// NUL included: to be validated before it is used as a number to dial.
    pub fn user(&self) -> Option<String> {
        self.user.as_deref().map(unescape)
    }

    /// The `transport` parameter in lower case.
    pub fn transport(&self) -> Option<String> {
        self.params.get("transport").map(str::to_ascii_lowercase)
    }

    /// Where the URI points without a look-up: `None` if the host is a name. Default ports are 5060 and 5061
    /// (RFC 3261 19.1.2).
    pub fn is_ip(&self) -> Option<SocketAddr> {
        let default = if self.scheme == Scheme::Sips { 5061 } else { 5060 };
        self.host.ip().map(|ip| SocketAddr::new(ip, self.port.unwrap_or(default)))
    }

    /// RFC 3261 19.1.4, for bindings and loops: scheme, user, password, host and port, and the parameters that
    /// never match when only one side has them. Escapes of characters that need none are resolved.
    pub fn matches(&self, other: &Uri) -> bool {
        const STRICT: [&str; 5] = ["user", "ttl", "method", "maddr", "transport"];
        let same_host = match (&self.host, &other.host) {
            (Host::Name(a), Host::Name(b)) => a.eq_ignore_ascii_case(b),
            (a, b) => a == b,
        };
        let param = |uri: &Uri, name: &str| uri.params.get(name).map(str::to_ascii_lowercase);
        let shared = self.params.iter().all(|(name, _)| !other.params.has(name) || param(self, name) == param(other, name));
        let strict = STRICT.iter().all(|name| self.params.has(name) == other.params.has(name));
        let who = self.user() == other.user() && self.password == other.password;
        self.scheme == other.scheme && who && same_host && self.port == other.port && shared && strict
    }
}

impl Scheme {
    fn parse(bytes: &[u8]) -> Option<Scheme> {
        let first = bytes.first()?;
        let rest = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
        if !first.is_ascii_alphabetic() || !bytes.iter().all(rest) {
            return None;
        }
        let lower = decode(bytes).to_ascii_lowercase();
        Some(match lower.as_str() {
            "sip" => Scheme::Sip,
            "sips" => Scheme::Sips,
            "tel" => Scheme::Tel,
            _ => Scheme::Other(lower),
        })
    }

    pub fn as_str(&self) -> &str {
        match self {
            Scheme::Sip => "sip",
            Scheme::Sips => "sips",
            Scheme::Tel => "tel",
            Scheme::Other(name) => name,
        }
    }
}

impl Host {
    /// `Ip` if it is an address (IPv6 with or without brackets), else `Name`.
    pub fn new(text: &str) -> Host {
        let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
        bare.parse().map_or_else(|_| Host::Name(text.to_owned()), Host::Ip)
    }

    pub fn ip(&self) -> Option<IpAddr> {
        match self {
            Host::Ip(ip) => Some(ip.to_canonical()),
            Host::Name(_) | Host::None => None,
        }
    }
}

impl From<IpAddr> for Host {
    fn from(ip: IpAddr) -> Self {
        Host::Ip(ip)
    }
}

/// `[user[:password]@]host[:port][;params][?headers]`
fn parse_sip(scheme: Scheme, rest: &[u8]) -> Option<Uri> {
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

fn parse_tel(rest: &[u8]) -> Option<Uri> {
    let (number, params) = match rest.iter().position(|byte| *byte == b';') {
        Some(at) => (rest.get(..at)?, Params::parse(uri_text(rest.get(at + 1..)?)?)?),
        None => (rest, Params::default()),
    };
    let number = plain(number).filter(|number| !number.is_empty())?;
    Some(Uri { scheme: Scheme::Tel, user: Some(number), password: None, host: Host::None, port: None, params, headers: None })
}

fn parse_other(name: String, rest: &[u8]) -> Option<Uri> {
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

/// RFC 3261 25.1: what is neither `unreserved` nor `user-unreserved` is escaped. `#` too.
fn escape(text: &str) -> String {
    let free = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.!~*'()&=+$,;?/".contains(&byte);
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if free(byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

fn unescape(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let mut digit = || bytes.next().and_then(|byte| char::from(byte).to_digit(16)).and_then(|digit| u8::try_from(digit).ok());
        match (digit(), digit()) {
            (Some(high), Some(low)) => out.push(high << 4 | low),
            _ => out.push(b'%'),
        }
    }
    decode(&out).into_owned()
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Host::Ip(IpAddr::V6(ip)) => write!(f, "[{ip}]"),
            Host::Ip(IpAddr::V4(ip)) => write!(f, "{ip}"),
            Host::Name(name) => f.write_str(name),
            Host::None => Ok(()),
        }
    }
}

impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.scheme.as_str())?;
        if let Some(user) = &self.user {
            f.write_str(user)?;
            if let Some(password) = &self.password {
                write!(f, ":{password}")?;
            }
            if self.is_sip() {
                f.write_str("@")?;
            }
        }
        write!(f, "{}", self.host)?;
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        write!(f, "{}", self.params)?;
        match &self.headers {
            Some(headers) => write!(f, "?{headers}"),
            None => Ok(()),
        }
    }
}

/// Personal data: the user part stays out of logs.
impl fmt::Debug for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Uri({}:***@{})", self.scheme.as_str(), self.host)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uri(text: &str) -> Uri {
        Uri::parse(text.as_bytes()).unwrap_or_else(|_| panic!("{text}"))
    }

    #[test]
    fn each_part_is_found_and_written_again() {
        #[rustfmt::skip]
        let table = [
            // text                                              user            host               port        parameters           headers
            ("sip:centre.test",                                  None,           "centre.test",     None,       "",                  None),
            ("sips:ana:pw@192.0.2.7:5071;transport=tcp;lr",      Some("ana"),    "192.0.2.7",       Some(5071), ";transport=tcp;lr", None),
            ("sip:*21%23@centre.test",                           Some("*21#"),   "centre.test",     None,       "",                  None),
            ("sip:*21#@centre.test",                             Some("*21#"),   "centre.test",     None,       "",                  None),
            ("sip:a;x=1?y@h?Subject=hi&To=x",                    Some("a;x=1?y"), "h",              None,       "",                  Some("Subject=hi&To=x")),
            ("sip:+34911@[2001:db8::1]:5070;user=phone",         Some("+34911"), "[2001:db8::1]",   Some(5070), ";user=phone",       None),
            ("tel:+34-911-1;phone-context=+34",                  Some("+34-911-1"), "",             None,       ";phone-context=+34", None),
            ("urn:service:sos",                                  Some("service:sos"), "",           None,       "",                  None),
        ];
        for (text, user, host, port, params, headers) in table {
            let uri = uri(text);
            assert_eq!((uri.user().as_deref(), uri.host.to_string().as_str(), uri.port), (user, host, port), "{text}");
            assert_eq!((uri.params.to_string().as_str(), uri.headers.as_deref()), (params, headers), "{text}");
            assert_eq!(uri.to_string(), text);
        }
        assert_eq!(Uri::parse(b"sip:Jos\xe9@h").unwrap().to_string(), "sip:Jos%E9@h");
        assert_eq!(Uri::parse(b"sip:Jos\xe9@h").unwrap().user().as_deref(), Some("José"));
        assert_eq!(Uri::sip(Some("a b@c:\"é"), Host::new("h"), None).to_string(), "sip:a%20b%40c%3A%22%C3%A9@h");
    }

    #[test]
    fn what_is_no_uri_is_refused() {
        for bad in [
            "",
            "sip",
            "sip:",
            ":x",
            "1sip:x",
            "sip:@h",
            "sip:a@",
            "sip:a@h:",
            "sip:a@h:x",
            "sip:a@h:70000",
            "sip:a@h:+5",
            "sip:a@h;",
            "sip:a@h;;lr",
            "sip:a@h;lr=",
            "sip:a b@h",
            "sip:a@h h",
            "sip:a%2@h",
            "sip:a%zz@h",
            "sip:<a>@h",
            "sip:a@h?x y",
            "sip:a@b@c",
            "sip:[::1",
            "sip:[::1]x",
            "sip:[1.2.3.4]",
            "sip:::1",
            "sip:h\u{e9}",
            "tel:",
            "tel:;x",
            "sip:a\r\nb@h",
            "sip:a\0@h",
        ] {
            assert_eq!(Uri::parse(bad.as_bytes()), Err(BadUri), "{bad:?}");
        }
    }

    #[test]
    fn an_address_needs_no_look_up() {
        for (text, address) in [
            ("sip:a@192.0.2.7", Some("192.0.2.7:5060")),
            ("sips:192.0.2.7", Some("192.0.2.7:5061")),
            ("sip:[::ffff:192.0.2.7]:7", Some("192.0.2.7:7")),
            ("sip:[2001:db8::1]", Some("[2001:db8::1]:5060")),
            ("sip:192.0.2.700", None),
            ("tel:5", None),
        ] {
            assert_eq!(uri(text).is_ip(), address.map(|address| address.parse().unwrap()), "{text}");
        }
    }

    /// RFC 3261 19.1.4.
    #[test]
    fn two_uris_match_by_the_rules_of_the_rfc() {
        for (a, b, same) in [
            ("sip:%61lice@atlanta.test;transport=TCP", "sip:alice@AtLanTa.test;Transport=tcp", true),
            ("sip:carol@chicago.test", "sip:carol@chicago.test;newparam=5", true),
            ("sip:carol@chicago.test;security=on", "sip:carol@chicago.test;security=off", false),
            ("sip:ALICE@atlanta.test", "sip:alice@atlanta.test", false),
            ("sip:bob@biloxi.test", "sip:bob@biloxi.test:5060", false),
            ("sip:bob@biloxi.test", "sip:bob@biloxi.test;transport=udp", false),
            ("sip:bob@biloxi.test", "sips:bob@biloxi.test", false),
            ("sip:bob@[2001:db8::1]", "sip:bob@[2001:DB8:0::1]", true),
        ] {
            assert_eq!((uri(a).matches(&uri(b)), uri(b).matches(&uri(a))), (same, same), "{a} {b}");
        }
    }
}
