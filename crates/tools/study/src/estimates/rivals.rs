//! Four ways to say how long a caller will wait, on M/M/100 at 95 %.
//!
//! Only callers who have to wait are counted; errors are in units of the mean conversation.

use crate::oracles::house;
use crate::people::{AtOnce, Caller};
use crate::stream::{Rate, Sort, Stream, Talk};
use crate::world::{Plan, Watch, World};
use acd::Output;
use base::{Instant, Now, Outcome, VisitId};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

const AGENTS: u32 = 100;
const LOAD: f64 = 95.0;
const TALK: Duration = Duration::from_secs(180);

/// One estimator and its root mean square error.
#[derive(Clone, Debug)]
pub struct Rival {
    pub name: &'static str,
    /// What the project's page of metrics says of it.
    pub known: Option<f64>,
    pub measured: f64,
}

const NAMES: [(&str, Option<f64>); 6] = [
    ("position, rates given: (n+1)/(s mu)", Some(0.044)),
    ("the decision core, P50 (rates measured)", None),
    ("head of the line's wait so far", Some(0.063)),
    ("last to enter service", Some(0.064)),
    ("Asterisk's moving average, all answered calls", Some(0.066)),
    ("Asterisk's moving average, those who waited", None),
];

/// Runs so many calls, of which the first tenth is not counted.
pub fn rivals(seed: u64, calls: u64) -> Vec<Rival> {
    let rate = LOAD / TALK.as_secs_f64();
    let stream = Stream::new(seed, Rate::steady(rate), vec![Sort::of(house::queue_id("calls"))], Talk::Exponential(TALK), None);
    let config = Arc::new(house::pooled(AGENTS));
    let plan = Plan { config, routing_seed: seed, start: Now::default(), lines: None, schedule: Vec::new() };
    let span = Duration::from_secs_f64(calls as f64 / rate);
    let mut race = Race { warm_up: Instant::ZERO + span / 10, ..Race::default() };
    World::new(plan, stream, AtOnce, &mut race).run(Some(Instant::ZERO + span), &mut race);
    let error = |i: usize| (race.squares[i] / race.counted as f64).sqrt() / TALK.as_secs_f64();
    NAMES.iter().enumerate().map(|(i, (name, known))| Rival { name, known: *known, measured: error(i) }).collect()
}

#[derive(Default)]
struct Race {
    warm_up: Instant,
    said: BTreeMap<VisitId, [f64; NAMES.len()]>,
    /// In the order of the line: all weigh the same.
    line: BTreeMap<VisitId, Instant>,
    last_served: f64,
    asterisk: f64,
    asterisk_waited: f64,
    squares: [f64; NAMES.len()],
    counted: u64,
}

impl Watch for Race {
    fn output(&mut self, now: Now, output: &Output, _: Option<&Caller>) {
        let now = now.mono;
        match output {
            Output::Entered { visit, expected, .. } => {
                let ahead = self.line.len() as f64;
                let head = self.line.first_key_value().map_or(0.0, |(_, since)| now.since(*since).as_secs_f64());
                let position = (ahead + 1.0) / (f64::from(AGENTS) / TALK.as_secs_f64());
                let ours = expected.map_or(0.0, |e| e.p50.as_secs_f64());
                self.said.insert(*visit, [position, ours, head, self.last_served, self.asterisk, self.asterisk_waited]);
                self.line.insert(*visit, now);
            }
            Output::Left { visit, outcome: Outcome::Answered, waited, .. } => {
                self.line.remove(visit);
                self.on_answered(*visit, waited.as_secs_f64(), now);
            }
            _ => {}
        }
    }
}

impl Race {
    fn on_answered(&mut self, visit: VisitId, waited: f64, now: Instant) {
        let Some(said) = self.said.remove(&visit) else { return };
        if waited > 0.0 && now >= self.warm_up {
            self.counted += 1;
            self.squares.iter_mut().zip(said).for_each(|(sum, said)| *sum += (said - waited).powi(2));
        }
        // A quarter of the new wait, three of the old average.
        self.asterisk = 0.75 * self.asterisk + 0.25 * waited;
        if waited > 0.0 {
            self.last_served = waited;
            self.asterisk_waited = 0.75 * self.asterisk_waited + 0.25 * waited;
        }
    }
}
