//! A SIP message without copies: one [`Bytes`], an index of its header fields, views made when asked for.
//!
//! ```text
//!            parse: O(n), finds lines          check_*: is it what RFC 3261 asks?
//!  datagram ───────────▶ Message ────────────────▶ ok, or the status to answer with, or drop
//!  or frame     │           │ via() from() cseq() contacts() …: parsed on each call
//!               └ Err: nothing that could be answered
//! ```
//! What is broken but can be answered is still a `Message`: `check_request` says 400 and why.

mod build;
mod check;
mod index;
mod method;
mod parse;
pub(crate) mod text;
mod views;

pub use build::{Builder, Name, response_to};
pub use check::BadMessage;
pub use method::Method;
pub use parse::ParseError;
pub use views::{BadHeader, Contacts};

use crate::header::HeaderId;
use bytes::Bytes;
use index::{Line, Span};
use smallvec::SmallVec;
use std::borrow::Cow;
use std::fmt;

/// Longest message taken: what a datagram can hold (RFC 3261 18.1.1).
pub const MAX_MESSAGE: usize = 65_535;
/// Longest header field with its folds, in bytes.
pub const MAX_LINE: usize = 8_192;
/// Most header fields of one message (CVE-2018-7284).
pub const MAX_HEADERS: usize = 256;

/// One SIP message, indexed. Cloning copies no bytes of it.
#[derive(Clone)]
pub struct Message {
    bytes: Bytes,
    start: Start,
    lines: SmallVec<[Line; 20]>,
    body: Span,
    /// The first thing that is wrong with it as a whole, if anything is.
    defect: Option<Defect>,
}

/// The start line, by where it stands.
#[derive(Clone, Debug)]
enum Start {
    Request { method: Method, uri: Span },
    Response { status: u16, reason: Span },
}

/// What makes a message unacceptable, though it may be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Defect {
    Version,
    StartLine,
    HeaderLine,
    LineEnd,
    LineTooLong,
    TooManyHeaders,
    NoBlankLine,
    ContentLength,
    BodyTooShort,
}

/// The start line (RFC 3261 7.1, 7.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StartLine<'a> {
    Request { method: Method, uri: &'a [u8] },
    Response { status: u16, reason: &'a [u8] },
}

impl Message {
    /// Reads a datagram, or one message cut from a stream. Bytes after what Content-Length announces are dropped
    /// (RFC 3261 18.3).
    ///
    /// # Errors
    /// When there is nothing to answer: see [`ParseError`]. All else is left to [`Message::check_request`].
    pub fn parse(bytes: Bytes) -> Result<Message, ParseError> {
        parse::message(bytes)
    }

    pub fn start(&self) -> StartLine<'_> {
        match &self.start {
            Start::Request { method, uri } => StartLine::Request { method: method.clone(), uri: uri.of(&self.bytes) },
            Start::Response { status, reason } => StartLine::Response { status: *status, reason: reason.of(&self.bytes) },
        }
    }

    /// The method of a request; `None` for a response.
    pub fn method(&self) -> Option<Method> {
        match &self.start {
            Start::Request { method, .. } => Some(method.clone()),
            Start::Response { .. } => None,
        }
    }

    /// The status of a response, 100 to 699; `None` for a request.
    pub fn status(&self) -> Option<u16> {
        match self.start {
            Start::Response { status, .. } => Some(status),
            Start::Request { .. } => None,
        }
    }

    pub fn is_request(&self) -> bool {
        matches!(self.start, Start::Request { .. })
    }

    /// The first field of this name, unfolded.
    pub fn header(&self, id: HeaderId) -> Option<Cow<'_, [u8]>> {
        self.headers(id).next()
    }

    /// Each field of this name, in order, unfolded.
    pub fn headers(&self, id: HeaderId) -> impl Iterator<Item = Cow<'_, [u8]>> {
        self.raw(id).map(text::unfold)
    }

    /// Each field of a name that [`HeaderId`] does not list. Compared without case.
    pub fn headers_named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = Cow<'a, [u8]>> {
        let named = move |line: &&Line| line.name.of(&self.bytes).eq_ignore_ascii_case(name.as_bytes());
        self.lines.iter().filter(named).map(|line| text::unfold(line.value.of(&self.bytes)))
    }

    /// Each element of the comma lists of all fields of this name. Commas in quotes and angle brackets do not cut.
    /// For fields that are lists: not for Date, Subject or the digest headers.
    pub fn values(&self, id: HeaderId) -> impl Iterator<Item = Cow<'_, [u8]>> {
        self.raw(id)
            .filter(|value| !value.is_empty())
            .flat_map(|value| text::Split::new(value, b','))
            .map(|value| text::unfold(text::trim(value)))
    }

    /// The names and values of all fields in their order, as they came.
    pub fn fields(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.lines.iter().map(|line| (line.name.of(&self.bytes), line.value.of(&self.bytes)))
    }

    pub fn has(&self, id: HeaderId) -> bool {
        self.lines.iter().any(|line| line.id == id)
    }

    /// The body, cut to Content-Length. Shares the message's memory.
    pub fn body(&self) -> Bytes {
        self.bytes.slice(self.body.range())
    }

    /// The whole message, as it came.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    fn raw(&self, id: HeaderId) -> impl Iterator<Item = &[u8]> {
        self.lines.iter().filter(move |line| line.id == id).map(|line| line.value.of(&self.bytes))
    }
}

/// Says what it is, not whose call it is: a message is full of personal data.
impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.start {
            Start::Request { method, .. } => write!(f, "Message({method}, {} bytes)", self.bytes.len()),
            Start::Response { status, .. } => write!(f, "Message({status}, {} bytes)", self.bytes.len()),
        }
    }
}

impl PartialEq for Message {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}
