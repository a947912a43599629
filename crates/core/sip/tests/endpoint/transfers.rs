//! Transfers by REFER, blind and attended, and Replaces (RFC 3515, 3891, 4488, 5057; line 9 of calls.md).

use crate::bench::*;
use base::Pii;
use sip::{EndedBy, HeaderId, Input, Message, Output, Refer, Refusal, Replaces, SessionId};

fn refer(tag: &str, sequence: u32, to: &str) -> Ask {
    Ask::within("REFER", sequence, tag).set("Refer-To", to)
}

fn referred(session: SessionId, to: &str, replaces: Option<Replaces>) -> Vec<Output> {
    vec![Output::Referred { session, refer: Box::new(Refer { to: Pii::new(to.into()), replaces }) }]
}

/// A call whose caller asked for a transfer to 901, accepted; the first NOTIFY is answered.
fn accepted(bench: &mut Bench) -> (SessionId, String) {
    let (session, tag) = bench.answered();
    bench.receive(udp(2), &refer(&tag, 2, "<sip:901@x>").text());
    let notify = bench.handle(Input::AcceptRefer { session }).request("NOTIFY");
    bench.receive(udp(2), &reply(&notify, 200, "", None));
    (session, tag)
}

fn progress(bench: &mut Bench, session: SessionId, status: u16) -> Heard {
    bench.handle(Input::ReferProgress { session, status })
}

fn says(notify: &Message) -> (String, String) {
    let body = String::from_utf8(notify.body().to_vec()).unwrap();
    (field(notify, HeaderId::SubscriptionState), body)
}

fn last_words(line: &str) -> (String, String) {
    ("terminated;reason=noresource".into(), format!("SIP/2.0 {line}\r\n"))
}

#[test]
fn line_09_a_refer_is_told_accepted_and_reported_to_its_final_status() {
    let mut bench = Bench::default();
    let (session, tag) = bench.answered();
    let heard = bench.receive(udp(2), &refer(&tag, 2, "\"Luis\" <sip:%2B34911@x;user=phone>").text());
    assert_eq!((heard.summary().as_str(), heard.words()), ("", referred(session, "+34911", None)));

    let heard = bench.handle(Input::AcceptRefer { session });
    assert_eq!(heard.summary(), "202 NOTIFY");
    assert!(heard.response(202).has(HeaderId::Contact));
    let first = heard.request("NOTIFY");
    assert_eq!(first.check_request(), Ok(()));
    assert_eq!(says(&first), ("active;expires=180".into(), "SIP/2.0 100 Trying\r\n".into()));
    assert_eq!(field(&first, HeaderId::ContentType), "message/sipfrag;version=2.0");
    assert_eq!((field(&first, HeaderId::Event).as_str(), first.has(HeaderId::Contact)), ("refer", true));
    assert_eq!(first.to().unwrap().tag.as_deref(), Some("bobs"));

    // The next waits for the answer to the first, and only the newest is said.
    assert_eq!(progress(&mut bench, session, 180).0, []);
    assert_eq!(progress(&mut bench, session, 183).0, []);
    bench.pass(secs(10));
    let second = bench.receive(udp(2), &reply(&first, 200, "", None)).request("NOTIFY");
    assert_eq!(says(&second), ("active;expires=170".into(), "SIP/2.0 183 Session Progress\r\n".into()));
    assert_eq!(second.cseq().unwrap().0, first.cseq().unwrap().0 + 1);
    bench.receive(udp(2), &reply(&second, 200, "", None));
    let last = progress(&mut bench, session, 200).request("NOTIFY");
    assert_eq!(says(&last), last_words("200 OK"));
    assert_eq!(progress(&mut bench, session, 486).0, [], "it was final");
    assert_eq!(bench.receive(udp(2), &reply(&last, 200, "", None)).0, []);
    assert_eq!(bench.receive(udp(2), &Ask::within("BYE", 3, &tag).text()).words().len(), 1);
    bench.pass(secs(40));
    assert_eq!((bench.endpoint.sessions(), bench.endpoint.transactions(), bench.endpoint.deadline()), (0, 0, None));
}

