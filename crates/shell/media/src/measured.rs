//! What open legs counted so far, for whoever looks at a call. The media thread never waits for a reader: what it can't
//! put down now it puts down with the next report.

use base::{CallId, LegId};
use media::Stats;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, TryLockError};

/// By leg, over all media threads.
#[derive(Default)]
pub(crate) struct Measured(Mutex<BTreeMap<LegId, Stats>>);

impl Measured {
    pub fn of(&self, call: CallId) -> Vec<(LegId, Stats)> {
        let legs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (first, last) = (LegId { call, n: 0 }, LegId { call, n: u16::MAX });
        legs.range(first..=last).map(|(leg, stats)| (*leg, *stats)).collect()
    }
}

/// One media thread's side of it.
pub(crate) struct Teller {
    to: Arc<Measured>,
    /// In order, of each leg the newest; `None`: it has closed.
    waits: BTreeMap<LegId, Option<Stats>>,
}

impl Teller {
    pub fn new(to: Arc<Measured>) -> Self {
        Teller { to, waits: BTreeMap::new() }
    }

    pub fn tell(&mut self, leg: LegId, stats: Stats) {
        self.put(leg, Some(stats));
    }

    pub fn forget(&mut self, leg: LegId) {
        self.put(leg, None);
    }

    fn put(&mut self, leg: LegId, stats: Option<Stats>) {
        self.waits.insert(leg, stats);
        let mut legs = match self.to.0.try_lock() {
            Ok(legs) => legs,
            Err(TryLockError::Poisoned(left)) => left.into_inner(),
            Err(TryLockError::WouldBlock) => return,
        };
        for (leg, stats) in std::mem::take(&mut self.waits) {
            match stats {
                Some(stats) => drop(legs.insert(leg, stats)),
                None => drop(legs.remove(&leg)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_holds_nobody_up_and_a_closed_leg_is_gone() {
        let call = CallId { node: 1, epoch: 1, n: 1 };
        let leg = |n| LegId { call, n };
        let measured = Arc::new(Measured::default());
        let mut teller = Teller::new(measured.clone());
        let stats = |sent| Stats { sent, ..Stats::default() };
        teller.tell(leg(1), stats(1));
        teller.tell(LegId { call: CallId { n: 2, ..call }, n: 1 }, stats(9));
        let reader = measured.0.lock().unwrap();
        teller.tell(leg(1), stats(2));
        teller.tell(leg(2), stats(3));
        teller.forget(leg(1));
        drop(reader);
        assert_eq!(measured.of(call), [(leg(1), stats(1))], "as it was before");
        teller.tell(leg(3), stats(4));
        assert_eq!(measured.of(call), [(leg(2), stats(3)), (leg(3), stats(4))]);
    }
}
