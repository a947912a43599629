//! Provisionals that must arrive, both ways (RFC 3262).

use crate::bench::*;
use sip::{EndedBy, HeaderId, Input, Message, Output, SessionId};

fn supporting() -> Ask {
    Ask::invite().set("Supported", "timer-x, 100Rel")
}

fn requiring() -> Ask {
    Ask::invite().set("Require", "100rel")
}

fn prack(provisional: &Message, sequence: u32) -> Ask {
    let tag = provisional.to().unwrap().tag.unwrap();
    Ask::within("PRACK", sequence, &tag).set("RAck", &format!("{} 1 INVITE", field(provisional, HeaderId::RSeq)))
}

fn early(ask: &Ask) -> (Bench, SessionId, Message) {
    let mut bench = Bench::default();
    let session = bench.receive(udp(2), &ask.text()).incoming();
    let early = bench.handle(Input::Ring { session, status: 183, sdp: Some(ANSWER.into()) }).response(183);
    (bench, session, early)
}

fn is_reliable(message: &Message) -> bool {
    field(message, HeaderId::Require) == "100rel" && message.has(HeaderId::RSeq)
}

#[test]
fn early_media_is_sent_reliably_where_the_peer_can_and_repeated_until_its_prack() {
    let (mut bench, session, early) = early(&supporting());
    assert!(is_reliable(&early) && early.has(HeaderId::Contact) && early.body() == ANSWER);
    let rseq: u32 = field(&early, HeaderId::RSeq).parse().unwrap();
    assert!((1..1 << 31).contains(&rseq));
    // T1, doubled without an upper bound.
    for (span, expected) in [(499, ""), (1, "183"), (999, ""), (1, "183"), (2000, "183"), (4000, "183"), (7999, ""), (1, "183")] {
        assert_eq!(bench.pass(ms(span)).summary(), expected);
    }
    for wrong in
        ["1 1 INVITE".to_owned(), format!("{rseq} 2 INVITE"), format!("{rseq} 1 UPDATE"), format!("{rseq}"), String::new()]
    {
        let stray = prack(&early, 2)
            .set("RAck", &wrong)
            .set("CSeq", "1 PRACK")
            .set("Via", &format!("SIP/2.0/UDP a;branch=z9hG4bK{}", wrong.len()));
        assert!(["481", "500"].contains(&&*bench.receive(udp(2), &stray.text()).summary()), "{wrong}");
    }
    let heard = bench.receive(udp(2), &prack(&early, 20).text());
    assert_eq!((heard.summary().as_str(), heard.words().len()), ("200", 0));
    assert_eq!(bench.pass(secs(40)).0, []);
    // RFC 3261 13.2.1: the answer was given; the 200 has none.
    let ok = bench.handle(Input::Answer { session, sdp: ANSWER.into() }).response(200);
    assert_eq!((ok.body().len(), ok.to().unwrap().tag), (0, early.to().unwrap().tag));
    let confirmed = bench.receive(udp(2), &Ask::within("ACK", 1, &ok.to().unwrap().tag.unwrap()).text());
    assert_eq!(confirmed.words(), [Output::Confirmed { session, sdp: None }]);
    bench.handle(Input::HangUp { session, reason: None });
    bench.pass(secs(70));
    assert_eq!((bench.endpoint.transactions(), bench.endpoint.deadline()), (0, None));
}

#[test]
fn what_need_not_be_reliable_is_not() {
    let (_, _, plain) = early(&Ask::invite());
    assert!(!plain.has(HeaderId::RSeq) && plain.body() == ANSWER);
    let mut bench = Bench::default();
    let session = bench.receive(udp(2), &supporting().text()).incoming();
    let ringing = bench.handle(Input::Ring { session, status: 180, sdp: None }).response(180);
    assert!(!ringing.has(HeaderId::RSeq), "no SDP in it");
    // Required: each one.
    let mut bench = Bench::default();
    let session = bench.receive(udp(2), &requiring().text()).incoming();
    let first = bench.handle(Input::Ring { session, status: 180, sdp: None }).response(180);
    assert!(is_reliable(&first));
    // One at a time: the next waits for the PRACK, and has the next number.
    assert_eq!(bench.handle(Input::Ring { session, status: 183, sdp: Some(ANSWER.into()) }).0, []);
    assert_eq!(bench.handle(Input::Ring { session, status: 180, sdp: None }).0, []);
    let heard = bench.receive(udp(2), &prack(&first, 2).text());
    assert_eq!(heard.summary(), "200 180");
    let second = heard.response(180);
    assert_eq!(second.body(), ANSWER, "what is newer does not lose the SDP");
    let number = |message: &Message| field(message, HeaderId::RSeq).parse::<u32>().unwrap();
    assert_eq!(number(&second), number(&first) + 1);
    bench.receive(udp(2), &prack(&second, 3).text());
    let again = bench.pass(secs(60)).response(180);
    assert!(is_reliable(&again) && again.body().is_empty() && number(&again) == number(&second) + 1, "said again each minute");
}

