//! Calls that come in (RFC 3261 13.3, 15).

use crate::bench::*;
use sip::{EndedBy, HeaderId, Input, Message, Output, Peer, Reason, Refusal};

fn ended(session: sip::SessionId, by: EndedBy) -> Output {
    Output::Ended { session, by, reason: None }
}

#[test]
fn a_call_is_announced_rung_answered_confirmed_and_ended_by_the_caller() {
    let mut bench = Bench::default();
    let (session, heard) = bench.incoming();
    assert_eq!(heard.summary(), "100");
    let [Output::Incoming { peer, invite, .. }] = &heard.words()[..] else { panic!("{heard:?}") };
    assert_eq!((peer, &*invite.dialled), (&Peer::Trunk("acme".into()), "900"));
    assert_eq!((&**invite.caller.reveal(), &**invite.caller_name.reveal(), &*invite.call_id), ("bob", "Bob", "in-1"));
    assert_eq!(invite.offer.as_deref(), Some(OFFER.as_bytes()));

    let ringing = bench.handle(Input::Ring { session, status: 180, sdp: None }).response(180);
    let ok = bench.handle(Input::Answer { session, sdp: ANSWER.into() }).response(200);
    let tag = ok.to().unwrap().tag.unwrap();
    assert_eq!(ringing.to().unwrap().tag.as_ref(), Some(&tag));
    assert!(tag.len() >= 16, "64 random bits: {tag}");
    assert_eq!(ok.contact().unwrap().uri.to_string(), "sip:centralita@10.0.0.1:5060");
    assert_eq!(ok.body(), ANSWER);

    let confirmed = bench.receive(udp(2), &Ask::within("ACK", 1, &tag).text());
    assert_eq!(confirmed.0, [Output::Confirmed { session, sdp: None }]);
    let bye = bench.receive(udp(2), &Ask::within("BYE", 2, &tag).set("Reason", "Q.850;cause=16;text=\"bye\"").text());
    assert_eq!(bye.summary(), "200");
    let reason = Some(Reason { protocol: "Q.850".into(), cause: 16, text: "bye".into() });
    assert_eq!(bye.words(), [Output::Ended { session, by: EndedBy::Peer, reason }]);
    bench.pass(secs(40));
    assert_eq!((bench.endpoint.sessions(), bench.endpoint.transactions(), bench.endpoint.deadline()), (0, 0, None));
}

#[test]
fn the_200_is_repeated_at_t1_to_t2_until_its_ack() {
    let mut bench = Bench::default();
    let (session, _) = bench.incoming();
    bench.handle(Input::Answer { session, sdp: ANSWER.into() });
    for (span, expected) in [(499, ""), (1, "200"), (999, ""), (1, "200"), (2000, "200"), (4000, "200"), (4000, "200")] {
        assert_eq!(bench.pass(ms(span)).summary(), expected);
    }
}

#[test]
fn without_an_ack_the_session_is_lost_after_64_t1_with_a_bye() {
    let mut bench = Bench::default();
    let (session, _) = bench.incoming();
    bench.handle(Input::Answer { session, sdp: ANSWER.into() });
    bench.pass(ms(31_999));
    let heard = bench.pass(ms(1));
    assert_eq!(heard.words(), [ended(session, EndedBy::Lost)]);
    assert_eq!(heard.request("BYE").from().unwrap().tag.map(|tag| tag.len()), Some(16));
    bench.pass(secs(33));
    assert_eq!(bench.endpoint.transactions(), 0);
}

#[test]
fn line_05_a_repeated_invite_gets_the_last_response_and_no_second_session() {
    let mut bench = Bench::default();
    let (session, _) = bench.incoming();
    let again = Ask::invite().text();
    assert_eq!(bench.receive(udp(2), &again).summary(), "100");
    bench.handle(Input::Ring { session, status: 183, sdp: Some(ANSWER.into()) });
    let repeated = bench.receive(udp(2), &again);
    assert_eq!((repeated.summary().as_str(), repeated.words().len()), ("183", 0));
    bench.handle(Input::Answer { session, sdp: ANSWER.into() });
    // RFC 6026: the accepted transaction absorbs it; the session repeats its 200 by itself.
    assert_eq!(bench.receive(udp(2), &again).0, []);
}

#[test]
fn ringing_is_said_again_each_minute() {
    let mut bench = Bench::default();
    let (session, _) = bench.incoming();
    bench.handle(Input::Ring { session, status: 180, sdp: None });
    assert_eq!(bench.pass(secs(180)).summary(), "180 180 180");
    bench.handle(Input::Reject { session, refusal: refusal(480) });
    assert!(!bench.pass(secs(180)).summary().contains("180"));
}

