//! Packets from others (CVE-2017-14099, CVE-2025-53399) and garbage.

use super::*;

#[test]
fn bleed_and_injection_into_a_live_call_get_nothing() {
    let mut w = World::new();
    w.join(A, B);
    w.record();
    w.speak(A, 1, 440.0);
    for n in 0..500u16 {
        w.frame(A, home(A), 1, 440.0);
        for burst in 0..3 {
            let line = Line { marker: false, sequence: n * 3 + burst, timestamp: u32::from(n) * 160, ssrc: 1 };
            w.packet(A, stranger(), 8, line, &[0x2A; FRAME]);
        }
        w.frame(B, home(B), 2, 1_000.0);
        w.pass(ms(20));
    }
    w.command(Command::StopRecording { recording: TAPE });
    assert!(w.got.values().flatten().all(|g| g.to != stranger()));
    assert!(w.channel(0).iter().all(|s| s.abs() < 10_000), "none of it is on the recording");
    w.command(Command::Close { leg: A });
    let Some(Input::Closed { leg: A, stats }) = w.inputs.last() else { panic!("A has closed") };
    assert_eq!(stats.strangers, 1_500);
}

#[test]
fn bleed_before_the_caller_speaks_gets_at_most_five_packets() {
    let mut w = World::new();
    w.command(Command::Loop { leg: A, prompt: "high".into() });
    w.record();
    for n in 0..6u16 {
        w.packet(A, stranger(), 8, Line { marker: false, sequence: n, timestamp: 0, ssrc: 9 }, &[0x2A; FRAME]);
        w.pass(ms(20));
    }
    w.pass(ms(5_000));
    let bled = w.got(A).iter().filter(|g| g.to == stranger()).count();
    assert!((1..=5 + 2).contains(&bled), "five, and one for each it sent after: {bled}");
    w.speak(A, 100, 440.0);
    w.command(Command::StopRecording { recording: TAPE });
    let injected = w.channel(0).iter().filter(|s| s.abs() > 20_000).count();
    assert!(injected <= 5 * FRAME, "{injected} samples");
    assert_eq!(w.got(A).last().unwrap().to, home(A));
}

#[test]
fn garbage_is_counted_and_the_call_lives() {
    let mut w = World::new();
    w.join(A, B);
    w.speak(A, 10, 440.0);
    for n in 0..10_000u32 {
        let mut bytes = n.to_be_bytes().repeat(1 + n as usize % 20);
        w.plane.on_packet(w.now, A, home(A), &mut bytes, &mut w.out);
    }
    w.out.clear();
    w.speak(A, 10, 440.0);
    assert_eq!(w.got(B).len(), 20);
}
