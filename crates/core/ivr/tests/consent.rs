//! Callers are told that they are recorded, or asked whether they may be.

use base::fact::{Consent, ConsentBy};
use base::{Lang, Now};
use ivr::{Flow, Input, Interpreter, Output};
use std::sync::Arc;
use std::time::Duration;

/// A caller in this language at a flow of one question.
fn asked(step: &str, lang: Lang) -> (Interpreter, Vec<Output>) {
    let text = format!(
        "flow: desk\nlanguages: [es, en, pt, fr]\nstart: agree\nsteps:\n  agree:\n    {step}\n  talk:\n    \
         queue: {{name: support, music: music, otherwise: bye}}\n  bye:\n    hang_up: {{}}\n"
    );
    let flow = Flow::parse(&text, "desk.yaml").unwrap_or_else(|found| panic!("{}", found[0]));
    let mut caller = Interpreter::new(Arc::new(flow), Some(lang));
    let said = give(&mut caller, Now::default(), Input::Start);
    (caller, said)
}

fn give(caller: &mut Interpreter, now: Now, input: Input) -> Vec<Output> {
    let mut out = Vec::new();
    caller.handle(now, input, &mut out);
    out
}

fn prompts(out: &[Output]) -> Vec<&str> {
    out.iter()
        .flat_map(|o| if let Output::Play { prompts, .. } = o { prompts.as_slice() } else { &[] })
        .map(|key| &**key)
        .collect()
}

fn consent(out: &[Output]) -> Option<Consent> {
    out.iter().find_map(|o| if let Output::Consent { consent, .. } = o { Some(*consent) } else { None })
}

/// Until the question has been asked as often as it is.
fn silence(caller: &mut Interpreter) -> Vec<Output> {
    let mut out = Vec::new();
    while let Some(at) = caller.deadline() {
        out.extend(give(caller, Now { mono: at, ..Now::default() }, Input::Due));
    }
    out
}

#[test]
fn a_notice_is_said_in_the_callers_language_and_counts_when_it_was_heard_to_its_end() {
    for lang in [Lang::ES, Lang::EN, Lang::PT, Lang::FR] {
        let (mut caller, said) = asked("notice: {then: talk}", lang);
        assert_eq!(prompts(&said), [format!("speech/{lang}/recording-notice")]);
        assert_eq!(give(&mut caller, Now::default(), Input::Key('1')), [], "nobody skips it");
        let heard = give(&mut caller, Now::default(), Input::Played(1));
        assert_eq!(heard[0], Output::NoticePlayed { step: "agree".into() });
        assert!(matches!(heard.last(), Some(Output::Enqueue { .. })));
    }
}

#[test]
fn one_agrees_and_two_refuses_and_both_go_on() {
    for (key, given) in [('1', true), ('2', false)] {
        let (mut caller, said) = asked("consent: {then: talk}", Lang::PT);
        assert_eq!(prompts(&said), ["speech/pt/recording-opt-in"]);
        let out = give(&mut caller, Now::default().plus(Duration::from_secs(1)), Input::Key(key));
        assert_eq!(consent(&out), Some(Consent { given, by: ConsentBy::Key }));
        assert!(matches!(out.last(), Some(Output::Enqueue { .. })));
    }
}

#[test]
fn a_yes_counts_when_the_question_was_heard_for_a_second_or_to_its_end_and_a_no_at_any_time() {
    let early = Now::default().plus(Duration::from_millis(999));
    let (mut caller, _) = asked("consent: {then: talk}", Lang::ES);
    assert_eq!(give(&mut caller, early, Input::Key('1')), [], "the menu's key, pressed twice: the question goes on");
    let out = give(&mut caller, early, Input::Key('2'));
    assert_eq!(consent(&out), Some(Consent { given: false, by: ConsentBy::Key }));
    let (mut caller, _) = asked("consent: {then: talk}", Lang::ES);
    give(&mut caller, early, Input::Played(1));
    let out = give(&mut caller, early, Input::Key('1'));
    assert_eq!(consent(&out), Some(Consent { given: true, by: ConsentBy::Key }), "short, and said to its end");
    // After other words, only to its end: nobody knows when the question began.
    let (mut caller, _) = asked("consent: {prompts: [ask], invalid: [wrong], then: talk}", Lang::ES);
    give(&mut caller, early, Input::Key('5'));
    let later = early.plus(Duration::from_secs(20));
    assert_eq!(give(&mut caller, later, Input::Key('1')), []);
    give(&mut caller, later, Input::Played(2));
    assert!(consent(&give(&mut caller, later, Input::Key('1'))).is_some());
}

#[test]
fn a_notice_of_which_nobody_says_that_it_was_heard_is_no_fact_and_holds_nobody() {
    let (mut caller, _) = asked("notice: {then: talk}", Lang::ES);
    let at = caller.deadline().unwrap();
    let out = give(&mut caller, Now { mono: at, ..Now::default() }, Input::Due);
    assert!(!out.iter().any(|o| matches!(o, Output::NoticePlayed { .. })), "{out:?}");
    assert!(matches!(out.last(), Some(Output::Enqueue { .. })));
}

#[test]
fn silence_refuses_where_callers_must_agree_and_agrees_where_they_must_object() {
    let (mut caller, _) = asked("consent: {mode: opt_in, retries: 1, then: talk, refused: bye}", Lang::ES);
    let out = silence(&mut caller);
    assert_eq!(prompts(&out), ["speech/es/recording-opt-in"], "asked once more");
    assert_eq!(consent(&out), Some(Consent { given: false, by: ConsentBy::Silence }));
    assert!(matches!(out.last(), Some(Output::HangUp { .. })), "who is not recorded may be sent elsewhere");
    let (mut caller, said) = asked("consent: {mode: opt_out, then: talk, refused: bye}", Lang::ES);
    assert_eq!(prompts(&said), ["speech/es/recording-opt-out"]);
    let out = silence(&mut caller);
    assert_eq!((prompts(&out).len(), consent(&out)), (0, Some(Consent { given: true, by: ConsentBy::Silence })));
    assert!(matches!(out.last(), Some(Output::Enqueue { .. })));
}

#[test]
fn a_wrong_key_is_no_answer_and_keys_of_ones_own_need_words_of_ones_own() {
    let (mut caller, _) = asked("consent: {prompts: [ask], yes: 5, no: 6, invalid: [wrong], timeout: 3s, then: talk}", Lang::EN);
    let out = give(&mut caller, Now::default(), Input::Key('1'));
    assert_eq!((consent(&out), prompts(&out)), (None, vec!["desk/en/wrong", "desk/en/ask"]));
    let out = give(&mut caller, Now::default().plus(Duration::from_secs(1)), Input::Key('6'));
    assert_eq!(consent(&out), Some(Consent { given: false, by: ConsentBy::Key }));
    let found = |step: &str| {
        let text = format!("flow: desk\nlanguages: [es]\nstart: a\nsteps:\n  a:\n    {step}\n  bye:\n    hang_up: {{}}\n");
        Flow::parse(&text, "desk.yaml").expect_err("it is wrong")[0].message.clone()
    };
    assert_eq!(
        found("consent: {yes: 5, then: bye}"),
        "the words that all flows share say 1: expected `prompts` of the flow's own"
    );
    assert_eq!(found("consent: {prompts: [x], yes: 2, then: bye}"), "the key 2 has two meanings");
    assert_eq!(
        found("notice: {prompts: [], then: bye}"),
        "a notice must be heard: expected at least one prompt, or no such list"
    );
}
