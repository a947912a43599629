//! Where a visit stands in its queue's line.
//!
//! Score = (seconds waited + credit) x weight + priority seconds, and every visit of a queue ages at the same
//! weight. So the part that does not depend on the moment orders the line once and for all.

use crate::visit::VisitKey;
use base::{Instant, VisitId};
use std::time::Duration;

const SECOND: i128 = 1_000_000_000;

/// Smaller is served first; of equals the visit with the earlier id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    /// (entered - credit) x weight - priority, in nanoseconds.
    key: i128,
    pub id: VisitId,
    pub visit: VisitKey,
}

impl Place {
    pub fn new(id: VisitId, visit: VisitKey, entered: Instant, credit: Duration, priority_s: i64, weight: u32) -> Self {
        let since = i128::from(entered.0) - i128::from(u64::try_from(credit.as_nanos()).unwrap_or(u64::MAX));
        Place { key: since * i128::from(weight) - i128::from(priority_s) * SECOND, id, visit }
    }

    /// The part of the score that does not depend on the moment.
    pub fn key(&self) -> i128 {
        self.key
    }

    /// By how much its key is higher.
    pub fn behind(&self, first: &Place) -> i128 {
        self.key.saturating_sub(first.key)
    }

    /// In nanoseconds: compares among queues of different weights.
    pub fn score(self, now: Instant, weight: u32) -> i128 {
        // 64 bits by 32 bits: there is room for it, and a product that is not checked costs a tenth.
        i128::from(now.0).wrapping_mul(i128::from(weight)) - self.key
    }
}

pub(crate) fn millis(score: i128) -> i64 {
    // Nearly every score fits, and is divided in a tenth of the time.
    if let Ok(score) = i64::try_from(score) {
        return score.div_euclid(1_000_000);
    }
    let millis = score.div_euclid(1_000_000);
    i64::try_from(millis).unwrap_or(if millis < 0 { i64::MIN } else { i64::MAX })
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::CallId;

    #[test]
    fn the_score_is_waiting_times_weight_plus_priority() {
        let id = VisitId { call: CallId { node: 1, epoch: 1, n: 1 }, n: 1 };
        let at = |s: u64| Instant(s * 1_000_000_000);
        let new = |entered, credit, priority, weight| Place::new(id, VisitKey(0), entered, credit, priority, weight);
        let place = new(at(10), Duration::from_secs(4), 7, 3);
        assert_eq!(millis(place.score(at(15), 3)), (5 + 4) * 3_000 + 7_000);
        let early = new(at(1), Duration::from_secs(60), -100, 2);
        assert_eq!(millis(early.score(at(1), 2)), 20_000);
        let most = new(at(0), Duration::MAX, i64::MAX, u32::MAX);
        assert_eq!(millis(most.score(Instant(u64::MAX), u32::MAX)), i64::MAX);
    }
}
