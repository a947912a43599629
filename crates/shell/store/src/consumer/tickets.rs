//! The rules' consumer: ticket, outbox rows, the memory of the calls in progress and the mark, all in one transaction.
//! A transaction that fails is kept and tried again before anything else is read: the log waits, the calls do not.

use crate::error::{Result, StoreError};
use crate::feed::{Feed, Next};
use crate::schema::{place, unplace};
use crate::store::Store;
use crate::writer::Handle;
use crate::{book, outbox};
use base::{CallId, Tenant};
use rusqlite::{Connection, TransactionBehavior, params};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tickets::{Book, Change, Memory, Number, Rule};

const AFTER_AN_ERROR: Duration = Duration::from_secs(1);
/// Once the writer has ended; what is not written then is written after the next start.
const LAST_TRIES: u32 = 10;
const WAIT: Duration = Duration::from_millis(200);
/// Facts that changed nothing move the mark only so often: read again, they change nothing again.
const IDLE_MARK_EACH: Duration = Duration::from_secs(10);

/// What the wiring decides.
pub struct TicketsOptions {
    pub rules: Vec<Rule>,
    /// Names of the destinations that are told of each change.
    pub destinations: Vec<String>,
    /// The `source` of their events, `/centralita/{site}/{node}`.
    pub source: String,
    /// Called after each transaction that changed a ticket.
    pub changed: Box<dyn Fn() + Send>,
}

/// The thread. Ends by itself when the writer has ended and everything is read.
pub struct Tickets {
    thread: JoinHandle<()>,
    failing: Arc<Mutex<Option<String>>>,
}

impl Tickets {
    pub fn start(store: Arc<Store>, log: &Handle, options: TicketsOptions) -> Result<Tickets> {
        let db = store.connect()?;
        let book = restore(&db, options.rules.clone())?;
        let feed = log.subscribe(store.clone(), book.mark());
        let work = Work { changes: Vec::new(), calls: Vec::new(), mark: book.mark() };
        let failing = Arc::new(Mutex::new(None));
        let keeping = Keeping { book, feed, store, db, options, work, committed: Instant::now(), failing: failing.clone() };
        let thread = std::thread::Builder::new().name("tickets".into()).spawn(move || keeping.run());
        Ok(Tickets { thread: thread.map_err(StoreError::file("tickets".as_ref()))?, failing })
    }

    /// Why the book cannot be written at the moment: an alarm.
    pub fn failing(&self) -> Option<String> {
        self.failing.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// After [`crate::Writer::close`]: waits for the last fact's tickets.
    pub fn close(self) {
        if self.thread.join().is_err() {
            tracing::error!("the thread of the tickets panicked");
        }
    }
}

struct Keeping {
    book: Book,
    feed: Feed,
    store: Arc<Store>,
    db: Connection,
    options: TicketsOptions,
    work: Work,
    committed: Instant,
    failing: Arc<Mutex<Option<String>>>,
}

/// What is not committed yet.
struct Work {
    changes: Vec<Change>,
    calls: Vec<(CallId, Option<Memory>)>,
    mark: (u32, u64),
}

impl Keeping {
    fn run(mut self) {
        let mut failures = 0;
        loop {
            match self.step() {
                Ok(true) => failures = 0,
                Ok(false) => return,
                Err(error) => {
                    failures += 1;
                    self.on_error(&error, failures);
                    if failures > LAST_TRIES && self.feed.is_closed() {
                        return;
                    }
                }
            }
            if failures == 0 {
                self.alarm(None);
            }
        }
    }

    fn on_error(&mut self, error: &StoreError, failures: u32) {
        if failures == 1 {
            tracing::error!(%error, "the ticket book cannot be written: tickets wait in the log");
        }
        self.alarm(Some(error.to_string()));
        std::thread::sleep(AFTER_AN_ERROR);
        // A connection that failed is not trusted again.
        if let Ok(db) = self.store.connect() {
            self.db = db;
        }
    }

    fn alarm(&self, why: Option<String>) {
        *self.failing.lock().unwrap_or_else(PoisonError::into_inner) = why;
    }

