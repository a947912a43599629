//! One call at an agent's phone.
//!
//! ```text
//! ringing ─habit: answers─▶ talking ─own talk time, or the other side─▶ leaving ─▶ over
//!    ├─ habit: refuses ─▶ 486  │  ▲ └──── blind ───▶ ┌─────────┐ done      ▲
//!    └─ habit: lets it ring    │  └─ it failed ───── │ passing │ ──────────┘
//!         until CANCEL         │         ┌─ joins ─▶ └─────────┘
//!                              └▶ consulting ─ nobody there ─▶ talking
//! ```

use super::{Act, Event, NEVER, millis};
use crate::plan::{AgentSpec, Span};
use crate::report::{ConversationReport, PassedOn};
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
        Habit::of((spec.never_answers, spec.refuses), spec.answer_after, spec.talk, random)
    }

    /// `shares` are parts of 1: calls left ringing, and calls refused.
    pub fn of(shares: (f64, f64), answer_after: Span, talk: Option<Span>, random: &mut Random) -> Habit {
        let draw = random.unit();
        let (after, talk) = (answer_after.draw(random), talk.map(|t| t.draw(random)));
        match draw {
            d if d < shares.0 => Habit::LetsItRing,
            d if d < shares.0 + shares.1 => Habit::Refuses,
            _ => Habit::Answers(after, talk),
        }
    }
}

/// How this call is passed on, if it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pass {
    pub attended: bool,
    pub to: String,
    pub after: Duration,
    pub consult: Duration,
}

impl Pass {
    pub fn draw(spec: &AgentSpec, random: &mut Random) -> Option<Pass> {
        let (how, draw) = (&spec.transfers, random.unit());
        let (after, consult) = (how.after.draw(random), how.consult.draw(random));
        let attended = draw >= how.blind;
        let to = match attended {
            false => &how.blind_to,
            true if draw < how.blind + how.attended => &how.attended_to,
            true => return None,
        };
        let to = to.get(random.below(to.len() as u64) as usize)?.clone();
        Some(Pass { attended, to, after, consult })
    }
}

/// A transfer of which nothing is heard has failed after this.
const UNHEARD: Duration = Duration::from_secs(60);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Ringing,
    Talking,
    Consulting,
    Passing,
    Leaving,
    Over,
}

#[derive(Clone, Debug)]
pub struct AgentCall {
    state: State,
    habit: Habit,
    pass: Option<Pass>,
    tone_hz: u32,
    rang: Instant,
    answered: Option<Instant>,
    due: Instant,
    pub refused: bool,
    pub report: ConversationReport,
}

impl AgentCall {
    pub fn new(habit: Habit, pass: Option<Pass>, tone_hz: u32, report: ConversationReport, now: Instant) -> Self {
        let due = match habit {
            Habit::Answers(after, _) => now + after,
            Habit::Refuses => now,
            Habit::LetsItRing => now + NEVER,
        };
        AgentCall { state: State::Ringing, habit, pass, tone_hz, rang: now, answered: None, due, refused: false, report }
    }

    /// When `Event::Due` is wanted.
    pub fn due(&self) -> Instant {
        self.due
    }

    pub fn is_over(&self) -> bool {
        self.state == State::Over
    }

    pub fn is_talking(&self) -> bool {
        self.state == State::Talking
    }

    /// Whom it is passed on to.
    pub fn pass(&self) -> Option<&Pass> {
        self.pass.as_ref()
    }

    pub fn was_answered(&self) -> bool {
        self.answered.is_some()
    }

