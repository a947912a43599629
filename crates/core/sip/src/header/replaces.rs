//! Replaces: which dialog a call takes the place of (RFC 3891).

use super::Params;
use crate::message::text::{decode, is_mark, trim};

/// `call-id;to-tag=…;from-tag=…;early-only`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplacesField {
    pub call_id: String,
    /// The tag of whoever is asked to replace: ours.
    pub to_tag: String,
    /// The tag of the party that will be replaced.
    pub from_tag: String,
    /// Only if that dialog is not confirmed yet.
    pub early_only: bool,
}

impl ReplacesField {
    /// One value. `None` if it is malformed or a tag is missing (RFC 3891 6.1: both stand exactly once).
    pub fn parse(bytes: &[u8]) -> Option<ReplacesField> {
        let bytes = trim(bytes);
        let semicolon = bytes.iter().position(|byte| *byte == b';')?;
        let call_id = trim(bytes.get(..semicolon)?);
        if !(1..=512).contains(&call_id.len()) || !call_id.iter().all(u8::is_ascii_graphic) {
            return None;
        }
        let mut params = Params::parse(bytes.get(semicolon + 1..)?)?;
        let mut tag = |name: &str| params.remove(name).filter(|tag| is_mark(tag) && tag.len() <= 512);
        let (to_tag, from_tag) = (tag("to-tag")?, tag("from-tag")?);
        Some(ReplacesField { call_id: decode(call_id).into_owned(), to_tag, from_tag, early_only: params.has("early-only") })
    }

    /// RFC 3891 4: the tag of a peer of RFC 2543, which has none, is written `0`.
    pub fn is_with(&self, remote_tag: &str) -> bool {
        self.from_tag == remote_tag || (self.from_tag == "0" && remote_tag.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_dialog_is_named_by_call_id_and_both_tags() {
        let field = ReplacesField::parse(b" 425928@bobster.example ;to-tag=7743; from-tag = 6472 ;early-only;x=y").unwrap();
        assert_eq!((&*field.call_id, &*field.to_tag, &*field.from_tag), ("425928@bobster.example", "7743", "6472"));
        assert!(field.early_only && field.is_with("6472") && !field.is_with("7743"));
        let old = ReplacesField::parse(b"c;from-tag=0;to-tag=1").unwrap();
        assert!(!old.early_only && old.is_with("") && old.is_with("0"));
        for bad in [
            "",
            "c",
            ";to-tag=1;from-tag=2",
            "c;to-tag=1",
            "c;to-tag=1;from-tag",
            "c;to-tag=1;from-tag=2;to-tag=3",
            "a b;to-tag=1;from-tag=2",
        ] {
            assert_eq!(ReplacesField::parse(bad.as_bytes()), None, "{bad}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Some(field) = ReplacesField::parse(&bytes) {
                prop_assert!(!field.call_id.is_empty() && !field.to_tag.is_empty() && !field.from_tag.is_empty());
            }
        }

        #[test]
        fn what_is_written_is_read(call in "[!-:<-~]{1,40}", to in "[a-zA-Z0-9.]{1,20}", from in "[a-zA-Z0-9.]{1,20}", early: bool) {
            let flag = if early { ";early-only" } else { "" };
            let field = ReplacesField::parse(format!("{call};from-tag={from};to-tag={to}{flag}").as_bytes()).unwrap();
            prop_assert_eq!((field.call_id, field.to_tag, field.from_tag, field.early_only), (call, to, from, early));
        }
    }
}
