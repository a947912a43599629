//! Three and more: who hears whom, by what is heard.

use super::*;

/// One stream to each peer: no hole, no step back, a packet every 20 ms.
fn assert_seamless(w: &World, leg: LegId) {
    for pair in w.got(leg).windows(2) {
        let (before, after) = (&pair[0].header, &pair[1].header);
        assert_eq!(after.ssrc, before.ssrc);
        assert_eq!(after.sequence, before.sequence.wrapping_add(1));
        assert!(pair[1].at.since(pair[0].at) <= ms(40), "{:?} of nothing", pair[1].at.since(pair[0].at));
        assert!((160..=320).contains(&after.timestamp.wrapping_sub(before.timestamp)), "{before:?} {after:?}");
    }
}

fn markers(got: &[Got]) -> usize {
    got.iter().filter(|g| g.header.marker).count()
}

#[test]
fn in_a_conference_of_three_each_hears_the_two_others() {
    let mut w = World::of_three([&[B, C], &[A, C], &[A, B]]);
    w.talk(&[A, B, C], 60);
    assert_eq!([w.who(A, 4), w.who(B, 4), w.who(C, 4)], ["BC", "AC", "AB"]);
    for leg in [A, B, C] {
        assert!((59..=61).contains(&w.got(leg).len()));
        assert_seamless(&w, leg);
        assert_eq!(markers(w.got(leg)), 1);
        assert!(w.got(leg).iter().all(|g| g.to == home(leg)));
    }
}

#[test]
fn a_whisper_is_heard_by_the_agent_and_not_by_the_caller() {
    // A is the caller, B the agent, C the supervisor.
    let mut w = World::of_three([&[B], &[A, C], &[A, B]]);
    w.talk(&[A, B, C], 60);
    assert_eq!([w.who(A, 0), w.who(B, 4), w.who(C, 4)], ["B", "AC", "AB"]);
    assert_eq!((w.got(A).len(), w.copies), (60, 0), "the caller still gets the agent's own packets");
}

#[test]
fn who_listens_is_heard_by_nobody_and_who_barges_in_by_all() {
    let mut w = World::of_three([&[B], &[A], &[A, B]]);
    w.talk(&[A, B, C], 60);
    assert_eq!([w.who(A, 0), w.who(B, 0), w.who(C, 4)], ["B", "A", "AB"]);
    let before = [A, B, C].map(|leg| w.got(leg).len());
    w.all_hear([&[B, C], &[A, C], &[A, B]]);
    w.talk(&[A, B, C], 60);
    assert_eq!([w.who(A, before[0] + 4), w.who(B, before[1] + 4), w.who(C, before[2])], ["BC", "AC", "AB"]);
    [A, B, C].iter().for_each(|leg| assert_seamless(&w, *leg));
    assert_eq!([A, B, C].map(|leg| markers(w.got(leg))), [2, 2, 1], "a marker where relay became mix");
}

#[test]
fn all_who_hear_only_one_get_his_packets_untouched_but_for_their_own_law() {
    let mut w = World::of_three([&[], &[A], &[A]]);
    let d = LegId { call: CALL, n: 4 };
    w.open(d);
    w.hear(d, &[A]);
    w.command(Command::Configure { leg: B, session: Session { codec: Codec::Pcmu, payload: 0, ..session(B) } });
    w.talk(&[A], 40);
    let said: Vec<u8> = tone::part(8_000, LOW, 8_000.0, FRAME..41 * FRAME).iter().map(|s| Law::Pcma.encode(*s)).collect();
    let got = |leg| w.got(leg).iter().flat_map(|g| g.payload.clone()).collect::<Vec<u8>>();
    assert!(got(C) == said && got(d) == said);
    let mut in_other_law = said.clone();
    crate::transcode(Law::Pcma, Law::Pcmu, &mut in_other_law);
    assert!(got(B) == in_other_law);
    assert_eq!([B, C, d].map(|leg| w.got(leg)[0].header.payload), [0, 8, 8]);
    let sequences = |leg| w.got(leg).iter().map(|g| g.header.sequence).collect::<Vec<_>>();
    assert!(sequences(B) != sequences(C) && sequences(C) != sequences(d), "each in a stream of its own");
    assert_eq!(w.copies, 2 * 40, "the third one gets the packet itself");
}

