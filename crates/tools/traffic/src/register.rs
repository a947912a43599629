//! A phone's registration (RFC 3261 10.2) with digest.
//!
//! ```text
//! asking ─401─▶ proving ─200─▶ registered ─half of its time─▶ asking
//!    └────── no answer: again, 0.5 s, 1 s, 2 s, 4 s ──┘  └─ any other status: refused
//! ```

use base::{Pii, Random};
use bytes::Bytes;
use sip::digest::{Account, Challenge, Credentials, Signed};
use sip::{Builder, DialCredential, HeaderId, Message, Method};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

const EXPIRES: u32 = 300;
const T1: Duration = Duration::from_millis(500);
const T2: Duration = Duration::from_secs(4);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Asking,
    Proving,
    Registered,
    Refused(u16),
}

pub struct Registration {
    user: String,
    password: String,
    /// As the registrar names it.
    realm: String,
    server: SocketAddr,
    local: SocketAddr,
    call_id: String,
    random: Random,
    sequence: u32,
    expires: u32,
    state: State,
    request: Bytes,
    again: Duration,
    due: Instant,
}

impl Registration {
    pub fn new(user: &str, password: &str, server: SocketAddr, local: SocketAddr, mut random: Random, now: Instant) -> Self {
        let call_id = format!("{}-register", random.token());
        Registration {
            user: user.into(),
            password: password.into(),
            realm: String::new(),
            server,
            local,
            call_id,
            random,
            sequence: 0,
            expires: EXPIRES,
            state: State::Asking,
            request: Bytes::new(),
            again: T1,
            due: now,
        }
    }

    /// When [`Registration::on_due`] is wanted.
    pub fn due(&self) -> Instant {
        self.due
    }

    pub fn is_registered(&self) -> bool {
        self.state == State::Registered && self.expires > 0
    }

    /// The status that ended it, if the registrar refused.
    pub fn refusal(&self) -> Option<u16> {
        if let State::Refused(status) = self.state { Some(status) } else { None }
    }

    /// What proves who calls from this phone, once the registrar has asked for it.
    pub fn credential(&self) -> Option<DialCredential> {
        let username = self.user.as_str().into();
        let password = Pii::new(self.password.as_str().into());
        (!self.realm.is_empty()).then(|| DialCredential { realm: self.realm.as_str().into(), username, password })
    }

    /// Asks, asks again, or renews.
    pub fn on_due(&mut self, now: Instant) -> Option<Bytes> {
        if now < self.due {
            return None;
        }
        match self.state {
            State::Asking | State::Proving if !self.request.is_empty() => {
                self.again = (self.again * 2).min(T2);
                self.due = now + self.again;
                Some(self.request.clone())
            }
            State::Asking | State::Proving | State::Registered => Some(self.ask(now, None)),
            State::Refused(_) => {
                self.due = now + super::people::NEVER;
                None
            }
        }
    }

    /// Removes the binding: what is sent now; a challenge to it is answered too.
    pub fn leave(&mut self, now: Instant) -> Bytes {
        self.expires = 0;
        self.ask(now, None)
    }

    /// A response to a REGISTER with our Call-ID.
    pub fn on_response(&mut self, now: Instant, response: &Message) -> Option<Bytes> {
        let ours = response.cseq().is_ok_and(|(sequence, method)| sequence == self.sequence && method == Method::Register);
        let status = response.status().filter(|s| ours && *s >= 200)?;
        match (status, self.state) {
            (401, State::Asking) => {
                let proof = self.prove(response)?;
                self.state = State::Proving;
                Some(self.ask(now, Some(proof)))
            }
            (200..300, State::Asking | State::Proving) => {
                self.state = State::Registered;
                self.request = Bytes::new();
                self.due = now + Duration::from_secs(u64::from(self.expires.max(120) / 2));
                None
            }
            (_, State::Asking | State::Proving) => {
                self.state = State::Refused(status);
                None
            }
            _ => None,
        }
    }

    fn prove(&mut self, response: &Message) -> Option<Credentials> {
        let challenges: Vec<_> = response.headers(HeaderId::WwwAuthenticate).collect();
        // A phone trusts its registrar with whatever realm it names.
        self.realm = challenges.iter().find_map(|c| Challenge::parse(c).ok())?.realm;
        let account = Account { realm: &self.realm, username: &self.user, password: &self.password };
        let uri = self.registrar();
        let request = Signed { method: &Method::Register, uri: &uri, body: &[] };
        sip::digest::respond(challenges.iter().map(|c| &**c), &account, &request, &self.random.token(), 1)
    }