#[test]
fn line_09_a_transfer_may_be_refused_and_the_call_goes_on() {
    let mut bench = Bench::default();
    let (session, tag) = bench.answered();
    bench.receive(udp(2), &refer(&tag, 2, "<sip:premium@x>").text());
    let refusal = Refusal { status: 603, phrase: None, reason: None, retry_after: None };
    assert_eq!(bench.handle(Input::RefuseRefer { session, refusal }).summary(), "603");
    assert_eq!(bench.handle(Input::AcceptRefer { session }).0, []);
    assert_eq!(progress(&mut bench, session, 200).0, []);
    assert_eq!(bench.endpoint.sessions(), 1);
}

/// RFC 4488.
#[test]
fn line_09_who_wants_no_subscription_gets_none() {
    let mut bench = Bench::default();
    let (session, tag) = bench.answered();
    let ask = refer(&tag, 2, "<sip:901@x>").set("Refer-Sub", "false").set("Require", "norefersub");
    assert_eq!(bench.receive(udp(2), &ask.text()).words().len(), 1);
    let heard = bench.handle(Input::AcceptRefer { session });
    assert_eq!((heard.summary().as_str(), field(&heard.response(202), HeaderId::ReferSub).as_str()), ("202", "false"));
    assert_eq!(progress(&mut bench, session, 200).0, []);
}

/// RFC 5057 4.2: the subscription is a usage of its own.
#[test]
fn line_09_a_transferor_that_said_bye_still_hears_how_it_went() {
    for theirs in [true, false] {
        let mut bench = Bench::default();
        let (session, tag) = accepted(&mut bench);
        let by = if theirs {
            let heard = bench.receive(udp(2), &Ask::within("BYE", 3, &tag).text());
            assert_eq!((heard.summary().as_str(), heard.words().len()), ("200", 1));
            3
        } else {
            let bye = bench.handle(Input::HangUp { session, reason: None }).request("BYE");
            assert_eq!(bench.receive(udp(2), &reply(&bye, 200, "", None)).words().len(), 1);
            bye.cseq().unwrap().0
        };
        assert_eq!(bench.endpoint.sessions(), 0);
        bench.pass(secs(60));
        let ringing = progress(&mut bench, session, 180).request("NOTIFY");
        assert!(ringing.cseq().unwrap().0 >= if theirs { 2 } else { by + 1 });
        bench.receive(udp(2), &reply(&ringing, 200, "", None));
        let last = progress(&mut bench, session, 486).request("NOTIFY");
        assert_eq!(says(&last), last_words("486 Busy Here"));
        assert_eq!(bench.receive(udp(2), &reply(&last, 200, "", None)).0, []);
        assert_eq!(progress(&mut bench, session, 200).0, []);
        bench.pass(secs(40));
        assert_eq!((bench.endpoint.transactions(), bench.endpoint.deadline()), (0, None));
    }
}

#[test]
fn line_09_a_subscription_ends_by_itself_when_nobody_answers_or_its_time_is_over() {
    // The transferor knows nothing of it any more, or is gone.
    for status in [481, 500] {
        let mut bench = Bench::default();
        let (session, _) = accepted(&mut bench);
        let notify = progress(&mut bench, session, 180).request("NOTIFY");
        assert_eq!(bench.receive(udp(2), &reply(&notify, status, "", None)).0, [], "the call goes on");
        assert_eq!(progress(&mut bench, session, 200).0, []);
        assert_eq!(bench.endpoint.sessions(), 1);
    }
    let mut bench = Bench::default();
    let (session, _) = accepted(&mut bench);
    progress(&mut bench, session, 180);
    bench.pass(secs(33));
    assert_eq!(progress(&mut bench, session, 200).0, []);
    assert_eq!(bench.endpoint.sessions(), 1);

    // Nobody says how it went.
    let mut bench = Bench::default();
    let (session, tag) = accepted(&mut bench);
    bench.receive(udp(2), &Ask::within("BYE", 3, &tag).text());
    let heard = bench.pass(secs(180));
    let last = heard.request("NOTIFY");
    assert_eq!(says(&last), ("terminated;reason=timeout".into(), "SIP/2.0 408 Request Timeout\r\n".into()));
    bench.pass(secs(40));
    assert_eq!((bench.endpoint.transactions(), bench.endpoint.deadline()), (0, None));
    assert_eq!(progress(&mut bench, session, 200).0, []);
}

