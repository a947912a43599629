//! What is measured of the visits in a line, and what follows for the one behind them.

use base::Instant;

/// Visits taken, after which what was measured before counts for a third.
const MEMORY: f64 = 1_000.0;
/// Visits taken before the rates are believed.
const ENOUGH: f64 = 20.0;
/// Stages of the sum that are added one by one; the rest by an integral.
const EXACT: u32 = 8;

/// Visits of one line, or of one family.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Flow {
    /// Those that wait and that no phone rings for.
    pub waiting: u32,
    /// Sums that fade, over the times in which somebody waited.
    agent_seconds: f64,
    taken: f64,
    caller_seconds: f64,
    pub left: f64,
    pub last_waited: Option<f64>,
    last: Instant,
}

impl Flow {
    /// Reads where it lies.
    pub fn glance(&self) -> usize {
        self.waiting as usize ^ self.last.0 as usize
    }

    /// Up to now, with so many agents who could take them.
    pub fn advance(&mut self, able: u32, now: Instant) {
        if self.waiting > 0 {
            let passed = now.since(self.last).as_secs_f64();
            self.agent_seconds += passed * f64::from(able);
            self.caller_seconds += passed * f64::from(self.waiting);
        }
        self.last = now;
    }

    pub fn take(&mut self) {
        let keep = 1.0 - 1.0 / MEMORY;
        for sum in [&mut self.taken, &mut self.agent_seconds, &mut self.caller_seconds, &mut self.left] {
            *sum *= keep;
        }
        self.taken += 1.0;
    }

    /// Until so many before it, and then itself, are taken. None while too little is measured.
    pub fn time_for(&self, ahead: u32, able: u32) -> Option<Spread> {
        if self.taken < ENOUGH || self.agent_seconds <= 0.0 || able == 0 {
            return None;
        }
        let rate = self.taken / self.agent_seconds * f64::from(able);
        let leaving = if self.caller_seconds > 0.0 { self.left / self.caller_seconds } else { 0.0 };
        let sum = stages(rate, leaving, ahead.saturating_add(1));
        // The rate itself is known from so many visits only.
        Some(Spread { mean: sum.mean, variance: sum.variance + sum.mean * sum.mean / self.taken })
    }
}

/// The sum of exponential times: in the j-th but last, one of j visits ahead leaves or an agent takes the first.
pub(super) fn stages(rate: f64, leaving: f64, stages: u32) -> Spread {
    let stage = |j: f64| 1.0 / (rate + j * leaving);
    let (mut mean, mut variance) = (0.0, 0.0);
    for j in 0..stages.min(EXACT) {
        let s = stage(f64::from(j));
        mean += s;
        variance += s * s;
    }
    // Octave by octave, by Simpson's rule.
    let mut from = EXACT;
    while from < stages {
        let to = from.saturating_mul(2).min(stages);
        let (a, b) = (f64::from(from) - 0.5, f64::from(to) - 0.5);
        for (j, weight) in [(a, 1.0), ((a + b) / 2.0, 4.0), (b, 1.0)] {
            let (s, weight) = (stage(j), weight * (b - a) / 6.0);
            mean += weight * s;
            variance += weight * s * s;
        }
        from = to;
    }
    Spread { mean, variance }
}

/// A waiting time, as far as a gamma distribution needs it: in seconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spread {
    pub mean: f64,
    pub variance: f64,
}

impl Spread {
    /// The gamma's quantile that lies `z` standard deviations from the middle (Wilson and Hilferty's cube).
    pub fn quantile(self, z: f64) -> f64 {
        if self.mean <= 0.0 {
            return 0.0;
        }
        let c = self.variance / (9.0 * self.mean * self.mean);
        let root = (1.0 - c + z * c.sqrt()).max(0.0);
        self.mean * root * root * root
    }
}

/// Mean and variance of the ringing before an answer, in seconds.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Ring {
    pub mean: f64,
    pub variance: f64,
    seen: f64,
}

impl Ring {
    pub fn add(&mut self, seconds: f64) {
        self.seen = (self.seen + 1.0).min(100.0);
        let off = seconds - self.mean;
        self.mean += off / self.seen;
        self.variance += (off * off - self.variance) / self.seen;
    }
}
