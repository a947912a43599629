//! Who was cut off and is back soon has the old place (calls.md line 15).

use crate::callbacks::{FLOW, site};
use crate::stage::{Stage, TRUNK};
use base::fact::What;

fn waiting(from: &str) -> Stage {
    let mut stage = Stage::new(&site(""), FLOW);
    stage.call(TRUNK, "first", from, "5550001000", "");
    stage.wait(40.0);
    stage
}

/// The connection is gone: no RTP came for too long.
fn cut_off(stage: &mut Stage) {
    let leg = stage.customer(1);
    stage.give(engine::Input::Media(media::Input::Silent { leg, millis: 10_000 }));
}

fn credit_of_the_second(stage: &mut Stage, from: &str) -> u64 {
    stage.call(TRUNK, "second", from, "5550001000", "");
    match stage.fact(2, "queue.entered").1 {
        What::QueueEntered { credit_ms, .. } => *credit_ms,
        other => panic!("{other:?}"),
    }
}

#[test]
fn line_15_who_was_cut_off_and_is_back_within_60_s_has_the_old_place() {
    let mut stage = waiting("5512345678");
    cut_off(&mut stage);
    stage.wait(30.0);
    assert_eq!(credit_of_the_second(&mut stage, "+525512345678"), 70_000, "as if it had never left");
}

#[test]
fn line_15_after_60_s_the_place_is_gone() {
    let mut stage = waiting("5512345678");
    cut_off(&mut stage);
    stage.wait(61.0);
    assert_eq!(credit_of_the_second(&mut stage, "5512345678"), 0);
}

#[test]
fn line_15_who_hung_up_has_no_place() {
    let mut stage = waiting("5512345678");
    stage.bye(TRUNK, "first");
    assert_eq!(credit_of_the_second(&mut stage, "5512345678"), 0);
}

#[test]
fn line_15_a_shared_number_has_nobodys_place() {
    let mut stage = waiting("5550009999");
    cut_off(&mut stage);
    assert_eq!(credit_of_the_second(&mut stage, "5550009999"), 0);
}
