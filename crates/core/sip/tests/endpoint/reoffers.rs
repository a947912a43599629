//! Re-INVITEs both ways, and glare (RFC 3261 14).

use crate::bench::*;
use sip::{EndedBy, HeaderId, Input, Output, Refusal, SessionId};

fn reinvite(tag: &str, sequence: u32) -> Ask {
    Ask::within("INVITE", sequence, tag).sdp(OFFER)
}

fn reoffered(session: SessionId) -> Vec<Output> {
    vec![Output::Reoffered { session, sdp: Some(OFFER.into()) }]
}

#[test]
fn their_offer_is_answered_and_the_200_repeated_until_its_ack() {
    let mut bench = Bench::default();
    let (session, tag) = bench.answered();
    let heard = bench.receive(udp(2), &reinvite(&tag, 2).text());
    assert_eq!((heard.summary().as_str(), heard.words()), ("100", reoffered(session)));
    let ok = bench.handle(Input::AnswerReoffer { session, sdp: ANSWER.into() }).response(200);
    assert_eq!((ok.body(), ok.to().unwrap().tag), (ANSWER.into(), Some(tag.clone())));
    assert_eq!(bench.pass(ms(1500)).summary(), "200 200");
    assert_eq!(bench.receive(udp(2), &Ask::within("ACK", 2, &tag).text()).0, []);
    assert_eq!(bench.pass(secs(40)).0, []);
}

#[test]
fn line_05_a_reinvite_without_offer_gets_a_full_one_and_its_ack_answers() {
    let mut bench = Bench::default();
    let (session, tag) = bench.answered();
    let heard = bench.receive(udp(2), &reinvite(&tag, 2).no_body().text());
    assert_eq!(heard.words(), [Output::Reoffered { session, sdp: None }]);
    bench.handle(Input::AnswerReoffer { session, sdp: OFFER.into() });
    let heard = bench.receive(udp(2), &Ask::within("ACK", 2, &tag).sdp(ANSWER).text());
    assert_eq!(heard.0, [Output::Confirmed { session, sdp: Some(ANSWER.into()) }]);
}

#[test]
fn line_05_a_refused_reinvite_leaves_the_session_as_it_was() {
    let mut bench = Bench::default();
    let (session, tag) = bench.answered();
    bench.receive(udp(2), &reinvite(&tag, 2).text());
    let refusal = Refusal { status: 488, phrase: None, reason: None, retry_after: None };
    assert_eq!(bench.handle(Input::RefuseReoffer { session, refusal }).summary(), "488");
    assert_eq!(bench.endpoint.sessions(), 1);
    assert_eq!(bench.receive(udp(2), &reinvite(&tag, 3).text()).words(), reoffered(session));
}

#[test]
fn line_05_a_second_reinvite_while_one_is_pending_gets_500_with_retry_after() {
    let mut bench = Bench::default();
    let (_, tag) = bench.answered();
    bench.receive(udp(2), &reinvite(&tag, 2).text());
    let heard = bench.receive(udp(2), &reinvite(&tag, 3).text());
    let retry: u32 = field(&heard.response(500), HeaderId::RetryAfter).parse().unwrap();
    assert!(retry <= 10 && heard.words().is_empty());
}

#[test]
fn a_cancelled_reinvite_gets_487_and_the_call_goes_on() {
    let mut bench = Bench::default();
    let (session, tag) = bench.answered();
    bench.receive(udp(2), &reinvite(&tag, 2).text());
    let cancel = Ask::within("CANCEL", 2, &tag).set("Via", "SIP/2.0/UDP 10.0.0.2:5060;rport;branch=z9hG4bKinvite2");
    let heard = bench.receive(udp(2), &cancel.text());
    assert_eq!((heard.summary().as_str(), heard.words().len()), ("200 487", 0));
    assert_eq!(bench.handle(Input::AnswerReoffer { session, sdp: ANSWER.into() }).0, []);
    assert_eq!(bench.endpoint.sessions(), 1);
}