#[test]
fn the_200_waits_for_the_prack_of_an_sdp_and_of_nothing_else() {
    let (mut bench, session, early) = early(&supporting());
    assert_eq!(bench.handle(Input::Answer { session, sdp: ANSWER.into() }).0, []);
    assert_eq!(bench.pass(ms(500)).summary(), "183");
    let heard = bench.receive(udp(2), &prack(&early, 2).text());
    assert_eq!(heard.summary(), "200 200");
    let tag = early.to().unwrap().tag.unwrap();
    assert_eq!(bench.receive(udp(2), &Ask::within("ACK", 1, &tag).text()).words(), [Output::Confirmed { session, sdp: None }]);

    let mut bench = Bench::default();
    let session = bench.receive(udp(2), &requiring().text()).incoming();
    let ringing = bench.handle(Input::Ring { session, status: 180, sdp: None }).response(180);
    let ok = bench.handle(Input::Answer { session, sdp: ANSWER.into() }).response(200);
    assert_eq!(ok.body(), ANSWER);
    assert_eq!(bench.pass(ms(499)).summary(), "", "a final response ends the repetitions");
    // RFC 3262 3: its PRACK is still answered, once.
    assert_eq!(bench.receive(udp(2), &prack(&ringing, 2).text()).summary(), "200");
    assert_eq!(bench.receive(udp(2), &prack(&ringing, 3).text()).summary(), "481");
}

#[test]
fn what_is_offered_while_the_200_waits_follows_it() {
    let (mut bench, session, early) = early(&supporting());
    assert_eq!(bench.handle(Input::Reoffer { session, sdp: OFFER.into() }).0, [], "not answered");
    bench.handle(Input::Answer { session, sdp: ANSWER.into() });
    assert_eq!(bench.handle(Input::Reoffer { session, sdp: ANSWER.into() }).0, []);
    let heard = bench.handle(Input::Reoffer { session, sdp: OFFER.into() });
    assert_eq!(heard.words(), [Output::ReofferDone { session, result: Err(491) }]);
    assert_eq!(bench.receive(udp(2), &prack(&early, 2).text()).summary(), "200 200");
    let tag = early.to().unwrap().tag.unwrap();
    let heard = bench.receive(udp(2), &Ask::within("ACK", 1, &tag).text());
    assert_eq!((heard.summary().as_str(), heard.request("INVITE").body()), ("INVITE", OFFER.into()));
}

#[test]
fn a_prack_offers_only_what_may_be_offered() {
    // The first offer has no answer yet.
    let mut bench = Bench::default();
    let session = bench.receive(udp(2), &requiring().text()).incoming();
    let ringing = bench.handle(Input::Ring { session, status: 180, sdp: None }).response(180);
    let heard = bench.receive(udp(2), &prack(&ringing, 2).sdp(OFFER).text());
    assert_eq!((heard.summary().as_str(), heard.words().len()), ("491", 0));
    let early = bench.handle(Input::Ring { session, status: 183, sdp: Some(ANSWER.into()) }).response(183);
    assert_eq!(bench.receive(udp(2), &prack(&early, 3).sdp(OFFER).text()).words().len(), 1);
    // Theirs is not answered, and the next provisional brings another.
    let again = bench.handle(Input::Ring { session, status: 180, sdp: None }).response(180);
    assert!(bench.receive(udp(2), &prack(&again, 4).sdp(OFFER).text()).response(500).has(HeaderId::RetryAfter));
    assert_eq!(bench.handle(Input::AnswerReoffer { session, sdp: ANSWER.into() }).summary(), "200");
}

#[test]
fn without_a_prack_the_call_is_refused_after_64_t1() {
    let (mut bench, session, _) = early(&supporting());
    bench.pass(ms(31_999));
    let heard = bench.pass(ms(1));
    assert_eq!(heard.words(), [Output::Ended { session, by: EndedBy::Lost, reason: None }]);
    assert!(heard.summary().ends_with("504"));
    bench.pass(secs(40));
    assert_eq!((bench.endpoint.sessions(), bench.endpoint.transactions(), bench.endpoint.deadline()), (0, 0, None));
}

