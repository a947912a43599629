//! How long a visit will yet wait.
//!
//! With n visits before it, a visit waits for n + 1 departures from the line. Agents take the first of the line at a
//! rate that is measured: visits taken per second of an agent who could, while somebody waited. Whoever waits further
//! ahead may leave at a rate that is measured too. So the wait is a sum of n + 1 exponential times, and a gamma
//! distribution has its mean and variance (`flow.rs`). Two such sums are made, by the place in the queue's line and by
//! the place among those who ask for the same: the first is right where every agent can take everybody, the second
//! where few can take this one. Each counts by how well it did lately.
//!
//! The gamma's quantiles are then moved by what they were worth (`record.rs`): whenever a visit is answered, its P50 and
//! P90 move up a step if it waited longer, and down a smaller one if not, so that in the long run 90 % wait no longer
//! than the P90, whatever the line's rules do to the model (the steps of adaptive conformal inference).
//!
//! Nothing is said of a visit that finds an agent free, of one whose phone rings, or when nobody at work could take it.
//! Every word here costs the same however many wait (the sum: their logarithm), and nothing is allocated. There is no
//! function in it whose last digit depends on the machine.

mod flow;
mod hooks;
mod record;

use crate::{Estimate, Expected};
use base::Instant;
use flow::{Flow, Ring, Spread};
use record::{Tuned, blend, grade};
use std::time::Duration;

/// The 90th percentile of the normal distribution.
const Z90: f64 = 1.2816;
/// Places in line are told apart by their octave: before 0, 1, 2-3, 4-7 and so on.
const OCTAVES: usize = 12;

/// What is learnt of a queue's line.
#[derive(Clone, Debug, Default)]
pub(crate) struct OfLine {
    flow: Flow,
    ring: Ring,
    tuned: [Tuned; OCTAVES],
    /// Of what is said before the rates are known.
    guessed: Tuned,
}

/// What is learnt of the visits of one queue that ask for the same.
#[derive(Clone, Debug)]
pub(crate) struct OfFamily {
    flow: Flow,
    tuned: Tuned,
    /// Means of how wrong the prediction by the line was, and the one by the family.
    wrong_by_line: f64,
    wrong_by_family: f64,
}

impl Default for OfFamily {
    fn default() -> Self {
        OfFamily { flow: Flow::default(), tuned: Tuned::default(), wrong_by_line: 1.0, wrong_by_family: 1.0 }
    }
}

/// What is kept with a visit.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Ticket {
    stands: Stands,
    quote: Option<Quote>,
}

#[derive(Clone, Copy, Debug, Default)]
enum Stands {
    #[default]
    Nowhere,
    /// No phone rings for it, since then.
    Waits(Instant),
    /// `after`: it had to wait for that.
    Rings { since: Instant, after: bool },
}

/// What was said of a visit when it entered.
#[derive(Clone, Copy, Debug)]
struct Quote {
    p50_ms: u32,
    p90_ms: u32,
    ahead: u32,
    /// Both predictions, in seconds; none if it was a guess.
    by: Option<(f32, f32)>,
}

/// Where a visit is, as the estimator sees it.
pub(crate) struct Spot<'a> {
    pub line: &'a mut OfLine,
    pub family: &'a mut OfFamily,
    /// Agents at work who serve the queue, and who could take such a visit.
    pub able_in_line: u32,
    pub able_in_family: u32,
    pub now: Instant,
}

impl Spot<'_> {
    fn both(&mut self, change: impl Fn(&mut Flow)) {
        self.line.flow.advance(self.able_in_line, self.now);
        self.family.flow.advance(self.able_in_family, self.now);
        change(&mut self.line.flow);
        change(&mut self.family.flow);
    }

    /// No phone rings for it: it entered, or what rang has ended.
    pub fn waits(&mut self, ticket: &mut Ticket) {
        if !matches!(ticket.stands, Stands::Waits(_)) {
            ticket.stands = Stands::Waits(self.now);
            self.both(|flow| flow.waiting += 1);
        }
    }

    /// The first phone rings for it.
    pub fn rings(&mut self, ticket: &mut Ticket) {
        let Stands::Waits(since) = ticket.stands else { return };
        let waited = since < self.now;
        ticket.stands = Stands::Rings { since: self.now, after: waited };
        self.both(|flow| {
            flow.waiting = flow.waiting.saturating_sub(1);
            // Who finds an agent free says nothing of how soon one becomes free.
            if waited {
                flow.take();
            }
        });
    }

    /// It leaves; if it was answered, `waited` is its wait.
    pub fn leaves(&mut self, ticket: &mut Ticket, waited: Option<Duration>) {
        match std::mem::take(&mut ticket.stands) {
            Stands::Nowhere => {}
            Stands::Waits(_) => self.both(|flow| {
                flow.waiting = flow.waiting.saturating_sub(1);
                flow.left += 1.0;
            }),
            Stands::Rings { since, after } => {
                if let Some(waited) = waited {
                    self.line.ring.add(self.now.since(since).as_secs_f64());
                    self.both(|flow| flow.last_waited = if after { Some(waited.as_secs_f64()) } else { flow.last_waited });
                }
            }
        }
        if let (Some(quote), Some(waited)) = (ticket.quote.take(), waited) {
            grade(self.family, self.line, &quote, waited);
        }
    }

    /// After a reload, which emptied the lines: a visit that waited waits still.
    pub fn waits_still(&mut self, ticket: &Ticket) {
        if matches!(ticket.stands, Stands::Waits(_)) {
            self.both(|flow| flow.waiting += 1);
        }
    }
}

