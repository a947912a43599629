//! Channels: what is guaranteed, how far it may go, and what is kept for emergencies.

use crate::callbacks::{ANA, CARRIER, FLOW, site};
use crate::stage::{OTHER_TRUNK, Stage, TRUNK};
use base::Cause;
use engine::{Reply, Request, Target};

fn limited(account: &str, trunks: &str) -> String {
    site("").replace("trunk = \"out\"\ncaller_number", &format!("trunk = \"out\"\n{account}\ncaller_number")).replace(
        "name = \"carrier\"\nnetworks = [\"10.0.1.1\"]",
        &format!("name = \"carrier\"\n{trunks}\nnetworks = [\"10.0.1.1\"]"),
    )
}

fn refused(stage: &Stage, call_id: &str) -> (u16, String) {
    let message = stage.status(TRUNK, call_id).unwrap();
    (message.status().unwrap(), message.header("Reason").to_string())
}

#[test]
fn line_17_a_tenant_beyond_its_burst_is_busy_before_it_is_answered() {
    let mut stage = Stage::new(&limited("channels = { burst = 2 }", ""), FLOW);
    for call in ["a", "b", "c"] {
        stage.call(TRUNK, call, "5512345678", "5550001000", "");
    }
    assert_eq!(refused(&stage, "c"), (486, "Q.850;cause=17;text=\"User busy\"".into()));
    assert_eq!(stage.fact(3, "call.rejected").0.cause, Some(Cause::ChannelLimit));
    stage.bye(TRUNK, "a");
    stage.call(TRUNK, "d", "5512345678", "5550001000", "");
    assert_eq!(refused(&stage, "d").0, 200, "what is given back is there for the next");
}

#[test]
fn line_17_a_trunk_that_is_full_says_so_and_no_503() {
    let mut stage = Stage::new(&limited("", "channels = 1"), FLOW);
    stage.call(TRUNK, "a", "5512345678", "5550001000", "");
    stage.call(TRUNK, "b", "5512345678", "5550001000", "");
    assert_eq!(refused(&stage, "b"), (480, "Q.850;cause=34;text=\"No circuit available\"".into()));
}

#[test]
fn line_17_what_is_guaranteed_to_one_tenant_is_not_taken_by_another() {
    let both = limited("", "channels = 3").replace(
        "[[tenants]]\nname = \"acme\"",
        "[[tenants]]\nname = \"globex\"\nchannels = { guaranteed = 2 }\n[[tenants]]\nname = \"acme\"",
    );
    let number = "[[numbers]]\nnumber = \"5550002000\"\ntenant = \"globex\"\nflow = \"desk\"\n[queues.\"globex/support\"]\nrequires = \"\"\n";
    let both = both.replace("[queues.\"acme/support\"]", &format!("{number}[queues.\"acme/support\"]"));
    let mut stage = Stage::new(&both, FLOW);
    stage.call(TRUNK, "a", "5512345678", "5550001000", "");
    stage.call(TRUNK, "b", "5512345678", "5550001000", "");
    assert_eq!(refused(&stage, "b").0, 480, "two of three are the other's");
    stage.call(TRUNK, "c", "5512345678", "5550002000", "");
    stage.call(TRUNK, "d", "5512345678", "5550002000", "");
    assert_eq!((refused(&stage, "c").0, refused(&stage, "d").0), (200, 200));
}

#[test]
fn line_17_outbound_legs_count_and_an_emergency_call_always_goes_out() {
    let out = "name = \"out\"\nchannels = 2";
    let emergency = "[emergency]\nnumbers = [\"911\"]\ntrunk = \"out\"\nreserve = 1\n";
    let site = site("")
        .replace("name = \"out\"", out)
        .replace("[queues.\"acme/support\"]", &format!("{emergency}[queues.\"acme/support\"]"));
    let mut stage = Stage::new(&site, FLOW);
    stage.call(TRUNK, "a", "5512345678", "5550001000", "");
    stage.key(1, '9');
    assert_eq!(stage.answer(CARRIER).dialled(), "5599990000");
    stage.call(TRUNK, "b", "5512345678", "5550001000", "");
    stage.key(2, '9');
    assert_eq!(stage.said(2), ["desk/es/sorry"], "the other channel is kept for emergencies");
    let agent = "acme/ana".parse().unwrap();
    let to = Target::Number(base::Pii::new("911".into()));
    assert_eq!(stage.ask(Request::Dial { agent, to }), Reply::Done);
    stage.answer(ANA);
    assert_eq!(stage.rung(CARRIER).unwrap().dialled(), "911");
    assert!(stage.rung(OTHER_TRUNK).is_none());
}

#[test]
fn line_17_what_is_kept_for_escalation_is_for_who_has_a_caller_on_the_line() {
    let out = "name = \"out\"\nchannels = 2\nescalation = 1";
    let mut stage = Stage::new(&site("").replace("name = \"out\"", out), FLOW);
    let outside = || Target::Number(base::Pii::new("5511112222".into()));
    let dial = |stage: &mut Stage| stage.ask(Request::Dial { agent: "acme/ana".parse().unwrap(), to: outside() });
    stage.ask(Request::Agent { agent: "acme/ana".parse().unwrap(), ask: acd::Ask::LogIn });
    stage.call(TRUNK, "a", "5512345678", "5550001000", "");
    let busy = stage.answer(ANA);
    let call = stage.id(1);
    assert_eq!(stage.ask(Request::Transfer { call, to: outside() }), Reply::Done);
    stage.answer(CARRIER);
    stage.wait(2.0);
    assert!(stage.rung(ANA).is_none(), "{}", busy.dialled());
    assert_eq!(dial(&mut stage), Reply::Done);
    stage.answer(ANA);
    assert!(stage.rung(CARRIER).is_none(), "the other channel is kept");
    assert_eq!(stage.place(2), engine::Place::Ended);
    stage.call(TRUNK, "b", "5512345678", "5550001000", "");
    stage.answer(ANA);
    let call = stage.id(3);
    assert_eq!(stage.ask(Request::Consult { call, to: outside() }), Reply::Done);
    assert!(stage.rung(CARRIER).is_some(), "for this");
}

#[test]
fn line_17_a_caller_whom_the_queue_did_not_serve_leaves_by_the_reserve() {
    let out = "name = \"out\"\nchannels = 1\nescalation = 1";
    let mut stage = Stage::new(&site("").replace("name = \"out\"", out), FLOW);
    stage.call(TRUNK, "a", "5512345678", "5550001000", "");
    stage.key(1, '9');
    assert_eq!(stage.answer(CARRIER).dialled(), "5599990000");
}
