//! What is owed of a conversation, and what is told when it does not come.

use crate::callbacks::{ANA, FLOW, site};
use crate::stage::{Recorder, Stage, TRUNK};
use base::RecordingId;
use base::fact::{RecordingAlarm, What};
use engine::{Input, Request};

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
