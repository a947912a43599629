//! Many days, on every core, from a base of seeds that each commit has for itself.

use crate::{Failure, Plan, Summary, run};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

/// Where the seeds of a run begin, and why there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Base {
    pub seed: u64,
    pub from: String,
}

/// From the commit that is checked out, so that each explores new days; without one, always the same.
pub fn base() -> Base {
    let head = Command::new("git").args(["rev-parse", "HEAD"]).current_dir(env!("CARGO_MANIFEST_DIR")).output();
    let commit = head.ok().and_then(|out| String::from_utf8(out.stdout).ok()).unwrap_or_default();
    let commit = commit.trim();
    let seed = commit.get(..10).and_then(|digits| u64::from_str_radix(digits, 16).ok());
    match seed {
        Some(seed) => Base { seed: seed * 100_000, from: format!("commit {}", &commit[..10]) },
        None => Base { seed: 1_000_000, from: "no commit".into() },
    }
}

/// Days to simulate.
#[derive(Clone, Copy, Debug)]
pub struct Batch {
    pub from: u64,
    pub seeds: u64,
    pub inputs: usize,
    /// Stop at the first failure.
    pub one_failure: bool,
}

/// What came of them.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    pub total: Summary,
    pub failures: Vec<Failure>,
}

pub fn batch(batch: Batch) -> Outcome {
    let (next, stop, outcome) = (AtomicU64::new(0), AtomicBool::new(false), Mutex::new(Outcome::default()));
    let work = || {
        while !stop.load(Ordering::Relaxed) {
            let n = next.fetch_add(1, Ordering::Relaxed);
            if n >= batch.seeds {
                return;
            }
            let day = run(&Plan::new(batch.from + n, batch.inputs));
            let mut outcome = outcome.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            match day {
                Ok(day) => outcome.total.add(&day),
                Err(failure) => {
                    outcome.failures.push(failure);
                    stop.store(batch.one_failure, Ordering::Relaxed);
                }
            }
        }
    };
    let cores = thread::available_parallelism().map_or(1, |n| n.get());
    thread::scope(|scope| (0..cores).for_each(|_| drop(scope.spawn(work))));
    let mut outcome = outcome.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner());
    outcome.failures.sort_by_key(|failure| failure.seed);
    outcome
}
