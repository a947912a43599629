//! The figures follow the log, and a restart takes them up where they were.

use crate::common::*;
use base::{Instant, Now, Wall};
use shell_store::{Metrics, MetricsOptions, Store, Writer};
use std::path::Path;
use std::sync::Arc;

fn options() -> MetricsOptions {
    let now = Now { mono: Instant(9_000_000_000), wall: Wall(1_800_000_009_000_000) };
    MetricsOptions {
        clock: Arc::new(move || now),
        window: Box::new(|now| (Wall(now.wall.0 - 86_400_000_000), Wall(now.wall.0 + 86_400_000_000))),
        formula: metrics::Formula::default(),
        formulas: Default::default(),
        changed: Box::new(|| {}),
    }
}

fn run(dir: &Path, calls: std::ops::Range<u32>) -> Arc<metrics::Figures> {
    let store = Arc::new(Store::open(dir).unwrap());
    let epoch = store.begin_epoch().unwrap();
    let writer = Writer::start(store.clone(), epoch).unwrap();
    let figures = Metrics::start(store, &writer.handle(), options()).unwrap();
    writer.handle().facts(vec![started()]);
    for n in calls {
        let call = format!("1-{epoch}-{n}").parse().unwrap();
        writer.handle().facts(vec![arrived(call), answered(call), ended(call)]);
    }
    writer.close();
    figures.close()
}

#[test]
fn they_are_published_while_the_log_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let store = Arc::new(Store::open(dir.path()).unwrap());
    let writer = Writer::start(store.clone(), 1).unwrap();
    let figures = Metrics::start(store, &writer.handle(), options()).unwrap();
    let seen = figures.figures();
    assert_eq!(seen.load().totals.visits.service_level_formula, "short_excluded", "there are figures from the first moment");
    let call = "1-1-1".parse().unwrap();
    writer.handle().facts(vec![started(), arrived(call)]);
    wait_until(|| seen.load().totals.calls.in_ivr == 1);
    assert_eq!(seen.load().queues.len(), 1, "a queue has figures before its first visit");
    writer.handle().facts(vec![ended(call)]);
    wait_until(|| seen.load().totals.calls.ivr_abandoned == 1);
    writer.close();
    assert_eq!(figures.close().totals.calls.in_ivr, 0);
}

#[test]
fn a_restart_continues_from_the_checkpoint_and_a_lost_one_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    run(dir.path(), 0..10);
    run(dir.path(), 0..5);
    let kept = run(dir.path(), 0..3);
    assert_eq!((kept.totals.calls.incoming, kept.totals.calls.ivr_abandoned, kept.events), (18, 18, 57));
    for spoil in ["DELETE FROM checkpoint", "UPDATE checkpoint SET state = x'00'", "UPDATE checkpoint SET place = place + 1"] {
        sql(dir.path()).execute(spoil, []).unwrap();
        let store = Arc::new(Store::open(dir.path()).unwrap());
        let writer = Writer::start(store.clone(), 99).unwrap();
        let figures = Metrics::start(store, &writer.handle(), options()).unwrap();
        writer.close();
        assert_eq!(*figures.close(), *kept, "after {spoil}");
    }
}

#[test]
fn a_fact_that_does_not_read_stops_the_figures_with_an_alarm_that_says_which() {
    let dir = tempfile::tempdir().unwrap();
    run(dir.path(), 0..1);
    sql(dir.path())
        .execute("INSERT INTO fact (place, time, type, form, json) VALUES ((9 << 40) + 1, 0, 'call.flown', 9, '{}')", [])
        .unwrap();
    let store = Arc::new(Store::open(dir.path()).unwrap());
    let writer = Writer::start(store.clone(), 10).unwrap();
    let figures = Metrics::start(store, &writer.handle(), options()).unwrap();
    wait_until(|| figures.failing().is_some_and(|why| why.contains("the log at 9-1")));
    assert_eq!(figures.figures().load().totals.calls.incoming, 1, "what was counted before still shows");
}
