//! `Digest name=value, name="value"`: the form of challenges and credentials.

use super::BadDigest;
use crate::message::text::{Split, decode, is_blank, is_token, trim, unquoted};

/// The fields of one header field, names compared without case, values unquoted.
pub(super) struct Fields(Vec<(String, String)>);

/// Whether the value's scheme is Digest.
pub(crate) fn is_digest(value: &[u8]) -> bool {
    let scheme = value.split(|byte| is_blank(*byte)).next().unwrap_or_default();
    scheme.eq_ignore_ascii_case(b"Digest")
}

impl Fields {
    /// Far more than the twelve that RFC 7616 knows.
    const MOST: usize = 32;

    pub(super) fn parse(value: &[u8]) -> Result<Fields, BadDigest> {
        let value = trim(value);
        if !is_digest(value) {
            return Err(BadDigest::Malformed);
        }
        let mut fields = Fields(Vec::with_capacity(12));
        for part in Split::new(value.get("Digest".len()..).unwrap_or_default(), b',') {
            let (name, value) = field(part).ok_or(BadDigest::Malformed)?;
            if fields.0.len() >= Self::MOST || fields.0.iter().any(|(known, _)| *known == name) {
                return Err(BadDigest::Malformed);
            }
            fields.0.push((name, value));
        }
        Ok(fields)
    }

    /// The value, which is not there any more afterwards.
    pub(super) fn take(&mut self, name: &str) -> Option<String> {
        let at = self.0.iter().position(|(known, _)| known == name)?;
        Some(self.0.swap_remove(at).1)
    }

    pub(super) fn need(&mut self, name: &str) -> Result<String, BadDigest> {
        self.take(name).ok_or(BadDigest::Malformed)
    }
}

fn field(part: &[u8]) -> Option<(String, String)> {
    let equals = part.iter().position(|byte| *byte == b'=')?;
    let (name, value) = (trim(part.get(..equals)?), trim(part.get(equals + 1..)?));
    if !is_token(name) {
        return None;
    }
    let value = match value.strip_prefix(b"\"") {
        Some(rest) => {
            rest.strip_suffix(b"\"")?;
            unquoted(value)
        }
        None if value.is_empty() || value.iter().any(|byte| is_blank(*byte) || *byte == b'"') => return None,
        None => decode(value).into_owned(),
    };
    Some((decode(name).to_ascii_lowercase(), value))
}
