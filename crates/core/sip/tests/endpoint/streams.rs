//! TCP: what a connection's end means, and to whom.

use crate::bench::*;
use sip::{Dial, EndedBy, Flow, Input, Output, Transport};

fn over_tcp() -> Ask {
    Ask::invite()
        .set("Via", "SIP/2.0/TCP 10.0.0.2:5060;branch=z9hG4bKinv")
        .set("Contact", "<sip:bob@10.0.0.2:5060;transport=tcp>")
}

fn within(method: &str, sequence: u32, tag: &str) -> String {
    let via = format!("SIP/2.0/TCP 10.0.0.2:5060;branch=z9hG4bK{method}{sequence}");
    Ask::within(method, sequence, tag).set("Via", &via).text()
}

/// A confirmed call over connection 7.
fn confirmed(bench: &mut Bench) -> (sip::SessionId, String) {
    let stream = tcp(2, 41000, 7);
    let session = bench.receive(stream, &over_tcp().text()).incoming();
    let ok = bench.handle(Input::Answer { session, sdp: ANSWER.into() });
    assert_eq!(ok.sent()[0].0, stream);
    let tag = ok.response(200).to().unwrap().tag.unwrap();
    bench.receive(stream, &within("ACK", 1, &tag));
    (session, tag)
}

#[test]
fn responses_use_the_connection_and_nothing_lingers_after_them() {
    let mut bench = Bench::default();
    let (session, tag) = confirmed(&mut bench);
    assert_eq!(bench.pass(secs(33)).0, []);
    let heard = bench.receive(tcp(2, 41000, 7), &within("BYE", 2, &tag));
    assert_eq!((heard.sent()[0].0, heard.words().len()), (tcp(2, 41000, 7), 1));
    bench.pass(ms(0));
    assert_eq!((bench.endpoint.transactions(), bench.endpoint.sessions()), (0, 0), "{session:?}");
}

#[test]
fn a_confirmed_call_outlives_its_connection_and_asks_for_a_new_one() {
    let mut bench = Bench::default();
    let (session, _) = confirmed(&mut bench);
    assert_eq!(bench.handle(Input::TransportFailed { flow: tcp(2, 41000, 7) }).words(), []);
    assert_eq!(bench.endpoint.sessions(), 1);
    let heard = bench.handle(Input::HangUp { session, reason: None });
    let new = tcp(2, 5060, 0);
    assert_eq!(heard.sent()[0].0, new);
    let heard = bench.handle(Input::TransportFailed { flow: new });
    assert_eq!(heard.words(), [Output::Ended { session, by: EndedBy::Us, reason: None }]);
}

#[test]
fn a_peer_that_comes_back_on_another_connection_is_followed() {
    let mut bench = Bench::default();
    let (session, tag) = confirmed(&mut bench);
    bench.handle(Input::TransportFailed { flow: tcp(2, 41000, 7) });
    bench.receive(tcp(2, 41001, 8), &within("OPTIONS", 2, &tag));
    let heard = bench.handle(Input::HangUp { session, reason: None });
    assert_eq!(heard.sent()[0].0, tcp(2, 41001, 8));
}

#[test]
fn a_reinvite_that_can_not_be_sent_at_all_ends_the_call() {
    let mut bench = Bench::default();
    let (session, _) = confirmed(&mut bench);
    bench.handle(Input::Reoffer { session, sdp: OFFER.into() });
    let heard = bench.handle(Input::TransportFailed { flow: tcp(2, 41000, 7) });
    assert_eq!(heard.words(), [Output::ReofferDone { session, result: Err(503) }], "the stream ended: only the offer is lost");
    bench.handle(Input::Reoffer { session, sdp: OFFER.into() });
    let heard = bench.handle(Input::TransportFailed { flow: tcp(2, 5060, 0) });
    assert_eq!(heard.words(), [Output::Ended { session, by: EndedBy::Lost, reason: None }]);
}

/// Security row 6 (CVE-2018-7286).
#[test]
fn a_thousand_invites_cut_off_by_resets_leave_nothing() {
    let mut bench = Bench::default();
    for n in 1..=1000u16 {
        let stream = tcp(2, 10_000 + n, u64::from(n));
        let invite = over_tcp().set("Call-ID", &format!("{n}")).set("Via", &format!("SIP/2.0/TCP a;branch=z9hG4bK{n}"));
        let session = bench.receive(stream, &invite.text()).incoming();
        if n % 2 == 0 {
            bench.handle(Input::Answer { session, sdp: ANSWER.into() });
        }
        let heard = bench.handle(Input::TransportFailed { flow: stream });
        assert_eq!(heard.words(), [Output::Ended { session, by: EndedBy::Lost, reason: None }], "{n}");
    }
    assert_eq!(bench.endpoint.sessions(), 0);
    bench.pass(secs(65));
    assert_eq!((bench.endpoint.transactions(), bench.endpoint.deadline()), (0, None));
}

#[test]
fn an_invite_dialled_over_a_new_connection_fails_with_it() {
    let mut bench = Bench::default();
    let asked = Flow { transport: Transport::Tcp, ..udp(2) };
    let (session, invite) = bench.dial(Dial { flow: asked, ..dial() });
    assert_eq!(invite.contact().unwrap().uri.transport().as_deref(), Some("tcp"));
    let opened = Flow { connection: 12, ..asked };
    bench.receive(opened, &reply(&invite, 180, "far", None));
    assert_eq!(bench.pass(secs(20)).summary(), "", "nothing is repeated on a stream");
    let heard = bench.handle(Input::TransportFailed { flow: opened });
    assert_eq!(heard.0, [Output::Failed { session, status: 503 }]);
}

#[test]
fn what_is_not_sip_closes_a_connection() {
    let mut bench = Bench::default();
    let stream = tcp(9, 1234, 3);
    let heard = bench.receive(stream, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    assert!(heard.0.contains(&Output::CloseConnection { flow: stream }), "{heard:?}");
}
