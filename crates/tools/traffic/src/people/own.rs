//! A call that an agent's phone makes.
//!
//! ```text
//! dialling ─200─▶ up ─ a key each second … ─ lasted long enough ─▶ leaving ─▶ over
//!     └─ final status, BYE from the other side: over from anywhere
//! ```

use super::{Act, Event, NEVER, millis};
use crate::report::OwnCallReport;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Before the first key, and between two.
const THINKS: Duration = Duration::from_secs(1);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Dialling,
    Up,
    Leaving,
    Over,
}

#[derive(Clone, Debug)]
pub struct OwnCall {
    state: State,
    tone_hz: u32,
    keys: VecDeque<char>,
    lasts: Duration,
    dialled: Instant,
    answered: Option<Instant>,
    ends: Instant,
    due: Instant,
    pub report: OwnCallReport,
}

impl OwnCall {
    pub fn new(tone_hz: u32, keys: &str, lasts: Duration, report: OwnCallReport, now: Instant) -> Self {
        OwnCall {
            state: State::Dialling,
            tone_hz,
            keys: keys.chars().collect(),
            lasts,
            dialled: now,
            answered: None,
            ends: now + NEVER,
            due: now + NEVER,
            report,
        }
    }

    /// When `Event::Due` is wanted.
    pub fn due(&self) -> Instant {
        self.due
    }

    /// It hangs up, or has done so.
    pub fn is_leaving(&self) -> bool {
        matches!(self.state, State::Leaving | State::Over)
    }

    pub fn is_over(&self) -> bool {
        self.state == State::Over
    }

    pub fn handle(&mut self, now: Instant, event: Event) -> Option<Act> {
        match (event, self.state) {
            (Event::Connected, State::Dialling) => self.on_connected(now),
            (Event::Due, State::Up) if now >= self.due => self.on_due(now),
            (Event::Stop, State::Dialling | State::Up) => self.leave(now),
            (Event::Failed(status), _) => self.on_failed(now, status),
            (Event::Ended { by_us }, _) => self.on_ended(now, by_us),
            _ => None,
        }
    }

    fn on_connected(&mut self, now: Instant) -> Option<Act> {
        self.state = State::Up;
        self.answered = Some(now);
        self.report.status = 200;
        self.report.answer_ms = Some(millis(self.dialled, now));
        self.ends = now + self.lasts;
        self.think(now);
        Some(Act::Say(self.tone_hz))
    }

    fn think(&mut self, now: Instant) {
        self.due = if self.keys.is_empty() { self.ends } else { (now + THINKS).min(self.ends) };
    }

    fn on_due(&mut self, now: Instant) -> Option<Act> {
        if now >= self.ends {
            return self.leave(now);
        }
        let key = self.keys.pop_front();
        self.think(now);
        key.map(Act::Press)
    }

    fn leave(&mut self, now: Instant) -> Option<Act> {
        (self.state, self.due) = (State::Leaving, now + NEVER);
        Some(Act::HangUp)
    }

    fn on_failed(&mut self, now: Instant, status: u16) -> Option<Act> {
        self.report.status = status;
        self.report.answer_ms = Some(millis(self.dialled, now));
        self.on_ended(now, false)
    }

    fn on_ended(&mut self, now: Instant, by_us: bool) -> Option<Act> {
        self.report.ended_by_us = by_us;
        self.report.talk_ms = self.answered.map_or(0, |at| millis(at, now));
        (self.state, self.due) = (State::Over, now + NEVER);
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_speaks_presses_its_keys_and_hangs_up_in_time() {
        let start = Instant::now();
        let lasts = Duration::from_secs(5);
        let mut call = OwnCall::new(1_700, "45", lasts, OwnCallReport::default(), start);
        assert_eq!(call.handle(start, Event::Due), None);
        assert_eq!(call.handle(start, Event::Connected), Some(Act::Say(1_700)));
        let mut acts = Vec::new();
        while acts.last() != Some(&Act::HangUp) {
            acts.extend(call.handle(call.due(), Event::Due));
        }
        assert_eq!(acts, [Act::Press('4'), Act::Press('5'), Act::HangUp]);
        call.handle(start + lasts, Event::Ended { by_us: true });
        assert_eq!((call.report.status, call.report.talk_ms, call.is_over()), (200, 5_000, true));
    }

    #[test]
    fn nobody_answers_and_that_is_told_by_the_status() {
        let start = Instant::now();
        let mut call = OwnCall::new(1_700, "", Duration::from_secs(5), OwnCallReport::default(), start);
        call.handle(start, Event::Failed(486));
        assert_eq!((call.report.status, call.report.talk_ms, call.is_over()), (486, 0, true));
    }
}
