//! The outbox: which row is sent to which destination, and when again.
//!
//! ```text
//!          due, its turn             2xx
//!  waiting ─────────────▶ sending ─────────▶ done
//!     ▲                      │ no answer, any other status; Retry-After is kept
//!     └──────────────────────┤
//!      5 s, 5 min, 30 min …  └─ 410, or the last attempt ─▶ dead ── by hand ─▶ waiting
//!
//!  a destination:  closed ─ 5 failures in a row ─▶ open ─ 30 s … 5 min ─▶ half open: one probe
//!                     ▲                              ▲      failure          │ success
//!                     │                              └───────────────────────┤
//!                     └──────────────────────────────────────────────────────┘
//! ```
//!
//! The rows of one ticket go one after the other, in their order. The machine holds what waits; the store keeps all.

use base::{Instant, Now, Random, Tenant};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::ticket::Number;

/// Before the first attempt, the second, and so on. After the last the row is dead.
const SCHEDULE: [Duration; 9] = {
    const fn minutes(n: u64) -> Duration {
        Duration::from_secs(60 * n)
    }
    let ten_hours = minutes(600);
    [Duration::ZERO, Duration::from_secs(5), minutes(5), minutes(30), minutes(120), minutes(300), ten_hours, ten_hours, ten_hours]
};
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(86_400);
/// Failures in a row that open the breaker.
const BREAKS_AFTER: u32 = 5;
const FIRST_BREAK: Duration = Duration::from_secs(30);
const LONGEST_BREAK: Duration = Duration::from_secs(300);
/// Sent to one destination at once.
const AT_ONCE: usize = 4;
/// Rows held; the rest stays in the store until there is room.
const HELD: usize = 1000;
/// When a destination is back, what waits for it is spread over this time.
const SPREAD_MS: u64 = 2_000;

/// One row, as the store gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    pub id: u64,
    pub destination: String,
    /// The ticket whose rows keep their order.
    pub ticket: (Tenant, Number),
    /// Attempts so far.
    pub attempts: u32,
    /// How long until the next.
    pub due_in: Duration,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A row that waits. One that is held already changes nothing.
    Add(Delivery),
    /// What came of [`Output::Send`].
    Answered { id: u64, answer: Answer },
    /// The deadline passed.
    Due,
}

/// What the destination said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// 2xx.
    Delivered,
    /// 410: it wants no more.
    Gone,
    /// Any other status; a redirect is not followed.
    Refused { status: u16, retry_after: Option<Duration> },
    /// No connection, no answer in time, or none that is HTTP.
    NoAnswer { why: String },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Command: send the row now. An [`Input::Answered`] must follow.
    Send { id: u64 },
    /// For the store: how the row stands.
    Save { id: u64, progress: Progress },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    pub fate: Fate,
    pub attempts: u32,
    /// When it is waiting: how long until the next attempt.
    pub due_in: Duration,
    /// What the last attempt brought.
    pub last: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Waiting,
    Done,
    Dead,
}

#[derive(Debug)]
struct Row {
    destination: String,
    ticket: (Tenant, Number),
    attempts: u32,
    due: Instant,
    sending: bool,
    /// The destination said when: nothing moves that forward.
    told: bool,
}

#[derive(Debug, Default)]
struct Destination {
    failures: u32,
    /// Open until then; after it half open while `failures` says so.
    open_until: Option<Instant>,
    breaks: u32,
    sending: usize,
    gone: bool,
}

#[derive(Debug)]
pub struct Outbox {
    random: Random,
    rows: BTreeMap<u64, Row>,
    destinations: BTreeMap<String, Destination>,
}

impl Outbox {
    /// The seed is for the jitter alone.
    pub fn new(seed: u64) -> Outbox {
        Outbox { random: Random::from_seed(seed), rows: BTreeMap::new(), destinations: BTreeMap::new() }
    }

    pub fn handle(&mut self, now: Now, input: Input, out: &mut Vec<Output>) {
        match input {
            Input::Add(delivery) => self.on_add(now, delivery, out),
            Input::Answered { id, answer } => self.on_answered(now, id, answer, out),
            Input::Due => {}
        }
        self.send_what_can_go(now, out);
    }

    /// When [`Input::Due`] is wanted; none while everything that waits hangs on an answer.
    pub fn deadline(&self) -> Option<Instant> {
        let mut busy = BTreeSet::new();
        let mut soonest = None;
        for row in self.rows.values() {
            let first = busy.insert(&row.ticket);
            let Some(destination) = self.destinations.get(&row.destination) else { continue };
            if first && !row.sending && destination.sending < destination.limit() {
                let at = row.due.max(destination.open_until.unwrap_or(Instant::ZERO));
                soonest = Some(soonest.map_or(at, |s: Instant| s.min(at)));
            }
        }
        soonest
    }

    /// Rows that may be added.
    pub fn room(&self) -> usize {
        HELD.saturating_sub(self.rows.len())
    }

