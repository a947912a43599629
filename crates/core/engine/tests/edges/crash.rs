//! What a crash leaves of a callback and of a message.

use crate::callbacks::{FLOW, site};
use crate::stage::{Stage, TRUNK};
use base::fact::{CallbackEnd, Logged, What};
use engine::{Open, Repaired, Resume, Stored};

/// The next process, told by the log of this one.
fn next(stage: &Stage, repaired: Vec<Repaired>) -> Stage {
    let logged = stage.facts.iter().enumerate().map(|(i, fact)| Logged { epoch: 1, seq: i as u64 + 1, fact: fact.clone() });
    let open = Open::fold(&logged.collect::<Vec<_>>());
    Stage::resumed(&site(""), FLOW, Resume { open, repaired, ..Resume::default() })
}

#[test]
fn a_promise_that_a_crash_broke_is_told_as_cancelled() {
    let mut stage = Stage::new(&site("callback = {}"), FLOW);
    stage.call(TRUNK, "a", "5512345678", "5550001000", "");
    stage.keys(1, "71");
    stage.heard(1);
    stage.wait(60.0);
    let after = next(&stage, Vec::new());
    assert!(matches!(after.fact(1, "callback.done").1, What::CallbackDone { end: CallbackEnd::Cancelled, attempts: 0, .. }));
    assert_eq!(after.story(1).last().unwrap(), "call.ended");
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
