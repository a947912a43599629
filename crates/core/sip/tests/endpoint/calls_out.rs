//! Calls that we dial (RFC 3261 9, 13.2).

use crate::bench::*;
use base::Pii;
use sip::digest::{Algorithm, Challenge, Secret};
use sip::{Dial, DialCredential, EndedBy, HeaderId, Input, Method, Output, Reason};

fn ended(session: sip::SessionId, by: EndedBy) -> Output {
    Output::Ended { session, by, reason: None }
}

fn elsewhere() -> Option<Reason> {
    Some(Reason { protocol: "SIP".into(), cause: 200, text: "Call completed elsewhere".into() })
}

#[test]
fn a_call_is_dialled_rings_is_answered_and_acknowledged_each_time() {
    let mut bench = Bench::default();
    let (session, invite) = bench.dial(dial());
    assert_eq!(invite.uri().unwrap().to_string(), "sip:ana@10.0.0.2");
    assert_eq!(invite.from().unwrap().uri.to_string(), "sip:+3491@centre.example");
    assert_eq!((invite.call_id().unwrap(), field(&invite, HeaderId::MaxForwards).as_str()), ("out-1", "70"));
    assert_eq!(bench.receive(udp(2), &reply(&invite, 100, "", None)).0, []);
    let ringing = bench.receive(udp(2), &reply(&invite, 180, "far", None));
    assert_eq!(ringing.0, [Output::Progress { session, status: 180, sdp: None }]);
    let early = bench.receive(udp(2), &reply(&invite, 183, "far", Some(ANSWER)));
    assert_eq!(early.0, [Output::Progress { session, status: 183, sdp: Some(ANSWER.into()) }]);
    let ok = reply(&invite, 200, "far", Some(ANSWER));
    let answered = bench.receive(udp(2), &ok);
    assert_eq!(answered.words(), [Output::Answered { session, sdp: ANSWER.into() }]);
    let ack = answered.request("ACK");
    assert_eq!((ack.uri().unwrap().to_string().as_str(), ack.cseq().unwrap().0), ("sip:far@10.0.0.2:5060", 1));
    assert_ne!(ack.via().unwrap().branch, invite.via().unwrap().branch);
    // RFC 3261 13.2.2.4: each repetition of the 200 gets the same ACK.
    let again = bench.receive(udp(2), &ok);
    assert_eq!((again.messages(), again.words().len()), (vec![ack], 0));
    let bye = bench.handle(Input::HangUp { session, reason: elsewhere() }).request("BYE");
    assert_eq!((bye.cseq().unwrap().0, field(&bye, HeaderId::Reason).contains("elsewhere")), (2, true));
    assert_eq!(bench.receive(udp(2), &reply(&bye, 200, "", None)).words(), [ended(session, EndedBy::Us)]);
    bench.pass(secs(40));
    assert_eq!((bench.endpoint.sessions(), bench.endpoint.transactions(), bench.endpoint.deadline()), (0, 0, None));
}

#[test]
fn the_invite_is_repeated_until_a_provisional() {
    let mut bench = Bench::default();
    let (_, invite) = bench.dial(dial());
    assert_eq!(bench.pass(ms(3500)).summary(), "INVITE INVITE INVITE");
    bench.receive(udp(2), &reply(&invite, 100, "", None));
    assert_eq!(bench.pass(secs(60)).0, []);
}

#[test]
fn line_03_silence_is_reported_at_4_s_and_fails_at_64_t1() {
    let mut bench = Bench::default();
    let (session, _) = bench.dial(dial());
    assert_eq!(bench.pass(ms(3999)).words(), []);
    assert_eq!(bench.pass(ms(1)).words(), [Output::NoProvisional { session }]);
    let heard = bench.pass(secs(28));
    assert_eq!(heard.words(), [Output::Failed { session, status: 408 }]);
    assert_eq!((bench.endpoint.sessions(), bench.endpoint.transactions()), (0, 0));
}

