//! From the text of a flow file to a [`Flow`]: names resolved, values understood, every finding at its place.

use crate::flow::{Answer, Flow, Kind, Place, Question, Queue, Said, Source, Step};
use crate::raw::{self, Word};
use crate::text::{duration, nearest};
use base::calendar::{DATE, WEEK};
use base::{Calendar, Cause, Diagnostic, Lang, Requirement};
use jiff::tz::TimeZone;
use serde_saphyr::{MessageFormatter, Spanned};
use std::collections::BTreeMap;
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_secs(5);
const RETRIES: u8 = 2;
const MAX_RETRIES: u8 = 9;

impl Flow {
    /// Reads a flow file. `file` is its name in the findings.
    ///
    /// # Errors
    /// Every finding, in the order of the file. What is not YAML, or lacks a key, is found one at a time.
    pub fn parse(text: &str, file: &str) -> Result<Flow, Vec<Diagnostic>> {
        let source = Source { file: file.into(), text: text.into() };
        let raw: raw::Flow = serde_saphyr::from_str(text).map_err(|error| vec![unreadable(&source, &error)])?;
        let mut reader = Reader::new(source, &raw);
        let steps = raw.steps.0.iter().map(|(name, step)| reader.step(name, step)).collect();
        let start = reader.target(&raw.start);
        let name = raw.flow.value.as_str().into();
        let named_at = place_of(&raw.flow);
        let flow = Flow { name, named_at, languages: reader.languages, start, steps, source: reader.source };
        let mut found = reader.found;
        if found.is_empty() {
            found = crate::shape::findings(&flow);
        }
        found.sort_by_key(|d| (d.line, d.column));
        if found.is_empty() { Ok(flow) } else { Err(found) }
    }
}

/// What the YAML reader found, in our words where they say more, and with the name that was probably meant.
fn unreadable(source: &Source, error: &serde_saphyr::Error) -> Diagnostic {
    let said = serde_saphyr::DefaultMessageFormatter.format_message(error.without_snippet()).into_owned();
    let place = error.location().map_or(Place::default(), |l| place(l.line(), l.column(), l.span().len()));
    let name = said.split('`').nth(1).unwrap_or_default();
    let unknown = said.starts_with("unknown field") || said.starts_with("unknown variant");
    if let (true, Some((_, known))) = (unknown, said.split_once("expected one of ")) {
        let finding = source.at(place, format!("`{name}` is not known here"));
        return finding.help(match nearest(name, known.split(", ")) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("expected one of {known}"),
        });
    }
    let message = match said.as_str() {
        "expected string scalar" => "expected a text".into(),
        "expected sequence start" => "expected a list such as [first, second]".into(),
        "expected mapping start" => "expected names, each with its value".into(),
        "invalid boolean" => "expected true or false".into(),
        "unexpected end of input" => "the file ends too early".into(),
        _ if said.starts_with("missing field") => format!("`{name}` is missing"),
        // The rest of that message speaks of the reader's options.
        _ if said.starts_with("duplicate mapping key") => "this key stands here twice".into(),
        _ => said.replace('\n', " "),
    };
    source.at(place, message)
}

fn place(line: u64, column: u64, width: u64) -> Place {
    let small = |n: u64| usize::try_from(n).unwrap_or(0);
    Place { line: small(line), column: small(column), width: small(width).max(1) }
}

fn place_of<T>(spanned: &Spanned<T>) -> Place {
    let at = spanned.referenced;
    place(at.line(), at.column(), at.span().len())
}

struct Reader {
    source: Source,
    found: Vec<Diagnostic>,
    names: Vec<String>,
    languages: Vec<Lang>,
    zone: TimeZone,
}

