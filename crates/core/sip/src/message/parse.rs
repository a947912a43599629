//! From bytes to an indexed message, in one pass.

use super::index::{Line, Span};
use super::text::{is_blank, is_token, number, trim};
use super::{Defect, MAX_HEADERS, MAX_LINE, MAX_MESSAGE, Message, Method, Start};
use crate::header::HeaderId;
use bytes::Bytes;
use smallvec::SmallVec;

/// Why bytes are not a message that could be answered. All are dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// Line ends only: a keep-alive (RFC 5626 3.5.1) or padding.
    #[error("no message, only line ends")]
    Empty,
    #[error("longer than a datagram can be")]
    TooLong,
    #[error("the first line is neither a SIP request nor a SIP response")]
    NotSip,
    /// RFC 3261 7.2: three digits, 100 to 699.
    #[error("a response without a status from 100 to 699")]
    BadStatus,
}

pub(super) fn message(bytes: Bytes) -> Result<Message, ParseError> {
    if bytes.len() > MAX_MESSAGE {
        return Err(ParseError::TooLong);
    }
    // RFC 3261 7.5: line ends before the start line are ignored.
    let begin = bytes.iter().position(|byte| !matches!(byte, b'\r' | b'\n')).ok_or(ParseError::Empty)?;
    let first = next_line(&bytes, begin);
    let (start, mut defect) = start_line(&bytes, first.text)?;
    if first.stray {
        defect = defect.or(Some(Defect::LineEnd));
    }
    let mut lines = SmallVec::new();
    let body_at = header_lines(&bytes, first.next, &mut lines, &mut defect);
    let mut message = Message { start, lines, body: Span::new(body_at, bytes.len()), defect, bytes };
    cut_body(&mut message, body_at);
    Ok(message)
}

/// A line up to CRLF. A CR or LF that stands alone ends nothing: it is `stray`, and taking it for a line end would
/// make two readers of one message see different header fields.
struct RawLine<'a> {
    text: &'a [u8],
    next: usize,
    ended: bool,
    stray: bool,
}

fn next_line(bytes: &[u8], from: usize) -> RawLine<'_> {
    let rest = bytes.get(from..).unwrap_or_default();
    let mut stray = false;
    let mut at = 0;
    while let Some(found) = rest.get(at..).and_then(|tail| tail.iter().position(|byte| matches!(byte, b'\r' | b'\n'))) {
        at += found;
        if rest.get(at..at + 2) == Some(b"\r\n") {
            return RawLine { text: rest.get(..at).unwrap_or_default(), next: from + at + 2, ended: true, stray };
        }
        stray = true;
        at += 1;
    }
    RawLine { text: rest, next: bytes.len(), ended: false, stray }
}

fn start_line(whole: &[u8], line: &[u8]) -> Result<(Start, Option<Defect>), ParseError> {
    // RFC 3261 7.1: the version is compared without case.
    if line.get(..4).is_some_and(|head| head.eq_ignore_ascii_case(b"SIP/")) {
        return status_line(whole, line);
    }
    request_line(whole, line)
}

/// `SIP/2.0 200 OK`; the phrase, and the space before it, may be missing.
fn status_line(whole: &[u8], line: &[u8]) -> Result<(Start, Option<Defect>), ParseError> {
    let mut parts = line.splitn(3, |byte| *byte == b' ');
    let version = parts.next().unwrap_or_default();
    let digits = parts.next().unwrap_or_default();
    let reason = parts.next().unwrap_or_default();
    let status = number(digits)
        .filter(|status| digits.len() == 3 && (100..700).contains(status))
        .and_then(|status| u16::try_from(status).ok())
        .ok_or(ParseError::BadStatus)?;
    let defect = (!is_version_2(version)).then_some(Defect::Version);
    let reason = if reason.is_empty() { Span::default() } else { Span::within(whole, reason) };
    Ok((Start::Response { status, reason }, defect))
}