/// RFC 3261 9.1.
#[test]
fn line_03_cancel_waits_for_a_provisional_and_says_why() {
    let mut bench = Bench::default();
    let (session, invite) = bench.dial(dial());
    assert_eq!(bench.handle(Input::HangUp { session, reason: elsewhere() }).0, []);
    let heard = bench.receive(udp(2), &reply(&invite, 180, "far", None));
    assert_eq!(heard.words(), [], "who hung up hears no ringing");
    let cancel = heard.request("CANCEL");
    assert_eq!(field(&cancel, HeaderId::Reason), "SIP;cause=200;text=\"Call completed elsewhere\"");
    assert_eq!(cancel.via().unwrap().branch, invite.via().unwrap().branch);
    assert_eq!((cancel.uri(), cancel.to().unwrap().tag), (invite.uri(), None));
    assert_eq!(bench.receive(udp(2), &reply(&cancel, 200, "far", None)).0, []);
    let heard = bench.receive(udp(2), &reply(&invite, 487, "far", None));
    assert_eq!((heard.summary().as_str(), heard.words()), ("ACK", vec![ended(session, EndedBy::Us)]));
    let ack = heard.request("ACK");
    assert_eq!((ack.via().unwrap().branch, ack.to().unwrap().tag.as_deref()), (invite.via().unwrap().branch, Some("far")));
}

#[test]
fn line_03_cancel_goes_at_once_after_a_provisional_and_only_once() {
    let mut bench = Bench::default();
    let (session, invite) = bench.dial(dial());
    bench.receive(udp(2), &reply(&invite, 100, "", None));
    assert_eq!(bench.handle(Input::HangUp { session, reason: None }).summary(), "CANCEL");
    assert_eq!(bench.handle(Input::HangUp { session, reason: None }).0, []);
    assert_eq!(bench.receive(udp(2), &reply(&invite, 180, "far", None)).0, []);
}

#[test]
fn line_03_a_cancelled_invite_that_gets_no_final_response_is_given_up() {
    let mut bench = Bench::default();
    let (session, invite) = bench.dial(dial());
    bench.receive(udp(2), &reply(&invite, 180, "far", None));
    let cancel = bench.handle(Input::HangUp { session, reason: None }).request("CANCEL");
    bench.receive(udp(2), &reply(&cancel, 200, "far", None));
    assert_eq!(bench.pass(ms(31_999)).words(), []);
    assert_eq!(bench.pass(ms(1)).words(), [ended(session, EndedBy::Us)]);
    bench.pass(secs(33));
    assert_eq!(bench.endpoint.transactions(), 0);
}

#[test]
fn line_01_a_200_that_crosses_the_cancel_gets_ack_and_bye() {
    let mut bench = Bench::default();
    let (session, invite) = bench.dial(dial());
    bench.receive(udp(2), &reply(&invite, 180, "far", None));
    bench.handle(Input::HangUp { session, reason: elsewhere() });
    let heard = bench.receive(udp(2), &reply(&invite, 200, "far", Some(ANSWER)));
    assert_eq!((heard.summary().as_str(), heard.words()), ("ACK BYE", vec![]));
    let bye = heard.request("BYE");
    assert_eq!(bench.receive(udp(2), &reply(&bye, 200, "", None)).words(), [ended(session, EndedBy::Us)]);
}

#[test]
fn line_02_the_first_200_wins_and_late_forks_get_ack_and_bye_even_after_the_end() {
    let mut bench = Bench::default();
    let (session, invite) = bench.dial(dial());
    for tag in ["far", "mobile"] {
        bench.receive(udp(2), &reply(&invite, 180, tag, None));
    }
    bench.receive(udp(2), &reply(&invite, 200, "far", Some(ANSWER)));
    let late = reply(&invite, 200, "mobile", Some(ANSWER));
    let heard = bench.receive(udp(2), &late);
    assert_eq!((heard.summary().as_str(), heard.words()), ("ACK BYE", vec![]));
    assert_eq!(heard.request("BYE").to().unwrap().tag.as_deref(), Some("mobile"));
    assert_eq!(bench.receive(udp(2), &late).summary(), "ACK", "its BYE is on its way already");
    let stray = heard.request("BYE");
    assert_eq!(bench.receive(udp(2), &reply(&stray, 200, "", None)).0, [], "the call itself goes on");
    let bye = bench.handle(Input::HangUp { session, reason: None }).request("BYE");
    assert_eq!(bench.receive(udp(2), &reply(&bye, 200, "", None)).words(), [ended(session, EndedBy::Us)]);
    let last = bench.receive(udp(2), &reply(&invite, 200, "voicemail", Some(ANSWER)));
    assert_eq!((last.summary().as_str(), last.words()), ("ACK BYE", vec![]));
}

