//! Mutated messages in the middle of calls: no panic, and nothing left over.

use crate::bench::*;
use proptest::prelude::*;
use sip::{Input, Output};

/// Valid messages to start from: each kind at each state.
fn messages(tag: &str) -> Vec<String> {
    let auth = "Digest username=\"ana\", realm=\"centre.example\", nonce=\"0\", uri=\"sip:a\", response=\"0\", qop=auth, nc=00000001, cnonce=\"c\"";
    vec![
        Ask::invite().text(),
        Ask::new("INVITE", "two").set("Call-ID", "two").set("Record-Route", "<sip:10.0.0.9;lr>, <sip:p>").text(),
        Ask::new("CANCEL", "inv").text(),
        Ask::within("ACK", 1, tag).sdp(ANSWER).text(),
        Ask::within("INVITE", 2, tag).sdp(OFFER).text(),
        Ask::within("INFO", 3, tag).sdp("Signal=1").text(),
        Ask::within("BYE", 4, tag).set("Reason", "SIP;cause=200;text=\"x\"").text(),
        Ask::new("REGISTER", "r").set("Contact", "*").set("Expires", "0").set("Authorization", auth).text(),
        Ask::within("PRACK", 5, tag).set("RAck", "1 1 INVITE").sdp(OFFER).text(),
        Ask::within("UPDATE", 6, tag)
            .set("Supported", "timer")
            .set("Session-Expires", "90;refresher=uas")
            .set("Min-SE", "90")
            .text(),
        Ask::within("UPDATE", 7, tag).sdp(OFFER).text(),
        Ask::within("REFER", 8, tag).set("Refer-To", "<sip:1@x?Replaces=in-1%3Bto-tag%3D1%3Bfrom-tag%3D2>").text(),
        Ask::within("REFER", 9, tag).set("Refer-To", "<tel:112>").set("Refer-Sub", "false").text(),
        Ask::new("INVITE", "three")
            .set("Call-ID", "three")
            .set("Replaces", &format!("in-1;to-tag={tag};from-tag=bobs"))
            .set("Supported", "100rel, timer")
            .set("Diversion", "<sip:1@x>, <sip:2@x>")
            .set("History-Info", "<sip:1@x?Reason=SIP>;index=1, <sip:2@x>;index=1.1")
            .set("Privacy", "id;user")
            .sdp(OFFER)
            .text(),
        Ask::new("OPTIONS", "o").set("Require", "a, b").set("Max-Breadth", "1").text(),
    ]
}

#[derive(Clone, Debug)]
enum Change {
    Flip(usize, u8),
    Cut(usize, usize),
    Double(usize, usize),
    Insert(usize, &'static [u8]),
}

fn change() -> impl Strategy<Value = Change> {
    let bits = [
        &b"\r\n"[..],
        b";",
        b",",
        b"\"",
        b"<",
        b">",
        b"%00",
        b"\0",
        b"@",
        b"[",
        b"99999999999",
        b";tag=",
        b":",
        b"=",
        b" ",
        b"\xff",
    ];
    prop_oneof![
        (any::<usize>(), any::<u8>()).prop_map(|(at, byte)| Change::Flip(at, byte)),
        (any::<usize>(), 1..40usize).prop_map(|(at, length)| Change::Cut(at, length)),
        (any::<usize>(), 1..40usize).prop_map(|(at, length)| Change::Double(at, length)),
        (any::<usize>(), prop::sample::select(bits.to_vec())).prop_map(|(at, bytes)| Change::Insert(at, bytes)),
    ]
}

fn apply(mut bytes: Vec<u8>, change: &Change) -> Vec<u8> {
    let length = bytes.len();
    let span = |at: usize, wanted: usize| (at % (length + 1), (at % (length + 1)).saturating_add(wanted).min(length));
    match change {
        Change::Flip(at, byte) if length > 0 => bytes[at % length] = *byte,
        Change::Flip(..) => {}
        Change::Cut(at, wanted) => {
            let (from, to) = span(*at, *wanted);
            bytes.drain(from..to);
        }
        Change::Double(at, wanted) => {
            let (from, to) = span(*at, *wanted);
            let copy = bytes[from..to].to_vec();
            bytes.splice(to..to, copy);
        }
        Change::Insert(at, what) => {
            let (from, _) = span(*at, 0);
            bytes.splice(from..from, what.iter().copied());
        }
    }
    bytes
}

/// As the engine would: each question has its answer.
fn react(bench: &mut Bench, word: Output) -> Vec<Heard> {
    match word {
        Output::Incoming { session, .. } => vec![
            bench.handle(Input::Ring { session, status: 183, sdp: Some(ANSWER.into()) }),
            bench.handle(Input::Answer { session, sdp: ANSWER.into() }),
        ],
        Output::Reoffered { session, .. } => vec![bench.handle(Input::AnswerReoffer { session, sdp: ANSWER.into() })],
        Output::Referred { session, .. } => vec![
            bench.handle(Input::AcceptRefer { session }),
            bench.handle(Input::ReferProgress { session, status: 180 }),
            bench.handle(Input::ReferProgress { session, status: 200 }),
        ],
        _ => vec![],
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn mutated_messages_break_nothing(
        steps in prop::collection::vec((any::<prop::sample::Index>(), prop::collection::vec(change(), 0..4), 0..3u8), 1..12),
    ) {
        let mut bench = Bench::default();
        let (dialled, invite) = bench.dial(dial());
        let (_, tag) = bench.answered();
        let mut pool = messages(&tag);
        pool.extend([100, 183, 200, 302, 401, 422, 487].map(|status| {
            let more = "WWW-Authenticate: Digest realm=\"a\", nonce=\"b\"\r\nRecord-Route: <sip:x;lr>\r\nRSeq: 1\r\n\
                        Require: 100rel, timer\r\nSession-Expires: 90;refresher=uac\r\nMin-SE: 3600\r\nAllow: UPDATE\r\n";
            reply_with(&invite, status, "far", Some(ANSWER), more)
        }));
        for (which, changes, pause) in &steps {
            let start = which.get(&pool).clone().into_bytes();
            let bytes = changes.iter().fold(start, apply);
            let flow = if *pause == 2 { tcp(2, 5000, 4) } else { udp(2) };
            let mut heard = bench.handle(Input::Received { flow, bytes: bytes.into() });
            for word in heard.words() {
                react(&mut bench, word).into_iter().for_each(|more| heard.0.extend(more.0));
            }
            for message in heard.messages() {
                let fine = if message.is_request() { message.check_request() } else { Ok(()) };
                prop_assert_eq!(fine, Ok(()), "we sent {:?}", message.bytes());
            }
            bench.pass(secs(u64::from(*pause)));
        }
        bench.handle(Input::HangUp { session: dialled, reason: None });
        bench.pass(secs(200));
        // What is left are calls that nobody hung up: no transaction stays but those of an unanswered INVITE.
        prop_assert!(bench.endpoint.transactions() <= bench.endpoint.sessions());
    }
}
