//! The hashes, and the comparison that takes the same time wherever it fails.

use super::{Algorithm, BadDigest};
use base::hex;
use md5::{Digest as _, Md5};

impl Algorithm {
    pub fn as_str(self) -> &'static str {
        match self {
            Algorithm::Md5 => "MD5",
            Algorithm::Sha256 => "SHA-256",
        }
    }

    /// RFC 7616 3.3: MD5 if nothing is said.
    pub(super) fn parse(name: Option<&str>) -> Result<Algorithm, BadDigest> {
        match name {
            None => Ok(Algorithm::Md5),
            Some(name) if name.eq_ignore_ascii_case("MD5") => Ok(Algorithm::Md5),
            Some(name) if name.eq_ignore_ascii_case("SHA-256") => Ok(Algorithm::Sha256),
            Some(_) => Err(BadDigest::Unknown),
        }
    }

    /// The hash of the parts, in lower-case hexadecimal.
    pub(super) fn hash(self, parts: &[&[u8]]) -> String {
        match self {
            Algorithm::Md5 => {
                let mut context = Md5::new();
                parts.iter().for_each(|part| context.update(part));
                hex::encode(&context.finalize())
            }
            Algorithm::Sha256 => {
                let mut context = ring::digest::Context::new(&ring::digest::SHA256);
                parts.iter().for_each(|part| context.update(part));
                hex::encode(context.finish().as_ref())
            }
        }
    }
}

/// `H(username:realm:password)`: what a site may keep instead of a password.
pub fn ha1(algorithm: Algorithm, username: &str, realm: &str, password: &str) -> String {
    algorithm.hash(&[username.as_bytes(), b":", realm.as_bytes(), b":", password.as_bytes()])
}

pub(super) fn equal_in_constant_time(a: &[u8], b: &[u8]) -> bool {
    let difference = a.iter().zip(b).fold(0u8, |sum, (a, b)| std::hint::black_box(sum | (a ^ b)));
    a.len() == b.len() && difference == 0
}
