//! One call's walk through its flow.
//!
//! ```text
//!               Start
//!     Idle ───────────────▶ enter(step) ◀───────────────────────────────┐
//!                               │                                       │
//!        say, hang_up, queue ───┤                                       │
//!              ▼                ├─── hours, goto: at once ──────────────┤
//!           Saying ── Played ─────────────────────── say: then ─────────┤
//!              │                │                                       │
//!              │                └─ menu, language ─▶ Asking ─ Key ──────┤
//!              │                     ▲    Played │      ▲ barge-in      │
//!              │          ask again  │           ▼                      │
//!              │                     └──── Waiting ─ Key, or Due once ──┤
//!              │                    Due, wrong key   too often          │
//!              │ queue: Enqueue                                         │
//!              ├───────▶ Queued ─ QueueLeft, QueueRefused ──────────────┘
//!              │         ▲    │ Announce: said over the music, which comes back when Played
//!              │ Enqueue │    │ Connected
//!              │  again  │    ▼
//!              └─ apology ◀─ AgentLost ─ Connected
//!        hang_up: HangUp
//!              ▼
//!            Over
//! ```
//!
//! Saying and Asking end by themselves if nobody reports `Played`, Waiting by its timeout; Queued belongs to
//! the ACD, which has the deadline, and Connected to the agent.

use crate::flow::{Answer, Flow, Kind, Question, Queue, Said, Step};
use crate::words::{Input, NO_LANGUAGE, Output};
use base::{Cause, Instant, Lang, Now, Outcome};
use std::sync::Arc;
use std::time::Duration;

/// A prompt that is not reported as heard by then was: media must not be able to hold a caller for ever.
const LONGEST_PROMPT: Duration = Duration::from_secs(60);
/// Steps, questions and retries of one call: far above what a person does, so that a stuck line ends.
const MOST_MOVES: u32 = 500;

/// A flow on its way with one caller.
#[derive(Clone, Debug)]
pub struct Interpreter {
    flow: Arc<Flow>,
    lang: Lang,
    /// Index of the step.
    at: usize,
    state: State,
    /// Wrong or missing keys at this question.
    failures: u8,
    plays: u32,
    moves: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Idle,
    Saying {
        play: u32,
        guard: Instant,
        next: Next,
    },
    /// The question is being said.
    Asking {
        play: u32,
        guard: Instant,
    },
    /// It was said to its end.
    Waiting {
        until: Instant,
    },
    /// `announcing` while a position is being said.
    Queued {
        announcing: Option<u32>,
    },
    Connected,
    Over,
}

/// What follows what is being said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    Step(usize),
    Enqueue { again: bool },
    HangUp(Cause),
}

/// Why a question is said again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Failure {
    WrongKey,
    NoKey,
}

impl Interpreter {
    /// `lang` is the number's language; the flow's first one if it does not speak that.
    pub fn new(flow: Arc<Flow>, lang: Option<Lang>) -> Self {
        let spoken = lang.filter(|lang| flow.languages.contains(lang)).or(flow.languages.first().copied());
        let lang = spoken.unwrap_or(Lang::ES);
        Interpreter { at: flow.start, flow, lang, state: State::Idle, failures: 0, plays: 0, moves: 0 }
    }

    pub fn flow_name(&self) -> &str {
        &self.flow.name
    }

    /// The name of the step where the caller is.
    pub fn step(&self) -> &str {
        self.flow.steps.get(self.at).map_or("", |step| &step.name)
    }

    /// The language the caller is spoken to in.
    pub fn lang(&self) -> Lang {
        self.lang
    }

    /// When `Due` must come at the latest.
    pub fn deadline(&self) -> Option<Instant> {
        match self.state {
            State::Saying { guard, .. } | State::Asking { guard, .. } => Some(guard),
            State::Waiting { until } => Some(until),
            State::Idle | State::Queued { .. } | State::Connected | State::Over => None,
        }
    }

    pub fn handle(&mut self, now: Now, input: Input, out: &mut Vec<Output>) {
        match input {
            Input::Start => self.on_start(now, out),
            Input::Key(key) => self.on_key(now, key, out),
            Input::Played(play) => self.on_played(now, play, out),
            Input::QueueLeft(outcome) => self.on_queue_left(now, outcome, out),
            Input::QueueRefused(cause) => self.on_queue_refused(now, cause, out),
            Input::Connected => self.on_connected(),
            Input::Announce { position, wait } => self.on_announce(position, wait, out),
            // No step asks for these yet: whoever sends them anyway is not heard.
            Input::Recorded | Input::CallbackTaken(_) => {}
            Input::AgentLost => self.on_agent_lost(now, out),
            Input::Due => self.on_due(now, out),
        }
    }

