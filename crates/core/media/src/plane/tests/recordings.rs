//! Silence, reports, and what is recorded.

use super::*;

#[test]
fn silence_is_said_once_and_so_is_its_end() {
    let mut w = World::new();
    w.speak(A, 5, 440.0);
    w.pass(ms(60_000));
    w.speak(A, 5, 440.0);
    let about_a = |i: &&Input| matches!(i, Input::Silent { leg: A, .. } | Input::Heard { leg: A });
    let said: Vec<_> = w.inputs.iter().filter(about_a).collect();
    assert_eq!(said, [&Input::Silent { leg: A, millis: 20_000 }, &Input::Heard { leg: A }]);
}

#[test]
fn reports_of_the_peer_and_hold_are_no_silence() {
    let mut w = World::new();
    let report = rtcp::Compound { ssrc: 1, cname: "x", sent: None, heard: None, peer: None, bye: false }.to_bytes(Instant(0));
    w.command(Command::Configure { leg: B, session: Session { receive: false, ..session(B) } });
    for _ in 0..20 {
        w.plane.on_rtcp(w.now, A, ([192, 0, 2, 1], 4_001).into(), &report);
        w.pass(ms(10_000));
    }
    assert!(!w.inputs.iter().any(|i| matches!(i, Input::Silent { .. })));
    w.command(Command::Configure { leg: B, session: session(B) });
    w.pass(ms(19_000));
    assert!(!w.inputs.iter().any(|i| matches!(i, Input::Silent { leg: B, .. })), "the time on hold does not count");
    w.pass(ms(2_000));
    assert!(w.inputs.iter().any(|i| matches!(i, Input::Silent { leg: B, .. })));
}

#[test]
fn line_11_each_leg_reports_about_every_five_seconds() {
    let mut w = World::new();
    w.pass(ms(100_000));
    assert!((28..=56).contains(&w.reports.len()), "{} from two legs in 100 s", w.reports.len());
    assert!(w.reports.iter().all(|r| rtcp::read(r, 0).is_some()));
    w.command(Command::Close { leg: A });
    let last = rtc_rtcp::packet::unmarshal(&mut &w.reports.last().unwrap()[..]).unwrap();
    assert!(last[2].as_any().is::<rtc_rtcp::goodbye::Goodbye>(), "the last one says good-bye");
}

#[test]
fn a_recording_holds_what_each_said_in_its_channel() {
    let mut w = World::new();
    w.join(A, B);
    w.record();
    w.speak(A, 50, 440.0);
    w.speak(B, 50, 1_000.0);
    w.command(Command::StopRecording { recording: TAPE });
    assert_eq!(w.tape.len(), 16_000);
    let (left, right) = (w.channel(0), w.channel(1));
    assert!(tone::carries(&left[400..7_600], 8_000, 440.0) && tone::carries(&right[8_400..15_600], 8_000, 1_000.0));
    assert!(tone::loudness(&left[8_400..]) < 1.0 && tone::loudness(&right[..7_600]) < 1.0);
}

#[test]
fn line_11_a_codec_change_keeps_the_recordings_time_base() {
    let mut w = World::new();
    w.join(A, B);
    w.record();
    w.speak(A, 50, 440.0);
    w.pass(ms(500));
    w.command(Command::Configure { leg: A, session: Session { codec: Codec::Pcmu, payload: 0, ..session(A) } });
    // The phone begins a stream of its own with the new law: other numbers, another clock.
    for n in 0..50u32 {
        let said = tone::part(8_000, 440.0, 8_000.0, (n as usize) * FRAME..(n as usize + 1) * FRAME);
        let body: Vec<u8> = said.iter().map(|sample| Law::Pcmu.encode(*sample)).collect();
        let line = Line { marker: n == 0, sequence: 40_000 + n as u16, timestamp: 900_000 + n * 160, ssrc: 77 };
        w.packet(A, home(A), 0, line, &body);
        w.pass(ms(20));
    }
    w.command(Command::StopRecording { recording: TAPE });
    let left = w.channel(0);
    assert!((19_600..=20_400).contains(&left.len()), "2.5 s are 2.5 s: {}", left.len());
    assert!(tone::carries(&left[400..7_600], 8_000, 440.0) && tone::carries(&left[12_400..19_400], 8_000, 440.0));
    assert!(tone::loudness(&left[8_400..11_600]) < 1.0, "the pause is where it was");
}

#[test]
fn keys_are_not_recorded_as_noise() {
    let mut w = World::new();
    w.record();
    for n in 1..50u16 {
        let line = Line { marker: n == 1, sequence: n, timestamp: 160, ssrc: 1 };
        w.packet(A, home(A), 101, line, &dtmf::Event { code: 1, end: false, duration: n * 160 }.to_bytes());
        w.pass(ms(20));
    }
    w.command(Command::StopRecording { recording: TAPE });
    assert_eq!(w.tape.len(), 7_840);
    assert!(w.tape.iter().all(|f| *f == [0, 0]));
    assert_eq!(w.inputs.iter().filter(|i| matches!(i, Input::Digit { .. })).count(), 1);
}

#[test]
fn a_recording_ends_with_its_last_leg() {
    let mut w = World::new();
    w.record();
    w.command(Command::Close { leg: A });
    w.pass(ms(1_000));
    assert!(w.plane.recordings.contains_key(&TAPE));
    w.command(Command::Close { leg: B });
    assert!(w.plane.recordings.is_empty() && w.plane.legs() == 0 && w.plane.deadline().is_none());
    assert_eq!(w.tape.len(), 8_000);
}