/// `INVITE sip:x SIP/2.0` with exactly one space between each. Anything looser still shows its method, so that it
/// can be answered 400.
fn request_line(whole: &[u8], line: &[u8]) -> Result<(Start, Option<Defect>), ParseError> {
    let trimmed = trim(line);
    let method_end = trimmed.iter().position(|byte| is_blank(*byte)).ok_or(ParseError::NotSip)?;
    let version_at = trimmed.iter().rposition(|byte| is_blank(*byte)).ok_or(ParseError::NotSip)?;
    let method = trimmed.get(..method_end).and_then(Method::parse).ok_or(ParseError::NotSip)?;
    let version = trimmed.get(version_at + 1..).unwrap_or_default();
    if !version.get(..4).is_some_and(|head| head.eq_ignore_ascii_case(b"SIP/")) {
        return Err(ParseError::NotSip);
    }
    let uri = trimmed.get(method_end + 1..version_at).unwrap_or_default();
    let clean = trimmed.len() == line.len() && !uri.is_empty() && !uri.iter().any(|byte| is_blank(*byte));
    let defect = match (is_version_2(version), clean) {
        (false, _) => Some(Defect::Version),
        (true, false) => Some(Defect::StartLine),
        (true, true) => None,
    };
    let uri = if uri.is_empty() { Span::default() } else { Span::within(whole, uri) };
    Ok((Start::Request { method, uri }, defect))
}

fn is_version_2(version: &[u8]) -> bool {
    version.eq_ignore_ascii_case(b"SIP/2.0")
}

/// Indexes the header fields from `at`; returns where the body begins.
fn header_lines(bytes: &[u8], mut at: usize, lines: &mut SmallVec<[Line; 20]>, defect: &mut Option<Defect>) -> usize {
    let mut fault = |kind: Defect| *defect = defect.or(Some(kind));
    loop {
        let begin = at;
        let mut line = next_line(bytes, at);
        if line.text.is_empty() {
            if !line.ended {
                fault(Defect::NoBlankLine);
            }
            return line.next;
        }
        let mut stray = line.stray;
        // RFC 3261 7.3.1: a line that begins with a blank goes on with the field before it.
        while line.ended && bytes.get(line.next).copied().is_some_and(is_blank) {
            line = next_line(bytes, line.next);
            stray |= line.stray;
        }
        at = line.next;
        let end = if line.ended { line.next.saturating_sub(2) } else { line.next };
        if stray {
            fault(Defect::LineEnd);
        }
        if end.saturating_sub(begin) > MAX_LINE {
            fault(Defect::LineTooLong);
        } else if lines.len() >= MAX_HEADERS {
            fault(Defect::TooManyHeaders);
        } else if let Some(field) = header_line(bytes, begin, end) {
            lines.push(field);
        } else {
            fault(Defect::HeaderLine);
        }
    }
}

/// RFC 3261 7.3.1: blanks may stand before the colon, but no fold.
fn header_line(bytes: &[u8], begin: usize, end: usize) -> Option<Line> {
    let line = bytes.get(begin..end)?;
    let colon = line.iter().position(|byte| *byte == b':')?;
    let (name, value) = line.split_at(colon);
    let blanks = name.iter().rev().take_while(|byte| is_blank(**byte)).count();
    let name = name.get(..name.len().saturating_sub(blanks))?;
    if !is_token(name) {
        return None;
    }
    let value = trim(value.get(1..)?);
    let value = if value.is_empty() { Span::new(end, end) } else { Span::within(bytes, value) };
    Some(Line { id: HeaderId::parse(name), name: Span::within(bytes, name), value })
}

