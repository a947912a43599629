//! Runs `ivr-flows/tests/*.txt`: what is done to a flow (`>`) and what it must do then (`<`), word for word.
//! `ivr-flows/README.md` describes the form.

// The tests read files of the repository; the core itself reads none.
#![allow(clippy::disallowed_methods)]

use base::fact::ConsentBy;
use base::{Cause, Lang, Now, Outcome, Wall};
use ivr::{Flow, Input, Interpreter, Output};
use serde::Deserialize;
use serde::de::value::{Error, StrDeserializer};
use std::path::{Path, PathBuf};
use std::sync::Arc;

fn flows() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../ivr-flows")
}

/// A name as it stands in facts: `no_agents`, `queue_full`.
fn named<T: for<'a> Deserialize<'a>>(name: &str) -> T {
    let name: StrDeserializer<'_, Error> = serde::de::IntoDeserializer::into_deserializer(name);
    T::deserialize(name).unwrap()
}

/// One caller on the way through a flow, and what it was told that has not been expected yet.
struct Call {
    flow: Arc<Flow>,
    interpreter: Interpreter,
    now: Now,
    last_play: u32,
    said: Vec<String>,
}

impl Call {
    fn new(flow: Arc<Flow>) -> Self {
        let now = Now { wall: wall("2026-11-20T16:00:00Z"), ..Now::default() };
        Call { interpreter: Interpreter::new(flow.clone(), None), flow, now, last_play: 0, said: Vec::new() }
    }

    fn give(&mut self, input: Input) {
        let mut out = Vec::new();
        self.interpreter.handle(self.now, input, &mut out);
        for output in out {
            if let Output::Play { play, .. } = &output {
                self.last_play = *play;
            }
            let line = self.line(&output);
            self.said.push(line);
        }
    }

    fn done(&mut self, words: &[&str]) {
        match words {
            ["start"] => self.give(Input::Start),
            ["key", key] => self.give(Input::Key(key.chars().next().unwrap())),
            ["heard"] => self.give(Input::Played(self.last_play)),
            ["wait", time] => self.wait(ivr::text::duration(time).unwrap()),
            ["position", n] => self.give(Input::Announce { position: n.parse().ok(), wait: None }),
            ["wait_said", time] => self.give(Input::Announce { position: None, wait: ivr::text::duration(time) }),
            ["announce", n, time] => {
                self.give(Input::Announce { position: n.parse().ok(), wait: ivr::text::duration(time) });
            }
            ["recorded"] => self.give(Input::Recorded),
            ["callback", taken] => self.give(Input::CallbackTaken(*taken == "taken")),
            ["transferred"] => self.give(Input::Transferred),
            ["called", "back"] => self.give(Input::CalledBack),
            ["answered"] => self.give(Input::Connected),
            ["agent", "lost"] => self.give(Input::AgentLost),
            ["left", outcome] => self.give(Input::QueueLeft(named::<Outcome>(outcome))),
            ["refused", cause] => self.give(Input::QueueRefused(named::<Cause>(cause))),
            other => panic!("unknown: > {}", other.join(" ")),
        }
    }

    /// Time passes, and each deadline on the way is kept to the moment.
    fn wait(&mut self, time: std::time::Duration) {
        let end = self.now.plus(time);
        while let Some(at) = self.interpreter.deadline().filter(|at| *at <= end.mono) {
            self.now = self.now.plus(at.since(self.now.mono));
            self.give(Input::Due);
        }
        self.now = end;
    }