    fn on_start(&mut self, now: Now, out: &mut Vec<Output>) {
        if self.state == State::Idle {
            self.enter(now, self.flow.start, out);
        }
    }

    fn on_key(&mut self, now: Now, key: char, out: &mut Vec<Output>) {
        let flow = self.flow.clone();
        let Some((step, question)) = self.question(&flow) else { return };
        match self.state {
            State::Asking { .. } if question.barge_in => out.push(Output::Stop),
            State::Waiting { .. } => {}
            _ => return,
        }
        let answer = question.answers.get(&key).copied();
        let shown = (!question.secret).then_some(key);
        out.push(Output::KeyTaken { step: step.name.clone(), key: shown, understood: answer.is_some() });
        match answer {
            Some(Answer::Go(step)) => self.enter(now, step, out),
            Some(Answer::Speak(lang, step)) => {
                self.lang = lang;
                out.push(Output::LanguageSelected(lang));
                self.enter(now, step, out);
            }
            Some(Answer::Repeat) => self.ask(now, question, &[], out),
            None => self.fail(now, question, Failure::WrongKey, out),
        }
    }

    fn on_played(&mut self, now: Now, played: u32, out: &mut Vec<Output>) {
        match self.state {
            State::Saying { play, next, .. } if play == played => self.go_on(now, next, out),
            State::Asking { play, .. } if play == played => self.wait(now),
            State::Queued { announcing: Some(play) } if play == played => {
                self.state = State::Queued { announcing: None };
                let flow = self.flow.clone();
                if let Some((_, queue)) = self.queue(&flow) {
                    out.push(self.music(queue));
                }
            }
            _ => {}
        }
    }

    fn on_queue_left(&mut self, now: Now, outcome: Outcome, out: &mut Vec<Output>) {
        self.leave_queue(now, out, |queue| match outcome {
            Outcome::Timeout => queue.timeout,
            Outcome::NoAgents => queue.no_agents,
            _ => queue.otherwise,
        });
    }

    fn on_queue_refused(&mut self, now: Now, cause: Cause, out: &mut Vec<Output>) {
        self.leave_queue(now, out, |queue| match cause {
            Cause::QueueFull => queue.full,
            Cause::NoAgents => queue.no_agents,
            Cause::Closed => queue.closed,
            _ => queue.otherwise,
        });
    }

    fn on_connected(&mut self) {
        if matches!(self.state, State::Queued { .. }) {
            self.state = State::Connected;
        }
    }

    fn on_announce(&mut self, position: Option<u32>, _wait: Option<Duration>, out: &mut Vec<Output>) {
        let flow = self.flow.clone();
        let (State::Queued { .. }, Some((_, queue))) = (self.state, self.queue(&flow)) else { return };
        // Nothing to the head of the line: the next word should be an agent's.
        let Some(position) = position.filter(|position| queue.announce && *position > 1) else { return };
        if let Some(phrase) = speech::position(self.lang, position) {
            let play = self.play(vec![phrase.key().into()], out);
            self.state = State::Queued { announcing: Some(play) };
        }
    }

    fn on_agent_lost(&mut self, now: Now, out: &mut Vec<Output>) {
        let flow = self.flow.clone();
        let (State::Connected | State::Queued { .. }, Some((_, queue))) = (self.state, self.queue(&flow)) else { return };
        self.say(now, &queue.apology, Next::Enqueue { again: true }, out);
    }

    fn on_due(&mut self, now: Now, out: &mut Vec<Output>) {
        if self.deadline().is_none_or(|deadline| now.mono < deadline) {
            return;
        }
        let flow = self.flow.clone();
        match (self.state, self.question(&flow)) {
            (State::Saying { next, .. }, _) => self.go_on(now, next, out),
            (State::Asking { .. }, _) => self.wait(now),
            (State::Waiting { .. }, Some((_, question))) => self.fail(now, question, Failure::NoKey, out),
            _ => {}
        }
    }

    /// Goes to a step and on, until one speaks, waits or ends.
    fn enter(&mut self, now: Now, step: usize, out: &mut Vec<Output>) {
        let flow = self.flow.clone();
        let mut step = step;
        loop {
            self.at = step;
            self.failures = 0;
            let Some(Step { kind, .. }) = flow.steps.get(step).filter(|_| self.moves < MOST_MOVES) else {
                return self.hang_up(Cause::FlowEnded, out);
            };
            self.moves += 1;
            match kind {
                Kind::Goto(to) => step = *to,
                Kind::Hours { calendar, open, closed } => step = if calendar.is_open(now.wall) { *open } else { *closed },
                Kind::Say { prompts, then } if prompts.is_empty() => step = *then,
                Kind::Say { prompts, then } => return self.say(now, prompts, Next::Step(*then), out),
                Kind::Ask(question) => return self.ask(now, question, &[], out),
                Kind::Queue(queue) => return self.say(now, &queue.prompts, Next::Enqueue { again: false }, out),
                Kind::HangUp { prompts, cause } => return self.say(now, prompts, Next::HangUp(*cause), out),
            }
        }
    }

