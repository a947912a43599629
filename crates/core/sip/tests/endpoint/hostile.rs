//! Garbage, guesses, floods and loops (security rows 3, 6 to 10, 15, 16, 24 to 28, 34 to 37, 45).

use crate::bench::*;
use sip::{HeaderId, Input, Output};

fn answer(ask: &Ask) -> String {
    Bench::default().receive(udp(2), &ask.text()).summary()
}

#[test]
fn requests_are_refused_by_what_is_wrong_with_them() {
    let long = "a, ".repeat(300);
    let many: String = (0..1000).map(|n| format!("text/{n}\r\nAccept: ")).collect();
    for (ask, expected) in [
        (Ask::new("BOGUS", "a"), "405"),
        (Ask::invite().set("Require", "foo"), "420"),
        (Ask::invite().uri("mailto:a@b"), "416"),
        (Ask::invite().set("Content-Type", "multipart/mixed;boundary=x"), "415"),
        (Ask::invite().set("Content-Encoding", "gzip"), "415"),
        (Ask::invite().set("Max-Forwards", "0"), "483"),
        (Ask::new("OPTIONS", "a").set("Max-Forwards", "0"), "483"),
        (Ask::invite().set("Max-Breadth", "0"), "440"),
        (Ask::invite().set("Max-Forwards", "many"), "400"),
        (Ask::invite().without("Contact"), "400"),
        (Ask::invite().set("Contact", "<nonsense"), "400"),
        (Ask::invite().uri("sip:9%0d%0aX@10.0.0.1"), "400"),
        (Ask::invite().set("From", "<sip:a@b>;tag="), "400"),
        (Ask::invite().set("CSeq", "1 OPTIONS"), "400"),
        (Ask::new("REGISTER", "a").set("Via", "SIP/2.0/UDP 10.0.0.2;branch="), "400"),
        (Ask::new("REGISTER", "a").set("Authorization", "Digest username=\"x"), "400"),
        (Ask::new("SUBSCRIBE", "a").set("Accept", &many), "400"),
        (Ask::invite().set("Allow", &long), "100"),
        (Ask::new("UPDATE", "a"), "481"),
        (Ask::new("BYE", "a"), "481"),
        (Ask::new("PRACK", "a"), "481"),
        (Ask::new("ACK", "a"), ""),
        (Ask::new("ACK", "a").set("Max-Forwards", "x"), ""),
        (Ask::new("REFER", "a").set("Refer-To", "<sip:premium@x>"), "405"),
        (Ask::new("OPTIONS", "a"), "200"),
    ] {
        assert_eq!(answer(&ask), expected, "{}", ask.text());
    }
    let old = Ask::invite().text().replacen("SIP/2.0", "SIP/7.0", 1);
    assert_eq!(Bench::default().receive(udp(2), &old).summary(), "505");
}

#[test]
fn what_a_refusal_must_say_is_in_it() {
    let heard = |ask: Ask| Bench::default().receive(udp(2), &ask.text());
    assert!(field(&heard(Ask::new("BOGUS", "a")).response(405), HeaderId::Allow).contains("INVITE, ACK"));
    assert_eq!(field(&heard(Ask::invite().set("Require", "foo, bar")).response(420), HeaderId::Unsupported), "foo, bar");
    let media = heard(Ask::invite().set("Content-Type", "text/plain")).response(415);
    assert_eq!(field(&media, HeaderId::Accept), "application/sdp");
    let options = heard(Ask::new("OPTIONS", "a")).response(200);
    assert!([HeaderId::Allow, HeaderId::Accept, HeaderId::Supported].iter().all(|id| options.has(*id)));
}

/// Rows 27 and 28.
#[test]
fn strangers_are_asked_who_they_are_whatever_they_want() {
    for method in ["MESSAGE", "SUBSCRIBE", "PUBLISH", "REFER", "NOTIFY", "INVITE", "REGISTER"] {
        let ask = Ask::new(method, "a").set("Via", "SIP/2.0/UDP 10.0.0.9:5060;rport;branch=z9hG4bKa");
        assert_eq!(Bench::default().receive(udp(9), &ask.text()).summary(), "401", "{method}");
    }
}

#[test]
fn line_20_a_request_that_comes_on_two_paths_is_merged() {
    let mut bench = Bench::default();
    bench.incoming();
    let second = Ask::invite().set("Via", "SIP/2.0/UDP 10.0.0.2:5060;rport;branch=z9hG4bKother").text();
    let heard = bench.receive(udp(2), &second);
    assert_eq!((heard.summary().as_str(), heard.words().len()), ("482", 0));
}

