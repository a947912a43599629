//! UPDATE, in early and in confirmed dialogs, and its glare (RFC 3311).

use crate::bench::*;
use sip::{EndedBy, HeaderId, Input, Method, Output, Refusal, SessionId};

const NEWER: &str = "v=0\r\no=- 1 2 IN IP4 10.0.0.2\r\ns=-\r\nc=IN IP4 10.0.0.2\r\nt=0 0\r\nm=audio 4002 RTP/AVP 0\r\n";

fn update(tag: &str, sequence: u32) -> Ask {
    Ask::within("UPDATE", sequence, tag).sdp(NEWER)
}

fn reoffered(session: SessionId) -> Vec<Output> {
    vec![Output::Reoffered { session, sdp: Some(NEWER.into()) }]
}

fn refusal(status: u16) -> Refusal {
    Refusal { status, phrase: None, reason: None, retry_after: None }
}

#[test]
fn an_update_in_a_call_is_answered_without_an_ack() {
    let mut bench = Bench::default();
    let (session, tag) = bench.answered();
    let heard = bench.receive(udp(2), &update(&tag, 2).text());
    assert_eq!((heard.summary().as_str(), heard.words()), ("", reoffered(session)));
    let ok = bench.handle(Input::AnswerReoffer { session, sdp: ANSWER.into() }).response(200);
    assert_eq!((ok.cseq().unwrap().1, ok.body(), ok.has(HeaderId::Contact)), (Method::Update, ANSWER.into(), true));
    assert_eq!(bench.pass(secs(40)).0, [], "nothing is repeated, nothing awaited");
    // The next one, refused; the call goes on.
    assert_eq!(bench.receive(udp(2), &update(&tag, 3).text()).words(), reoffered(session));
    assert_eq!(bench.handle(Input::RefuseReoffer { session, refusal: refusal(488) }).summary(), "488");
    assert_eq!(bench.handle(Input::AnswerReoffer { session, sdp: ANSWER.into() }).0, []);
    // No offer, no question, but a new target (RFC 3311 5.2).
    let moved = update(&tag, 4).no_body().set("Contact", "<sip:moved@10.0.0.2:5099>");
    let heard = bench.receive(udp(2), &moved.text());
    assert_eq!((heard.summary().as_str(), heard.words().len()), ("200", 0));
    assert_eq!(bench.receive(udp(2), &update(&tag, 5).set("Content-Type", "text/plain").text()).summary(), "415");
    assert_eq!(bench.handle(Input::HangUp { session, reason: None }).sent()[0].0.remote, "10.0.0.2:5099".parse().unwrap());
}

/// RFC 3311 5.2.
#[test]
fn line_05_an_update_that_meets_an_offer_gets_491_and_one_that_meets_an_update_500() {
    let mut bench = Bench::default();
    let (session, tag) = bench.answered();
    bench.receive(udp(2), &update(&tag, 2).text());
    for again in [update(&tag, 3), Ask::within("INVITE", 4, &tag).sdp(OFFER)] {
        let heard = bench.receive(udp(2), &again.text());
        let retry: u32 = field(&heard.response(500), HeaderId::RetryAfter).parse().unwrap();
        assert!(retry <= 10 && heard.words().is_empty());
    }
    // Ours waits for its turn.
    assert_eq!(bench.handle(Input::Reoffer { session, sdp: OFFER.into() }).0, []);
    let heard = bench.handle(Input::AnswerReoffer { session, sdp: ANSWER.into() });
    assert_eq!(heard.summary(), "200 INVITE");
    assert_eq!(bench.receive(udp(2), &update(&tag, 5).text()).summary(), "491");
    assert_eq!(bench.receive(udp(2), &update(&tag, 6).no_body().text()).summary(), "200");
    let ours = heard.request("INVITE");
    bench.receive(udp(2), &reply(&ours, 491, "", None));
    assert_eq!(bench.receive(udp(2), &update(&tag, 7).text()).words(), reoffered(session), "while we wait, theirs goes first");
    assert_eq!(bench.handle(Input::AnswerReoffer { session, sdp: ANSWER.into() }).summary(), "200 INVITE");
}