    fn go_on(&mut self, now: Now, next: Next, out: &mut Vec<Output>) {
        match next {
            Next::Step(step) => self.enter(now, step, out),
            Next::Enqueue { again } => self.enqueue(again, out),
            Next::HangUp(cause) => self.hang_up(cause, out),
        }
    }

    fn say(&mut self, now: Now, prompts: &[Said], next: Next, out: &mut Vec<Output>) {
        if prompts.is_empty() {
            return self.go_on(now, next, out);
        }
        let keys: Vec<_> = prompts.iter().map(|said| self.key(self.lang, said)).collect();
        let guard = guard(now, keys.len());
        let play = self.play(keys, out);
        self.state = State::Saying { play, guard, next };
    }

    /// Says the question, after `first`.
    fn ask(&mut self, now: Now, question: &Question, first: &[Said], out: &mut Vec<Output>) {
        self.moves += 1;
        if self.moves >= MOST_MOVES {
            return self.hang_up(Cause::FlowEnded, out);
        }
        let mut keys: Vec<_> = first.iter().map(|said| self.key(self.lang, said)).collect();
        let spoken = if question.in_all_languages { self.flow.languages.as_slice() } else { &[self.lang] };
        keys.extend(spoken.iter().flat_map(|lang| question.prompts.iter().map(|said| self.key(*lang, said))));
        if keys.is_empty() {
            return self.wait(now);
        }
        let guard = guard(now, keys.len());
        let play = self.play(keys, out);
        self.state = State::Asking { play, guard };
    }

    /// The question is out; the caller has its timeout to answer.
    fn wait(&mut self, now: Now) {
        let timeout = self.question(&self.flow).map_or(Duration::ZERO, |(_, question)| question.timeout);
        self.state = State::Waiting { until: now.mono + timeout };
    }

    fn fail(&mut self, now: Now, question: &Question, failure: Failure, out: &mut Vec<Output>) {
        if self.failures >= question.retries {
            return self.enter(now, question.otherwise, out);
        }
        self.failures += 1;
        let first = if failure == Failure::WrongKey { &question.invalid } else { &question.no_input };
        self.ask(now, question, first, out);
    }

    fn enqueue(&mut self, again: bool, out: &mut Vec<Output>) {
        let flow = self.flow.clone();
        let Some((step, queue)) = self.queue(&flow) else { return };
        self.state = State::Queued { announcing: None };
        out.push(self.music(queue));
        out.push(Output::Enqueue {
            step: step.name.clone(),
            queue: queue.name.clone(),
            requires: queue.requirement(self.lang),
            priority_s: queue.priority_s,
            lang: self.lang,
            again,
        });
    }

    fn leave_queue(&mut self, now: Now, out: &mut Vec<Output>, to: impl FnOnce(&Queue) -> usize) {
        let flow = self.flow.clone();
        if let (State::Queued { .. }, Some((_, queue))) = (self.state, self.queue(&flow)) {
            self.enter(now, to(queue), out);
        }
    }

    fn hang_up(&mut self, cause: Cause, out: &mut Vec<Output>) {
        self.state = State::Over;
        out.push(Output::HangUp { step: self.step().into(), cause });
    }

    fn play(&mut self, prompts: Vec<Arc<str>>, out: &mut Vec<Output>) -> u32 {
        self.plays = self.plays.wrapping_add(1);
        out.push(Output::Play { play: self.plays, prompts });
        self.plays
    }

    fn music(&self, queue: &Queue) -> Output {
        Output::Music { prompt: format!("{}/{NO_LANGUAGE}/{}", self.flow.name, queue.music.id).into() }
    }

    fn key(&self, lang: Lang, said: &Said) -> Arc<str> {
        format!("{}/{lang}/{}", self.flow.name, said.id).into()
    }

    fn question<'f>(&self, flow: &'f Flow) -> Option<(&'f Step, &'f Question)> {
        flow.steps.get(self.at).and_then(|step| match &step.kind {
            Kind::Ask(question) => Some((step, question)),
            _ => None,
        })
    }

    fn queue<'f>(&self, flow: &'f Flow) -> Option<(&'f Step, &'f Queue)> {
        flow.steps.get(self.at).and_then(|step| match &step.kind {
            Kind::Queue(queue) => Some((step, &**queue)),
            _ => None,
        })
    }
}

fn guard(now: Now, prompts: usize) -> Instant {
    now.mono + LONGEST_PROMPT.saturating_mul(u32::try_from(prompts).unwrap_or(u32::MAX))
}
