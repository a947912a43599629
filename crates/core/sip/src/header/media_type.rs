//! Content-Type.

use super::Params;
use crate::message::text::{decode, is_token, trim};

/// `type/subtype;parameters` (RFC 3261 20.15).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaType {
    /// In lower case, without blanks or parameters: `application/sdp`.
    pub essence: String,
    pub params: Params,
}

impl MediaType {
    pub fn parse(bytes: &[u8]) -> Option<MediaType> {
        let end = bytes.iter().position(|byte| *byte == b';');
        let (essence, params) = bytes.split_at(end.unwrap_or(bytes.len()));
        let slash = essence.iter().position(|byte| *byte == b'/')?;
        let (kind, subtype) = (trim(essence.get(..slash)?), trim(essence.get(slash + 1..)?));
        if !is_token(kind) || !is_token(subtype) {
            return None;
        }
        let essence = format!("{}/{}", decode(kind), decode(subtype)).to_ascii_lowercase();
        let params = if end.is_some() { Params::parse(params.get(1..)?)? } else { Params::default() };
        Some(MediaType { essence, params })
    }

    pub fn is(&self, essence: &str) -> bool {
        self.essence == essence
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_blanks_and_parameters_do_not_hide_the_type() {
        let media = MediaType::parse(b"Multipart / MIXED ; boundary=\"a b\"").unwrap();
        assert!(media.is("multipart/mixed"));
        assert_eq!(media.params.get("boundary"), Some("\"a b\""));
        for bad in ["", "application", "/sdp", "a/", "a/b;", "a/b;boundary=\"x"] {
            assert_eq!(MediaType::parse(bad.as_bytes()), None, "{bad:?}");
        }
    }
}
