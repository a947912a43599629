//! A flow that sends its caller to a number outside.

use crate::callbacks::{CARRIER, FLOW, site};
use crate::stage::{Stage, TRUNK};
use base::fact::What;
use base::{Cause, Outcome};
use engine::Place;
use media::Command;

fn ringing() -> Stage {
    let mut stage = Stage::new(&site(""), FLOW);
    stage.call(TRUNK, "first", "5512345678", "5550001000", "");
    stage.key(1, '9');
    assert!(matches!(stage.fact(1, "queue.left").1, What::QueueLeft { outcome: Outcome::KeyExit, .. }));
    stage
}

#[test]
fn a_forwarded_call_is_with_somebody_outside() {
    let mut stage = ringing();
    let caller = stage.customer(1);
    assert_eq!(stage.rung(CARRIER).unwrap().dialled(), "5599990000");
    assert!(
        matches!(stage.commands.iter().rev().find(|c| matches!(c, Command::Loop { .. })), Some(Command::Loop { leg, .. }) if *leg == caller)
    );
    stage.answer(CARRIER);
    assert_eq!(stage.place(1), Place::External);
    let third = stage.hears(caller);
    assert_eq!(stage.hears(third[0]), [caller]);
    stage.bye(TRUNK, "first");
    assert_eq!(stage.place(1), Place::Ended);
    assert_eq!(stage.story(1)[5..], ["ivr.input", "queue.left", "ivr.entered", "ivr.exited", "call.forwarded", "call.ended"]);
}

#[test]
fn nobody_outside_and_the_flow_goes_on() {
    let mut stage = ringing();
    stage.refuse(CARRIER, 486);
    assert_eq!(stage.said(1), ["desk/es/sorry"]);
    stage.heard(1);
    assert_eq!(stage.fact(1, "call.ended").0.cause, Some(Cause::NoAgents));
}

#[test]
fn line_13_a_far_end_that_rings_with_its_own_sound_is_heard_by_the_caller() {
    let mut stage = ringing();
    let caller = stage.customer(1);
    let invite = stage.rung(CARRIER).unwrap().clone();
    let sdp = crate::peer::sdp(crate::stage::at(CARRIER));
    stage.send(crate::stage::at(CARRIER), invite.response(183, Some(&sdp)));
    assert_eq!(stage.hears(caller).len(), 1);
    assert_eq!(stage.place(1), Place::Ivr);
}
