//! Typed views of header fields, parsed each time they are asked for.

use super::text::{self, decode, number, trim};
use super::{Message, Method};
use crate::digest::Credentials;
use crate::header::{HeaderId, MediaType, NameAddr, Via};
use crate::uri::Uri;
use std::borrow::Cow;

/// A header field that is missing or not what its grammar says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: expected {expected}", header.name())]
pub struct BadHeader {
    pub header: HeaderId,
    /// In words for an operator, without anything of the message in it.
    pub expected: &'static str,
}

/// Contact: either the `*` of a REGISTER that removes all bindings, or a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Contacts {
    All,
    List(Vec<NameAddr>),
}

impl Message {
    /// The request URI.
    ///
    /// # Errors
    /// When it is malformed or this is a response.
    pub fn uri(&self) -> Result<Uri, crate::uri::BadUri> {
        match self.start() {
            super::StartLine::Request { uri, .. } => Uri::parse(uri),
            super::StartLine::Response { .. } => Err(crate::uri::BadUri),
        }
    }

    /// The topmost Via.
    pub fn via(&self) -> Result<Via, BadHeader> {
        let value = self.values(HeaderId::Via).next();
        value.as_deref().and_then(Via::parse).ok_or(BadHeader { header: HeaderId::Via, expected: "SIP/2.0/UDP host;branch=…" })
    }

    pub fn from(&self) -> Result<NameAddr, BadHeader> {
        self.address(HeaderId::From)
    }

    pub fn to(&self) -> Result<NameAddr, BadHeader> {
        self.address(HeaderId::To)
    }

    /// RFC 3261 8.1.1.5: the sequence number is below 2^31.
    pub fn cseq(&self) -> Result<(u32, Method), BadHeader> {
        self.header(HeaderId::CSeq)
            .and_then(|value| {
                let at = value.iter().position(|byte| text::is_blank(*byte))?;
                let (digits, method) = value.split_at(at);
                let sequence = number(digits).filter(|sequence| *sequence < 1 << 31)?;
                Some((sequence, Method::parse(trim(method))?))
            })
            .ok_or(BadHeader { header: HeaderId::CSeq, expected: "a number below 2^31 and a method" })
    }

    /// Printable ASCII without blanks, at most 512 bytes.
    pub fn call_id(&self) -> Result<&str, BadHeader> {
        self.raw(HeaderId::CallId)
            .next()
            .filter(|value| (1..=512).contains(&value.len()) && value.iter().all(u8::is_ascii_graphic))
            .and_then(|value| std::str::from_utf8(value).ok())
            .ok_or(BadHeader { header: HeaderId::CallId, expected: "a word, with an optional @word" })
    }

    /// `Ok(None)` when missing; RFC 3261 20.22: 0 to 255.
    pub fn max_forwards(&self) -> Result<Option<u8>, BadHeader> {
        let bad = BadHeader { header: HeaderId::MaxForwards, expected: "a number from 0 to 255" };
        let small = |value: Cow<'_, [u8]>| number(&value).and_then(|n| u8::try_from(n).ok()).ok_or(bad);
        self.header(HeaderId::MaxForwards).map(small).transpose()
    }

    /// Expires in seconds, `Ok(None)` when missing. Larger numbers are cut to `u32::MAX`.
    pub fn expires(&self) -> Result<Option<u32>, BadHeader> {
        self.seconds(HeaderId::Expires)
    }

    /// The number at the head of a field such as Expires, Min-SE or Retry-After.
    pub fn seconds(&self, id: HeaderId) -> Result<Option<u32>, BadHeader> {
        let head = |value: &[u8]| number(trim(value.split(|byte| matches!(byte, b';' | b'(')).next().unwrap_or_default()));
        let bad = BadHeader { header: id, expected: "a number of seconds" };
        self.header(id).map(|value| head(&value).ok_or(bad)).transpose()
    }

    /// Every Contact; an empty list when there is none.
    pub fn contacts(&self) -> Result<Contacts, BadHeader> {
        if self.raw(HeaderId::Contact).any(|value| value == b"*") {
            let alone = self.raw(HeaderId::Contact).count() == 1;
            let bad = BadHeader { header: HeaderId::Contact, expected: "* to stand alone" };
            return if alone { Ok(Contacts::All) } else { Err(bad) };
        }
        self.addresses(HeaderId::Contact).map(Contacts::List)
    }

    /// The first Contact, as a dialog needs it.
    pub fn contact(&self) -> Result<NameAddr, BadHeader> {
        let missing = BadHeader { header: HeaderId::Contact, expected: "an address" };
        match self.contacts()? {
            Contacts::List(list) => list.into_iter().next().ok_or(missing),
            Contacts::All => Err(missing),
        }
    }

    pub fn record_routes(&self) -> Result<Vec<NameAddr>, BadHeader> {
        self.addresses(HeaderId::RecordRoute)
    }

    pub fn routes(&self) -> Result<Vec<NameAddr>, BadHeader> {
        self.addresses(HeaderId::Route)
    }

    /// A field that is a list of addresses: Route, P-Asserted-Identity, Diversion.
    pub fn addresses(&self, id: HeaderId) -> Result<Vec<NameAddr>, BadHeader> {
        let bad = BadHeader { header: id, expected: "a list of addresses" };
        self.values(id).map(|value| NameAddr::parse(&value).ok_or(bad)).collect()
    }

    /// A field that is one address: From, To, Refer-To.
    pub fn address(&self, id: HeaderId) -> Result<NameAddr, BadHeader> {
        self.header(id)
            .as_deref()
            .and_then(NameAddr::parse)
            .ok_or(BadHeader { header: id, expected: "one address, its tag a token" })
    }

    /// Each Digest of Authorization. Other schemes are passed over.
    pub fn authorization(&self) -> Result<Vec<Credentials>, BadHeader> {
        self.credentials(HeaderId::Authorization)
    }

    /// Each Digest of Proxy-Authorization. Other schemes are passed over.
    pub fn proxy_authorization(&self) -> Result<Vec<Credentials>, BadHeader> {
        self.credentials(HeaderId::ProxyAuthorization)
    }

    /// `Ok(None)` when missing.
    pub fn content_type(&self) -> Result<Option<MediaType>, BadHeader> {
        let bad = BadHeader { header: HeaderId::ContentType, expected: "type/subtype" };
        self.header(HeaderId::ContentType).map(|value| MediaType::parse(&value).ok_or(bad)).transpose()
    }

    /// Option tags of a field such as Require that are not in `known`, for a 420 and its Unsupported
    /// (RFC 3261 8.2.2.3).
    pub fn unknown_options(&self, id: HeaderId, known: &[&str]) -> Vec<String> {
        let unknown = |tag: &String| !known.iter().any(|known| known.eq_ignore_ascii_case(tag));
        self.values(id).map(|value| decode(&value).into_owned()).filter(unknown).collect()
    }

    fn credentials(&self, id: HeaderId) -> Result<Vec<Credentials>, BadHeader> {
        let bad = BadHeader { header: id, expected: "Digest username=…, realm=…, nonce=…, uri=…, response=…" };
        let digest = |value: &Cow<'_, [u8]>| crate::digest::is_digest(value);
        self.headers(id).filter(digest).map(|value| Credentials::parse(&value).map_err(|_| bad)).collect()
    }
}
