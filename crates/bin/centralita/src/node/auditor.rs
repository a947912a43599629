//! The live audit of the published snapshot, once a second, on a thread of its own: what it costs grows with the calls.

use super::stopwatch::Stopwatches;
use super::way::Way;
use arc_swap::ArcSwap;
use engine::{Breach, Input, Snapshot, audit};
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

const EACH: Duration = Duration::from_secs(1);
/// Findings that go to the Centre; where there are more, these are enough of an alarm.
const MOST: usize = 64;

pub struct Auditor {
    /// Dropped, the thread ends.
    runs: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Auditor {
    pub fn start(snapshot: Arc<ArcSwap<Snapshot>>, way: Arc<Way>, watches: Arc<Stopwatches>) -> std::io::Result<Auditor> {
        let (runs, over) = mpsc::channel();
        let run = move || {
            let mut audited = Audited::default();
            while over.recv_timeout(EACH) == Err(RecvTimeoutError::Timeout) {
                let began = Instant::now();
                let said = audited.look(&snapshot.load_full(), |input| way.push(input));
                if said {
                    watches.snapshot_audit.note(began.elapsed());
                }
            }
        };
        let thread = std::thread::Builder::new().name("audit".into()).spawn(run)?;
        Ok(Auditor { runs: Some(runs), thread: Some(thread) })
    }
}

impl Drop for Auditor {
    fn drop(&mut self) {
        self.runs = None;
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the thread that audits panicked");
        }
    }
}

/// The last snapshot that was audited, and what the Centre knows of it.
#[derive(Default)]
struct Audited {
    last: Option<Arc<Snapshot>>,
    told: Vec<Breach>,
}

impl Audited {
    /// True if it was audited: it is another one than before. The Centre is told what is new to it; not taken, it is
    /// told again the next time.
    fn look(&mut self, snapshot: &Arc<Snapshot>, push: impl FnOnce(Input) -> bool) -> bool {
        if self.last.as_ref().is_some_and(|last| Arc::ptr_eq(last, snapshot)) {
            return false;
        }
        let mut found = audit(snapshot);
        found.truncate(MOST);
        if found == self.told || push(Input::Audited { found: found.clone() }) {
            self.told = found;
            self.last = Some(snapshot.clone());
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use acd::VisitView;

    /// A visit that nobody's call claims, or nothing.
    fn snapshot(broken: bool) -> Arc<Snapshot> {
        let visits = if broken { vec![orphan()] } else { Vec::new() };
        Arc::new(Snapshot { visits, ..Snapshot::default() })
    }

    fn orphan() -> VisitView {
        VisitView {
            visit: "1-1-1.v1".parse().unwrap(),
            queue: "acme/soporte".parse().unwrap(),
            entered: base::Instant::ZERO,
            requires: base::Requirement::default(),
            priority_s: 0,
            credit: Duration::ZERO,
            caller: acd::Caller::OnTheLine,
            offers: Vec::new(),
            deadline: None,
            expected: None,
        }
    }

    #[test]
    fn the_centre_is_told_of_a_breach_when_it_begins_and_when_it_ends_and_again_only_if_it_was_not_taken() {
        let mut audited = Audited::default();
        let mut look = |snapshot: &Arc<Snapshot>, takes: bool| {
            let mut told = None;
            audited.look(snapshot, |input| {
                told = Some(matches!(input, Input::Audited { found } if !found.is_empty()));
                takes
            });
            told
        };
        let (well, broken) = (snapshot(false), snapshot(true));
        assert_eq!([look(&well, true), look(&broken, false), look(&broken, true)], [None, Some(true), Some(true)]);
        assert_eq!([look(&broken, true), look(&snapshot(true), true), look(&well, true)], [None, None, Some(false)]);
    }
}
