//! A mergeable histogram of milliseconds: logarithmic in octaves, each of 64 equal bins, so that a value is known
//! to 1.6 %. Sparse, since a quarter hour of one queue holds few distinct waits.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

const BITS: u32 = 6;
const LINEAR: u64 = 1 << (BITS + 1);

/// Counts by bin. Two add up to what one over both would hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Histogram {
    bins: BTreeMap<u16, u64>,
}

impl Histogram {
    pub fn record(&mut self, ms: u64) {
        *self.bins.entry(bin_of(ms)).or_insert(0) += 1;
    }

    pub fn merge(&mut self, other: &Histogram) {
        for (bin, n) in &other.bins {
            *self.bins.entry(*bin).or_insert(0) += n;
        }
    }

    pub fn count(&self) -> u64 {
        self.bins.values().sum()
    }

    /// The smallest value that at least the share `p` of all does not exceed (nearest rank), as the upper edge of its
    /// bin: never below the true one, at most 1.6 % above. None when empty.
    pub fn percentile(&self, p: f64) -> Option<u64> {
        let rank = ((self.count() as f64 * p).ceil() as u64).max(1);
        let mut seen = 0;
        for (bin, n) in &self.bins {
            seen += n;
            if seen >= rank {
                return Some(upper_edge(*bin));
            }
        }
        None
    }
}

/// Values below 128 have a bin each; above, the 7 leading bits and the octave name the bin.
fn bin_of(ms: u64) -> u16 {
    if ms < LINEAR {
        return ms as u16;
    }
    let shift = 63 - ms.leading_zeros() - BITS;
    ((shift as u16) << BITS) + (ms >> shift) as u16
}

fn upper_edge(bin: u16) -> u64 {
    if u64::from(bin) < LINEAR {
        return u64::from(bin);
    }
    let shift = (u32::from(bin) >> BITS) - 1;
    let lead = u64::from(bin) - (u64::from(shift) << BITS);
    // The last bin of all ends at the largest value.
    ((u128::from(lead) + 1) << shift).saturating_sub(1).min(u128::from(u64::MAX)) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn percentiles_are_nearest_ranks() {
        let mut h = Histogram::default();
        assert_eq!(h.percentile(0.5), None);
        (1..=100).for_each(|ms| h.record(ms));
        assert_eq!(
            (h.percentile(0.5), h.percentile(0.9), h.percentile(0.99), h.percentile(1.0)),
            (Some(50), Some(90), Some(99), Some(100))
        );
    }

    proptest! {
        #[test]
        fn a_value_is_known_to_one_sixty_fourth_and_bins_keep_the_order(a: u64, b: u64) {
            let edge = upper_edge(bin_of(a));
            prop_assert!(edge >= a && edge - a <= a / 64);
            prop_assert!((a <= b) == (bin_of(a) <= bin_of(b)) || bin_of(a) == bin_of(b));
        }

        #[test]
        fn merged_is_as_if_recorded_in_one(a in proptest::collection::vec(0u64..10_000_000, 0..50), b in proptest::collection::vec(0u64..10_000_000, 0..50)) {
            let of = |values: &[u64]| { let mut h = Histogram::default(); values.iter().for_each(|v| h.record(*v)); h };
            let mut merged = of(&a);
            merged.merge(&of(&b));
            prop_assert_eq!(merged, of(&[a, b].concat()));
        }
    }
}
