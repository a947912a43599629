//! Challenges and credentials as header field values.

use super::{Challenge, Credentials, Qop};
use crate::message::text::quoted;
use std::fmt;

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
