//! Figures of a run in batches of time, for intervals: what metrics counts, and exact seconds beside it.

use crate::judge::Quotient;
use crate::people::Caller;
use crate::world::Watch;
use acd::Output;
use base::{AgentState, Instant, Now, Outcome, VisitId};
use metrics::{Formula, QueueSums};
use std::collections::BTreeMap;
use std::time::Duration;

/// One batch. Visits count where they entered; `waiting` and `busy` are integrals over the batch's own time.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    pub sums: QueueSums,
    pub came: u64,
    pub turned_away: u64,
    pub had_to_wait: u64,
    pub waited_answered: f64,
    pub waited_abandoned: f64,
    /// Seconds of visits in line, and of agents in conversation or wrap-up.
    pub waiting: f64,
    pub busy: f64,
    pub seconds: f64,
}

/// All queues together.
pub struct Tally {
    warm_up: Instant,
    length: Duration,
    threshold: Duration,
    short: Duration,
    batches: Vec<Batch>,
    entered: BTreeMap<VisitId, Instant>,
    in_line: u64,
    busy: u64,
    last: Instant,
}

impl Tally {
    /// `batches` of this length after the warm-up, which is discarded.
    pub fn new(warm_up: Instant, length: Duration, batches: usize, threshold: Duration, short: Duration) -> Tally {
        Tally {
            warm_up,
            length,
            threshold,
            short,
            batches: vec![Batch::default(); batches],
            entered: BTreeMap::new(),
            in_line: 0,
            busy: 0,
            last: Instant::ZERO,
        }
    }

    pub fn end(&self) -> Instant {
        self.warm_up + self.length * u32::try_from(self.batches.len()).unwrap_or(u32::MAX)
    }

    /// A figure with its batches.
    pub fn figure(&self, of: impl Fn(&Batch) -> (f64, f64)) -> Quotient {
        let mut quotient = Quotient::default();
        self.batches.iter().map(of).for_each(|(above, below)| quotient.push(above, below));
        quotient
    }

    /// The service level by a formula of metrics, as it stands there.
    pub fn level(&self, formula: Formula) -> Quotient {
        let good = |b: &Batch| match formula {
            Formula::AbandonedOk => b.sums.answered_in_time + b.sums.abandoned_in_time,
            _ => b.sums.answered_in_time,
        };
        // The denominator is the formula's own: share = good / all.
        self.figure(|b| {
            formula.share(&b.sums).filter(|share| *share > 0.0).map_or((0.0, 0.0), |s| (good(b) as f64, good(b) as f64 / s))
        })
    }

    fn batch_of(&mut self, at: Instant) -> Option<&mut Batch> {
        let since = at.0.checked_sub(self.warm_up.0)?;
        self.batches.get_mut((u128::from(since) / self.length.as_nanos()) as usize)
    }

    /// The integrals up to `now`, cut at the batches' ends.
    fn advance(&mut self, now: Instant) {
        let mut from = self.last.max(self.warm_up);
        let to = now.min(self.end());
        while from < to {
            let passed = (u128::from(from.0 - self.warm_up.0) / self.length.as_nanos()) as u32;
            let upto = (self.warm_up + self.length * (passed + 1)).min(to);
            let (span, in_line, busy) = (upto.since(from).as_secs_f64(), self.in_line as f64, self.busy as f64);
            if let Some(batch) = self.batch_of(from) {
                batch.seconds += span;
                batch.waiting += span * in_line;
                batch.busy += span * busy;
            }
            from = upto;
        }
        self.last = now;
    }

    fn on_left(&mut self, visit: VisitId, outcome: Outcome, waited: Duration, ringing: bool) {
        let Some(entered) = self.entered.remove(&visit) else { return };
        let (threshold, short) = (self.threshold, self.short);
        let Some(batch) = self.batch_of(entered) else { return };
        batch.sums.record(outcome, micros(waited), ringing, micros(threshold), micros(short));
        batch.had_to_wait += u64::from(!waited.is_zero());
        match outcome {
            Outcome::Answered => batch.waited_answered += waited.as_secs_f64(),
            _ => batch.waited_abandoned += waited.as_secs_f64(),
        }
    }
}

/// The sums take any unit of time; thousandths of a second are too coarse for six digits.
fn micros(d: Duration) -> u64 {
    u64::try_from(d.as_micros()).unwrap_or(u64::MAX)
}

impl Watch for Tally {
    fn output(&mut self, now: Now, output: &Output, _: Option<&Caller>) {
        let now = now.mono;
        match output {
            Output::Entered { visit, .. } => {
                self.advance(now);
                self.in_line += 1;
                self.entered.insert(*visit, now);
                if let Some(batch) = self.batch_of(now) {
                    batch.came += 1;
                    batch.sums.offered += 1;
                }
            }
            Output::Left { visit, outcome, waited, ringing, .. } => {
                self.advance(now);
                self.in_line -= 1;
                self.on_left(*visit, *outcome, *waited, *ringing);
            }
            Output::AgentChanged { state, previous, .. } => {
                self.advance(now);
                let works = |s: &AgentState| matches!(s, AgentState::Talking | AgentState::Holding | AgentState::WrapUp);
                self.busy = self.busy + u64::from(works(state)) - u64::from(works(previous));
            }
            _ => {}
        }
    }

    fn turned_away(&mut self, now: Now, _: &Caller) {
        if let Some(batch) = self.batch_of(now.mono) {
            batch.came += 1;
            batch.turned_away += 1;
        }
    }
}
