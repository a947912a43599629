//! Times of very many packets in little room: how late the generator itself was, and how long the way through took.

use serde::{Deserialize, Serialize};
use std::time::Duration;

const STEP_US: u128 = 10;
/// Up to 200 ms; what is later counts as the last step, and exactly in the maximum.
const STEPS: usize = 20_000;

#[derive(Clone, Debug)]
pub struct Histogram {
    steps: Vec<u64>,
    max: Duration,
}

impl Default for Histogram {
    fn default() -> Self {
        Histogram { steps: vec![0; STEPS], max: Duration::ZERO }
    }
}

/// The figures that a report carries, in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Percentiles {
    pub packets: u64,
    pub p50_us: u64,
    pub p99_us: u64,
    pub p999_us: u64,
    pub max_us: u64,
}

impl Histogram {
    pub fn count(&mut self, time: Duration) {
        self.count_all(time, 1);
    }

    pub fn count_all(&mut self, time: Duration, packets: u64) {
        let step = (time.as_micros() / STEP_US).min(STEPS as u128 - 1) as usize;
        if let Some(count) = self.steps.get_mut(step) {
            *count += packets;
        }
        self.max = self.max.max(time);
    }

    pub fn packets(&self) -> u64 {
        self.steps.iter().sum()
    }

    pub fn percentiles(&self) -> Percentiles {
        let packets = self.packets();
        let below = |per_mille: u64| self.below((packets * per_mille).div_ceil(1_000));
        let max_us = self.max.as_micros() as u64;
        Percentiles { packets, p50_us: below(500), p99_us: below(990), p999_us: below(999), max_us }
    }

    /// The time, rounded up to a step, that `enough` packets did not pass.
    fn below(&self, enough: u64) -> u64 {
        let mut seen = 0;
        let step = self.steps.iter().position(|n| {
            seen += n;
            seen >= enough
        });
        if enough == 0 { 0 } else { (step.unwrap_or(STEPS) as u64 + 1) * STEP_US as u64 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_rounded_up_to_ten_microseconds_and_the_maximum_is_exact() {
        let mut histogram = Histogram::default();
        assert_eq!(histogram.percentiles(), Percentiles::default());
        histogram.count_all(Duration::from_micros(55), 98);
        histogram.count(Duration::from_micros(1_234));
        histogram.count(Duration::from_secs(3));
        let expected = Percentiles { packets: 100, p50_us: 60, p99_us: 1_240, p999_us: 200_000, max_us: 3_000_000 };
        assert_eq!(histogram.percentiles(), expected);
    }
}
