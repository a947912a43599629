//! Standard Webhooks signatures: `v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`.

use base::Pii;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;

/// The keys of one receiver; each signs, so that a secret can be rotated.
pub struct Signer(Vec<hmac::Key>);

impl Signer {
    /// One secret, or several with spaces between. None if one is not `whsec_` and 24 to 64 bytes in base64.
    pub fn new(secret: &Pii<String>) -> Option<Signer> {
        let key = |text: &str| {
            let bytes = STANDARD.decode(text.strip_prefix("whsec_")?).ok()?;
            (24..=64).contains(&bytes.len()).then(|| hmac::Key::new(hmac::HMAC_SHA256, &bytes))
        };
        let keys: Vec<_> = secret.reveal().split_whitespace().map(key).collect::<Option<_>>()?;
        (!keys.is_empty()).then_some(Signer(keys))
    }

    /// The value of `webhook-signature`.
    pub fn sign(&self, id: &str, timestamp: i64, body: &str) -> String {
        let content = format!("{id}.{timestamp}.{body}");
        let sign = |key| format!("v1,{}", STANDARD.encode(hmac::sign(key, content.as_bytes())));
        self.0.iter().map(sign).collect::<Vec<_>>().join(" ")
    }
}

/// The `webhook-id` of a key. It has no dot, which separates what is signed.
pub fn id_of(key: &str) -> String {
    format!("msg_{}", key.replace('/', ":").replace('.', "~"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signer(secret: &str) -> Option<Signer> {
        Signer::new(&Pii::new(secret.into()))
    }

    #[test]
    fn the_signature_is_the_one_that_another_implementation_computes() {
        // Python's hmac over "msg_a.1614265330.{}" with the 24 bytes 0x00 to 0x17.
        let one = signer("whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX").unwrap();
        assert_eq!(one.sign("msg_a", 1_614_265_330, "{}"), EXPECTED);
        let two = signer("whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYY").unwrap();
        let both = two.sign("msg_a", 1_614_265_330, "{}");
        assert!(both.starts_with(EXPECTED) && both.split(' ').count() == 2 && both.matches("v1,").count() == 2);
    }

    const EXPECTED: &str = "v1,p46BpqDxL+abdY2N3PUgjgCEc0W+M8rP3FqwiK6M7T4=";

    #[test]
    fn what_is_no_secret_is_refused() {
        for bad in ["", "whsec_", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYX", "whsec_AAEC", "whsec_%%%"] {
            assert!(signer(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn an_id_has_no_dot() {
        assert_eq!(id_of("acme.mx/1-3-42/answered"), "msg_acme~mx:1-3-42:answered");
    }
}