#[test]
fn line_09_a_second_transfer_waits_for_the_first_and_has_an_id() {
    let mut bench = Bench::default();
    let (session, tag) = bench.answered();
    let second = refer(&tag, 3, "<sip:902@x>").text();
    bench.receive(udp(2), &refer(&tag, 2, "<sip:901@x>").text());
    assert_eq!(bench.receive(udp(2), &second).summary(), "491", "not answered yet");
    let first = bench.handle(Input::AcceptRefer { session }).request("NOTIFY");
    assert_eq!(bench.receive(udp(2), &refer(&tag, 4, "<sip:902@x>").text()).summary(), "491", "under way");
    bench.receive(udp(2), &reply(&first, 200, "", None));
    progress(&mut bench, session, 486);
    // RFC 3515 2.4.6.
    let heard = bench.receive(udp(2), &refer(&tag, 5, "<sip:902@x>").text());
    assert_eq!(heard.words(), referred(session, "902", None));
    let notify = bench.handle(Input::AcceptRefer { session }).request("NOTIFY");
    assert_eq!(field(&notify, HeaderId::Event), "refer;id=5");
}

/// Security row 36: the engine decides, about what is well formed and in a dialog.
#[test]
fn line_09_a_refer_that_can_not_be_followed_is_refused_by_what_is_wrong_with_it() {
    for (to, status) in [
        ("", "400"),
        ("nonsense", "400"),
        ("<sip:901@x>\r\nRefer-To: <sip:902@x>", "400"),
        ("<sip:9%0d%0a01@x>", "400"),
        ("<http://evil.example/>", "416"),
        ("<sip:901@x;method=BYE>", "403"),
        ("<sip:901@x?Replaces=nothing>", "400"),
    ] {
        let mut bench = Bench::default();
        let (_, tag) = bench.answered();
        let heard = bench.receive(udp(2), &refer(&tag, 2, to).text());
        assert_eq!((heard.summary().as_str(), heard.words().len()), (status, 0), "{to}");
    }
    let mut bench = Bench::default();
    let (_, tag) = bench.answered();
    assert_eq!(bench.receive(udp(2), &Ask::within("REFER", 2, &tag).text()).summary(), "400");
    // Before the answer, outside a dialog, and after our BYE.
    let (session, _) = Bench::default().incoming();
    let mut bench = Bench::default();
    let (early, _) = bench.incoming();
    assert_eq!(early, session);
    let ringing = bench.handle(Input::Ring { session, status: 180, sdp: None }).response(180);
    let tag = ringing.to().unwrap().tag.unwrap();
    assert_eq!(bench.receive(udp(2), &refer(&tag, 2, "<sip:901@x>").text()).summary(), "403");
    let outside = Ask::new("REFER", "r").set("Refer-To", "<sip:901@x>").set("Call-ID", "other");
    assert_eq!(bench.receive(udp(2), &outside.text()).summary(), "405");
    let mut bench = Bench::default();
    let (session, tag) = bench.answered();
    bench.handle(Input::HangUp { session, reason: None });
    assert_eq!(bench.receive(udp(2), &refer(&tag, 2, "<sip:901@x>").text()).summary(), "481");
}

#[test]
fn line_09_a_refer_that_a_bye_overtakes_is_answered() {
    let mut bench = Bench::default();
    let (session, tag) = bench.answered();
    bench.receive(udp(2), &refer(&tag, 2, "<sip:901@x>").text());
    let heard = bench.receive(udp(2), &Ask::within("BYE", 3, &tag).text());
    assert_eq!(heard.summary(), "200 487");
    assert_eq!(bench.handle(Input::AcceptRefer { session }).0, []);
    bench.pass(secs(40));
    assert_eq!(bench.endpoint.transactions(), 0);
}

#[test]
fn line_09_a_carrier_that_challenges_notify_gets_its_digest() {
    let mut bench = Bench::default();
    let password = Pii::new("wholesale".into());
    let credential = Some(sip::DialCredential { realm: "carrier.example".into(), username: "us".into(), password });
    let (session, invite) = bench.dial(sip::Dial { credential, ..dial() });
    bench.receive(udp(2), &reply(&invite, 200, "far", Some(ANSWER)));
    let ours = invite.from().unwrap().tag.unwrap();
    let ask = refer(&ours, 1, "<sip:901@x>").set("From", "<sip:ana@10.0.0.2>;tag=far").set("Call-ID", "out-1");
    assert_eq!(bench.receive(udp(2), &ask.text()).words().len(), 1);
    let notify = bench.handle(Input::AcceptRefer { session }).request("NOTIFY");
    let challenge = sip::digest::Challenge::new("carrier.example", "n", sip::digest::Algorithm::Sha256, false);
    let challenge = format!("Proxy-Authenticate: {challenge}\r\n");
    let again = bench.receive(udp(2), &reply_with(&notify, 407, "", None, &challenge)).request("NOTIFY");
    assert_eq!((says(&again), again.check_request()), (says(&notify), Ok(())));
    assert_eq!(field(&again, HeaderId::ContentType), "message/sipfrag;version=2.0");
    assert_eq!(again.cseq().unwrap().0, notify.cseq().unwrap().0 + 1);
    let credentials = again.proxy_authorization().unwrap().remove(0);
    let secret = sip::digest::Secret::Password("wholesale");
    assert!(credentials.verify(secret, &sip::Method::Notify, &again.body()));
    // Once is enough.
    assert_eq!(bench.receive(udp(2), &reply_with(&again, 407, "", None, &challenge)).0, []);
    assert_eq!(progress(&mut bench, session, 200).0, []);
}