impl OfFamily {
    /// Reads what every change of offers looks at.
    pub fn glance(&self) -> usize {
        self.flow.glance()
    }
}

impl OfLine {
    /// Reads what every change of offers looks at.
    pub fn glance(&self) -> usize {
        self.flow.glance()
    }

    /// Without those who wait: a reload lines them up again.
    pub fn emptied(mut self) -> OfLine {
        self.flow.waiting = 0;
        self
    }
}

/// One visit's place in its queue's line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Standing {
    pub before: usize,
    /// In the whole line, without this one.
    pub others: usize,
    /// It is counted in the line's flow already.
    pub counted: bool,
}

/// What is to be said of a visit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Said {
    pub expected: Expected,
    ahead: u32,
    by: Option<(f64, f64)>,
}

impl Said {
    fn quote(&self) -> Quote {
        let millis = |d: Duration| u32::try_from(d.as_millis()).unwrap_or(u32::MAX);
        let by = self.by.map(|(line, family)| (line as f32, family as f32));
        Quote { p50_ms: millis(self.expected.p50), p90_ms: millis(self.expected.p90), ahead: self.ahead, by }
    }
}

/// How long such a visit will wait. None if nothing is known yet, or nobody at work could take it.
pub(crate) fn predict(line: &OfLine, family: &OfFamily, able: (u32, u32), standing: Standing) -> Option<Said> {
    let (able_in_line, able_in_family) = able;
    if able_in_family == 0 {
        return None;
    }
    let but_self = |waiting: u32| waiting.saturating_sub(u32::from(standing.counted));
    let (in_line, in_family) = (but_self(line.flow.waiting), but_self(family.flow.waiting));
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    // Those for whom a phone rings are the first of the line, and need no more agents.
    let ringing = count(standing.others).saturating_sub(in_line);
    let ahead = count(standing.before).saturating_sub(ringing).min(in_line);
    let share = if in_line == 0 { 0.0 } else { f64::from(ahead) / f64::from(in_line) };
    let ahead_in_family = (f64::from(in_family) * share + 0.5) as u32;
    let by_line = line.flow.time_for(ahead, able_in_line);
    let by_family = family.flow.time_for(ahead_in_family, able_in_family);
    let Some((spread, by)) = blend(by_line, by_family, family) else { return guess(line, family, ahead) };
    let spread = Spread { mean: spread.mean + line.ring.mean, variance: spread.variance + line.ring.variance };
    let moved = line.tuned[octave(ahead)];
    let p50 = spread.quantile(moved.p50 + family.tuned.p50);
    let p90 = spread.quantile(Z90 + moved.p90 + family.tuned.p90);
    Some(Said { expected: expected(p50, p90, Estimate::Position), ahead, by: Some(by) })
}

/// Too little is measured: as long as the last one waited who had to, the P90 twice that.
fn guess(line: &OfLine, family: &OfFamily, ahead: u32) -> Option<Said> {
    let last = family.flow.last_waited.or(line.flow.last_waited)?;
    let (p50, p90) = (last * (1.0 + 0.5 * line.guessed.p50), last * (2.0 + line.guessed.p90));
    Some(Said { expected: expected(p50, p90, Estimate::LastServed), ahead, by: None })
}

/// To the millisecond, at most a day.
fn expected(p50: f64, p90: f64, from: Estimate) -> Expected {
    let millis = |s: f64| Duration::from_millis((s.clamp(0.0, 86_400.0) * 1_000.0) as u64);
    Expected { p50: millis(p50), p90: millis(p90.max(p50)), from }
}

fn octave(ahead: u32) -> usize {
    ((u32::BITS - ahead.leading_zeros()) as usize).min(OCTAVES - 1)
}

#[cfg(test)]
mod tests;