#[test]
fn a_recorded_conference_has_the_caller_left_and_all_others_right() {
    let mut w = World::of_three([&[B, C], &[A, C], &[A, B]]);
    w.record_legs(&[A], &[B, C]);
    w.talk(&[A, B, C], 100);
    w.command(Command::StopRecording { recording: TAPE });
    assert_eq!((w.tape.len(), w.channels), (16_000, 2));
    assert_eq!([who(&w.channel(0)[400..15_600]), who(&w.channel(1)[400..15_600])], ["A", "BC"]);
}

#[test]
fn legs_that_join_and_take_over_are_in_the_same_file_at_their_time() {
    let mut w = World::of_three([&[B], &[A], &[]]);
    w.record();
    w.talk(&[A, B], 100);
    w.all_hear([&[B, C], &[A, C], &[A, B]]);
    w.command(Command::RecordLegs { recording: TAPE, left: vec![A], right: vec![B, C] });
    w.talk(&[A, B, C], 100);
    w.all_hear([&[C], &[], &[A]]);
    w.command(Command::RecordLegs { recording: TAPE, left: vec![A], right: vec![C] });
    w.talk(&[A, B, C], 100);
    w.command(Command::StopRecording { recording: TAPE });
    assert_eq!(w.tape.len(), 48_000);
    assert_eq!(who(&w.channel(0)[400..47_600]), "A");
    let right = w.channel(1);
    assert_eq!([400, 16_400, 32_400].map(|from| who(&right[from..][..15_200])), ["B", "BC", "C"]);
}

#[test]
fn nobody_on_the_right_is_a_file_of_one_channel() {
    let mut w = World::new();
    w.record_legs(&[A], &[]);
    w.talk(&[A, B], 50);
    w.command(Command::StopRecording { recording: TAPE });
    assert_eq!((w.tape.len(), w.channels), (8_000, 1));
    assert_eq!(who(&w.channel(0)[400..7_600]), "A");
}

#[test]
fn who_is_on_hold_or_hears_music_is_recorded_as_silence() {
    let mut w = World::new();
    w.join(A, B);
    w.record();
    w.talk(&[A, B], 50);
    // B puts A on hold: B's phone sends music of its own, A hears ours.
    w.command(Command::Configure { leg: B, session: Session { send: false, ..session(B) } });
    w.command(Command::Loop { leg: A, prompt: "high".into() });
    w.talk(&[A, B], 50);
    w.command(Command::Configure { leg: B, session: session(B) });
    w.hear(A, &[B]);
    w.talk(&[A, B], 50);
    w.command(Command::StopRecording { recording: TAPE });
    assert_eq!(w.tape.len(), 24_000);
    for (side, name) in [(0, "A"), (1, "B")] {
        let channel = w.channel(side);
        assert_eq!([400, 16_400].map(|from| who(&channel[from..][..7_200])), [name, name]);
        assert!(tone::loudness(&channel[8_000..15_800]) < 1.0);
    }
}

#[test]
fn who_waits_is_recorded_where_that_is_wanted_and_the_music_of_either_side_is_not() {
    let mut w = World::new();
    w.join(A, B);
    w.record();
    w.command(Command::RecordWaiting { recording: TAPE });
    // B puts A on hold: B's phone sends music of its own, A hears ours and speaks on.
    w.command(Command::Configure { leg: B, session: Session { send: false, ..session(B) } });
    w.command(Command::Loop { leg: A, prompt: "high".into() });
    w.talk(&[A, B], 50);
    w.command(Command::StopRecording { recording: TAPE });
    assert_eq!((w.tape.len(), who(&w.channel(0)[400..7_600])), (8_000, "A".into()));
    assert!(tone::loudness(&w.channel(1)[..7_800]) < 1.0);
}

#[test]
fn what_is_said_while_an_announcement_plays_is_recorded() {
    let mut w = World::new();
    w.record_legs(&[A], &[]);
    w.play(A, 1, "high");
    w.talk(&[A], 50);
    w.command(Command::StopRecording { recording: TAPE });
    assert_eq!(who(&w.channel(0)[400..7_600]), "A");
}

#[test]
fn a_recording_of_which_nobody_is_left_ends() {
    let mut w = World::of_three([&[B], &[A], &[]]);
    w.record();
    w.command(Command::RecordLegs { recording: TAPE, left: vec![A], right: vec![C] });
    w.command(Command::Close { leg: A });
    assert!(w.plane.recordings.contains_key(&TAPE), "C is in it");
    w.command(Command::Close { leg: C });
    assert!(w.plane.recordings.is_empty(), "B is not");
}

#[test]
fn a_recording_without_a_leg_waits_for_one_and_ends_with_its_call() {
    let mut w = World::new();
    w.record();
    w.command(Command::RecordLegs { recording: TAPE, left: vec![], right: vec![] });
    w.talk(&[A, B], 25);
    w.command(Command::Close { leg: A });
    assert!(w.plane.recordings.contains_key(&TAPE));
    w.command(Command::Close { leg: B });
    assert!(w.plane.recordings.is_empty());
    assert!(w.tape.len() == 4_000 && w.tape.iter().all(|f| *f == [0, 0]));
}
