//! Writes beside the log, for whoever asks: on a thread of the node's own priority.
//!
//! ```text
//!   API, keeper (nice 19), outbox ── change ──▶ clerk: BEGIN IMMEDIATE, change, COMMIT ── answer ──▶
//! ```
//! SQLite lets one connection write at a time, and the others poll for their turn until their patience ends. A thread of
//! low priority that held that turn would keep it for as long as it is not scheduled: with both processors busy, longer
//! than the ticket book's patience. So nobody who may be of low priority holds it.
//!
//! IMMEDIATE: a transaction that begins by reading and writes later is refused at once, without any patience, when somebody
//! else wrote between (<https://www.sqlite.org/lang_transaction.html>, 2.2).

use crate::error::{Result, StoreError};
use rusqlite::{Connection, Transaction, TransactionBehavior};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::JoinHandle;

type Job = Box<dyn FnOnce(&mut Connection) + Send>;

/// The thread. Dropped, it ends once it has done what it was asked.
pub(crate) struct Clerk {
    jobs: Option<Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Clerk {
    /// Of the priority of whoever calls this.
    pub fn start(db: Connection) -> Result<Clerk> {
        let (jobs, asked) = mpsc::channel();
        let thread = std::thread::Builder::new().name("clerk".into()).spawn(move || run(db, &asked));
        let thread = thread.map_err(StoreError::file(Path::new("clerk")))?;
        Ok(Clerk { jobs: Some(jobs), thread: Some(thread) })
    }

    /// All of it in one transaction, or nothing; committed when this returns.
    pub fn write<T: Send + 'static>(&self, change: impl FnOnce(&Transaction) -> Result<T> + Send + 'static) -> Result<T> {
        self.alone(move |db| {
            let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let answer = change(&tx)?;
            tx.commit()?;
            Ok(answer)
        })
    }

    /// What is no transaction.
    pub fn alone<T: Send + 'static>(&self, act: impl FnOnce(&mut Connection) -> Result<T> + Send + 'static) -> Result<T> {
        let (tell, told) = mpsc::sync_channel(1);
        let job: Job = Box::new(move |db| drop(tell.send(act(db))));
        let asked = self.jobs.as_ref().is_some_and(|jobs| jobs.send(job).is_ok());
        // A job that panics tells nothing.
        if asked { told.recv().unwrap_or(Err(StoreError::Panicked)) } else { Err(StoreError::Panicked) }
    }
}

/// A panic left no half-made change: a transaction that is dropped rolls back.
fn run(mut db: Connection, asked: &Receiver<Job>) {
    for job in asked {
        if catch_unwind(AssertUnwindSafe(|| job(&mut db))).is_err() {
            tracing::error!("a change of the database panicked, and was not made");
        }
    }
}

impl Drop for Clerk {
    fn drop(&mut self) {
        self.jobs = None;
        // Joined, so that the folder's lock outlives every write in it.
        self.thread.take().map(JoinHandle::join);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clerk(dir: &Path) -> Clerk {
        let db = Connection::open(dir.join("a.db")).unwrap();
        db.execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE IF NOT EXISTS a (n INTEGER)").unwrap();
        Clerk::start(db).unwrap()
    }

    fn sum(dir: &Path) -> i64 {
        let db = Connection::open(dir.join("a.db")).unwrap();
        db.query_row("SELECT COALESCE(SUM(n), 0) FROM a", [], |row| row.get(0)).unwrap()
    }

    fn add(tx: &Transaction, n: i64) -> Result<()> {
        Ok(tx.execute("INSERT INTO a VALUES (?1)", [n]).map(drop)?)
    }

    #[test]
    fn a_change_that_fails_or_panics_is_not_made_and_the_next_one_is() {
        let dir = tempfile::tempdir().unwrap();
        let clerk = clerk(dir.path());
        let failed = clerk.write(|tx| add(tx, 1).and_then(|()| Err::<(), _>(StoreError::Randomness)));
        assert!(matches!(failed, Err(StoreError::Randomness)));
        let panicked = clerk.write(|tx| -> Result<()> {
            add(tx, 2)?;
            panic!("in a change");
        });
        assert!(matches!(panicked, Err(StoreError::Panicked)));
        clerk.write(|tx| add(tx, 4)).unwrap();
        drop(clerk);
        assert_eq!(sum(dir.path()), 4);
    }

    #[test]
    fn a_change_is_made_by_a_thread_of_the_priority_it_was_started_with() {
        let dir = tempfile::tempdir().unwrap();
        let clerk = clerk(dir.path());
        let nice = || rustix::process::getpriority_process(None).unwrap();
        let started = nice();
        let asks = move || {
            rustix::process::nice(5).unwrap();
            (nice(), clerk.alone(move |_| Ok(nice())).unwrap())
        };
        assert_eq!(std::thread::spawn(asks).join().unwrap(), ((started + 5).min(19), started));
    }

    #[test]
    fn a_change_has_its_turn_from_its_beginning() {
        let dir = tempfile::tempdir().unwrap();
        let clerk = clerk(dir.path());
        let other = Connection::open(dir.path().join("a.db")).unwrap();
        other.busy_timeout(std::time::Duration::ZERO).unwrap();
        let between = clerk.write(move |tx| {
            let read: i64 = tx.query_row("SELECT COUNT(*) FROM a", [], |row| row.get(0))?;
            let refused = other.execute("INSERT INTO a VALUES (8)", []).is_err();
            add(tx, 1)?;
            Ok((read, refused))
        });
        assert_eq!(between.unwrap(), (0, true));
        assert_eq!(sum(dir.path()), 1);
    }
}
