//! Keys. Each recording has one of its own, wrapped by a master key, in a file beside the audio.
//!
//! ```text
//!   key file
//!    0  8  "CTLKEY" , a zero and the form, 1
//!    8  1  n, length of the master key's id, 1 to 64
//!    9  n  the id, in letters, digits, - _ .
//!  9+n 12  nonce, random
//! 21+n 48  the file key, wrapped: 32 bytes and a tag of 16
//!
//!   wrapped = AES-256-GCM under the master key, associated data: what precedes the nonce, and the recording's id
//! ```
//! So a key file of another recording opens nothing. Random nonces of 96 bits carry 2^32 recordings under one master
//! key (NIST SP 800-38D, 8.3). Several master keys may be known: the first one wraps, all of them open.

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use std::fmt;
use std::sync::Arc;

const MAGIC: &[u8; 8] = b"CTLKEY\x00\x01";
const NONCE: usize = 12;
const WRAPPED: usize = 48;
const LONGEST_ID: usize = 64;

/// Why there is no key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadKey {
    #[error("expected 32 bytes, in hexadecimal (64 digits) or in base64 (44 characters)")]
    Text,
    #[error("expected an id of 1 to 64 letters, digits, - _ .")]
    Id,
    #[error("two master keys have the id `{0}`")]
    Twice(Arc<str>),
    #[error("expected at least one master key")]
    NoMaster,
    #[error("expected a key file of a recording")]
    File,
    #[error("wrapped by the master key `{0}`, which is not among those configured")]
    Unknown(Arc<str>),
    #[error("does not open with the master key `{0}`: another key has this id, or the file was changed")]
    Wrong(Arc<str>),
}

/// The key of one recording.
#[derive(Clone, PartialEq, Eq)]
pub struct FileKey([u8; 32]);

impl FileKey {
    /// From 32 random bytes.
    pub fn new(random: [u8; 32]) -> Self {
        FileKey(random)
    }

    pub(crate) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for FileKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FileKey(…)")
    }
}

/// A key that wraps others. Its bytes do not print.
#[derive(Clone, PartialEq, Eq)]
pub struct MasterKey {
    id: Arc<str>,
    key: [u8; 32],
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MasterKey({}, …)", self.id)
    }
}

impl MasterKey {
    /// `text` is what the file or variable holds; blanks around it do not count.
    pub fn parse(id: &str, text: &str) -> Result<MasterKey, BadKey> {
        let named = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
        if id.is_empty() || id.len() > LONGEST_ID || !id.bytes().all(named) {
            return Err(BadKey::Id);
        }
        let text = text.trim();
        let base64 = || BASE64_STANDARD.decode(text).or_else(|_| BASE64_URL_SAFE.decode(text)).ok();
        let bytes = if text.len() == 64 { base::hex::decode(text) } else { base64() };
        let key = bytes.and_then(|bytes| bytes.try_into().ok()).ok_or(BadKey::Text)?;
        Ok(MasterKey { id: id.into(), key })
    }

    fn aead(&self) -> LessSafeKey {
        LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &self.key).expect("a key of 32 bytes, as AES-256 has"))
    }
}

/// The master keys that are known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keyring(Vec<MasterKey>);

impl Keyring {
    /// The first one wraps.
    pub fn new(keys: Vec<MasterKey>) -> Result<Keyring, BadKey> {
        if keys.is_empty() {
            return Err(BadKey::NoMaster);
        }
        let twice = keys.iter().enumerate().find(|(n, key)| keys[..*n].iter().any(|before| before.id == key.id));
        match twice {
            Some((_, key)) => Err(BadKey::Twice(key.id.clone())),
            None => Ok(Keyring(keys)),
        }
    }

    /// The id of the key that wraps.
    pub fn first(&self) -> &Arc<str> {
        &self.0[0].id
    }

    /// `recording` is whose key it is; `random` is never used twice.
    pub fn wrap(&self, recording: &str, key: &FileKey, random: [u8; NONCE]) -> WrappedKey {
        let master = &self.0[0];
        let mut wrapped = [0; WRAPPED];
        wrapped[..32].copy_from_slice(key.bytes());
        let aad = Aad::from(about(&master.id, recording));
        let nonce = Nonce::assume_unique_for_key(random);
        let tag = master.aead().seal_in_place_separate_tag(nonce, aad, &mut wrapped[..32]);
        wrapped[32..].copy_from_slice(tag.expect("32 bytes are no longer than AES-GCM allows").as_ref());
        WrappedKey { master: master.id.clone(), nonce: random, wrapped }
    }

    pub fn unwrap(&self, recording: &str, key: &WrappedKey) -> Result<FileKey, BadKey> {
        let id = &key.master;
        let master = self.0.iter().find(|m| m.id == *id).ok_or_else(|| BadKey::Unknown(id.clone()))?;
        let mut bytes = key.wrapped;
        let aad = Aad::from(about(id, recording));
        let nonce = Nonce::assume_unique_for_key(key.nonce);
        let opened = master.aead().open_in_place(nonce, aad, &mut bytes).map_err(|_| BadKey::Wrong(id.clone()))?;
        opened.try_into().map(FileKey).map_err(|_| BadKey::Wrong(id.clone()))
    }

    /// The same key, wrapped by the first master key; none if it is already.
    pub fn rewrap(&self, recording: &str, key: &WrappedKey, random: [u8; NONCE]) -> Result<Option<WrappedKey>, BadKey> {
        let plain = self.unwrap(recording, key)?;
        Ok((key.master != *self.first()).then(|| self.wrap(recording, &plain, random)))
    }
}

