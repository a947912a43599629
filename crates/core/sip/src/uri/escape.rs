//! Percent escapes.

use crate::message::text::decode;

/// RFC 3261 25.1: what is neither `unreserved` nor `user-unreserved` is escaped. `#` too.
pub(super) fn escape(text: &str) -> String {
    let free = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.!~*'()&=+$,;?/".contains(&byte);
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if free(byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

pub(crate) fn unescape(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let mut digit = || bytes.next().and_then(|byte| char::from(byte).to_digit(16)).and_then(|digit| u8::try_from(digit).ok());
        match (digit(), digit()) {
            (Some(high), Some(low)) => out.push(high << 4 | low),
            _ => out.push(b'%'),
        }
    }
    decode(&out).into_owned()
}
