//! Digest authentication: RFC 2617 with MD5, RFC 7616 and RFC 8760 with SHA-256.
//!
//! A server writes a [`Challenge`] per algorithm that the credential allows, the strongest first; the client's
//! [`Credentials`] come back and are verified against a password or its hash. Nonces, their age and the count of
//! their use are the caller's. As a client, [`respond`] answers the strongest challenge of one realm only.

mod fields;
mod hash;
#[cfg(test)]
mod tests;
mod write;

use crate::message::Method;
use fields::Fields;
use hash::equal_in_constant_time;
use std::fmt;

pub(crate) use fields::is_digest;
pub use hash::ha1;

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

/// Neither who it is nor what was hashed.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credentials(*** {} nc={:?})", self.algorithm.as_str(), self.nc)
    }
}