/// RFC 7332: our own Via in the stack.
#[test]
fn line_20_a_call_of_ours_that_comes_back_to_whom_it_was_for_is_a_loop_and_to_another_a_spiral() {
    let mut bench = Bench::default();
    let (_, invite) = bench.dial(dial());
    let ours = field(&invite, HeaderId::Via);
    let via = format!("SIP/2.0/UDP 10.0.0.2:5060;rport;branch=z9hG4bKproxy, {ours}");
    let ask = Ask::invite().set("Via", &via).uri("sip:ana@10.0.0.1");
    assert_eq!(bench.receive(udp(2), &ask.text()).summary(), "482");
    // RFC 3261 16.3: a spiral. Its hops go on counting.
    let ask = ask.uri("sip:900@10.0.0.1").set("Max-Forwards", "7").set("Max-Breadth", "4");
    let heard = bench.receive(udp(2), &ask.text());
    let [Output::Incoming { invite, .. }] = &heard.words()[..] else { panic!("{heard:?}") };
    assert_eq!((invite.max_forwards, invite.max_breadth), (7, 4));
    let options = Ask::new("OPTIONS", "o").set("Via", &via).uri("sip:ana@10.0.0.1").text();
    assert_eq!(bench.receive(udp(2), &options).summary(), "482");
}

/// RFC 7332 4, RFC 5393 5.3.3.
#[test]
fn line_20_hops_and_breadth_are_handed_on() {
    let given = |headers: &[(&str, &str)]| {
        let headers = headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        let (_, invite) = Bench::default().dial(sip::Dial { headers, ..dial() });
        assert_eq!(invite.check_request(), Ok(()));
        (field(&invite, HeaderId::MaxForwards), field(&invite, HeaderId::MaxBreadth))
    };
    assert_eq!(given(&[]), ("70".into(), String::new()));
    assert_eq!(given(&[("Max-Forwards", "12"), ("Max-Breadth", "30")]), ("12".into(), "30".into()));
    assert_eq!(given(&[("Max-Forwards", "many"), ("Max-Breadth", "-1")]), ("70".into(), String::new()));
    let (_, heard) = Bench::default().incoming();
    let [Output::Incoming { invite, .. }] = &heard.words()[..] else { panic!("{heard:?}") };
    assert_eq!((invite.max_forwards, invite.max_breadth), (70, 60), "where the request does not say");
}

/// Row 34.
#[test]
fn guessed_tags_find_no_dialog() {
    let mut bench = Bench::default();
    let (_, tag) = bench.answered();
    for method in ["BYE", "INVITE", "INFO", "REFER", "UPDATE", "OPTIONS"] {
        let guessed = Ask::within(method, 2, "0123456789abcdef").text();
        assert_eq!(bench.receive(udp(2), &guessed).summary(), "481", "{method}");
        let theirs = Ask::within(method, 2, &tag).set("From", "<sip:bob@10.0.0.2>;tag=guess").text();
        assert_eq!(bench.receive(udp(9), &theirs).summary(), "481", "{method}");
        let other_call = Ask::within(method, 2, &tag).set("Call-ID", "other").text();
        assert_eq!(bench.receive(udp(2), &other_call).summary(), "481", "{method}");
    }
    assert_eq!(bench.endpoint.sessions(), 1);
}

/// Row 16: only SP and HTAB are whitespace.
#[test]
fn odd_whitespace_makes_no_new_call_of_an_in_dialog_request() {
    let mut bench = Bench::default();
    let (_, tag) = bench.answered();
    let odd = Ask::within("INVITE", 2, &tag).set("To", &format!("\u{b}<sip:900@centre.example>;tag={tag}"));
    let heard = bench.receive(udp(2), &odd.text());
    assert_eq!((heard.summary().as_str(), heard.words().len()), ("400", 0));
}

/// Rows 24 and 25.
#[test]
fn a_flood_of_strangers_leaves_nothing_behind() {
    let mut bench = Bench::default();
    for n in 0..3_000u32 {
        let source =
            sip::Flow { remote: std::net::SocketAddr::from((0xC633_0000u32.wrapping_add(n).to_be_bytes(), 5060)), ..udp(9) };
        let method = ["INVITE", "REGISTER", "OPTIONS"][n as usize % 3];
        let ask = Ask::new(method, &format!("{n}")).set("Call-ID", &format!("{n}"));
        let heard = bench.receive(source, &ask.text());
        assert!(heard.words().is_empty());
    }
    assert_eq!((bench.endpoint.transactions(), bench.endpoint.sessions(), bench.endpoint.deadline()), (0, 0, None));
}

/// Row 7.
#[test]
fn a_full_house_answers_503_without_state_and_lets_calls_end() {
    let mut config = config();
    config.max_transactions = 50;
    let mut bench = Bench::with(config);
    let (session, tag) = bench.answered();
    let refused: Vec<_> = (0..200)
        .map(|n| {
            let via = format!("SIP/2.0/UDP 10.0.0.2:5060;rport;branch=z9hG4bKf{n}");
            bench.receive(udp(2), &Ask::invite().set("Via", &via).set("Call-ID", &format!("{n}")).text())
        })
        .filter(|heard| heard.words().is_empty())
        .collect();
    assert_eq!((refused.len(), bench.endpoint.transactions()), (151, 50));
    let retry: u32 = field(&refused[0].response(503), HeaderId::RetryAfter).parse().unwrap();
    assert!((5..=30).contains(&retry));
    let bye = bench.receive(udp(2), &Ask::within("BYE", 2, &tag).text());
    assert!(matches!(&bye.words()[..], [Output::Ended { session: s, .. }] if *s == session));
}

