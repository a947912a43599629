//! How many packets of one peer are taken in a second: a peer that sends ten times its rate is cut to this, and the others
//! on its thread don't notice.

use base::Instant;
use std::time::Duration;

/// 200 a second: audio in packets of 10 ms, and a key's besides.
const SPACING: Duration = Duration::from_millis(5);
/// A second's worth may come at once: what a network held back and then let go.
const BURST: Duration = Duration::from_secs(1);

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Rate {
    /// When all that was taken would have come at the full rate (the cell rate algorithm of ITU-T I.371 annex A).
    due: Instant,
    excess: u64,
}

impl Rate {
    /// Whether one more may be taken now; counted if not.
    pub fn allows(&mut self, now: Instant) -> bool {
        if self.due > now + BURST {
            self.excess += 1;
            return false;
        }
        self.due = self.due.max(now) + SPACING;
        true
    }

    pub fn excess(&self) -> u64 {
        self.excess
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many of `n` packets, one each `us`, are taken.
    fn taken(rate: &mut Rate, start_ms: u64, n: u64, us: u64) -> usize {
        (0..n).filter(|i| rate.allows(Instant((start_ms * 1_000 + i * us) * 1_000))).count()
    }

    #[test]
    fn audio_passes_whole_and_ten_times_its_rate_does_not() {
        let mut rate = Rate::default();
        assert_eq!(taken(&mut rate, 0, 3_000, 20_000), 3_000);
        assert_eq!(taken(&mut rate, 60_000, 6_000, 10_000), 6_000);
        let flood = taken(&mut rate, 120_000, 5_000, 2_000);
        assert!((2_000..=2_210).contains(&flood), "{flood} in 10 s");
        assert_eq!(rate.excess(), 5_000 - flood as u64);
    }

    #[test]
    fn what_a_network_held_back_passes_at_once() {
        let mut rate = Rate::default();
        taken(&mut rate, 0, 50, 20_000);
        assert_eq!(taken(&mut rate, 3_000, 100, 0), 100);
    }
}
