//! One caller.
//!
//! ```text
//! dialling ─200─▶ greeted ─thinks, key─▶ (next key …) ─last key─▶ waiting ─agent's tone─▶ talking ─▶ leaving ─▶ over
//!     │              │                                               │  └─ key ─▶ asking ─▶ speaking  ▲          ▲
//!     │              └── those who leave in the IVR ─────────────────┴── out of patience ─────────────┴─ said it─┘
//!     └─ final status, CANCEL, BYE from the other side: over from anywhere
//! ```

use super::{Act, Event, NEVER, millis};
use crate::plan::{CallerMix, Span, is_agents};
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
    /// Presses the keys for it then, and waits for the centre to hang up.
    AskForCallback(Duration),
    /// Presses the key for it then, and speaks that long.
    LeaveMessage(Duration, Duration),
    Talk,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Dialling,
    Greeted,
    Waiting,
    /// Presses the keys for a callback or for voicemail.
    Asking,
    Speaking,
    Talking,
    Leaving,
    Over,
}

/// Whoever asked for a callback hangs up after this, if the centre does not.
const PROMISED: Duration = Duration::from_secs(20);
/// From the key for voicemail to the first word.
const BREATH: Duration = Duration::from_secs(1);

/// A caller and what it saw so far.
#[derive(Clone, Debug)]
pub struct Caller {
    state: State,
    intent: Intent,
    keys: VecDeque<char>,
    /// Pressed by those who lost patience.
    wishes: VecDeque<char>,
    thinks: Span,
    talk: Duration,
    speaks_at_once: bool,
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
            wishes: wishes(mix, intent),
            thinks: mix.thinks,
            talk,
            speaks_at_once: mix.speaks_at_once,
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

    /// It hangs up, or has done so.
    pub fn is_leaving(&self) -> bool {
        matches!(self.state, State::Leaving | State::Over)
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
            Event::ThirdAnswered | Event::ThirdGone | Event::PassedOn(_) => None,
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
        self.think(now);
        self.speaks_at_once.then_some(Act::Say(self.report.tone_hz))
    }

    fn think(&mut self, now: Instant) {
        if self.keys.is_empty() {
            self.wait(now);
        } else {
            self.due = now + self.thinks.draw(&mut self.random);
        }
    }

    fn wait(&mut self, now: Instant) {
        self.state = State::Waiting;
        self.since = now;
        self.due = match self.intent {
            Intent::LeaveInQueue(after) | Intent::AskForCallback(after) | Intent::LeaveMessage(after, _) => now + after,
            _ => now + NEVER,
        };
    }

    fn on_tone(&mut self, now: Instant, hz: u32) -> Option<Act> {
        if !is_agents(hz) {
            return None;
        }
        if matches!(self.state, State::Greeted | State::Waiting | State::Asking | State::Talking)
            && self.report.agents_hz.last() != Some(&hz)
        {
            self.report.agents_hz.push(hz);
        }
        if !matches!(self.state, State::Greeted | State::Waiting | State::Asking) {
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
            State::Waiting => self.on_impatient(now),
            State::Asking => self.on_asking(now),
            State::Speaking | State::Talking => self.leave(now),
            State::Dialling | State::Leaving | State::Over => {
                (self.due, self.leaves) = (now + NEVER, now + NEVER);
                None
            }
        }
    }

    fn on_impatient(&mut self, now: Instant) -> Option<Act> {
        self.report.outcome = match self.intent {
            Intent::AskForCallback(_) => Outcome::AskedForCallback,
            Intent::LeaveMessage(..) => Outcome::LeftMessage,
            _ => {
                self.report.outcome = Outcome::LeftInQueue;
                return self.leave(now);
            }
        };
        self.state = State::Asking;
        self.on_asking(now)
    }

    /// The next key of the wish, or what comes after the last.
    fn on_asking(&mut self, now: Instant) -> Option<Act> {
        if let Some(key) = self.wishes.pop_front() {
            self.report.keys.push(key);
            let last = if matches!(self.intent, Intent::AskForCallback(_)) { PROMISED } else { BREATH };
            self.due = now + if self.wishes.is_empty() { last } else { self.thinks.draw(&mut self.random) };
            return Some(Act::Press(key));
        }
        match self.intent {
            Intent::LeaveMessage(_, speaks) => {
                (self.state, self.due) = (State::Speaking, now + speaks);
                Some(Act::Say(self.report.tone_hz))
            }
            _ => self.leave(now),
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

fn wishes(mix: &CallerMix, intent: Intent) -> VecDeque<char> {
    match intent {
        Intent::AskForCallback(_) => mix.callback_keys.chars().collect(),
        Intent::LeaveMessage(..) => mix.message_keys.chars().collect(),
        _ => VecDeque::new(),
    }
}

fn intent(mix: &CallerMix, random: &mut Random) -> Intent {
    let (draw, patience) = (random.unit(), mix.patience.draw(random));
    // Before the second key at the latest: nobody who is meant to leave in the IVR reaches the queue.
    let early = Span::ms(mix.thinks.min_ms / 2, mix.thinks.min_ms.saturating_mul(2).saturating_sub(1)).draw(random);
    let message = mix.message.draw(random);
    let mut left = draw;
    let mut among = |share: f64| {
        left -= share;
        left < 0.0
    };
    if among(mix.leaves_in_ivr) {
        Intent::LeaveInIvr(early)
    } else if among(mix.leaves_in_queue) {
        Intent::LeaveInQueue(patience)
    } else if among(mix.asks_for_callback) {
        Intent::AskForCallback(patience)
    } else if among(mix.leaves_message) {
        Intent::LeaveMessage(patience, message)
    } else {
        Intent::Talk
    }
}

#[cfg(test)]
mod tests;
