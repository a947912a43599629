//! Callers who do anything at any moment: the interpreter never panics, never hangs, and says only what is rendered.

// The tests read files of the repository; the core itself reads none.
#![allow(clippy::disallowed_methods)]

use base::{Cause, Now, Outcome};
use ivr::{Flow, Input, Interpreter, Output};
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

static SERVICE_DESK: LazyLock<Arc<Flow>> = LazyLock::new(|| {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../ivr-flows/service-desk.yaml");
    Arc::new(Flow::parse(&std::fs::read_to_string(path).unwrap(), "service-desk.yaml").unwrap())
});

fn service_desk() -> Arc<Flow> {
    SERVICE_DESK.clone()
}

fn anything() -> impl Strategy<Value = Input> {
    prop_oneof![
        4 => prop::sample::select("0123456789*#A".chars().collect::<Vec<_>>()).prop_map(Input::Key),
        4 => (0u32..30).prop_map(Input::Played),
        3 => Just(Input::Due),
        1 => Just(Input::Start),
        1 => (prop::option::of(0u32..15), prop::option::of(0u64..5000)).prop_map(|(position, seconds)| Input::Announce {
            position,
            wait: seconds.map(Duration::from_secs),
        }),
        1 => Just(Input::Recorded),
        1 => any::<bool>().prop_map(Input::CallbackTaken),
        1 => prop::sample::select(vec![Input::Transferred, Input::CalledBack]),
        1 => Just(Input::Connected),
        1 => Just(Input::AgentLost),
        1 => prop::sample::select(vec![Outcome::Timeout, Outcome::NoAgents, Outcome::System]).prop_map(Input::QueueLeft),
        1 => prop::sample::select(vec![Cause::QueueFull, Cause::Closed, Cause::Internal]).prop_map(Input::QueueRefused),
    ]
}

/// What each output must hold, whatever came before. The end is the end, save for who is called back as promised,
/// perhaps with the agent already there.
fn sound(flow: &Flow, turns: &[Turn]) {
    let rendered: BTreeSet<Arc<str>> = flow.prompts().into_iter().map(|prompt| prompt.key).collect();
    let mut plays = BTreeSet::new();
    let mut over = false;
    for Turn { input, outputs } in turns {
        over &= !matches!(input, Input::CalledBack | Input::Connected);
        for output in outputs {
            assert!(!over, "after the end came {output:?}");
            match output {
                Output::Play { play, prompts } => {
                    assert!(plays.insert(*play), "{play} was used twice");
                    assert!(!prompts.is_empty() && prompts.iter().all(|key| rendered.contains(key)), "{prompts:?}");
                }
                Output::Music { prompt } => assert!(rendered.contains(prompt), "{prompt}"),
                Output::HangUp { .. } => over = true,
                _ => {}
            }
        }
    }
}

#[derive(Debug, PartialEq)]
struct Turn {
    input: Input,
    outputs: Vec<Output>,
}

fn walk(flow: &Arc<Flow>, steps: &[(Input, u64)]) -> Vec<Turn> {
    let (mut interpreter, mut now) = (Interpreter::new(flow.clone(), None), Now::default());
    let turn = |(input, seconds): &(Input, u64)| {
        now = now.plus(Duration::from_secs(*seconds));
        let mut outputs = Vec::new();
        interpreter.handle(now, input.clone(), &mut outputs);
        Turn { input: input.clone(), outputs }
    };
    std::iter::once(&(Input::Start, 0)).chain(steps).map(turn).collect()
}

proptest! {
    #[test]
    fn whatever_a_caller_does_the_flow_stays_sound(steps in prop::collection::vec((anything(), 0u64..90), 0..200)) {
        let flow = service_desk();
        let turns = walk(&flow, &steps);
        sound(&flow, &turns);
        prop_assert_eq!(turns, walk(&flow, &steps), "the same caller, the same flow");
    }

    #[test]
    fn a_deadline_that_is_kept_is_over(steps in prop::collection::vec(anything(), 0..60)) {
        let (mut interpreter, mut now, mut out) = (Interpreter::new(service_desk(), None), Now::default(), Vec::new());
        interpreter.handle(now, Input::Start, &mut out);
        for input in steps {
            interpreter.handle(now, input, &mut out);
            if let Some(deadline) = interpreter.deadline() {
                prop_assert!(deadline > now.mono, "a deadline in the past would spin");
                now = now.plus(deadline.since(now.mono));
                interpreter.handle(now, Input::Due, &mut out);
                prop_assert!(interpreter.deadline() != Some(deadline));
            }
        }
    }
}

#[test]
fn a_secret_key_leaves_no_trace() {
    let text = "\
flow: pin
languages: [en]
start: ask
steps:
  ask:
    menu: {prompts: [ask], keys: {1: bye}, secret: true, otherwise: bye}
  bye:
    hang_up: {}
";
    let flow = Arc::new(Flow::parse(text, "pin.yaml").unwrap());
    let (mut interpreter, mut out) = (Interpreter::new(flow, None), Vec::new());
    for input in [Input::Start, Input::Key('7'), Input::Key('1')] {
        interpreter.handle(Now::default(), input, &mut out);
    }
    let taken: Vec<_> = out.iter().filter(|o| matches!(o, Output::KeyTaken { .. })).collect();
    let expected = |understood| Output::KeyTaken { step: "ask".into(), key: None, understood };
    assert_eq!(taken, [&expected(false), &expected(true)]);
    assert_eq!(out.last(), Some(&Output::HangUp { step: "bye".into(), cause: Cause::FlowEnded }));
}

#[test]
fn a_line_on_which_a_key_hangs_comes_to_an_end() {
    let (mut interpreter, mut out) = (Interpreter::new(service_desk(), None), Vec::new());
    interpreter.handle(Now::default(), Input::Start, &mut out);
    interpreter.handle(Now::default(), Input::Key('1'), &mut out);
    for _ in 0..1000 {
        interpreter.handle(Now::default(), Input::Key('9'), &mut out);
    }
    assert!(matches!(out.last(), Some(Output::HangUp { cause: Cause::FlowEnded, .. })));
}

#[test]
fn a_call_that_nobody_takes_outside_comes_back_to_its_flow() {
    let text = "\
flow: night
languages: [en]
start: outside
steps:
  outside:
    forward: {number: \"+525512345678\", prompts: [one-moment], music: music, otherwise: sorry}
  sorry:
    hang_up: {cause: no_agents}
";
    let flow = Arc::new(Flow::parse(text, "night.yaml").unwrap_or_else(|found| panic!("{}", found[0])));
    let (mut interpreter, mut out) = (Interpreter::new(flow, None), Vec::new());
    for input in [Input::Start, Input::Played(1), Input::Key('1'), Input::QueueRefused(Cause::Busy), Input::Played(1)] {
        interpreter.handle(Now::default(), input, &mut out);
    }
    let expected = [
        Output::Play { play: 1, prompts: vec!["night/en/one-moment".into()] },
        Output::Forward { step: "outside".into(), number: "+525512345678".into(), music: Some("night/zxx/music".into()) },
        Output::HangUp { step: "sorry".into(), cause: Cause::NoAgents },
    ];
    assert_eq!(out, expected);
}
