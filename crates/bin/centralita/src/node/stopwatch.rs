//! How long the decision thread takes, counted where it is read without a lock.

use shell_web::Histogram;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Upper bounds in seconds: from what one decision costs to what a caller would notice.
const BOUNDS: [f64; 13] = [25e-6, 50e-6, 100e-6, 250e-6, 500e-6, 1e-3, 2.5e-3, 5e-3, 10e-3, 25e-3, 50e-3, 100e-3, 1.0];

/// What is measured of the decision thread, by the thread's own clock.
#[derive(Default)]
pub struct Stopwatches {
    pub batch: Stopwatch,
    pub audit: Stopwatch,
    pub snapshot: Stopwatch,
    /// On a thread of its own.
    pub snapshot_audit: Stopwatch,
}

impl Stopwatches {
    pub fn shown(&self) -> Vec<Histogram> {
        vec![
            self.batch.shown("decision_batch_seconds", "From taking inputs to the last of them applied, with what it made sent."),
            self.audit.shown(
                "decision_audit_seconds",
                "The input with which the live audit's share is made, once a second; audit_round_beats says in how many of \
                 them everything is looked at.",
            ),
            self.snapshot.shown("decision_snapshot_seconds", "Making the snapshot that readers see."),
            self.snapshot_audit.shown("snapshot_audit_seconds", "The live audit of that snapshot, on a thread of its own."),
        ]
    }
}

/// One distribution: a writer, any number of readers.
#[derive(Default)]
pub struct Stopwatch {
    /// By the first bound that is not passed; what passes them all is only in the count.
    within: [AtomicU64; BOUNDS.len()],
    count: AtomicU64,
    nanos: AtomicU64,
}

impl Stopwatch {
    pub fn note(&self, took: Duration) {
        let seconds = took.as_secs_f64();
        if let Some(within) = BOUNDS.iter().position(|bound| seconds <= *bound).and_then(|at| self.within.get(at)) {
            within.fetch_add(1, Ordering::Relaxed);
        }
        self.nanos.fetch_add(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
        self.count.fetch_add(1, Ordering::Relaxed);
    }

    fn shown(&self, name: &'static str, help: &'static str) -> Histogram {
        let mut so_far = 0;
        let buckets = BOUNDS.iter().zip(&self.within).map(|(bound, within)| {
            so_far += within.load(Ordering::Relaxed);
            (*bound, so_far)
        });
        let buckets: Vec<(f64, u64)> = buckets.collect();
        // The thread counts meanwhile: no bucket shall hold more than all.
        let count = self.count.load(Ordering::Relaxed).max(so_far);
        Histogram { name, help, buckets, count, sum: self.nanos.load(Ordering::Relaxed) as f64 / 1e9 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_time_is_counted_within_every_bound_that_it_does_not_pass() {
        let watch = Stopwatch::default();
        for took in [Duration::from_micros(25), Duration::from_micros(600), Duration::from_secs(2)] {
            watch.note(took);
        }
        let shown = watch.shown("x_seconds", "x");
        let within = |bound: f64| shown.buckets.iter().find(|(b, _)| *b == bound).unwrap().1;
        assert_eq!((within(25e-6), within(500e-6), within(1e-3), within(1.0)), (1, 1, 2, 2));
        assert_eq!(shown.count, 3);
        assert!((shown.sum - 2.000_625).abs() < 1e-9);
    }
}