/// RFC 4320: no 100, and never a 408.
#[test]
fn line_05_what_is_no_invite_gets_no_provisional_and_no_408() {
    let mut bench = Bench::default();
    let (session, tag) = bench.answered();
    assert_eq!(bench.receive(udp(2), &update(&tag, 2).text()).summary(), "");
    assert_eq!(bench.receive(udp(2), &update(&tag, 2).text()).summary(), "", "repeated");
    assert_eq!(bench.handle(Input::RefuseReoffer { session, refusal: refusal(408) }).summary(), "480");
    let reinvite = Ask::within("INVITE", 3, &tag).sdp(OFFER).text();
    assert_eq!(bench.receive(udp(2), &reinvite).summary(), "100");
    assert_eq!(bench.handle(Input::RefuseReoffer { session, refusal: refusal(408) }).summary(), "408");
}

#[test]
fn an_update_that_a_bye_overtakes_is_answered() {
    for theirs in [true, false] {
        let mut bench = Bench::default();
        let (session, tag) = bench.answered();
        bench.receive(udp(2), &update(&tag, 2).text());
        let heard = match theirs {
            true => bench.receive(udp(2), &Ask::within("BYE", 3, &tag).text()),
            false => bench.handle(Input::HangUp { session, reason: None }),
        };
        assert!(heard.summary().contains("487"), "{heard:?}");
        bench.pass(secs(70));
        assert_eq!((bench.endpoint.sessions(), bench.endpoint.transactions()), (0, 0));
    }
}

#[test]
fn a_cancelled_reinvite_that_is_answered_already_leaves_an_update_alone() {
    let mut bench = Bench::default();
    let (session, tag) = bench.answered();
    bench.receive(udp(2), &Ask::within("INVITE", 2, &tag).sdp(OFFER).text());
    bench.handle(Input::AnswerReoffer { session, sdp: ANSWER.into() });
    bench.receive(udp(2), &Ask::within("ACK", 2, &tag).text());
    bench.receive(udp(2), &update(&tag, 3).text());
    let cancel = Ask::within("CANCEL", 2, &tag).set("Via", "SIP/2.0/UDP 10.0.0.2:5060;rport;branch=z9hG4bKinvite2");
    assert_eq!(bench.receive(udp(2), &cancel.text()).summary(), "200");
    assert_eq!(bench.handle(Input::AnswerReoffer { session, sdp: ANSWER.into() }).summary(), "200");
}

/// In a call that came in and is not answered.
#[test]
fn an_early_update_is_taken_once_the_first_offer_has_its_answer_reliably() {
    let mut bench = Bench::default();
    let session = bench.receive(udp(2), &Ask::invite().set("Supported", "100rel").text()).incoming();
    let ringing = bench.handle(Input::Ring { session, status: 180, sdp: None }).response(180);
    let tag = ringing.to().unwrap().tag.unwrap();
    let early = bench.receive(udp(2), &update(&tag, 2).text());
    assert!(early.response(500).has(HeaderId::RetryAfter), "our answer to the first offer comes first");
    assert_eq!(bench.receive(udp(2), &update(&tag, 3).no_body().text()).summary(), "200");
    let progress = bench.handle(Input::Ring { session, status: 183, sdp: Some(ANSWER.into()) }).response(183);
    let rack = format!("{} 1 INVITE", field(&progress, HeaderId::RSeq));
    bench.receive(udp(2), &Ask::within("PRACK", 4, &tag).set("RAck", &rack).text());
    assert_eq!(bench.receive(udp(2), &update(&tag, 5).text()).words(), reoffered(session));
    assert!(bench.receive(udp(2), &update(&tag, 6).text()).response(500).has(HeaderId::RetryAfter));
    assert_eq!(bench.handle(Input::AnswerReoffer { session, sdp: ANSWER.into() }).response(200).body(), ANSWER);
    assert_eq!(bench.receive(udp(2), &update(&tag, 7).text()).words(), reoffered(session));
    assert_eq!(bench.handle(Input::RefuseReoffer { session, refusal: refusal(488) }).summary(), "488");
    let ok = bench.handle(Input::Answer { session, sdp: ANSWER.into() }).response(200);
    assert!(ok.body().is_empty());
    // The CANCEL comes too late, and pending ones are answered with the call.
    let mut bench = Bench::default();
    let session = bench.receive(udp(2), &Ask::invite().set("Require", "100rel").no_body().text()).incoming();
    let offer = bench.handle(Input::Ring { session, status: 183, sdp: Some(OFFER.into()) }).response(183);
    let tag = offer.to().unwrap().tag.unwrap();
    assert_eq!(bench.receive(udp(2), &update(&tag, 2).text()).summary(), "491", "our offer is open");
}

