//! What an interval counts beside calls and visits: callbacks, transfers, the estimator's error, supervisors.

use base::fact::{CallbackEnd, Transfer};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

macro_rules! add_up {
    ($to:ident, $from:ident: $($field:ident)*) => { $($to.$field += $from.$field;)* };
}
pub(crate) use add_up;

/// Basis: arrival, the request; but `attempts` and `places` at the event.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CallbackSums {
    pub requested: u64,
    pub connected: u64,
    pub failed: u64,
    pub joined: u64,
    pub cancelled: u64,
    pub attempts: u64,
    pub places: u64,
    /// Of those connected, since the call's first queue.
    pub connected_wait_ms: u64,
}

impl CallbackSums {
    pub(crate) fn merge(&mut self, o: &CallbackSums) {
        add_up!(self, o: requested connected failed joined cancelled attempts places connected_wait_ms);
    }

    pub(crate) fn record(&mut self, end: CallbackEnd, wait_ms: u64) {
        match end {
            CallbackEnd::Connected => {
                self.connected += 1;
                self.connected_wait_ms += wait_ms;
            }
            CallbackEnd::Failed => self.failed += 1,
            CallbackEnd::Joined => self.joined += 1,
            CallbackEnd::Cancelled => self.cancelled += 1,
        }
    }
}

/// Basis: the end of the conversation that was passed on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TransferSums {
    pub blind: u64,
    pub attended: u64,
    pub to_queue: u64,
    pub external: u64,
}

impl TransferSums {
    pub(crate) fn merge(&mut self, o: &TransferSums) {
        add_up!(self, o: blind attended to_queue external);
    }

    pub(crate) fn record(&mut self, kind: Transfer) {
        *match kind {
            Transfer::Blind => &mut self.blind,
            Transfer::Attended => &mut self.attended,
            Transfer::ToQueue => &mut self.to_queue,
            Transfer::External => &mut self.external,
        } += 1;
    }
}

/// What the estimator said at the entry against what answered visits then waited. Basis: arrival, the visit's entry.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ExpectedSums {
    pub visits: u64,
    pub within_p50: u64,
    pub within_p90: u64,
    /// The true wait less the P50, summed, and its squares in ms².
    pub error_ms: i64,
    pub squares: u128,
}

impl ExpectedSums {
    pub(crate) fn merge(&mut self, o: &ExpectedSums) {
        add_up!(self, o: visits within_p50 within_p90 error_ms squares);
    }

    pub(crate) fn record(&mut self, wait_ms: u64, p50_ms: u64, p90_ms: u64) {
        // Beyond 34 years it is no wait; so the sums never overflow.
        let whole = |ms: u64| i64::try_from(ms).unwrap_or(i64::MAX).min(1 << 40);
        let error = whole(wait_ms) - whole(p50_ms);
        self.visits += 1;
        self.within_p50 += u64::from(wait_ms <= p50_ms);
        self.within_p90 += u64::from(wait_ms <= p90_ms);
        self.error_ms += error;
        self.squares += u128::from(error.unsigned_abs()).pow(2);
    }
}

/// Basis: event.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SupervisionSums {
    pub acts: u64,
    pub monitors: u64,
    pub monitored_ms: u64,
}

impl SupervisionSums {
    pub(crate) fn merge(&mut self, o: &SupervisionSums) {
        add_up!(self, o: acts monitors monitored_ms);
    }
}

/// Adds one under `key`.
pub(crate) fn count_up<K: Ord>(counts: &mut BTreeMap<K, u64>, key: K) {
    *counts.entry(key).or_insert(0) += 1;
}

/// Takes one back; what has none left is not named.
pub(crate) fn count_down<K: Ord>(counts: &mut BTreeMap<K, u64>, key: &K) {
    if let Some(n) = counts.get_mut(key) {
        *n = n.saturating_sub(1);
        if *n == 0 {
            counts.remove(key);
        }
    }
}
