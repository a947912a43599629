//! One call at an agent's phone.
//!
//! ```text
//! ringing ─habit: answers─▶ talking ─own talk time, or the other side─▶ leaving ─▶ over
//!    ├─ habit: refuses ─▶ 486
//!    └─ habit: lets it ring ─▶ until CANCEL
//! ```

use super::{Act, Event, NEVER, millis};
use crate::plan::AgentSpec;
use crate::report::ConversationReport;
use base::Random;
use std::time::{Duration, Instant};

/// What is done with this call, drawn when it rings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Habit {
    /// Answers after this long, and hangs up after that, if it does so first.
    Answers(Duration, Option<Duration>),
    Refuses,
    LetsItRing,
}

impl Habit {
    pub fn draw(spec: &AgentSpec, random: &mut Random) -> Habit {
        let draw = random.unit();
        let (after, talk) = (spec.answer_after.draw(random), spec.talk.map(|t| t.draw(random)));
        match draw {
            d if d < spec.never_answers => Habit::LetsItRing,
            d if d < spec.never_answers + spec.refuses => Habit::Refuses,
            _ => Habit::Answers(after, talk),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Ringing,
    Talking,
    Leaving,
    Over,
}

#[derive(Clone, Debug)]
pub struct AgentCall {
    state: State,
    habit: Habit,
    tone_hz: u32,
    rang: Instant,
    answered: Option<Instant>,
    due: Instant,
    pub refused: bool,
    pub report: ConversationReport,
}

impl AgentCall {
    pub fn new(habit: Habit, tone_hz: u32, report: ConversationReport, now: Instant) -> Self {
        let due = match habit {
            Habit::Answers(after, _) => now + after,
            Habit::Refuses => now,
            Habit::LetsItRing => now + NEVER,
        };
        AgentCall { state: State::Ringing, habit, tone_hz, rang: now, answered: None, due, refused: false, report }
    }

    /// When `Event::Due` is wanted.
    pub fn due(&self) -> Instant {
        self.due
    }

    pub fn is_over(&self) -> bool {
        self.state == State::Over
    }

    pub fn was_answered(&self) -> bool {
        self.answered.is_some()
    }

    pub fn handle(&mut self, now: Instant, event: Event) -> Option<Act> {
        match (event, self.state) {
            (Event::Due, _) if now < self.due => None,
            (Event::Due, State::Ringing) => self.on_rung_enough(now),
            (Event::Due, State::Talking) | (Event::Stop, State::Ringing | State::Talking) => self.leave(now),
            (Event::Connected, State::Talking) => Some(Act::Say(self.tone_hz)),
            (Event::Failed(_) | Event::Ended { .. }, _) => self.on_ended(now, event == Event::Ended { by_us: true }),
            _ => None,
        }
    }

    fn on_rung_enough(&mut self, now: Instant) -> Option<Act> {
        match self.habit {
            Habit::Answers(_, talk) => {
                self.state = State::Talking;
                self.answered = Some(now);
                self.report.ring_ms = millis(self.rang, now);
                self.due = now + talk.unwrap_or(NEVER);
                Some(Act::Answer)
            }
            Habit::Refuses => {
                self.state = State::Leaving;
                self.refused = true;
                self.due = now + NEVER;
                Some(Act::Refuse)
            }
            Habit::LetsItRing => None,
        }
    }

    fn leave(&mut self, now: Instant) -> Option<Act> {
        self.state = State::Leaving;
        self.due = now + NEVER;
        Some(Act::HangUp)
    }

    fn on_ended(&mut self, now: Instant, by_us: bool) -> Option<Act> {
        self.report.ended_by_us = by_us;
        self.report.talk_ms = self.answered.map_or(0, |at| millis(at, now));
        self.state = State::Over;
        self.due = now + NEVER;
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(habit: Habit, now: Instant) -> AgentCall {
        AgentCall::new(habit, 1_700, ConversationReport::default(), now)
    }

    #[test]
    fn an_agent_answers_speaks_and_hangs_up() {
        let start = Instant::now();
        let (ring, talk) = (Duration::from_secs(2), Duration::from_secs(5));
        let mut call = call(Habit::Answers(ring, Some(talk)), start);
        assert_eq!(call.handle(start, Event::Due), None);
        assert_eq!(call.handle(start + ring, Event::Due), Some(Act::Answer));
        assert_eq!(call.handle(start + ring, Event::Connected), Some(Act::Say(1_700)));
        assert_eq!(call.due(), start + ring + talk);
        assert_eq!(call.handle(start + ring + talk, Event::Due), Some(Act::HangUp));
        call.handle(start + ring + talk, Event::Ended { by_us: true });
        assert_eq!((call.report.ring_ms, call.report.talk_ms, call.report.ended_by_us), (2_000, 5_000, true));
    }

    #[test]
    fn a_phone_left_ringing_does_nothing_until_it_is_cancelled() {
        let start = Instant::now();
        let mut call = call(Habit::LetsItRing, start);
        assert_eq!(call.handle(start + Duration::from_secs(60), Event::Due), None);
        call.handle(start + Duration::from_secs(61), Event::Ended { by_us: false });
        assert!(!call.was_answered());
    }

    #[test]
    fn habits_come_in_the_shares_asked_for() {
        let spec = AgentSpec { never_answers: 0.25, refuses: 0.25, ..AgentSpec::new("ana", "x") };
        let mut random = Random::from_seed(1);
        let habits: Vec<Habit> = (0..2_000).map(|_| Habit::draw(&spec, &mut random)).collect();
        let share = |which: fn(&Habit) -> bool| habits.iter().filter(|h| which(h)).count();
        assert!((400..600).contains(&share(|h| *h == Habit::LetsItRing)));
        assert!((400..600).contains(&share(|h| *h == Habit::Refuses)));
    }
}
