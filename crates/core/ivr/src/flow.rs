//! A flow with every name resolved, and what it needs from elsewhere.

use crate::words::NO_LANGUAGE;
use base::{Calendar, Cause, Diagnostic, Lang, Need, Requirement, Skill};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// One flow file, read and found to be whole in itself.
#[derive(Clone, Debug)]
pub struct Flow {
    pub name: Arc<str>,
    pub(crate) named_at: Place,
    /// The first is spoken until the caller chooses.
    pub languages: Vec<Lang>,
    pub(crate) start: usize,
    pub(crate) steps: Vec<Step>,
    pub(crate) source: Source,
}

/// A sound that the flow needs, and where it asks for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prompt {
    /// `flow/lang/id`; its audio is `<flow>/prompts/<lang>/<id>.wav`.
    pub key: Arc<str>,
    pub place: Place,
}

/// A queue that the flow sends calls to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueUse {
    pub name: Arc<str>,
    pub place: Place,
    /// What a visit asks for, in each language of the flow.
    pub requires: Vec<(Lang, Requirement)>,
}

/// Line and column from 1, width in characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub line: usize,
    pub column: usize,
    pub width: usize,
}

/// The file, kept so that a finding can show its line.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub file: Arc<str>,
    pub text: Arc<str>,
}

impl Source {
    pub fn at(&self, place: Place, message: impl Into<String>) -> Diagnostic {
        let mut finding = Diagnostic::at_line(&self.file, &self.text, place.line.max(1), place.column.max(1), message);
        let rest = finding.source.chars().count().saturating_sub(place.column.saturating_sub(1));
        finding.width = place.width.clamp(1, rest.max(1));
        finding
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub name: Arc<str>,
    pub place: Place,
    pub kind: Kind,
}

/// Targets are indexes into the flow's steps.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    Say { prompts: Vec<Said>, then: usize },
    Ask(Question),
    Hours { calendar: Calendar, open: usize, closed: usize },
    Queue(Box<Queue>),
    HangUp { prompts: Vec<Said>, cause: Cause },
    Goto(usize),
}

/// A prompt's id where the flow names it.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    pub id: Arc<str>,
    pub place: Place,
}

/// A menu or the choice of a language: prompts, then one key.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    pub prompts: Vec<Said>,
    /// The prompts are said in every language of the flow, in turn.
    pub in_all_languages: bool,
    pub answers: BTreeMap<char, Answer>,
    pub barge_in: bool,
    pub timeout: Duration,
    /// How often the question is asked again after a wrong key or none.
    pub retries: u8,
    pub invalid: Vec<Said>,
    pub no_input: Vec<Said>,
    pub otherwise: usize,
    pub secret: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Go(usize),
    Speak(Lang, usize),
    Repeat,
}

#[derive(Clone, Debug)]
pub(crate) struct Queue {
    pub name: Arc<str>,
    pub place: Place,
    pub language_level: u8,
    pub requires: Requirement,
    pub priority_s: i64,
    pub prompts: Vec<Said>,
    pub music: Said,
    pub announce: bool,
    pub apology: Vec<Said>,
    pub timeout: usize,
    pub no_agents: usize,
    pub full: usize,
    pub closed: usize,
    pub otherwise: usize,
}

impl Queue {
    /// The queue step's own needs, and the caller's language at the level asked for.
    pub fn requirement(&self, lang: Lang) -> Requirement {
        let spoken = Need { skill: Skill::new(&format!("lang:{lang}")), at_least: self.language_level };
        self.requires.and(&Requirement::new((self.language_level > 0).then_some(spoken)))
    }
}

