//! Session timers (RFC 4028; line 12 of calls.md).

use crate::bench::*;
use sip::{Config, EndedBy, HeaderId, Input, Message, Output, SessionId};

fn ended(session: SessionId) -> Vec<Output> {
    vec![Output::Ended { session, by: EndedBy::Lost, reason: None }]
}

fn refreshed(session: SessionId) -> Vec<Output> {
    vec![Output::Refreshed { session }]
}

/// A call that came in with these fields, answered and acknowledged.
fn leased(bench: &mut Bench, fields: &[(&str, &str)]) -> (SessionId, String, Message) {
    let ask = fields.iter().fold(Ask::invite(), |ask, (name, value)| ask.set(name, value));
    let session = bench.receive(udp(2), &ask.text()).incoming();
    let ok = bench.handle(Input::Answer { session, sdp: ANSWER.into() }).response(200);
    let tag = ok.to().unwrap().tag.unwrap();
    assert_eq!(bench.receive(udp(2), &Ask::within("ACK", 1, &tag).text()).words().len(), 1);
    (session, tag, ok)
}

/// A call that we dialled, answered with these lines.
fn dialled(bench: &mut Bench, lines: &str) -> SessionId {
    let (session, invite) = bench.dial(dial());
    assert_eq!(bench.receive(udp(2), &reply_with(&invite, 200, "far", Some(ANSWER), lines)).words().len(), 1);
    session
}

#[test]
fn line_12_too_short_an_interval_gets_422_with_ours() {
    let mut bench = Bench::default();
    let ask = Ask::invite().set("Supported", "timer").set("Session-Expires", "89");
    let heard = bench.receive(udp(2), &ask.text());
    assert_eq!((field(&heard.response(422), HeaderId::MinSe).as_str(), heard.words().len()), ("90", 0));
    let (_, tag, _) = leased(&mut bench, &[("Supported", "timer"), ("Session-Expires", "90")]);
    let update = Ask::within("UPDATE", 2, &tag).set("Supported", "timer").set("Session-Expires", "30");
    assert_eq!(field(&bench.receive(udp(2), &update.text()).response(422), HeaderId::MinSe), "90");
    let mut bench = Bench::with(Config { min_session_expires: 600, ..config() });
    let ask = Ask::invite().set("Supported", "timer").set("Session-Expires", "599");
    assert_eq!(field(&bench.receive(udp(2), &ask.text()).response(422), HeaderId::MinSe), "600");
}

#[test]
fn line_12_a_peer_that_refreshes_keeps_the_call_and_one_that_does_not_loses_it() {
    let mut bench = Bench::default();
    let timer = [("Supported", "timer"), ("Session-Expires", "300")];
    let (session, tag, ok) = leased(&mut bench, &timer);
    assert_eq!(
        (field(&ok, HeaderId::SessionExpires), field(&ok, HeaderId::Require)),
        ("300;refresher=uac".into(), "timer".into())
    );
    // By UPDATE, by re-INVITE; each 2xx renews.
    bench.pass(secs(200));
    let update = Ask::within("UPDATE", 2, &tag).set("Supported", "timer").set("Session-Expires", "300;refresher=uac");
    let heard = bench.receive(udp(2), &update.text());
    assert_eq!(heard.words(), refreshed(session));
    assert_eq!(field(&heard.response(200), HeaderId::SessionExpires), "300;refresher=uac");
    bench.pass(secs(200));
    let reinvite =
        Ask::within("INVITE", 3, &tag).sdp(OFFER).set("Supported", "timer").set("Session-Expires", "300;refresher=uac");
    bench.receive(udp(2), &reinvite.text());
    let heard = bench.handle(Input::AnswerReoffer { session, sdp: ANSWER.into() });
    assert_eq!(
        (heard.words(), field(&heard.response(200), HeaderId::SessionExpires).as_str()),
        (refreshed(session), "300;refresher=uac")
    );
    bench.receive(udp(2), &Ask::within("ACK", 3, &tag).text());
    // RFC 4028 10: a third, at most 32 s, before the end.
    assert_eq!(bench.pass(ms(267_999)).0, []);
    let heard = bench.pass(ms(1));
    assert_eq!((heard.summary().as_str(), heard.words()), ("BYE", ended(session)));
    bench.pass(secs(40));
    assert_eq!((bench.endpoint.sessions(), bench.endpoint.transactions(), bench.endpoint.deadline()), (0, 0, None));
}

