//! What the engine is told about a new call, and whose word counts for it (line 14 of calls.md).
//!
//! | | from a trunk | from a phone |
//! |---|---|---|
//! | caller | P-Asserted-Identity, else From; nothing if withheld | the name it proved |
//! | diverted from | History-Info, else Diversion | nothing |
//! | User-to-User | as it stands | nothing |

use crate::message::text::decode;
use crate::respond::sdp_of;
use crate::{Flow, HeaderId, Host, IncomingInvite, Message, NameAddr, Peer, Scheme};
use base::Pii;
use std::sync::Arc;

/// Numbers of one diverted call that are kept; a call that was diverted more often is a loop.
const MOST_DIVERSIONS: usize = 10;
/// Longest number or name of a diversion, in bytes.
const LONGEST_NUMBER: usize = 128;
/// Longest User-to-User kept: what ISDN can carry, as text, with room to spare (RFC 7433).
const LONGEST_UUI: usize = 512;
/// RFC 5393 5.3.3: where the request does not say.
const BREADTH: u32 = 60;

/// `None`: the number dialled holds a control character, which nothing of ours dials (security row 37).
pub(crate) fn describe(request: &Message, flow: Flow, peer: &Peer) -> Option<IncomingInvite> {
    let dialled = request.uri().ok()?.user().unwrap_or_default();
    if dialled.chars().any(char::is_control) {
        return None;
    }
    let trusted = matches!(peer, Peer::Trunk(_));
    let withheld = wants_privacy(request) || request.from().is_ok_and(|from| is_anonymous(&from));
    let (number, name) = match peer {
        // By construction nothing can show what is not known.
        Peer::Trunk(_) if withheld => (String::new(), String::new()),
        Peer::Trunk(_) => number_and_name(asserted(request).or(request.from().ok())),
        // Security row 29: a phone is who it proved to be, whatever its From says.
        Peer::Phone(user) => (user.to_string(), number_and_name(request.from().ok()).1),
    };
    let diverted_from = if trusted { diversions(request, &dialled) } else { vec![] };
    Some(IncomingInvite {
        dialled: dialled.into(),
        caller: Pii::new(plain(number)),
        caller_name: Pii::new(plain(name)),
        call_id: request.call_id().ok()?.into(),
        offer: sdp_of(request),
        flow,
        max_forwards: request.max_forwards().ok().flatten().unwrap_or(70),
        max_breadth: request.seconds(HeaderId::MaxBreadth).ok().flatten().unwrap_or(BREADTH),
        withheld,
        diverted_from,
        user_to_user: trusted.then(|| user_to_user(request)).flatten().map(Pii::new),
        replaces: None,
    })
}

fn plain(text: String) -> Arc<str> {
    text.chars().filter(|c| !c.is_control()).collect::<String>().into()
}

fn number_and_name(address: Option<NameAddr>) -> (String, String) {
    let number = address.as_ref().and_then(|address| address.uri.user()).unwrap_or_default();
    (number, address.and_then(|address| address.display).unwrap_or_default())
}

fn asserted(request: &Message) -> Option<NameAddr> {
    let addresses = request.addresses(HeaderId::PAssertedIdentity).ok()?;
    addresses.into_iter().find(|address| address.uri.is_sip() || address.uri.scheme == Scheme::Tel)
}

/// RFC 3323 4.2, RFC 3325 9.3: what concerns the caller's identity. `session` and `history` do not; `none` is a wish
/// to be known.
fn wants_privacy(request: &Message) -> bool {
    let hides = |value: &[u8]| [&b"id"[..], b"user", b"header"].iter().any(|word| value.eq_ignore_ascii_case(word));
    request.headers(HeaderId::Privacy).any(|line| {
        let mut words = line.split(|byte| matches!(byte, b';' | b',')).map(crate::message::text::trim);
        words.any(hides)
    })
}

/// RFC 3323 4.1.1.3, and what gateways write instead: `sip:anonymous@…`.
fn is_anonymous(from: &NameAddr) -> bool {
    let host = matches!(&from.uri.host, Host::Name(name) if name.eq_ignore_ascii_case("anonymous.invalid"));
    host || from.uri.user().is_some_and(|user| user.eq_ignore_ascii_case("anonymous"))
}