    pub fn handle(&mut self, now: Instant, event: Event) -> Option<Act> {
        match (event, self.state) {
            (Event::Due, _) if now < self.due => None,
            (Event::Due, State::Ringing) => self.on_rung_enough(now),
            (Event::Due, State::Talking) if self.pass.is_some() => self.on_said_enough(now),
            (Event::ThirdAnswered, State::Consulting) => self.on_third_answered(now),
            (Event::Due, State::Consulting) => self.pass_on(now),
            (Event::ThirdGone, State::Consulting) => self.resume(now),
            (Event::PassedOn(status), State::Passing) => self.on_passed_on(now, status),
            (Event::Due, State::Passing) => self.on_passed_on(now, 408),
            (Event::Due, State::Talking) => self.leave(now),
            (Event::Stop, State::Ringing | State::Talking | State::Consulting | State::Passing) => self.leave(now),
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
                self.due = now + self.pass.as_ref().map_or(talk.unwrap_or(NEVER), |pass| pass.after);
                Some(Act::Answer(self.tone_hz))
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

    fn on_said_enough(&mut self, now: Instant) -> Option<Act> {
        if self.pass.as_ref().is_some_and(|pass| pass.attended) {
            (self.state, self.due) = (State::Consulting, now + NEVER);
            return Some(Act::Consult);
        }
        self.pass_on(now)
    }

    fn on_third_answered(&mut self, now: Instant) -> Option<Act> {
        self.due = now + self.pass.as_ref().map_or(NEVER, |pass| pass.consult);
        None
    }

    fn pass_on(&mut self, now: Instant) -> Option<Act> {
        let pass = self.pass.as_ref()?;
        self.report.passed_on = Some(PassedOn { attended: pass.attended, to: pass.to.clone(), status: 0 });
        (self.state, self.due) = (State::Passing, now + UNHEARD);
        Some(Act::PassOn)
    }

    fn on_passed_on(&mut self, now: Instant, status: u16) -> Option<Act> {
        if let Some(passed_on) = &mut self.report.passed_on {
            passed_on.status = status;
        }
        if (200..300).contains(&status) { self.leave(now) } else { self.resume(now) }
    }

    /// Back to the caller, for as long as it would have been without passing it on.
    fn resume(&mut self, now: Instant) -> Option<Act> {
        let talk = if let Habit::Answers(_, talk) = self.habit { talk } else { None };
        (self.state, self.due) = (State::Talking, now + talk.unwrap_or(NEVER));
        let attended = self.pass.take().is_some_and(|pass| pass.attended);
        attended.then_some(Act::Resume)
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
        AgentCall::new(habit, None, 1_700, ConversationReport::default(), now)
    }

    /// One that is answered at once, and passed on 4 s later.
    fn passing(attended: bool, now: Instant) -> AgentCall {
        let seconds = Duration::from_secs;
        let pass = Pass { attended, to: "101".into(), after: seconds(4), consult: seconds(2) };
        let habit = Habit::Answers(Duration::ZERO, Some(seconds(9)));
        let mut call = AgentCall::new(habit, Some(pass), 1_700, ConversationReport::default(), now);
        call.handle(now, Event::Due);
        call.handle(now, Event::Connected);
        call
    }

    fn passed_on(call: &AgentCall) -> (bool, u16) {
        call.report.passed_on.as_ref().map(|p| (p.attended, p.status)).unwrap()
    }

    #[test]
    fn a_call_passed_on_blindly_is_hung_up_when_the_transfer_is_through() {
        let start = Instant::now();
        let mut call = passing(false, start);
        assert_eq!(call.handle(call.due(), Event::Due), Some(Act::PassOn));
        assert_eq!(call.handle(start, Event::PassedOn(200)), Some(Act::HangUp));
        call.handle(start, Event::Ended { by_us: true });
        assert_eq!(passed_on(&call), (false, 200));
    }

    #[test]
    fn a_transfer_that_fails_goes_on_as_the_conversation_it_was() {
        let start = Instant::now();
        let mut call = passing(false, start);
        call.handle(call.due(), Event::Due);
        assert_eq!(call.handle(start, Event::PassedOn(486)), None);
        assert_eq!((call.due(), passed_on(&call)), (start + Duration::from_secs(9), (false, 486)));
        assert_eq!(call.handle(call.due(), Event::Due), Some(Act::HangUp));
    }

    #[test]
    fn an_attended_transfer_consults_first_and_comes_back_when_nobody_is_there() {
        let start = Instant::now();
        let mut call = passing(true, start);
        assert_eq!(call.handle(call.due(), Event::Due), Some(Act::Consult));
        call.handle(start, Event::ThirdAnswered);
        assert_eq!(call.due(), start + Duration::from_secs(2));
        assert_eq!(call.handle(call.due(), Event::Due), Some(Act::PassOn));
        assert_eq!(call.handle(start, Event::PassedOn(200)), Some(Act::HangUp));
        let mut alone = passing(true, start);
        alone.handle(alone.due(), Event::Due);
        assert_eq!(alone.handle(start, Event::ThirdGone), Some(Act::Resume));
        assert_eq!((alone.is_talking(), alone.report.passed_on.is_none()), (true, true));
    }

    #[test]
    fn an_agent_answers_speaks_and_hangs_up() {
        let start = Instant::now();
        let (ring, talk) = (Duration::from_secs(2), Duration::from_secs(5));
        let mut call = call(Habit::Answers(ring, Some(talk)), start);
        assert_eq!(call.handle(start, Event::Due), None);
        assert_eq!(call.handle(start + ring, Event::Due), Some(Act::Answer(1_700)));
        assert_eq!(call.handle(start + ring, Event::Connected), None);
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
