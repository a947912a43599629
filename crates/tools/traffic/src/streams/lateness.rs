//! How late the generator itself was: without this figure, a gap that it made would be blamed on the server.

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Counts in steps of 100 µs up to 100 ms; what is later counts as the last step.
const STEPS: usize = 1_000;

#[derive(Clone, Debug)]
pub struct Lateness(Vec<u64>);

impl Default for Lateness {
    fn default() -> Self {
        Lateness(vec![0; STEPS])
    }
}

/// The figures that a report carries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Percentiles {
    pub packets: u64,
    pub p50_us: u64,
    pub p99_us: u64,
    pub max_us: u64,
}

impl Lateness {
    pub fn count(&mut self, late: Duration) {
        let step = (late.as_micros() / 100).min(STEPS as u128 - 1) as usize;
        if let Some(count) = self.0.get_mut(step) {
            *count += 1;
        }
    }

    pub fn packets(&self) -> u64 {
        self.0.iter().sum()
    }

    pub fn percentiles(&self) -> Percentiles {
        let packets = self.packets();
        Percentiles {
            packets,
            p50_us: self.below(packets.div_ceil(2)),
            p99_us: self.below((packets * 99).div_ceil(100)),
            max_us: self.below(packets),
        }
    }

    /// The lateness, rounded up, that `enough` packets did not pass.
    fn below(&self, enough: u64) -> u64 {
        let mut seen = 0;
        let step = self.0.iter().position(|n| {
            seen += n;
            seen >= enough
        });
        if enough == 0 { 0 } else { (step.unwrap_or(STEPS) as u64 + 1) * 100 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_rounded_up_to_a_tenth_of_a_millisecond() {
        let mut lateness = Lateness::default();
        assert_eq!(lateness.percentiles(), Percentiles::default());
        (0..98).for_each(|_| lateness.count(Duration::from_micros(50)));
        lateness.count(Duration::from_micros(1_234));
        lateness.count(Duration::from_secs(3));
        let expected = Percentiles { packets: 100, p50_us: 100, p99_us: 1_300, max_us: 100_000 };
        assert_eq!(lateness.percentiles(), expected);
    }
}