/// The numbers before the one that was dialled in the end, the first one first, none twice.
fn diversions(request: &Message, dialled: &str) -> Vec<Arc<str>> {
    let mut addresses = history(request);
    if addresses.is_empty() {
        // RFC 5806 4.1: each diversion is put on top.
        addresses = readable(request, HeaderId::Diversion);
        addresses.reverse();
    }
    let mut numbers: Vec<Arc<str>> = vec![];
    for number in addresses.into_iter().filter_map(|address| address.uri.user()) {
        let fine = !number.is_empty() && number.len() <= LONGEST_NUMBER && !number.chars().any(char::is_control);
        if fine && number != dialled && !numbers.iter().any(|known| **known == *number) && numbers.len() < MOST_DIVERSIONS {
            numbers.push(number.into());
        }
    }
    numbers
}

/// RFC 7044 10.3: in the order of their index, which is written `1.1.2`; the last is where the call is now.
fn history(request: &Message) -> Vec<NameAddr> {
    let mut entries: Vec<(Vec<u32>, NameAddr)> = vec![];
    for address in readable(request, HeaderId::HistoryInfo) {
        let index = address.params.get("index").unwrap_or_default();
        let path = index.split('.').map(|part| part.parse().unwrap_or(u32::MAX)).collect();
        entries.push((path, address));
    }
    entries.sort_by(|(a, _), (b, _)| a.cmp(b));
    entries.pop();
    entries.into_iter().map(|(_, address)| address).collect()
}

/// The addresses of a list; what is malformed is passed over: a carrier's odd entry must not cost the call.
fn readable(request: &Message, id: HeaderId) -> Vec<NameAddr> {
    let known = |address: &NameAddr| address.uri.is_sip() || address.uri.scheme == Scheme::Tel;
    request.values(id).filter_map(|value| NameAddr::parse(&value)).filter(known).take(4 * MOST_DIVERSIONS).collect()
}

