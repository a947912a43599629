//! Two legs that hear each other, and hold.

use super::*;

#[test]
fn a_bridge_relays_the_payload_untouched_both_ways() {
    let mut w = World::new();
    w.join(A, B);
    w.speak(A, 40, 440.0);
    w.speak(B, 40, 1_000.0);
    assert_eq!((w.got(A).len(), w.got(B).len()), (40, 40));
    assert!(tone::carries(&w.heard(A), 8_000, 1_000.0) && tone::carries(&w.heard(B), 8_000, 440.0));
    assert!(w.got(B).iter().all(|g| g.to == home(B) && g.header.ssrc != u32::from(A.n)));
}

#[test]
fn line_11_two_laws_and_two_event_numbers_are_mapped() {
    let mut w = World::new();
    w.command(Command::Configure { leg: B, session: Session { codec: Codec::Pcmu, payload: 0, dtmf: Some(96), ..session(B) } });
    w.join(A, B);
    w.speak(A, 40, 440.0);
    let event = dtmf::Event { code: 7, end: false, duration: 160 }.to_bytes();
    let line = Line { marker: true, sequence: w.next(A), timestamp: 77_777, ssrc: 1 };
    w.packet(A, home(A), 101, line, &event);
    let got = w.got(B);
    let heard: Vec<i16> = got[..40].iter().flat_map(|g| &g.payload).map(|b| Law::Pcmu.decoder()[usize::from(*b)]).collect();
    assert!(tone::carries(&heard, 8_000, 440.0));
    assert!(got[..40].iter().all(|g| g.header.payload == 0));
    assert_eq!((got[40].header.payload, got[40].payload.as_slice()), (96, &event[..]));
    assert_eq!(w.inputs.last(), Some(&Input::Digit { leg: A, key: '7' }));
}

#[test]
fn events_to_a_peer_without_them_leave_no_hole() {
    let mut w = World::new();
    w.command(Command::Configure { leg: B, session: Session { dtmf: None, ..session(B) } });
    w.join(A, B);
    w.speak(A, 3, 440.0);
    for _ in 0..5 {
        let line = Line { marker: false, sequence: w.next(A), timestamp: 480, ssrc: 1 };
        w.packet(A, home(A), 101, line, &dtmf::Event { code: 1, end: false, duration: 160 }.to_bytes());
        w.pass(ms(20));
    }
    w.speak(A, 3, 440.0);
    assert!(w.got(B).windows(2).all(|p| p[1].header.sequence == p[0].header.sequence.wrapping_add(1)));
    assert_eq!(w.got(B).len(), 6);
}

#[test]
fn on_hold_one_side_gets_nothing_and_the_other_its_music() {
    let mut w = World::new();
    w.join(A, B);
    w.speak(B, 5, 700.0);
    w.command(Command::Configure { leg: B, session: Session { send: false, ..session(B) } });
    w.command(Command::Loop { leg: A, prompt: "high".into() });
    w.speak(A, 20, 440.0);
    w.speak(B, 20, 700.0);
    assert!(w.got(B).is_empty(), "B is on hold");
    assert!(tone::carries(&w.heard(A)[5 * FRAME..], 8_000, 1_000.0), "A hears music, not B");
    w.command(Command::Configure { leg: B, session: session(B) });
    w.command(Command::Stop { leg: A });
    w.speak(A, 20, 440.0);
    assert_eq!(w.got(B).len(), 20);
    let before = w.got(A).len();
    w.speak(B, 20, 700.0);
    assert_eq!(w.got(A).len(), before + 20);
}

#[test]
fn what_is_played_to_a_leg_on_hold_still_ends() {
    let mut w = World::new();
    w.command(Command::Configure { leg: A, session: Session { send: false, ..session(A) } });
    w.play(A, 4, "low");
    w.pass(ms(300));
    assert!(w.got(A).is_empty());
    assert_eq!(w.inputs.last(), Some(&Input::PlayDone { leg: A, play: 4 }));
}

#[test]
fn what_was_said_while_they_were_apart_leaves_no_hole() {
    let mut w = World::new();
    w.join(A, B);
    w.speak(A, 5, 440.0);
    w.part(A, B);
    w.speak(A, 5, 440.0);
    w.join(A, B);
    w.speak(A, 5, 440.0);
    w.command(Command::Configure { leg: A, session: Session { receive: false, ..session(A) } });
    w.speak(A, 5, 440.0);
    w.command(Command::Configure { leg: A, session: session(A) });
    w.speak(A, 5, 440.0);
    let got = w.got(B);
    assert_eq!(got.len(), 15);
    assert!(got.windows(2).all(|p| p[1].header.sequence == p[0].header.sequence.wrapping_add(1)));
    assert_eq!(got.iter().filter(|g| g.header.marker).count(), 3);
}