#[test]
fn line_12_where_it_is_ours_we_refresh_by_update_at_half_the_interval() {
    let mut bench = Bench::default();
    let fields = [("Supported", "timer"), ("Session-Expires", "300;refresher=uas"), ("Allow", "INVITE, UPDATE, BYE")];
    let (session, _, ok) = leased(&mut bench, &fields);
    assert_eq!((field(&ok, HeaderId::SessionExpires).as_str(), ok.has(HeaderId::Require)), ("300;refresher=uas", false));
    for _ in 0..20 {
        assert_eq!(bench.pass(ms(149_999)).0, []);
        let heard = bench.pass(ms(1));
        let update = heard.request("UPDATE");
        assert_eq!((field(&update, HeaderId::SessionExpires).as_str(), update.body().len()), ("300;refresher=uac", 0));
        assert_eq!((update.check_request(), update.has(HeaderId::Contact)), (Ok(()), true));
        let ok = reply_with(&update, 200, "", None, "Session-Expires: 300;refresher=uac\r\n");
        assert_eq!(bench.receive(udp(2), &ok).words(), refreshed(session));
    }
}

#[test]
fn line_12_a_peer_without_update_is_refreshed_by_a_reinvite_that_changes_nothing() {
    let mut bench = Bench::default();
    let session = dialled(&mut bench, "Session-Expires: 1800;refresher=uac\r\nRequire: timer\r\n");
    let heard = bench.pass(secs(900));
    let invite = heard.request("INVITE");
    assert_eq!((invite.body(), field(&invite, HeaderId::SessionExpires).as_str()), (OFFER.into(), "1800;refresher=uac"));
    let lines = "Session-Expires: 1800;refresher=uac\r\n";
    let newer = ANSWER.replace("o=- 9 9", "o=- 9 10");
    let heard = bench.receive(udp(2), &reply_with(&invite, 200, "", Some(&newer), lines));
    assert_eq!((heard.summary().as_str(), heard.words()), ("ACK", refreshed(session)));
    // A peer that moves its media by the way is told of.
    let invite = bench.pass(secs(900)).request("INVITE");
    let moved = ANSWER.replace("6000", "6002");
    let heard = bench.receive(udp(2), &reply_with(&invite, 200, "", Some(&moved), lines));
    let done = Output::ReofferDone { session, result: Ok(moved.into()) };
    assert_eq!(heard.words(), [done, Output::Refreshed { session }]);
}

#[test]
fn line_12_what_we_dial_offers_the_configured_interval() {
    let offered = |session_expires| {
        let (_, invite) = Bench::with(Config { session_expires, ..config() }).dial(dial());
        assert!(field(&invite, HeaderId::Supported).contains("timer"));
        field(&invite, HeaderId::SessionExpires)
    };
    assert_eq!((offered(Some(1800)), offered(None)), ("1800".into(), String::new()));
    // The peer knows nothing of timers, or takes the turn.
    let mut bench = Bench::default();
    dialled(&mut bench, "");
    assert_eq!(bench.pass(secs(4000)).0, []);
    let mut bench = Bench::default();
    let session = dialled(&mut bench, "Session-Expires: 90;refresher=uas\r\n");
    assert_eq!(bench.pass(ms(59_999)).0, []);
    assert_eq!(bench.pass(ms(1)).words(), ended(session));
}

#[test]
fn line_12_an_interval_that_is_too_short_for_them_is_raised_once() {
    let mut bench = Bench::default();
    let (session, invite) = bench.dial(dial());
    let heard = bench.receive(udp(2), &reply_with(&invite, 422, "p", None, "Min-SE: 3600\r\n"));
    assert_eq!(heard.summary(), "ACK INVITE");
    let second = heard.request("INVITE");
    assert_eq!((field(&second, HeaderId::SessionExpires).as_str(), field(&second, HeaderId::MinSe).as_str()), ("3600", "3600"));
    assert_eq!((second.cseq().unwrap().0, second.call_id()), (2, invite.call_id()));
    let heard = bench.receive(udp(2), &reply_with(&second, 422, "p", None, "Min-SE: 7200\r\n"));
    assert_eq!(heard.words(), [Output::Failed { session, status: 422 }]);
    for lines in ["", "Min-SE: 60\r\n", "Min-SE: x\r\n"] {
        let mut bench = Bench::default();
        let (session, invite) = bench.dial(dial());
        let heard = bench.receive(udp(2), &reply_with(&invite, 422, "p", None, lines));
        assert_eq!(heard.words(), [Output::Failed { session, status: 422 }], "{lines}");
    }
}

