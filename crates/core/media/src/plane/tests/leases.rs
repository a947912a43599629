//! A conversation is a lease that RTP and RTCP renew.

use super::*;

fn alive(w: &mut World) -> Vec<Vec<LegId>> {
    let said = std::mem::take(&mut w.inputs).into_iter();
    said.filter_map(|input| if let Input::Alive { legs } = input { Some(legs) } else { None }).collect()
}

#[test]
fn line_12_each_lease_renews_who_was_heard_whomever_they_hear() {
    let mut w = World::of_three([&[B], &[A], &[]]);
    w.pass(ms(20_500));
    assert!(alive(&mut w).is_empty(), "to be open is no sign of life");
    w.talk(&[A, C], 10);
    w.pass(ms(20_000));
    assert_eq!(alive(&mut w), [[A, C]], "B said nothing; C hears nobody, as on hold");
    w.talk(&[A, B], 10);
    w.pass(ms(20_000));
    assert_eq!(alive(&mut w), [[A, B]]);
    w.pass(ms(60_000));
    assert!(alive(&mut w).is_empty());
}

#[test]
fn reports_renew_and_so_does_what_is_said_while_something_plays() {
    let mut w = World::new();
    w.join(A, B);
    let report = rtcp::Compound { ssrc: 1, cname: "x", sent: None, heard: None, peer: None, bye: false }.to_bytes(Instant(0));
    w.plane.on_rtcp(w.now, A, ([192, 0, 2, 1], 4_001).into(), &report);
    w.command(Command::Loop { leg: B, prompt: "high".into() });
    w.speak(B, 1, LOW);
    w.pass(ms(20_000));
    assert_eq!(alive(&mut w), [[A, B]]);
}

#[test]
fn a_stranger_renews_nothing() {
    let mut w = World::new();
    w.join(A, B);
    w.speak(A, 1, LOW);
    w.pass(ms(20_500));
    alive(&mut w);
    for n in 0..4u16 {
        w.packet(A, stranger(), 8, Line { marker: false, sequence: n * 50, timestamp: 0, ssrc: 9 }, &[0x2A; FRAME]);
        w.plane.on_rtcp(w.now, A, stranger(), &[0x80, 200, 0, 0]);
        w.pass(ms(1_000));
    }
    w.pass(ms(20_000));
    assert!(alive(&mut w).is_empty());
}
