//! A flow with every name resolved, and what it needs from elsewhere.

use crate::step::{Kind, Queue, Said, Step};
use crate::words::NO_LANGUAGE;
use base::{Diagnostic, Lang, Requirement};
use speech::Line;
use std::collections::BTreeSet;
use std::sync::Arc;

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
    /// Where a key lets callers ask to be called back.
    pub callback: Option<Place>,
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

impl Flow {
    /// Every sound the flow may play, each key once, where it is first asked for.
    pub fn prompts(&self) -> Vec<Prompt> {
        let mut seen = BTreeSet::new();
        let mut prompts = Vec::new();
        let mut add = |key: Arc<str>, place| {
            if seen.insert(key.clone()) {
                prompts.push(Prompt { key, place });
            }
        };
        for step in &self.steps {
            for said in step.kind.said() {
                self.languages.iter().for_each(|lang| add(said.key(&self.name, *lang), said.place));
            }
            step.kind.music().into_iter().for_each(|music| add(self.music(music), music.place));
            for lang in &self.languages {
                composed(&step.kind, *lang).into_iter().for_each(|(key, place)| add(key.into(), place));
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
        let callback = |queue: &Queue| queue.keys.values().find_map(|step| self.offers_callback(*step));
        let used = |q: &Queue| QueueUse { name: q.name.clone(), place: q.place, requires: requires(q), callback: callback(q) };
        queues.map(|queue| used(queue)).collect()
    }

    /// Where the flow sends calls to numbers outside.
    pub fn forwards(&self) -> Vec<Place> {
        let place = |step: &Step| match &step.kind {
            Kind::Forward(forward) => Some(forward.place),
            _ => None,
        };
        self.steps.iter().filter_map(place).collect()
    }

    fn offers_callback(&self, step: usize) -> Option<Place> {
        match &self.steps.get(step)?.kind {
            Kind::Callback(callback) => Some(callback.place),
            _ => None,
        }
    }

    /// The full key of a sound that speaks no language.
    pub(crate) fn music(&self, music: &Said) -> Arc<str> {
        format!("{}/{NO_LANGUAGE}/{}", self.name, music.id).into()
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

/// What a step says that it puts together itself, in one language: announcements, and a number's digits.
fn composed(kind: &Kind, lang: Lang) -> Vec<(String, Place)> {
    match kind {
        Kind::Queue(queue) if queue.announce => speech::announcements(lang).into_iter().map(|key| (key, queue.place)).collect(),
        Kind::Callback(callback) => {
            let lines = [Line::CallbackEntered, Line::CallbackConfirm, Line::CallbackHere].map(|line| line.id().to_string());
            let ids = lines.into_iter().chain((0..10).map(|n| format!("digit-{n}")));
            ids.map(|id| (format!("speech/{lang}/{id}"), callback.place)).collect()
        }
        _ => Vec::new(),
    }
}