fn refusal(status: u16) -> Refusal {
    let reason = Some(Reason { protocol: "Q.850".into(), cause: 17, text: "User busy".into() });
    Refusal { status, phrase: None, reason, retry_after: Some(3) }
}

#[test]
fn a_refusal_says_why_and_is_repeated_until_its_ack() {
    let mut bench = Bench::default();
    let (session, _) = bench.incoming();
    let heard = bench.handle(Input::Reject { session, refusal: refusal(486) });
    let busy = heard.response(486);
    assert_eq!(field(&busy, HeaderId::Reason), "Q.850;cause=17;text=\"User busy\"");
    assert_eq!(field(&busy, HeaderId::RetryAfter), "3");
    assert_eq!(heard.words(), [ended(session, EndedBy::Us)]);
    assert_eq!(bench.pass(ms(1500)).summary(), "486 486");
    let tag = busy.to().unwrap().tag.unwrap();
    let ack = Ask::within("ACK", 1, &tag).set("Via", "SIP/2.0/UDP 10.0.0.2:5060;rport;branch=z9hG4bKinv");
    assert_eq!(bench.receive(udp(2), &ack.text()).0, []);
    assert_eq!(bench.pass(secs(32)).0, []);
    assert_eq!(bench.endpoint.transactions(), 0);
}

fn cancel() -> String {
    Ask::new("CANCEL", "inv").set("Reason", "SIP;cause=487").text()
}

#[test]
fn line_01_cancel_in_time_ends_the_invite_with_487() {
    let mut bench = Bench::default();
    let (session, _) = bench.incoming();
    let heard = bench.receive(udp(2), &cancel());
    assert_eq!(heard.summary(), "200 487");
    assert_eq!(heard.response(200).to(), heard.response(487).to());
    assert!(
        matches!(&heard.words()[..], [Output::Ended { session: s, by: EndedBy::Peer, reason: Some(r) }] if *s == session && r.cause == 487)
    );
    // The engine's answer was on its way.
    assert_eq!(bench.handle(Input::Answer { session, sdp: ANSWER.into() }).0, []);
    assert_eq!(bench.receive(udp(2), &cancel()).summary(), "200");
}

#[test]
fn line_01_cancel_that_crosses_our_200_changes_nothing() {
    let mut bench = Bench::default();
    let (session, _) = bench.incoming();
    let ok = bench.handle(Input::Answer { session, sdp: ANSWER.into() }).response(200);
    let heard = bench.receive(udp(2), &cancel());
    assert_eq!((heard.summary().as_str(), heard.words().len()), ("200", 0));
    let tag = ok.to().unwrap().tag.unwrap();
    let confirmed = bench.receive(udp(2), &Ask::within("ACK", 1, &tag).text());
    assert_eq!(confirmed.0, [Output::Confirmed { session, sdp: None }]);
}

#[test]
fn line_20_cancel_matches_by_branch_and_sent_by_and_never_by_tags() {
    let mut bench = Bench::default();
    bench.incoming();
    let other = Ask::new("CANCEL", "guess").text();
    assert_eq!(bench.receive(udp(2), &other).summary(), "481");
    let elsewhere = Ask::new("CANCEL", "inv").set("Via", "SIP/2.0/UDP 10.0.0.7:5060;rport;branch=z9hG4bKinv");
    assert_eq!(bench.receive(udp(7), &elsewhere.text()).summary(), "481");
    assert_eq!(bench.endpoint.sessions(), 1);
}

#[test]
fn line_01_bye_in_the_early_dialog_ends_the_invite_with_487() {
    let mut bench = Bench::default();
    let (session, _) = bench.incoming();
    let ringing = bench.handle(Input::Ring { session, status: 180, sdp: None }).response(180);
    let tag = ringing.to().unwrap().tag.unwrap();
    let heard = bench.receive(udp(2), &Ask::within("BYE", 2, &tag).text());
    assert_eq!(heard.summary(), "200 487");
    assert_eq!(heard.words(), [ended(session, EndedBy::Peer)]);
}