/// Reports after the end are bounded with the calls.
#[test]
fn line_09_calls_that_only_report_count_as_calls() {
    let mut config = config();
    config.max_sessions = 1;
    let mut bench = Bench::with(config);
    let (session, tag) = accepted(&mut bench);
    bench.receive(udp(2), &Ask::within("BYE", 3, &tag).text());
    let next = Ask::new("INVITE", "next").set("Call-ID", "next").sdp(OFFER);
    assert_eq!(bench.receive(udp(2), &next.text()).summary(), "503");
    let last = progress(&mut bench, session, 200).request("NOTIFY");
    bench.receive(udp(2), &reply(&last, 200, "", None));
    assert_eq!(bench.receive(udp(2), &next.text()).summary(), "100");
}

/// The consultation call of the same phone, `in-2`; our tag in it.
fn second_call(bench: &mut Bench, answered: bool) -> (SessionId, String) {
    let call = |ask: Ask| ask.set("Call-ID", "in-2").set("From", "<sip:bob@10.0.0.2>;tag=bobs-2");
    let invite = call(Ask::new("INVITE", "second").sdp(OFFER));
    let session = bench.receive(udp(2), &invite.text()).incoming();
    let ringing = bench.handle(Input::Ring { session, status: 180, sdp: None }).response(180);
    let tag = ringing.to().unwrap().tag.unwrap();
    if answered {
        bench.handle(Input::Answer { session, sdp: ANSWER.into() });
        let ack = call(Ask::within("ACK", 1, &tag)).set("Via", "SIP/2.0/UDP 10.0.0.2:5060;rport;branch=z9hG4bKack-2");
        assert_eq!(bench.receive(udp(2), &ack.text()).words().len(), 1);
    }
    (session, tag)
}

#[test]
fn line_09_refer_to_with_replaces_names_our_other_session_ringing_or_answered() {
    for (answered, early_only, found) in
        [(true, "", true), (false, "", true), (false, "%3Bearly-only", true), (true, "%3Bearly-only", false)]
    {
        let mut bench = Bench::default();
        let (session, tag) = bench.answered();
        let (other, theirs) = second_call(&mut bench, answered);
        let ask = |to: &str, from: &str, sequence| {
            let to = format!("<sip:901@x?Replaces=in-2%3Bto-tag%3D{to}%3Bfrom-tag%3D{from}{early_only}>");
            refer(&tag, sequence, &to).text()
        };
        let refusal = Refusal { status: 603, phrase: None, reason: None, retry_after: None };
        let expected = if found { Replaces::Session(other) } else { Replaces::Unknown };
        let heard = bench.receive(udp(2), &ask(&theirs, "bobs-2", 2));
        assert_eq!(heard.words(), referred(session, "901", Some(expected)), "{answered} {early_only}");
        bench.handle(Input::RefuseRefer { session, refusal: refusal.clone() });
        // Guessed, or the wrong way round.
        for (n, (to, from)) in [(&*theirs, "guess"), ("guess", "bobs-2"), ("bobs-2", &*theirs)].into_iter().enumerate() {
            let heard = bench.receive(udp(2), &ask(to, from, 3 + n as u32));
            assert_eq!(heard.words(), referred(session, "901", Some(Replaces::Unknown)), "{to} {from}");
            bench.handle(Input::RefuseRefer { session, refusal: refusal.clone() });
        }
    }
}

