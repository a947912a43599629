//! One caller.
//!
//! ```text
//! dialling ─200─▶ greeted ─thinks, key─▶ (next key …) ─last key─▶ waiting ─agent's tone─▶ talking ─▶ leaving ─▶ over
//!     │              │                                               │                       │          ▲
//!     │              └── those who leave in the IVR ─────────────────┴── out of patience ────┴─ said it─┘
//!     └─ final status, CANCEL, BYE from the other side: over from anywhere
//! ```

use super::{Act, Event, NEVER, millis};
use crate::plan::{CallerMix, Span};
use crate::report::{CallReport, Outcome};
use base::Random;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// What a caller came for, drawn at birth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intent {
    /// Leaves this long after the answer, whatever was pressed by then.
    LeaveInIvr(Duration),
    /// Leaves this long after the last key, unless an agent comes.
    LeaveInQueue(Duration),
    Talk,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Dialling,
    Greeted,
    Waiting,
    Talking,
    Leaving,
    Over,
}

/// A caller and what it saw so far.
#[derive(Clone, Debug)]
pub struct Caller {
    state: State,
    intent: Intent,
    keys: VecDeque<char>,
    thinks: Span,
    talk: Duration,
    random: Random,
    dialled: Instant,
    /// The last moment that the next figure counts from.
    since: Instant,
    due: Instant,
    /// Those who leave in the IVR do so at this moment, between two keys or not.
    leaves: Instant,
    pub report: CallReport,
}

impl Caller {
    /// Draws who calls. `report` names the call; its language and tone are set here.
    pub fn new(mix: &CallerMix, mut random: Random, report: CallReport, now: Instant) -> Self {
        let (lang, key) = language(mix, &mut random);
        let service = mix.services.get(random.below(mix.services.len() as u64) as usize).copied();
        let intent = intent(mix, &mut random);
        let talk = mix.talk.draw(&mut random);
        Caller {
            state: State::Dialling,
            intent,
            keys: key.into_iter().chain(service).collect(),
            thinks: mix.thinks,
            talk,
            random,
            dialled: now,
            since: now,
            due: now + NEVER,
            leaves: now + NEVER,
            report: CallReport { lang, ..report },
        }
    }

    /// When `Event::Due` is wanted.
    pub fn due(&self) -> Instant {
        self.due.min(self.leaves)
    }

    pub fn is_over(&self) -> bool {
        self.state == State::Over
    }

    pub fn is_talking(&self) -> bool {
        self.state == State::Talking
    }

    pub fn handle(&mut self, now: Instant, event: Event) -> Option<Act> {
        match event {
            Event::Connected => self.on_connected(now),
            Event::FirstPacket => {
                self.report.first_packet_ms.get_or_insert(millis(self.since, now));
                None
            }
            Event::Tone(hz) => self.on_tone(now, hz),
            Event::Due => self.on_due(now),
            Event::Stop => self.leave(now),
            Event::Failed(status) => self.on_failed(now, status),
            Event::Ended { by_us } => self.on_ended(now, by_us),
        }
    }

    fn on_connected(&mut self, now: Instant) -> Option<Act> {
        if self.state != State::Dialling {
            return None;
        }
        self.state = State::Greeted;
        self.report.status = 200;
        self.report.answer_ms = Some(millis(self.since, now));
        self.since = now;
        if let Intent::LeaveInIvr(after) = self.intent {
            self.leaves = now + after;
        }
        self.think(now)
    }

    fn think(&mut self, now: Instant) -> Option<Act> {
        if self.keys.is_empty() {
            self.wait(now);
        } else {
            self.due = now + self.thinks.draw(&mut self.random);
        }
        None
    }

    fn wait(&mut self, now: Instant) {
        self.state = State::Waiting;
        self.since = now;
        self.due = match self.intent {
            Intent::LeaveInQueue(after) => now + after,
            _ => now + NEVER,
        };
    }

