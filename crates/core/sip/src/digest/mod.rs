//! Digest authentication: RFC 2617 with MD5, RFC 7616 and RFC 8760 with SHA-256.
//!
//! A server writes a [`Challenge`] per algorithm that the credential allows, the strongest first; the client's
//! [`Credentials`] come back and are verified against a password or its hash. Nonces, their age and the count of
//! their use are the caller's. As a client, [`respond`] answers the strongest challenge of one realm only.

mod fields;

use crate::message::Method;
use crate::message::text::quoted;
use fields::Fields;
use md5::{Digest as _, Md5};
use std::fmt::{self, Write};

pub use fields::is_digest;

/// Hash algorithms, the weaker first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    Md5,
    Sha256,
}

/// Quality of protection (RFC 7616 3.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Qop {
    Auth,
    AuthInt,
}

/// What WWW-Authenticate or Proxy-Authenticate asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    pub realm: String,
    pub nonce: String,
    pub algorithm: Algorithm,
    /// The peer may or must answer with qop=auth. False only in challenges of RFC 2069 kind.
    pub qop_auth: bool,
    pub qop_auth_int: bool,
    /// The old nonce was right but too old: try again, ask nobody for a password.
    pub stale: bool,
    pub opaque: Option<String>,
}

/// What Authorization or Proxy-Authorization carries.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    pub username: String,
    pub realm: String,
    pub nonce: String,
    pub uri: String,
    pub algorithm: Algorithm,
    pub qop: Option<Qop>,
    pub cnonce: Option<String>,
    /// How often this nonce was used, this time included; there whenever `qop` is.
    pub nc: Option<u32>,
    pub opaque: Option<String>,
    response: String,
    /// `nc` as it was sent, which is what was hashed.
    nc_text: String,
}

/// Why a header field is no digest of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadDigest {
    #[error("malformed digest")]
    Malformed,
    /// To be passed over, not refused: another challenge may be answered.
    #[error("unknown digest algorithm or quality of protection")]
    Unknown,
}

/// What a user's credential is checked with.
#[derive(Clone, Copy)]
pub enum Secret<'a> {
    Password(&'a str),
    /// [`ha1`] of this algorithm; digests of another algorithm are refused.
    Ha1(Algorithm, &'a str),
}

/// A client's account at one realm.
#[derive(Clone, Copy)]
pub struct Account<'a> {
    pub realm: &'a str,
    pub username: &'a str,
    pub password: &'a str,
}

/// The request that a digest is for. `uri` is the request URI as it is sent.
#[derive(Clone, Copy, Debug)]
pub struct Signed<'a> {
    pub method: &'a Method,
    pub uri: &'a str,
    pub body: &'a [u8],
}

impl Algorithm {
    pub fn as_str(self) -> &'static str {
        match self {
            Algorithm::Md5 => "MD5",
            Algorithm::Sha256 => "SHA-256",
        }
    }

    /// RFC 7616 3.3: MD5 if nothing is said.
    fn parse(name: Option<&str>) -> Result<Algorithm, BadDigest> {
        match name {
            None => Ok(Algorithm::Md5),
            Some(name) if name.eq_ignore_ascii_case("MD5") => Ok(Algorithm::Md5),
            Some(name) if name.eq_ignore_ascii_case("SHA-256") => Ok(Algorithm::Sha256),
            Some(_) => Err(BadDigest::Unknown),
        }
    }

    /// The hash of the parts, in lower-case hexadecimal.
    fn hash(self, parts: &[&[u8]]) -> String {
        match self {
            Algorithm::Md5 => {
                let mut context = Md5::new();
                parts.iter().for_each(|part| context.update(part));
                hexadecimal(&context.finalize())
            }
            Algorithm::Sha256 => {
                let mut context = ring::digest::Context::new(&ring::digest::SHA256);
                parts.iter().for_each(|part| context.update(part));
                hexadecimal(context.finish().as_ref())
            }
        }
    }
}

/// `H(username:realm:password)`: what a site may keep instead of a password.
pub fn ha1(algorithm: Algorithm, username: &str, realm: &str, password: &str) -> String {
    algorithm.hash(&[username.as_bytes(), b":", realm.as_bytes(), b":", password.as_bytes()])
}

impl Challenge {
    /// A challenge as we write them: qop=auth only.
    pub fn new(realm: &str, nonce: &str, algorithm: Algorithm, stale: bool) -> Challenge {
        let (realm, nonce) = (realm.to_owned(), nonce.to_owned());
        Challenge { realm, nonce, algorithm, qop_auth: true, qop_auth_int: false, stale, opaque: None }
    }

