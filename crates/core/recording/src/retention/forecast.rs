//! When a budget or a disk will be full, if recordings go on coming as they did in the last week.

use super::{Row, Span, Sum};
use base::{Tenant, Wall};
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Duration;

pub const DAY: Duration = Duration::from_secs(86_400);
/// So many days are looked at: ten years.
pub const HORIZON: u32 = 3_653;
/// The rate is that of so many days.
const WINDOW: u32 = 7;
/// What is younger says little of a day: its busy hours may be all there is, or its night.
const LEAST: Duration = Duration::from_secs(43_200);

/// Bytes of audio by tenant; of all if there is none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Forecast {
    pub tenant: Option<Tenant>,
    /// On the disk once the plan is carried out.
    pub bytes: u64,
    pub budget: Option<u64>,
    /// What comes: the mean of the last seven days, or since the oldest recording. None while that is younger than half a
    /// day, which is too little to tell by; less than a day counts as one.
    pub bytes_per_day: Option<u64>,
    /// From how long that is drawn, or what there is of it.
    pub drawn_from: Duration,
    /// When the budget is reached; none if the maximums free as much before, not within ten years, or without a rate.
    pub full: Option<Wall>,
    /// Bytes on the disk at the end of each of the next days, at that rate; empty without one.
    #[serde(skip)]
    pub ahead: Vec<u64>,
}

impl Forecast {
    /// When this much more than now is on the disk; for the disk's free space.
    pub fn reaches(&self, now: Wall, more: u64) -> Option<Wall> {
        let limit = self.bytes.saturating_add(more);
        reached(&self.ahead, limit).map(|day| now.plus(DAY * day))
    }
}

fn reached(ahead: &[u64], limit: u64) -> Option<u32> {
    ahead.iter().position(|bytes| *bytes > limit).and_then(|day| u32::try_from(day + 1).ok())
}

/// What comes and what goes.
pub(super) struct Flow {
    now: Wall,
    oldest: Option<Wall>,
    /// Bytes of the window, by tenant and maximum in days.
    came: BTreeMap<(Option<Tenant>, Option<u32>), u64>,
    /// What reaches its maximum, by tenant and day.
    goes: BTreeMap<Option<Tenant>, BTreeMap<u32, Sum>>,
}

impl Flow {
    pub fn new(now: Wall) -> Self {
        Flow { now, oldest: None, came: BTreeMap::new(), goes: BTreeMap::new() }
    }

    pub fn came(&mut self, row: &Row, span: Span) {
        self.oldest = Some(self.oldest.map_or(row.started, |oldest| oldest.min(row.started)));
        if self.now.since(row.started) < DAY * WINDOW {
            let maximum = span.maximum.map(|maximum| u32::try_from(maximum.as_secs() / DAY.as_secs()).unwrap_or(u32::MAX));
            let bytes = self.came.entry((row.tenant.clone(), maximum)).or_default();
            *bytes = bytes.saturating_add(row.bytes);
        }
    }

    pub fn goes(&mut self, row: &Row, until: Wall) {
        let day = u32::try_from(until.since(self.now).as_secs() / DAY.as_secs()).unwrap_or(u32::MAX);
        self.goes.entry(row.tenant.clone()).or_default().entry(day).or_default().add(row.bytes);
    }

    pub fn due(&self) -> BTreeMap<u32, Sum> {
        let mut due: BTreeMap<u32, Sum> = BTreeMap::new();
        for (day, sum) in self.goes.values().flatten() {
            let all = due.entry(*day).or_default();
            *all = Sum { recordings: all.recordings + sum.recordings, bytes: all.bytes.saturating_add(sum.bytes) };
        }
        due
    }

    /// Of one tenant, or of all.
    pub fn forecast(&self, tenant: Option<Tenant>, bytes: u64, budget: Option<u64>) -> Forecast {
        let drawn_from = self.oldest.map_or(Duration::ZERO, |oldest| self.now.since(oldest)).min(DAY * WINDOW);
        if drawn_from < LEAST {
            return Forecast { tenant, bytes, budget, bytes_per_day: None, drawn_from, full: None, ahead: Vec::new() };
        }
        let of = |other: &Option<Tenant>| tenant.is_none() || *other == tenant;
        let seconds = u128::from(drawn_from.max(DAY).as_secs());
        let a_day = |bytes: u64| u64::try_from(u128::from(bytes) * u128::from(DAY.as_secs()) / seconds).unwrap_or(u64::MAX);
        let rates: Vec<(Option<u32>, u64)> =
            self.came.iter().filter(|((whose, _), _)| of(whose)).map(|((_, maximum), bytes)| (*maximum, a_day(*bytes))).collect();
        let ahead = self.ahead(bytes, &rates, &of);
        let full = budget.and_then(|budget| reached(&ahead, budget)).map(|day| self.now.plus(DAY * day));
        let bytes_per_day = Some(rates.iter().fold(0u64, |sum, (_, rate)| sum.saturating_add(*rate)));
        Forecast { tenant, bytes, budget, bytes_per_day, drawn_from, full, ahead }
    }

    /// What is on the disk day by day, if so much comes, by maximum in days.
    fn ahead(&self, bytes: u64, rates: &[(Option<u32>, u64)], of: &dyn Fn(&Option<Tenant>) -> bool) -> Vec<u64> {
        let mut on_disk = bytes;
        let mut ahead = Vec::with_capacity(HORIZON as usize);
        for day in 0..HORIZON {
            // What comes from now on goes in its turn.
            for (maximum, rate) in rates {
                if maximum.is_none_or(|maximum| day < maximum) {
                    on_disk = on_disk.saturating_add(*rate);
                }
            }
            let gone = self.goes.iter().filter(|(whose, _)| of(whose)).filter_map(|(_, days)| days.get(&day));
            on_disk = gone.fold(on_disk, |left, sum| left.saturating_sub(sum.bytes));
            ahead.push(on_disk);
        }
        ahead
    }
}
