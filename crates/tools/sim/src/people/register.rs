//! A phone's registration (RFC 3261 10.2), repeated until it is answered.

use crate::dice::Dice;
use bytes::Bytes;
use sip::digest::{Account, Challenge, Credentials, Signed};
use sip::{Builder, HeaderId, Message, Method};
use std::net::SocketAddr;

pub const EXPIRES: u32 = 120;

pub struct Registration {
    user: String,
    call_id: String,
    sequence: u32,
    expires: u32,
    /// What was sent and not answered yet.
    open: Option<Bytes>,
    proven: bool,
}

impl Registration {
    pub fn new(user: &str, dice: &mut Dice) -> Self {
        let (user, call_id) = (user.to_string(), dice.token());
        Registration { user, call_id, sequence: 0, expires: EXPIRES, open: None, proven: false }
    }

    /// Registers anew, or (with 0) removes the binding.
    pub fn ask(&mut self, expires: u32, local: SocketAddr, dice: &mut Dice) -> Bytes {
        self.expires = expires;
        self.proven = false;
        self.request(local, None, dice)
    }

    /// The request, if it is to be sent again.
    pub fn unanswered(&self) -> Option<Bytes> {
        self.open.clone()
    }

    /// A response, if it is to our last request; what to send next.
    pub fn on_response(&mut self, response: &Message, local: SocketAddr, dice: &mut Dice) -> Option<Bytes> {
        let ours = response.cseq().is_ok_and(|(n, method)| n == self.sequence && method == Method::Register);
        let status = response.status().filter(|status| ours && *status >= 200)?;
        self.open = None;
        if status != 401 || self.proven {
            return None;
        }
        let challenges: Vec<_> = response.headers(HeaderId::WwwAuthenticate).collect();
        let realm = challenges.iter().find_map(|c| Challenge::parse(c).ok())?.realm;
        let password = format!("secret-{}", self.user);
        let account = Account { realm: &realm, username: &self.user, password: &password };
        let request = Signed { method: &Method::Register, uri: "sip:10.0.0.1", body: &[] };
        let proof = sip::digest::respond(challenges.iter().map(|c| &**c), &account, &request, &dice.token(), 1)?;
        self.proven = true;
        Some(self.request(local, Some(proof), dice))
    }

    fn request(&mut self, local: SocketAddr, proof: Option<Credentials>, dice: &mut Dice) -> Bytes {
        self.sequence += 1;
        let (user, branch, tag) = (&self.user, dice.token(), dice.token());
        let bytes = Builder::request(Method::Register, "sip:10.0.0.1")
            .write(HeaderId::Via, format_args!("SIP/2.0/UDP {local};branch=z9hG4bK{branch};rport"))
            .write(HeaderId::MaxForwards, 70)
            .write(HeaderId::From, format_args!("<sip:{user}@10.0.0.1>;tag={tag}"))
            .write(HeaderId::To, format_args!("<sip:{user}@10.0.0.1>"))
            .header(HeaderId::CallId, &self.call_id)
            .write(HeaderId::CSeq, format_args!("{} REGISTER", self.sequence))
            .write(HeaderId::Contact, format_args!("<sip:{user}@{local}>"))
            .write(HeaderId::Expires, self.expires)
            .maybe(HeaderId::Authorization, proof)
            .finish();
        self.open = Some(bytes.clone());
        bytes
    }
}
