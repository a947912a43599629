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
            Defect::Version => (505, "Version not supported"),
            Defect::StartLine => (400, "Malformed request line"),
            Defect::HeaderLine => (400, "Malformed header field"),
            Defect::LineEnd => (400, "Line end is not CRLF"),
            Defect::LineTooLong => (400, "Header field too long"),
            Defect::TooManyHeaders => (400, "Too many header fields"),
            Defect::NoBlankLine => (400, "No empty line after the header"),
            Defect::ContentLength => (400, "Malformed Content-Length"),
            Defect::BodyTooShort => (400, "Body shorter than Content-Length"),
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
        for value in self.values(HeaderId::Via) {
            let via = Via::parse(&value).ok_or((400, "Malformed Via"))?;
            // RFC 4475 3.2.1: the cookie alone identifies nothing.
            if via.branch.as_deref() == Some(Via::COOKIE) {
                return Err((400, "Empty Via branch"));
            }
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
        let uri = self.uri().map_err(|_| (400, "Malformed request URI"))?;
        match uri.scheme {
            Scheme::Other(_) => Err((416, "Unsupported URI scheme")),
            _ if uri.headers.is_some() => Err((400, "Header in request URI")),
            _ => Ok(()),
        }
    }

    fn contact_fault(&self, method: &Method) -> Result<(), Fault> {
        let register = *method == Method::Register;
        match self.contacts() {
            Err(_) => return Err((400, "Malformed Contact")),
            // RFC 3261 10.2.2: only REGISTER may, and only with Expires 0.
            Ok(Contacts::All) if !register || self.expires() != Ok(Some(0)) => return Err((400, "Contact * without Expires 0")),
            Ok(_) => {}
        }
        // RFC 3261 10.2: the address of record is a SIP or SIPS URI.
        if register && self.to().is_ok_and(|to| !to.uri.is_sip()) {
            return Err((400, "To is not a SIP address"));
        }
        Ok(())
    }
}

