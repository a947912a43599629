//! Each kind of step, from what is written to what it means.

use super::reader::{Reader, place_of};
use crate::raw::{self, Word};
use crate::step::{Answer, Callback, Forward, Kind, Question, Queue, Step, Voicemail};
use base::calendar::{DATE, WEEK};
use base::{Calendar, Cause, Lang, Requirement};
use speech::Line;
use std::collections::BTreeMap;
use std::time::Duration;

/// The longest message unless the flow says otherwise.
const MESSAGE: Duration = Duration::from_secs(120);

impl Reader {
    pub fn step(&mut self, name: &Word, step: &raw::Step) -> Step {
        let kind = match step {
            raw::Step::Say(say) => Kind::Say { prompts: self.ids(&say.prompts), then: self.target(&say.then) },
            raw::Step::Menu(menu) => Kind::Ask(self.menu(menu)),
            raw::Step::Language(language) => Kind::Ask(self.language(language)),
            raw::Step::Notice(notice) => self.notice(name, notice),
            raw::Step::Consent(consent) => Kind::Ask(self.consent(name, consent)),
            raw::Step::Hours(hours) => self.hours(hours),
            raw::Step::Queue(queue) => Kind::Queue(Box::new(self.queue(queue))),
            raw::Step::Callback(callback) => Kind::Callback(Box::new(self.callback(name, callback))),
            raw::Step::Voicemail(voicemail) => Kind::Voicemail(self.voicemail(name, voicemail)),
            raw::Step::Forward(forward) => Kind::Forward(self.forward(forward)),
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
            self.key(&mut answers, key, answer);
        }
        if let Some(key) = &menu.repeat {
            self.key(&mut answers, key, Answer::Repeat);
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
            silence: None,
            secret: menu.secret,
        }
    }

    fn language(&mut self, language: &raw::Language) -> Question {
        let then = self.target(&language.then);
        let mut answers = BTreeMap::new();
        for (key, code) in &language.keys.0 {
            match code.value.parse() {
                Ok(lang) if self.languages.contains(&lang) => self.key(&mut answers, key, Answer::Speak(lang, then)),
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
            silence: None,
            secret: false,
        }
    }

    fn notice(&mut self, name: &Word, notice: &raw::Notice) -> Kind {
        let prompts = self.ids_or(notice.prompts.as_deref(), Line::RecordingNotice, name);
        if prompts.is_empty() {
            self.report(name, "a notice must be heard: expected at least one prompt, or no such list");
        }
        Kind::Notice { prompts, then: self.target(&notice.then) }
    }

    fn consent(&mut self, name: &Word, consent: &raw::Consent) -> Question {
        let opt_out = consent.mode == raw::Mode::OptOut;
        let line = if opt_out { Line::RecordingOptOut } else { Line::RecordingOptIn };
        let prompts = self.ids_or(consent.prompts.as_deref(), line, name);
        if prompts.is_empty() {
            self.report(name, "a caller must hear what the keys do: expected at least one prompt, or no such list");
        }
        let then = self.target(&consent.then);
        let refused = self.target_or(consent.refused.as_ref(), then);
        let mut answers = BTreeMap::new();
        for (key, usual, given, to) in [(&consent.yes, '1', true, then), (&consent.no, '2', false, refused)] {
            match key {
                Some(key) => self.key(&mut answers, key, Answer::Consent(given, to)),
                None if answers.insert(usual, Answer::Consent(given, to)).is_some() => {
                    self.report(name, format!("the key {usual} has two meanings"));
                }
                None => {}
            }
            if let (Some(key), None) = (key.as_ref().filter(|key| key.value != usual.to_string()), &consent.prompts) {
                self.report(key, format!("the words that all flows share say {usual}: expected `prompts` of the flow's own"));
            }
        }
        // Who may be recorded unless they object need not be asked twice.
        let retries = if opt_out && consent.retries.is_none() { 0 } else { self.retries(consent.retries.as_ref()) };
        Question {
            prompts,
            in_all_languages: false,
            answers,
            barge_in: true,
            timeout: self.timeout(consent.timeout.as_ref()),
            retries,
            invalid: self.ids(&consent.invalid),
            no_input: Vec::new(),
            otherwise: if opt_out { then } else { refused },
            silence: Some(opt_out),
            secret: false,
        }
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
        if let Some(lang) = self.languages.iter().find(|lang| queue.announce && speech::announcements(**lang).is_empty()) {
            let message = format!("positions can't be said in `{lang}`: expected `announce: false`");
            self.report(&queue.name, message);
        }
        let keys = self.queue_keys(queue);
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
            hints: self.ids(&queue.hints),
            keys,
            apology: self.ids(&queue.apology),
            timeout: self.target_or(queue.timeout.as_ref(), otherwise),
            no_agents: self.target_or(queue.no_agents.as_ref(), otherwise),
            full: self.target_or(queue.full.as_ref(), otherwise),
            closed: self.target_or(queue.closed.as_ref(), otherwise),
            otherwise,
        }
    }

    fn queue_keys(&mut self, queue: &raw::Queue) -> BTreeMap<char, usize> {
        let mut keys = BTreeMap::new();
        for (key, to) in queue.keys.iter().flat_map(|keys| &keys.0) {
            let step = self.key_target(to);
            self.key(&mut keys, key, step);
        }
        if let Some(hint) = queue.hints.first().filter(|_| !queue.announce) {
            self.report(hint, "hints are said with the announcements: expected `announce: true`");
        }
        keys
    }

    fn callback(&mut self, name: &Word, callback: &raw::Callback) -> Callback {
        let mut said = |words: &Option<Vec<Word>>, line| self.ids_or(words.as_deref(), line, name);
        let prompts = said(&callback.prompts, Line::CallbackOffer);
        let number = said(&callback.number, Line::CallbackNumber);
        let invalid = said(&callback.invalid, Line::CallbackInvalid);
        let taken = said(&callback.taken, Line::CallbackTaken);
        let impossible = said(&callback.impossible, Line::CallbackImpossible);
        if prompts.is_empty() || number.is_empty() {
            self.report(name, "a caller must hear what the keys do: expected at least one prompt, or no such list");
        }
        let (timeout, retries) = (self.timeout(callback.timeout.as_ref()), self.retries(callback.retries.as_ref()));
        Callback { prompts, number, invalid, taken, impossible, timeout, retries, place: place_of(name) }
    }

    fn voicemail(&mut self, name: &Word, voicemail: &raw::Voicemail) -> Voicemail {
        let range = Duration::from_secs(5)..=Duration::from_secs(600);
        Voicemail {
            prompts: self.ids_or(voicemail.prompts.as_deref(), Line::VoicemailGreeting, name),
            limit: self.time(voicemail.limit.as_ref(), MESSAGE, range, "from 5s to 10m, such as `2m`"),
            thanks: self.ids_or(voicemail.thanks.as_deref(), Line::VoicemailThanks, name),
            then: self.target(&voicemail.then),
        }
    }

    fn forward(&mut self, forward: &raw::Forward) -> Forward {
        let digits = forward.number.value.strip_prefix('+').unwrap_or(&forward.number.value);
        if !(2..=18).contains(&digits.len()) || !digits.bytes().all(|b| b.is_ascii_digit()) {
            self.report(&forward.number, "expected a number to dial, in quotes, such as \"+525512345678\"");
        }
        Forward {
            number: forward.number.value.as_str().into(),
            place: place_of(&forward.number),
            prompts: self.ids(&forward.prompts),
            music: forward.music.as_ref().map(|word| self.id(word)),
            otherwise: self.target(&forward.otherwise),
        }
    }
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
