//! What a crash or a stop leaves of a callback and of a message.

use crate::callbacks::{ANA, CARRIER, FLOW, site};
use crate::stage::{Stage, TRUNK};
use base::fact::{CallbackEnd, Fact, Logged, What};
use base::{Cause, Outcome};
use engine::{Input, Open, Place, Promise, Repaired, Request, Resume, Stored};

const TERMS: &str = r#"callback = { first = "agent", attempts = 2, retry_after = "60s", ring = "20s" }"#;
const CUSTOMER_FIRST: &str = r#"callback = { first = "customer", attempts = 2, retry_after = "60s", ring = "20s" }"#;

fn open(facts: &[Fact], epoch: u32) -> Open {
    let logged = facts.iter().enumerate().map(|(i, fact)| Logged { epoch, seq: i as u64 + 1, fact: fact.clone() });
    Open::fold(&logged.collect::<Vec<_>>())
}

/// The next process, told by the log of this one.
fn next(stage: &Stage, repaired: Vec<Repaired>) -> Stage {
    Stage::resumed(&site(""), FLOW, Resume { open: open(&stage.facts, 1), repaired, ..Resume::default() })
}

/// The next process, so many seconds later, with what the store has of promises.
fn after(stage: &Stage, epoch: u32, terms: &str, seconds: u64) -> Stage {
    let mut open = open(&stage.facts, epoch);
    let promises: Vec<Promise> = stage.promises.values().cloned().collect();
    let later = open.last.plus(std::time::Duration::from_secs(seconds)).wall;
    open.last.wall = later;
    Stage::resumed(&site(terms), FLOW, Resume { open, promises, ..Resume::default() })
}

/// A caller of 30 s ago who was promised a call, and is still told so.
fn promised(terms: &str) -> Stage {
    let mut stage = Stage::new(&site(terms), FLOW);
    stage.call(TRUNK, "a", "5512345678", "5550001000", "");
    stage.wait(30.0);
    stage.keys(1, "71");
    stage
}

fn kept(terms: &str) -> Stage {
    let mut stage = promised(terms);
    stage.heard(1);
    assert_eq!(stage.place(1), Place::Callback);
    stage
}

fn logs_in(stage: &mut Stage) {
    stage.ask(Request::Agent { agent: "acme/ana".parse().unwrap(), ask: acd::Ask::LogIn });
}

/// The place after the restart: credit, and position.
fn place_of(stage: &Stage) -> (u64, u32) {
    match stage.fact(1, "queue.entered").1 {
        What::QueueEntered { credit_ms, position, .. } => (*credit_ms, *position),
        other => panic!("{other:?}"),
    }
}