#[test]
fn a_mix_speaks_both_laws() {
    let mut w = World::of_three([&[B, C], &[A, C], &[A, B]]);
    for leg in [A, C] {
        w.command(Command::Configure { leg, session: Session { codec: Codec::Pcmu, payload: 0, ..session(leg) } });
    }
    // All three peers go on sending A-law, which is understood whatever was negotiated (RFC 3551).
    w.talk(&[A, B, C], 60);
    assert_eq!([w.who(A, 4), w.who(B, 4), w.who(C, 4)], ["BC", "AC", "AB"]);
    assert_eq!([A, B, C].map(|leg| w.got(leg)[9].header.payload), [0, 8, 0]);
}

#[test]
fn a_leg_that_closes_is_heard_no_more_and_the_others_go_on_as_two() {
    let mut w = World::of_three([&[B, C], &[A, C], &[A, B]]);
    w.talk(&[A, B, C], 30);
    w.command(Command::Close { leg: C });
    let before = [A, B].map(|leg| w.got(leg).len());
    w.talk(&[A, B], 60);
    assert_eq!([w.who(A, before[0]), w.who(B, before[1])], ["B", "A"]);
    assert_eq!(w.got(A)[before[0]..].len(), 60, "relayed, not mixed");
    [A, B].iter().for_each(|leg| assert_seamless(&w, *leg));
    w.command(Command::Close { leg: B });
    let before = w.got(A).len();
    w.pass(ms(1_000));
    assert_eq!(w.got(A).len(), before, "nobody is left to be heard");
}

#[test]
fn a_source_may_fall_silent_come_late_or_leave_and_the_others_are_heard() {
    let mut w = World::of_three([&[B, C], &[], &[]]);
    w.talk(&[B], 50);
    assert_eq!(w.who(A, 4), "B", "C has never said a word");
    let before = w.got(A).len();
    w.talk(&[B, C], 50);
    assert_eq!(w.who(A, before + 4), "BC");
    let before = w.got(A).len();
    w.talk(&[C], 50);
    assert_eq!(w.who(A, before + 3), "C");
    w.command(Command::Close { leg: B });
    let before = w.got(A).len();
    w.talk(&[C], 50);
    assert_eq!(w.who(A, before), "C");
    assert_seamless(&w, A);
}

#[test]
fn whoever_joins_or_leaves_a_mix_interrupts_nobody() {
    let mut w = World::of_three([&[B, C], &[], &[]]);
    let d = LegId { call: CALL, n: 4 };
    w.open(d);
    w.talk(&[B, C], 30);
    w.hear(A, &[B, C, d]);
    w.talk(&[B, C], 30);
    w.hear(A, &[B, C]);
    w.talk(&[B, C], 30);
    assert_eq!(w.who(A, 4), "BC");
    assert!(w.heard(A)[4 * FRAME..].chunks(FRAME).all(|frame| tone::loudness(frame) > 2_000.0), "not a frame is missing");
    assert_seamless(&w, A);
    assert_eq!(markers(w.got(A)), 1, "one stream without a splice");
}

#[test]
fn a_prompt_goes_before_a_mix_which_goes_on_by_itself() {
    let mut w = World::of_three([&[B, C], &[A], &[A]]);
    w.talk(&[B, C], 30);
    let prompt = w.got(A).len();
    // A fifth of a second at 440 Hz, which is A's own tone.
    w.play(A, 1, "low");
    w.talk(&[B, C], 10);
    assert_eq!(w.who(A, prompt), "A", "nothing but the prompt");
    assert!(!w.inputs.contains(&Input::PlayDone { leg: A, play: 1 }));
    let after = w.got(A).len();
    w.talk(&[B, C], 40);
    assert!(w.inputs.contains(&Input::PlayDone { leg: A, play: 1 }));
    assert_eq!(w.who(A, after + 1), "BC", "at once, with what was said meanwhile");
    assert_seamless(&w, A);
    assert_eq!(markers(w.got(A)), 3);
}

#[test]
fn a_prompt_goes_before_the_one_who_is_heard_and_he_is_heard_again_after_it() {
    let mut w = World::new();
    w.join(A, B);
    w.talk(&[A, B], 20);
    w.play(B, 7, "high");
    let prompt = w.got(B).len();
    w.talk(&[A, B], 60);
    let heard = w.heard(B);
    assert!(tone::carries(&heard[prompt * FRAME..][..50 * FRAME], 8_000, 1_000.0), "the prompt alone");
    assert_eq!(who(&heard[heard.len() - 5 * FRAME..]), "A", "then the caller");
    assert_eq!(markers(w.got(B)), 3);
    assert_eq!(w.who(A, 0), "B", "who heard all the time");
    assert_seamless(&w, B);
}