#[test]
fn line_12_a_refresh_that_fails_is_tried_again_until_the_call_is_over() {
    let lines = "Session-Expires: 300;refresher=uac\r\nAllow: UPDATE\r\n";
    let mut bench = Bench::default();
    let session = dialled(&mut bench, lines);
    let mut heard = bench.pass(secs(150));
    for _ in 0..11 {
        let update = heard.request("UPDATE");
        assert_eq!(bench.receive(udp(2), &reply(&update, 500, "", None)).0, []);
        heard = bench.pass(secs(10));
    }
    let update = heard.request("UPDATE");
    bench.receive(udp(2), &reply(&update, 500, "", None));
    let heard = bench.pass(secs(8));
    assert_eq!((heard.summary().as_str(), heard.words()), ("BYE", ended(session)));

    // Not known after all: by re-INVITE.
    for status in [405, 501] {
        let mut bench = Bench::default();
        dialled(&mut bench, lines);
        let update = bench.pass(secs(150)).request("UPDATE");
        assert_eq!(bench.receive(udp(2), &reply(&update, status, "", None)).summary(), "INVITE");
    }
    // Longer, as they want it.
    let mut bench = Bench::default();
    dialled(&mut bench, lines);
    let update = bench.pass(secs(150)).request("UPDATE");
    bench.receive(udp(2), &reply_with(&update, 422, "", None, "Min-SE: 900\r\n"));
    let update = bench.pass(secs(10)).request("UPDATE");
    assert_eq!(field(&update, HeaderId::SessionExpires), "900;refresher=uac");

    // RFC 3261 12.2.1.2: 481, 408 and silence end the dialog.
    for status in [481, 408] {
        let mut bench = Bench::default();
        let session = dialled(&mut bench, lines);
        let update = bench.pass(secs(150)).request("UPDATE");
        assert_eq!(bench.receive(udp(2), &reply(&update, status, "", None)).words(), ended(session));
    }
    let mut bench = Bench::default();
    let session = dialled(&mut bench, lines);
    let heard = bench.pass(secs(182));
    assert_eq!(heard.words(), ended(session));
    assert!(heard.summary().ends_with("BYE"));
}

#[test]
fn line_12_a_refresh_by_reinvite_keeps_out_of_the_way_of_offers() {
    let lines = "Session-Expires: 300;refresher=uac\r\n";
    let mut bench = Bench::default();
    let session = dialled(&mut bench, lines);
    bench.pass(secs(149));
    let ours = bench.handle(Input::Reoffer { session, sdp: OFFER.into() }).request("INVITE");
    bench.receive(udp(2), &reply(&ours, 100, "", None));
    assert_eq!(bench.pass(secs(5)).summary(), "");
    // An offer that comes while a refresh is out waits for it, and is what is told.
    let mut bench = Bench::default();
    let session = dialled(&mut bench, lines);
    let refresh = bench.pass(secs(150)).request("INVITE");
    let hold = OFFER.replace("t=0 0", "t=0 0\r\na=sendonly");
    assert_eq!(bench.handle(Input::Reoffer { session, sdp: hold.clone().into() }).0, []);
    let heard = bench.receive(udp(2), &reply_with(&refresh, 200, "", Some(ANSWER), lines));
    assert_eq!((heard.summary().as_str(), heard.words()), ("ACK INVITE", refreshed(session)));
    assert_eq!(heard.request("INVITE").body(), hold);
    // Glare: theirs goes first and renews the lease by itself; the refresh is not made up for.
    let mut bench = Bench::default();
    let session = dialled(&mut bench, lines);
    let refresh = bench.pass(secs(150)).request("INVITE");
    bench.receive(udp(2), &reply(&refresh, 491, "", None));
    let tag = refresh.from().unwrap().tag.unwrap();
    let theirs = |method, n| Ask::within(method, n, &tag).set("From", "<sip:ana@10.0.0.2>;tag=far").set("Call-ID", "out-1");
    assert_eq!(bench.receive(udp(2), &theirs("INVITE", 1).sdp(OFFER).text()).words().len(), 1);
    let heard = bench.handle(Input::AnswerReoffer { session, sdp: ANSWER.into() });
    assert_eq!((heard.summary().as_str(), heard.words()), ("200", refreshed(session)));
    assert_eq!(bench.receive(udp(2), &theirs("ACK", 1).text()).0, []);
    assert_eq!(bench.pass(secs(100)).0, []);
}

