//! A number whose callers are not answered before an agent is there (calls.md, Answering).

use crate::callbacks::{ANA, FLOW, site};
use crate::stage::{Stage, TRUNK};
use engine::Request;

fn unanswered(queue: &str) -> Stage {
    Stage::new(&site(queue).replace("flow = \"desk\"", "flow = \"desk\"\nunanswered = true"), FLOW)
}

fn statuses(stage: &Stage) -> Vec<u16> {
    stage.inbox[&crate::stage::at(TRUNK)].iter().filter(|m| m.method() == "INVITE").filter_map(|m| m.status()).collect()
}

#[test]
fn answering_a_full_queue_refuses_who_was_never_answered() {
    let mut stage = unanswered("capacity = 1");
    stage.call(TRUNK, "a", "5512345678", "5550001000", "");
    stage.call(TRUNK, "b", "5587654321", "5550001000", "");
    assert_eq!(stage.said(2), ["desk/es/sorry"], "unbilled");
    stage.heard(2);
    let refused = stage.status(TRUNK, "b").unwrap();
    assert_eq!((refused.status(), refused.header("Reason")), (Some(480), "Q.850;cause=20;text=\"Subscriber absent\""));
    assert!(stage.status(TRUNK, "a").is_none(), "still waiting, still unbilled");
}

#[test]
fn answering_comes_with_the_agent_and_not_before() {
    let mut stage = unanswered("");
    stage.call(TRUNK, "a", "5512345678", "5550001000", "");
    stage.wait(5.0);
    assert_eq!(statuses(&stage), [100, 183]);
    stage.ask(Request::Agent { agent: "acme/ana".parse().unwrap(), ask: acd::Ask::LogIn });
    stage.answer(ANA);
    assert_eq!(statuses(&stage), [100, 183, 200]);
}

#[test]
fn answering_comes_before_a_message_is_recorded() {
    let mut stage = unanswered("");
    stage.call(TRUNK, "a", "5512345678", "5550001000", "");
    stage.key(1, '8');
    assert_eq!(statuses(&stage), [100, 183], "the greeting is unbilled");
    stage.heard(1);
    assert_eq!(statuses(&stage), [100, 183, 200], "what the caller says may not reach us before");
}