#[test]
fn hanging_up_refuses_what_is_not_answered_and_says_bye_to_what_is() {
    let mut bench = Bench::default();
    let (session, _) = bench.incoming();
    let heard = bench.handle(Input::HangUp { session, reason: None });
    assert_eq!((heard.summary().as_str(), heard.words()), ("480", vec![ended(session, EndedBy::Us)]));

    let mut bench = Bench::default();
    let (session, _) = bench.answered();
    let reason = Some(Reason { protocol: "SIP".into(), cause: 200, text: "done".into() });
    let heard = bench.handle(Input::HangUp { session, reason });
    let bye = heard.request("BYE");
    assert_eq!(field(&bye, HeaderId::Reason), "SIP;cause=200;text=\"done\"");
    assert_eq!(heard.words(), []);
    let done = bench.receive(udp(2), &reply(&bye, 200, "", None));
    assert_eq!(done.words(), [ended(session, EndedBy::Us)]);
}

/// RFC 3261 15: the callee's BYE waits for the ACK.
#[test]
fn hanging_up_before_the_ack_waits_for_it() {
    let mut bench = Bench::default();
    let (session, _) = bench.incoming();
    let ok = bench.handle(Input::Answer { session, sdp: ANSWER.into() }).response(200);
    assert_eq!(bench.handle(Input::HangUp { session, reason: None }).0, []);
    assert_eq!(bench.pass(ms(500)).summary(), "200");
    let tag = ok.to().unwrap().tag.unwrap();
    let heard = bench.receive(udp(2), &Ask::within("ACK", 1, &tag).text());
    assert_eq!(heard.summary(), "BYE");
    let bye = heard.request("BYE");
    assert_eq!(bench.receive(udp(2), &reply(&bye, 481, "", None)).words(), [ended(session, EndedBy::Us)]);
}

#[test]
fn byes_that_cross_end_the_session_once() {
    let mut bench = Bench::default();
    let (session, tag) = bench.answered();
    let bye = bench.handle(Input::HangUp { session, reason: None }).request("BYE");
    let theirs = bench.receive(udp(2), &Ask::within("BYE", 2, &tag).text());
    assert_eq!((theirs.summary().as_str(), theirs.words().len()), ("200", 0));
    assert_eq!(bench.receive(udp(2), &reply(&bye, 481, "", None)).words(), [ended(session, EndedBy::Us)]);
}

#[test]
fn a_bye_that_nobody_answers_ends_the_session_after_64_t1() {
    let mut bench = Bench::default();
    let (session, _) = bench.answered();
    bench.handle(Input::HangUp { session, reason: None });
    let heard = bench.pass(secs(32));
    assert_eq!(heard.words(), [ended(session, EndedBy::Us)]);
    assert_eq!(heard.summary().split(' ').filter(|sent| *sent == "BYE").count(), 10);
}

#[test]
fn an_invite_without_offer_gets_ours_and_its_ack_brings_the_answer() {
    let mut bench = Bench::default();
    let heard = bench.receive(udp(2), &Ask::invite().no_body().text());
    let session = heard.incoming();
    let ok = bench.handle(Input::Answer { session, sdp: OFFER.into() }).response(200);
    let tag = ok.to().unwrap().tag.unwrap();
    let confirmed = bench.receive(udp(2), &Ask::within("ACK", 1, &tag).sdp(ANSWER).text());
    assert_eq!(confirmed.0, [Output::Confirmed { session, sdp: Some(ANSWER.into()) }]);
}

#[test]
fn requests_in_the_dialog_are_answered_by_their_method_and_order() {
    let mut bench = Bench::default();
    let (session, tag) = bench.answered();
    let info = Ask::within("INFO", 5, &tag).sdp("Signal=5\r\n").set("Content-Type", "Application/DTMF-Relay;x=y");
    let heard = bench.receive(udp(2), &info.text());
    assert_eq!(heard.summary(), "200");
    let body = "Signal=5\r\n".into();
    assert_eq!(heard.words(), [Output::Info { session, content_type: "application/dtmf-relay".into(), body }]);
    assert_eq!(bench.receive(udp(2), &info.text()).summary(), "200", "repeated, said once");
    for (method, sequence, status) in
        [("OPTIONS", 4, 500), ("OPTIONS", 6, 200), ("SUBSCRIBE", 7, 405), ("PRACK", 9, 481), ("FOO", 10, 405)]
    {
        let heard = bench.receive(udp(2), &Ask::within(method, sequence, &tag).text());
        assert_eq!(heard.summary(), status.to_string(), "{method}");
    }
    let last_hop = Ask::within("OPTIONS", 11, &tag).set("Max-Forwards", "0").text();
    assert_eq!(bench.receive(udp(2), &last_hop).summary(), "200");
    let unknown = Ask::within("OPTIONS", 12, &tag).set("Require", "timer, foo, bar").text();
    assert_eq!(field(&bench.receive(udp(2), &unknown).response(420), HeaderId::Unsupported), "foo, bar");
}

