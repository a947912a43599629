//! The lexical ground of SIP: tokens, whitespace, folding, comma lists. Bytes, not `str`.

use std::borrow::Cow;

/// SP and HTAB are whitespace in SIP and nothing else is (security row 16): VT, FF and NBSP are not.
pub(crate) fn is_blank(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

/// RFC 3261 25.1, `token`.
pub(crate) fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'!' | b'%' | b'*' | b'_' | b'+' | b'`' | b'\'' | b'~')
}

pub(crate) fn is_token(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().copied().all(is_token_byte)
}

/// A tag or a branch: a token by the grammar. In the field some hold `=`, `:` or `/`, as Base64 does; they are only
/// compared and repeated, so whatever can't be taken for a delimiter will do.
pub(crate) fn is_mark(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\' | b',' | b';' | b'<' | b'>'))
}

/// Without blanks at both ends. Line ends count as blank too: inside a value they are folds.
pub(crate) fn trim(mut bytes: &[u8]) -> &[u8] {
    let blank = |byte: &u8| is_blank(*byte) || *byte == b'\r' || *byte == b'\n';
    while let Some((_, rest)) = bytes.split_first().filter(|(first, _)| blank(first)) {
        bytes = rest;
    }
    while let Some((_, rest)) = bytes.split_last().filter(|(last, _)| blank(last)) {
        bytes = rest;
    }
    bytes
}

/// RFC 3261 7.3.1: a fold (line end and blanks) reads as one space.
pub(crate) fn unfold(bytes: &[u8]) -> Cow<'_, [u8]> {
    if !bytes.contains(&b'\n') {
        return Cow::Borrowed(bytes);
    }
    let mut out = Vec::with_capacity(bytes.len());
    let mut folding = false;
    for &byte in bytes {
        if byte == b'\r' || byte == b'\n' {
            while out.last().copied().is_some_and(is_blank) {
                out.pop();
            }
            out.push(b' ');
            folding = true;
        } else if !(folding && is_blank(byte)) {
            folding = false;
            out.push(byte);
        }
    }
    Cow::Owned(out)
}

/// UTF-8 if it is, else each byte as its Latin-1 character, so that no byte makes a message unreadable.
pub(crate) fn decode(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(bytes.iter().map(|&byte| char::from(byte)).collect()),
    }
}

/// A string of digits as a number, saturating at `u32::MAX`. `None` if anything else is in it.
pub(crate) fn number(bytes: &[u8]) -> Option<u32> {
    if bytes.is_empty() || !bytes.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(bytes.iter().fold(0u32, |sum, digit| sum.saturating_mul(10).saturating_add(u32::from(digit - b'0'))))
}

/// Cuts at `separator`, but not inside quotes or angle brackets. An unbalanced quote swallows the rest: the
/// part then fails to parse as what it should be.
pub(crate) struct Split<'a> {
    rest: Option<&'a [u8]>,
    separator: u8,
}

impl<'a> Split<'a> {
    pub(crate) fn new(bytes: &'a [u8], separator: u8) -> Self {
        Split { rest: Some(bytes), separator }
    }
}

impl<'a> Iterator for Split<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let rest = self.rest?;
        let (mut quoted, mut escaped, mut angle) = (false, false, false);
        for (at, &byte) in rest.iter().enumerate() {
            if quoted {
                match byte {
                    _ if escaped => escaped = false,
                    b'\\' => escaped = true,
                    b'"' => quoted = false,
                    _ => {}
                }
            } else if byte == self.separator && !angle {
                let (part, tail) = rest.split_at(at);
                self.rest = tail.get(1..);
                return Some(part);
            } else {
                match byte {
                    b'"' if !angle => quoted = true,
                    b'<' => angle = true,
                    b'>' => angle = false,
                    _ => {}
                }
            }
        }
        self.rest = None;
        Some(rest)
    }
}

/// A display name as a quoted string (RFC 3261 25.1): control characters dropped, quote and backslash escaped.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for character in text.chars().filter(|character| !character.is_control()) {
        if matches!(character, '"' | '\\') {
            out.push('\\');
        }
        out.push(character);
    }
    out.push('"');
    out
}

/// The content of a quoted string: quotes off, quoted pairs resolved, control characters shown as U+FFFD so that
/// no name can carry ESC or a line end into a log or a page (security row 30).
pub(crate) fn unquoted(bytes: &[u8]) -> String {
    let inner = bytes.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")).unwrap_or(bytes);
    let mut plain = Vec::with_capacity(inner.len());
    let mut escaped = false;
    for &byte in inner {
        if byte == b'\\' && !escaped {
            escaped = true;
            continue;
        }
        escaped = false;
        plain.push(byte);
    }
    decode(&plain).chars().map(|character| if character.is_control() { '\u{fffd}' } else { character }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_inside_quotes_and_brackets_do_not_cut() {
        let parts: Vec<_> = Split::new(br#""a,\",b" <sip:x,y@h>;q=1, <sip:z>"#, b',').map(trim).collect();
        assert_eq!(parts, [&br#""a,\",b" <sip:x,y@h>;q=1"#[..], b"<sip:z>"]);
        assert_eq!(Split::new(b"a,,b,", b',').count(), 4);
    }

    #[test]
    fn a_fold_is_one_space() {
        assert_eq!(unfold(b"a \r\n\t b\r\n c").as_ref(), b"a b c");
        assert!(matches!(unfold(b"plain"), Cow::Borrowed(_)));
    }

    #[test]
    fn only_space_and_tab_are_trimmed() {
        assert_eq!(trim(b" \t\x0bx\xa0 "), b"\x0bx\xa0");
    }

    #[test]
    fn numbers_saturate_and_refuse_signs() {
        assert_eq!(number(b"0068"), Some(68));
        assert_eq!(number(b"36893488147419103232"), Some(u32::MAX));
        assert_eq!(number(b"-1"), None);
        assert_eq!(number(b""), None);
    }
}