#[test]
fn what_waits_in_a_call_that_is_cancelled_is_answered() {
    let mut bench = Bench::default();
    let session = bench.receive(udp(2), &Ask::invite().set("Supported", "100rel").text()).incoming();
    let progress = bench.handle(Input::Ring { session, status: 183, sdp: Some(ANSWER.into()) }).response(183);
    let tag = progress.to().unwrap().tag.unwrap();
    let rack = format!("{} 1 INVITE", field(&progress, HeaderId::RSeq));
    bench.receive(udp(2), &Ask::within("PRACK", 2, &tag).set("RAck", &rack).text());
    bench.receive(udp(2), &update(&tag, 3).text());
    let heard = bench.receive(udp(2), &Ask::new("CANCEL", "inv").text());
    assert_eq!(heard.summary(), "200 487 487");
    bench.pass(secs(40));
    assert_eq!(bench.endpoint.transactions(), 0);
}

/// In a call that we dialled and nobody answered yet.
#[test]
fn an_early_update_from_the_far_side_is_told_and_newer_than_what_the_200_says() {
    let mut bench = Bench::default();
    let (session, invite) = bench.dial(dial());
    let ours = invite.from().unwrap().tag.unwrap();
    let update = |sequence| update(&ours, sequence).set("From", "<sip:ana@10.0.0.2>;tag=far").set("Call-ID", "out-1");
    bench.receive(udp(2), &reply(&invite, 180, "far", None));
    assert_eq!(bench.receive(udp(2), &update(1).text()).summary(), "491", "our offer has no answer");
    assert_eq!(bench.receive(udp(2), &update(2).no_body().text()).summary(), "200");
    let reliable = "Require: 100rel\r\nRSeq: 1\r\n";
    bench.receive(udp(2), &reply_with(&invite, 183, "far", Some(ANSWER), reliable));
    assert_eq!(
        bench.receive(udp(2), &update(2).set("Via", "SIP/2.0/UDP a;branch=z9hG4bKold").text()).summary(),
        "500",
        "out of order"
    );
    assert_eq!(bench.receive(udp(2), &update(3).text()).words(), reoffered(session));
    assert!(bench.receive(udp(2), &update(4).text()).response(500).has(HeaderId::RetryAfter));
    assert_eq!(bench.handle(Input::AnswerReoffer { session, sdp: OFFER.into() }).response(200).body(), OFFER);
    let heard = bench.receive(udp(2), &reply(&invite, 200, "far", Some(ANSWER)));
    assert_eq!(heard.words(), [Output::Answered { session, sdp: NEWER.into() }]);
    // RFC 3261 12.2.2: the dialog knows its numbers from before.
    assert_eq!(bench.receive(udp(2), &update(4).set("Via", "SIP/2.0/UDP a;branch=z9hG4bKx").text()).summary(), "500");
    assert_eq!(bench.receive(udp(2), &update(5).text()).words(), reoffered(session));

    let mut bench = Bench::default();
    let (session, invite) = bench.dial(dial());
    let ours = invite.from().unwrap().tag.unwrap();
    bench.receive(udp(2), &reply_with(&invite, 183, "far", Some(ANSWER), reliable));
    let ask = self::update(&ours, 1).set("From", "<sip:ana@10.0.0.2>;tag=far").set("Call-ID", "out-1");
    bench.receive(udp(2), &ask.text());
    let heard = bench.receive(udp(2), &reply(&invite, 486, "far", None));
    assert_eq!((heard.summary().as_str(), heard.words()), ("ACK 487", vec![Output::Failed { session, status: 486 }]));
}

#[test]
fn a_leased_call_whose_update_waits_when_time_is_over_answers_it() {
    let mut bench = Bench::default();
    let ask = Ask::invite().set("Supported", "timer").set("Session-Expires", "90;refresher=uac");
    let session = bench.receive(udp(2), &ask.text()).incoming();
    let ok = bench.handle(Input::Answer { session, sdp: ANSWER.into() }).response(200);
    let tag = ok.to().unwrap().tag.unwrap();
    bench.receive(udp(2), &Ask::within("ACK", 1, &tag).text());
    bench.receive(udp(2), &update(&tag, 2).text());
    let heard = bench.pass(secs(60));
    assert_eq!(heard.summary(), "487 BYE");
    assert_eq!(heard.words(), [Output::Ended { session, by: EndedBy::Lost, reason: None }]);
}
