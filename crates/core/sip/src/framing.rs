//! Cutting a stream into messages (RFC 3261 18.3, 7.5; RFC 5626 3.5.1).
//!
//! ```text
//!   push(bytes) ─▶ [ buffer ] ─▶ next(): CRLF CRLF at the front       → KeepAlive (answer with one CRLF)
//!                                        a lone CRLF at the front     → skipped (the answer to ours)
//!                                        head … CRLF CRLF … body      → Message, cut by Content-Length
//!                                        neither yet                  → None, push more
//!                                        too long, or no length to cut by → Err: close the connection
//! ```
//! After an error the stream has no next message: nobody knows where it would begin.

use crate::header::HeaderId;
use crate::message::MAX_MESSAGE;
use crate::message::text::{is_blank, number, trim};
use bytes::{Buf, Bytes, BytesMut};

/// Longest head of a message on a stream.
pub const MAX_HEAD: usize = 32_768;

/// One piece of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// One whole message, for [`crate::Message::parse`].
    Message(Bytes),
    /// A ping (RFC 5626 3.5.1): answer with one CRLF.
    KeepAlive,
}

/// Why a stream can't be read any further. The connection is to be closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    #[error("message head longer than {MAX_HEAD} bytes")]
    HeadTooLong,
    #[error("message longer than {MAX_MESSAGE} bytes")]
    MessageTooLong,
    /// RFC 3261 18.3: on a stream Content-Length is mandatory.
    #[error("no Content-Length")]
    NoLength,
    #[error("Content-Length is not one number")]
    BadLength,
}

/// Cuts one connection's stream. Holds at most one message and what was pushed after it.
#[derive(Debug, Default)]
pub struct Framer {
    buffer: BytesMut,
    /// Up to here there is no end of the head, so that each byte is looked at once.
    searched: usize,
    /// Length of the whole message, once its head is complete.
    whole: Option<usize>,
    failed: Option<FrameError>,
}

impl Framer {
    pub fn new() -> Framer {
        Framer::default()
    }

    pub fn push(&mut self, bytes: &[u8]) {
        if self.failed.is_none() {
            self.buffer.extend_from_slice(bytes);
        }
    }

    /// Bytes that wait for the rest of their message: a shell closes a connection where they stay too long.
    pub fn pending(&self) -> usize {
        self.buffer.len()
    }

    /// The next piece, or `None` until more is pushed. After an error always that error.
    #[allow(clippy::should_implement_trait)] // the stream has no end here: None means "not yet"
    pub fn next(&mut self) -> Option<Result<Frame, FrameError>> {
        if let Some(error) = self.failed {
            return Some(Err(error));
        }
        match self.cut() {
            Ok(frame) => frame.map(Ok),
            Err(error) => {
                self.failed = Some(error);
                self.buffer = BytesMut::new();
                Some(Err(error))
            }
        }
    }

    fn cut(&mut self) -> Result<Option<Frame>, FrameError> {
        if self.whole.is_none() {
            if self.buffer.starts_with(b"\r\n\r\n") {
                self.buffer.advance(4);
                return Ok(Some(Frame::KeepAlive));
            }
            if matches!(self.buffer.get(..), Some(b"" | b"\r" | b"\r\n" | b"\r\n\r")) {
                return Ok(None);
            }
            if self.buffer.starts_with(b"\r\n") {
                self.buffer.advance(2);
                return self.cut();
            }
            self.whole = self.measure()?;
        }
        match self.whole {
            Some(length) if self.buffer.len() >= length => {
                self.whole = None;
                self.searched = 0;
                Ok(Some(Frame::Message(self.buffer.split_to(length).freeze())))
            }
            _ => Ok(None),
        }
    }

    /// The length of the message at the front, if its head is complete.
    fn measure(&mut self) -> Result<Option<usize>, FrameError> {
        let from = self.searched;
        let fresh = self.buffer.get(from..).unwrap_or_default();
        let Some(at) = fresh.windows(4).position(|window| window == b"\r\n\r\n") else {
            if self.buffer.len() > MAX_HEAD {
                return Err(FrameError::HeadTooLong);
            }
            self.searched = self.buffer.len().saturating_sub(3);
            return Ok(None);
        };
        let head = from.saturating_add(at).saturating_add(4);
        if head > MAX_HEAD {
            return Err(FrameError::HeadTooLong);
        }
        let body = content_length(self.buffer.get(..head).unwrap_or_default())?;
        match head.saturating_add(body) {
            whole if whole <= MAX_MESSAGE => Ok(Some(whole)),
            _ => Err(FrameError::MessageTooLong),
        }
    }
}

