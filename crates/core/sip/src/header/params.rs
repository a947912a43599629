//! `;name=value` lists, as addresses, URIs, Via and media types carry them.

use crate::message::text::{Split, decode, is_token, trim};
use std::fmt;

/// Parameters in their order. Names compare without case; values are kept as they came, quotes included.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Params(Vec<(String, Option<String>)>);

impl Params {
    /// The list after its first `;`. `None` if a name is no token, occurs twice, or a value is empty, has blanks
    /// outside quotes or an unbalanced quote.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Params> {
        let mut params = Params::default();
        for part in Split::new(bytes, b';') {
            let (name, value) = match part.iter().position(|byte| *byte == b'=') {
                Some(at) => (part.get(..at)?, Some(trim(part.get(at + 1..)?))),
                None => (part, None),
            };
            let name = trim(name);
            if !is_token(name) || value.is_some_and(|value| !is_value(value)) {
                return None;
            }
            let name = decode(name).into_owned();
            if params.0.len() >= Self::MOST || params.has(&name) {
                return None;
            }
            params.0.push((name, value.map(|value| decode(value).into_owned())));
        }
        Some(params)
    }

    /// More parameters than this in one list are refused: the search for doubles is quadratic.
    const MOST: usize = 64;

    /// The value; `None` if the parameter is missing or has none.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).and_then(|(_, value)| value.as_deref())
    }

    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(known, _)| known.eq_ignore_ascii_case(name))
    }

    /// Removes a parameter; the value it had.
    pub fn remove(&mut self, name: &str) -> Option<String> {
        let at = self.0.iter().position(|(known, _)| known.eq_ignore_ascii_case(name))?;
        self.0.remove(at).1
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_deref()))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A quoted string, or what holds no blank, quote, bracket or control character. Wider than `token`: URI parameters
/// have `/`, `:` and `&`, and an IPv6 address may stand with or without its brackets (RFC 5118 4.5).
fn is_value(value: &[u8]) -> bool {
    if let Some(inner) = value.strip_prefix(b"\"") {
        return inner.strip_suffix(b"\"").is_some_and(closes_nowhere);
    }
    let plain = |byte: &u8| *byte >= 0x80 || (byte.is_ascii_graphic() && !matches!(byte, b'"' | b'<' | b'>' | b'\\'));
    !value.is_empty() && value.iter().all(plain)
}

/// The inside of a quoted string has no quote of its own that is not escaped, and does not escape the closing one.
pub(super) fn closes_nowhere(inner: &[u8]) -> bool {
    let mut escaped = false;
    for &byte in inner {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return false,
            _ => {}
        }
    }
    !escaped
}

impl fmt::Display for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, value) in &self.0 {
            match value {
                Some(value) => write!(f, ";{name}={value}")?,
                None => write!(f, ";{name}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_around_separators_and_quoted_values_are_read() {
        let params = Params::parse(b" tag = abc ; Lr;text=\"a;b\\\"c\" ;received=[2001:db8::1]").unwrap();
        assert_eq!(params.get("TAG"), Some("abc"));
        assert!(params.has("lr"));
        assert_eq!(params.get("text"), Some("\"a;b\\\"c\""));
        assert_eq!(params.to_string(), ";tag=abc;Lr;text=\"a;b\\\"c\";received=[2001:db8::1]");
    }

    #[test]
    fn what_is_no_parameter_list_is_refused() {
        for bad in ["", ";", "a;;b", "=x", "a=", "a=\"x", "a=\"x\\\"", "a=b c", "a b=c", "tag=1;TAG=2", "a=<b>"] {
            assert_eq!(Params::parse(bad.as_bytes()), None, "{bad:?}");
        }
    }
}