#[test]
fn a_hundred_calls_at_once_keep_to_themselves() {
    let mut bench = Bench::default();
    let invite = |n: u32| {
        let via = format!("SIP/2.0/UDP 10.0.0.2:5060;rport;branch=z9hG4bK{n}");
        Ask::invite().set("Via", &via).set("Call-ID", &format!("call-{n}")).uri(&format!("sip:{n}@10.0.0.1"))
    };
    let sessions: Vec<_> = (0..100).map(|n| bench.receive(udp(2), &invite(n).text()).incoming()).collect();
    assert_eq!(bench.endpoint.sessions(), 100);
    let tags: Vec<String> = sessions
        .iter()
        .map(|session| {
            let ok = bench.handle(Input::Answer { session: *session, sdp: ANSWER.into() }).response(200);
            ok.to().unwrap().tag.unwrap()
        })
        .collect();
    for (n, tag) in tags.iter().enumerate().rev() {
        let call_id = format!("call-{n}");
        let via = |method: &str| format!("SIP/2.0/UDP 10.0.0.2:5060;rport;branch=z9hG4bK{method}{n}");
        let ask = |method, cseq| Ask::within(method, cseq, tag).set("Call-ID", &call_id).set("Via", &via(method));
        assert_eq!(bench.receive(udp(2), &ask("ACK", 1).text()).words().len(), 1);
        let heard = bench.receive(udp(2), &ask("BYE", 2).text());
        assert_eq!(heard.words(), [ended(sessions[n], EndedBy::Peer)]);
    }
    assert_eq!(bench.endpoint.sessions(), 0);
    bench.pass(secs(33));
    assert_eq!(bench.endpoint.transactions(), 0);
}

#[test]
fn responses_go_to_the_source_and_carry_received_and_rport() {
    let mut bench = Bench::default();
    // Behind NAT: the sent-by is not where it came from.
    let from = sip::Flow { remote: "10.0.0.2:40000".parse().unwrap(), ..udp(2) };
    let via = "SIP/2.0/UDP 192.168.1.7:5060;rport;branch=z9hG4bKnat";
    let heard = bench.receive(from, &Ask::invite().set("Via", via).text());
    assert_eq!(heard.sent()[0].0, from);
    let trying = heard.response(100).via().unwrap();
    assert_eq!((trying.received, trying.rport), (Some("10.0.0.2".parse().unwrap()), Some(Some(40000))));

    // No rport and no NAT: the port of the sent-by (RFC 3261 18.2.2).
    let via = "SIP/2.0/UDP 10.0.0.2:5070;branch=z9hG4bKplain";
    let heard = bench.receive(from, &Ask::invite().set("Via", via).set("Call-ID", "other").text());
    assert_eq!(heard.sent()[0].0.remote, "10.0.0.2:5070".parse().unwrap());

    // No rport, but behind NAT all the same: only the source can be reached.
    let via = "SIP/2.0/UDP 192.168.1.7:5070;branch=z9hG4bKmute";
    let heard = bench.receive(from, &Ask::invite().set("Via", via).set("Call-ID", "third").text());
    assert_eq!(heard.sent()[0].0, from);
}

#[test]
fn record_route_is_returned_and_followed() {
    let mut bench = Bench::default();
    let record = "<sip:10.0.0.9;lr>, <sip:10.0.0.8;lr>";
    let heard = bench.receive(udp(2), &Ask::invite().set("Record-Route", record).text());
    let session = heard.incoming();
    let ok = bench.handle(Input::Answer { session, sdp: ANSWER.into() }).response(200);
    assert_eq!(field(&ok, HeaderId::RecordRoute), record);
    let tag = ok.to().unwrap().tag.unwrap();
    bench.receive(udp(2), &Ask::within("ACK", 1, &tag).text());
    let heard = bench.handle(Input::HangUp { session, reason: None });
    let (flow, bytes) = heard.sent().remove(0);
    assert_eq!(flow.remote, "10.0.0.9:5060".parse().unwrap());
    let routes = Message::parse(bytes).unwrap().routes().unwrap();
    assert_eq!(routes.iter().map(|route| route.uri.to_string()).collect::<Vec<_>>(), ["sip:10.0.0.9;lr", "sip:10.0.0.8;lr"]);
}
