//! Facts to write, and looking at the file from beside.

use base::fact::{About, Direction, Fact, Logged, What};
use base::{CallId, Cause, Instant, Now, Wall};
use shell_store::{Filter, Store, Writer};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

pub const SOON: Duration = Duration::from_secs(20);

pub fn fact(about: About, what: What) -> Fact {
    Fact { now: Now { mono: Instant(7), wall: Wall(1_800_000_000_000_000) }, about, what }
}

pub fn started() -> Fact {
    fact(About::default(), What::NodeStarted { boot_id: "b".into(), version: 1, queues: vec!["acme/soporte".parse().unwrap()] })
}

pub fn beat(calls: u32) -> Fact {
    fact(About::default(), What::NodeHeartbeat { calls })
}

pub fn of_call(call: CallId, what: What) -> Fact {
    fact(About { tenant: Some("acme".parse().unwrap()), call: Some(call), ..About::default() }, what)
}

pub fn arrived(call: CallId) -> Fact {
    of_call(call, What::CallArrived { direction: Direction::Incoming, trunk: "t".into(), number: "5000".into() })
}

pub fn answered(call: CallId) -> Fact {
    of_call(call, What::CallAnswered {})
}

pub fn ended(call: CallId) -> Fact {
    let mut fact = of_call(call, What::CallEnded { duration_ms: 5, visits: 0 });
    fact.about.cause = Some(Cause::CallerHungUp);
    fact
}

pub fn all() -> Filter {
    Filter { limit: usize::MAX, ..Filter::default() }
}

pub fn places(facts: &[Logged]) -> Vec<(u32, u64)> {
    facts.iter().map(|l| (l.epoch, l.seq)).collect()
}

pub fn write(store: &Arc<Store>, epoch: u32, facts: Vec<Fact>) {
    let writer = Writer::start(store.clone(), epoch).unwrap();
    writer.handle().facts(facts);
    writer.close();
}

pub fn sql(dir: &Path) -> rusqlite::Connection {
    let db = rusqlite::Connection::open(dir.join("centralita.db")).unwrap();
    db.busy_timeout(Duration::from_secs(5)).unwrap();
    db
}

/// Waits for what another thread does. Ends at once when it is so, and fails when it never is.
pub fn wait_until(is: impl Fn() -> bool) {
    let deadline = std::time::Instant::now() + SOON;
    while !is() {
        assert!(std::time::Instant::now() < deadline, "it did not come to that");
        std::thread::yield_now();
    }
}

/// The fact after which an epoch has said who is logged in.
pub fn loaded() -> Fact {
    fact(About::default(), What::ConfigLoaded { site_sha256: "00".into(), who: None })
}