#[test]
fn line_07_a_redirection_fails_and_is_not_followed() {
    let mut bench = Bench::default();
    let (session, invite) = bench.dial(dial());
    let moved = reply_with(&invite, 302, "far", None, "Contact: <sip:premium@10.9.9.9>\r\n");
    let heard = bench.receive(udp(2), &moved);
    assert_eq!((heard.summary().as_str(), heard.words()), ("ACK", vec![Output::Failed { session, status: 302 }]));
    assert_eq!(bench.receive(udp(2), &moved).summary(), "ACK", "repeated");
    assert_eq!(bench.pass(secs(60)).0, []);
}

fn with_credential() -> Dial {
    let password = Pii::new("wholesale".into());
    let credential = Some(DialCredential { realm: "carrier.example".into(), username: "us".into(), password });
    Dial { credential, ..dial() }
}

fn challenge(realm: &str, nonce: &str) -> String {
    let list = [Algorithm::Md5, Algorithm::Sha256].map(|algorithm| Challenge::new(realm, nonce, algorithm, false));
    list.map(|challenge| format!("Proxy-Authenticate: {challenge}\r\n")).concat()
}

#[test]
fn a_challenge_of_the_configured_realm_is_answered_once() {
    let mut bench = Bench::default();
    let (session, invite) = bench.dial(with_credential());
    let heard = bench.receive(udp(2), &reply_with(&invite, 407, "p", None, &challenge("carrier.example", "n1")));
    assert_eq!((heard.summary().as_str(), heard.words()), ("ACK INVITE", vec![]));
    let second = heard.request("INVITE");
    assert_eq!(second.cseq().unwrap().0, 2);
    assert_eq!((second.call_id(), second.from().unwrap().tag), (invite.call_id(), invite.from().unwrap().tag));
    let credentials = second.proxy_authorization().unwrap().remove(0);
    assert_eq!((credentials.algorithm, credentials.username.as_str()), (Algorithm::Sha256, "us"));
    assert!(credentials.verify(Secret::Password("wholesale"), &Method::Invite, OFFER.as_bytes()));
    let answered = bench.receive(udp(2), &reply(&second, 200, "far", Some(ANSWER)));
    assert!(answered.request("ACK").has(HeaderId::ProxyAuthorization), "RFC 3261 22.1");
    assert_eq!(answered.words(), [Output::Answered { session, sdp: ANSWER.into() }]);

    let mut bench = Bench::default();
    let (session, invite) = bench.dial(with_credential());
    let again = |invite| reply_with(invite, 407, "p", None, &challenge("carrier.example", "n1"));
    let second = bench.receive(udp(2), &again(&invite)).request("INVITE");
    assert_eq!(bench.receive(udp(2), &again(&second)).words(), [Output::Failed { session, status: 407 }]);
}

/// Security row 26 (CVE-2021-41158).
#[test]
fn credentials_go_to_no_other_realm_and_not_into_calls_that_came_in() {
    let mut bench = Bench::default();
    let (session, invite) = bench.dial(with_credential());
    let heard = bench.receive(udp(2), &reply_with(&invite, 407, "p", None, &challenge("evil.example", "n1")));
    assert_eq!((heard.summary().as_str(), heard.words()), ("ACK", vec![Output::Failed { session, status: 407 }]));

    let mut bench = Bench::default();
    let (session, _) = bench.answered();
    let bye = bench.handle(Input::HangUp { session, reason: None }).request("BYE");
    let heard = bench.receive(udp(2), &reply_with(&bye, 407, "", None, &challenge("carrier.example", "n1")));
    assert_eq!(heard.0, [ended(session, EndedBy::Us)]);
}

#[test]
fn a_carrier_that_challenges_bye_gets_its_digest() {
    let mut bench = Bench::default();
    let (session, invite) = bench.dial(with_credential());
    bench.receive(udp(2), &reply(&invite, 200, "far", Some(ANSWER)));
    let bye = bench.handle(Input::HangUp { session, reason: None }).request("BYE");
    let heard = bench.receive(udp(2), &reply_with(&bye, 407, "", None, &challenge("carrier.example", "n2")));
    let second = heard.request("BYE");
    let credentials = second.proxy_authorization().unwrap().remove(0);
    assert_eq!(credentials.uri, second.uri().unwrap().to_string());
    assert!(second.cseq().unwrap().0 > bye.cseq().unwrap().0);
    assert_eq!(bench.receive(udp(2), &reply(&second, 200, "", None)).words(), [ended(session, EndedBy::Us)]);
}

