//! How legs sounded, as distributions over those that closed. Sums and counts in whole units; what is shown is made of
//! them.

use base::quality::{LegQuality, Rated};
use serde::{Deserialize, Serialize};

/// Hundredths of MOS: where G.107 Annex B (Table B.1) divides satisfied users from others, and two below.
const MOS: Bounds = Bounds { unit: 100.0, upto: &[150, 200, 258, 310, 360, 403, 434] };
/// Hundred-thousandths.
const LOSS: Bounds = Bounds { unit: 1e5, upto: &[0, 100, 500, 1_000, 2_000, 3_000, 5_000, 10_000, 20_000] };
/// Microseconds.
const JITTER: Bounds = Bounds { unit: 1e6, upto: &[1_000, 2_000, 5_000, 10_000, 20_000, 30_000, 50_000, 100_000, 200_000] };
const ROUND_TRIP: Bounds =
    Bounds { unit: 1e6, upto: &[10_000, 20_000, 50_000, 100_000, 150_000, 200_000, 300_000, 400_000, 600_000, 1_000_000] };

/// Upper bounds of buckets, in whole units of which so many are one.
struct Bounds {
    unit: f64,
    upto: &'static [u64],
}

/// How many values there were up to each bound and beyond the one before, and beyond the last; and their sum.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    counts: Vec<u64>,
    sum: u64,
}

/// Basis: event, the end of the leg.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct QualitySums {
    legs: u64,
    reporting: u64,
    mos_received: Spread,
    mos_sent: Spread,
    loss_received: Spread,
    loss_sent: Spread,
    jitter_received: Spread,
    jitter_sent: Spread,
    round_trip: Spread,
}

/// Legs that closed in the window.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Quality {
    pub legs: u64,
    pub reporting: u64,
    pub mos_received: Distribution,
    pub mos_sent: Distribution,
    pub loss_received: Distribution,
    pub loss_sent: Distribution,
    pub jitter_received: Distribution,
    pub jitter_sent: Distribution,
    pub round_trip: Distribution,
}

/// MOS, shares or seconds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Distribution {
    /// Upper bounds, each with how many were no more.
    pub buckets: Vec<(f64, u64)>,
    pub count: u64,
    pub sum: f64,
}

impl QualitySums {
    pub(crate) fn record(&mut self, leg: &LegQuality) {
        self.legs += 1;
        let received = &leg.received;
        rate(&mut self.mos_received, &mut self.loss_received, received.rated);
        if received.packets > 0 {
            self.jitter_received.record(&JITTER, received.jitter_us);
        }
        if let Some(told) = &leg.sent.reported {
            self.reporting += 1;
            rate(&mut self.mos_sent, &mut self.loss_sent, told.rated);
            self.jitter_sent.record(&JITTER, told.jitter_us);
        }
        if let Some(us) = leg.round_trip_us {
            self.round_trip.record(&ROUND_TRIP, us);
        }
    }

    pub(crate) fn merge(&mut self, other: &QualitySums) {
        self.legs += other.legs;
        self.reporting += other.reporting;
        self.mos_received.merge(&other.mos_received);
        self.mos_sent.merge(&other.mos_sent);
        self.loss_received.merge(&other.loss_received);
        self.loss_sent.merge(&other.loss_sent);
        self.jitter_received.merge(&other.jitter_received);
        self.jitter_sent.merge(&other.jitter_sent);
        self.round_trip.merge(&other.round_trip);
    }

    pub(crate) fn figures(&self) -> Quality {
        Quality {
            legs: self.legs,
            reporting: self.reporting,
            mos_received: self.mos_received.shown(&MOS),
            mos_sent: self.mos_sent.shown(&MOS),
            loss_received: self.loss_received.shown(&LOSS),
            loss_sent: self.loss_sent.shown(&LOSS),
            jitter_received: self.jitter_received.shown(&JITTER),
            jitter_sent: self.jitter_sent.shown(&JITTER),
            round_trip: self.round_trip.shown(&ROUND_TRIP),
        }
    }
}

fn rate(mos: &mut Spread, loss: &mut Spread, rated: Rated) {
    // Neither is negative, and both are rounded to whole units already.
    let whole = |value: f64, bounds: &Bounds| (value * bounds.unit).round() as u64;
    if let Some(value) = rated.mos {
        mos.record(&MOS, whole(value, &MOS));
    }
    if let Some(value) = rated.loss {
        loss.record(&LOSS, whole(value, &LOSS));
    }
}

impl Spread {
    fn record(&mut self, bounds: &Bounds, value: u64) {
        self.counts.resize(bounds.upto.len() + 1, 0);
        let place = bounds.upto.partition_point(|bound| *bound < value);
        self.counts.get_mut(place).into_iter().for_each(|count| *count += 1);
        self.sum = self.sum.saturating_add(value);
    }

    fn merge(&mut self, other: &Spread) {
        self.counts.resize(self.counts.len().max(other.counts.len()), 0);
        self.counts.iter_mut().zip(&other.counts).for_each(|(count, more)| *count += more);
        self.sum = self.sum.saturating_add(other.sum);
    }

    fn shown(&self, bounds: &Bounds) -> Distribution {
        let mut upto = 0;
        let counts = self.counts.iter().copied().chain(std::iter::repeat(0));
        let buckets = bounds.upto.iter().zip(counts).map(|(bound, count)| {
            upto += count;
            (*bound as f64 / bounds.unit, upto)
        });
        let buckets = buckets.collect();
        Distribution { buckets, count: self.counts.iter().sum(), sum: self.sum as f64 / bounds.unit }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_counts_up_to_its_bound_and_in_all_above() {
        let mut spread = Spread::default();
        [150, 151, 440].into_iter().for_each(|mos| spread.record(&MOS, mos));
        let mut twice = spread.clone();
        twice.merge(&spread);
        let shown = twice.shown(&MOS);
        assert_eq!((&shown.buckets[..3], shown.count), (&[(1.5, 2), (2.0, 4), (2.58, 4)][..], 6));
        assert_eq!((shown.buckets[6], shown.sum), ((4.34, 4), 14.82));
        assert_eq!(Spread::default().shown(&MOS).buckets[6], (4.34, 0), "nothing yet is all its buckets");
    }
}
