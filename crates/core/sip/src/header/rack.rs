//! RAck: which provisional a PRACK acknowledges (RFC 3262 7.2).

use crate::Method;
use crate::message::text::{is_blank, number, trim};
use std::fmt;

/// `776656 1 INVITE`: the RSeq of the provisional, and the CSeq of its request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RAck {
    pub rseq: u32,
    pub sequence: u32,
    pub method: Method,
}

impl RAck {
    pub fn parse(bytes: &[u8]) -> Option<RAck> {
        let mut words = trim(bytes).split(|byte| is_blank(*byte)).filter(|word| !word.is_empty());
        let (rseq, sequence, method) = (number(words.next()?)?, number(words.next()?)?, Method::parse(words.next()?)?);
        (words.next().is_none() && rseq > 0 && sequence < 1 << 31).then_some(RAck { rseq, sequence, method })
    }
}

impl fmt::Display for RAck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.rseq, self.sequence, self.method)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn three_words_and_nothing_else() {
        let rack = RAck::parse(b" 776656 \t 1 INVITE ").unwrap();
        assert_eq!(rack.to_string(), "776656 1 INVITE");
        for bad in ["", "1", "1 1", "0 1 INVITE", "1 2147483648 INVITE", "1 1 INVITE x", "-1 1 INVITE", "1 1 \"", "1,1 INVITE"] {
            assert_eq!(RAck::parse(bad.as_bytes()), None, "{bad}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..80),
            "[0-9]{0,12} {1,2}[0-9]{0,12}\t?[A-Z]{0,70}".prop_map(String::into_bytes),
        ]) {
            if let Some(rack) = RAck::parse(&bytes) {
                prop_assert_eq!(RAck::parse(rack.to_string().as_bytes()), Some(rack));
            }
        }
    }
}