    /// The value of one WWW-Authenticate or Proxy-Authenticate field.
    pub fn parse(value: &[u8]) -> Result<Challenge, BadDigest> {
        let mut fields = Fields::parse(value)?;
        let algorithm = Algorithm::parse(fields.take("algorithm").as_deref())?;
        let qop = fields.take("qop");
        let offers = |name: &str| qop.iter().flat_map(|list| list.split(',')).any(|one| one.trim().eq_ignore_ascii_case(name));
        let (qop_auth, qop_auth_int) = (offers("auth"), offers("auth-int"));
        if qop.is_some() && !qop_auth && !qop_auth_int {
            return Err(BadDigest::Unknown);
        }
        Ok(Challenge {
            realm: fields.need("realm")?,
            nonce: fields.need("nonce")?,
            algorithm,
            qop_auth,
            qop_auth_int,
            stale: fields.take("stale").is_some_and(|stale| stale.eq_ignore_ascii_case("true")),
            opaque: fields.take("opaque"),
        })
    }

    fn qop(&self) -> Option<Qop> {
        match (self.qop_auth, self.qop_auth_int) {
            (true, _) => Some(Qop::Auth),
            (false, true) => Some(Qop::AuthInt),
            (false, false) => None,
        }
    }
}

impl Credentials {
    /// The value of one Authorization or Proxy-Authorization field.
    pub fn parse(value: &[u8]) -> Result<Credentials, BadDigest> {
        let mut fields = Fields::parse(value)?;
        let algorithm = Algorithm::parse(fields.take("algorithm").as_deref())?;
        let qop = match fields.take("qop") {
            None => None,
            Some(qop) if qop.eq_ignore_ascii_case("auth") => Some(Qop::Auth),
            Some(qop) if qop.eq_ignore_ascii_case("auth-int") => Some(Qop::AuthInt),
            Some(_) => return Err(BadDigest::Unknown),
        };
        let nc_text = fields.take("nc").unwrap_or_default();
        let nc = count(&nc_text)?;
        let cnonce = fields.take("cnonce");
        // RFC 7616 3.4: both are mandatory with qop.
        if qop.is_some() && (nc.is_none() || cnonce.is_none()) {
            return Err(BadDigest::Malformed);
        }
        Ok(Credentials {
            username: fields.need("username")?,
            realm: fields.need("realm")?,
            nonce: fields.need("nonce")?,
            uri: fields.need("uri")?,
            response: fields.need("response")?,
            opaque: fields.take("opaque"),
            algorithm,
            qop,
            cnonce,
            nc,
            nc_text,
        })
    }

    /// Whether the sender knew the secret. Takes the same time wherever a wrong response differs. That the nonce,
    /// the realm and the algorithm are ones we gave to this user is the caller's to check.
    pub fn verify(&self, secret: Secret<'_>, method: &Method, body: &[u8]) -> bool {
        let ha1 = match secret {
            Secret::Password(password) => ha1(self.algorithm, &self.username, &self.realm, password),
            Secret::Ha1(algorithm, ha1) if algorithm == self.algorithm => ha1.to_ascii_lowercase(),
            Secret::Ha1(..) => return false,
        };
        let expected = self.expected(&ha1, method, body);
        equal_in_constant_time(expected.as_bytes(), self.response.to_ascii_lowercase().as_bytes())
    }

    /// RFC 7616 3.4.1 and 3.4.3; without qop as in RFC 2069.
    fn expected(&self, ha1: &str, method: &Method, body: &[u8]) -> String {
        let algorithm = self.algorithm;
        let (method, uri) = (method.as_str().as_bytes(), self.uri.as_bytes());
        let ha2 = match self.qop {
            Some(Qop::AuthInt) => algorithm.hash(&[method, b":", uri, b":", algorithm.hash(&[body]).as_bytes()]),
            _ => algorithm.hash(&[method, b":", uri]),
        };
        let (ha1, nonce, ha2) = (ha1.as_bytes(), self.nonce.as_bytes(), ha2.as_bytes());
        match self.qop {
            None => algorithm.hash(&[ha1, b":", nonce, b":", ha2]),
            Some(qop) => {
                let cnonce = self.cnonce.as_deref().unwrap_or_default().as_bytes();
                let nc = self.nc_text.as_bytes();
                algorithm.hash(&[ha1, b":", nonce, b":", nc, b":", cnonce, b":", qop.as_str().as_bytes(), b":", ha2])
            }
        }
    }
}