/// A recording's key as it lies on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrappedKey {
    master: Arc<str>,
    nonce: [u8; NONCE],
    wrapped: [u8; WRAPPED],
}

impl WrappedKey {
    /// The id of the master key that wraps it.
    pub fn master(&self) -> &Arc<str> {
        &self.master
    }

    pub fn to_bytes(&self) -> Vec<u8> {
        [&head(&self.master)[..], &self.nonce, &self.wrapped].concat()
    }

    /// Reads a whole key file.
    pub fn read(bytes: &[u8]) -> Result<WrappedKey, BadKey> {
        let read = || {
            let (length, rest) = bytes.strip_prefix(MAGIC)?.split_first()?;
            let (id, rest) = rest.split_at_checked((*length).into())?;
            let (nonce, wrapped) = rest.split_first_chunk::<NONCE>()?;
            let id = std::str::from_utf8(id).ok().filter(|id| !id.is_empty() && id.len() <= LONGEST_ID)?;
            Some(WrappedKey { master: id.into(), nonce: *nonce, wrapped: wrapped.try_into().ok()? })
        };
        read().ok_or(BadKey::File)
    }
}

/// A key file up to its nonce.
fn head(id: &str) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    bytes.push(id.len().min(LONGEST_ID) as u8);
    bytes.extend_from_slice(id.as_bytes());
    bytes
}

fn about(id: &str, recording: &str) -> Vec<u8> {
    let mut bytes = head(id);
    bytes.extend_from_slice(recording.as_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
    const OTHER: &str = "ff0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

    fn ring(keys: &[(&str, &str)]) -> Keyring {
        Keyring::new(keys.iter().map(|(id, text)| MasterKey::parse(id, text).unwrap()).collect()).unwrap()
    }

    #[test]
    fn a_master_key_is_32_bytes_in_hexadecimal_or_base64() {
        let base64 = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
        assert_eq!(MasterKey::parse("a", &format!("{HEX}\n")), MasterKey::parse("a", base64));
        assert_eq!(format!("{:?}", MasterKey::parse("a", HEX).unwrap()), "MasterKey(a, …)");
        for bad in ["", "00", &HEX[1..], &format!("{HEX}00"), &"x".repeat(64), "AAEC", &HEX.replace('a', "é")] {
            assert_eq!(MasterKey::parse("a", bad), Err(BadKey::Text), "{bad}");
        }
        for bad in ["", "a b", "a/b", &"x".repeat(65), "ñ"] {
            assert_eq!(MasterKey::parse(bad, HEX), Err(BadKey::Id), "{bad}");
        }
        let one = MasterKey::parse("a", HEX).unwrap();
        assert_eq!(Keyring::new(vec![one.clone(), one]), Err(BadKey::Twice("a".into())));
        assert_eq!(Keyring::new(vec![]), Err(BadKey::NoMaster));
    }

    #[test]
    fn a_file_key_opens_with_its_master_key_and_for_its_recording_only() {
        let key = FileKey::new([3; 32]);
        let wrapped = ring(&[("2026", HEX)]).wrap("1-3-42.c1.p1", &key, [5; 12]);
        let read = WrappedKey::read(&wrapped.to_bytes()).unwrap();
        assert_eq!(read, wrapped);
        assert_eq!(ring(&[("2027", OTHER), ("2026", HEX)]).unwrap("1-3-42.c1.p1", &read), Ok(key));
        let table = [
            (ring(&[("2026", HEX)]), "1-3-42.c1.p2", BadKey::Wrong("2026".into())),
            (ring(&[("2026", OTHER)]), "1-3-42.c1.p1", BadKey::Wrong("2026".into())),
            (ring(&[("2027", HEX)]), "1-3-42.c1.p1", BadKey::Unknown("2026".into())),
        ];
        for (ring, recording, why) in table {
            assert_eq!(ring.unwrap(recording, &read), Err(why));
        }
    }

    #[test]
    fn rotation_wraps_what_another_key_has_wrapped_and_nothing_twice() {
        let key = FileKey::new([3; 32]);
        let old = ring(&[("2026", HEX)]).wrap("r", &key, [5; 12]);
        let both = ring(&[("2027", OTHER), ("2026", HEX)]);
        let new = both.rewrap("r", &old, [6; 12]).unwrap().unwrap();
        assert_eq!(ring(&[("2027", OTHER)]).unwrap("r", &new), Ok(key));
        assert_eq!(both.rewrap("r", &new, [7; 12]), Ok(None));
    }

    #[test]
    fn a_key_file_that_was_changed_or_cut_is_none() {
        let ring = ring(&[("2026", HEX)]);
        let bytes = ring.wrap("r", &FileKey::new([3; 32]), [5; 12]).to_bytes();
        assert_eq!(bytes.len(), 8 + 1 + 4 + 12 + 48);
        for n in 0..bytes.len() {
            assert_eq!(WrappedKey::read(&bytes[..n]), Err(BadKey::File));
            let mut changed = bytes.clone();
            changed[n] ^= 1;
            assert!(WrappedKey::read(&changed).and_then(|key| ring.unwrap("r", &key)).is_err(), "byte {n}");
        }
        assert_eq!(WrappedKey::read(&[&bytes[..], b"x"].concat()), Err(BadKey::File));
    }
}