type Fault = (u16, &'static str);

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    const GOOD: &str = "REGISTER sip:centre.test SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKa\r\nFrom: <sip:a@h>;tag=1\r\n\
        To: <sip:a@h>\r\nCall-ID: c@h\r\nCSeq: 1 REGISTER\r\nMax-Forwards: 70\r\nContact: <sip:a@h>\r\n\r\n";

    /// GOOD with a line changed.
    fn check(from: &str, to: &str) -> Result<(), BadMessage> {
        let text = GOOD.replacen(from, to, 1);
        assert_ne!(text, GOOD, "{from}");
        Message::parse(Bytes::from(text)).unwrap().check_request()
    }

    /// Rows of security.md that a message alone decides.
    #[test]
    fn hostile_messages_are_answered_400_with_the_reason() {
        let long_method = format!("CSeq: 1 {}", "A".repeat(60_000));
        let many = format!("{}Contact:", "Accept: a/b\r\n".repeat(1_000));
        #[rustfmt::skip]
        let table = [
            // row, what changes,           into,                                    reason
            (1,  "CSeq: 1 REGISTER",        long_method.as_str(),                    "Header field too long"),
            (1,  "CSeq: 1 REGISTER",        &long_method[..200],                     "Malformed CSeq"),
            (3,  "Contact:",                  &many,                                   "Too many header fields"),
            (8,  "branch=z9hG4bKa",         "branch=\"z9hG4bKa",                     "Malformed Via"),
            (8,  "branch=z9hG4bKa",         "branch=",                               "Malformed Via"),
            (8,  "tag=1",                   "tag=<1>",                               "Malformed From"),
            (8,  "tag=1",                   "tag=",                                  "Malformed From"),
            (9,  "Contact:",                "Authorization: Digest a=\"\r\nContact:", "Malformed Authorization"),
            (9,  "Contact:",                "Authorization: Digest\r\nContact:",     "Malformed Authorization"),
            (9,  "Contact:",                "Proxy-Authorization: Digest username=\"a\"\r\nContact:", "Malformed Proxy-Authorization"),
            (10, "Contact: <sip:a@h>",      "Contact: <sip:a@[::1>",                 "Malformed Contact"),
            (10, "Contact: <sip:a@h>",      "Contact: <sip:a@h:70000>",              "Malformed Contact"),
            (10, "Contact: <sip:a@h>",      "Contact: *",                            "Contact * without Expires 0"),
            (10, "Contact: <sip:a@h>",      "Contact: *\r\nm: <sip:a@h>",            "Malformed Contact"),
            (10, "sip:centre.test",         "sip:@centre.test",                      "Malformed request URI"),
            (10, "Contact:",                "Route: sip:x,\r\nContact:",             "Malformed Route"),
            (16, "To: <sip:a@h>",           "To: <sip:a@h>\u{b};tag=1",              "Malformed To"),
            (16, "To: <sip:a@h>",           "To: <sip:a@h>;\u{a0}tag=1",             "Malformed To"),
            (0,  "Max-Forwards: 70",        "Max-Forwards: seventy",                 "Malformed Max-Forwards"),
            (0,  "Contact:",                "f: <sip:b@h>;tag=2\r\nContact:",        "More than one From"),
            (0,  "CSeq: 1 REGISTER",        "CSeq: 2147483648 REGISTER",             "Malformed CSeq"),
            (0,  "Call-ID: c@h",            "Call-ID: c h",                          "Malformed Call-ID"),
        ];
        for (row, from, to, reason) in table {
            assert_eq!(check(from, to), Err(BadMessage::Answer { status: 400, reason }), "row {row}: {to:.60}");
        }
        assert_eq!(check("Contact: <sip:a@h>", "Contact: *\r\nExpires: 0"), Ok(()));
    }

    #[test]
    fn nobody_is_answered_without_a_via_nor_for_an_ack() {
        assert_eq!(check("Via: SIP/2.0/UDP h;branch=z9hG4bKa\r\n", ""), Err(BadMessage::Drop("Missing Via")));
        let ack = GOOD.replace("REGISTER", "ACK").replace("To: <sip:a@h>\r\n", "");
        assert_eq!(Message::parse(Bytes::from(ack)).unwrap().check_request(), Err(BadMessage::Drop("Missing To")));
    }

    /// Row 15: `X-Int : 1`, `x-int`, a folded value: one field to whoever strips it.
    #[test]
    fn an_internal_header_is_found_in_every_spelling() {
        for spelling in ["X-Int: 1", "X-Int : 1", "x-INT\t:1", "X-Int:\r\n 1"] {
            let text = GOOD.replacen("Contact:", &format!("{spelling}\r\nContact:"), 1);
            let message = Message::parse(Bytes::from(text)).unwrap();
            assert_eq!(message.headers_named("X-Int").map(|value| value.to_vec()).collect::<Vec<_>>(), [b"1"], "{spelling:?}");
            assert_eq!(message.check_request(), Ok(()));
        }
        assert!(check("Contact:", "X-Int\r\n : 1\r\nContact:").is_err(), "a fold before the colon is refused, not guessed at");
        assert!(check("Contact:", "X-Ok: 1\nX-Int: 1\r\nContact:").is_err(), "so is a line that ends in LF alone");
    }

    #[test]
    fn a_response_needs_exactly_one_via() {
        let response = |via: &str| {
            let text = GOOD
                .replace("REGISTER sip:centre.test SIP/2.0", "SIP/2.0 200 OK")
                .replace("Via: SIP/2.0/UDP h;branch=z9hG4bKa\r\n", via);
            Message::parse(Bytes::from(text)).unwrap().check_response()
        };
        assert_eq!(response("v: SIP/2.0/UDP h;branch=z9hG4bKa\r\n"), Ok(()));
        assert!(response("v: SIP/2.0/UDP h, SIP/2.0/UDP i\r\n").is_err());
        assert!(response("").is_err());
    }
}