#[test]
fn cancel_bye_and_refusal_end_the_repetitions() {
    for way in 0..3 {
        let (mut bench, session, early) = early(&supporting());
        let tag = early.to().unwrap().tag.unwrap();
        let refusal = sip::Refusal { status: 486, phrase: None, reason: None, retry_after: None };
        let heard = match way {
            0 => bench.receive(udp(2), &Ask::new("CANCEL", "inv").text()),
            1 => bench.receive(udp(2), &Ask::within("BYE", 2, &tag).text()),
            _ => bench.handle(Input::Reject { session, refusal }),
        };
        assert_eq!(heard.words().len(), 1);
        assert!(!bench.pass(secs(60)).summary().contains("183"));
        assert_eq!((bench.endpoint.transactions(), bench.endpoint.deadline()), (0, None));
    }
}

/// RFC 3262 5: the first that must arrive holds our offer; the PRACK has the answer.
#[test]
fn an_invite_without_offer_gets_ours_in_the_first_reliable_provisional() {
    let mut bench = Bench::default();
    let session = bench.receive(udp(2), &requiring().no_body().text()).incoming();
    assert_eq!(bench.handle(Input::Ring { session, status: 180, sdp: None }).0, [], "nothing can be said without an offer");
    let early = bench.handle(Input::Ring { session, status: 183, sdp: Some(OFFER.into()) }).response(183);
    assert!(is_reliable(&early) && early.body() == OFFER);
    assert_eq!(bench.receive(udp(2), &prack(&early, 2).sdp(ANSWER).text()).summary(), "200");
    let ok = bench.handle(Input::Answer { session, sdp: OFFER.into() }).response(200);
    assert!(ok.body().is_empty());
    let ack = Ask::within("ACK", 1, &ok.to().unwrap().tag.unwrap()).text();
    assert_eq!(bench.receive(udp(2), &ack).words(), [Output::Confirmed { session, sdp: Some(ANSWER.into()) }]);
    // Not required: an offer in what may be lost would be none.
    let (_, _, plain) = self::early(&supporting().no_body());
    assert!(plain.body().is_empty() && !plain.has(HeaderId::RSeq));
}

#[test]
fn a_prack_may_bring_a_new_offer_and_its_200_the_answer() {
    let (mut bench, session, early) = early(&supporting());
    let heard = bench.receive(udp(2), &prack(&early, 2).sdp(OFFER).text());
    assert_eq!((heard.summary().as_str(), heard.words()), ("", vec![Output::Reoffered { session, sdp: Some(OFFER.into()) }]));
    // The call is answered only after that.
    assert_eq!(bench.handle(Input::Answer { session, sdp: ANSWER.into() }).0, []);
    let heard = bench.handle(Input::AnswerReoffer { session, sdp: ANSWER.into() });
    assert_eq!(heard.summary(), "200 200");
    let [prack, invite] = &heard.messages()[..] else { panic!("{heard:?}") };
    assert_eq!((prack.cseq().unwrap().1, prack.body()), (sip::Method::Prack, ANSWER.into()));
    assert_eq!((invite.cseq().unwrap().1, invite.body().len()), (sip::Method::Invite, 0));
}

fn provisional(invite: &Message, status: u16, tag: &str, rseq: u32, body: Option<&str>) -> String {
    reply_with(invite, status, tag, body, &format!("Require: 100rel\r\nRSeq: {rseq}\r\n"))
}

