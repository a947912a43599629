//! From the writer to the consumers, in order and without a gap. A consumer that lags loses no fact: it reads the log
//! itself from its own mark.

use crate::error::Result;
use crate::facts::Filter;
use crate::store::Store;
use crate::writer::Health;
use base::fact::Logged;
use crossbeam::channel::{Receiver, RecvTimeoutError, Sender, bounded};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Batches that wait for a slow consumer before it has to read the log.
const QUEUED: usize = 1024;
/// A commit that takes this long is of a disk that has stopped.
const STANDS: Duration = Duration::from_secs(3);
/// Facts read at once by a consumer that lags.
const PAGE: usize = 2048;

/// What writer and consumers share.
pub(crate) struct Shared {
    state: Mutex<State>,
    pub lost: AtomicU64,
}

struct State {
    newest: (u32, u64),
    failing: Option<String>,
    waiting: usize,
    /// The commit under way, which a disk that stops never ends.
    commits_since: Option<Instant>,
    closed: bool,
    consumers: Vec<Sender<Arc<[Logged]>>>,
}

impl Shared {
    pub fn new(newest: (u32, u64)) -> Shared {
        let state = State { newest, failing: None, waiting: 0, commits_since: None, closed: false, consumers: Vec::new() };
        Shared { state: Mutex::new(state), lost: AtomicU64::new(0) }
    }

    /// A commit of so many rows begins, which [`Shared::publish`] or [`Shared::fails`] ends.
    pub fn commits(&self, rows: usize) {
        let mut state = self.state();
        (state.waiting, state.commits_since) = (rows, Some(Instant::now()));
    }

    pub fn publish(&self, facts: Arc<[Logged]>) {
        let mut state = self.state();
        (state.failing, state.waiting, state.commits_since) = (None, 0, None);
        if let Some(last) = facts.last() {
            state.newest = (last.epoch, last.seq);
            // Full is no loss: the consumer sees the gap. Disconnected is a consumer that ended.
            state.consumers.retain(|c| !matches!(c.try_send(facts.clone()), Err(e) if e.is_disconnected()));
        }
    }

    /// True if that is news.
    pub fn fails(&self, error: String, waiting: usize) -> bool {
        let mut state = self.state();
        (state.waiting, state.commits_since) = (waiting, None);
        state.failing.replace(error).is_none()
    }

    pub fn close(&self) {
        let mut state = self.state();
        state.closed = true;
        state.consumers.clear();
    }

    /// `queued`: what waits for the writer.
    pub fn health(&self, queued: usize) -> Health {
        let state = self.state();
        let lost = self.lost.load(Ordering::Relaxed);
        let stands = state.commits_since.map(|since| since.elapsed()).filter(|stands| *stands >= STANDS);
        let stands = stands.map(|stands| format!("the disk has not answered for {} s", stands.as_secs()));
        let failing = stands.or_else(|| state.failing.clone());
        // What a commit takes with it that ends at once does not wait.
        let waiting = if failing.is_some() { state.waiting + queued } else { queued };
        Health { failing, waiting, lost, newest: state.newest }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One consumer's stream.
pub struct Feed {
    store: Arc<Store>,
    shared: Arc<Shared>,
    batches: Receiver<Arc<[Logged]>>,
    mark: (u32, u64),
}

/// What [`Feed::next`] brings.
#[derive(Clone, Debug, PartialEq)]
pub enum Next {
    /// The next facts, none missing before them.
    Facts(Arc<[Logged]>),
    /// Nothing new.
    Nothing,
    /// The writer has ended, and everything was read.
    Closed,
}

impl Feed {
    pub(crate) fn new(store: Arc<Store>, shared: Arc<Shared>, mark: (u32, u64)) -> Feed {
        let (sender, batches) = bounded(QUEUED);
        let mut state = shared.state();
        if !state.closed {
            state.consumers.push(sender);
        }
        drop(state);
        Feed { store, shared, batches, mark }
    }

    /// A stream that begins anew after `mark`.
    pub fn restart(&self, mark: (u32, u64)) -> Feed {
        Feed::new(self.store.clone(), self.shared.clone(), mark)
    }

    /// The facts after the last ones, waiting for them up to `longest`.
    pub fn next(&mut self, longest: Duration) -> Result<Next> {
        if self.batches.is_empty() && self.is_behind() {
            return self.refetch();
        }
        match self.batches.recv_timeout(longest) {
            Ok(batch) => self.on_batch(batch),
            Err(RecvTimeoutError::Timeout) => Ok(Next::Nothing),
            Err(RecvTimeoutError::Disconnected) if self.is_behind() => self.refetch(),
            Err(RecvTimeoutError::Disconnected) => Ok(Next::Closed),
        }
    }

    fn on_batch(&mut self, batch: Arc<[Logged]>) -> Result<Next> {
        let new = batch.partition_point(|l| (l.epoch, l.seq) <= self.mark);
        let (Some(first), Some(last)) = (batch.get(new), batch.last()) else { return Ok(Next::Nothing) };
        // Where another epoch begins nothing here says how far the one before went: the log does.
        if (first.epoch, first.seq) != (self.mark.0, self.mark.1 + 1) {
            return self.refetch();
        }
        self.mark = (last.epoch, last.seq);
        Ok(Next::Facts(if new == 0 { batch } else { batch[new..].into() }))
    }

    fn refetch(&mut self) -> Result<Next> {
        let facts = self.store.read_facts(&Filter { after: self.mark, limit: PAGE, ..Filter::default() })?;
        let Some(last) = facts.last() else { return Ok(Next::Nothing) };
        self.mark = (last.epoch, last.seq);
        Ok(Next::Facts(facts.into()))
    }

    /// Whether the writer has ended.
    pub fn is_closed(&self) -> bool {
        self.shared.state().closed
    }

    fn is_behind(&self) -> bool {
        self.shared.state().newest > self.mark
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Rendered;
    use base::Now;
    use base::fact::{About, Fact, What};

    #[test]
    fn a_consumer_that_lags_misses_nothing_and_gets_nothing_twice() {
        let dir = tempfile::tempdir().unwrap();
        let store = Arc::new(Store::open(dir.path()).unwrap());
        let shared = Arc::new(Shared::new((0, 0)));
        let mut feed = Feed::new(store.clone(), shared.clone(), (0, 0));
        let mut seen = Vec::new();
        store.db().execute_batch("BEGIN").unwrap();
        for seq in 1..=3 * QUEUED as u64 {
            let fact = Fact { now: Now::default(), about: About::default(), what: What::CallAnswered {} };
            Rendered::new(1, seq, &fact).unwrap().insert(&store.db()).unwrap();
            let logged: Arc<[Logged]> = Arc::new([Logged { epoch: 1, seq, fact }]);
            // The same batch twice, as after a commit whose answer was lost.
            shared.publish(logged.clone());
            shared.publish(logged);
            if seq < 10 {
                read(&mut feed, &mut seen);
            }
        }
        read(&mut feed, &mut seen);
        assert_eq!(seen, (1..=3 * QUEUED as u64).collect::<Vec<_>>());
        shared.close();
        assert_eq!(feed.next(Duration::ZERO).unwrap(), Next::Closed);
    }

    fn read(feed: &mut Feed, seen: &mut Vec<u64>) {
        while feed.is_behind() {
            if let Next::Facts(facts) = feed.next(Duration::ZERO).unwrap() {
                seen.extend(facts.iter().map(|l| l.seq));
            }
        }
        while feed.next(Duration::ZERO).unwrap() != Next::Nothing || !feed.batches.is_empty() {}
    }
}
