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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::uri::{Host, Uri};

    fn parsed(bytes: Bytes) -> Message {
        Message::parse(bytes).unwrap()
    }

    fn request(via: &str, to: &str) -> Message {
        let text = format!(
            "INVITE sip:b@c SIP/2.0\r\n{via}\r\nRecord-Route: <sip:p;lr>\r\nf: <sip:a@b>;tag=1\r\nTo: {to}\r\ni: c@d\r\nCSeq: 1 INVITE\r\n\r\n"
        );
        parsed(Bytes::from(text))
    }

    /// Security row 30.
    #[test]
    fn no_value_can_end_its_line() {
        let mut caller = NameAddr::new(Uri::sip(Some("a b\r\nX-Evil: 1"), Host::new("h"), None));
        caller.display = Some("x\"\r\nX-Evil: 1\x1b[2J".into());
        let bytes = Builder::request(Method::Invite, "sip:a\r\nX-Evil: 1")
            .write(HeaderId::From, &caller)
            .header(HeaderId::Subject, "one\r\nX-Evil: 1\0")
            .header("X-Own\r\nX-Evil", "1")
            .header("Content-Length", "9999")
            .header(HeaderId::ContentLength, "9999")
            .maybe(HeaderId::Expires, None::<u32>)
            .body("text/plain\r\nX-Evil: 1", b"body");
        let message = parsed(bytes);
        assert_eq!(message.headers_named("X-Evil").count(), 0);
        assert_eq!(message.header(HeaderId::Subject).unwrap().as_ref(), b"one  X-Evil: 1");
        assert_eq!(message.from().unwrap().display.as_deref(), Some("x\"X-Evil: 1[2J"));
        assert_eq!(message.from().unwrap().uri.user().as_deref(), Some("a b\r\nX-Evil: 1"), "escaped, not lost");
        assert_eq!(message.headers(HeaderId::ContentLength).count(), 1);
        assert_eq!(message.body().as_ref(), b"body");
    }

    #[test]
    fn a_response_copies_what_rfc_3261_8_2_6_names() {
        let request =
            request("v: SIP/2.0/UDP a.test;branch=z9hG4bK1, SIP/2.0/TCP b.test\r\nVia: SIP/2.0/TLS c.test", "<sip:b@c>");
        let source = "192.0.2.9:5062".parse().unwrap();
        let ringing = parsed(response_to(&request, 180, "Ringing", Some("ours"), source).finish());
        assert_eq!(ringing.values(HeaderId::Via).count(), 3);
        assert_eq!(ringing.to().unwrap().tag.as_deref(), Some("ours"));
        assert_eq!(ringing.from().unwrap(), request.from().unwrap());
        assert_eq!((ringing.call_id(), ringing.cseq()), (request.call_id(), request.cseq()));
        assert!(ringing.has(HeaderId::RecordRoute));
        assert_eq!(ringing.via().unwrap().received, Some(source.ip()), "a name in sent-by: the source is noted");
        assert!(!parsed(response_to(&request, 404, "Not Found", None, source).finish()).has(HeaderId::RecordRoute));
    }

    #[test]
    fn a_to_tag_is_added_only_where_there_is_none() {
        let source = "192.0.2.9:5062".parse().unwrap();
        for (to, written) in [
            ("<sip:b@c>;tag=theirs", "<sip:b@c>;tag=theirs"),
            ("<sip:b@c;tag=uri>", "<sip:b@c;tag=uri>;tag=ours"),
            ("\"a;tag=no\" <sip:b@c>", "\"a;tag=no\" <sip:b@c>;tag=ours"),
            ("\"broken <sip:b@c>", "\"broken <sip:b@c>;tag=ours"),
        ] {
            let response = parsed(response_to(&request("v: SIP/2.0/UDP a", to), 486, "Busy Here", Some("ours"), source).finish());
            assert_eq!(response.header(HeaderId::To).unwrap().as_ref(), written.as_bytes());
        }
    }

    /// RFC 3261 18.2.1, RFC 3581 4; all else of the Via stays byte for byte.
    #[test]
    fn the_top_via_gets_the_source() {
        #[rustfmt::skip]
        let table = [
            // Via                                                   from               written
            ("SIP/2.0/UDP 192.0.2.9:5062;branch=z9hG4bKa",           "192.0.2.9:5062",  "SIP/2.0/UDP 192.0.2.9:5062;branch=z9hG4bKa"),
            ("SIP/2.0/UDP 10.0.0.1:5062;branch=z9hG4bKa",            "192.0.2.9:6000",  "SIP/2.0/UDP 10.0.0.1:5062;branch=z9hG4bKa;received=192.0.2.9"),
            ("SIP/2.0/UDP 192.0.2.9;rport;branch=z9hG4bKa",          "192.0.2.9:6000",  "SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKa;rport=6000;received=192.0.2.9"),
            ("SIP / 2.0 / UDP  h ; branch = z9hG4bKa ;Own=\"a;b\"",  "192.0.2.9:6000",  "SIP / 2.0 / UDP  h; branch = z9hG4bKa;Own=\"a;b\";received=192.0.2.9"),
            ("SIP/2.0/UDP 10.0.0.1;received=203.0.113.66, SIP/2.0/UDP b", "192.0.2.9:1", "SIP/2.0/UDP 10.0.0.1;received=192.0.2.9, SIP/2.0/UDP b"),
            ("SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKa",                "[::ffff:192.0.2.9]:1", "SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKa"),
            ("SIP/2.0/UDP [2001:db8::1];rport",                      "[2001:db8::2]:7", "SIP/2.0/UDP [2001:db8::1];rport=7;received=2001:db8::2"),
            ("nonsense",                                             "192.0.2.9:5062",  "nonsense"),
        ];
        for (via, from, written) in table {
            let response = response_to(&request(&format!("Via: {via}"), "<sip:b@c>"), 100, "Trying", None, from.parse().unwrap());
            assert_eq!(parsed(response.finish()).header(HeaderId::Via).unwrap().as_ref(), written.as_bytes());
        }
    }
}