#[test]
fn a_provisional_that_must_arrive_gets_a_prack_in_its_order_and_its_fork() {
    let mut bench = Bench::default();
    let (session, invite) = bench.dial(dial());
    assert!(field(&invite, HeaderId::Supported).contains("100rel"));
    let first = provisional(&invite, 183, "far", 41, Some(ANSWER));
    let heard = bench.receive(udp(2), &first);
    assert_eq!(heard.words(), [Output::Progress { session, status: 183, sdp: Some(ANSWER.into()) }]);
    let prack = heard.request("PRACK");
    assert_eq!(prack.check_request(), Ok(()));
    assert_eq!((field(&prack, HeaderId::RAck), prack.cseq().unwrap().0), ("41 1 INVITE".into(), 2));
    assert_eq!(
        (prack.to().unwrap().tag.as_deref(), prack.uri().unwrap().to_string()),
        (Some("far"), "sip:far@10.0.0.2:5060".into())
    );
    // Repeated, or one is missing in between: not acknowledged, not told.
    assert_eq!(bench.receive(udp(2), &first).0, []);
    assert_eq!(bench.receive(udp(2), &provisional(&invite, 180, "far", 43, None)).0, []);
    bench.receive(udp(2), &reply(&prack, 200, "", None));
    let heard = bench.receive(udp(2), &provisional(&invite, 180, "far", 42, None));
    assert_eq!((field(&heard.request("PRACK"), HeaderId::RAck), heard.words().len()), ("42 1 INVITE".into(), 1));
    // Another branch counts for itself.
    let other = bench.receive(udp(2), &provisional(&invite, 180, "mobile", 7, None)).request("PRACK");
    assert_eq!((other.to().unwrap().tag.as_deref(), field(&other, HeaderId::RAck).as_str()), (Some("mobile"), "7 1 INVITE"));
    // The answer was in the 183; the dialog's numbers go on.
    let heard = bench.receive(udp(2), &reply(&invite, 200, "far", None));
    assert_eq!(heard.words(), [Output::Answered { session, sdp: ANSWER.into() }]);
    assert_eq!(heard.request("ACK").cseq().unwrap().0, 1);
    let bye = bench.handle(Input::HangUp { session, reason: None }).request("BYE");
    assert_eq!(bye.cseq().unwrap().0, 4);
}

/// RFC 3261 12.2.1.1: the numbers of a dialog only rise.
#[test]
fn line_02_the_bye_to_a_fork_that_lost_goes_above_its_pracks() {
    let mut bench = Bench::default();
    let (session, invite) = bench.dial(dial());
    bench.receive(udp(2), &provisional(&invite, 180, "mobile", 1, None));
    bench.receive(udp(2), &provisional(&invite, 183, "mobile", 2, Some(ANSWER)));
    assert_eq!(bench.receive(udp(2), &reply(&invite, 200, "far", Some(ANSWER))).words().len(), 1);
    let heard = bench.receive(udp(2), &reply(&invite, 200, "mobile", None));
    let numbers = [heard.request("ACK"), heard.request("BYE")].map(|message| message.cseq().unwrap().0);
    assert_eq!((numbers, bench.endpoint.sessions()), ([1, 4], 1), "{session:?}");
}

#[test]
fn a_prack_is_repeated_and_challenged_like_any_request() {
    let mut bench = Bench::default();
    let password = base::Pii::new("wholesale".into());
    let credential = Some(sip::DialCredential { realm: "carrier.example".into(), username: "us".into(), password });
    let (_, invite) = bench.dial(sip::Dial { credential, ..dial() });
    let prack = bench.receive(udp(2), &provisional(&invite, 183, "far", 1, Some(ANSWER))).request("PRACK");
    assert_eq!(bench.pass(ms(500)).summary(), "PRACK");
    let challenge = sip::digest::Challenge::new("carrier.example", "n", sip::digest::Algorithm::Sha256, false);
    let heard = bench.receive(udp(2), &reply_with(&prack, 407, "", None, &format!("Proxy-Authenticate: {challenge}\r\n")));
    let again = heard.request("PRACK");
    assert_eq!((field(&again, HeaderId::RAck), again.cseq().unwrap().0), (field(&prack, HeaderId::RAck), 3));
    assert!(again.has(HeaderId::ProxyAuthorization) && again.check_request().is_ok());
}

#[test]
fn who_hung_up_still_acknowledges() {
    let mut bench = Bench::default();
    let (session, invite) = bench.dial(dial());
    bench.handle(Input::HangUp { session, reason: None });
    let heard = bench.receive(udp(2), &provisional(&invite, 180, "far", 1, None));
    assert_eq!((heard.summary().as_str(), heard.words().len()), ("PRACK CANCEL", 0));
}

#[test]
fn a_reinvite_of_ours_may_be_answered_reliably_early() {
    let mut bench = Bench::default();
    let (session, _) = bench.connected();
    let invite = bench.handle(Input::Reoffer { session, sdp: OFFER.into() }).request("INVITE");
    let early = provisional(&invite, 183, "", 5, Some(ANSWER));
    let prack = bench.receive(udp(2), &early).request("PRACK");
    assert_eq!(field(&prack, HeaderId::RAck), format!("5 {} INVITE", invite.cseq().unwrap().0));
    assert_eq!(bench.receive(udp(2), &early).0, []);
    let heard = bench.receive(udp(2), &reply(&invite, 200, "", None));
    assert_eq!(heard.words(), [Output::ReofferDone { session, result: Ok(ANSWER.into()) }]);
}
