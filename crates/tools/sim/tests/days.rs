//! Whole days of the centre from seeds that each commit has for itself. `sim --seeds 10000` runs more of them, and so
//! does `CENTRALITA_LONG=1`.

use sim::{Batch, Outcome, Plan, base, batch, run, shrink};
use std::time::Duration;

/// A debug build is slower: it runs fewer, so that it stays a matter of seconds.
const LESS: u64 = if cfg!(debug_assertions) { 10 } else { 1 };

fn long() -> bool {
    std::env::var_os("CENTRALITA_LONG").is_some()
}

/// Runs them all; what fails is told as a short script.
fn days(seeds: u64, inputs: usize) -> Outcome {
    let base = base();
    println!("{seeds} days of {inputs} inputs from seed {} ({})", base.seed, base.from);
    let outcome = batch(Batch { from: base.seed, seeds, inputs, one_failure: true });
    if let Some(failure) = outcome.failures.first() {
        match shrink(&Plan::new(failure.seed, inputs), Duration::from_secs(60)) {
            Some(shrunk) => panic!("{shrunk}"),
            None => panic!("{failure}, and not again: it depends on more than its seed"),
        }
    }
    println!("{}", outcome.total);
    outcome
}

#[test]
fn in_a_thousand_days_each_law_holds_and_each_journal_replays() {
    let seeds = if long() { 10_000 } else { 1_000 / LESS };
    let total = days(seeds, 300).total;
    // A simulation in which nothing happens finds nothing.
    for (what, n) in total.parts() {
        let least = match what {
            "days" => seeds,
            "inputs" => seeds * 300,
            "calls" | "visits" | "answered" | "conversations" => seeds * 3,
            "abandoned" | "overflowed" | "transfers" | "own calls" => seeds / 2,
            "monitored" | "messages" | "forwarded" => seeds / 8,
            // Some seventy and twenty in a thousand days.
            "called back" => seeds / 100,
            "conferences" => seeds / 250,
            _ => seeds / 64,
        };
        assert!(n >= least, "{n} {what} are few: {total}");
    }
}

#[test]
fn long_days_with_crashes_and_reloads_hold_too() {
    let seeds = if long() { 1_000 } else { 60 / LESS };
    let total = days(seeds, 2_000).total;
    // Six days of a debug build may well have two reloads; the law of large numbers is for the others.
    let few = if seeds < 60 { 0 } else { seeds / 5 };
    assert!(total.crashes > few && total.reloads > few, "{total}");
}

#[test]
fn the_same_seed_is_the_same_day() {
    for seed in base().seed..base().seed + 5 {
        let plan = Plan::new(seed, 1_000);
        assert_eq!(run(&plan), run(&plan), "seed {seed}");
    }
}
