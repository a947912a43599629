//! The log: what was handed over is there, in order, once, whatever happens to the disk or the consumers.

use crate::common::*;
use base::fact::What;
use base::{PartyId, Pii};
use shell_store::{Filter, Next, Promised, Store, StoreError, Writer};
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::time::Duration;

#[test]
fn facts_get_contiguous_places_and_an_epoch_is_never_used_twice() {
    let dir = tempfile::tempdir().unwrap();
    for epoch in 1..=3 {
        let store = Arc::new(Store::open(dir.path()).unwrap());
        assert_eq!(store.begin_epoch().unwrap(), epoch);
        assert_eq!(store.boot_id(epoch).unwrap().unwrap().len(), 32);
        let writer = Writer::start(store.clone(), epoch).unwrap();
        writer.handle().facts(vec![loaded(), beat(1)]);
        writer.handle().facts(vec![beat(2)]);
        let health = writer.close();
        assert_eq!((health.newest, health.lost, health.failing), ((epoch, 3), 0, None));
        assert_eq!(places(&store.read_facts(&all()).unwrap()).len(), 3 * epoch as usize);
    }
    let store = Arc::new(Store::open(dir.path()).unwrap());
    let expected: Vec<_> = (1..=3).flat_map(|e| (1..=3).map(move |s| (e, s))).collect();
    assert_eq!(places(&store.read_facts(&all()).unwrap()), expected);
    let last: Vec<_> = store.last_epoch_facts(4).unwrap().map(|l| l.unwrap()).collect();
    assert_eq!(places(&last), [(3, 1), (3, 2), (3, 3)]);
    assert_eq!(store.last_epoch_facts(1).unwrap().count(), 0);
}

#[test]
fn the_last_epoch_is_the_last_that_began() {
    let dir = tempfile::tempdir().unwrap();
    let store = Arc::new(Store::open(dir.path()).unwrap());
    write(&store, 1, vec![loaded(), beat(1)]);
    // Epochs 2 and 3 died before their first fact; epoch 5 runs and its facts are not asked for.
    write(&store, 4, vec![beat(7)]);
    write(&store, 5, vec![loaded()]);
    let last: Vec<_> = store.last_epoch_facts(5).unwrap().map(|l| l.unwrap()).collect();
    assert_eq!(places(&last), [(1, 1), (1, 2), (4, 1)]);
}

#[test]
fn a_second_process_is_kept_out_and_told_who_is_in() {
    let dir = tempfile::tempdir().unwrap();
    let first = Store::open(dir.path()).unwrap();
    let Err(StoreError::InUse { process, .. }) = Store::open(dir.path()) else { panic!("opened twice") };
    assert_eq!(process, Some(std::process::id()));
    let message = Store::open(dir.path()).err().unwrap().to_string();
    assert!(message.contains("is in use by another centralita (process"), "{message}");
    drop(first);
    Store::open(dir.path()).unwrap();
}

#[test]
fn a_file_of_a_newer_form_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    drop(Store::open(dir.path()).unwrap());
    sql(dir.path()).pragma_update(None, "user_version", 99).unwrap();
    assert!(matches!(Store::open(dir.path()), Err(StoreError::TooNew { found: 99, known: 6, .. })));
}

#[test]
fn a_file_of_the_first_form_is_given_what_it_has_not() {
    let dir = tempfile::tempdir().unwrap();
    drop(Store::open(dir.path()).unwrap());
    let old = sql(dir.path());
    old.execute_batch("DROP TABLE user_to_user; DROP TABLE promise").unwrap();
    old.pragma_update(None, "user_version", 1).unwrap();
    drop(old);
    let store = Store::open(dir.path()).unwrap();
    assert_eq!(store.user_to_user("1-1-1".parse().unwrap()).unwrap(), None);
}

#[test]
fn a_promise_is_kept_as_long_as_it_stands_and_goes_with_its_party() {
    let dir = tempfile::tempdir().unwrap();
    let store = Arc::new(Store::open(dir.path()).unwrap());
    let tenant: base::Tenant = "acme".parse().unwrap();
    let promised = |party, text: &str| {
        let rendered = Pii::new(text.as_bytes().to_vec());
        Some(Promised { tenant: tenant.clone(), party: Some(PartyId(party)), rendered })
    };
    let (one, two) = ("1-1-1".parse().unwrap(), "1-1-2".parse().unwrap());
    let writer = Writer::start(store.clone(), 1).unwrap();
    writer.handle().promise(one, promised(7, "5512345678, no attempt"));
    writer.handle().promise(two, promised(8, "5587654321"));
    writer.handle().promise(one, promised(7, "5512345678, one attempt"));
    writer.close();
    drop(store);
    let mode = std::fs::metadata(dir.path().join("centralita.db")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "numbers are nobody else's business");
    let store = Arc::new(Store::open(dir.path()).unwrap());
    assert_eq!(store.promises().unwrap(), [b"5512345678, one attempt".to_vec(), b"5587654321".to_vec()]);
    store.erase_party(&tenant, PartyId(8)).unwrap();
    let writer = Writer::start(store.clone(), 2).unwrap();
    writer.handle().promise(one, None);
    writer.close();
    assert!(store.promises().unwrap().is_empty());
}