    fn on_tone(&mut self, now: Instant, hz: u32) -> Option<Act> {
        if !matches!(self.state, State::Greeted | State::Waiting) {
            return None;
        }
        self.report.wait_ms = Some(millis(self.since, now));
        self.report.agent_hz = Some(hz);
        self.state = State::Talking;
        self.since = now;
        self.leaves = now + NEVER;
        self.due = now + self.talk;
        Some(Act::Say(self.report.tone_hz))
    }

    fn on_due(&mut self, now: Instant) -> Option<Act> {
        if now < self.due() {
            return None;
        }
        match self.state {
            State::Greeted if now >= self.leaves => {
                self.report.outcome = Outcome::LeftInIvr;
                self.leave(now)
            }
            State::Greeted => {
                let key = self.keys.pop_front();
                self.report.keys.extend(key);
                self.think(now);
                key.map(Act::Press)
            }
            State::Waiting if now >= self.leaves => {
                self.report.outcome = Outcome::LeftInIvr;
                self.leave(now)
            }
            State::Waiting => {
                self.report.outcome = Outcome::LeftInQueue;
                self.leave(now)
            }
            State::Talking => self.leave(now),
            State::Dialling | State::Leaving | State::Over => {
                (self.due, self.leaves) = (now + NEVER, now + NEVER);
                None
            }
        }
    }

    fn leave(&mut self, now: Instant) -> Option<Act> {
        if matches!(self.state, State::Leaving | State::Over) {
            return None;
        }
        self.close_talk(now);
        self.state = State::Leaving;
        (self.due, self.leaves) = (now + NEVER, now + NEVER);
        Some(Act::HangUp)
    }

    fn on_failed(&mut self, now: Instant, status: u16) -> Option<Act> {
        // 487 is the answer to our own CANCEL.
        if self.state == State::Dialling {
            self.report.outcome = if status == 408 { Outcome::Lost } else { Outcome::Rejected };
            self.report.answer_ms = Some(millis(self.since, now));
        }
        self.report.status = status;
        self.end(now, false)
    }

    fn on_ended(&mut self, now: Instant, by_us: bool) -> Option<Act> {
        if matches!(self.state, State::Greeted | State::Waiting) {
            self.report.outcome = Outcome::Dismissed;
        }
        self.end(now, by_us)
    }

    fn end(&mut self, now: Instant, by_us: bool) -> Option<Act> {
        self.close_talk(now);
        self.report.ended_by_us = by_us;
        self.report.total_ms = millis(self.dialled, now);
        (self.due, self.leaves) = (now + NEVER, now + NEVER);
        self.state = State::Over;
        None
    }

    fn close_talk(&mut self, now: Instant) {
        if self.state == State::Talking {
            self.report.outcome = Outcome::Talked;
            self.report.talk_ms = Some(millis(self.since, now));
        }
    }
}

/// A language by weight: its code, and the key that chooses it.
fn language(mix: &CallerMix, random: &mut Random) -> (String, Option<char>) {
    let total: u64 = mix.languages.iter().map(|l| u64::from(l.weight)).sum();
    let mut left = random.below(total);
    for share in &mix.languages {
        match left.checked_sub(u64::from(share.weight)) {
            Some(rest) => left = rest,
            None => return (share.lang.clone(), Some(share.key)),
        }
    }
    (String::new(), None)
}