#[test]
fn to_hear_somebody_stops_what_plays_and_to_hear_nobody_does_not() {
    for others in [&[B][..], &[B, C]] {
        let mut w = World::of_three([&[C], &[], &[]]);
        w.command(Command::LoopTone { leg: A, tone: crate::Tone::Ringback });
        w.talk(&[B, C], 10);
        w.hear(A, &[]);
        let music = w.got(A).len();
        w.talk(&[B, C], 10);
        assert_eq!(w.got(A).len(), music + 10, "the tone goes on");
        assert_eq!(markers(w.got(A)), 1, "in one stretch");
        w.hear(A, others);
        let before = w.got(A).len();
        w.talk(&[B, C], 40);
        assert_eq!(w.who(A, before + 4), if others.len() == 1 { "B" } else { "BC" });
        assert_seamless(&w, A);
    }
}

#[test]
fn to_hear_the_same_again_changes_nothing_but_what_plays() {
    let mut w = World::of_three([&[B, C], &[A], &[]]);
    w.talk(&[A, B, C], 20);
    w.all_hear([&[C, B, B, A], &[A], &[]]);
    w.talk(&[A, B, C], 20);
    assert_eq!([A, B].map(|leg| markers(w.got(leg))), [1, 1]);
    w.command(Command::Loop { leg: B, prompt: "high".into() });
    w.talk(&[A, B, C], 20);
    let before = w.got(B).len();
    w.hear(B, &[A]);
    w.talk(&[A, B, C], 20);
    assert_eq!(w.who(B, before), "A");
}

#[test]
fn a_leg_on_hold_is_not_mixed_in_with_its_music_and_gets_nothing() {
    let mut w = World::of_three([&[B, C], &[A, C], &[A, B]]);
    w.talk(&[A, B, C], 20);
    w.command(Command::Configure { leg: C, session: Session { send: false, ..session(C) } });
    w.pass(ms(100));
    let before = [A, B, C].map(|leg| w.got(leg).len());
    w.talk(&[A, B, C], 40);
    assert_eq!([w.who(A, before[0] + 4), w.who(B, before[1] + 4)], ["B", "A"]);
    assert_eq!(w.got(C).len(), before[2]);
    w.command(Command::Configure { leg: C, session: session(C) });
    let before = [A, B, C].map(|leg| w.got(leg).len());
    w.talk(&[A, B, C], 40);
    assert_eq!([w.who(A, before[0] + 4), w.who(B, before[1] + 4), w.who(C, before[2] + 4)], ["BC", "AC", "AB"]);
    assert!(w.got(C)[before[2]].header.marker, "after a pause");
}

#[test]
fn a_source_that_may_not_send_makes_no_splice_in_a_mix() {
    let mut w = World::of_three([&[B, C], &[], &[]]);
    w.talk(&[B, C], 20);
    w.command(Command::Configure { leg: C, session: Session { receive: false, ..session(C) } });
    w.talk(&[B, C], 20);
    assert_seamless(&w, A);
    assert_eq!(markers(w.got(A)), 1);
}

#[test]
fn a_mix_after_a_silence_takes_up_the_time_that_passed() {
    let mut w = World::of_three([&[], &[], &[]]);
    w.play(A, 1, "low");
    w.pass(ms(1_200));
    w.hear(A, &[B, C]);
    w.talk(&[B, C], 20);
    let got = w.got(A);
    let step = got[10].header.timestamp.wrapping_sub(got[9].header.timestamp);
    assert!(got[10].header.marker && got[10].at.since(got[9].at) == ms(1_020) && step == 1_020 * 8, "{step}");
}

#[test]
fn keys_go_to_who_is_relayed_and_are_no_noise_in_a_mix() {
    let mut w = World::of_three([&[B], &[A], &[A, B]]);
    w.talk(&[B], 5);
    for n in 1..=10u16 {
        w.talk(&[B], 1);
        let line = Line { marker: n == 1, sequence: w.next(A), timestamp: 7_000, ssrc: 1 };
        w.packet(A, home(A), 101, line, &dtmf::Event { code: 5, end: n > 7, duration: n * 160 }.to_bytes());
    }
    w.talk(&[B], 20);
    let events = |leg| w.got(leg).iter().filter(|g| g.header.payload == 101).count();
    assert_eq!([A, B, C].map(events), [0, 10, 0]);
    assert_eq!(w.who(C, 4), "B");
    assert_eq!(w.inputs.iter().filter(|i| matches!(i, Input::Digit { leg: A, key: '5' })).count(), 1);
}

