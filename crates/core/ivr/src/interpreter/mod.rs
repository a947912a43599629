//! One call's walk through its flow.
//!
//! ```text
//!               Start
//!     Idle ───────────────▶ enter(step) ◀───────────────────────────────────────┐
//!                               │                                               │
//!        say, notice, queue ────┤                                               │
//!        hang_up                │                                               │
//!        voicemail, forward     │                                               │
//!              ▼                ├─── hours, goto: at once ──────────────────────┤
//!           Saying ── Played ───────────────── say, notice: then ───────────────┤
//!              │                │                                               │
//!              │                └ menu, language, consent ▶ Asking ─ Key ───────┤
//!              │                     ▲    Played │      ▲ barge-in (a yes later) │
//!              │          ask again  │           ▼                              │
//!              │                     └──── Waiting ─ Key, or Due once ──────────┤
//!              │                    Due, wrong key   too often                  │
//!              │ queue: Enqueue                                                 │
//!              ├───────▶ Queued ─ QueueLeft, QueueRefused, a key: LeaveQueue ───┤
//!              │         ▲ │  ▲ │ Announce: said over the music, which comes back when Played
//!              │ Enqueue │ │  │ └ a key to `callback` ─▶ Confirming (its picture: callback.rs)
//!              │  again  │ │  └─────── thinks better of it ─┘ │ taken: said, then HangUp
//!              │         │ │ Connected (also there)           ▼
//!              │         │ ▼
//!              └─ apology ◀─ AgentLost ─ Connected ─ Transferred ─▶ Queued
//!              │ voicemail: Record
//!              ├───────▶ Recording ─ Recorded, or Due: thanks ──────────────────┤
//!              │ forward: Forward                                               │
//!              ├───────▶ Forwarding ─ QueueRefused: otherwise ──────────────────┘
//!              │ hang_up: HangUp
//!              ▼
//!            Over ─ CalledBack ─▶ Queued; Connected (the agent was called first) ─▶ Connected
//! ```
//!
//! Saying and Asking end by themselves if nobody reports `Played`, Waiting and Recording by their timeouts; Queued
//! belongs to the ACD, which has the deadline, Connected to the agent, and Forwarding to whoever dials.

mod callback;
mod question;
mod queue;

use crate::flow::Flow;
use crate::step::{Forward, Kind, Said, Step, Voicemail};
use crate::words::{Input, Output};
use base::{Cause, Instant, Lang, Now};
use callback::Confirm;
use question::Failure;
use std::sync::Arc;
use std::time::Duration;

/// A prompt that is not reported as heard by then was: media must not be able to hold a caller for ever.
const LONGEST_PROMPT: Duration = Duration::from_secs(60);
/// Whoever was asked for something must have answered by then.
const ANSWERED_BY: Duration = Duration::from_secs(10);
/// Who agrees to be recorded sooner was still pressing the key of the menu before.
const HEARD_AFTER: Duration = Duration::from_secs(1);
/// Steps, questions and retries of one call: far above what a person does, so that a stuck line ends.
const MOST_MOVES: u32 = 500;

/// A flow on its way with one caller.
#[derive(Clone, Debug)]
pub struct Interpreter {
    flow: Arc<Flow>,
    lang: Lang,
    /// Index of the step; of the queue's while a callback is offered.
    at: usize,
    state: State,
    /// Wrong or missing keys at this question.
    failures: u8,
    /// What was keyed in as the number to call.
    digits: String,
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
        /// From then on who agrees has heard to what.
        heard: Instant,
    },
    /// It was said to its end.
    Waiting {
        until: Instant,
    },
    /// `announcing` while a position is being said.
    Queued {
        announcing: Option<u32>,
    },
    /// Still in the queue, and asked about a callback.
    Confirming(Confirm),
    Recording {
        guard: Instant,
    },
    Forwarding,
    Connected,
    Over,
}

/// What follows what is being said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    Step(usize),
    Enqueue { again: bool },
    Record,
    Forward,
    Noticed { step: usize, then: usize },
    HangUp { step: usize, cause: Cause },
}

