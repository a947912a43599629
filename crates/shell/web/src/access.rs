//! The bearer token, which a reload may change while connections are open.

use arc_swap::ArcSwapOption;
use ring::hmac;
use ring::rand::SystemRandom;
use std::io;
use std::sync::Arc;

/// Who is let in: whoever shows the token, or, without one, whoever comes over loopback. Its copies are one.
#[derive(Clone, Default)]
pub struct Access {
    token: Arc<ArcSwapOption<Token>>,
}

/// A token that can be compared, and neither printed nor timed.
struct Token {
    key: hmac::Key,
    tag: hmac::Tag,
}

impl Access {
    /// # Errors
    /// The system has no randomness to hide the token with.
    pub fn new(token: Option<&str>) -> io::Result<Access> {
        let access = Access::default();
        access.set(token)?;
        Ok(access)
    }

    /// From the next request on. Streams that are open stay open.
    ///
    /// # Errors
    /// The system has no randomness; the old token still counts.
    pub fn set(&self, token: Option<&str>) -> io::Result<()> {
        let token = token.map(Token::new).transpose()?;
        self.token.store(token.map(Arc::new));
        Ok(())
    }

    pub fn has_token(&self) -> bool {
        self.token.load().is_some()
    }

    /// Takes the same time for a near miss as for a far one: both are hashed under a random key first. False without a
    /// token.
    pub fn is(&self, given: &str) -> bool {
        let token = self.token.load();
        token.as_ref().is_some_and(|token| hmac::verify(&token.key, given.as_bytes(), token.tag.as_ref()).is_ok())
    }
}

impl Token {
    fn new(token: &str) -> io::Result<Token> {
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new());
        let key = key.map_err(|_| io::Error::other("the system gave no randomness"))?;
        let tag = hmac::sign(&key, token.as_bytes());
        Ok(Token { key, tag })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_itself_alone() {
        let access = Access::new(Some("open sesame")).unwrap();
        assert!(access.is("open sesame"));
        assert!(!access.is("open sesam") && !access.is("open sesame ") && !access.is(""));
    }

    #[test]
    fn a_new_token_counts_at_once_in_every_copy_and_the_old_one_no_more() {
        let access = Access::new(Some("old")).unwrap();
        let copy = access.clone();
        access.set(Some("new")).unwrap();
        assert!(copy.is("new") && !copy.is("old"));
        access.set(None).unwrap();
        assert!(!copy.has_token() && !copy.is("new"));
    }
}