/// The one Content-Length of a head. Repeated ones must agree; anything else could make us and the peer cut the
/// stream at different places.
fn content_length(head: &[u8]) -> Result<usize, FrameError> {
    let mut found = None;
    let mut lines = head.split(|byte| *byte == b'\n').skip(1).peekable();
    while let Some(line) = lines.next() {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else {
            continue;
        };
        let (name, value) = line.split_at(colon);
        if HeaderId::parse(trim(name)) != HeaderId::ContentLength {
            continue;
        }
        let mut value = trim(value.get(1..).unwrap_or_default()).to_vec();
        while lines.peek().is_some_and(|next| next.first().copied().is_some_and(is_blank)) {
            value.extend_from_slice(trim(lines.next().unwrap_or_default()));
        }
        match number(&value) {
            Some(length) if found.is_none_or(|before| before == length) => found = Some(length),
            _ => return Err(FrameError::BadLength),
        }
    }
    let length = found.ok_or(FrameError::NoLength)?;
    usize::try_from(length).map_err(|_| FrameError::MessageTooLong)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "OPTIONS sip:a SIP/2.0\r\nl: 4\r\n\r\nbody";
    const TWO: &str = "BYE sip:a SIP/2.0\r\nContent-Length :\r\n 0\r\n\r\n";

    fn frames(framer: &mut Framer) -> Vec<Result<Frame, FrameError>> {
        std::iter::from_fn(|| framer.next()).take(10).collect()
    }

    fn message(text: &str) -> Result<Frame, FrameError> {
        Ok(Frame::Message(Bytes::copy_from_slice(text.as_bytes())))
    }

    #[test]
    fn messages_are_cut_wherever_the_stream_was_cut() {
        let stream = format!("\r\n\r\n{ONE}\r\n{TWO}\r\n\r\n{ONE}");
        let whole = [Ok(Frame::KeepAlive), message(ONE), message(TWO), Ok(Frame::KeepAlive), message(ONE)];
        for step in 1..stream.len() {
            let mut framer = Framer::new();
            let mut seen = Vec::new();
            for chunk in stream.as_bytes().chunks(step) {
                framer.push(chunk);
                seen.extend(frames(&mut framer));
            }
            assert_eq!(seen, whole, "in chunks of {step}");
            assert_eq!(framer.pending(), 0);
        }
    }

    #[test]
    fn a_stream_that_cannot_be_cut_fails_for_good() {
        let long = "x".repeat(MAX_HEAD + 1);
        for (stream, error) in [
            ("BYE sip:a SIP/2.0\r\nTo: x\r\n\r\n", FrameError::NoLength),
            ("BYE sip:a SIP/2.0\r\nl: -1\r\n\r\n", FrameError::BadLength),
            ("BYE sip:a SIP/2.0\r\nl: 1\r\nl: 2\r\n\r\n", FrameError::BadLength),
            ("BYE sip:a SIP/2.0\r\nl: 1,1\r\n\r\n", FrameError::BadLength),
            ("BYE sip:a SIP/2.0\r\nl: 99999999999999999999\r\n\r\n", FrameError::MessageTooLong),
            (&long, FrameError::HeadTooLong),
        ] {
            let mut framer = Framer::new();
            framer.push(stream.as_bytes());
            assert_eq!(framer.next(), Some(Err(error)));
            framer.push(ONE.as_bytes());
            assert_eq!(framer.next(), Some(Err(error)), "there is no way back into the stream");
            assert_eq!(framer.pending(), 0, "and nothing is kept of it");
        }
    }

    #[test]
    fn a_body_that_is_not_there_yet_is_waited_for() {
        let mut framer = Framer::new();
        framer.push(b"BYE sip:a SIP/2.0\r\nl: 10\r\n\r\nshort");
        assert_eq!(framer.next(), None);
        framer.push(b" more");
        assert!(matches!(framer.next(), Some(Ok(Frame::Message(bytes))) if bytes.ends_with(b"short more")));
    }
}