fn done(stage: &Stage) -> (CallbackEnd, u8) {
    match stage.fact(1, "callback.done").1 {
        What::CallbackDone { end, attempts, .. } => (*end, *attempts),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_promise_is_kept_over_a_crash_with_its_place() {
    let mut stage = kept(TERMS);
    stage.wait(60.0);
    let mut after = after(&stage, 1, TERMS, 10);
    assert_eq!(after.place(1), Place::Callback);
    // 90 s and the 10 of the restart, but for the second in which the node's last fact was.
    let (credit_ms, position) = place_of(&after);
    assert!((95_000..=101_000).contains(&credit_ms), "{credit_ms}");
    assert_eq!(position, 1);
    assert_eq!(after.snapshot().visits.len(), 1, "it counts in the queue's length");
    assert!(after.facts_of(1, "callback.done").is_empty() && after.facts_of(1, "call.ended").is_empty());
    logs_in(&mut after);
    after.answer(ANA);
    after.heard(1);
    assert_eq!(after.rung(CARRIER).unwrap().dialled(), "5512345678");
    after.answer(CARRIER);
    assert_eq!(done(&after), (CallbackEnd::Connected, 1));
    assert!(after.promises.is_empty(), "the number is not kept any longer");
    let revs: Vec<u32> = stage.facts.iter().chain(&after.facts).filter(|f| f.about.call.is_some()).map(|f| f.about.rev).collect();
    assert!(revs.is_sorted_by(|a, b| a + 1 == *b), "one call, told in one story: {revs:?}");
}

#[test]
fn who_was_told_so_is_called_also_if_the_node_died_that_moment() {
    let stage = promised(TERMS);
    assert_eq!(stage.promises.len(), 1, "kept before it was said");
    let after = after(&stage, 1, TERMS, 1);
    assert_eq!(after.place(1), Place::Callback);
    match after.fact(1, "queue.left").1 {
        What::QueueLeft { outcome: Outcome::Callback, .. } => {}
        other => panic!("{other:?}"),
    }
    assert_eq!(after.facts_of(1, "callback.requested").len(), 1);
}

#[test]
fn a_stop_waits_for_no_callback_and_breaks_none() {
    let mut stage = kept(TERMS);
    stage.give(Input::Drain { grace_ms: 600_000 });
    stage.wait(5.0);
    assert!(stage.drained, "nobody is on the line");
    assert!(stage.facts.iter().any(|fact| matches!(fact.what, What::NodeStopped { clean: true })));
    assert!(stage.facts_of(1, "callback.done").is_empty() && stage.facts_of(1, "call.ended").is_empty());
    let mut after = after(&stage, 1, CUSTOMER_FIRST, 3_600);
    assert!(place_of(&after).0 >= 3_630_000, "the hour of the stop was waited, too");
    assert_eq!(after.fact(1, "callback.requested").0.queue.as_ref().unwrap().as_str(), "acme/support");
    logs_in(&mut after);
    after.answer(ANA);
    assert_eq!(after.said(1), ["speech/es/agent-callback"], "what was promised was promised on the old terms");
}

#[test]
fn who_holds_the_line_when_the_node_stops_is_called_back_as_promised() {
    let mut stage = promised(TERMS);
    stage.give(Input::Drain { grace_ms: 1_000 });
    stage.wait(5.0);
    assert!(stage.drained);
    assert_eq!(after(&stage, 1, TERMS, 1).place(1), Place::Callback);
}

#[test]
fn customer_first_the_flow_goes_on_after_a_restart() {
    let stage = kept(CUSTOMER_FIRST);
    let mut after = after(&stage, 1, CUSTOMER_FIRST, 5);
    logs_in(&mut after);
    after.answer(CARRIER);
    assert_eq!(after.said(1), ["speech/es/callback-here"]);
    after.heard(1);
    after.answer(ANA);
    assert_eq!(done(&after).0, CallbackEnd::Connected);
    assert_eq!(after.place(1), Place::Conversation);
}

#[test]
fn an_attempt_that_a_crash_cut_short_is_made_again() {
    let mut stage = kept(CUSTOMER_FIRST);
    logs_in(&mut stage);
    stage.refuse(CARRIER, 486);
    stage.wait(61.0);
    assert!(stage.rung(CARRIER).is_some(), "the second and last attempt");
    let mut after = after(&stage, 1, CUSTOMER_FIRST, 5);
    after.wait(30.0);
    assert!(after.rung(CARRIER).is_none(), "not at once: it may have rung there until now");
    after.wait(31.0);
    after.answer(CARRIER);
    after.answer(ANA);
    assert_eq!(done(&after), (CallbackEnd::Connected, 3));
}

#[test]
fn a_promise_as_old_as_any_may_become_ends_with_its_cause() {
    let stage = kept(TERMS);
    let after = after(&stage, 1, TERMS, 13 * 3_600);
    assert_eq!(after.place(1), Place::Ended);
    assert_eq!(done(&after), (CallbackEnd::Failed, 0));
    assert_eq!(after.fact(1, "call.ended").0.cause, Some(Cause::Timeout));
    assert!(after.promises.is_empty());
}

#[test]
fn a_promise_outlives_one_restart_after_the_other() {
    let stage = kept(TERMS);
    let second = after(&stage, 1, TERMS, 10);
    let mut third = after(&second, 2, TERMS, 10);
    assert_eq!(third.place(1), Place::Callback);
    assert!(place_of(&third).0 >= 50_000, "{:?}", place_of(&third));
    logs_in(&mut third);
    third.answer(ANA);
    third.heard(1);
    third.answer(CARRIER);
    let fourth = Stage::resumed(&site(TERMS), FLOW, Resume { open: open(&third.facts, 3), ..Resume::default() });
    match fourth.fact(1, "call.ended").1 {
        What::CallEnded { visits: 4, duration_ms } if *duration_ms >= 50_000 => {}
        other => panic!("{other:?}"),
    }
}

#[test]
fn who_calls_again_after_the_restart_joins_the_promise() {
    let stage = kept(TERMS);
    let mut after = after(&stage, 1, TERMS, 10);
    after.call(TRUNK, "again", "+5215512345678", "5550001000", "");
    assert_eq!(done(&after), (CallbackEnd::Joined, 0));
    assert!(after.promises.is_empty());
}

#[test]
fn a_promise_that_nothing_is_kept_of_or_whose_queue_is_gone_is_told_as_cancelled() {
    let stage = kept(TERMS);
    let gone = next(&stage, Vec::new());
    assert_eq!(done(&gone), (CallbackEnd::Cancelled, 0));
    assert_eq!(gone.story(1).last().unwrap(), "call.ended");
    let promises = stage.promises.values().cloned().map(|p| Promise { queue: "acme/sales".parse().unwrap(), ..p }).collect();
    let open = open(&stage.facts, 1);
    let moved = Stage::resumed(&site(TERMS), FLOW, Resume { open, promises, ..Resume::default() });
    assert_eq!(done(&moved), (CallbackEnd::Cancelled, 0));
}

#[test]
fn a_message_that_a_crash_cut_is_a_message_all_the_same() {
    let mut stage = Stage::new(&site(""), FLOW);
    stage.call(TRUNK, "a", "5512345678", "5550001000", "");
    stage.key(1, '8');
    stage.heard(1);
    stage.heard(1);
    stage.wait(8.0);
    let recording = stage.facts_of(1, "recording.started").into_iter().find_map(|(_, what)| match what {
        What::RecordingStarted { recording } => Some(*recording),
        _ => None,
    });
    let file = Stored { file: "x.wav".into(), duration_ms: 8_000, sha256: "00".into(), reason: Some("node_lost".into()) };
    let after = next(&stage, vec![Repaired { recording: recording.unwrap(), stored: Some(file) }]);
    assert!(matches!(after.fact(1, "voicemail.left").1, What::VoicemailLeft { duration_ms: 8_000, .. }));
    let revs: Vec<u32> = after.facts.iter().filter(|f| f.about.call.is_some()).map(|f| f.about.rev).collect();
    assert!(revs.is_sorted_by(|a, b| a < b), "{revs:?}");
}

#[test]
fn what_is_told_of_a_recording_after_a_crash_counts_on_from_the_last_fact_of_its_call() {
    let mut stage = Stage::new(&site(""), FLOW);
    logs_in(&mut stage);
    stage.call(TRUNK, "a", "5512345678", "5550001000", "");
    stage.answer(ANA);
    stage.wait(8.0);
    stage.bye(TRUNK, "a");
    let stored = stage.facts.iter().position(|fact| matches!(fact.what, What::RecordingStored { .. })).unwrap();
    let What::RecordingStored { recording, .. } = stage.facts[stored].what else { unreachable!() };
    // The call is over, a message of it was told last, and of its conversation's part nothing was.
    stage.facts[stored].what = What::VoicemailLeft { recording, duration_ms: 8_000 };
    let after = next(&stage, Vec::new());
    let (about, _) = after.fact(1, "recording.failed");
    assert_eq!(about.rev, stage.facts[stored].about.rev + 1);
}

#[test]
fn line_18_a_desk_that_was_gone_before_a_restart_is_gone_after_it() {
    let mut stage = Stage::new(&site(""), FLOW);
    logs_in(&mut stage);
    let sign = || Request::Desk { agent: "acme/ana".parse().unwrap(), open: true };
    stage.ask(sign());
    stage.wait(31.0);
    let mut after = next(&stage, Vec::new());
    let state = |stage: &Stage| stage.snapshot().agents[0].state;
    assert_eq!(state(&after), base::AgentState::Unreachable);
    after.ask(sign());
    assert_eq!(state(&after), base::AgentState::Available);
}

#[test]
fn the_log_says_who_read_the_site_again() {
    let mut stage = Stage::new(&site(""), FLOW);
    stage.give(Input::Configure { sha256: [0; 32], who: Some("rosa".into()) });
    let loaded = stage.facts.iter().filter_map(|fact| match &fact.what {
        What::ConfigLoaded { who, .. } => Some(who.as_deref()),
        _ => None,
    });
    assert_eq!(loaded.collect::<Vec<_>>(), [None, Some("rosa")]);
}
