//! Writing messages. What is written here parses here: no value can end its line.

use super::text::{Split, is_token_byte, trim, unfold};
use super::{Message, Method};
use crate::header::{HeaderId, NameAddr, Via};
use bytes::{BufMut, Bytes, BytesMut};
use std::fmt::{self, Display, Write};
use std::net::{IpAddr, SocketAddr};

/// The name of a header field to write: known by number, or any other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Name<'a> {
    Known(HeaderId),
    Other(&'a str),
}

impl From<HeaderId> for Name<'_> {
    fn from(id: HeaderId) -> Self {
        Name::Known(id)
    }
}

impl<'a> From<&'a str> for Name<'a> {
    fn from(name: &'a str) -> Self {
        Name::Other(name)
    }
}

/// Writes one message, front to back: start line, fields in the order given, Content-Length, body.
///
/// CR, LF and NUL in a value become spaces; in a name they and all else that is no token byte are dropped. So no
/// text from outside can add a header field (security row 30).
#[derive(Clone, Debug)]
pub struct Builder {
    out: BytesMut,
}

impl Builder {
    pub fn request(method: Method, uri: impl Display) -> Builder {
        let mut builder = Builder { out: BytesMut::with_capacity(1024) };
        builder.safe(format_args!("{method} {uri} SIP/2.0"));
        builder.out.put_slice(b"\r\n");
        builder
    }

    pub fn response(status: u16, reason: &str) -> Builder {
        let mut builder = Builder { out: BytesMut::with_capacity(1024) };
        builder.safe(format_args!("SIP/2.0 {status} {reason}"));
        builder.out.put_slice(b"\r\n");
        builder
    }

    /// Adds a field. Content-Length is written by [`Builder::finish`] and [`Builder::body`] and refused here.
    pub fn header<'a>(mut self, name: impl Into<Name<'a>>, value: impl AsRef<[u8]>) -> Builder {
        if self.name(name.into()) {
            self.out.extend(value.as_ref().iter().map(|&byte| one_line(byte)));
            self.out.put_slice(b"\r\n");
        }
        self
    }

    /// Adds a field whose value writes itself: a number, a [`NameAddr`], `format_args!`.
    pub fn write<'a>(mut self, name: impl Into<Name<'a>>, value: impl Display) -> Builder {
        if self.name(name.into()) {
            self.safe(value);
            self.out.put_slice(b"\r\n");
        }
        self
    }

    /// Adds a field if there is a value.
    pub fn maybe<'a>(self, name: impl Into<Name<'a>>, value: Option<impl Display>) -> Builder {
        match value {
            Some(value) => self.write(name, value),
            None => self,
        }
    }

    /// The message with this body.
    pub fn body(self, content_type: &str, body: &[u8]) -> Bytes {
        let mut builder = self.header(HeaderId::ContentType, content_type);
        builder.length(body.len());
        builder.out.put_slice(body);
        builder.out.freeze()
    }

    /// The message without a body.
    pub fn finish(mut self) -> Bytes {
        self.length(0);
        self.out.freeze()
    }

    /// RFC 3261 20.14: always there, so that the message is right on a stream too.
    fn length(&mut self, length: usize) {
        self.safe(format_args!("Content-Length: {length}"));
        self.out.put_slice(b"\r\n\r\n");
    }

    fn name(&mut self, name: Name<'_>) -> bool {
        let name = match name {
            Name::Known(id) => id.name(),
            Name::Other(name) => name,
        };
        let before = self.out.len();
        self.out.extend(name.bytes().filter(|byte| is_token_byte(*byte)));
        let written = self.out.get(before..).unwrap_or_default();
        if written.is_empty() || HeaderId::parse(written) == HeaderId::ContentLength {
            self.out.truncate(before);
            return false;
        }
        self.out.put_slice(b": ");
        true
    }

    fn safe(&mut self, value: impl Display) {
        // Writing to memory fails only if the value's own Display does; what it wrote until then stays.
        let _ = write!(OneLine(&mut self.out), "{value}");
    }
}

struct OneLine<'a>(&'a mut BytesMut);

impl fmt::Write for OneLine<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.extend(text.bytes().map(one_line));
        Ok(())
    }
}

fn one_line(byte: u8) -> u8 {
    if matches!(byte, b'\r' | b'\n' | 0) { b' ' } else { byte }
}

/// The head of a response (RFC 3261 8.2.6): Via, From, To, Call-ID and CSeq of the request; in 101 to 299 also its
/// Record-Route (12.1.1). `to_tag` is added unless To has one. `source` is where the request came from: it goes
/// into the top Via as `received` and `rport` (RFC 3261 18.2.1, RFC 3581 4).
pub fn response_to(request: &Message, status: u16, reason: &str, to_tag: Option<&str>, source: SocketAddr) -> Builder {
    let mut builder = Builder::response(status, reason);
    for (at, value) in request.raw(HeaderId::Via).enumerate() {
        let value = unfold(value);
        builder = match at {
            0 => builder.header(HeaderId::Via, stamped(&value, source)),
            _ => builder.header(HeaderId::Via, value),
        };
    }
    if (101..300).contains(&status) {
        for value in request.headers(HeaderId::RecordRoute) {
            builder = builder.header(HeaderId::RecordRoute, value);
        }
    }
    for id in [HeaderId::From, HeaderId::To, HeaderId::CallId, HeaderId::CSeq] {
        let Some(value) = request.header(id) else {
            continue;
        };
        let tag = to_tag.filter(|_| id == HeaderId::To && NameAddr::parse(&value).is_none_or(|to| to.tag.is_none()));
        builder = match tag {
            Some(tag) => builder.header(id, [&value, &b";tag="[..], tag.as_bytes()].concat()),
            None => builder.header(id, value),
        };
    }
    builder
}

/// The first Via line with the source in its first value, all else byte for byte as it came: the peer compares it.
/// A value that is no Via is returned as it is.
fn stamped(line: &[u8], source: SocketAddr) -> Vec<u8> {
    let first = Split::new(line, b',').next().unwrap_or_default();
    let rest = line.get(first.len()..).unwrap_or_default();
    let Some(via) = Via::parse(first) else {
        return line.to_vec();
    };
    let wants_port = via.rport == Some(None);
    let mut out = Vec::with_capacity(line.len() + 64);
    for (at, part) in Split::new(first, b';').enumerate() {
        let name = trim(part.split(|byte| *byte == b'=').next().unwrap_or_default());
        if at > 0 && (name.eq_ignore_ascii_case(b"received") || (wants_port && name.eq_ignore_ascii_case(b"rport"))) {
            continue;
        }
        if at > 0 {
            out.push(b';');
        }
        out.extend_from_slice(part.trim_ascii_end());
    }
    if wants_port {
        out.extend_from_slice(format!(";rport={}", source.port()).as_bytes());
    }
    if wants_port || via.host.ip() != Some(canonical(source.ip())) {
        out.extend_from_slice(format!(";received={}", canonical(source.ip())).as_bytes());
    }
    out.extend_from_slice(rest);
    out
}

/// An IPv4 address that came through an IPv6 socket is an IPv4 address.
fn canonical(address: IpAddr) -> IpAddr {
    address.to_canonical()
}
