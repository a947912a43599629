//! Personal data: it can be held and compared, and shows itself only when asked.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A phone number, a name, an address of a person. Neither `Debug` nor `Display` prints it.
///
/// It serialises as its content: what is serialised is a journal, a sidecar or an answer to an
/// authorised reader, never a log line.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Pii<T>(T);

impl<T> Pii<T> {
    pub fn new(value: T) -> Self {
        Pii(value)
    }

    /// The value itself. Each use is a place where personal data leaves its wrapping.
    pub fn reveal(&self) -> &T {
        &self.0
    }
}

impl<T> fmt::Debug for Pii<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl<T> fmt::Display for Pii<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_does_not_print() {
        let number = Pii::new("+5255123".to_string());
        assert_eq!(format!("{number} {number:?}"), "*** ***");
        assert_eq!(number.reveal(), "+5255123");
    }
}
