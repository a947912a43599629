//! Refer-To: whom a transfer is for, and the header fields that the new request shall have (RFC 3515 2.1).

use super::{HeaderId, NameAddr, ReplacesField};
use crate::Scheme;
use crate::uri::unescape;

/// A Refer-To that we can do something with: an INVITE to a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReferTo {
    /// The user part of the URI, unescaped; of `tel:` the number.
    pub user: String,
    /// `?Replaces=…` of the URI.
    pub replaces: Option<ReplacesField>,
}

/// Why a Refer-To is refused, as the status that says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadReferTo {
    /// Malformed, or with a control character (security row 37): 400.
    Malformed,
    /// A scheme that is not ours: 416.
    Scheme,
    /// It asks for another request than INVITE, to whom ever: 403.
    Method,
}

impl ReferTo {
    /// One value.
    ///
    /// # Errors
    /// See [`BadReferTo`].
    pub fn parse(bytes: &[u8]) -> Result<ReferTo, BadReferTo> {
        let uri = NameAddr::parse(bytes).ok_or(BadReferTo::Malformed)?.uri;
        if !uri.is_sip() && uri.scheme != Scheme::Tel {
            return Err(BadReferTo::Scheme);
        }
        let method = uri.params.get("method");
        if method.is_some_and(|method| method != "INVITE") {
            return Err(BadReferTo::Method);
        }
        let user = uri.user().unwrap_or_default();
        if user.chars().any(char::is_control) {
            return Err(BadReferTo::Malformed);
        }
        let replaces = match uri.headers.as_deref().and_then(replaces_of) {
            Some(value) => Some(ReplacesField::parse(unescape(value).as_bytes()).ok_or(BadReferTo::Malformed)?),
            None => None,
        };
        Ok(ReferTo { user, replaces })
    }
}

/// RFC 3261 19.1.1: `name=value&name=value`, each escaped.
fn replaces_of(headers: &str) -> Option<&str> {
    let pairs = headers.split('&').filter_map(|pair| pair.split_once('='));
    pairs.into_iter().find(|(name, _)| HeaderId::parse(unescape(name).as_bytes()) == HeaderId::Replaces).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_user_and_the_dialog_to_replace_are_read() {
        let plain = ReferTo::parse(b"\"Luis\" <sip:%2B34911@pbx.example;user=phone>").unwrap();
        assert_eq!((plain.user.as_str(), plain.replaces), ("+34911", None));
        assert_eq!(ReferTo::parse(b"tel:+34911").unwrap().user, "+34911");
        assert_eq!(ReferTo::parse(b"sip:900@pbx.example;x=y").unwrap().user, "900");
        let escaped = b"<sip:luis@10.0.0.1;method=INVITE?Require=replaces&Replaces=90%40a%2Eb%3Bto-tag%3D1%3Bfrom-tag%3D2>";
        let attended = ReferTo::parse(escaped).unwrap().replaces.unwrap();
        assert_eq!((&*attended.call_id, &*attended.to_tag, &*attended.from_tag), ("90@a.b", "1", "2"));
    }

    #[test]
    fn what_can_not_be_followed_is_refused_by_why() {
        for (value, expected) in [
            ("", BadReferTo::Malformed),
            ("nonsense", BadReferTo::Malformed),
            ("<sip:900@x", BadReferTo::Malformed),
            ("<sip:a%0d%0ab@x>", BadReferTo::Malformed),
            ("<sip:900@x?Replaces=nothing>", BadReferTo::Malformed),
            ("<http://evil.example/>", BadReferTo::Scheme),
            ("<sip:900@x;method=BYE>", BadReferTo::Method),
        ] {
            assert_eq!(ReferTo::parse(value.as_bytes()), Err(expected), "{value}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_bytes_are_read_or_refused(value in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..200),
            "<sip:[a-z%0-9]{0,8}@x(;method=[A-Z]{0,6})?\\?(Replaces|x|%52eplaces)=[a-z0-9%;=-]{0,60}(&[a-z=%]{0,9}){0,3}>".prop_map(String::into_bytes),
        ]) {
            if let Ok(refer) = ReferTo::parse(&value) {
                prop_assert!(!refer.user.chars().any(char::is_control));
            }
        }
    }
}