#[test]
fn line_11_a_press_that_a_prompt_interrupts_keeps_its_timestamp() {
    let mut w = World::new();
    w.join(A, B);
    w.speak(A, 10, LOW);
    let press = |w: &mut World, n: u16| {
        let line = Line { marker: n == 1, sequence: w.next(A), timestamp: 9_000, ssrc: 1 };
        w.packet(A, home(A), 101, line, &dtmf::Event { code: 5, end: n > 9, duration: n * 160 }.to_bytes());
        w.pass(ms(20));
    };
    (1..=4).for_each(|n| press(&mut w, n));
    w.command(Command::Play { leg: B, play: 1, sounds: vec![Sound::Tone(crate::Tone::Beep)] });
    w.pass(ms(300));
    (5..=12).for_each(|n| press(&mut w, n));
    let events: Vec<Header> = w.got(B).iter().map(|g| g.header).filter(|h| h.payload == 101).collect();
    assert_eq!(events.len(), 12);
    assert!(events.iter().all(|h| h.timestamp == events[0].timestamp), "one press, not two");
    w.speak(A, 1, LOW);
    let last = w.got(B).last().unwrap().header;
    assert!(last.marker && last.timestamp.wrapping_sub(events[0].timestamp) > 1_600, "the audio's clock went on");
}

#[test]
fn many_splices_do_not_run_ahead_of_the_clock() {
    let mut w = World::of_three([&[B], &[], &[]]);
    w.talk(&[B, C], 5);
    for n in 0..40u64 {
        w.play(A, 1, "low");
        w.talk(&[B, C], 11);
        w.pass(ms(n % 7));
        w.hear(A, &[B, C]);
        w.talk(&[B, C], 4);
        w.pass(ms(n % 5));
        w.hear(A, &[B]);
        w.talk(&[B, C], 4);
    }
    let got = w.got(A);
    let (first, last) = (&got[0], &got[got.len() - 1]);
    let clock = u64::from(last.header.timestamp.wrapping_sub(first.header.timestamp)) / 8;
    let ahead = clock as i64 - last.at.since(first.at).as_millis() as i64;
    assert!((0..=40).contains(&ahead), "{ahead} ms");
    assert!(got.windows(2).all(|p| p[1].header.sequence == p[0].header.sequence.wrapping_add(1)));
}

#[test]
fn a_key_pressed_in_a_conference_goes_out_to_the_others_beside_the_audio() {
    let mut w = World::of_three([&[B, C], &[A, C], &[A, B]]);
    w.command(Command::Configure { leg: C, session: Session { dtmf: Some(96), ..session(C) } });
    w.command(Command::Configure { leg: A, session: Session { dtmf: None, ..session(A) } });
    w.talk(&[A, B, C], 20);
    for n in 1..=8 {
        let line = Line { marker: n == 1, sequence: w.next(B), timestamp: 9_000, ssrc: u32::from(B.n) };
        let event = dtmf::Event { code: 7, end: n > 5, duration: 160 * n.min(6) };
        w.packet(B, home(B), 101, line, &event.to_bytes());
        w.pass(ms(20));
    }
    w.talk(&[A, B, C], 20);
    let keys: Vec<&Got> = w.got(C).iter().filter(|g| g.header.payload == 96).collect();
    assert_eq!(keys.len(), 8, "as they came");
    assert!(keys.iter().all(|key| key.header.timestamp == keys[0].header.timestamp), "one press");
    assert_eq!(keys.iter().filter(|key| key.header.marker).count(), 1);
    assert_eq!(keys[7].payload, dtmf::Event { code: 7, end: true, duration: 960 }.to_bytes());
    assert!(w.got(A).iter().all(|g| g.header.payload == 8), "nobody gets what they cannot read");
    for leg in [A, C] {
        assert!(w.got(leg).windows(2).all(|p| p[1].header.sequence == p[0].header.sequence.wrapping_add(1)));
    }
    let audio: Vec<u32> = w.got(C).iter().filter(|g| g.header.payload == 8).map(|g| g.header.timestamp).collect();
    assert!(audio.windows(2).all(|t| t[1].wrapping_sub(t[0]) == 160), "the audio's clock goes on beside it");
    let pressed = w.inputs.iter().filter(|input| matches!(input, Input::Digit { leg, key: '7' } if *leg == B)).count();
    assert_eq!(pressed, 1);
}