    fn line(&self, output: &Output) -> String {
        let own = format!("{}/", self.flow.name);
        let short = |key: &Arc<str>| key.strip_prefix(&own).unwrap_or(key).to_string();
        match output {
            Output::Play { prompts, .. } => format!("say {}", prompts.iter().map(short).collect::<Vec<_>>().join(" ")),
            Output::Music { prompt } => format!("music {}", short(prompt)),
            Output::Stop => "stop".into(),
            Output::LanguageSelected(lang) => format!("language {lang}"),
            Output::NoticePlayed { step } => format!("told at {step}"),
            Output::Consent { step, consent } => {
                let by = if consent.by == ConsentBy::Key { "" } else { " by silence" };
                format!("consent {}{by} at {step}", consent.name())
            }
            Output::KeyTaken { step, key, understood } => {
                let key = key.map_or("hidden".into(), |key| key.to_string());
                format!("pressed {key} at {step}{}", if *understood { "" } else { ", not understood" })
            }
            Output::Enqueue { step, queue, requires, priority_s, lang, again } => {
                let (priority, again) = (
                    if *priority_s == 0 { String::new() } else { format!(" priority {priority_s}") },
                    if *again { " again" } else { "" },
                );
                format!("queue {queue} at {step} in {lang} needs {requires}{priority}{again}")
            }
            Output::LeaveQueue { outcome } => format!("leave queue, {outcome}"),
            Output::Callback { number: None } => "callback to the caller's number".into(),
            Output::Callback { number: Some(number) } => format!("callback to {}", number.reveal()),
            Output::Record { step, limit } => format!("record at {step} for {}s", limit.as_secs()),
            Output::Forward { step, number, music } => {
                let music = music.as_ref().map(|music| format!(" with {}", short(music))).unwrap_or_default();
                format!("forward to {number} at {step}{music}")
            }
            Output::HangUp { step, cause } => format!("hang up at {step}, {cause}"),
        }
    }
}

fn wall(text: &str) -> Wall {
    Wall(text.parse::<jiff::Timestamp>().unwrap().as_microsecond())
}

/// Runs one file; gives the number of cases in it.
fn run(path: &Path) -> usize {
    let text = std::fs::read_to_string(path).unwrap();
    let name = path.file_name().unwrap().to_string_lossy();
    let (mut flow, mut call, mut cases): (Option<Arc<Flow>>, Option<Call>, usize) = (None, None, 0);
    for (i, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#')) {
        let place = format!("{name}:{}", i + 1);
        let (mark, rest) = line.split_once(' ').unwrap_or((line, ""));
        if mark != "<" {
            let more = call.as_mut().map(|call| std::mem::take(&mut call.said)).unwrap_or_default();
            assert!(more.is_empty(), "{place}: before this line the flow also did: {more:?}");
        }
        let words: Vec<&str> = rest.split_whitespace().collect();
        match (mark, call.as_mut()) {
            ("flow", _) => flow = Some(read_flow(&flows().join(format!("{rest}.yaml")))),
            ("=", _) => {
                cases += 1;
                call = Some(Call::new(flow.clone().unwrap()));
            }
            ("at", Some(call)) => call.now.wall = wall(rest),
            ("lang", Some(call)) => call.interpreter = Interpreter::new(call.flow.clone(), rest.parse::<Lang>().ok()),
            (">", Some(call)) => call.done(&words),
            ("<", Some(call)) => {
                assert!(!call.said.is_empty(), "{place}: expected `{rest}`, the flow did nothing more");
                assert_eq!(call.said.remove(0), rest, "{place}");
            }
            _ => panic!("{place}: expected `flow`, `=`, `at`, `lang`, `>` or `<`"),
        }
    }
    let more = call.map(|call| call.said).unwrap_or_default();
    assert!(more.is_empty(), "{name}: at its end the flow also did: {more:?}");
    cases
}

fn read_flow(path: &Path) -> Arc<Flow> {
    let text = std::fs::read_to_string(path).unwrap();
    match Flow::parse(&text, &path.to_string_lossy()) {
        Ok(flow) => Arc::new(flow),
        Err(found) => panic!("{}", found.iter().map(|finding| format!("{finding}\n\n")).collect::<String>()),
    }
}

#[test]
fn every_script_is_followed_word_for_word() {
    let mut scripts: Vec<_> = std::fs::read_dir(flows().join("tests")).unwrap().map(|entry| entry.unwrap().path()).collect();
    scripts.retain(|path| path.extension().is_some_and(|extension| extension == "txt"));
    scripts.sort();
    let cases: usize = scripts.iter().map(|path| run(path)).sum();
    assert!(cases >= 12, "{cases} cases");
}
