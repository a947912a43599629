//! The expected wait against the wait.

use study::estimates::{days, rivals};

/// metrics.md, expected wait time: the true wait is under the P90 in 88 to 92 % of visits.
#[test]
fn under_the_p90_are_88_to_92_percent_of_the_waits_on_days_of_every_sort() {
    for day in days() {
        let name = day.name;
        let quotes = day.run(1);
        let all = quotes.coverage();
        assert!(all.visits > 10_000, "{name}: {all:?}");
        assert!((0.88..=0.92).contains(&all.p90), "{name}: {all:?}");
        assert!((0.46..=0.54).contains(&all.p50), "{name}: {all:?}");
        for (wish, of) in quotes.by_wish() {
            assert!((0.87..=0.93).contains(&of.p90), "{name}, {wish}: {of:?}");
        }
    }
}

/// metrics.md, expected wait time: errors on M/M/100 at 95 % load.
#[test]
fn the_decision_core_is_nearer_to_the_wait_than_head_of_line_last_served_and_asterisk() {
    let rivals = rivals(1, 600_000);
    let [position, ours, others @ ..] = rivals.as_slice() else { panic!("{rivals:?}") };
    assert!(ours.measured < position.measured * 1.08, "{rivals:?}");
    assert!(others.iter().all(|other| ours.measured < other.measured * 0.85), "{rivals:?}");
    for known in rivals.iter().filter(|r| r.known.is_some()) {
        let off = known.measured / known.known.unwrap_or(1.0) - 1.0;
        assert!(off.abs() < 0.1, "{known:?}");
    }
}