impl Interpreter {
    /// `lang` is the number's language; the flow's first one if it does not speak that.
    pub fn new(flow: Arc<Flow>, lang: Option<Lang>) -> Self {
        let spoken = lang.filter(|lang| flow.languages.contains(lang)).or(flow.languages.first().copied());
        let lang = spoken.unwrap_or(Lang::ES);
        let (at, state) = (flow.start, State::Idle);
        Interpreter { flow, lang, at, state, failures: 0, digits: String::new(), plays: 0, moves: 0 }
    }

    /// As that of a caller who left the line at this step, a queue's, to be called back. None if the flow has no such step.
    pub fn promised(flow: Arc<Flow>, lang: Option<Lang>, step: &str) -> Option<Self> {
        let at = flow.steps.iter().position(|s| *s.name == *step && matches!(s.kind, Kind::Queue(_)))?;
        Some(Interpreter { at, state: State::Over, ..Interpreter::new(flow, lang) })
    }

    /// The name of the queue's step, also while a callback is offered there.
    pub fn queue_step(&self) -> &str {
        self.name_of(self.at)
    }

    pub fn flow_name(&self) -> &str {
        &self.flow.name
    }

    /// The name of the step where the caller is.
    pub fn step(&self) -> &str {
        let at = match self.state {
            State::Confirming(confirm) => confirm.step,
            _ => self.at,
        };
        self.name_of(at)
    }

    /// The language the caller is spoken to in.
    pub fn lang(&self) -> Lang {
        self.lang
    }

    /// When `Due` must come at the latest.
    pub fn deadline(&self) -> Option<Instant> {
        match self.state {
            State::Saying { guard, .. } | State::Asking { guard, .. } | State::Recording { guard } => Some(guard),
            State::Waiting { until } => Some(until),
            State::Confirming(confirm) => Some(confirm.until),
            State::Idle | State::Queued { .. } | State::Forwarding | State::Connected | State::Over => None,
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
            Input::Recorded => self.on_recorded(now, out),
            Input::CallbackTaken(taken) => self.on_callback_taken(now, taken, out),
            Input::AgentLost => self.on_agent_lost(now, out),
            Input::Transferred => self.on_transferred(out),
            Input::CalledBack => self.on_called_back(out),
            Input::Due => self.on_due(now, out),
        }
    }

    fn on_start(&mut self, now: Now, out: &mut Vec<Output>) {
        if self.state == State::Idle {
            self.enter(now, self.flow.start, out);
        }
    }

    fn on_key(&mut self, now: Now, key: char, out: &mut Vec<Output>) {
        match self.state {
            State::Queued { .. } => self.on_queue_key(now, key, out),
            State::Confirming(confirm) => self.on_callback_key(now, confirm, key, out),
            _ => self.on_answer(now, key, out),
        }
    }

    fn on_played(&mut self, now: Now, played: u32, out: &mut Vec<Output>) {
        match self.state {
            State::Saying { play, next, .. } if play == played => self.go_on(now, next, out),
            State::Asking { play, .. } if play == played => self.wait(now),
            State::Queued { announcing: Some(play) } if play == played => self.on_announced(out),
            State::Confirming(confirm) if confirm.saying == Some(played) => self.on_callback_said(now, confirm, out),
            _ => {}
        }
    }

    fn on_recorded(&mut self, now: Now, out: &mut Vec<Output>) {
        let flow = self.flow.clone();
        if let (State::Recording { .. }, Some(voicemail)) = (self.state, self.voicemail(&flow)) {
            self.say(now, &voicemail.thanks, Next::Step(voicemail.then), out);
        }
    }