#[test]
fn facts_are_found_by_type_by_family_and_by_call() {
    let dir = tempfile::tempdir().unwrap();
    let store = Arc::new(Store::open(dir.path()).unwrap());
    let (one, two) = ("1-1-1".parse().unwrap(), "1-1-11".parse().unwrap());
    write(&store, 1, vec![loaded(), arrived(one), arrived(two), answered(one), ended(one)]);
    let find = |kind: Option<&str>, call| {
        let filter = Filter { kind: kind.map(Into::into), call, ..all() };
        store.read_facts(&filter).unwrap().iter().map(|l| l.seq).collect::<Vec<_>>()
    };
    assert_eq!(find(Some("call"), None), [2, 3, 4, 5]);
    assert_eq!(find(Some("call.arrived"), None), [2, 3]);
    assert_eq!(find(Some("call.arr"), None), [0u64; 0]);
    assert_eq!(find(None, Some(one)), [2, 4, 5]);
    assert_eq!(find(Some("call.ended"), Some(one)), [5]);
    // security.md, row 41: what comes from outside is a value, never a part of the query.
    assert_eq!(find(Some("call' OR 1=1 --"), None), [0u64; 0]);
    let newest = Filter { newest: true, limit: 2, ..all() };
    assert_eq!(places(&store.read_facts(&newest).unwrap()), [(1, 4), (1, 5)]);
    let page = Filter { after: (1, 2), limit: 2, ..all() };
    assert_eq!(places(&store.read_facts(&page).unwrap()), [(1, 3), (1, 4)]);
}

#[test]
fn the_log_can_only_grow() {
    let dir = tempfile::tempdir().unwrap();
    let store = Arc::new(Store::open(dir.path()).unwrap());
    write(&store, 1, vec![loaded()]);
    for change in ["UPDATE fact SET json = '{}'", "DELETE FROM fact"] {
        let error = sql(dir.path()).execute(change, []).unwrap_err().to_string();
        assert!(error.contains("append-only"), "{error}");
    }
}