fn intent(mix: &CallerMix, random: &mut Random) -> Intent {
    let (draw, patience) = (random.unit(), mix.patience.draw(random));
    // Before the second key at the latest: nobody who is meant to leave in the IVR reaches the queue.
    let early = Span::ms(mix.thinks.min_ms / 2, mix.thinks.min_ms.saturating_mul(2).saturating_sub(1)).draw(random);
    match draw {
        d if d < mix.leaves_in_ivr => Intent::LeaveInIvr(early),
        d if d < mix.leaves_in_ivr + mix.leaves_in_queue => Intent::LeaveInQueue(patience),
        _ => Intent::Talk,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(mix: &CallerMix, now: Instant) -> Caller {
        let report = CallReport { tone_hz: 1_000, ..CallReport::default() };
        Caller::new(mix, Random::from_seed(5), report, now)
    }

    /// Connects it and hands it each of its moments until it has done `acts` things.
    fn follow(caller: &mut Caller, start: Instant, acts: usize) -> (Vec<Act>, Instant) {
        let mut now = start;
        let mut done: Vec<Act> = caller.handle(now, Event::Connected).into_iter().collect();
        while done.len() < acts {
            now = caller.due();
            assert!(now < start + NEVER, "it waits for ever after {done:?}");
            done.extend(caller.handle(now, Event::Due));
        }
        (done, now)
    }

    #[test]
    fn a_caller_presses_two_keys_waits_talks_and_leaves() {
        let start = Instant::now();
        let mut caller = caller(&CallerMix::default(), start);
        let (acts, now) = follow(&mut caller, start, 2);
        assert!(matches!(acts[..], [Act::Press('1'..='4'), Act::Press('1' | '2')]), "{acts:?}");
        assert!(caller.due() >= now + NEVER / 2);
        let heard = now + Duration::from_secs(3);
        assert_eq!(caller.handle(heard, Event::Tone(1_700)), Some(Act::Say(1_000)));
        let enough = caller.due();
        assert_eq!(caller.handle(enough, Event::Due), Some(Act::HangUp));
        caller.handle(enough, Event::Ended { by_us: true });
        let report = &caller.report;
        assert_eq!((report.outcome, report.wait_ms, report.agent_hz), (Outcome::Talked, Some(3_000), Some(1_700)));
        assert_eq!(report.talk_ms, Some(millis(heard, enough)));
        assert!(caller.is_over());
    }

    #[test]
    fn those_who_leave_in_the_ivr_never_press_everything() {
        let mix = CallerMix { leaves_in_ivr: 1.0, ..CallerMix::default() };
        for seed in 0..200 {
            let start = Instant::now();
            let mut caller = Caller::new(&mix, Random::from_seed(seed), CallReport::default(), start);
            caller.handle(start, Event::Connected);
            let mut keys = 0;
            loop {
                match caller.handle(caller.due(), Event::Due) {
                    Some(Act::Press(_)) => keys += 1,
                    Some(Act::HangUp) => break,
                    other => panic!("{other:?}"),
                }
            }
            assert!(keys < 2);
            assert_eq!(caller.report.outcome, Outcome::LeftInIvr);
        }
    }

    #[test]
    fn those_who_leave_in_the_queue_lose_patience() {
        let mix = CallerMix { leaves_in_queue: 1.0, patience: Span::ms(4_000, 4_000), ..CallerMix::default() };
        let start = Instant::now();
        let mut caller = caller(&mix, start);
        let (acts, _) = follow(&mut caller, start, 3);
        assert_eq!(acts.last(), Some(&Act::HangUp));
        assert_eq!(caller.report.outcome, Outcome::LeftInQueue);
    }

    #[test]
    fn a_refusal_and_a_bye_before_an_agent_are_told_apart() {
        let start = Instant::now();
        let mut refused = caller(&CallerMix::default(), start);
        refused.handle(start, Event::Failed(404));
        assert_eq!((refused.report.outcome, refused.report.status), (Outcome::Rejected, 404));
        let mut dismissed = caller(&CallerMix::default(), start);
        dismissed.handle(start, Event::Connected);
        dismissed.handle(start, Event::Ended { by_us: false });
        assert_eq!((dismissed.report.outcome, dismissed.report.status), (Outcome::Dismissed, 200));
        let mut cut = caller(&CallerMix::default(), start);
        cut.handle(start, Event::Connected);
        assert_eq!(cut.handle(start, Event::Stop), Some(Act::HangUp));
        cut.handle(start, Event::Ended { by_us: true });
        assert_eq!(cut.report.outcome, Outcome::Cut);
    }
}
