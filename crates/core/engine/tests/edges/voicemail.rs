//! A message instead of an agent.

use crate::callbacks::{FLOW, site};
use crate::stage::{Stage, TRUNK};
use base::Outcome;
use base::fact::What;
use engine::Place;
use media::Command;

/// A caller who waited, pressed 8, and has heard the greeting and the beep.
fn speaking() -> Stage {
    let mut stage = Stage::new(&site(""), FLOW);
    stage.call(TRUNK, "first", "5512345678", "5550001000", "");
    stage.wait(10.0);
    stage.key(1, '8');
    assert_eq!(stage.said(1), ["speech/es/voicemail-greeting"]);
    stage.heard(1);
    assert_eq!(stage.said(1), ["beep"]);
    stage.heard(1);
    stage
}

fn message(stage: &Stage) -> Option<u64> {
    stage.facts_of(1, "voicemail.left").pop().map(|(_, what)| match what {
        What::VoicemailLeft { duration_ms, .. } => *duration_ms,
        other => panic!("{other:?}"),
    })
}

#[test]
fn a_message_is_recorded_alone_after_the_beep_until_a_key() {
    let mut stage = speaking();
    assert!(matches!(stage.fact(1, "queue.left").1, What::QueueLeft { outcome: Outcome::Voicemail, .. }));
    let alone = |c: &Command| matches!(c, Command::Record { left, right, .. } if left.len() == 1 && right.is_empty());
    assert_eq!(stage.commands.iter().filter(|c| alone(c)).count(), 1);
    stage.wait(12.0);
    stage.key(1, '5');
    assert_eq!(message(&stage), Some(12_000));
    assert_eq!(stage.said(1), ["speech/es/voicemail-thanks"]);
    let about = stage.fact(1, "voicemail.left").0;
    assert_eq!(about.queue.as_ref().unwrap().as_str(), "acme/support");
    assert_eq!(stage.facts_of(1, "recording.stored").len(), 1, "it is a recording like others");
    stage.heard(1);
    assert_eq!(stage.place(1), Place::Ended);
}

#[test]
fn a_message_ends_at_its_limit() {
    let mut stage = speaking();
    stage.wait(60.0);
    assert_eq!(message(&stage), Some(60_000));
    assert_eq!(stage.said(1), ["speech/es/voicemail-thanks"]);
}

#[test]
fn who_hangs_up_has_left_a_message_and_a_breath_is_none() {
    let mut stage = speaking();
    stage.wait(5.0);
    stage.bye(TRUNK, "first");
    assert_eq!(message(&stage), Some(5_000));
    let mut stage = speaking();
    stage.wait(0.5);
    stage.bye(TRUNK, "first");
    assert_eq!(message(&stage), None);
    assert_eq!(stage.facts_of(1, "recording.stored").len(), 1, "the recording is owed all the same");
}
