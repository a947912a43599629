//! The one writer of the log: gives each fact its seq, commits in groups, tells the consumers afterwards.
//!
//! ```text
//!            message                     commit
//!  waiting ──────────▶ collecting ─────────────────▶ waiting        facts ─▶ consumers
//!                          ▲   │ error: reopen the file
//!                          │   ▼
//!                          └ failing: everything stays in memory, alarm, tried again after 0.1 s … 5 s
//! ```
//!
//! What is handed over in one call is committed together. A failed fsync is never asked again: the connection is
//! dropped and the whole batch is written anew. Facts beyond the memory's bound are counted as lost and get no seq,
//! so that the log itself has no gap.

use crate::error::Result;
use crate::facts::Rendered;
use crate::feed::Shared;
use crate::recording;
use crate::store::Store;
use base::fact::{Fact, Logged};
use base::{CallId, PartyId, Pii, Tenant};
use crossbeam::channel::{Receiver, Sender, TryRecvError, TrySendError, bounded};
use rusqlite::{Connection, params};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Commits are at least this far apart.
const GROUP: Duration = Duration::from_millis(20);
/// Messages taken into one commit that is already due.
const MOST_AT_ONCE: usize = 8192;
/// Messages that may wait for the thread while a commit hangs.
const QUEUED: usize = 65_536;
/// Rows kept in memory while the disk fails: some 200 MB.
const SPILLED: usize = 400_000;
const FIRST_RETRY: Duration = Duration::from_millis(100);
const LONGEST_RETRY: Duration = Duration::from_secs(5);
/// How long [`Writer::close`] goes on trying when the disk fails.
const CLOSING: Duration = Duration::from_secs(10);

enum Message {
    Facts(Vec<Fact>),
    Party { tenant: Tenant, party: PartyId, number: Pii<Arc<str>>, name: Pii<Arc<str>> },
    UserToUser { tenant: Tenant, call: CallId, party: PartyId, value: Pii<Arc<str>> },
    Bindings { user: Arc<str>, bindings: Vec<u8> },
    Promise { call: CallId, promise: Option<Promised> },
    Flush(Sender<bool>),
    Close,
}

/// A promise to call somebody back, rendered by whoever made it; who it is about, so that it goes with them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promised {
    pub tenant: Tenant,
    pub party: Option<PartyId>,
    pub rendered: Pii<Vec<u8>>,
}

/// How the log is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// Why nothing can be written at the moment, also because the disk does not answer: an alarm.
    pub failing: Option<String>,
    /// Rows, or messages that become rows, which wait in memory.
    pub waiting: usize,
    /// Facts given up since the start: an alarm for good.
    pub lost: u64,
    /// The last fact safely in the log.
    pub newest: (u32, u64),
}

/// The writer's thread. Dropping it without [`Writer::close`] leaves the thread to end when every [`Handle`] is gone.
pub struct Writer {
    handle: Handle,
    thread: JoinHandle<()>,
}

/// The way to the writer, for any thread. Never blocks on the disk.
#[derive(Clone)]
pub struct Handle {
    messages: Sender<Message>,
    shared: Arc<Shared>,
}

impl Writer {
    /// Begins to write the facts of `epoch`, which [`Store::begin_epoch`] gave.
    pub fn start(store: Arc<Store>, epoch: u32) -> Result<Writer> {
        let db = store.connect()?;
        let shared = Arc::new(Shared::new(store.newest()?));
        let (messages, receiver) = bounded(QUEUED);
        let log = Log { store, epoch, seq: 0, db: Some(db), rows: VecDeque::new(), shared: shared.clone() };
        let run = move || Thread { log, receiver, waiting: Vec::new(), retry: FIRST_RETRY }.run();
        let thread =
            std::thread::Builder::new().name("log".into()).spawn(run).map_err(crate::StoreError::file("log".as_ref()))?;
        Ok(Writer { handle: Handle { messages, shared }, thread })
    }

    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Commits what was handed over and ends the thread; on a disk that fails, gives up after 10 s. The health at the
    /// end says whether anything was lost.
    pub fn close(self) -> Health {
        // Only a thread that is gone refuses the word.
        let _ = self.handle.messages.send(Message::Close);
        if self.thread.join().is_err() {
            tracing::error!("the log's thread panicked");
        }
        self.handle.health()
    }
}

impl Handle {
    /// Facts of one decision, committed together.
    pub fn facts(&self, facts: Vec<Fact>) {
        let n = facts.len() as u64;
        if n > 0 && !self.send(Message::Facts(facts)) {
            self.shared.lost.fetch_add(n, Ordering::Relaxed);
        }
    }

