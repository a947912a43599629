//! Who may register and call: digest, trunks, throttling (security rows 26 to 35).

use crate::bench::*;
use crate::registrar::Phone;
use sip::digest::{Algorithm, Challenge};
use sip::{HeaderId, Method, Output, Peer};

/// An INVITE of 10.0.0.3, which is nobody's trunk.
fn stranger(n: u32) -> Ask {
    Ask::invite()
        .set("Via", &format!("SIP/2.0/UDP 10.0.0.3:5060;rport;branch=z9hG4bKs{n}"))
        .set("Contact", "<sip:ana@10.0.0.3>")
        .set("CSeq", &format!("{n} INVITE"))
}

fn call(bench: &mut Bench, phone: &mut Phone, n: u32) -> Heard {
    let ask = phone.sign(stranger(n), &Method::Invite, "sip:900@10.0.0.1", OFFER);
    bench.receive(udp(3), &ask.text())
}

fn challenges(heard: &Heard) -> Vec<Challenge> {
    heard.response(401).headers(HeaderId::WwwAuthenticate).map(|value| Challenge::parse(&value).unwrap()).collect()
}

#[test]
fn a_phone_calls_with_its_password_and_is_who_it_proved_to_be() {
    let (mut bench, mut phone) = (Bench::default(), Phone::new("ana", "secret"));
    let heard = bench.receive(udp(3), &stranger(1).text());
    assert_eq!((heard.summary().as_str(), heard.words().len()), ("401", 0));
    phone.learn(heard.response(401));
    // Row 29 (CVE-2025-47779): From says something else.
    let heard = call(&mut bench, &mut phone, 2);
    let [Output::Incoming { peer, invite, .. }] = &heard.words()[..] else { panic!("{heard:?}") };
    assert_eq!((peer, &**invite.caller.reveal()), (&Peer::Phone("ana".into()), "ana"));
}

#[test]
fn a_trunk_may_prove_itself_by_digest_but_never_registers() {
    let (mut bench, mut trunk) = (Bench::default(), Phone::new("carrier", "wholesale"));
    trunk.learn(bench.receive(udp(3), &stranger(1).text()).response(401));
    let heard = call(&mut bench, &mut trunk, 2);
    assert!(matches!(&heard.words()[..], [Output::Incoming { peer: Peer::Trunk(name), .. }] if &**name == "digest"), "{heard:?}");
    let mut trunk = Phone::new("carrier", "wholesale");
    assert_eq!(trunk.register(&mut bench, &[("Contact", "<sip:x@10.0.0.3>")]).summary(), "403");
}

#[test]
fn nobody_registers_as_somebody_else() {
    let (mut bench, mut phone) = (Bench::default(), Phone::new("ana", "secret"));
    let heard = phone.register(&mut bench, &[("To", "<sip:old@centre.example>"), ("Contact", "<sip:x@10.0.0.3>")]);
    assert_eq!((heard.summary().as_str(), heard.words().len()), ("403", 0));
}

#[test]
fn a_phone_that_registered_from_a_trunks_address_is_a_phone() {
    let mut config = config();
    config.trunks[0].networks = vec![("10.0.0.0".parse().unwrap(), 24)];
    let (mut bench, mut phone) = (Bench::with(config), Phone::new("ana", "secret"));
    assert_eq!(bench.receive(udp(3), &stranger(1).text()).summary(), "100");
    phone.register(&mut bench, &[("Contact", "<sip:ana@10.0.0.3>")]);
    assert_eq!(bench.receive(udp(3), &stranger(9).set("Call-ID", "feature").text()).summary(), "401");
}

#[test]
fn the_algorithms_offered_are_the_credentials_own() {
    let mut bench = Bench::default();
    let mut offered = |user: &str| {
        let ask = stranger(1).set("From", &format!("<sip:{user}@x>;tag=a"));
        challenges(&bench.receive(udp(3), &ask.text())).iter().map(|challenge| challenge.algorithm).collect::<Vec<_>>()
    };
    assert_eq!(offered("ana"), [Algorithm::Sha256, Algorithm::Md5]);
    assert_eq!(offered("old"), [Algorithm::Md5]);
    assert_eq!(offered("nobody"), offered("ana"));
}