fn user_to_user(request: &Message) -> Option<Arc<str>> {
    let value = request.header(HeaderId::UserToUser)?;
    let fine = !value.is_empty() && value.len() <= LONGEST_UUI && value.iter().all(|byte| *byte >= b' ' && *byte != 0x7f);
    fine.then(|| decode(&value).into_owned().into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test::{flow, parse};
    use proptest::prelude::*;

    fn described(fields: &str, peer: &Peer) -> IncomingInvite {
        let from = if fields.contains("From:") { "" } else { "From: \"Bob\" <sip:bob@x>;tag=f\r\n" };
        let text = format!(
            "INVITE sip:900@10.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.2;branch=z9hG4bKa\r\n{from}To: <sip:900@x>\r\n\
             Call-ID: c\r\nCSeq: 1 INVITE\r\n{fields}Content-Length: 0\r\n\r\n"
        );
        describe(&parse(&text), flow(2, 5060), peer).unwrap()
    }

    fn trunk() -> Peer {
        Peer::Trunk("acme".into())
    }

    #[test]
    fn line_14_privacy_means_withheld_and_nothing_is_known_then() {
        #[rustfmt::skip]
        let table = [
            // fields                                              withheld  caller
            ("",                                                   false, "bob"),
            ("Privacy: id\r\n",                                    true,  ""),
            ("Privacy: critical; ID\r\n",                          true,  ""),
            ("Privacy: user\r\n",                                  true,  ""),
            ("Privacy: header;session\r\n",                        true,  ""),
            ("Privacy: none\r\n",                                  false, "bob"),
            ("Privacy: session;history\r\n",                       false, "bob"),
            ("Privacy: idle\r\n",                                  false, "bob"),
            ("From: \"Anonymous\" <sip:anonymous@anonymous.invalid>;tag=a\r\n", true, ""),
            ("From: <sip:Anonymous@carrier.example>;tag=a\r\n",    true,  ""),
            ("From: <sip:x@ANONYMOUS.invalid>;tag=a\r\nP-Asserted-Identity: <tel:+34600>\r\n", true, ""),
            ("P-Asserted-Identity: \"R\" <tel:+34600>\r\nPrivacy: id\r\n", true, ""),
            ("P-Asserted-Identity: \"R\" <tel:+34600>\r\n",        false, "+34600"),
        ];
        for (fields, withheld, caller) in table {
            let invite = described(fields, &trunk());
            assert_eq!((invite.withheld, &**invite.caller.reveal()), (withheld, caller), "{fields}");
            assert!(!withheld || invite.caller_name.reveal().is_empty(), "{fields}");
        }
        // An agent who hides from the world is still an agent of ours.
        let invite = described("Privacy: id\r\n", &Peer::Phone("ana".into()));
        assert_eq!((invite.withheld, &**invite.caller.reveal()), (true, "ana"));
    }

    #[test]
    fn line_14_diversion_and_history_name_the_first_number_first_and_count_from_trunks_only() {
        #[rustfmt::skip]
        let table = [
            ("Diversion: <sip:+342@c>;reason=no-answer\r\nDiversion: <tel:+341>;reason=unconditional\r\n", "+341 +342"),
            ("Diversion: <sip:+342@c>;reason=x, \"A, B\" <sip:+341@c>;counter=1\r\n", "+341 +342"),
            ("Diversion: <sip:+341@c>, nonsense <, <http://x>\r\n", "+341"),
            ("History-Info: <sip:+341@c>;index=1, <sip:+342@c?Reason=SIP%3Bcause%3D302>;index=1.1\r\n\
              History-Info: <sip:900@us;cause=302>;index=1.1.1\r\nDiversion: <sip:other@c>\r\n", "+341 +342"),
            ("History-Info: <sip:900@us>;index=1.10, <sip:+342@c>;index=1.9, <sip:+341@c>;index=1\r\n", "+341 +342"),
            ("History-Info: <sip:900@us>;index=1\r\n", ""),
            ("Diversion: <sip:900@us>, <sip:+341@c>, <sip:+341@d>\r\n", "+341"),
            ("Diversion: <sip:a%0d%0ab@c>\r\n", ""),
        ];
        for (fields, expected) in table {
            let of = |peer| described(fields, &peer).diverted_from.join(" ");
            assert_eq!(of(trunk()), expected, "{fields}");
            assert_eq!(of(Peer::Phone("ana".into())), "", "{fields}");
        }
        let many: String = (0..100).map(|n| format!("Diversion: <sip:{n}@c>\r\n")).collect();
        assert_eq!(described(&many, &trunk()).diverted_from.len(), MOST_DIVERSIONS);
    }

    #[test]
    fn line_14_user_to_user_comes_as_it_stands_from_trunks_and_within_bounds() {
        let long = format!("User-to-User: {}\r\n", "a".repeat(513));
        for (fields, expected) in [
            ("User-to-User: 56a3;encoding=hex;purpose=isdn-uui\r\n", Some("56a3;encoding=hex;purpose=isdn-uui")),
            ("User-to-User: \"with, comma\"\r\n", Some("\"with, comma\"")),
            (&*long, None),
            ("User-to-User: a\x07b\r\n", None),
            ("User-to-User: \r\n", None),
            ("", None),
        ] {
            let of = |peer| described(fields, &peer).user_to_user.map(|uui| uui.reveal().to_string());
            assert_eq!(of(trunk()).as_deref(), expected, "{fields:?}");
            assert_eq!(of(Peer::Phone("ana".into())), None);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_bytes_in_the_identity_fields_are_survived_and_bounded(
            name in prop::sample::select(vec!["Privacy", "Diversion", "History-Info", "User-to-User", "P-Asserted-Identity", "Max-Breadth"]),
            value in "[ -~]{0,80}|(<sip:[0-9]{1,3}@c>;index=[0-9.]{0,9}(, ?)?){0,30}",
        ) {
            let invite = described(&format!("{name}: {value}\r\n"), &trunk());
            prop_assert!(invite.diverted_from.len() <= MOST_DIVERSIONS);
            prop_assert!(invite.user_to_user.is_none_or(|uui| uui.reveal().len() <= LONGEST_UUI));
        }
    }
}