#[test]
fn a_disk_that_does_not_answer_is_told_while_it_does_not() {
    let dir = tempfile::tempdir().unwrap();
    let store = Arc::new(Store::open(dir.path()).unwrap());
    let writer = Writer::start(store.clone(), store.begin_epoch().unwrap()).unwrap();
    let handle = writer.handle();
    // Whoever holds the file's lock stops every commit, as a disk does that hangs.
    let other = rusqlite::Connection::open(dir.path().join("centralita.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    handle.facts(vec![loaded(), beat(1)]);
    wait_until(|| handle.health().failing.is_some_and(|why| why.contains("has not answered for 3 s")));
    handle.facts(vec![beat(2)]);
    assert_eq!((handle.health().waiting, handle.health().lost), (3, 0), "it is counted meanwhile");
    other.execute_batch("COMMIT").unwrap();
    wait_until(|| handle.health().failing.is_none());
    assert_eq!(writer.close(), shell_store::Health { newest: (1, 3), ..Default::default() });
}

#[test]
fn while_the_disk_fails_facts_wait_in_memory_with_an_alarm_and_then_arrive_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let store = Arc::new(Store::open(dir.path()).unwrap());
    let writer = Writer::start(store.clone(), 1).unwrap();
    let handle = writer.handle();
    handle.facts(vec![loaded()]);
    assert!(handle.flush(SOON));
    let broken = sql(dir.path());
    broken.execute_batch("CREATE TRIGGER full BEFORE INSERT ON fact BEGIN SELECT RAISE(ABORT, 'disk full'); END").unwrap();
    (1..=50).for_each(|n| handle.facts(vec![beat(n), beat(n)]));
    wait_until(|| handle.health().failing.is_some_and(|why| why.contains("disk full")));
    assert!(!handle.flush(Duration::from_millis(50)), "nothing is acknowledged that is not written");
    assert_eq!(store.newest().unwrap(), (1, 1));
    broken.execute_batch("DROP TRIGGER full").unwrap();
    assert!(handle.flush(SOON));
    assert_eq!(handle.health(), shell_store::Health { newest: (1, 101), ..Default::default() });
    let facts = store.read_facts(&all()).unwrap();
    assert_eq!(places(&facts), (1..=101).map(|s| (1, s)).collect::<Vec<_>>());
    assert!(matches!(facts[100].fact.what, What::NodeHeartbeat { calls: 50 }));
    writer.close();
}

#[test]
fn a_disk_that_stalls_does_not_hold_up_who_hands_facts_over() {
    let dir = tempfile::tempdir().unwrap();
    let store = Arc::new(Store::open(dir.path()).unwrap());
    let writer = Writer::start(store.clone(), 1).unwrap();
    let stalled = sql(dir.path());
    stalled.execute_batch("BEGIN EXCLUSIVE").unwrap();
    // Were one of these to wait for the disk, it would wait for the line after them.
    (1..=1000).for_each(|n| writer.handle().facts(vec![beat(n)]));
    assert_eq!(store.newest().unwrap(), (0, 0));
    stalled.execute_batch("ROLLBACK").unwrap();
    assert!(writer.handle().flush(SOON));
    assert_eq!(store.newest().unwrap(), (1, 1000));
    writer.close();
}

#[test]
fn a_consumer_continues_after_its_mark_over_epochs_until_the_writer_ends() {
    let dir = tempfile::tempdir().unwrap();
    let store = Arc::new(Store::open(dir.path()).unwrap());
    write(&store, 1, (1..=10).map(beat).collect());
    let writer = Writer::start(store.clone(), 2).unwrap();
    let handle = writer.handle();
    let mut feed = handle.subscribe(store.clone(), (1, 4));
    (1..=300).for_each(|n| handle.facts(vec![beat(n)]));
    let thread = std::thread::spawn(move || writer.close());
    let mut seen = Vec::new();
    loop {
        match feed.next(Duration::from_millis(20)).unwrap() {
            Next::Facts(facts) => seen.extend(places(&facts)),
            Next::Nothing => {}
            Next::Closed => break,
        }
    }
    thread.join().unwrap();
    let expected: Vec<_> = (5..=10).map(|s| (1, s)).chain((1..=300).map(|s| (2, s))).collect();
    assert_eq!(seen, expected);
}

/// One fact of each type, as the code of that version wrote it.
const LOGS: [(&str, usize); 4] = [
    (include_str!("facts-v1.jsonl"), 35),
    (include_str!("facts-v2.jsonl"), 49),
    (include_str!("facts-v3.jsonl"), 55),
    (include_str!("facts-v4.jsonl"), 59),
];

#[test]
fn a_log_of_each_version_always_reads() {
    assert_eq!(LOGS.len(), usize::from(base::fact::VERSION), "a new form of facts needs a log of its own here");
    for (log, types) in LOGS {
        let mut kinds = std::collections::BTreeSet::new();
        for line in log.lines() {
            let logged: base::fact::Logged = serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
            kinds.insert(logged.fact.what.name());
            // Nothing of it is lost: what it renders to today holds every value that stood there.
            let (old, new) = (serde_json::from_str(line).unwrap(), serde_json::to_value(&logged).unwrap());
            assert!(holds(&new, &old), "{new} lost something of {line}");
        }
        assert_eq!(kinds.len(), types, "each type: {kinds:?}");
    }
}

/// Of the log of version 1, by hand: one call that was answered in time, one rejected, one feature code.
#[test]
fn a_log_of_version_1_gives_the_figures_that_it_gave() {
    let mut board = metrics::Board::new();
    for line in LOGS[0].0.lines() {
        assert_eq!(board.apply(&serde_json::from_str(line).unwrap()), metrics::Folded::Counted);
    }
    let now = base::Now { mono: base::Instant(123_456_789), wall: base::Wall(1_763_820_000_123_456) };
    let hour = base::Wall(now.wall.0 + 3_600_000_000);
    let f = board.figures(&metrics::View::new(now, base::Wall(now.wall.0 - 3_600_000_000), hour));
    assert!(f.sums_hold(), "{f:#?}");
    let (c, v) = (&f.totals.calls, &f.totals.visits);
    assert_eq!((c.incoming, c.queued, c.lost, v.offered, v.answered, v.handled), (1, 1, 0, 1, 1, 1));
    assert_eq!((v.service_level, v.refused, v.rona, f.recordings.expected, f.invariant_breaches), (Some(1.0), 1, 1, 1, 1));
    assert_eq!((f.totals.callbacks.requested, f.totals.expected_wait.visits, v.consult_ms), (0, 0, 0));
}

fn holds(new: &serde_json::Value, old: &serde_json::Value) -> bool {
    match (new, old) {
        (serde_json::Value::Object(new), serde_json::Value::Object(old)) => {
            old.iter().all(|(k, v)| new.get(k).is_some_and(|n| holds(n, v)))
        }
        _ => new == old,
    }
}