    fn on_add(&mut self, now: Now, delivery: Delivery, out: &mut Vec<Output>) {
        let Delivery { id, destination, ticket, attempts, due_in } = delivery;
        if self.rows.contains_key(&id) {
            return;
        }
        if self.destinations.entry(destination.clone()).or_default().gone {
            out.push(save(id, Fate::Dead, attempts, Duration::ZERO, "the receiver wants no more (410)"));
            return;
        }
        self.rows.insert(id, Row { destination, ticket, attempts, due: now.mono + due_in, sending: false, told: false });
    }

    fn on_answered(&mut self, now: Now, id: u64, answer: Answer, out: &mut Vec<Output>) {
        let Some(row) = self.rows.get_mut(&id).filter(|row| row.sending) else { return };
        row.sending = false;
        row.attempts += 1;
        let (attempts, name) = (row.attempts, row.destination.clone());
        if let Some(destination) = self.destinations.get_mut(&name) {
            destination.sending = destination.sending.saturating_sub(1);
        }
        match answer {
            Answer::Delivered => {
                self.rows.remove(&id);
                out.push(save(id, Fate::Done, attempts, Duration::ZERO, "delivered"));
                self.on_destination_well(now, &name);
            }
            Answer::Gone => self.on_gone(id, &name, out),
            Answer::Refused { status, retry_after } => {
                if status == 429 || status >= 500 {
                    self.on_destination_ill(now, &name);
                } else {
                    self.on_destination_well(now, &name);
                }
                self.again(now, id, retry_after, &format!("status {status}"), out);
            }
            Answer::NoAnswer { why } => {
                self.on_destination_ill(now, &name);
                self.again(now, id, None, &why, out);
            }
        }
    }

    /// Waits for the next attempt, or is dead after the last.
    fn again(&mut self, now: Now, id: u64, retry_after: Option<Duration>, last: &str, out: &mut Vec<Output>) {
        let Some(row) = self.rows.get_mut(&id) else { return };
        let gone = self.destinations.get(&row.destination).is_some_and(|d| d.gone);
        let Some(pause) = SCHEDULE.get(row.attempts as usize).filter(|_| !gone) else {
            out.push(save(id, Fate::Dead, row.attempts, Duration::ZERO, last));
            self.rows.remove(&id);
            return;
        };
        let jittered = pause.mul_f64(0.9 + 0.2 * self.random.unit());
        let wait = retry_after.map_or(jittered, |told| jittered.max(told.min(LONGEST_RETRY_AFTER)));
        (row.due, row.told) = (now.mono + wait, retry_after.is_some());
        out.push(save(id, Fate::Waiting, row.attempts, wait, last));
    }

    /// 410 disables the destination until the next start: what waits for it goes to the dead, for a replay by hand.
    fn on_gone(&mut self, id: u64, name: &str, out: &mut Vec<Output>) {
        if let Some(destination) = self.destinations.get_mut(name) {
            destination.gone = true;
        }
        let dead = |i: &u64, row: &Row| *i == id || (row.destination == name && !row.sending);
        for (id, row) in self.rows.extract_if(.., |i, row| dead(i, row)) {
            out.push(save(id, Fate::Dead, row.attempts, Duration::ZERO, "the receiver wants no more (410)"));
        }
    }

    fn on_destination_ill(&mut self, now: Now, name: &str) {
        let Some(destination) = self.destinations.get_mut(name) else { return };
        destination.failures += 1;
        // Those on their way when it opened say nothing new.
        let open = destination.open_until.is_some_and(|until| now.mono < until);
        if destination.failures >= BREAKS_AFTER && !open {
            let pause = FIRST_BREAK.saturating_mul(1 << destination.breaks.min(10)).min(LONGEST_BREAK);
            destination.open_until = Some(now.mono + pause);
            destination.breaks += 1;
        }
    }

    /// Back after failures: what waits for it does not wait out its schedule.
    fn on_destination_well(&mut self, now: Now, name: &str) {
        let Some(destination) = self.destinations.get_mut(name) else { return };
        let was_ill = destination.failures > 0;
        (destination.failures, destination.open_until, destination.breaks) = (0, None, 0);
        if !was_ill {
            return;
        }
        for row in self.rows.values_mut().filter(|row| row.destination == name && !row.told) {
            row.due = row.due.min(now.mono + Duration::from_millis(self.random.below(SPREAD_MS)));
        }
    }

    fn send_what_can_go(&mut self, now: Now, out: &mut Vec<Output>) {
        let mut earlier = BTreeSet::new();
        for (id, row) in &mut self.rows {
            let first = earlier.insert(row.ticket.clone());
            let Some(destination) = self.destinations.get_mut(&row.destination) else { continue };
            let open = destination.open_until.is_some_and(|until| now.mono < until);
            if first && !row.sending && row.due <= now.mono && !open && destination.sending < destination.limit() {
                row.sending = true;
                destination.sending += 1;
                out.push(Output::Send { id: *id });
            }
        }
    }
}

impl Destination {
    /// One probe while half open.
    fn limit(&self) -> usize {
        if self.failures >= BREAKS_AFTER { 1 } else { AT_ONCE }
    }
}

fn save(id: u64, fate: Fate, attempts: u32, due_in: Duration, last: &str) -> Output {
    Output::Save { id, progress: Progress { fate, attempts, due_in, last: last.into() } }
}
