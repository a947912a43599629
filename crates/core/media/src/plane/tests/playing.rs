//! Prompts and music.

use super::*;

#[test]
fn line_19_the_first_packet_of_a_prompt_leaves_at_once_and_the_rest_every_20_ms() {
    let mut w = World::new();
    w.play(A, 1, "low");
    assert_eq!(w.got(A).len(), 1);
    w.pass(ms(500));
    let got = w.got(A);
    assert_eq!(got.len(), 10);
    assert!(got.windows(2).all(|p| p[1].at.since(p[0].at) == ms(20)));
    assert!(got[0].header.marker && got[1..].iter().all(|g| !g.header.marker));
    assert!(tone::carries(&w.heard(A), 8_000, 440.0));
    assert_eq!(w.inputs.last(), Some(&Input::PlayDone { leg: A, play: 1 }));
}

#[test]
fn a_prompt_that_is_replaced_or_stopped_is_not_done() {
    let mut w = World::new();
    w.play(A, 1, "high");
    w.pass(ms(110));
    w.play(A, 2, "low");
    w.pass(ms(50));
    w.command(Command::Stop { leg: A });
    w.pass(ms(500));
    assert!(!w.inputs.iter().any(|i| matches!(i, Input::PlayDone { .. })));
    let got = w.got(A);
    assert_eq!(got.len(), 6 + 3);
    assert!(got.windows(2).all(|p| p[1].at.since(p[0].at) == ms(20)), "the new one waits for the frame on its way");
    assert!(got[6].header.marker);
}

#[test]
fn a_sound_that_is_not_in_the_book_takes_no_time() {
    let mut w = World::new();
    w.plane.on_command(w.now, Command::Play { leg: A, play: 9, sounds: vec![Sound::Prompt("none".into())] }, &mut w.out);
    assert!(w.out.contains(&Output::UnknownSound { leg: A, key: "none".into() }));
    assert!(w.out.contains(&Output::Input(Input::PlayDone { leg: A, play: 9 })));
}

#[test]
fn a_new_book_of_prompts_counts_for_what_begins_and_leaves_alone_what_plays() {
    let mut w = World::new();
    w.play(A, 1, "low");
    w.plane.use_prompts(std::sync::Arc::new(crate::PromptBook::builtin(&[])));
    w.pass(ms(500));
    assert_eq!(w.got(A).len(), 10);
    assert_eq!(w.inputs.last(), Some(&Input::PlayDone { leg: A, play: 1 }));
    w.plane.on_command(w.now, Command::Play { leg: A, play: 2, sounds: vec![Sound::Prompt("low".into())] }, &mut w.out);
    assert!(w.out.contains(&Output::UnknownSound { leg: A, key: "low".into() }));
}

#[test]
fn line_11_prompts_music_and_a_bridge_are_one_stream_to_the_caller() {
    let mut w = World::new();
    w.play(A, 1, "low");
    w.pass(ms(207));
    w.command(Command::Loop { leg: A, prompt: "high".into() });
    w.pass(ms(1_500));
    w.join(A, B);
    w.speak(B, 50, 700.0);
    w.part(A, B);
    w.command(Command::Loop { leg: A, prompt: "high".into() });
    w.pass(ms(100));
    let got = w.got(A);
    assert_eq!(got.iter().filter(|g| g.header.marker).count(), 4);
    for pair in got.windows(2) {
        assert_eq!(pair[0].header.ssrc, pair[1].header.ssrc);
        assert_eq!(pair[1].header.sequence, pair[0].header.sequence.wrapping_add(1));
        let (time, clock) = (pair[1].at.since(pair[0].at), pair[1].header.timestamp.wrapping_sub(pair[0].header.timestamp));
        assert!(time <= ms(40) && (160..=320).contains(&clock), "{time:?} {clock}");
    }
    let (first, last) = (&got[0], &got[got.len() - 1]);
    let clock = u64::from(last.header.timestamp.wrapping_sub(first.header.timestamp)) / 8;
    assert!(clock.abs_diff(last.at.since(first.at).as_millis() as u64) <= 20, "the timestamp keeps the time");
}

#[test]
fn tones_are_played_in_a_list_and_in_a_loop() {
    use crate::Tone;
    let mut w = World::new();
    let tones = [Tone::Zip, Tone::Ringback, Tone::Busy, Tone::Beep];
    w.command(Command::Play { leg: A, play: 3, sounds: tones.map(Sound::Tone).into() });
    w.pass(ms(200 + 5_000 + 3_000 + 200));
    assert_eq!(w.inputs.last(), Some(&Input::PlayDone { leg: A, play: 3 }));
    let heard = w.heard(A);
    let at = |from: usize, to: usize, hertz| tone::carries(&heard[8 * from..8 * to], 8_000, hertz);
    assert!(at(0, 80, 660.0) && at(120, 200, 880.0), "zip");
    assert!(at(200, 1_200, 425.0) && tone::loudness(&heard[8 * 1_200..8 * 5_200]) < 10.0, "ringback");
    assert!(at(5_200, 5_700, 425.0) && at(6_200, 6_700, 425.0) && at(7_200, 7_700, 425.0), "busy");
    assert!(at(8_200, 8_400, 1_400.0), "beep");

    w.command(Command::LoopTone { leg: B, tone: Tone::Ringback });
    w.pass(ms(2_000));
    w.command(Command::LoopTone { leg: B, tone: Tone::Ringback });
    w.pass(ms(10_000));
    let heard = w.heard(B);
    let loud: Vec<usize> = (0..12).filter(|s| tone::carries(&heard[s * 8_000 + 400..][..7_200], 8_000, 425.0)).collect();
    assert_eq!(loud, [0, 2, 7], "from its beginning when it is asked for, then once in five seconds");
}