    fn on_due(&mut self, now: Now, out: &mut Vec<Output>) {
        if self.deadline().is_none_or(|deadline| now.mono < deadline) {
            return;
        }
        match self.state {
            // Nobody said that the notice was heard, so nothing says so.
            State::Saying { next: Next::Noticed { then, .. }, .. } => self.enter(now, then, out),
            State::Saying { next, .. } => self.go_on(now, next, out),
            State::Asking { .. } => self.wait(now),
            State::Waiting { .. } => self.on_no_answer(now, Failure::NoKey, out),
            State::Confirming(confirm) => self.on_callback_due(now, confirm, out),
            State::Recording { .. } => self.on_recorded(now, out),
            State::Idle | State::Queued { .. } | State::Forwarding | State::Connected | State::Over => {}
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
                return self.hang_up(step, Cause::FlowEnded, out);
            };
            self.moves += 1;
            match kind {
                Kind::Goto(to) => step = *to,
                Kind::Hours { calendar, open, closed } => step = if calendar.is_open(now.wall) { *open } else { *closed },
                Kind::Say { prompts, then } if prompts.is_empty() => step = *then,
                Kind::Say { prompts, then } => return self.say(now, prompts, Next::Step(*then), out),
                Kind::Notice { prompts, then } => return self.say(now, prompts, Next::Noticed { step, then: *then }, out),
                Kind::Ask(question) => return self.ask(now, question, &[], out),
                Kind::Queue(queue) => return self.say(now, &queue.prompts, Next::Enqueue { again: false }, out),
                Kind::Voicemail(voicemail) => return self.say(now, &voicemail.prompts, Next::Record, out),
                Kind::Forward(forward) => return self.say(now, &forward.prompts, Next::Forward, out),
                Kind::HangUp { prompts, cause } => {
                    return self.say(now, prompts, Next::HangUp { step, cause: *cause }, out);
                }
                // Only the key of a queue leads to one (the reader sees to it), and that stays in the queue.
                Kind::Callback(_) => return self.hang_up(step, Cause::FlowEnded, out),
            }
        }
    }

    fn go_on(&mut self, now: Now, next: Next, out: &mut Vec<Output>) {
        match next {
            Next::Step(step) => self.enter(now, step, out),
            Next::Noticed { step, then } => {
                out.push(Output::NoticePlayed { step: self.name_of(step).into() });
                self.enter(now, then, out);
            }
            Next::Enqueue { again } => self.enqueue(again, out),
            Next::Record => self.record(now, out),
            Next::Forward => self.forward(out),
            Next::HangUp { step, cause } => self.hang_up(step, cause, out),
        }
    }

    fn say(&mut self, now: Now, prompts: &[Said], next: Next, out: &mut Vec<Output>) {
        if prompts.is_empty() {
            return self.go_on(now, next, out);
        }
        let keys = self.keys(prompts);
        let guard = guard(now, keys.len());
        let play = self.play(keys, out);
        self.state = State::Saying { play, guard, next };
    }

    fn record(&mut self, now: Now, out: &mut Vec<Output>) {
        let flow = self.flow.clone();
        let Some(Voicemail { limit, .. }) = self.voicemail(&flow) else { return };
        self.state = State::Recording { guard: now.mono + *limit + ANSWERED_BY };
        out.push(Output::Record { step: self.step().into(), limit: *limit });
    }

    fn forward(&mut self, out: &mut Vec<Output>) {
        let flow = self.flow.clone();
        let Some(Forward { number, music, .. }) = self.forwarding(&flow) else { return };
        self.state = State::Forwarding;
        let music = music.as_ref().map(|music| flow.music(music));
        out.push(Output::Forward { step: self.step().into(), number: number.clone(), music });
    }

    fn hang_up(&mut self, step: usize, cause: Cause, out: &mut Vec<Output>) {
        self.state = State::Over;
        out.push(Output::HangUp { step: self.name_of(step).into(), cause });
    }

    fn play(&mut self, prompts: Vec<Arc<str>>, out: &mut Vec<Output>) -> u32 {
        self.plays = self.plays.wrapping_add(1);
        out.push(Output::Play { play: self.plays, prompts });
        self.plays
    }

    /// The prompts in the caller's language.
    fn keys(&self, prompts: &[Said]) -> Vec<Arc<str>> {
        prompts.iter().map(|said| said.key(&self.flow.name, self.lang)).collect()
    }

    fn name_of(&self, step: usize) -> &str {
        self.flow.steps.get(step).map_or("", |step| &step.name)
    }

    fn voicemail<'f>(&self, flow: &'f Flow) -> Option<&'f Voicemail> {
        match &flow.steps.get(self.at)?.kind {
            Kind::Voicemail(voicemail) => Some(voicemail),
            _ => None,
        }
    }

    fn forwarding<'f>(&self, flow: &'f Flow) -> Option<&'f Forward> {
        match &flow.steps.get(self.at)?.kind {
            Kind::Forward(forward) => Some(forward),
            _ => None,
        }
    }
}

fn guard(now: Now, prompts: usize) -> Instant {
    now.mono + LONGEST_PROMPT.saturating_mul(u32::try_from(prompts).unwrap_or(u32::MAX))
}
