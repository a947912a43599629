//! What is being read, what was found in it, and the values that every kind of step uses.

use crate::flow::{Place, Source};
use crate::raw::{self, Word};
use crate::step::Said;
use crate::text::{duration, nearest};
use base::{Diagnostic, Lang};
use jiff::tz::TimeZone;
use serde_saphyr::Spanned;
use speech::Line;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_secs(5);
const RETRIES: u8 = 2;
const MAX_RETRIES: u8 = 9;

pub(super) struct Reader {
    pub source: Source,
    pub found: Vec<Diagnostic>,
    names: Vec<String>,
    /// Steps that only a key of a queue may lead to.
    callbacks: Vec<bool>,
    pub languages: Vec<Lang>,
    pub zone: TimeZone,
}

impl Reader {
    pub fn new(source: Source, raw: &raw::Flow) -> Self {
        let names = raw.steps.0.iter().map(|(name, _)| name.value.clone()).collect();
        let callbacks = raw.steps.0.iter().map(|(_, step)| matches!(step, raw::Step::Callback(_))).collect();
        let languages = Vec::new();
        let mut reader = Reader { source, found: Vec::new(), names, callbacks, languages, zone: TimeZone::UTC };
        reader.id(&raw.flow);
        for (i, word) in raw.languages.iter().enumerate() {
            match word.value.parse() {
                Ok(lang) if reader.languages.contains(&lang) => reader.report(word, format!("`{lang}` stands here twice")),
                Ok(lang) => reader.languages.push(lang),
                Err(_) => reader.report(word, "expected a language code such as `es`"),
            }
            if i == 0 && reader.languages.is_empty() {
                reader.languages.push(Lang::ES);
            }
        }
        if raw.languages.is_empty() {
            reader.report(&raw.flow, "expected at least one language in `languages`");
        }
        reader.zone = raw.zone.as_ref().map_or(TimeZone::UTC, |word| reader.zone(word));
        if let (None, Some(name)) = (&raw.zone, first_hours(raw)) {
            reader.report(name, "hours need a `zone` of the flow, such as `America/Mexico_City`");
        }
        reader
    }

    pub fn report<T>(&mut self, at: &Spanned<T>, message: impl Into<String>) {
        let finding = self.source.at(place_of(at), message);
        self.found.push(finding);
    }

    fn zone(&mut self, word: &Word) -> TimeZone {
        TimeZone::get(&word.value).unwrap_or_else(|_| {
            self.report(word, "expected a time zone's name, such as `America/Mexico_City`");
            TimeZone::UTC
        })
    }

    /// The step of that name; a name that is none is a finding, and stands for the first step until then.
    pub fn target(&mut self, word: &Word) -> usize {
        let index = self.key_target(word);
        if self.callbacks.get(index).is_some_and(|is| *is && self.names[index] == word.value) {
            let message = format!("only a key of a queue can lead to `{}`: the caller's place there is kept", word.value);
            let finding = self.source.at(place_of(word), message);
            self.found.push(finding.help("put it in `keys` of a queue step, or lead to a `voicemail` step from here"));
        }
        index
    }

    /// The same for the key of a queue, which may offer a callback.
    pub fn key_target(&mut self, word: &Word) -> usize {
        if let Some(index) = self.names.iter().position(|name| *name == word.value) {
            return index;
        }
        let mut finding = self.source.at(place_of(word), format!("there is no step `{}`", word.value));
        if let Some(near) = nearest(&word.value, self.names.iter().map(String::as_str)) {
            finding = finding.help(format!("did you mean `{near}`?"));
        }
        self.found.push(finding);
        0
    }

    pub fn target_or(&mut self, word: Option<&Word>, otherwise: usize) -> usize {
        word.map_or(otherwise, |word| self.target(word))
    }

    /// A name that is also a file's.
    pub fn id(&mut self, word: &Word) -> Said {
        let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_".contains(&b);
        if word.value.is_empty() || word.value.len() > 64 || !word.value.bytes().all(fits) {
            self.report(word, "expected a name of lower-case letters, digits, - and _");
        }
        Said { id: word.value.as_str().into(), place: place_of(word), shared: false }
    }

    pub fn ids(&mut self, words: &[Word]) -> Vec<Said> {
        words.iter().map(|word| self.id(word)).collect()
    }

    /// The flow's own prompts, or the words that all flows share.
    pub fn ids_or(&mut self, words: Option<&[Word]>, line: Line, step: &Word) -> Vec<Said> {
        match words {
            Some(words) => self.ids(words),
            None => vec![Said::shared(line, place_of(step))],
        }
    }

    /// One key of the phone and what it means.
    pub fn key<T>(&mut self, keys: &mut BTreeMap<char, T>, key: &Word, meaning: T) {
        let mut chars = key.value.chars();
        match (chars.next(), chars.next()) {
            (Some(c), None) if c.is_ascii_digit() || "*#ABCD".contains(c) => {
                if keys.insert(c, meaning).is_some() {
                    self.report(key, format!("the key {c} has two meanings"));
                }
            }
            _ => self.report(key, "expected one key of the phone: 0 to 9, \"*\" or \"#\""),
        }
    }

    /// A time within a range; `expected` says which.
    pub fn time(&mut self, word: Option<&Word>, default: Duration, range: RangeInclusive<Duration>, expected: &str) -> Duration {
        let Some(word) = word else { return default };
        duration(&word.value).filter(|time| range.contains(time)).unwrap_or_else(|| {
            self.report(word, format!("expected a time {expected}"));
            default
        })
    }

    pub fn timeout(&mut self, word: Option<&Word>) -> Duration {
        let range = Duration::from_secs(1)..=Duration::from_secs(60);
        self.time(word, TIMEOUT, range, "from 1s to 60s, such as `5s`")
    }

    pub fn retries(&mut self, given: Option<&Spanned<u8>>) -> u8 {
        let Some(given) = given else { return RETRIES };
        if given.value > MAX_RETRIES {
            self.report(given, format!("expected 0 to {MAX_RETRIES}"));
        }
        given.value.min(MAX_RETRIES)
    }
}

pub(super) fn place(line: u64, column: u64, width: u64) -> Place {
    let small = |n: u64| usize::try_from(n).unwrap_or(0);
    Place { line: small(line), column: small(column), width: small(width).max(1) }
}

pub(super) fn place_of<T>(spanned: &Spanned<T>) -> Place {
    let at = spanned.referenced;
    place(at.line(), at.column(), at.span().len())
}

/// The name of the first step that asks for the time of day.
fn first_hours(raw: &raw::Flow) -> Option<&Word> {
    raw.steps.0.iter().find(|(_, step)| matches!(step, raw::Step::Hours(_))).map(|(name, _)| name)
}