#[test]
fn a_bye_that_overtakes_a_reinvite_ends_both() {
    let mut bench = Bench::default();
    let (session, tag) = bench.answered();
    bench.receive(udp(2), &reinvite(&tag, 2).text());
    let heard = bench.receive(udp(2), &Ask::within("BYE", 3, &tag).text());
    assert_eq!(heard.summary(), "200 487");
    assert_eq!(heard.words(), [Output::Ended { session, by: EndedBy::Peer, reason: None }]);
}

#[test]
fn our_offer_is_answered_acknowledged_and_reported() {
    let mut bench = Bench::default();
    let (session, _) = bench.connected();
    let invite = bench.handle(Input::Reoffer { session, sdp: OFFER.into() }).request("INVITE");
    assert_eq!((invite.cseq().unwrap().0, invite.to().unwrap().tag.as_deref()), (2, Some("far")));
    assert_eq!(invite.uri().unwrap().to_string(), "sip:far@10.0.0.2:5060");
    let ok = reply(&invite, 200, "", Some(ANSWER));
    let heard = bench.receive(udp(2), &ok);
    assert_eq!(heard.words(), [Output::ReofferDone { session, result: Ok(ANSWER.into()) }]);
    assert_eq!(heard.request("ACK").cseq().unwrap().0, 2);
    assert_eq!(bench.receive(udp(2), &ok).summary(), "ACK");
}

#[test]
fn our_offer_that_is_refused_changes_nothing() {
    let mut bench = Bench::default();
    let (session, _) = bench.connected();
    let invite = bench.handle(Input::Reoffer { session, sdp: OFFER.into() }).request("INVITE");
    let heard = bench.receive(udp(2), &reply(&invite, 488, "", None));
    assert_eq!((heard.summary().as_str(), heard.words()), ("ACK", vec![Output::ReofferDone { session, result: Err(488) }]));
    assert_eq!(bench.endpoint.sessions(), 1);
}

#[test]
fn offers_of_ours_take_turns_and_only_the_last_one_waits() {
    let mut bench = Bench::default();
    let (session, _) = bench.connected();
    let first = bench.handle(Input::Reoffer { session, sdp: OFFER.into() }).request("INVITE");
    assert_eq!(bench.handle(Input::Reoffer { session, sdp: ANSWER.into() }).0, []);
    let replaced = bench.handle(Input::Reoffer { session, sdp: OFFER.into() });
    assert_eq!(replaced.0, [Output::ReofferDone { session, result: Err(491) }]);
    let heard = bench.receive(udp(2), &reply(&first, 200, "", Some(ANSWER)));
    assert_eq!(heard.summary(), "ACK INVITE");
    assert_eq!(heard.request("INVITE").body(), OFFER);
}

#[test]
fn an_offer_before_the_first_ack_waits_for_it() {
    let mut bench = Bench::default();
    let (session, _) = bench.incoming();
    let ok = bench.handle(Input::Answer { session, sdp: ANSWER.into() }).response(200);
    assert_eq!(bench.handle(Input::Reoffer { session, sdp: OFFER.into() }).0, []);
    let tag = ok.to().unwrap().tag.unwrap();
    assert_eq!(bench.receive(udp(2), &reinvite(&tag, 2).text()).summary(), "491");
    assert_eq!(bench.receive(udp(2), &Ask::within("ACK", 1, &tag).text()).summary(), "INVITE");
}

#[test]
fn line_05_glare_is_491_and_retried_in_the_time_of_who_owns_the_call_id() {
    // RFC 3261 14.1: the owner of the Call-ID waits 2.1 to 4 s, the other side 0 to 2 s.
    for (owner, least, most) in [(true, 2100, 4000), (false, 0, 2000)] {
        for seed in 0..20 {
            let mut bench = Bench::default();
            bench.pass(ms(seed));
            let (session, tag) = match owner {
                true => (bench.connected().0, String::new()),
                false => bench.answered(),
            };
            let ours = bench.handle(Input::Reoffer { session, sdp: OFFER.into() }).request("INVITE");
            if !owner {
                assert_eq!(bench.receive(udp(2), &reinvite(&tag, 2).text()).summary(), "491");
            }
            let start = bench.now;
            assert_eq!(bench.receive(udp(2), &reply(&ours, 491, "", None)).summary(), "ACK");
            let due = bench.endpoint.deadline().unwrap();
            while !bench.pass(ms(10)).summary().contains("INVITE") {
                assert!(bench.now.mono.since(start.mono) <= ms(most + 10), "{owner} {due:?}");
            }
            let waited = bench.now.mono.since(start.mono).as_millis() as u64;
            assert!(waited + 10 >= least && waited <= most + 10, "{owner} {waited}");
        }
    }
}