#[test]
fn line_09_a_call_can_not_be_transferred_to_itself() {
    let mut bench = Bench::default();
    let (session, tag) = bench.answered();
    let to = format!("<sip:901@x?Replaces=in-1%3Bto-tag%3D{tag}%3Bfrom-tag%3Dbobs>");
    let heard = bench.receive(udp(2), &refer(&tag, 2, &to).text());
    assert_eq!(heard.words(), referred(session, "901", Some(Replaces::Unknown)));
}

/// RFC 3891 3.
#[test]
fn line_09_an_invite_with_replaces_names_the_session_or_is_refused() {
    let invite = |replaces: &str| {
        Ask::new("INVITE", "new").set("Call-ID", "new").set("Require", "replaces").set("Replaces", replaces).sdp(OFFER)
    };
    let mut bench = Bench::default();
    let (session, tag) = bench.answered();
    for (replaces, status) in [
        (format!("in-1;to-tag={tag};from-tag=guess"), "481"),
        ("in-1;to-tag=guess;from-tag=bobs".to_owned(), "481"),
        (format!("other;to-tag={tag};from-tag=bobs"), "481"),
        (format!("in-1;to-tag={tag};from-tag=bobs;early-only"), "486"),
        ("nonsense".to_owned(), "400"),
        (format!("in-1;to-tag={tag};from-tag=bobs\r\nReplaces: in-1;to-tag={tag};from-tag=bobs"), "400"),
    ] {
        let heard = bench.receive(udp(2), &invite(&replaces).text());
        assert_eq!((heard.summary().as_str(), heard.words().len()), (status, 0), "{replaces}");
    }
    let replaces = format!("in-1;to-tag={tag};from-tag=bobs");
    let heard = bench.receive(udp(2), &invite(&replaces).text());
    let [Output::Incoming { invite: told, .. }] = &heard.words()[..] else { panic!("{heard:?}") };
    assert_eq!(told.replaces, Some(session));

    // What it named is over.
    bench.handle(Input::HangUp { session, reason: None });
    let late = invite(&replaces).set("Call-ID", "late").set("Via", "SIP/2.0/UDP 10.0.0.2:5060;rport;branch=z9hG4bKlate");
    assert_eq!(bench.receive(udp(2), &late.text()).summary(), "603");

    // Early: the one we made may be replaced, theirs not.
    let mut bench = Bench::default();
    let (dialled, ours) = bench.dial(dial());
    bench.receive(udp(2), &reply(&ours, 180, "far", None));
    let ours = ours.from().unwrap().tag.unwrap();
    let heard = bench.receive(udp(2), &invite(&format!("out-1;to-tag={ours};from-tag=far;early-only")).text());
    let [Output::Incoming { invite: told, .. }] = &heard.words()[..] else { panic!("{heard:?}") };
    assert_eq!(told.replaces, Some(dialled));
    let (_, theirs) = second_call(&mut bench, false);
    let early = invite(&format!("in-2;to-tag={theirs};from-tag=bobs-2"))
        .set("Call-ID", "e")
        .set("Via", "SIP/2.0/UDP 10.0.0.2;branch=z9hG4bKe");
    assert_eq!(bench.receive(udp(2), &early.text()).summary(), "481");
    // A stranger learns nothing: the password comes first.
    let stranger = invite("in-1;to-tag=1;from-tag=2").set("Call-ID", "s").set("Via", "SIP/2.0/UDP 10.0.0.9;branch=z9hG4bKs");
    assert_eq!(bench.receive(udp(9), &stranger.text()).summary(), "401");
}

#[test]
fn line_09_hanging_up_right_after_the_last_word_says_both_in_order() {
    let mut bench = Bench::default();
    let (session, _) = accepted(&mut bench);
    let last = progress(&mut bench, session, 200).request("NOTIFY");
    let bye = bench.handle(Input::HangUp { session, reason: None }).request("BYE");
    assert_eq!(bye.cseq().unwrap().0, last.cseq().unwrap().0 + 1);
    let heard = bench.receive(udp(2), &reply(&bye, 200, "", None));
    assert_eq!(heard.words(), [Output::Ended { session, by: EndedBy::Us, reason: None }]);
    assert_eq!(bench.pass(ms(500)).summary(), "NOTIFY", "repeated until it is answered");
    bench.receive(udp(2), &reply(&last, 200, "", None));
    bench.pass(secs(40));
    assert_eq!((bench.endpoint.transactions(), bench.endpoint.deadline()), (0, None));
}
