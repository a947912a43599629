//! The Reason header (RFC 3326).

use crate::header::Params;
use crate::message::text::{quoted, unquoted};
use crate::{HeaderId, Message, Reason};

/// `SIP;cause=200;text="Call completed elsewhere"`.
pub(super) fn print(reason: &Reason) -> String {
    let text = quoted(&reason.text);
    format!("{};cause={};text={text}", reason.protocol, reason.cause)
}

/// The first reason with a cause; Q.850 and SIP both count.
pub(super) fn parse(message: &Message) -> Option<Reason> {
    message.values(HeaderId::Reason).find_map(|value| {
        let semicolon = value.iter().position(|byte| *byte == b';')?;
        let protocol = std::str::from_utf8(value.get(..semicolon)?).ok()?.trim();
        let params = Params::parse(value.get(semicolon + 1..)?)?;
        let cause = params.get("cause")?.parse().ok()?;
        let text = unquoted(params.get("text").unwrap_or_default().as_bytes());
        Some(Reason { protocol: protocol.into(), cause, text: text.into() })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test::parse as message;

    #[test]
    fn a_reason_is_read_as_it_was_written() {
        let reason = Reason { protocol: "SIP".into(), cause: 200, text: "Call \"completed\" elsewhere".into() };
        let bye = |value: &str| message(&format!("BYE sip:a@b SIP/2.0\r\nReason: {value}\r\nContent-Length: 0\r\n\r\n"));
        assert_eq!(parse(&bye(&print(&reason))), Some(reason));
        let q850 = parse(&bye("X ;text=\"no cause\", Q.850 ;cause=16")).unwrap();
        assert_eq!((&*q850.protocol, q850.cause, &*q850.text), ("Q.850", 16, ""));
        assert_eq!(parse(&bye("SIP;cause=65536")), None);
    }
}