#[test]
fn line_05_while_we_wait_after_glare_their_offer_goes_first() {
    let mut bench = Bench::default();
    let (session, tag) = bench.answered();
    let ours = bench.handle(Input::Reoffer { session, sdp: OFFER.into() }).request("INVITE");
    bench.receive(udp(2), &reply(&ours, 491, "", None));
    assert_eq!(bench.receive(udp(2), &reinvite(&tag, 2).text()).words(), reoffered(session));
    bench.handle(Input::AnswerReoffer { session, sdp: ANSWER.into() });
    let heard = bench.receive(udp(2), &Ask::within("ACK", 2, &tag).text());
    assert_eq!(heard.request("INVITE").body(), OFFER, "then ours");
}

#[test]
fn line_05_endless_glare_comes_to_an_end() {
    let mut bench = Bench::default();
    let (session, _) = bench.connected();
    let mut heard = bench.handle(Input::Reoffer { session, sdp: OFFER.into() });
    for _ in 0..10 {
        let invite = heard.request("INVITE");
        assert_eq!(bench.receive(udp(2), &reply(&invite, 491, "", None)).words(), []);
        heard = bench.pass(secs(4));
    }
    let last = heard.request("INVITE");
    let heard = bench.receive(udp(2), &reply(&last, 491, "", None));
    assert_eq!(heard.words(), [Output::ReofferDone { session, result: Err(491) }]);
}

/// RFC 3261 12.2.1.2.
#[test]
fn a_peer_that_does_not_know_the_dialog_or_does_not_answer_has_lost_it() {
    for status in [481, 408] {
        let mut bench = Bench::default();
        let (session, _) = bench.connected();
        let invite = bench.handle(Input::Reoffer { session, sdp: OFFER.into() }).request("INVITE");
        let heard = bench.receive(udp(2), &reply(&invite, status, "", None));
        assert_eq!(heard.words(), [Output::Ended { session, by: EndedBy::Lost, reason: None }]);
    }
    let mut bench = Bench::default();
    let (session, _) = bench.connected();
    bench.handle(Input::Reoffer { session, sdp: OFFER.into() });
    let heard = bench.pass(secs(32));
    assert_eq!(heard.words(), [Output::Ended { session, by: EndedBy::Lost, reason: None }]);
    assert!(heard.summary().ends_with("BYE"));
}

#[test]
fn a_200_to_a_reinvite_that_our_bye_overtook_is_acknowledged() {
    let mut bench = Bench::default();
    let (session, _) = bench.connected();
    let invite = bench.handle(Input::Reoffer { session, sdp: OFFER.into() }).request("INVITE");
    assert_eq!(bench.handle(Input::HangUp { session, reason: None }).summary(), "BYE");
    let heard = bench.receive(udp(2), &reply(&invite, 200, "", Some(ANSWER)));
    assert_eq!((heard.summary().as_str(), heard.words()), ("ACK", vec![]));
}

#[test]
fn a_reinvite_moves_the_target_of_later_requests() {
    let mut bench = Bench::default();
    let (session, tag) = bench.answered();
    bench.receive(udp(2), &reinvite(&tag, 2).set("Contact", "<sip:moved@10.0.0.2:5099>").text());
    bench.handle(Input::AnswerReoffer { session, sdp: ANSWER.into() });
    bench.receive(udp(2), &Ask::within("ACK", 2, &tag).text());
    let heard = bench.handle(Input::HangUp { session, reason: None });
    assert_eq!(heard.request("BYE").uri().unwrap().to_string(), "sip:moved@10.0.0.2:5099");
    assert_eq!(heard.sent()[0].0.remote, "10.0.0.2:5099".parse().unwrap());
}
