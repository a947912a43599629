//! A caller in the queue is asked about a callback, and keeps the place meanwhile.
//!
//! ```text
//!   Queued ── key ──▶ Offered ── 1 ─────────────────────▶ Asked ── taken ──▶ said, then HangUp
//!      ▲               │   │ 2                              ▲ │
//!      │               │   ▼                                │ │ not taken, or no word
//!      │               │ Keying ── #, or a pause ──▶ ReadBack ▼
//!      │               │   ▲  │ no number             1 │ │  Sorry
//!      │               │   └──┴────────── 2 ────────────┘ │   │
//!      │               │                                  │   │
//!      └── no key or a wrong one, too often ◀─────────────┘   │
//!      └── heard ◀────────────────────────────────────────────┘
//! ```
//!
//! An agent's answer, and the end of the visit, interrupt all of it (queue.rs).

use super::{ANSWERED_BY, Interpreter, MOST_MOVES, Next, State, guard};
use crate::flow::Flow;
use crate::step::{Callback, Kind, Said};
use crate::words::Output;
use base::{Cause, Instant, Now, Pii};
use speech::Line;
use std::sync::Arc;

/// What a person may have to dial, with a country's code and the prefix before it.
const DIGITS: std::ops::RangeInclusive<usize> = 7..=18;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Confirm {
    /// The callback's step; the interpreter stands at the queue's.
    pub step: usize,
    phase: Phase,
    /// What is being said; `until` is its guard then, and the caller's time to answer afterwards.
    pub saying: Option<u32>,
    pub until: Instant,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Offered,
    Keying,
    ReadBack,
    Asked,
    Sorry,
}

impl Interpreter {
    pub(super) fn offer_callback(&mut self, now: Now, step: usize, callback: &Callback, out: &mut Vec<Output>) {
        self.failures = 0;
        let keys = self.keys(&callback.prompts);
        self.confirm(now, step, Phase::Offered, keys, out);
    }

    pub(super) fn on_callback_key(&mut self, now: Now, confirm: Confirm, key: char, out: &mut Vec<Output>) {
        let flow = self.flow.clone();
        let Some(callback) = callback_at(&flow, confirm.step) else { return };
        if matches!(confirm.phase, Phase::Asked | Phase::Sorry) {
            return;
        }
        if confirm.saying.is_some() {
            out.push(Output::Stop);
        }
        if confirm.phase == Phase::Keying {
            return self.on_digit(now, confirm, key, callback, out);
        }
        self.key_taken(confirm, Some(key), matches!(key, '1' | '2'), out);
        match (confirm.phase, key) {
            (Phase::Offered, '1') => self.ask_for_callback(now, confirm, None, out),
            (Phase::ReadBack, '1') => {
                let number = Pii::new(std::mem::take(&mut self.digits).into());
                self.ask_for_callback(now, confirm, Some(number), out);
            }
            (_, '2') => self.ask_for_number(now, confirm, &[], callback, out),
            _ => self.fail_callback(now, confirm, callback, out),
        }
    }

    pub(super) fn on_callback_said(&mut self, now: Now, confirm: Confirm, out: &mut Vec<Output>) {
        let flow = self.flow.clone();
        let Some(callback) = callback_at(&flow, confirm.step) else { return };
        match confirm.phase {
            Phase::Sorry => self.wait_in_line(out),
            _ => self.state = State::Confirming(Confirm { saying: None, until: now.mono + callback.timeout, ..confirm }),
        }
    }

    pub(super) fn on_callback_due(&mut self, now: Now, confirm: Confirm, out: &mut Vec<Output>) {
        let flow = self.flow.clone();
        let Some(callback) = callback_at(&flow, confirm.step) else { return };
        match confirm.phase {
            _ if confirm.saying.is_some() => self.on_callback_said(now, confirm, out),
            // Silence is how the offer is declined.
            Phase::Offered => self.wait_in_line(out),
            Phase::Asked => self.on_callback_taken(now, false, out),
            Phase::Keying if !self.digits.is_empty() => self.on_digit(now, confirm, '#', callback, out),
            _ => self.fail_callback(now, confirm, callback, out),
        }
    }