/// Row 7.
#[test]
fn a_full_house_takes_a_call_again_the_moment_a_transaction_is_over_however_many_it_refused() {
    let mut config = config();
    config.max_transactions = 1;
    let mut bench = Bench::with(config);
    let (_, tag) = bench.answered();
    bench.receive(udp(2), &Ask::within("BYE", 2, &tag).text());
    let mut call = |wait, n: u32| {
        bench.pass(wait);
        let id = format!("next{n}");
        bench.receive(udp(2), &Ask::new("INVITE", &id).set("Call-ID", &id).text())
    };
    assert!((0..310).all(|n| call(ms(100), n).words().is_empty()), "for 31 s");
    assert!(matches!(&call(secs(1), 310).words()[..], [Output::Incoming { .. }]));
}

#[test]
fn a_peer_that_floods_its_own_dialog_is_bounded() {
    let mut config = config();
    config.max_transactions = 50;
    let mut bench = Bench::with(config);
    let (_, tag) = bench.answered();
    (2..1000).for_each(|n| drop(bench.receive(udp(2), &Ask::within("OPTIONS", n, &tag).text())));
    assert_eq!(bench.endpoint.transactions(), 100);
}

#[test]
fn sessions_are_bounded() {
    let mut config = config();
    config.max_sessions = 1;
    let mut bench = Bench::with(config);
    bench.incoming();
    let second = Ask::new("INVITE", "second").set("Call-ID", "second").text();
    assert_eq!(bench.receive(udp(2), &second).summary(), "503");
}

#[test]
fn draining_refuses_the_new_and_lets_the_old_end() {
    let mut bench = Bench::default();
    let (session, tag) = bench.answered();
    assert_eq!(bench.handle(Input::Drain).0, []);
    for ask in [Ask::new("INVITE", "new").set("Call-ID", "new"), Ask::new("OPTIONS", "new").set("Call-ID", "new")] {
        let heard = bench.receive(udp(2), &ask.text());
        assert!(heard.response(503).has(HeaderId::RetryAfter) && heard.words().is_empty());
    }
    let reinvite = bench.receive(udp(2), &Ask::within("INVITE", 2, &tag).sdp(OFFER).text());
    assert_eq!(reinvite.words(), [Output::Reoffered { session, sdp: Some(OFFER.into()) }]);
    assert_eq!(bench.receive(udp(2), &Ask::within("BYE", 3, &tag).text()).words().len(), 1);
}

#[test]
fn stray_responses_and_second_vias_are_dropped() {
    let mut bench = Bench::default();
    let (_, invite) = bench.dial(dial());
    let twice = reply(&invite, 180, "far", None).replacen("Via: ", "Via: SIP/2.0/UDP 10.0.0.5;branch=z9hG4bKx, ", 1);
    assert_eq!(bench.receive(udp(2), &twice).0, []);
    let guessed = reply(&invite, 200, "far", Some(ANSWER)).replacen("branch=z9hG4bK", "branch=z9hG4bKguess", 1);
    assert_eq!(bench.receive(udp(2), &guessed).0, []);
}

#[test]
fn a_stateless_refusal_has_the_same_tag_each_time() {
    let mut bench = Bench::default();
    let ask = Ask::new("OPTIONS", "a").text();
    let tag = |heard: Heard| heard.response(200).to().unwrap().tag.unwrap();
    assert_eq!(tag(bench.receive(udp(2), &ask)), tag(bench.receive(udp(2), &ask)));
}

/// RFC 3261 17.2.3: a peer of RFC 2543 has no magic cookie in its branches.
#[test]
fn a_caller_of_the_old_rfc_is_served() {
    let mut bench = Bench::default();
    let old = |method: &str, tag: &str| Ask::within(method, 1, tag).set("Via", "SIP/2.0/UDP 10.0.0.2:5060");
    let invite = old("INVITE", "x").set("To", "<sip:900@centre.example>").without("Contact").sdp(OFFER);
    let session = bench.receive(udp(2), &invite.text()).incoming();
    assert_eq!(bench.receive(udp(2), &invite.text()).summary(), "100", "repeated");
    let refusal = sip::Refusal { status: 486, phrase: None, reason: None, retry_after: None };
    let busy = bench.handle(Input::Reject { session, refusal }).response(486);
    bench.receive(udp(2), &old("ACK", &busy.to().unwrap().tag.unwrap()).text());
    assert_eq!(bench.pass(secs(10)).0, []);
}

#[test]
fn what_was_merged_is_forgotten_with_its_transaction() {
    let mut bench = Bench::default();
    let (session, _) = bench.incoming();
    let refusal = sip::Refusal { status: 486, phrase: None, reason: None, retry_after: None };
    bench.handle(Input::Reject { session, refusal });
    bench.pass(secs(33));
    let again = Ask::invite().set("Via", "SIP/2.0/UDP 10.0.0.2:5060;rport;branch=z9hG4bKother").text();
    assert_eq!(bench.receive(udp(2), &again).summary(), "100");
}