#[test]
fn a_flow_that_fails_fails_the_invite_with_503() {
    let mut bench = Bench::default();
    let (session, _) = bench.dial(dial());
    let heard = bench.handle(Input::TransportFailed { flow: udp(2) });
    assert_eq!(heard.0, [Output::Failed { session, status: 503 }]);
    assert_eq!((bench.endpoint.sessions(), bench.endpoint.transactions()), (0, 0));
}

#[test]
fn an_answer_only_in_the_183_counts_and_none_at_all_fails_with_ack_and_bye() {
    let mut bench = Bench::default();
    let (session, invite) = bench.dial(dial());
    bench.receive(udp(2), &reply(&invite, 183, "far", Some(ANSWER)));
    let heard = bench.receive(udp(2), &reply(&invite, 200, "far", None));
    assert_eq!(heard.words(), [Output::Answered { session, sdp: ANSWER.into() }]);

    let mut bench = Bench::default();
    let (session, invite) = bench.dial(dial());
    let heard = bench.receive(udp(2), &reply(&invite, 200, "far", None));
    assert_eq!((heard.summary().as_str(), heard.words()), ("ACK BYE", vec![Output::Failed { session, status: 488 }]));
}

#[test]
fn names_and_numbers_are_quoted_and_no_header_can_be_smuggled_in() {
    let mut bench = Bench::default();
    let dial = Dial {
        from_display: Pii::new("ACME \"es\"\r\nX-Evil: 1".into()),
        from_user: Pii::new("a b@c".into()),
        headers: vec![
            ("Call-Info".into(), "<sip:x>;answer-after=0".into()),
            ("X-Note".into(), "a\r\nX-Evil: 2".into()),
            ("Via".into(), "SIP/2.0/UDP evil".into()),
            ("t".into(), "<sip:evil@x>".into()),
            ("Max-Forwards".into(), "12".into()),
        ],
        ..dial()
    };
    let (_, invite) = bench.dial(dial);
    assert_eq!(invite.check_request(), Ok(()));
    assert_eq!(invite.headers_named("X-Evil").count() + invite.headers_named("X-Note").count(), 0);
    assert_eq!(
        (field(&invite, HeaderId::CallInfo).as_str(), field(&invite, HeaderId::MaxForwards).as_str()),
        ("<sip:x>;answer-after=0", "12")
    );
    let from = invite.from().unwrap();
    assert_eq!(from.uri.user().as_deref(), Some("a b@c"));
    assert_eq!(from.display.as_deref(), Some("ACME \"es\"X-Evil: 1"));
}

#[test]
fn an_address_that_is_none_fails_at_once() {
    let mut bench = Bench::default();
    let session = bench.endpoint.new_session();
    for uri in ["nonsense", "mailto:a@b", "sip:"] {
        let heard = bench.handle(Input::Invite { session, dial: Box::new(Dial { uri: uri.into(), ..dial() }) });
        assert_eq!(heard.0, [Output::Failed { session, status: 400 }], "{uri}");
    }
    assert_eq!(bench.endpoint.sessions(), 0);
}

#[test]
fn a_bye_in_the_early_dialog_ends_the_call_with_a_cancel() {
    let mut bench = Bench::default();
    let (session, invite) = bench.dial(dial());
    bench.receive(udp(2), &reply(&invite, 180, "far", None));
    let ours = invite.from().unwrap().tag.unwrap();
    let bye = Ask::within("BYE", 1, &ours).set("From", "<sip:ana@10.0.0.2>;tag=far").set("Call-ID", "out-1");
    assert_eq!(bench.receive(udp(2), &bye.text()).summary(), "200 CANCEL");
    let heard = bench.receive(udp(2), &reply(&invite, 487, "far", None));
    assert_eq!(heard.words(), [ended(session, EndedBy::Peer)]);
}

