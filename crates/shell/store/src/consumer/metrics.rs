//! The figures: folds the log into a board and publishes it, at most each 200 ms, and each second while a wait or a
//! state grows by itself. A checkpoint each minute, with its mark in the same row, keeps a restart short; a checkpoint
//! that is lost or of another form costs only the time to fold the log again.

use crate::error::{Result, StoreError};
use crate::feed::{Feed, Next};
use crate::schema::{place, unplace};
use crate::store::Store;
use crate::writer::Handle;
use ::metrics::{Board, Figures, Folded, Formula, View};
use arc_swap::ArcSwap;
use base::fact::Logged;
use base::{Now, QueueId, Wall};
use rusqlite::{OptionalExtension, params};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

const AT_MOST_EACH: Duration = Duration::from_millis(200);
const WHILE_MOVING_EACH: Duration = Duration::from_secs(1);
const CHECKPOINT_EACH: Duration = Duration::from_secs(60);
const AFTER_AN_ERROR: Duration = Duration::from_secs(1);

/// What the wiring decides.
pub struct MetricsOptions {
    /// The clock that the facts' times are of.
    pub clock: Arc<dyn Fn() -> Now + Send + Sync>,
    /// The window that the figures are of: from, within, and to, outside. Such as the site's local day.
    pub window: Box<dyn Fn(Now) -> (Wall, Wall) + Send>,
    pub formula: Formula,
    pub formulas: BTreeMap<QueueId, Formula>,
    /// Called after each new figures.
    pub changed: Box<dyn Fn() + Send>,
}

/// The thread and what it publishes.
pub struct Metrics {
    figures: Arc<ArcSwap<Figures>>,
    failing: Arc<Mutex<Option<String>>>,
    thread: JoinHandle<()>,
}

impl Metrics {
    /// Begins from the last checkpoint. Ends by itself when the writer has ended and everything is folded.
    pub fn start(store: Arc<Store>, log: &Handle, options: MetricsOptions) -> Result<Metrics> {
        let board = restore(&store)?;
        let mark = board.mark();
        let feed = log.subscribe(store.clone(), (mark.epoch, mark.seq));
        let figures = Arc::new(ArcSwap::from_pointee(Figures::default()));
        let db = store.connect()?;
        let failing = Arc::new(Mutex::new(None));
        let (shown, alarm) = (figures.clone(), failing.clone());
        let folding = Folding { board, feed, store, db, options, figures: shown, failing: alarm, saved: Instant::now() };
        folding.publish();
        let name = std::thread::Builder::new().name("metrics".into());
        let thread = name.spawn(move || folding.run()).map_err(StoreError::file("metrics".as_ref()))?;
        Ok(Metrics { figures, failing, thread })
    }

    /// Why the figures stand still: an alarm.
    pub fn failing(&self) -> Option<String> {
        self.failing.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn figures(&self) -> Arc<ArcSwap<Figures>> {
        self.figures.clone()
    }

    /// After [`crate::Writer::close`]: waits for the last fact to be folded, and gives the last figures.
    pub fn close(self) -> Arc<Figures> {
        if self.thread.join().is_err() {
            tracing::error!("the thread of the figures panicked");
        }
        self.figures.load_full()
    }
}

struct Folding {
    board: Board,
    feed: Feed,
    store: Arc<Store>,
    db: rusqlite::Connection,
    options: MetricsOptions,
    figures: Arc<ArcSwap<Figures>>,
    failing: Arc<Mutex<Option<String>>>,
    saved: Instant,
}

impl Folding {
    fn run(mut self) {
        let (mut dirty, mut published) = (false, Instant::now());
        loop {
            match self.feed.next(AT_MOST_EACH / 2) {
                Ok(Next::Facts(facts)) => {
                    self.fold(&facts);
                    self.alarm(None);
                    dirty = true;
                }
                Ok(Next::Nothing) => self.alarm(None),
                Ok(Next::Closed) => break,
                Err(error) => {
                    self.alarm(Some(error));
                    std::thread::sleep(AFTER_AN_ERROR);
                }
            }
            let since = published.elapsed();
            if (dirty && since >= AT_MOST_EACH) || (since >= WHILE_MOVING_EACH && self.board.is_moving()) {
                self.publish();
                (dirty, published) = (false, Instant::now());
            }
            if self.saved.elapsed() >= CHECKPOINT_EACH {
                self.save();
            }
        }
        self.publish();
        self.save();
    }

    fn fold(&mut self, facts: &[Logged]) {
        for fact in facts {
            if let Folded::Gap(mark) = self.board.apply(fact) {
                tracing::warn!(?mark, "facts were missing from the feed: reading the log again");
                self.feed = self.feed.restart((mark.epoch, mark.seq));
                return;
            }
        }
    }

    fn alarm(&self, error: Option<StoreError>) {
        let mut failing = self.failing.lock().unwrap_or_else(PoisonError::into_inner);
        if let (Some(error), None) = (&error, &*failing) {
            tracing::error!(%error, "the figures cannot read the log");
        }
        *failing = error.map(|e| e.to_string());
    }

    fn publish(&self) {
        let now = (self.options.clock)();
        let (from, to) = (self.options.window)(now);
        let (formula, formulas) = (self.options.formula, self.options.formulas.clone());
        self.figures.store(Arc::new(self.board.figures(&View { now, from, to, formula, formulas })));
        (self.options.changed)();
    }

    fn save(&mut self) {
        self.saved = Instant::now();
        let mark = self.board.mark();
        let sql = "INSERT INTO checkpoint (consumer, place, state) VALUES ('metrics', ?1, ?2) \
                   ON CONFLICT (consumer) DO UPDATE SET place = excluded.place, state = excluded.state";
        let row = params![place(mark.epoch, mark.seq), self.board.checkpoint()];
        if let Err(error) = self.db.execute(sql, row) {
            tracing::warn!(%error, "no checkpoint of the figures: a restart will take longer");
            // A connection that failed is not trusted again.
            if let Ok(db) = self.store.connect() {
                self.db = db;
            }
        }
    }
}

/// The board of the last checkpoint; an empty one if there is none that fits the log.
fn restore(store: &Store) -> Result<Board> {
    let newest = store.newest()?;
    let sql = "SELECT place, state FROM checkpoint WHERE consumer = 'metrics'";
    let read = |row: &rusqlite::Row| Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?));
    let row = store.db().query_row(sql, [], read).optional()?;
    let board = row.and_then(|(place, state)| {
        let board = Board::restore(&state)?;
        let mark = (board.mark().epoch, board.mark().seq);
        (mark == unplace(place) && mark <= newest).then_some(board)
    });
    Ok(board.unwrap_or_default())
}
