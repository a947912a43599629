//! Somebody outside whom the centre calls: a customer who is called back, or whoever an agent dials.
//!
//! ```text
//! ringing ─habit: answers─▶ listening ─agent's tone─▶ talking ─said it─▶ leaving ─▶ over
//!    ├─ habit: refuses ─▶ 486   └─ nobody speaks for a minute ─────────────▲
//!    └─ habit: lets it ring ─▶ until CANCEL
//! ```

use super::{Act, Event, Habit, NEVER, millis};
use crate::plan::is_agents;
use crate::report::CalledReport;
use std::time::{Duration, Instant};

/// Whoever hears nobody hangs up after this.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Ringing,
    Listening,
    Talking,
    Leaving,
    Over,
}

#[derive(Clone, Debug)]
pub struct CalledPerson {
    state: State,
    habit: Habit,
    since: Instant,
    due: Instant,
    pub report: CalledReport,
}

impl CalledPerson {
    /// The habit's talk time counts from the agent's tone.
    pub fn new(habit: Habit, report: CalledReport, now: Instant) -> Self {
        let due = match habit {
            Habit::Answers(after, _) => now + after,
            Habit::Refuses => now,
            Habit::LetsItRing => now + NEVER,
        };
        CalledPerson { state: State::Ringing, habit, since: now, due, report }
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
            (Event::Due, _) if now < self.due => None,
            (Event::Due, State::Ringing) => self.on_rung_enough(now),
            (Event::Tone(hz), _) if is_agents(hz) => self.on_agent(now, hz),
            (Event::Due, State::Listening | State::Talking) => self.leave(now),
            (Event::Stop, State::Ringing | State::Listening | State::Talking) => self.leave(now),
            (Event::Failed(_) | Event::Ended { .. }, _) => self.on_ended(now, event == Event::Ended { by_us: true }),
            _ => None,
        }
    }

    fn on_rung_enough(&mut self, now: Instant) -> Option<Act> {
        if self.habit == Habit::Refuses {
            self.report.refused = true;
            (self.state, self.due) = (State::Leaving, now + NEVER);
            return Some(Act::Refuse);
        }
        self.report.answered = true;
        self.report.ring_ms = millis(self.since, now);
        (self.state, self.since, self.due) = (State::Listening, now, now + PATIENCE);
        Some(Act::Answer(self.report.tone_hz))
    }

    fn on_agent(&mut self, now: Instant, hz: u32) -> Option<Act> {
        if self.report.agents_hz.last() != Some(&hz) {
            self.report.agents_hz.push(hz);
        }
        if self.state == State::Listening {
            self.report.wait_ms = Some(millis(self.since, now));
            let talk = if let Habit::Answers(_, talk) = self.habit { talk } else { None };
            (self.state, self.since, self.due) = (State::Talking, now, now + talk.unwrap_or(NEVER));
        }
        None
    }

    fn leave(&mut self, now: Instant) -> Option<Act> {
        self.close_talk(now);
        (self.state, self.due) = (State::Leaving, now + NEVER);
        Some(Act::HangUp)
    }

    fn on_ended(&mut self, now: Instant, by_us: bool) -> Option<Act> {
        self.close_talk(now);
        self.report.ended_by_us = by_us;
        (self.state, self.due) = (State::Over, now + NEVER);
        None
    }

    fn close_talk(&mut self, now: Instant) {
        if self.state == State::Talking {
            self.report.talk_ms = Some(millis(self.since, now));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(habit: Habit, now: Instant) -> CalledPerson {
        CalledPerson::new(habit, CalledReport { tone_hz: 1_000, ..CalledReport::default() }, now)
    }

    #[test]
    fn a_customer_picks_up_speaks_hears_the_agent_and_hangs_up() {
        let start = Instant::now();
        let seconds = Duration::from_secs;
        let mut person = person(Habit::Answers(seconds(2), Some(seconds(5))), start);
        assert_eq!(person.handle(start + seconds(2), Event::Due), Some(Act::Answer(1_000)));
        person.handle(start + seconds(3), Event::Tone(1_000));
        person.handle(start + seconds(4), Event::Tone(1_700));
        assert_eq!(person.handle(person.due(), Event::Due), Some(Act::HangUp));
        person.handle(start + seconds(9), Event::Ended { by_us: true });
        let report = &person.report;
        assert_eq!((report.ring_ms, report.wait_ms, report.talk_ms), (2_000, Some(2_000), Some(5_000)));
        assert_eq!(report.agents_hz, [1_700]);
    }

    #[test]
    fn whoever_hears_nobody_hangs_up() {
        let start = Instant::now();
        let mut person = person(Habit::Answers(Duration::ZERO, None), start);
        person.handle(start, Event::Due);
        assert_eq!(person.handle(start + PATIENCE, Event::Due), Some(Act::HangUp));
        assert_eq!(person.report.wait_ms, None);
    }

    #[test]
    fn a_busy_line_refuses_and_one_that_nobody_takes_rings_until_it_is_cancelled() {
        let start = Instant::now();
        let mut busy = person(Habit::Refuses, start);
        assert_eq!(busy.handle(start, Event::Due), Some(Act::Refuse));
        let mut away = person(Habit::LetsItRing, start);
        assert_eq!(away.handle(start + PATIENCE, Event::Due), None);
        away.handle(start + PATIENCE, Event::Ended { by_us: false });
        assert!(away.is_over() && !away.report.answered && busy.report.refused);
    }
}