impl Flow {
    /// Every sound the flow may play, each key once, where it is first asked for.
    pub fn prompts(&self) -> Vec<Prompt> {
        let mut seen = BTreeSet::new();
        let mut prompts = Vec::new();
        let mut add = |key: String, place| {
            if seen.insert(key.clone()) {
                prompts.push(Prompt { key: key.into(), place });
            }
        };
        for step in &self.steps {
            for said in step.kind.said() {
                self.languages.iter().for_each(|lang| add(format!("{}/{lang}/{}", self.name, said.id), said.place));
            }
            let Kind::Queue(queue) = &step.kind else { continue };
            add(format!("{}/{NO_LANGUAGE}/{}", self.name, queue.music.id), queue.music.place);
            for lang in self.languages.iter().filter(|_| queue.announce) {
                speech::positions(*lang).into_iter().for_each(|key| add(key, queue.place));
            }
        }
        prompts
    }

    /// Every queue the flow names.
    pub fn queues(&self) -> Vec<QueueUse> {
        let queues = self.steps.iter().filter_map(|step| match &step.kind {
            Kind::Queue(queue) => Some(queue),
            _ => None,
        });
        let requires = |queue: &Queue| self.languages.iter().map(|lang| (*lang, queue.requirement(*lang))).collect();
        queues.map(|q| QueueUse { name: q.name.clone(), place: q.place, requires: requires(q) }).collect()
    }

    /// A finding for each prompt that nobody rendered: silence on the line is an error, not a surprise.
    pub fn check(&self, has_prompt: &dyn Fn(&str) -> bool) -> Vec<Diagnostic> {
        let missing = self.prompts().into_iter().filter(|prompt| !has_prompt(&prompt.key));
        missing
            .map(|prompt| {
                self.at(prompt.place, format!("the prompt `{}` has no audio", prompt.key)).help(self.where_it_goes(&prompt.key))
            })
            .collect()
    }

    /// A finding if the flow calls itself other than its file: its prompts would be looked for elsewhere.
    pub fn misnamed(&self, file_stem: &str) -> Option<Diagnostic> {
        let message = || format!("the file is `{file_stem}.yaml`: expected `flow: {file_stem}`");
        (*self.name != *file_stem).then(|| self.at(self.named_at, message()))
    }

    /// A finding in this flow's file.
    pub fn at(&self, place: Place, message: impl Into<String>) -> Diagnostic {
        self.source.at(place, message)
    }

    fn where_it_goes(&self, key: &str) -> String {
        let mut parts = key.splitn(3, '/');
        let mut next = || parts.next().unwrap_or_default();
        format!("expected {}/prompts/{}/{}.wav, 16 kHz mono, in the folder of flows", next(), next(), next())
    }
}

impl Kind {
    /// Everything it says in the caller's language.
    fn said(&self) -> impl Iterator<Item = &Said> {
        let lists: [&[Said]; 3] = match self {
            Kind::Say { prompts, .. } | Kind::HangUp { prompts, .. } => [prompts, &[], &[]],
            Kind::Ask(question) => [&question.prompts, &question.invalid, &question.no_input],
            Kind::Queue(queue) => [&queue.prompts, &queue.apology, &[]],
            Kind::Hours { .. } | Kind::Goto(_) => [&[], &[], &[]],
        };
        lists.into_iter().flatten()
    }

    /// Where it may lead, and whether that takes someone's doing: a key, or a wait in a queue.
    pub fn leads_to(&self) -> Vec<(usize, bool)> {
        match self {
            Kind::Say { then, .. } | Kind::Goto(then) => vec![(*then, false)],
            Kind::Hours { open, closed, .. } => vec![(*open, false), (*closed, false)],
            Kind::HangUp { .. } => vec![],
            Kind::Queue(q) => {
                vec![(q.timeout, true), (q.no_agents, false), (q.full, false), (q.closed, false), (q.otherwise, false)]
            }
            Kind::Ask(question) => {
                let by_key = question.answers.values().filter_map(|answer| match answer {
                    Answer::Go(step) | Answer::Speak(_, step) => Some((*step, true)),
                    Answer::Repeat => None,
                });
                by_key.chain([(question.otherwise, false)]).collect()
            }
        }
    }
}
