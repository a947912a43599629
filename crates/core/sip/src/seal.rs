//! A secret of this process, and what is made with it: nonces that need no memory, and tags of stateless responses.

use base::{Instant, Random};
use ring::hmac;
use std::time::Duration;

/// The key. Made from entropy, never stored, different after each start.
#[derive(Clone)]
pub(crate) struct Seal(hmac::Key);

/// What a nonce turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Nonce {
    /// Ours, and good until then.
    Good(Instant),
    /// Not ours, or too old.
    Stale,
}

impl Seal {
    pub fn new(random: &mut Random) -> Seal {
        let mut key = Vec::with_capacity(32);
        for _ in 0..4 {
            key.extend_from_slice(&random.bits().to_be_bytes());
        }
        Seal(hmac::Key::new(hmac::HMAC_SHA256, &key))
    }

    /// Expiry, 64 random bits, and the seal over both: a flood of strangers makes us remember nothing.
    pub fn nonce(&self, random: &mut Random, now: Instant, lifetime: Duration) -> String {
        let head = format!("{:016x}{}", (now + lifetime).0, random.token());
        let seal = self.hexadecimal(&[b"nonce", head.as_bytes()], 16);
        head + &seal
    }

    pub fn open(&self, nonce: &str, now: Instant) -> Nonce {
        let (Some(head), Some(seal)) = (nonce.get(..32), nonce.get(32..)) else {
            return Nonce::Stale;
        };
        let expected = self.hexadecimal(&[b"nonce", head.as_bytes()], 16);
        let differs =
            expected.bytes().zip(seal.bytes()).fold(expected.len() ^ seal.len(), |sum, (a, b)| sum | usize::from(a ^ b));
        let expiry = head.get(..16).and_then(|digits| u64::from_str_radix(digits, 16).ok());
        match expiry {
            Some(expiry) if differs == 0 && expiry > now.0 => Nonce::Good(Instant(expiry)),
            _ => Nonce::Stale,
        }
    }

    /// 64 bits that only we could have chosen.
    pub fn tag(&self, parts: &[&[u8]]) -> String {
        self.hexadecimal(parts, 8)
    }

    fn hexadecimal(&self, parts: &[&[u8]], bytes: usize) -> String {
        let mut context = hmac::Context::with_key(&self.0);
        for part in parts {
            context.update(part);
            context.update(&[0]);
        }
        let mut digits = base::hex::encode(context.sign().as_ref());
        digits.truncate(2 * bytes);
        digits
    }
}

impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seal(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nonce_is_good_until_it_expires_and_only_as_it_was_given() {
        let mut random = Random::from_seed(1);
        let (ours, other) = (Seal::new(&mut random), Seal::new(&mut random));
        let nonce = ours.nonce(&mut random, Instant(100), Duration::from_nanos(50));
        assert_eq!(ours.open(&nonce, Instant(149)), Nonce::Good(Instant(150)));
        assert_eq!(ours.open(&nonce, Instant(150)), Nonce::Stale);
        assert_eq!(other.open(&nonce, Instant(120)), Nonce::Stale);
        let longer = nonce.replacen("0000000000000096", "00000000ffffffff", 1);
        assert_ne!(longer, nonce);
        for bad in [&longer, "", "é", &nonce[..nonce.len() - 1], &format!("{nonce}0"), &"é".repeat(40)] {
            assert_eq!(ours.open(bad, Instant(120)), Nonce::Stale, "{bad}");
        }
    }
}