impl Reader {
    fn new(source: Source, raw: &raw::Flow) -> Self {
        let names = raw.steps.0.iter().map(|(name, _)| name.value.clone()).collect();
        let mut reader = Reader { source, found: Vec::new(), names, languages: Vec::new(), zone: TimeZone::UTC };
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

    fn report<T>(&mut self, at: &Spanned<T>, message: impl Into<String>) {
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
    fn target(&mut self, word: &Word) -> usize {
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

    fn target_or(&mut self, word: Option<&Word>, otherwise: usize) -> usize {
        word.map_or(otherwise, |word| self.target(word))
    }

    /// A name that is also a file's.
    fn id(&mut self, word: &Word) -> Said {
        let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_".contains(&b);
        if word.value.is_empty() || word.value.len() > 64 || !word.value.bytes().all(fits) {
            self.report(word, "expected a name of lower-case letters, digits, - and _");
        }
        Said { id: word.value.as_str().into(), place: place_of(word) }
    }

    fn ids(&mut self, words: &[Word]) -> Vec<Said> {
        words.iter().map(|word| self.id(word)).collect()
    }

    fn step(&mut self, name: &Word, step: &raw::Step) -> Step {
        let kind = match step {
            raw::Step::Say(say) => Kind::Say { prompts: self.ids(&say.prompts), then: self.target(&say.then) },
            raw::Step::Menu(menu) => Kind::Ask(self.menu(menu)),
            raw::Step::Language(language) => Kind::Ask(self.language(language)),
            raw::Step::Hours(hours) => self.hours(hours),
            raw::Step::Queue(queue) => Kind::Queue(Box::new(self.queue(queue))),
            raw::Step::HangUp(end) => Kind::HangUp { prompts: self.ids(&end.prompts), cause: end.cause.into() },
            raw::Step::Goto(to) => Kind::Goto(self.target(to)),
        };
        self.id(name);
        Step { name: name.value.as_str().into(), place: place_of(name), kind }
    }

    fn menu(&mut self, menu: &raw::Menu) -> Question {
        let mut answers = BTreeMap::new();
        for (key, to) in &menu.keys.0 {
            let answer = Answer::Go(self.target(to));
            self.answer(&mut answers, key, answer);
        }
        if let Some(key) = &menu.repeat {
            self.answer(&mut answers, key, Answer::Repeat);
        }
        Question {
            prompts: self.ids(&menu.prompts),
            in_all_languages: false,
            answers,
            barge_in: menu.barge_in,
            timeout: self.timeout(menu.timeout.as_ref()),
            retries: self.retries(menu.retries.as_ref()),
            invalid: self.ids(&menu.invalid),
            no_input: self.ids(&menu.no_input),
            otherwise: self.target(&menu.otherwise),
            secret: menu.secret,
        }
    }

    fn language(&mut self, language: &raw::Language) -> Question {
        let then = self.target(&language.then);
        let mut answers = BTreeMap::new();
        for (key, code) in &language.keys.0 {
            match code.value.parse() {
                Ok(lang) if self.languages.contains(&lang) => self.answer(&mut answers, key, Answer::Speak(lang, then)),
                _ => {
                    let known: Vec<_> = self.languages.iter().map(Lang::to_string).collect();
                    self.report(code, format!("expected one of the flow's languages: {}", known.join(", ")));
                }
            }
        }
        Question {
            prompts: self.ids(&language.prompts),
            in_all_languages: true,
            answers,
            barge_in: true,
            timeout: self.timeout(language.timeout.as_ref()),
            retries: self.retries(language.retries.as_ref()),
            invalid: Vec::new(),
            no_input: Vec::new(),
            otherwise: then,
            secret: false,
        }
    }

    fn answer(&mut self, answers: &mut BTreeMap<char, Answer>, key: &Word, answer: Answer) {
        let mut chars = key.value.chars();
        match (chars.next(), chars.next()) {
            (Some(c), None) if c.is_ascii_digit() || "*#ABCD".contains(c) => {
                if answers.insert(c, answer).is_some() {
                    self.report(key, format!("the key {c} has two meanings"));
                }
            }
            _ => self.report(key, "expected one key of the phone: 0 to 9, \"*\" or \"#\""),
        }
    }

    fn timeout(&mut self, word: Option<&Word>) -> Duration {
        let Some(word) = word else { return TIMEOUT };
        let fits = duration(&word.value).filter(|d| (Duration::from_secs(1)..=Duration::from_secs(60)).contains(d));
        fits.unwrap_or_else(|| {
            self.report(word, "expected a time from 1s to 60s, such as `5s`");
            TIMEOUT
        })
    }

    fn retries(&mut self, given: Option<&Spanned<u8>>) -> u8 {
        let Some(given) = given else { return RETRIES };
        if given.value > MAX_RETRIES {
            self.report(given, format!("expected 0 to {MAX_RETRIES}"));
        }
        given.value.min(MAX_RETRIES)
    }

    fn hours(&mut self, hours: &raw::Hours) -> Kind {
        let mut calendar = Calendar::new(self.zone.clone());
        for line in &hours.week {
            if calendar.week(&line.value).is_none() {
                self.report(line, format!("expected {WEEK}"));
            }
        }
        for line in &hours.holidays {
            if calendar.date(&line.value).is_none() {
                self.report(line, format!("expected {DATE}"));
            }
        }
        Kind::Hours { calendar, open: self.target(&hours.open), closed: self.target(&hours.closed) }
    }

    fn queue(&mut self, queue: &raw::Queue) -> Queue {
        let name = self.id(&queue.name);
        let requires = queue.requires.as_ref().map_or(Ok(Requirement::default()), |word| word.value.parse());
        let requires = requires.unwrap_or_else(|message| {
            queue.requires.iter().for_each(|word| self.report(word, message.clone()));
            Requirement::default()
        });
        let level = queue.language_level.as_ref().map_or(1, |level| level.value);
        if let Some(given) = queue.language_level.as_ref().filter(|_| level > 10) {
            self.report(given, "expected a level from 1 to 10, or 0 to ask for none");
        }
        if let Some(lang) = self.languages.iter().find(|lang| queue.announce && speech::positions(**lang).is_empty()) {
            let message = format!("positions can't be said in `{lang}`: expected `announce: false`");
            self.report(&queue.name, message);
        }
        let otherwise = self.target(&queue.otherwise);
        Queue {
            name: name.id,
            place: name.place,
            language_level: level,
            requires,
            priority_s: queue.priority.into(),
            prompts: self.ids(&queue.prompts),
            music: self.id(&queue.music),
            announce: queue.announce,
            apology: self.ids(&queue.apology),
            timeout: self.target_or(queue.timeout.as_ref(), otherwise),
            no_agents: self.target_or(queue.no_agents.as_ref(), otherwise),
            full: self.target_or(queue.full.as_ref(), otherwise),
            closed: self.target_or(queue.closed.as_ref(), otherwise),
            otherwise,
        }
    }
}

/// The name of the first step that asks for the time of day.
fn first_hours(raw: &raw::Flow) -> Option<&Word> {
    raw.steps.0.iter().find(|(_, step)| matches!(step, raw::Step::Hours(_))).map(|(name, _)| name)
}

impl From<raw::End> for Cause {
    fn from(end: raw::End) -> Cause {
        match end {
            raw::End::FlowEnded => Cause::FlowEnded,
            raw::End::Closed => Cause::Closed,
            raw::End::Timeout => Cause::Timeout,
            raw::End::NoAgents => Cause::NoAgents,
            raw::End::QueueFull => Cause::QueueFull,
        }
    }
}