    /// Number and name of a caller, for the erasable table.
    pub fn party(&self, tenant: Tenant, party: PartyId, number: Pii<Arc<str>>, name: Pii<Arc<str>>) {
        self.send(Message::Party { tenant, party, number, name });
    }

    /// What the network said about a call, for the erasable table.
    pub fn user_to_user(&self, tenant: Tenant, call: CallId, party: PartyId, value: Pii<Arc<str>>) {
        self.send(Message::UserToUser { tenant, call, party, value });
    }

    /// The whole list of a phone's bindings, rendered by the caller; empty bytes forget the phone.
    pub fn bindings(&self, user: Arc<str>, bindings: Vec<u8>) {
        self.send(Message::Bindings { user, bindings });
    }

    /// Somebody is to be called back, or not any more.
    pub fn promise(&self, call: CallId, promise: Option<Promised>) {
        self.send(Message::Promise { call, promise });
    }

    /// Waits until all that was handed over before is committed. False if that takes longer.
    pub fn flush(&self, longest: Duration) -> bool {
        let (done, waits) = bounded(1);
        self.send(Message::Flush(done)) && waits.recv_timeout(longest).unwrap_or(false)
    }

    pub fn health(&self) -> Health {
        self.shared.health(self.messages.len())
    }

    /// A consumer's own stream of facts, from those later than `after`.
    pub fn subscribe(&self, store: Arc<Store>, after: (u32, u64)) -> crate::Feed {
        crate::Feed::new(store, self.shared.clone(), after)
    }

    fn send(&self, message: Message) -> bool {
        match self.messages.try_send(message) {
            Ok(()) => true,
            Err(TrySendError::Full(_)) => {
                tracing::error!("the way to the log is full: the disk does not keep up");
                false
            }
            Err(TrySendError::Disconnected(_)) => false,
        }
    }
}

struct Thread {
    log: Log,
    receiver: Receiver<Message>,
    waiting: Vec<Sender<bool>>,
    retry: Duration,
}

impl Thread {
    fn run(mut self) {
        let mut next = Instant::now();
        let mut open = true;
        while open {
            open = self.collect(next);
            next = Instant::now() + self.commit();
        }
        let deadline = Instant::now() + CLOSING;
        while !self.log.rows.is_empty() && Instant::now() < deadline {
            std::thread::sleep(self.retry.min(Duration::from_millis(500)));
            self.commit();
        }
        self.log.give_up();
    }

    /// Takes messages until `until` has come and there is one, or a failed batch is to be tried again. False at the end.
    /// While something waits for its commit the thread sleeps instead of listening: whoever hands over need not wake it.
    fn collect(&mut self, until: Instant) -> bool {
        let mut taken = 0;
        loop {
            if taken > MOST_AT_ONCE && Instant::now() >= until {
                return true;
            }
            taken += 1;
            let idle = self.log.rows.is_empty() && self.waiting.is_empty();
            let next = match idle {
                true => self.receiver.recv().map_err(|_| TryRecvError::Disconnected),
                false => self.receiver.try_recv(),
            };
            match next {
                Ok(Message::Close) | Err(TryRecvError::Disconnected) => return false,
                Ok(Message::Flush(done)) => self.waiting.push(done),
                Ok(message) => self.log.take(message),
                Err(TryRecvError::Empty) => match until.saturating_duration_since(Instant::now()) {
                    Duration::ZERO => return true,
                    wait => std::thread::sleep(wait.min(GROUP)),
                },
            }
        }
    }

    /// How long until the next.
    fn commit(&mut self) -> Duration {
        match self.log.commit() {
            Ok(()) => {
                for done in self.waiting.drain(..) {
                    // Who asked may have stopped waiting.
                    let _ = done.send(true);
                }
                self.retry = FIRST_RETRY;
                GROUP
            }
            Err(error) => {
                self.log.failed(&error);
                let wait = self.retry;
                self.retry = (wait * 2).min(LONGEST_RETRY);
                wait
            }
        }
    }
}

enum Row {
    Fact(Box<(Rendered, Logged)>),
    Party { tenant: Tenant, party: PartyId, number: Pii<Arc<str>>, name: Pii<Arc<str>> },
    UserToUser { tenant: Tenant, call: CallId, party: PartyId, value: Pii<Arc<str>> },
    Bindings { user: Arc<str>, bindings: Vec<u8> },
    Promise { call: CallId, promise: Option<Promised> },
}

/// Rows that are not committed yet, and the connection they go to.
struct Log {
    store: Arc<Store>,
    epoch: u32,
    seq: u64,
    db: Option<Connection>,
    rows: VecDeque<Row>,
    shared: Arc<Shared>,
}

