//! kill -9 at any moment: the log opens, what was acknowledged is in it, and its places have no gap.

use crate::common::*;
use shell_store::{Store, Writer};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

/// The child's own life: told by its environment where to write, it writes until it is killed and prints what was
/// acknowledged. Without that word it is an empty test.
#[test]
fn child_that_writes_until_it_is_killed() {
    let Some(dir) = std::env::var_os("STORE_TEST_CHILD") else { return };
    let store = Arc::new(Store::open(Path::new(&dir)).unwrap());
    let epoch = store.begin_epoch().unwrap();
    let writer = Writer::start(store, epoch).unwrap();
    let log = writer.handle();
    log.facts(vec![loaded()]);
    for n in 0.. {
        log.facts(vec![beat(n), beat(n), beat(n)]);
        if n % 20 == 0 {
            assert!(log.flush(SOON));
            let (epoch, seq) = log.health().newest;
            println!("safe {epoch} {seq}");
        }
    }
}

#[test]
fn nothing_acknowledged_is_lost_and_the_log_opens() {
    let dir = tempfile::tempdir().unwrap();
    for round in 1..=5u32 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "crash::child_that_writes_until_it_is_killed", "--nocapture"])
            .env("STORE_TEST_CHILD", dir.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // Killed after a number of acknowledgements that differs each time, in the middle of the next writes.
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        // libtest prints the test's name without a line end before the child's first word.
        let mut safe = lines.filter_map(|line| line.split_once("safe ").map(|(_, rest)| rest.to_string()));
        let last = safe.by_ref().nth(3 * round as usize).unwrap();
        child.kill().unwrap();
        let last = safe.last().unwrap_or(last);
        child.wait().unwrap();
        let (epoch, seq) = last.split_once(' ').unwrap();
        let acknowledged: (u32, u64) = (epoch.parse().unwrap(), seq.parse().unwrap());

        let store = Arc::new(Store::open(dir.path()).unwrap());
        assert_eq!(acknowledged.0, round, "an epoch for each start");
        assert!(store.newest().unwrap() >= acknowledged);
        let facts: Vec<_> = store.last_epoch_facts(round + 1).unwrap().map(|l| l.unwrap()).collect();
        assert!(facts.iter().zip(1..).all(|(l, seq)| (l.epoch, l.seq) == (round, seq)), "no gap");
        assert_eq!(facts.len() % 3, 1, "facts of one decision are there together or not at all");
        let whole: String = sql(dir.path()).query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
        assert_eq!(whole, "ok");
    }
}
