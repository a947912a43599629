//! Via: where a request came along and where its response goes (RFC 3261 20.42, RFC 3581).

use super::Params;
use crate::message::text::{decode, is_blank, is_mark, is_token, trim};
use crate::uri::{Host, host_and_port};
use crate::words::Transport;
use std::fmt;
use std::net::IpAddr;

/// One Via value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Via {
    pub transport: ViaTransport,
    pub host: Host,
    pub port: Option<u16>,
    /// Missing in requests of RFC 2543 (RFC 3261 17.2.3).
    pub branch: Option<String>,
    pub received: Option<IpAddr>,
    /// `Some(None)` asks for it, `Some(Some(port))` is the answer (RFC 3581).
    pub rport: Option<Option<u16>>,
    pub maddr: Option<String>,
    /// What is not in a field of its own.
    pub params: Params,
}

/// The transport a Via names; it need not be one of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ViaTransport {
    Udp,
    Tcp,
    Tls,
    Ws,
    Wss,
    Other(String),
}

impl Via {
    /// RFC 3261 8.1.1.7: a branch that begins so is unique.
    pub const COOKIE: &'static str = "z9hG4bK";

    /// Ours: `branch` must begin with [`Via::COOKIE`]; asks for rport (RFC 3581 3).
    pub fn new(transport: Transport, host: Host, port: Option<u16>, branch: &str) -> Via {
        Via {
            transport: transport.into(),
            host,
            port,
            branch: Some(branch.to_owned()),
            received: None,
            rport: Some(None),
            maddr: None,
            params: Params::default(),
        }
    }

    /// One value: `SIP / 2.0 / UDP host : port ; params`, blanks where the grammar has them.
    pub fn parse(bytes: &[u8]) -> Option<Via> {
        let bytes = trim(bytes);
        let end = bytes.iter().position(|byte| *byte == b';');
        let (head, params) = bytes.split_at(end.unwrap_or(bytes.len()));
        let mut parts = head.splitn(3, |byte| *byte == b'/').map(trim);
        let (name, version, rest) = (parts.next()?, parts.next()?, parts.next()?);
        if !name.eq_ignore_ascii_case(b"SIP") || version != b"2.0" {
            return None;
        }
        let gap = rest.iter().position(|byte| is_blank(*byte) || matches!(byte, b'\r' | b'\n'))?;
        let (transport, sent_by) = rest.split_at(gap);
        let (host, port) = sent_by_parts(trim(sent_by))?;
        let params = if end.is_some() { Params::parse(params.get(1..)?)? } else { Params::default() };
        Via::with_params(ViaTransport::parse(transport)?, host, port, params)
    }

    fn with_params(transport: ViaTransport, host: Host, port: Option<u16>, mut params: Params) -> Option<Via> {
        let branch = match params.has("branch") {
            true => Some(params.remove("branch").filter(|branch| is_mark(branch))?),
            false => None,
        };
        let received = match params.has("received") {
            true => Some(parse_received(&params.remove("received")?)?),
            false => None,
        };
        let rport = match params.has("rport") {
            true => Some(params.remove("rport").map(|port| port.parse::<u16>()).transpose().ok()?),
            false => None,
        };
        let maddr = params.remove("maddr");
        Some(Via { transport, host, port, branch, received, rport, maddr, params })
    }
}

/// `host`, `host:port`, `host : port`.
fn sent_by_parts(bytes: &[u8]) -> Option<(Host, Option<u16>)> {
    if !bytes.iter().any(|byte| is_blank(*byte) || matches!(byte, b'\r' | b'\n')) {
        return host_and_port(bytes);
    }
    let colon = bytes.iter().rposition(|byte| *byte == b':')?;
    let (host, port) = bytes.split_at(colon);
    let joined = [trim(host), b":", trim(port.get(1..)?)].concat();
    host_and_port(&joined)
}

/// RFC 5118 4.5: with or without brackets around an IPv6 address.
fn parse_received(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    bare.parse().ok()
}

impl ViaTransport {
    fn parse(bytes: &[u8]) -> Option<ViaTransport> {
        if !is_token(bytes) {
            return None;
        }
        let upper = decode(bytes).to_ascii_uppercase();
        Some(match upper.as_str() {
            "UDP" => ViaTransport::Udp,
            "TCP" => ViaTransport::Tcp,
            "TLS" => ViaTransport::Tls,
            "WS" => ViaTransport::Ws,
            "WSS" => ViaTransport::Wss,
            _ => ViaTransport::Other(upper),
        })
    }

    pub fn as_str(&self) -> &str {
        match self {
            ViaTransport::Udp => "UDP",
            ViaTransport::Tcp => "TCP",
            ViaTransport::Tls => "TLS",
            ViaTransport::Ws => "WS",
            ViaTransport::Wss => "WSS",
            ViaTransport::Other(name) => name,
        }
    }
}

impl From<Transport> for ViaTransport {
    fn from(transport: Transport) -> Self {
        match transport {
            Transport::Udp => ViaTransport::Udp,
            Transport::Tcp => ViaTransport::Tcp,
        }
    }
}

impl fmt::Display for Via {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SIP/2.0/{} {}", self.transport.as_str(), self.host)?;
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        if let Some(branch) = &self.branch {
            write!(f, ";branch={branch}")?;
        }
        match self.rport {
            None => {}
            Some(None) => f.write_str(";rport")?,
            Some(Some(port)) => write!(f, ";rport={port}")?,
        }
        if let Some(received) = self.received {
            write!(f, ";received={received}")?;
        }
        if let Some(maddr) = &self.maddr {
            write!(f, ";maddr={maddr}")?;
        }
        write!(f, "{}", self.params)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_folds_and_ipv6_are_read() {
        let via = Via::parse(b"SIP  /   2.0\r\n / udp\r\n    [2001:db8::9:1] : 5070 ;branch = z9hG4bKx;rport;ttl=3").unwrap();
        assert_eq!(via.to_string(), "SIP/2.0/UDP [2001:db8::9:1]:5070;branch=z9hG4bKx;rport;ttl=3");
        for received in ["[2001:db8::9:255]", "2001:db8::9:255"] {
            let via = Via::parse(format!("SIP/2.0/TCP a;received={received};branch=old").as_bytes()).unwrap();
            assert_eq!(via.received, Some("2001:db8::9:255".parse().unwrap()));
            assert_eq!(via.branch.as_deref(), Some("old"));
        }
        assert_eq!(Via::parse(b"SIP/2.0/UDP a;branch=z9hG4bKYWJj==").unwrap().branch.as_deref(), Some("z9hG4bKYWJj=="));
        assert_eq!(Via::parse(b"SIP/2.0/sctp a").unwrap().transport.as_str(), "SCTP");
    }

    #[test]
    fn what_is_no_via_is_refused() {
        for bad in [
            "",
            "SIP/2.0/UDP",
            "SIP/2.0/UDP ",
            "SIP/3.0/UDP a",
            "HTTP/2.0/UDP a",
            "SIP/2.0/UDP a;",
            "SIP/2.0/UDP a;;x",
            "SIP/2.0/UDP a;branch=",
            "SIP/2.0/UDP a;branch",
            "SIP/2.0/UDP a;branch=\"x\"",
            "SIP/2.0/UDP a;received=b",
            "SIP/2.0/UDP a;rport=x",
            "SIP/2.0/UDP a:99999",
            "SIP/2.0/UDP a b",
            "SIP/2.0/UDP [2001:db8::1",
            "SIP/2.0/UDP 2001:db8::1",
        ] {
            assert_eq!(Via::parse(bad.as_bytes()), None, "{bad:?}");
        }
    }
}