impl Log {
    fn take(&mut self, message: Message) {
        match message {
            Message::Facts(facts) if self.rows.len() + facts.len() > SPILLED => {
                self.shared.lost.fetch_add(facts.len() as u64, Ordering::Relaxed);
            }
            Message::Facts(facts) => facts.into_iter().for_each(|fact| self.take_fact(fact)),
            Message::Party { tenant, party, number, name } => self.take_row(Row::Party { tenant, party, number, name }),
            Message::UserToUser { tenant, call, party, value } => self.take_row(Row::UserToUser { tenant, call, party, value }),
            Message::Bindings { user, bindings } => self.take_row(Row::Bindings { user, bindings }),
            Message::Promise { call, promise } => self.take_row(Row::Promise { call, promise }),
            Message::Flush(_) | Message::Close => {}
        }
    }

    fn take_row(&mut self, row: Row) {
        if self.rows.len() < SPILLED {
            self.rows.push_back(row);
        }
    }

    fn take_fact(&mut self, fact: Fact) {
        let seq = self.seq + 1;
        match Rendered::new(self.epoch, seq, &fact) {
            Some(rendered) => {
                self.seq = seq;
                self.rows.push_back(Row::Fact(Box::new((rendered, Logged { epoch: self.epoch, seq, fact }))));
            }
            None => {
                tracing::error!(kind = fact.what.name(), "a fact could not be rendered");
                self.shared.lost.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    fn commit(&mut self) -> Result<()> {
        if self.rows.is_empty() {
            return Ok(());
        }
        self.shared.commits(self.rows.len());
        let mut db = match self.db.take() {
            Some(db) => db,
            None => self.store.connect()?,
        };
        let tx = db.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        for row in &self.rows {
            write(&tx, row)?;
        }
        tx.commit()?;
        self.db = Some(db);
        let facts = self.rows.drain(..).filter_map(|row| if let Row::Fact(fact) = row { Some(fact.1) } else { None });
        self.shared.publish(facts.collect());
        Ok(())
    }

    /// The connection is gone with the failed transaction; the rows stay.
    fn failed(&mut self, error: &crate::StoreError) {
        self.db = None;
        if self.shared.fails(error.to_string(), self.rows.len()) {
            tracing::error!(%error, waiting = self.rows.len(), "the log cannot be written: facts are kept in memory");
        }
    }

    fn give_up(&mut self) {
        let lost = self.rows.iter().filter(|row| matches!(row, Row::Fact(_))).count();
        if lost > 0 {
            tracing::error!(lost, "the log was closed with facts that could not be written");
        }
        self.shared.lost.fetch_add(lost as u64, Ordering::Relaxed);
        self.shared.close();
    }
}

fn write(tx: &Connection, row: &Row) -> rusqlite::Result<()> {
    match row {
        Row::Fact(fact) => {
            fact.0.insert(tx)?;
            recording::project(tx, &fact.1)
        }
        Row::Party { tenant, party, number, name } => {
            let sql = "INSERT INTO party (tenant, party, number, name) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (tenant, party) \
                       DO UPDATE SET number = excluded.number, name = CASE excluded.name WHEN '' THEN name ELSE excluded.name END";
            let (number, name): (&str, &str) = (number.reveal(), name.reveal());
            tx.prepare_cached(sql)?.execute(params![tenant.as_str(), party.to_string(), number, name]).map(drop)
        }
        Row::UserToUser { tenant, call, party, value } => {
            let sql =
                "INSERT INTO user_to_user (call, tenant, party, value) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (call) DO NOTHING";
            let value: &str = value.reveal();
            tx.prepare_cached(sql)?.execute(params![call.to_string(), tenant.as_str(), party.to_string(), value]).map(drop)
        }
        Row::Bindings { user, bindings } if bindings.is_empty() => {
            tx.prepare_cached("DELETE FROM binding WHERE user = ?1")?.execute([&**user]).map(drop)
        }
        Row::Bindings { user, bindings } => {
            let sql = "INSERT INTO binding (user, bindings) VALUES (?1, ?2) ON CONFLICT (user) DO UPDATE SET bindings = excluded.bindings";
            tx.prepare_cached(sql)?.execute(params![&**user, bindings]).map(drop)
        }
        Row::Promise { call, promise: None } => {
            tx.prepare_cached("DELETE FROM promise WHERE call = ?1")?.execute([call.to_string()]).map(drop)
        }
        Row::Promise { call, promise: Some(promise) } => {
            let sql = "INSERT INTO promise (call, tenant, party, promise) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (call) \
                       DO UPDATE SET promise = excluded.promise";
            let (tenant, party, rendered) =
                (promise.tenant.as_str(), promise.party.map(|p| p.to_string()), promise.rendered.reveal());
            tx.prepare_cached(sql)?.execute(params![call.to_string(), tenant, party, rendered]).map(drop)
        }
    }
}