/// Answers the strongest challenge of the account's realm that we understand. `None` if there is none: credentials
/// never go to another realm (security row 26). `cnonce` is random, `nc` counts the uses of the nonce from 1.
pub fn respond<'c>(
    challenges: impl IntoIterator<Item = &'c [u8]>,
    account: &Account<'_>,
    request: &Signed<'_>,
    cnonce: &str,
    nc: u32,
) -> Option<Credentials> {
    let ours = challenges.into_iter().filter_map(|value| Challenge::parse(value).ok()).filter(|one| one.realm == account.realm);
    // RFC 8760 2.4: the first of the strongest.
    let challenge = ours.reduce(|best, next| if next.algorithm > best.algorithm { next } else { best })?;
    let qop = challenge.qop();
    let mut credentials = Credentials {
        username: account.username.to_owned(),
        uri: request.uri.to_owned(),
        algorithm: challenge.algorithm,
        qop,
        cnonce: qop.map(|_| cnonce.to_owned()),
        nc: qop.map(|_| nc),
        nc_text: format!("{nc:08x}"),
        opaque: challenge.opaque,
        realm: challenge.realm,
        nonce: challenge.nonce,
        response: String::new(),
    };
    let ha1 = ha1(credentials.algorithm, account.username, account.realm, account.password);
    credentials.response = credentials.expected(&ha1, request.method, request.body);
    Some(credentials)
}

fn count(text: &str) -> Result<Option<u32>, BadDigest> {
    if text.is_empty() {
        return Ok(None);
    }
    if text.len() > 8 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(BadDigest::Malformed);
    }
    u32::from_str_radix(text, 16).map(Some).map_err(|_| BadDigest::Malformed)
}

fn equal_in_constant_time(a: &[u8], b: &[u8]) -> bool {
    let difference = a.iter().zip(b).fold(0u8, |sum, (a, b)| std::hint::black_box(sum | (a ^ b)));
    a.len() == b.len() && difference == 0
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        // Writing to a String never fails.
        let _ = write!(out, "{byte:02x}");
        out
    })
}

impl Qop {
    pub fn as_str(self) -> &'static str {
        match self {
            Qop::Auth => "auth",
            Qop::AuthInt => "auth-int",
        }
    }
}

/// The header field's value.
impl fmt::Display for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest realm={}, nonce={}, algorithm={}", quoted(&self.realm), quoted(&self.nonce), self.algorithm.as_str())?;
        match (self.qop_auth, self.qop_auth_int) {
            (true, true) => f.write_str(", qop=\"auth,auth-int\"")?,
            (true, false) => f.write_str(", qop=\"auth\"")?,
            (false, true) => f.write_str(", qop=\"auth-int\"")?,
            (false, false) => {}
        }
        if self.stale {
            f.write_str(", stale=true")?;
        }
        match &self.opaque {
            Some(opaque) => write!(f, ", opaque={}", quoted(opaque)),
            None => Ok(()),
        }
    }
}

/// The header field's value.
impl fmt::Display for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest username={}, realm={}", quoted(&self.username), quoted(&self.realm))?;
        write!(f, ", nonce={}, uri={}", quoted(&self.nonce), quoted(&self.uri))?;
        write!(f, ", response=\"{}\", algorithm={}", self.response, self.algorithm.as_str())?;
        if let (Some(qop), Some(cnonce)) = (self.qop, &self.cnonce) {
            write!(f, ", qop={}, nc={}, cnonce={}", qop.as_str(), self.nc_text, quoted(cnonce))?;
        }
        match &self.opaque {
            Some(opaque) => write!(f, ", opaque={}", quoted(opaque)),
            None => Ok(()),
        }
    }
}