    /// Commits what is left, then reads on. False at the end.
    fn step(&mut self) -> Result<bool> {
        self.commit()?;
        match self.feed.next(WAIT)? {
            Next::Facts(facts) => {
                self.work.changes.extend(facts.iter().filter_map(|fact| self.book.apply(fact)));
                self.work.calls = self.book.touched();
                self.work.mark = self.book.mark();
                self.commit().map(|()| true)
            }
            Next::Nothing => Ok(true),
            Next::Closed => {
                write(&mut self.db, &self.work, &self.options)?;
                Ok(false)
            }
        }
    }

    fn commit(&mut self) -> Result<()> {
        let work = &self.work;
        if work.changes.is_empty() && work.calls.is_empty() && self.committed.elapsed() < IDLE_MARK_EACH {
            return Ok(());
        }
        write(&mut self.db, work, &self.options)?;
        self.committed = Instant::now();
        self.work.calls.clear();
        if !std::mem::take(&mut self.work.changes).is_empty() {
            (self.options.changed)();
        }
        Ok(())
    }
}

fn write(db: &mut Connection, work: &Work, options: &TicketsOptions) -> Result<()> {
    let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for change in &work.changes {
        write_change(&tx, change, options)?;
    }
    for (call, memory) in &work.calls {
        match memory {
            Some(memory) => {
                let json = serde_json::to_string(memory).map_err(StoreError::row("a call"))?;
                let sql =
                    "INSERT INTO ticket_call (call, json) VALUES (?1, ?2) ON CONFLICT (call) DO UPDATE SET json = excluded.json";
                tx.prepare_cached(sql)?.execute(params![call.to_string(), json])?
            }
            None => tx.prepare_cached("DELETE FROM ticket_call WHERE call = ?1")?.execute([call.to_string()])?,
        };
    }
    let sql = "UPDATE mark SET place = ?1 WHERE consumer = 'tickets'";
    tx.prepare_cached(sql)?.execute([place(work.mark.0, work.mark.1)])?;
    tx.commit()?;
    Ok(())
}

fn write_change(tx: &Connection, change: &Change, options: &TicketsOptions) -> Result<()> {
    let before = match change {
        Change::Opened { key, .. } if book::has(tx, &key.tenant, key.call)? => {
            tracing::warn!(%key, "the call has its ticket already: the mark was behind");
            return Ok(());
        }
        Change::Opened { .. } => None,
        Change::Noted { key, number, .. } => book::read(tx, &key.tenant, *number)?,
    };
    let Some(ticket) = change.applied(before) else {
        tracing::error!(key = %change.key(), "a note for a ticket that is not in the book");
        return Ok(());
    };
    book::write(tx, &ticket)?;
    options.destinations.iter().try_for_each(|name| outbox::insert(tx, name, change, &ticket, &options.source))
}

/// The book as the last transaction left it.
fn restore(db: &Connection, rules: Vec<Rule>) -> Result<Book> {
    let mark: i64 = db.query_row("SELECT place FROM mark WHERE consumer = 'tickets'", [], |row| row.get(0))?;
    let mut calls = Vec::new();
    let mut rows = db.prepare("SELECT call, json FROM ticket_call")?;
    for row in rows.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))? {
        let (call, json) = row?;
        let call: CallId = call.parse().map_err(bad_id)?;
        calls.push((call, serde_json::from_str::<Memory>(&json).map_err(StoreError::row("a call"))?));
    }
    let mut last = Vec::new();
    let mut rows = db.prepare("SELECT tenant, MAX(number) FROM ticket GROUP BY tenant")?;
    for row in rows.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, u64>(1)?)))? {
        let (tenant, number) = row?;
        last.push((tenant.parse::<Tenant>().map_err(bad_id)?, Number(number)));
    }
    Ok(Book::restore(rules, unplace(mark), calls, last))
}

fn bad_id(error: base::id::BadId) -> StoreError {
    StoreError::Row { what: "the ticket book", error: error.to_string() }
}
