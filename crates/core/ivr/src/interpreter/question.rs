//! A menu, the choice of a language or the question for consent: asked, answered by one key, and asked again.

use super::{HEARD_AFTER, Interpreter, MOST_MOVES, State, guard};
use crate::flow::Flow;
use crate::step::{Answer, Kind, Question, Said, Step};
use crate::words::Output;
use base::fact::{Consent, ConsentBy};
use base::{Cause, Now};
use std::time::Duration;

/// Why a question is said again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    WrongKey,
    NoKey,
}

impl Interpreter {
    pub(super) fn on_answer(&mut self, now: Now, key: char, out: &mut Vec<Output>) {
        let flow = self.flow.clone();
        let Some((step, question)) = self.question(&flow) else { return };
        let answer = question.answers.get(&key).copied();
        let agrees = matches!(answer, Some(Answer::Consent(true, _)));
        match self.state {
            State::Asking { heard, .. } if agrees && now.mono < heard => return,
            State::Asking { .. } if question.barge_in => out.push(Output::Stop),
            State::Waiting { .. } => {}
            _ => return,
        }
        let shown = (!question.secret).then_some(key);
        out.push(Output::KeyTaken { step: step.name.clone(), key: shown, understood: answer.is_some() });
        match answer {
            Some(Answer::Go(step)) => self.enter(now, step, out),
            Some(Answer::Speak(lang, step)) => {
                self.lang = lang;
                out.push(Output::LanguageSelected(lang));
                self.enter(now, step, out);
            }
            Some(Answer::Consent(given, to)) => {
                out.push(Output::Consent { step: step.name.clone(), consent: Consent { given, by: ConsentBy::Key } });
                self.enter(now, to, out);
            }
            Some(Answer::Repeat) => self.ask(now, question, &[], out),
            None => self.fail(now, question, Failure::WrongKey, out),
        }
    }

    pub(super) fn on_no_answer(&mut self, now: Now, failure: Failure, out: &mut Vec<Output>) {
        let flow = self.flow.clone();
        if let Some((_, question)) = self.question(&flow) {
            self.fail(now, question, failure, out);
        }
    }

    /// Says the question, after `first`.
    pub(super) fn ask(&mut self, now: Now, question: &Question, first: &[Said], out: &mut Vec<Output>) {
        self.moves += 1;
        if self.moves >= MOST_MOVES {
            return self.hang_up(self.at, Cause::FlowEnded, out);
        }
        let mut keys = self.keys(first);
        let spoken = if question.in_all_languages { self.flow.languages.as_slice() } else { &[self.lang] };
        keys.extend(spoken.iter().flat_map(|lang| question.prompts.iter().map(|said| said.key(&self.flow.name, *lang))));
        if keys.is_empty() {
            return self.wait(now);
        }
        let guard = guard(now, keys.len());
        let play = self.play(keys, out);
        // How long the words before the question take is not known here.
        let heard = if first.is_empty() { now.mono + HEARD_AFTER } else { guard };
        self.state = State::Asking { play, guard, heard };
    }

    /// The question is out; the caller has its timeout to answer.
    pub(super) fn wait(&mut self, now: Now) {
        let timeout = self.question(&self.flow).map_or(Duration::ZERO, |(_, question)| question.timeout);
        self.state = State::Waiting { until: now.mono + timeout };
    }

    fn fail(&mut self, now: Now, question: &Question, failure: Failure, out: &mut Vec<Output>) {
        if self.failures >= question.retries {
            if let Some(given) = question.silence {
                let consent = Consent { given, by: ConsentBy::Silence };
                out.push(Output::Consent { step: self.name_of(self.at).into(), consent });
            }
            return self.enter(now, question.otherwise, out);
        }
        self.failures += 1;
        let first = if failure == Failure::WrongKey { &question.invalid } else { &question.no_input };
        self.ask(now, question, first, out);
    }

    fn question<'f>(&self, flow: &'f Flow) -> Option<(&'f Step, &'f Question)> {
        flow.steps.get(self.at).and_then(|step| match &step.kind {
            Kind::Ask(question) => Some((step, question)),
            _ => None,
        })
    }
}
