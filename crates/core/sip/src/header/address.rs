//! An address with a display name and parameters: From, To, Contact, Route and their kin.

use super::Params;
use super::params::closes_nowhere;
use crate::message::text::{is_blank, is_mark, quoted, trim, unquoted};
use crate::uri::Uri;
use std::fmt;

/// `"Display" <sip:user@host;uri-param>;header-param`, or the URI alone (RFC 3261 20.10).
#[derive(Clone, PartialEq, Eq)]
pub struct NameAddr {
    /// Unescaped, never empty, control characters replaced by U+FFFD.
    pub display: Option<String>,
    pub uri: Uri,
    /// The `tag` parameter, which is not in `params`.
    pub tag: Option<String>,
    pub params: Params,
}

impl NameAddr {
    pub fn new(uri: Uri) -> NameAddr {
        NameAddr { display: None, uri, tag: None, params: Params::default() }
    }

    /// One address and nothing after it. `None` if it is malformed; a URI without brackets must have no `,` and no
    /// `?` (RFC 3261 20.10), and what follows its `;` belongs to the header field.
    pub fn parse(bytes: &[u8]) -> Option<NameAddr> {
        let bytes = trim(bytes);
        let (display, uri, rest) = match split_display(bytes)? {
            (display, Some(bracketed)) => {
                let close = bracketed.iter().position(|byte| *byte == b'>')?;
                (display, bracketed.get(..close)?, trim(bracketed.get(close + 1..)?))
            }
            (_, None) => {
                let end = bytes.iter().position(|byte| *byte == b';').unwrap_or(bytes.len());
                let (uri, rest) = bytes.split_at(end);
                if uri.contains(&b',') || uri.contains(&b'?') {
                    return None;
                }
                (None, trim(uri), rest)
            }
        };
        let mut params = match rest.split_first() {
            None => Params::default(),
            Some((b';', params)) => Params::parse(params)?,
            Some(_) => return None,
        };
        let tag = match params.has("tag") {
            true => Some(params.remove("tag").filter(|tag| is_mark(tag))?),
            false => None,
        };
        Some(NameAddr { display, uri: Uri::parse(uri).ok()?, tag, params })
    }

    /// The same address with this tag.
    pub fn with_tag(mut self, tag: &str) -> NameAddr {
        self.tag = Some(tag.to_owned());
        self
    }
}

/// The display name and what follows `<`, or nothing and no bracket.
fn split_display(bytes: &[u8]) -> Option<(Option<String>, Option<&[u8]>)> {
    if bytes.first() == Some(&b'"') {
        let close = closing_quote(bytes)?;
        let rest = trim(bytes.get(close + 1..)?).strip_prefix(b"<")?;
        let name = unquoted(bytes.get(..=close)?);
        return Some((Some(name).filter(|name| !name.is_empty()), Some(rest)));
    }
    // A bracket in a quoted parameter of a bare URI opens nothing: Contact: sip:a@b;+sip.instance="<urn:…>"
    let Some(open) = bytes.iter().position(|byte| matches!(byte, b'<' | b'"')).filter(|at| bytes.get(*at) == Some(&b'<')) else {
        return Some((None, None));
    };
    let name = trim(bytes.get(..open)?);
    if !name.iter().all(|byte| is_name_byte(*byte)) {
        return None;
    }
    let name = Some(unquoted(name)).filter(|name| !name.is_empty());
    Some((name, Some(bytes.get(open + 1..)?)))
}

/// A display name without quotes is tokens and blanks (RFC 3261 25.1). Phones also send parentheses, slashes and the
/// like there, which hurt nobody; what separates fields, values or parts of a URI stays refused.
fn is_name_byte(byte: u8) -> bool {
    is_blank(byte)
        || byte >= 0x80
        || (byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\' | b',' | b';' | b':' | b'@' | b'<' | b'>'))
}

/// Where the quoted string that begins at 0 ends.
fn closing_quote(bytes: &[u8]) -> Option<usize> {
    let ends = |at: &usize| bytes.get(1..*at).is_some_and(closes_nowhere);
    let mut escaped = false;
    let at = bytes.iter().enumerate().skip(1).find_map(|(at, &byte)| match byte {
        _ if escaped => {
            escaped = false;
            None
        }
        b'\\' => {
            escaped = true;
            None
        }
        b'"' => Some(at),
        _ => None,
    })?;
    Some(at).filter(ends)
}

impl fmt::Display for NameAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(display) = &self.display {
            write!(f, "{} ", quoted(display))?;
        }
        write!(f, "<{}>{}", self.uri, self.params)?;
        match &self.tag {
            Some(tag) => write!(f, ";tag={tag}"),
            None => Ok(()),
        }
    }
}

/// Personal data: who it is stays out of logs.
impl fmt::Debug for NameAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NameAddr(*** tag={:?})", self.tag)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_of_an_address_is_read() {
        for (text, display, uri, tag) in [
            ("<sip:a@b>", None, "sip:a@b", None),
            ("sip:a@b;tag=x", None, "sip:a@b", Some("x")),
            ("\"Anne \\\"A\\\" Lee\" <sip:a@b;lr>;tag=x", Some("Anne \"A\" Lee"), "sip:a@b;lr", Some("x")),
            ("Anne Lee<sip:a@b> ; tag = x ; q=0.3", Some("Anne Lee"), "sip:a@b", Some("x")),
            ("\"<sip:no@no>;tag=n, \"  <sip:a@b>", Some("<sip:no@no>;tag=n, "), "sip:a@b", None),
            ("\"\" <sip:a@b>", None, "sip:a@b", None),
            ("\"two\r\n lines\x1b[2J\" <sip:a@b>", Some("two\u{fffd}\u{fffd} lines\u{fffd}[2J"), "sip:a@b", None),
            ("Ana (desk 2/b) & Co. <sip:a@b>", Some("Ana (desk 2/b) & Co."), "sip:a@b", None),
            ("sip:a@b;+sip.instance=\"<urn:uuid:0>\";tag=x==", None, "sip:a@b", Some("x==")),
            ("<tel:+34911;phone-context=x>", None, "tel:+34911;phone-context=x", None),
        ] {
            let address = NameAddr::parse(text.as_bytes()).unwrap_or_else(|| panic!("{text:?}"));
            assert_eq!((address.display.as_deref(), address.uri.to_string().as_str()), (display, uri), "{text:?}");
            assert_eq!(address.tag.as_deref(), tag, "{text:?}");
        }
        let latin = NameAddr::parse(b"\"Jos\xe9\" <sip:j@b>").unwrap();
        assert_eq!(latin.display.as_deref(), Some("José"));
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for bad in [
            "",
            "\"x <sip:a@b>",
            "<sip:a@b",
            "< sip:a@b >",
            "sip:a@b?Route=x",
            "Bell, Al <sip:a@b>",
            "<sip:a@b>x",
            "<sip:a@b>;;",
            "<sip:a@b>;tag=",
            "<sip:a@b>;tag",
            "<sip:a@b>;tag=\"q\"",
            "<sip:a@b>;tag=1;tag=2",
            "<sip:a@b>, <sip:c@d>",
            "<>",
            "\u{b}<sip:a@b>",
            "\"x\" sip:a@b",
            "sip:a@b;x=<y>",
        ] {
            assert!(NameAddr::parse(bad.as_bytes()).is_none(), "{bad:?}");
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let address = NameAddr::parse(b"\"a\\\\ \\\"b\" <sip:x@[2001:db8::1]:5070;transport=tcp>;expires=60;tag=t").unwrap();
        assert_eq!(NameAddr::parse(address.to_string().as_bytes()), Some(address));
    }
}