/// Row 33, RFC 8760: an algorithm that this credential does not allow is a wrong try.
#[test]
fn a_downgrade_is_refused() {
    let mut config = config();
    config.users.get_mut("ana").unwrap().algorithms = vec![Algorithm::Sha256];
    let (mut bench, mut phone) = (Bench::with(config), Phone::new("ana", "secret"));
    let challenge = bench.receive(udp(3), &stranger(1).set("From", "<sip:ana@x>;tag=a").text()).response(401);
    let weaker = String::from_utf8(challenge.bytes().to_vec()).unwrap().replace("SHA-256", "MD5");
    phone.learn(sip::Message::parse(weaker.into()).unwrap());
    let heard = call(&mut bench, &mut phone, 2);
    assert_eq!((heard.summary().as_str(), heard.suspicious()), ("401", 1));
}

#[test]
fn a_nonce_serves_several_requests_in_rising_order() {
    let (mut bench, mut phone) = (Bench::default(), Phone::new("ana", "secret"));
    phone.learn(bench.receive(udp(3), &stranger(1).text()).response(401));
    let overtaken = phone.sign(stranger(2), &Method::Invite, "sip:900@10.0.0.1", OFFER);
    assert_eq!(call(&mut bench, &mut phone, 3).summary(), "100");
    assert_eq!(call(&mut bench, &mut phone, 4).summary(), "100");
    assert!(challenges(&bench.receive(udp(3), &overtaken.text())).iter().all(|challenge| challenge.stale));
}

#[test]
fn a_replayed_or_old_nonce_is_stale() {
    let (mut bench, mut phone) = (Bench::default(), Phone::new("ana", "secret"));
    phone.learn(bench.receive(udp(3), &stranger(1).text()).response(401));
    let ask = phone.sign(stranger(2), &Method::Invite, "sip:900@10.0.0.1", OFFER);
    assert_eq!(bench.receive(udp(3), &ask.text()).summary(), "100");
    // Somebody who listened sends the same digest in a request of their own.
    let replay = ask.clone().set("Via", "SIP/2.0/UDP 10.0.0.9:5060;rport;branch=z9hG4bKx").set("Call-ID", "theirs");
    let heard = bench.receive(udp(9), &replay.text());
    assert!(challenges(&heard).iter().all(|challenge| challenge.stale) && heard.words().is_empty());

    phone.learn(bench.receive(udp(3), &stranger(3).set("Call-ID", "b").text()).response(401));
    bench.pass(secs(300));
    let late = phone.sign(stranger(4).set("Call-ID", "b"), &Method::Invite, "sip:900@10.0.0.1", OFFER);
    assert!(challenges(&bench.receive(udp(3), &late.text())).iter().all(|challenge| challenge.stale));
}

/// Rows 31 and 32.
#[test]
fn guessing_is_throttled_within_ten_tries_and_known_and_unknown_look_alike() {
    for user in ["ana", "nobody"] {
        let (mut bench, mut guesser) = (Bench::default(), Phone::new(user, "guess"));
        guesser.learn(bench.receive(udp(3), &stranger(1).text()).response(401));
        let answers: Vec<String> = (2..16).map(|n| call(&mut bench, &mut guesser, n).summary()).collect();
        let expected: Vec<&str> = std::iter::repeat_n("401", 10).chain(std::iter::repeat_n("403", 4)).collect();
        assert_eq!(answers, expected, "{user}");
        // The right password from there is not looked at either; from elsewhere it is.
        let mut right = Phone::new("ana", "secret");
        right.learn(bench.receive(udp(3), &stranger(20).text()).response(401));
        assert_eq!(call(&mut bench, &mut right, 21).summary(), "403");
        bench.pass(secs(61));
        assert_eq!(call(&mut bench, &mut right, 22).summary(), "100");
    }
}