#[test]
fn line_12_a_2xx_without_the_field_ends_the_timer_and_the_call_goes_on() {
    let mut bench = Bench::default();
    let session = dialled(&mut bench, "Session-Expires: 300;refresher=uac\r\nAllow: UPDATE\r\n");
    let update = bench.pass(secs(150)).request("UPDATE");
    assert_eq!(bench.receive(udp(2), &reply(&update, 200, "", None)).words(), refreshed(session));
    assert_eq!(bench.pass(secs(3600)).0, []);
    assert_eq!(bench.endpoint.sessions(), 1);
}

#[test]
fn line_12_hanging_up_ends_the_timer() {
    let mut bench = Bench::default();
    let session = dialled(&mut bench, "Session-Expires: 300;refresher=uac\r\nAllow: UPDATE\r\n");
    let bye = bench.handle(Input::HangUp { session, reason: None }).request("BYE");
    bench.receive(udp(2), &reply(&bye, 200, "", None));
    bench.pass(secs(40));
    assert_eq!(bench.endpoint.deadline(), None);
}

/// A refresh by re-INVITE says what was agreed last, wherever that was.
#[test]
fn line_12_a_refresh_repeats_the_last_agreement() {
    const OURS: (&str, &str) = ("Session-Expires", "300;refresher=uas");
    let lines = "Session-Expires: 300;refresher=uac\r\n";
    // The ACK brought the answer.
    let mut bench = Bench::default();
    let ask = Ask::invite().no_body().set("Supported", "timer").set(OURS.0, OURS.1);
    let session = bench.receive(udp(2), &ask.text()).incoming();
    let ok = bench.handle(Input::Answer { session, sdp: OFFER.into() }).response(200);
    bench.receive(udp(2), &Ask::within("ACK", 1, &ok.to().unwrap().tag.unwrap()).sdp(ANSWER).text());
    let refresh = bench.pass(secs(150)).request("INVITE");
    assert_eq!(refresh.body(), OFFER);
    let heard = bench.receive(udp(2), &reply_with(&refresh, 200, "", Some(ANSWER), lines));
    assert_eq!(heard.words(), refreshed(session));

    // An UPDATE changed it before the answer, in a call that came in …
    let newer = ANSWER.replace("6000", "6004");
    let mut bench = Bench::default();
    let ask = Ask::invite().set("Supported", "timer, 100rel").set(OURS.0, OURS.1);
    let session = bench.receive(udp(2), &ask.text()).incoming();
    let early = bench.handle(Input::Ring { session, status: 183, sdp: Some(ANSWER.into()) }).response(183);
    let tag = early.to().unwrap().tag.unwrap();
    let rack = format!("{} 1 INVITE", field(&early, HeaderId::RSeq));
    bench.receive(udp(2), &Ask::within("PRACK", 2, &tag).set("RAck", &rack).text());
    bench.receive(udp(2), &Ask::within("UPDATE", 3, &tag).sdp(OFFER).text());
    bench.handle(Input::AnswerReoffer { session, sdp: newer.clone().into() });
    bench.handle(Input::Answer { session, sdp: ANSWER.into() });
    bench.receive(udp(2), &Ask::within("ACK", 1, &tag).text());
    assert_eq!(bench.pass(secs(150)).request("INVITE").body(), newer);

    // … and in one that we dialled.
    let mut bench = Bench::default();
    let (session, invite) = bench.dial(dial());
    bench.receive(udp(2), &reply_with(&invite, 183, "far", Some(ANSWER), "Require: 100rel\r\nRSeq: 1\r\n"));
    let ours = invite.from().unwrap().tag.unwrap();
    let update = Ask::within("UPDATE", 1, &ours).set("From", "<sip:ana@10.0.0.2>;tag=far").set("Call-ID", "out-1").sdp(OFFER);
    bench.receive(udp(2), &update.text());
    bench.handle(Input::AnswerReoffer { session, sdp: newer.clone().into() });
    bench.receive(udp(2), &reply_with(&invite, 200, "far", None, lines));
    assert_eq!(bench.pass(secs(150)).request("INVITE").body(), newer);
}