    pub(super) fn on_callback_taken(&mut self, now: Now, taken: bool, out: &mut Vec<Output>) {
        let flow = self.flow.clone();
        let State::Confirming(confirm @ Confirm { step, phase: Phase::Asked, .. }) = self.state else { return };
        let Some(callback) = callback_at(&flow, step) else { return };
        if taken {
            return self.say(now, &callback.taken, Next::HangUp { step, cause: Cause::Callback }, out);
        }
        let keys = self.keys(&callback.impossible);
        if keys.is_empty() {
            return self.wait_in_line(out);
        }
        self.confirm(now, confirm.step, Phase::Sorry, keys, out);
    }

    fn ask_for_callback(&mut self, now: Now, confirm: Confirm, number: Option<Pii<Arc<str>>>, out: &mut Vec<Output>) {
        let until = now.mono + ANSWERED_BY;
        self.state = State::Confirming(Confirm { phase: Phase::Asked, saying: None, until, ..confirm });
        out.push(Output::Callback { number });
    }

    fn ask_for_number(&mut self, now: Now, confirm: Confirm, first: &[Said], callback: &Callback, out: &mut Vec<Output>) {
        self.digits.clear();
        let mut keys = self.keys(first);
        keys.extend(self.keys(&callback.number));
        self.confirm(now, confirm.step, Phase::Keying, keys, out);
    }

    /// `*` begins again, `#` ends; what is no number is asked for again.
    fn on_digit(&mut self, now: Now, confirm: Confirm, key: char, callback: &Callback, out: &mut Vec<Output>) {
        match key {
            '#' => {
                let fits = DIGITS.contains(&self.digits.len());
                self.key_taken(confirm, None, fits, out);
                return if fits { self.read_back(now, confirm, out) } else { self.fail_callback(now, confirm, callback, out) };
            }
            '*' => self.digits.clear(),
            // One digit too many is kept as the sign that it is no number.
            '0'..='9' if self.digits.len() <= *DIGITS.end() => self.digits.push(key),
            _ => {}
        }
        self.state = State::Confirming(Confirm { saying: None, until: now.mono + callback.timeout, ..confirm });
    }

    fn read_back(&mut self, now: Now, confirm: Confirm, out: &mut Vec<Output>) {
        let lang = self.lang;
        let line = |line: Line| format!("speech/{lang}/{}", line.id()).into();
        let digits = self.digits.chars().map(|digit| format!("speech/{lang}/digit-{digit}").into());
        let keys = [line(Line::CallbackEntered)].into_iter().chain(digits).chain([line(Line::CallbackConfirm)]).collect();
        self.confirm(now, confirm.step, Phase::ReadBack, keys, out);
    }

    /// Again from where the caller is, or back to the music: waiting is what silence asks for.
    fn fail_callback(&mut self, now: Now, confirm: Confirm, callback: &Callback, out: &mut Vec<Output>) {
        if self.failures >= callback.retries || self.moves >= MOST_MOVES {
            return self.wait_in_line(out);
        }
        self.failures += 1;
        match confirm.phase {
            Phase::Keying => {
                let invalid = if self.digits.is_empty() { &[] } else { callback.invalid.as_slice() };
                self.ask_for_number(now, confirm, invalid, callback, out);
            }
            Phase::ReadBack => self.read_back(now, confirm, out),
            Phase::Offered | Phase::Asked | Phase::Sorry => {
                let keys = self.keys(&callback.prompts);
                self.confirm(now, confirm.step, Phase::Offered, keys, out);
            }
        }
    }

    fn confirm(&mut self, now: Now, step: usize, phase: Phase, keys: Vec<Arc<str>>, out: &mut Vec<Output>) {
        self.moves += 1;
        let until = guard(now, keys.len());
        let saying = Some(self.play(keys, out));
        self.state = State::Confirming(Confirm { step, phase, saying, until });
    }

    fn key_taken(&self, confirm: Confirm, key: Option<char>, understood: bool, out: &mut Vec<Output>) {
        out.push(Output::KeyTaken { step: self.name_of(confirm.step).into(), key, understood });
    }
}

fn callback_at(flow: &Flow, step: usize) -> Option<&Callback> {
    match &flow.steps.get(step)?.kind {
        Kind::Callback(callback) => Some(callback),
        _ => None,
    }
}
