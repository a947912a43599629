//! SIP, SIPS and tel URIs; others are kept as they are (RFC 3261 19.1, RFC 3966).

mod escape;
mod parse;
#[cfg(test)]
mod tests;

use crate::header::Params;
use crate::message::text::decode;
use escape::escape;
use parse::{parse_other, parse_sip, parse_tel};
use std::fmt;
use std::net::{IpAddr, SocketAddr};

pub(crate) use escape::unescape;
pub(crate) use parse::host_and_port;

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
