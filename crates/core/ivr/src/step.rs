//! The kinds of steps, with every name resolved.

use crate::flow::Place;
use base::{Calendar, Cause, Lang, Need, Requirement, Skill};
use speech::Line;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub name: Arc<str>,
    pub place: Place,
    pub kind: Kind,
}

/// Targets are indexes into the flow's steps.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    Say {
        prompts: Vec<Said>,
        then: usize,
    },
    /// Says that the call is recorded.
    Notice {
        prompts: Vec<Said>,
        then: usize,
    },
    Ask(Question),
    Hours {
        calendar: Calendar,
        open: usize,
        closed: usize,
    },
    Queue(Box<Queue>),
    Callback(Box<Callback>),
    Voicemail(Voicemail),
    Forward(Forward),
    HangUp {
        prompts: Vec<Said>,
        cause: Cause,
    },
    Goto(usize),
}

/// A prompt where the flow names it.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    pub id: Arc<str>,
    pub place: Place,
    /// One of those that all flows share, instead of the flow's own.
    pub shared: bool,
}

impl Said {
    /// The words that are said where a flow has none of its own.
    pub fn shared(line: Line, place: Place) -> Said {
        Said { id: line.id().into(), place, shared: true }
    }

    /// The full key of its prompt.
    pub fn key(&self, flow: &str, lang: Lang) -> Arc<str> {
        let folder = if self.shared { "speech" } else { flow };
        format!("{folder}/{lang}/{}", self.id).into()
    }
}

/// A menu, the choice of a language or the question for consent: prompts, then one key.
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
    /// Whether no answer means that the call may be recorded, if that was the question.
    pub silence: Option<bool>,
    pub secret: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Go(usize),
    Speak(Lang, usize),
    /// The call may be recorded, or may not.
    Consent(bool, usize),
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
    /// Said after each announcement: what the keys do.
    pub hints: Vec<Said>,
    /// What a key does while the caller waits.
    pub keys: BTreeMap<char, usize>,
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

/// The offer to be called back, made to a caller whose visit goes on.
#[derive(Clone, Debug)]
pub(crate) struct Callback {
    /// 1 for the number they call from, 2 for another.
    pub prompts: Vec<Said>,
    pub number: Vec<Said>,
    pub invalid: Vec<Said>,
    pub taken: Vec<Said>,
    pub impossible: Vec<Said>,
    pub timeout: Duration,
    pub retries: u8,
    pub place: Place,
}

#[derive(Clone, Debug)]
pub(crate) struct Voicemail {
    pub prompts: Vec<Said>,
    pub limit: Duration,
    pub thanks: Vec<Said>,
    pub then: usize,
}

#[derive(Clone, Debug)]
pub(crate) struct Forward {
    pub number: Arc<str>,
    pub place: Place,
    pub prompts: Vec<Said>,
    /// Heard while the number is dialled.
    pub music: Option<Said>,
    pub otherwise: usize,
}

impl Kind {
    /// Everything it says in the caller's language.
    pub fn said(&self) -> impl Iterator<Item = &Said> {
        let lists: [&[Said]; 5] = match self {
            Kind::Say { prompts, .. } | Kind::Notice { prompts, .. } | Kind::HangUp { prompts, .. } => {
                [prompts, &[], &[], &[], &[]]
            }
            Kind::Ask(question) => [&question.prompts, &question.invalid, &question.no_input, &[], &[]],
            Kind::Queue(queue) => [&queue.prompts, &queue.apology, &queue.hints, &[], &[]],
            Kind::Callback(c) => [&c.prompts, &c.number, &c.invalid, &c.taken, &c.impossible],
            Kind::Voicemail(voicemail) => [&voicemail.prompts, &voicemail.thanks, &[], &[], &[]],
            Kind::Forward(forward) => [&forward.prompts, &[], &[], &[], &[]],
            Kind::Hours { .. } | Kind::Goto(_) => [&[]; 5],
        };
        lists.into_iter().flatten()
    }

    /// What plays under it, in no language.
    pub fn music(&self) -> Option<&Said> {
        match self {
            Kind::Queue(queue) => Some(&queue.music),
            Kind::Forward(forward) => forward.music.as_ref(),
            _ => None,
        }
    }

    /// Where it may lead, and whether that takes someone's doing: a key, or a wait in a queue.
    pub fn leads_to(&self) -> Vec<(usize, bool)> {
        match self {
            Kind::Say { then, .. } | Kind::Notice { then, .. } | Kind::Goto(then) => vec![(*then, false)],
            Kind::Hours { open, closed, .. } => vec![(*open, false), (*closed, false)],
            Kind::HangUp { .. } | Kind::Callback(_) => vec![],
            Kind::Voicemail(voicemail) => vec![(voicemail.then, false)],
            Kind::Forward(forward) => vec![(forward.otherwise, false)],
            Kind::Queue(q) => {
                let alone = [q.no_agents, q.full, q.closed, q.otherwise].map(|step| (step, false));
                let by_key = q.keys.values().map(|step| (*step, true));
                alone.into_iter().chain([(q.timeout, true)]).chain(by_key).collect()
            }
            Kind::Ask(question) => {
                let by_key = question.answers.values().filter_map(|answer| match answer {
                    Answer::Go(step) | Answer::Speak(_, step) | Answer::Consent(_, step) => Some((*step, true)),
                    Answer::Repeat => None,
                });
                by_key.chain([(question.otherwise, false)]).collect()
            }
        }
    }
}