#[test]
fn a_wrong_password_is_logged_with_its_address_and_the_log_is_not_flooded() {
    let (mut bench, mut guesser) = (Bench::default(), Phone::new("ana", "guess"));
    guesser.learn(bench.receive(udp(3), &stranger(1).text()).response(401));
    let heard = call(&mut bench, &mut guesser, 2);
    let line = heard.0.iter().find(|output| matches!(output, Output::Suspicious { .. })).unwrap();
    assert_eq!(*line, Output::Suspicious { remote: udp(3).remote, what: "wrong credentials".into() });
    let lines: usize = (0..1000).map(|_| bench.receive(udp(8), "garbage, garbage, garbage").suspicious()).sum();
    assert_eq!(lines, 20);
}

#[test]
fn line_14_asserted_identity_counts_from_a_trunk_only() {
    let mut bench = Bench::default();
    let ask = Ask::invite().set("P-Asserted-Identity", "\"Real\" <tel:+34600>");
    let heard = bench.receive(udp(2), &ask.text());
    let [Output::Incoming { invite, .. }] = &heard.words()[..] else { panic!("{heard:?}") };
    assert_eq!((&**invite.caller.reveal(), &**invite.caller_name.reveal()), ("+34600", "Real"));

    let (mut bench, mut phone) = (Bench::default(), Phone::new("ana", "secret"));
    phone.learn(bench.receive(udp(3), &stranger(1).text()).response(401));
    let ask = stranger(2).set("P-Asserted-Identity", "\"Real\" <tel:+34600>");
    let ask = phone.sign(ask, &Method::Invite, "sip:900@10.0.0.1", OFFER);
    let heard = bench.receive(udp(3), &ask.text());
    let [Output::Incoming { invite, .. }] = &heard.words()[..] else { panic!("{heard:?}") };
    assert_eq!((&**invite.caller.reveal(), &**invite.caller_name.reveal()), ("ana", "Bob"));
}

/// RFC 3323, RFC 3325.
#[test]
fn line_14_who_is_withheld_dials_as_nobody() {
    let (_, invite) = Bench::default().dial(sip::Dial { withheld: true, ..dial() });
    let from = invite.from().unwrap();
    assert_eq!((from.display.as_deref(), from.uri.to_string().as_str()), (Some("Anonymous"), "sip:anonymous@anonymous.invalid"));
    assert_eq!((field(&invite, HeaderId::Privacy).as_str(), invite.check_request()), ("id", Ok(())));
    let text = String::from_utf8(invite.bytes().to_vec()).unwrap();
    assert!(!text.contains("+3491") && !text.contains("ACME"), "{text}");
    let (_, open) = Bench::default().dial(dial());
    assert!(!open.has(HeaderId::Privacy) && field(&open, HeaderId::From).contains("+3491"));
}

/// What a carrier sends of a withheld, diverted call, through the whole door.
#[test]
fn line_14_privacy_diversion_and_user_to_user_reach_the_engine() {
    let ask = Ask::invite()
        .set("P-Asserted-Identity", "<tel:+34600>")
        .set("Privacy", "id")
        .set("Diversion", "<sip:+34902@carrier>;reason=no-answer")
        .set("User-to-User", "0443;encoding=hex");
    let heard = Bench::default().receive(udp(2), &ask.text());
    let [Output::Incoming { invite, .. }] = &heard.words()[..] else { panic!("{heard:?}") };
    assert_eq!((invite.withheld, &**invite.caller.reveal(), &**invite.caller_name.reveal()), (true, "", ""));
    assert_eq!(invite.diverted_from, ["+34902".into()]);
    assert_eq!(invite.user_to_user.as_ref().map(|uui| &**uui.reveal()), Some("0443;encoding=hex"));
}
