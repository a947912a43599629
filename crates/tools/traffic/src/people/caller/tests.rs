use super::*;

fn caller(mix: &CallerMix, now: Instant) -> Caller {
    let report = CallReport { tone_hz: 1_000, ..CallReport::default() };
    Caller::new(mix, Random::from_seed(5), report, now)
}

/// Connects it and hands it each of its moments until it has done `acts` things.
fn follow(caller: &mut Caller, start: Instant, acts: usize) -> (Vec<Act>, Instant) {
    let mut now = start;
    let mut done: Vec<Act> = caller.handle(now, Event::Connected).into_iter().collect();
    while done.len() < acts {
        now = caller.due();
        assert!(now < start + NEVER, "it waits for ever after {done:?}");
        done.extend(caller.handle(now, Event::Due));
    }
    (done, now)
}

#[test]
fn a_caller_presses_two_keys_waits_talks_and_leaves() {
    let start = Instant::now();
    let mut caller = caller(&CallerMix::default(), start);
    let (acts, now) = follow(&mut caller, start, 2);
    assert!(matches!(acts[..], [Act::Press('1'..='4'), Act::Press('1' | '2')]), "{acts:?}");
    assert!(caller.due() >= now + NEVER / 2);
    let heard = now + Duration::from_secs(3);
    assert_eq!(caller.handle(heard, Event::Tone(1_700)), Some(Act::Say(1_000)));
    let enough = caller.due();
    assert_eq!(caller.handle(enough, Event::Due), Some(Act::HangUp));
    caller.handle(enough, Event::Ended { by_us: true });
    let report = &caller.report;
    assert_eq!((report.outcome, report.wait_ms, report.agent_hz), (Outcome::Talked, Some(3_000), Some(1_700)));
    assert_eq!(report.talk_ms, Some(millis(heard, enough)));
    assert!(caller.is_over());
}

#[test]
fn those_who_leave_in_the_ivr_never_press_everything() {
    let mix = CallerMix { leaves_in_ivr: 1.0, ..CallerMix::default() };
    for seed in 0..200 {
        let start = Instant::now();
        let mut caller = Caller::new(&mix, Random::from_seed(seed), CallReport::default(), start);
        caller.handle(start, Event::Connected);
        let mut keys = 0;
        loop {
            match caller.handle(caller.due(), Event::Due) {
                Some(Act::Press(_)) => keys += 1,
                Some(Act::HangUp) => break,
                other => panic!("{other:?}"),
            }
        }
        assert!(keys < 2);
        assert_eq!(caller.report.outcome, Outcome::LeftInIvr);
    }
}

#[test]
fn those_who_leave_in_the_queue_lose_patience() {
    let mix = CallerMix { leaves_in_queue: 1.0, patience: Span::ms(4_000, 4_000), ..CallerMix::default() };
    let start = Instant::now();
    let mut caller = caller(&mix, start);
    let (acts, _) = follow(&mut caller, start, 3);
    assert_eq!(acts.last(), Some(&Act::HangUp));
    assert_eq!(caller.report.outcome, Outcome::LeftInQueue);
}

#[test]
fn those_who_want_to_be_called_back_press_the_key_and_wait_for_the_promise() {
    let mix = CallerMix { asks_for_callback: 1.0, ..CallerMix::default() };
    let start = Instant::now();
    let mut caller = caller(&mix, start);
    let (acts, now) = follow(&mut caller, start, 4);
    assert_eq!(acts[2..], [Act::Press('7'), Act::Press('1')], "the wish, and that the number is right");
    assert_eq!(caller.due(), now + PROMISED);
    caller.handle(now, Event::Ended { by_us: false });
    assert_eq!((caller.report.outcome, caller.report.keys.len()), (Outcome::AskedForCallback, 4));
}

#[test]
fn an_agent_who_answers_while_a_callback_is_being_promised_has_the_caller() {
    let mix = CallerMix { asks_for_callback: 1.0, ..CallerMix::default() };
    let start = Instant::now();
    let mut caller = caller(&mix, start);
    let (_, now) = follow(&mut caller, start, 3);
    assert_eq!(caller.handle(now, Event::Tone(1_700)), Some(Act::Say(1_000)));
    caller.handle(now, Event::Ended { by_us: false });
    assert_eq!((caller.report.outcome, caller.report.agents_hz.len()), (Outcome::Talked, 1));
}

#[test]
fn those_who_leave_a_message_speak_after_the_key_and_hang_up() {
    let mix = CallerMix { leaves_message: 1.0, message: Span::ms(5_000, 5_000), ..CallerMix::default() };
    let start = Instant::now();
    let mut caller = caller(&mix, start);
    let (acts, now) = follow(&mut caller, start, 5);
    assert_eq!(acts[2..], [Act::Press('8'), Act::Say(1_000), Act::HangUp]);
    caller.handle(now, Event::Ended { by_us: true });
    assert_eq!((caller.report.outcome, caller.report.wait_ms), (Outcome::LeftMessage, None));
}

#[test]
fn the_agents_of_a_call_that_is_passed_on_are_heard_one_after_the_other_and_beeps_are_nobody() {
    let start = Instant::now();
    let mut caller = caller(&CallerMix::default(), start);
    let (_, now) = follow(&mut caller, start, 2);
    assert_eq!(caller.handle(now, Event::Tone(1_000)), None);
    for hz in [1_700, 1_700, 1_800] {
        caller.handle(now, Event::Tone(hz));
    }
    assert_eq!((caller.report.agent_hz, caller.report.agents_hz.clone()), (Some(1_700), vec![1_700, 1_800]));
}

#[test]
fn a_refusal_and_a_bye_before_an_agent_are_told_apart() {
    let start = Instant::now();
    let mut refused = caller(&CallerMix::default(), start);
    refused.handle(start, Event::Failed(404));
    assert_eq!((refused.report.outcome, refused.report.status), (Outcome::Rejected, 404));
    let mut dismissed = caller(&CallerMix::default(), start);
    dismissed.handle(start, Event::Connected);
    dismissed.handle(start, Event::Ended { by_us: false });
    assert_eq!((dismissed.report.outcome, dismissed.report.status), (Outcome::Dismissed, 200));
    let mut cut = caller(&CallerMix::default(), start);
    cut.handle(start, Event::Connected);
    assert_eq!(cut.handle(start, Event::Stop), Some(Act::HangUp));
    cut.handle(start, Event::Ended { by_us: true });
    assert_eq!(cut.report.outcome, Outcome::Cut);
}

#[test]
fn an_open_microphone_is_heard_from_the_answer_on() {
    let mix = CallerMix { speaks_at_once: true, ..CallerMix::default() };
    let start = Instant::now();
    assert_eq!(caller(&mix, start).handle(start, Event::Connected), Some(Act::Say(1_000)));
    assert_eq!(caller(&CallerMix::default(), start).handle(start, Event::Connected), None);
}