    fn ask(&mut self, now: Instant, proof: Option<Credentials>) -> Bytes {
        if proof.is_none() {
            self.state = State::Asking;
        }
        self.sequence += 1;
        let (user, local, server) = (&self.user, self.local, self.server.ip());
        let branch = format!("z9hG4bK{}", self.random.token());
        let tag = self.random.token();
        self.request = Builder::request(Method::Register, self.registrar())
            .write(HeaderId::Via, format_args!("SIP/2.0/UDP {local};branch={branch};rport"))
            .write(HeaderId::MaxForwards, 70)
            .write(HeaderId::From, format_args!("<sip:{user}@{server}>;tag={tag}"))
            .write(HeaderId::To, format_args!("<sip:{user}@{server}>"))
            .header(HeaderId::CallId, &self.call_id)
            .write(HeaderId::CSeq, format_args!("{} REGISTER", self.sequence))
            .write(HeaderId::Contact, format_args!("<sip:{user}@{local}>"))
            .write(HeaderId::Expires, self.expires)
            .header(HeaderId::UserAgent, "traffic")
            .maybe(HeaderId::Authorization, proof)
            .finish();
        self.again = T1;
        self.due = now + T1;
        self.request.clone()
    }

    fn registrar(&self) -> String {
        format!("sip:{}", self.server)
    }

    pub fn call_id(&self) -> &str {
        &self.call_id
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sip::digest::{Algorithm, Secret};

    fn phone(now: Instant) -> Registration {
        let (server, local) = ("127.0.0.1:5060".parse().unwrap(), "127.0.0.1:6000".parse().unwrap());
        Registration::new("ana", "secret", server, local, Random::from_seed(1), now)
    }

    fn answer(request: &Bytes, status: u16, challenges: &[Algorithm]) -> Message {
        let request = Message::parse(request.clone()).unwrap();
        request.check_request().unwrap();
        let mut builder = sip::response_to(&request, status, "x", Some("t"), "127.0.0.1:6000".parse().unwrap());
        for algorithm in challenges {
            builder = builder.write(HeaderId::WwwAuthenticate, Challenge::new("centre", "nonce", *algorithm, false));
        }
        Message::parse(builder.finish()).unwrap()
    }

    #[test]
    fn it_proves_its_password_by_the_strongest_algorithm_and_renews_in_time() {
        let now = Instant::now();
        let mut phone = phone(now);
        let asked = phone.on_due(now).unwrap();
        let proved = phone.on_response(now, &answer(&asked, 401, &[Algorithm::Md5, Algorithm::Sha256])).unwrap();
        let credentials = Message::parse(proved.clone()).unwrap().authorization().unwrap().remove(0);
        assert_eq!(credentials.algorithm, Algorithm::Sha256);
        assert!(credentials.verify(Secret::Password("secret"), &Method::Register, b""));
        assert_eq!(phone.on_response(now, &answer(&proved, 200, &[])), None);
        assert!(phone.is_registered());
        assert_eq!(phone.due(), now + Duration::from_secs(150));
        assert!(phone.on_due(phone.due()).is_some());
    }

    #[test]
    fn an_unanswered_request_is_sent_again_as_it_was() {
        let now = Instant::now();
        let mut phone = phone(now);
        let asked = phone.on_due(now).unwrap();
        assert_eq!(phone.on_due(now), None);
        assert_eq!(phone.on_due(phone.due()), Some(asked));
        assert_eq!(phone.due(), now + Duration::from_millis(1_500));
    }

    #[test]
    fn a_second_challenge_is_a_refusal() {
        let now = Instant::now();
        let mut phone = phone(now);
        let asked = phone.on_due(now).unwrap();
        let proved = phone.on_response(now, &answer(&asked, 401, &[Algorithm::Md5])).unwrap();
        assert_eq!(phone.on_response(now, &answer(&proved, 401, &[Algorithm::Md5])), None);
        assert_eq!(phone.refusal(), Some(401));
        assert_eq!(phone.on_due(phone.due() + T2), None);
    }
}
