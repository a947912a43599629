//! Callers as they come: a rate that may change with the time of day, a mix of wishes, drawn times.

use crate::draw::exponential;
use crate::people::{Caller, Leaving};
use base::{Instant, QueueId, Random, Requirement};
use std::time::Duration;

/// One sort of caller, with its share among all.
#[derive(Clone, Debug)]
pub struct Sort {
    pub weight: u64,
    pub queue: QueueId,
    pub requires: Requirement,
    pub priority_s: i64,
}

impl Sort {
    pub fn of(queue: QueueId) -> Sort {
        Sort { weight: 1, queue, requires: Requirement::default(), priority_s: 0 }
    }
}

/// How long conversations are.
#[derive(Clone, Copy, Debug)]
pub enum Talk {
    Exponential(Duration),
    /// A fixed part, and an exponential one.
    AtLeast(Duration, Duration),
    /// Most are short, one in so many is long: exponential each.
    Mixed(Duration, Duration, u64),
}

/// Calls a second at most, and the share of it at each moment.
pub struct Rate {
    pub most: f64,
    pub share: fn(Duration) -> f64,
}

impl Rate {
    pub fn steady(rate: f64) -> Rate {
        Rate { most: rate, share: |_| 1.0 }
    }
}

/// An endless stream. Arrivals, wishes, talks and patience have a seeded stream each, so that one changed leaves the
/// others as they were.
pub struct Stream {
    rate: Rate,
    sorts: Vec<Sort>,
    talk: Talk,
    patience: Option<Duration>,
    next: Instant,
    arrivals: Random,
    wishes: Random,
    talks: Random,
    patiences: Random,
}

impl Stream {
    pub fn new(seed: u64, rate: Rate, sorts: Vec<Sort>, talk: Talk, patience: Option<Duration>) -> Stream {
        let random = |n: u64| Random::from_seed(seed.wrapping_mul(4).wrapping_add(n));
        let (arrivals, wishes, talks, patiences) = (random(0), random(1), random(2), random(3));
        Stream { rate, sorts, talk, patience, next: Instant::ZERO, arrivals, wishes, talks, patiences }
    }

    /// Calls a second at most.
    pub fn rate(&self) -> f64 {
        self.rate.most
    }

    /// By thinning: arrivals at the highest rate, of which each stays with the share of its moment.
    fn arrival(&mut self) -> Instant {
        let gap = Duration::from_secs_f64(1.0 / self.rate.most);
        loop {
            self.next = self.next + exponential(&mut self.arrivals, gap);
            if self.arrivals.unit() < (self.rate.share)(self.next.since(Instant::ZERO)) {
                return self.next;
            }
        }
    }

    fn sort(&mut self) -> Option<Sort> {
        let all = self.sorts.iter().map(|s| s.weight).sum();
        let mut lot = self.wishes.below(all);
        let found = self.sorts.iter().find(|s| {
            let here = lot < s.weight;
            lot = lot.saturating_sub(s.weight);
            here
        });
        found.cloned()
    }

    fn talk(&mut self) -> Duration {
        match self.talk {
            Talk::Exponential(mean) => exponential(&mut self.talks, mean),
            Talk::AtLeast(fixed, mean) => fixed + exponential(&mut self.talks, mean),
            Talk::Mixed(short, long, one_in) => {
                let mean = if self.talks.below(one_in) == 0 { long } else { short };
                exponential(&mut self.talks, mean)
            }
        }
    }
}

impl Iterator for Stream {
    type Item = Caller;

    fn next(&mut self) -> Option<Caller> {
        let at = self.arrival();
        let Sort { queue, requires, priority_s, .. } = self.sort()?;
        let leaves = self.patience.map(|mean| Leaving::hanging_up(exponential(&mut self.patiences, mean)));
        let talk = self.talk();
        Some(Caller {
            at,
            queue,
            requires,
            priority_s,
            lang: None,
            party: None,
            credit: Duration::ZERO,
            leaves,
            talk,
            wrap_up: None,
        })
    }
}