/// Neither who it is nor what was hashed.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credentials(*** {} nc={:?})", self.algorithm.as_str(), self.nc)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REQUEST: Signed<'_> = Signed { method: &Method::Register, uri: "sip:centre.example", body: b"" };
    const ACCOUNT: Account<'_> = Account { realm: "centre", username: "ana", password: "secret" };

    fn answer(challenges: &[String], account: &Account<'_>) -> Option<Credentials> {
        respond(challenges.iter().map(|value| value.as_bytes()), account, &REQUEST, "0a4f113b", 1)
    }

    /// The known answers are those that RFC 7616 3.9.1 prints for its own request.
    #[test]
    fn the_known_answers_of_rfc_7616_come_out() {
        let (user, realm, password) = ("Mufasa", "http-auth@example.org", "Circle of Life");
        for (algorithm, response) in [
            (Algorithm::Md5, "8ca523f5e9506fed4657c9700eebdbec"),
            (Algorithm::Sha256, "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
        ] {
            let value = format!(
                "Digest username=\"{user}\", realm=\"{realm}\", uri=\"/dir/index.html\", algorithm={}, \
                 nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", nc=00000001, \
                 cnonce=\"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ\", qop=auth, response=\"{response}\", \
                 opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"",
                algorithm.as_str()
            );
            let credentials = Credentials::parse(value.as_bytes()).unwrap();
            let get = Method::parse(b"GET").unwrap();
            assert!(credentials.verify(Secret::Password(password), &get, b""), "{algorithm:?}");
            assert!(credentials.verify(Secret::Ha1(algorithm, &ha1(algorithm, user, realm, password)), &get, b""));
            assert!(!credentials.verify(Secret::Password("circle of life"), &get, b""));
            assert!(!credentials.verify(Secret::Password(password), &Method::Invite, b""));
        }
    }

    #[test]
    fn our_answer_to_our_challenge_is_accepted_once_written_and_read() {
        for algorithm in [Algorithm::Md5, Algorithm::Sha256] {
            let challenge = Challenge::new("centre", "no\"nce", algorithm, true);
            assert_eq!(Challenge::parse(challenge.to_string().as_bytes()), Ok(challenge.clone()));
            let credentials = answer(&[challenge.to_string()], &ACCOUNT).unwrap();
            let read = Credentials::parse(credentials.to_string().as_bytes()).unwrap();
            assert_eq!(read, credentials);
            assert!(read.verify(Secret::Password("secret"), &Method::Register, b""));
            assert_eq!((read.nc, read.algorithm), (Some(1), algorithm));
        }
    }

    #[test]
    fn the_strongest_known_algorithm_is_answered_and_no_other_realm() {
        let md5 = Challenge::new("centre", "n1", Algorithm::Md5, false).to_string();
        let sha = Challenge::new("centre", "n2", Algorithm::Sha256, false).to_string();
        let new = sha.replace("SHA-256", "SHA-512-256");
        for list in [[md5.clone(), sha.clone(), new.clone()], [new.clone(), sha, md5.clone()]] {
            assert_eq!(answer(&list, &ACCOUNT).unwrap().algorithm, Algorithm::Sha256);
        }
        assert_eq!(answer(&[new.clone(), md5.clone()], &ACCOUNT).unwrap().algorithm, Algorithm::Md5);
        assert_eq!(answer(&[new], &ACCOUNT), None);
        assert_eq!(answer(&[md5], &Account { realm: "elsewhere", ..ACCOUNT }), None);
    }

    #[test]
    fn without_qop_the_old_form_is_used_and_auth_int_covers_the_body() {
        let old = answer(&["Digest realm=\"centre\", nonce=\"n\"".into()], &ACCOUNT).unwrap();
        assert_eq!((old.qop, old.nc, old.algorithm), (None, None, Algorithm::Md5));
        assert!(old.verify(Secret::Password("secret"), &Method::Register, b"any body"));
        let int = answer(&["Digest realm=\"centre\", nonce=\"n\", qop=\"auth-int\"".into()], &ACCOUNT).unwrap();
        assert!(int.verify(Secret::Password("secret"), &Method::Register, b""));
        assert!(!int.verify(Secret::Password("secret"), &Method::Register, b"changed"));
    }

    #[test]
    fn broken_credentials_are_malformed_and_unknown_algorithms_are_only_unknown() {
        let good = answer(&[Challenge::new("centre", "n", Algorithm::Md5, false).to_string()], &ACCOUNT).unwrap().to_string();
        for (from, to, error) in [
            ("username=\"ana\"", "username=\"ana", BadDigest::Malformed),
            ("username=\"ana\"", "username", BadDigest::Malformed),
            ("username=\"ana\", ", "", BadDigest::Malformed),
            ("nonce=\"n\"", "nonce=\"n\", nonce=\"m\"", BadDigest::Malformed),
            ("nc=00000001", "nc=000000001", BadDigest::Malformed),
            ("nc=00000001", "nc=+0000001", BadDigest::Malformed),
            (", cnonce=\"0a4f113b\"", "", BadDigest::Malformed),
            ("Digest", "Digestive", BadDigest::Malformed),
            ("MD5", "MD5-sess", BadDigest::Unknown),
            ("qop=auth", "qop=token", BadDigest::Unknown),
        ] {
            let bad = good.replacen(from, to, 1);
            assert_ne!(bad, good, "{from}");
            assert_eq!(Credentials::parse(bad.as_bytes()), Err(error), "{to}");
        }
    }
}
