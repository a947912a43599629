//! Whole days of the centre from seeds. `sim --seeds 10000` runs more of them.

use sim::{Plan, Summary, run};

/// In a debug build fewer, so that it stays a matter of seconds.
const SEEDS: u64 = if cfg!(debug_assertions) { 40 } else { 200 };

#[test]
fn on_every_day_calls_end_once_sums_hold_and_the_journal_replays() {
    let mut total = Summary::default();
    for seed in 0..SEEDS {
        match run(&Plan { seed, inputs: 2_000, trace: false }) {
            Ok(day) => total.add(&day),
            Err(failure) => panic!("{failure}\nagain: cargo run --release -p sim -- --inputs 2000 --seed {seed}"),
        }
    }
    // A simulation in which nothing happens finds nothing.
    assert!(total.answered > 5 * SEEDS && total.abandoned > 5 * SEEDS && total.overflowed > SEEDS, "{total}");
    assert!(total.crashes > SEEDS / 2 && total.reloads > SEEDS, "{total}");
}

#[test]
fn the_same_seed_is_the_same_day() {
    for seed in 0..5 {
        let plan = Plan { seed, inputs: 1_000, trace: false };
        assert_eq!(run(&plan), run(&plan), "seed {seed}");
    }
}