/// RFC 3261 12.1.2: the caller's route set is Record-Route in reverse.
#[test]
fn the_way_back_is_the_record_route_reversed() {
    let mut bench = Bench::default();
    let (session, invite) = bench.dial(dial());
    let record = "Record-Route: <sip:10.0.0.9;lr>, <sip:10.0.0.8;lr>\r\nRecord-Route: <sip:10.0.0.7;lr>\r\n";
    let heard = bench.receive(udp(2), &reply_with(&invite, 200, "far", Some(ANSWER), record));
    let routes = |message: &sip::Message| message.routes().unwrap().iter().map(|route| route.uri.to_string()).collect::<Vec<_>>();
    assert_eq!(routes(&heard.request("ACK")), ["sip:10.0.0.7;lr", "sip:10.0.0.8;lr", "sip:10.0.0.9;lr"]);
    assert_eq!(heard.sent()[0].0.remote, "10.0.0.7:5060".parse().unwrap());
    let bye = bench.handle(Input::HangUp { session, reason: None }).request("BYE");
    assert_eq!(routes(&bye)[0], "sip:10.0.0.7;lr");
}

/// Only so many ACKs are kept: a 200 of the call itself is no fork's, even when its ACK is forgotten.
#[test]
fn a_very_late_200_of_the_call_itself_never_ends_it() {
    let mut bench = Bench::default();
    let (session, invite) = bench.connected();
    for _ in 0..20 {
        let reinvite = bench.handle(Input::Reoffer { session, sdp: OFFER.into() }).request("INVITE");
        bench.receive(udp(2), &reply(&reinvite, 200, "", Some(ANSWER)));
    }
    assert_eq!(bench.receive(udp(2), &reply(&invite, 200, "far", Some(ANSWER))).0, []);
    assert_eq!(bench.endpoint.sessions(), 1);
}

/// RFC 5373, and what phones knew before it.
#[test]
fn line_08_a_phone_is_asked_to_answer_by_itself_in_each_way_that_phones_know() {
    let (_, invite) = Bench::default().dial(Dial { auto_answer: true, ..dial() });
    let expected = [
        (HeaderId::AnswerMode, "Auto"),
        (HeaderId::CallInfo, "<sip:centre.example>;answer-after=0"),
        (HeaderId::AlertInfo, "<http://centre.example>;info=alert-autoanswer"),
    ];
    for (id, value) in expected {
        assert_eq!(field(&invite, id), value);
    }
    assert!(!field(&invite, HeaderId::Require).contains("answermode"), "a phone that does not know it rings");
    let (_, plain) = Bench::default().dial(dial());
    assert!(expected.iter().all(|(id, _)| !plain.has(*id)));
}

/// RFC 3261 18.1.1 wants TCP above 1300 bytes. We never get there: the longest INVITEs of both kinds.
#[test]
fn an_invite_to_a_phone_or_a_trunk_fits_a_datagram() {
    const FULL: &str = "v=0\r\no=centralita 1790000000 1790000000 IN IP4 203.0.113.110\r\ns=-\r\nc=IN IP4 203.0.113.110\r\nt=0 0\r\n\
        m=audio 30000 RTP/AVP 8 0 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\n\
        a=fmtp:101 0-16\r\na=ptime:20\r\na=sendrecv\r\na=rtcp:30001\r\n";
    let headers =
        vec![("X-Centralita-Call".into(), "0123456789abcdef0123456789abcdef".into()), ("Max-Breadth".into(), "60".into())];
    let call_id: std::sync::Arc<str> = "0123456789abcdef0123456789abcdef@centre.example".into();
    let display = Pii::new("ACME Seguros · español · +34600111222".into());
    let long = Dial { sdp: FULL.into(), from_display: display, headers, call_id, ..with_credential() };
    let (_, to_phone) = Bench::default().dial(Dial { auto_answer: true, ..long.clone() });
    let mut bench = Bench::default();
    let (_, first) = bench.dial(Dial { from_user: Pii::new("+34911222333".into()), ..long });
    let lines = challenge("carrier.example", "0123456789abcdef0123456789abcdef");
    let to_trunk = bench.receive(udp(2), &reply_with(&first, 407, "p", None, &lines)).request("INVITE");
    for invite in [to_phone, to_trunk] {
        assert!(invite.bytes().len() <= 1300, "{}", invite.bytes().len());
    }
}