/// RFC 3261 18.3: the body ends where Content-Length says; without it, with the datagram.
fn cut_body(message: &mut Message, body_at: usize) {
    let there = message.bytes.len().saturating_sub(body_at);
    let mut announced = None;
    let mut fault = None;
    for value in message.raw(HeaderId::ContentLength) {
        match number(value) {
            Some(length) if announced.is_none_or(|before| before == length) => announced = Some(length),
            _ => fault = Some(Defect::ContentLength),
        }
    }
    if let (None, Some(length)) = (fault, announced) {
        match usize::try_from(length) {
            Ok(length) if length <= there => message.body = Span::new(body_at, body_at.saturating_add(length)),
            _ => fault = Some(Defect::BodyTooShort),
        }
    }
    message.defect = message.defect.or(fault);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{StartLine, Transport};

    fn parse(text: &str) -> Result<Message, ParseError> {
        Message::parse(Bytes::copy_from_slice(text.as_bytes()))
    }

    #[test]
    fn compact_names_folds_and_lists_are_read_without_copies() {
        let message = parse(
            "\r\nINVITE sip:bob@b.example SIP/2.0\r\nv: SIP/2.0/UDP a;branch=z9hG4bK1, SIP/2.0/TCP b\r\nVia : SIP/2.0/TLS c\r\n\
             s: one\r\n  two\r\nX-Own:\tyes\r\nl: 2\r\n\r\nhello",
        )
        .unwrap();
        assert_eq!(message.start(), StartLine::Request { method: Method::Invite, uri: b"sip:bob@b.example" });
        assert_eq!(message.headers(HeaderId::Via).count(), 2);
        assert_eq!(message.values(HeaderId::Via).count(), 3);
        assert_eq!(message.header(HeaderId::Subject).unwrap().as_ref(), b"one two");
        assert_eq!(message.headers_named("x-OWN").next().unwrap().as_ref(), b"yes");
        assert_eq!(message.body().as_ref(), b"he");
        assert!(message.bytes().as_ptr_range().contains(&message.body().as_ptr()), "the body shares the message's memory");
        assert_eq!(message.via().unwrap().transport, Transport::Udp.into());
    }

    #[test]
    fn what_cannot_be_answered_is_an_error() {
        for (text, error) in [
            ("", ParseError::Empty),
            ("\r\n\r\n", ParseError::Empty),
            ("GET / HTTP/1.1\r\n\r\n", ParseError::NotSip),
            ("INVITE\r\n\r\n", ParseError::NotSip),
            ("INVITE sip:a\r\n\r\n", ParseError::NotSip),
            ("IN(VITE sip:a SIP/2.0\r\n\r\n", ParseError::NotSip),
            ("SIP/2.0 99 No\r\n\r\n", ParseError::BadStatus),
            ("SIP/2.0 4294967301 Big\r\n\r\n", ParseError::BadStatus),
            ("SIP/2.0 +20 Sign\r\n\r\n", ParseError::BadStatus),
        ] {
            assert_eq!(parse(text).unwrap_err(), error, "{text:?}");
        }
        assert_eq!(parse(&"x".repeat(70_000)).unwrap_err(), ParseError::TooLong);
    }

    #[test]
    fn a_defect_leaves_a_message_that_can_be_answered() {
        let line = "x".repeat(MAX_LINE);
        let many = "a: b\r\n".repeat(MAX_HEADERS + 1);
        for (head, body, defect) in [
            ("INVITE sip:a SIP/3.0\r\n".into(), "", Defect::Version),
            ("INVITE  sip:a SIP/2.0\r\n".into(), "", Defect::StartLine),
            ("INVITE sip:a SIP/2.0 \r\n".into(), "", Defect::StartLine),
            ("INVITE sip:a SIP/2.0\r\n via: folded at once\r\n".into(), "", Defect::HeaderLine),
            ("INVITE sip:a SIP/2.0\r\nno colon\r\n".into(), "", Defect::HeaderLine),
            ("INVITE sip:a SIP/2.0\r\nX\r\n : fold before colon\r\n".into(), "", Defect::HeaderLine),
            ("INVITE sip:a SIP/2.0\r\nX\u{b}: vertical tab\r\n".into(), "", Defect::HeaderLine),
            ("INVITE sip:a SIP/2.0\r\nX: bare\nY: line feed\r\n".into(), "", Defect::LineEnd),
            ("INVITE sip:a SIP/2.0\r\nX: bare\rcarriage return\r\n".into(), "", Defect::LineEnd),
            (format!("INVITE sip:a SIP/2.0\r\nX: {line}\r\n"), "", Defect::LineTooLong),
            (format!("INVITE sip:a SIP/2.0\r\n{many}"), "", Defect::TooManyHeaders),
            ("INVITE sip:a SIP/2.0\r\nl: -1\r\n".into(), "", Defect::ContentLength),
            ("INVITE sip:a SIP/2.0\r\nl: 1\r\nContent-Length: 2\r\n".into(), "xx", Defect::ContentLength),
            ("INVITE sip:a SIP/2.0\r\nl: 3\r\n".into(), "xx", Defect::BodyTooShort),
            ("INVITE sip:a SIP/2.0\r\nl: 99999999999\r\n".into(), "xx", Defect::BodyTooShort),
        ] {
            assert_eq!(parse(&format!("{head}\r\n{body}")).unwrap().defect, Some(defect), "{head:?}");
        }
        assert_eq!(parse("INVITE sip:a SIP/2.0\r\nTo: x\r\n").unwrap().defect, Some(Defect::NoBlankLine));
    }
}
