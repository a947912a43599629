//! A caller keeps the place, hangs up, and is called back.

use crate::stage::{Stage, TRUNK};
use base::fact::{CallbackEnd, What};
use base::{Cause, Outcome};
use engine::{Place, Reply, Request};

pub const ANA: &str = "10.0.3.1:5060";
pub const CARRIER: &str = "10.0.1.1:5070";
const EVA: &str = "10.0.3.2:5060";

pub const FLOW: &str = "
flow: desk
languages: [es]
start: support
steps:
  support:
    queue: {name: support, music: music, language_level: 0, keys: {7: call-me, 8: message, 9: outside}, otherwise: sorry}
  call-me:
    callback: {}
  message:
    voicemail: {limit: 60s, then: bye}
  outside:
    forward: {number: \"5599990000\", music: music, otherwise: sorry}
  bye:
    hang_up: {}
  sorry:
    hang_up: {prompts: [sorry], cause: no_agents}
";

/// One queue with these terms, one agent, one tenant whose calls leave by `out`.
pub fn site(queue: &str) -> String {
    format!(
        r#"
name = "stage"
node = 1
shared_numbers = ["5550009999"]
[sip]
listen = "10.0.0.1:5060"
[media]
ports = "20000-20119"
[web]
listen = "127.0.0.1:8080"
[[tenants]]
name = "acme"
trunk = "out"
caller_number = "5550001000"
[[trunks]]
name = "carrier"
networks = ["10.0.1.1"]
port = 5060
country = "mexico"
[[trunks]]
name = "out"
networks = ["10.0.1.1"]
port = 5070
address = "{CARRIER}"
country = "mexico"
[[numbers]]
number = "5550001000"
tenant = "acme"
flow = "desk"
[queues."acme/support"]
requires = ""
wrap_up = "1s"
{queue}
[agents."acme/ana"]
display = "Ana"
lang = "es"
queues = ["support"]
skills = {{ "lang:es" = 9 }}
phone = {{ uri = "sip:ana@{ANA}", address = "{ANA}" }}
"#
    )
}

const AGENT_FIRST: &str = r#"callback = { first = "agent", attempts = 2, retry_after = "60s", ring = "20s" }"#;
const CUSTOMER_FIRST: &str = r#"callback = { first = "customer", attempts = 2, retry_after = "60s", ring = "20s" }"#;

fn ana(stage: &mut Stage, ask: acd::Ask) {
    stage.ask(Request::Agent { agent: "acme/ana".parse().unwrap(), ask });
}

/// A caller who waits 30 s and then wants to be called back.
fn wished(terms: &str) -> Stage {
    let mut stage = Stage::new(&site(terms), FLOW);
    stage.call(TRUNK, "first", "5512345678", "5550001000", "");
    stage.wait(30.0);
    stage.key(1, '7');
    assert_eq!(stage.said(1), ["speech/es/callback-offer"]);
    stage.key(1, '1');
    assert_eq!(stage.said(1), ["speech/es/callback-taken"]);
    assert_eq!(stage.place(1), Place::Queue, "the caller is still in line");
    stage
}

/// The promise was heard: nobody is on the line.
fn kept(terms: &str) -> Stage {
    let mut stage = wished(terms);
    stage.heard(1);
    assert_eq!(stage.place(1), Place::Callback);
    let outcome = |stage: &Stage| match stage.fact(1, "queue.left").1 {
        What::QueueLeft { outcome, .. } => *outcome,
        _ => Outcome::System,
    };
    assert_eq!(outcome(&stage), Outcome::Callback);
    stage
}

fn done(stage: &Stage) -> (CallbackEnd, u8, u64) {
    match stage.fact(1, "callback.done").1 {
        What::CallbackDone { end, attempts, wait_ms } => (*end, *attempts, *wait_ms),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_callback_keeps_the_place_and_what_was_waited() {
    let stage = kept(AGENT_FIRST);
    let entered = stage.facts_of(1, "queue.entered");
    assert_eq!(entered.len(), 2);
    match entered[1].1 {
        What::QueueEntered { position: 1, credit_ms: 30_000, .. } => {}
        other => panic!("{other:?}"),
    }
    let snapshot = stage.snapshot();
    assert_eq!(snapshot.visits.len(), 1, "it counts in the queue's length");
    let view = &snapshot.calls[0];
    assert_eq!(view.queue.as_ref().unwrap().as_str(), "acme/support");
    assert_eq!(&*view.waits_for, "its turn to be called back");
    assert_eq!(snapshot.ports, 0, "nobody is on the line");
}

#[test]
fn agent_first_the_customer_is_dialled_when_the_agent_has_accepted() {
    let mut stage = kept(AGENT_FIRST);
    ana(&mut stage, acd::Ask::LogIn);
    stage.answer(ANA);
    assert_eq!(stage.said(1), ["speech/es/agent-callback"]);
    assert!(stage.rung(CARRIER).is_none(), "the agent hears first what it is");
    stage.heard(1);
    let agent = stage.customer(1);
    assert_eq!(stage.rung(CARRIER).unwrap().dialled(), "5512345678");
    assert!(stage.rung(CARRIER).unwrap().header("From").contains("5550001000"), "the tenant's number is shown");
    assert_eq!(stage.place(1), Place::Conversation);
    stage.wait(5.0);
    stage.answer(CARRIER);
    assert_eq!(done(&stage), (CallbackEnd::Connected, 1, 35_000));
    let together = stage.hears(agent);
    assert_eq!(together.len(), 1);
    assert_eq!(stage.hears(together[0]), [agent]);
    assert_eq!(
        stage.story(1)[..12],
        [
            "call.arrived",
            "call.answered",
            "ivr.entered",
            "ivr.exited",
            "queue.entered",
            "ivr.input",
            "ivr.input",
            "queue.left",
            "callback.requested",
            "queue.entered",
            "queue.left",
            "callback.attempted"
        ]
    );
    assert!(matches!(stage.fact(1, "agent_leg.connected").1, What::AgentLegConnected { wait_ms: 35_000 }));
    assert_eq!(stage.facts_of(1, "recording.started").len(), 1, "the conversation is recorded, the dialling is not");
}

#[test]
fn a_customer_who_is_not_there_is_tried_again_later_and_not_for_ever() {
    let mut stage = kept(AGENT_FIRST);
    ana(&mut stage, acd::Ask::LogIn);
    stage.answer(ANA);
    stage.heard(1);
    stage.refuse(CARRIER, 486);
    assert_eq!(stage.place(1), Place::Callback);
    stage.wait(50.0);
    assert!(stage.rung(ANA).is_none(), "not before retry_after");
    stage.wait(11.0);
    stage.answer(ANA);
    stage.heard(1);
    stage.wait(20.0);
    assert_eq!(stage.place(1), Place::Ended, "two attempts, and the second rang for 20 s");
    assert_eq!(done(&stage).0, CallbackEnd::Failed);
    assert_eq!(stage.fact(1, "call.ended").0.cause, Some(Cause::NoAnswer));
    assert_eq!(stage.facts_of(1, "callback.attempted").len(), 2);
    assert!(stage.facts_of(1, "agent_leg.connected").is_empty(), "nobody spoke with anybody");
    assert!(stage.facts_of(1, "recording.started").is_empty());
    stage.wait(5.0);
    assert_eq!(stage.snapshot().ports, 0);
}

#[test]
fn an_agent_who_hangs_up_before_the_customer_answers_does_not_end_the_callback() {
    let mut stage = kept(AGENT_FIRST);
    ana(&mut stage, acd::Ask::LogIn);
    let invite = stage.answer(ANA);
    stage.heard(1);
    stage.hang_up(ANA, &invite);
    assert_eq!(stage.place(1), Place::Callback);
    assert!(stage.rung(CARRIER).is_none(), "nobody is rung for nobody");
    assert!(stage.facts_of(1, "callback.done").is_empty());
}

#[test]
fn whoever_takes_over_while_the_customer_is_dialled_has_the_customer_and_not_before() {
    let eva = format!(
        r#"{AGENT_FIRST}
[agents."acme/eva"]
display = "Eva"
lang = "es"
queues = []
supervisor = true
phone = {{ uri = "sip:eva@{EVA}", address = "{EVA}" }}
"#
    );
    for reached in [true, false] {
        let mut stage = kept(&eva);
        let supervisor: base::AgentId = "acme/eva".parse().unwrap();
        stage.ask(Request::Agent { agent: supervisor.clone(), ask: acd::Ask::LogIn });
        ana(&mut stage, acd::Ask::LogIn);
        stage.answer(ANA);
        stage.heard(1);
        let call = stage.id(1);
        let monitor = Request::Monitor { call, supervisor: supervisor.clone(), mode: base::fact::Monitor::Listen };
        assert_eq!(stage.ask(monitor), Reply::Done);
        stage.answer(EVA);
        assert_eq!(stage.ask(Request::TakeOver { call, supervisor }), Reply::Done);
        stage.heard(1);
        assert!(stage.facts_of(1, "callback.done").is_empty(), "the customer's phone rings");
        if reached {
            stage.answer(CARRIER);
            assert_eq!(done(&stage).0, CallbackEnd::Connected);
            assert_eq!(stage.fact(1, "agent_leg.connected").0.agent.as_ref().unwrap().as_str(), "acme/eva");
        } else {
            stage.refuse(CARRIER, 486);
            assert_eq!(stage.place(1), Place::Callback, "it is tried again");
        }
    }
}

#[test]
fn customer_first_the_customer_waits_on_the_line_for_the_agent() {
    let mut stage = kept(CUSTOMER_FIRST);
    assert!(stage.rung(CARRIER).is_none(), "nobody is free yet");
    ana(&mut stage, acd::Ask::LogIn);
    assert!(stage.rung(ANA).is_none());
    assert_eq!(&*stage.snapshot().calls[0].waits_for, "the customer to answer");
    stage.answer(CARRIER);
    assert_eq!(stage.said(1), ["speech/es/callback-here"]);
    assert!(matches!(stage.place(1), Place::Queue | Place::Offer));
    stage.heard(1);
    stage.answer(ANA);
    assert_eq!(done(&stage).0, CallbackEnd::Connected);
    assert_eq!(stage.place(1), Place::Conversation);
}

#[test]
fn while_its_customer_is_called_a_callback_is_not_moved_and_nobody_is_called_twice() {
    let two = format!("{CUSTOMER_FIRST}\n[queues.\"acme/sales\"]\n{CUSTOMER_FIRST}");
    let mut stage = kept(&two);
    ana(&mut stage, acd::Ask::LogIn);
    assert!(stage.rung(CARRIER).is_some());
    let request = Request::Move { call: stage.id(1), queue: "acme/sales".parse().unwrap() };
    assert_eq!(stage.ask(request), Reply::Refused { why: "its customer is being called".into() });
    assert_eq!(stage.facts_of(1, "callback.attempted").len(), 1);
}

#[test]
fn customer_first_nobody_there_is_tried_again() {
    let mut stage = kept(CUSTOMER_FIRST);
    ana(&mut stage, acd::Ask::LogIn);
    stage.wait(21.0);
    assert!(stage.rung(CARRIER).is_none(), "it rang for 20 s");
    assert_eq!(stage.place(1), Place::Callback);
    stage.wait(61.0);
    stage.answer(CARRIER);
    stage.answer(ANA);
    assert_eq!(done(&stage).0, CallbackEnd::Connected);
}

#[test]
fn an_agent_who_is_free_while_the_place_is_promised_has_the_caller_at_once() {
    let mut stage = wished(AGENT_FIRST);
    ana(&mut stage, acd::Ask::LogIn);
    stage.answer(ANA);
    assert_eq!(stage.place(1), Place::Conversation);
    assert!(stage.facts_of(1, "callback.requested").is_empty());
    stage.bye(TRUNK, "first");
    assert_eq!(stage.place(1), Place::Ended, "who has spoken is not called back");
}

#[test]
fn who_hangs_up_on_the_promise_is_called_back_all_the_same() {
    let mut stage = wished(AGENT_FIRST);
    stage.bye(TRUNK, "first");
    assert_eq!(stage.place(1), Place::Callback);
    assert_eq!(stage.facts_of(1, "callback.requested").len(), 1);
}

#[test]
fn line_15_a_call_while_a_callback_is_pending_joins_it() {
    let mut stage = kept(AGENT_FIRST);
    stage.wait(30.0);
    // The network writes the same number in another way.
    stage.call(TRUNK, "second", "+5215512345678", "5550001000", "");
    assert_eq!(done(&stage), (CallbackEnd::Joined, 0, 60_000));
    assert_eq!(stage.place(1), Place::Ended);
    match stage.fact(2, "queue.entered").1 {
        What::QueueEntered { credit_ms: 60_000, position: 1, .. } => {}
        other => panic!("{other:?}"),
    }
}

#[test]
fn line_15_a_shared_or_withheld_number_joins_nothing() {
    let mut stage = Stage::new(&site(AGENT_FIRST), FLOW);
    stage.call(TRUNK, "first", "5550009999", "5550001000", "");
    stage.key(1, '7');
    stage.key(1, '1');
    stage.heard(1);
    assert_eq!(stage.place(1), Place::Callback, "a switchboard can be called, too");
    stage.call(TRUNK, "second", "5550009999", "5550001000", "");
    assert_eq!(stage.place(1), Place::Callback);
    stage.call(TRUNK, "third", "5512345678", "5550001000", "Privacy: id\r\n");
    stage.key(3, '7');
    stage.key(3, '1');
    assert_eq!(stage.said(3), ["speech/es/callback-impossible"], "nobody knows where to call");
}

#[test]
fn another_number_is_called_at_home_only() {
    let mut stage = Stage::new(&site(AGENT_FIRST), FLOW);
    stage.call(TRUNK, "first", "5512345678", "5550001000", "");
    stage.keys(1, "720015551234567#1");
    assert_eq!(stage.said(1), ["speech/es/callback-impossible"], "not the far end of the world");
    stage.heard(1);
    stage.keys(1, "725587654321#1");
    stage.heard(1);
    ana(&mut stage, acd::Ask::LogIn);
    stage.answer(ANA);
    stage.heard(1);
    assert_eq!(stage.rung(CARRIER).unwrap().dialled(), "5587654321");
    let keys: Vec<_> = stage.facts_of(1, "ivr.input").into_iter().map(|(_, what)| format!("{what:?}")).collect();
    assert!(keys.iter().all(|key| !key.contains("5587")), "no number in a fact: {keys:?}");
}

#[test]
fn a_supervisor_cancels_a_callback() {
    let mut stage = kept(AGENT_FIRST);
    let call = stage.id(1);
    assert_eq!(stage.ask(Request::CancelCallback { call }), Reply::Done);
    assert_eq!(done(&stage).0, CallbackEnd::Cancelled);
    assert_eq!(stage.place(1), Place::Ended);
    assert!(stage.snapshot().visits.is_empty());
    assert!(matches!(stage.ask(Request::CancelCallback { call }), Reply::Unknown { .. }));
}

#[test]
fn a_queue_that_calls_nobody_back_says_so() {
    let mut stage = Stage::new(&site(""), FLOW);
    stage.call(TRUNK, "first", "5512345678", "5550001000", "");
    stage.keys(1, "71");
    assert_eq!(stage.said(1), ["speech/es/callback-impossible"]);
    assert_eq!(stage.place(1), Place::Queue);
}

#[test]
fn a_place_that_the_queue_does_not_hold_is_asked_for_again() {
    let mut stage = kept(&format!("{AGENT_FIRST}\noverflow_after = \"40s\""));
    stage.wait(300.0);
    assert_eq!(stage.place(1), Place::Callback, "whoever was promised a call is not lost");
    ana(&mut stage, acd::Ask::LogIn);
    stage.answer(ANA);
    stage.heard(1);
    stage.answer(CARRIER);
    assert_eq!(done(&stage).0, CallbackEnd::Connected);
}
