//! Is a message what RFC 3261 asks of it? The answer says what to send back.

use super::{BadHeader, Contacts, Defect, Message, Method, Start};
use crate::header::{HeaderId, Via};
use crate::uri::Scheme;

/// What to do with a message that is not acceptable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadMessage {
    /// Answer with this final status and phrase; an ACK never gets here.
    Answer { status: u16, reason: &'static str },
    /// Say nothing: a bad response, a bad ACK, or nobody to answer. The reason is for the log.
    Drop(&'static str),
}

/// Fields that stand at most once (RFC 3261 7.3.1: only lists may be repeated).
const SINGLE: [(HeaderId, &str); 8] = [
    (HeaderId::From, "More than one From"),
    (HeaderId::To, "More than one To"),
    (HeaderId::CallId, "More than one Call-ID"),
    (HeaderId::CSeq, "More than one CSeq"),
    (HeaderId::MaxForwards, "More than one Max-Forwards"),
    (HeaderId::ContentLength, "More than one Content-Length"),
    (HeaderId::ContentType, "More than one Content-Type"),
    (HeaderId::Expires, "More than one Expires"),
];

impl Message {
    /// RFC 3261 8.1.1, 8.2 and 16.3 up to where policy begins: start line, version, mandatory fields once and well
    /// formed, CSeq, lengths, addresses, the scheme of the request URI. Require, methods and bodies are the caller's.
    ///
    /// # Errors
    /// The status to answer with, or `Drop`.
    pub fn check_request(&self) -> Result<(), BadMessage> {
        let Start::Request { method, .. } = &self.start else {
            return Err(BadMessage::Drop("not a request"));
        };
        let verdict = self.request_fault(method);
        match verdict {
            // RFC 3261 17.1.1.3: an ACK is never answered.
            Err((_, reason)) if *method == Method::Ack => Err(BadMessage::Drop(reason)),
            Err((_, reason)) if !self.has(HeaderId::Via) => Err(BadMessage::Drop(reason)),
            Err((status, reason)) => Err(BadMessage::Answer { status, reason }),
            Ok(()) => Ok(()),
        }
    }

    /// What a response must have to be matched with a transaction of ours. RFC 3261 8.1.3.3: exactly one Via.
    ///
    /// # Errors
    /// Always `Drop`: responses are not answered.
    pub fn check_response(&self) -> Result<(), BadMessage> {
        if self.is_request() {
            return Err(BadMessage::Drop("not a response"));
        }
        let verdict = self.defect_fault().and_then(|()| self.mandatory_fault());
        verdict.map_err(|(_, reason)| BadMessage::Drop(reason))?;
        if self.values(HeaderId::Via).count() != 1 {
            return Err(BadMessage::Drop("Response with more than one Via"));
        }
        Ok(())
    }

    fn request_fault(&self, method: &Method) -> Result<(), Fault> {
        self.defect_fault()?;
        self.mandatory_fault()?;
        self.request_uri_fault()?;
        if self.cseq().is_ok_and(|(_, named)| named != *method) {
            return Err((400, "CSeq method does not match"));
        }
        self.max_forwards().map_err(|_| (400, "Malformed Max-Forwards"))?;
        self.content_type().map_err(|_| (400, "Malformed Content-Type"))?;
        self.authorization().map_err(|_| (400, "Malformed Authorization"))?;
        self.proxy_authorization().map_err(|_| (400, "Malformed Proxy-Authorization"))?;
        self.routes().map_err(|_| (400, "Malformed Route"))?;
        self.record_routes().map_err(|_| (400, "Malformed Record-Route"))?;
        self.contact_fault(method)
    }

    fn defect_fault(&self) -> Result<(), Fault> {
        let Some(defect) = self.defect else {
            return Ok(());
        };
        Err(match defect {
            Defect::Version => (505, "Version Not Supported"),
            Defect::StartLine => (400, "Malformed Request-Line"),
            Defect::HeaderLine => (400, "Malformed Header Field"),
            Defect::LineEnd => (400, "Line End Is Not CRLF"),
            Defect::LineTooLong => (400, "Header Field Too Long"),
            Defect::TooManyHeaders => (400, "Too Many Header Fields"),
            Defect::NoBlankLine => (400, "No Empty Line After Header"),
            Defect::ContentLength => (400, "Malformed Content-Length"),
            Defect::BodyTooShort => (400, "Body Shorter Than Content-Length"),
        })
    }

    /// RFC 3261 8.1.1: To, From, CSeq, Call-ID, Via. (Max-Forwards too, but 16.3 tells how to do without.)
    fn mandatory_fault(&self) -> Result<(), Fault> {
        if let Some((_, reason)) = SINGLE.iter().find(|(id, _)| self.raw(*id).nth(1).is_some()) {
            return Err((400, reason));
        }
        if !self.has(HeaderId::Via) {
            return Err((400, "Missing Via"));
        }
        if !self.values(HeaderId::Via).all(|value| Via::parse(&value).is_some()) {
            return Err((400, "Malformed Via"));
        }
        // RFC 4475 3.2.1: the cookie alone identifies nothing.
        if self.via().is_ok_and(|via| via.branch.as_deref() == Some(Via::COOKIE)) {
            return Err((400, "Empty Via Branch"));
        }
        let required = |id, missing, malformed, result: Result<(), BadHeader>| match result {
            Ok(()) => Ok(()),
            Err(_) if self.has(id) => Err((400, malformed)),
            Err(_) => Err((400, missing)),
        };
        required(HeaderId::From, "Missing From", "Malformed From", self.from().map(drop))?;
        required(HeaderId::To, "Missing To", "Malformed To", self.to().map(drop))?;
        required(HeaderId::CallId, "Missing Call-ID", "Malformed Call-ID", self.call_id().map(drop))?;
        required(HeaderId::CSeq, "Missing CSeq", "Malformed CSeq", self.cseq().map(drop))
    }

    /// RFC 3261 8.2.2.1: 416 to a scheme that is not ours; 19.1.1: no header part in a request URI.
    fn request_uri_fault(&self) -> Result<(), Fault> {
        let uri = self.uri().map_err(|_| (400, "Malformed Request-URI"))?;
        match uri.scheme {
            Scheme::Other(_) => Err((416, "Unsupported URI Scheme")),
            _ if uri.headers.is_some() => Err((400, "Header in Request-URI")),
            _ => Ok(()),
        }
    }

    fn contact_fault(&self, method: &Method) -> Result<(), Fault> {
        let register = *method == Method::Register;
        match self.contacts() {
            Err(_) => return Err((400, "Malformed Contact")),
            // RFC 3261 10.2.2: only REGISTER may, and only with Expires 0.
            Ok(Contacts::All) if !register || self.expires() != Ok(Some(0)) => return Err((400, "Contact * Without Expires 0")),
            Ok(_) => {}
        }
        // RFC 3261 10.2: the address of record is a SIP or SIPS URI.
        if register && self.to().is_ok_and(|to| !to.uri.is_sip()) {
            return Err((400, "To Is Not a SIP Address"));
        }
        Ok(())
    }
}

type Fault = (u16, &'static str);
