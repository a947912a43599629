//! What is owed of a conversation, and what is told when it does not come.

use crate::callbacks::{ANA, FLOW, site};
use crate::stage::{Recorder, Stage, TRUNK};
use base::RecordingId;
use base::fact::{RecordingAlarm, ResumedBy, What};
use engine::{Input, Reply, Request};
use media::Command;

/// A caller and ana talk, and the recorder does as it is said.
fn talking(recorder: Recorder) -> Stage {
    let mut stage = Stage::new(&site(""), FLOW);
    stage.recorder = recorder;
    stage.ask(Request::Agent { agent: "acme/ana".parse().unwrap(), ask: acd::Ask::LogIn });
    stage.call(TRUNK, "a", "5512345678", "5550001000", "");
    stage.answer(ANA);
    stage
}

fn part(stage: &Stage) -> RecordingId {
    format!("{}.c1.p1", stage.id(1)).parse().unwrap()
}

fn alarms(stage: &Stage) -> Vec<RecordingAlarm> {
    let alarm = |what: &What| match what {
        What::RecordingAlarm { alarm, .. } => *alarm,
        other => panic!("{other:?}"),
    };
    stage.facts_of(1, "recording.alarm").iter().map(|(_, what)| alarm(what)).collect()
}

fn ends(stage: &Stage) -> Vec<u64> {
    let lasted = |what: &What| match what {
        What::RecordingAlarmEnded { lasted_ms, .. } => *lasted_ms,
        other => panic!("{other:?}"),
    };
    stage.facts_of(1, "recording.alarm_ended").iter().map(|(_, what)| lasted(what)).collect()
}

#[test]
fn a_recording_that_does_not_begin_is_an_alarm_within_five_seconds_until_it_does() {
    let mut stage = talking(Recorder::NeverBegins);
    stage.wait(3.9);
    assert_eq!(alarms(&stage), []);
    stage.wait(1.0);
    assert_eq!(alarms(&stage), [RecordingAlarm::NotStarted]);
    let about = stage.fact(1, "recording.alarm").0;
    assert_eq!(about.agent.as_ref().unwrap().as_str(), "acme/ana");
    stage.wait(0.6);
    stage.recorder = Recorder::Writes;
    stage.give(Input::Media(media::Input::RecordingStarted { recording: part(&stage) }));
    assert_eq!(ends(&stage), [1_500]);
    stage.wait(20.0);
    assert_eq!(alarms(&stage).len(), 1);
}

#[test]
fn a_recording_that_grows_no_more_is_an_alarm_within_five_seconds_until_it_grows() {
    let mut stage = talking(Recorder::Writes);
    stage.wait(30.0);
    assert_eq!(alarms(&stage), []);
    stage.recorder = Recorder::Stalls;
    stage.wait(4.9);
    assert_eq!(alarms(&stage), [RecordingAlarm::Stalled]);
    stage.wait(10.0);
    assert_eq!((alarms(&stage).len(), ends(&stage).len()), (1, 0), "told once");
    stage.recorder = Recorder::Writes;
    stage.wait(2.0);
    assert_eq!(ends(&stage).len(), 1);
}

#[test]
fn an_alarm_ends_with_its_recording_and_the_log_says_so_after_the_call() {
    let mut stage = talking(Recorder::Stalls);
    stage.wait(6.0);
    stage.bye(TRUNK, "a");
    let rev = |name: &str| stage.fact(1, name).0.rev;
    assert!(rev("recording.alarm_ended") < rev("recording.stored"));
    stage.wait(90.0);
    assert_eq!((alarms(&stage).len(), ends(&stage).len()), (1, 1));
}

fn pause(stage: &mut Stage, for_s: u16) -> Reply {
    let call = stage.id(1);
    stage.ask(Request::PauseRecording { call, cause: "card".into(), for_s })
}

/// Whose voices the recorder was told of, each time: how many on the left and on the right.
fn voices(stage: &Stage) -> Vec<(usize, usize)> {
    let told = |command: &Command| match command {
        Command::Record { left, right, .. } | Command::RecordLegs { left, right, .. } => Some((left.len(), right.len())),
        _ => None,
    };
    stage.commands.iter().filter_map(told).collect()
}

fn resumed(stage: &Stage) -> Vec<(ResumedBy, u64)> {
    let by = |what: &What| match what {
        What::RecordingResumed { by, paused_ms, .. } => (*by, *paused_ms),
        other => panic!("{other:?}"),
    };
    stage.facts_of(1, "recording.resumed").iter().map(|(_, what)| by(what)).collect()
}

#[test]
fn a_pause_is_silence_on_both_sides_in_the_same_file_until_somebody_resumes() {
    let mut stage = talking(Recorder::Writes);
    assert_eq!(voices(&stage), [(1, 1)]);
    assert_eq!(pause(&mut stage, 120), Reply::Done);
    assert_eq!(voices(&stage), [(1, 1), (0, 0)]);
    stage.wait(30.0);
    let call = stage.id(1);
    assert_eq!(stage.ask(Request::ResumeRecording { call }), Reply::Done);
    assert_eq!(voices(&stage), [(1, 1), (0, 0), (1, 1)]);
    assert_eq!(resumed(&stage), [(ResumedBy::Asked, 30_000)]);
    assert!(
        matches!(stage.fact(1, "recording.paused").1, What::RecordingPaused { cause, limit_ms: 120_000, .. } if cause == "card")
    );
    assert!(matches!(stage.ask(Request::ResumeRecording { call }), Reply::Refused { .. }), "once");
    assert_eq!(stage.facts_of(1, "recording.started").len(), 1, "one file");
}

#[test]
fn a_pause_that_nobody_ends_ends_by_itself_and_one_asked_for_again_lasts_on() {
    let mut stage = talking(Recorder::Writes);
    pause(&mut stage, 30);
    stage.wait(20.0);
    pause(&mut stage, 30);
    stage.wait(29.0);
    assert_eq!(resumed(&stage), []);
    stage.wait(1.5);
    assert_eq!(resumed(&stage), [(ResumedBy::TimedOut, 50_000)]);
    assert_eq!(voices(&stage).last(), Some(&(1, 1)));
}

#[test]
fn a_conversation_that_ends_in_a_pause_ends_the_pause_first() {
    let mut stage = talking(Recorder::Writes);
    pause(&mut stage, 60);
    stage.wait(5.0);
    stage.bye(TRUNK, "a");
    assert_eq!(resumed(&stage), [(ResumedBy::ConversationEnded, 5_000)]);
    stage.wait(90.0);
    assert_eq!(resumed(&stage).len(), 1);
}

#[test]
fn what_is_not_recorded_or_lasts_no_time_or_too_long_is_not_paused() {
    let mut stage = talking(Recorder::Writes);
    assert!(matches!(pause(&mut stage, 0), Reply::Refused { .. }));
    assert!(matches!(pause(&mut stage, 3_601), Reply::Refused { .. }));
    stage.give(Input::Media(media::Input::RecordingFailed { recording: part(&stage), reason: "disk_full".into() }));
    assert!(matches!(pause(&mut stage, 60), Reply::Refused { .. }));
    stage.bye(TRUNK, "a");
    assert!(matches!(pause(&mut stage, 60), Reply::Unknown { .. }));
}
