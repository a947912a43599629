//! The log's rows: written once, in order, and read by place, type or call.

use crate::error::{Result, StoreError};
use crate::schema::{place, unplace};
use crate::store::Store;
use base::CallId;
use base::fact::{Fact, Logged, VERSION};
use rusqlite::{Connection, OptionalExtension, Row, params};
use std::sync::Arc;

/// Rows read at once when the whole log is walked.
const PAGE: usize = 4096;

/// Which facts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only those later than this (epoch, seq).
    pub after: (u32, u64),
    pub limit: usize,
    /// The last `limit` instead of the first; still oldest first.
    pub newest: bool,
    /// A whole type such as `queue.left`, or the part before its dot, such as `queue`.
    pub kind: Option<String>,
    pub call: Option<CallId>,
}

impl Store {
    pub fn read_facts(&self, filter: &Filter) -> Result<Vec<Logged>> {
        read(&self.db(), filter)
    }

    /// The place of the newest fact, (0, 0) while there is none.
    pub fn newest(&self) -> Result<(u32, u64)> {
        let newest: Option<i64> = self.db().query_row("SELECT MAX(place) FROM fact", [], |row| row.get(0))?;
        Ok(unplace(newest.unwrap_or(0)))
    }

    /// The facts of the last epoch before `epoch` that began: what a new epoch closes the open ends of. An epoch that
    /// died before it had said who is logged in (`config.loaded` comes with that) is passed over, and read along.
    pub fn last_epoch_facts(self: &Arc<Self>, epoch: u32) -> Result<Facts> {
        let end = place(epoch, 0).unwrap_or(i64::MAX);
        let sql = "SELECT MAX(place) FROM fact WHERE type = 'config.loaded' AND place < ?1";
        let started: Option<i64> = self.db().query_row(sql, [end], |row| row.get(0)).optional()?.flatten();
        let from = started.map_or(epoch, |p| unplace(p).0);
        Ok(Facts { store: self.clone(), after: (from, 0), end: (epoch, 0), page: Vec::new().into_iter(), ended: false })
    }

    /// Every fact later than `after`, page by page.
    pub fn facts_after(self: &Arc<Self>, after: (u32, u64)) -> Facts {
        Facts { store: self.clone(), after, end: (u32::MAX, 0), page: Vec::new().into_iter(), ended: false }
    }
}

/// A walk over the log, oldest first. Ends at the first error, which it gives.
pub struct Facts {
    store: Arc<Store>,
    after: (u32, u64),
    end: (u32, u64),
    page: std::vec::IntoIter<Logged>,
    ended: bool,
}

impl Iterator for Facts {
    type Item = Result<Logged>;

    fn next(&mut self) -> Option<Result<Logged>> {
        if self.page.as_slice().is_empty() && !self.ended {
            let filter = Filter { after: self.after, limit: PAGE, ..Filter::default() };
            match self.store.read_facts(&filter) {
                Ok(page) => {
                    self.ended = page.len() < PAGE;
                    self.page = page.into_iter();
                }
                Err(error) => {
                    self.ended = true;
                    return Some(Err(error));
                }
            }
        }
        let next = self.page.next().filter(|l| (l.epoch, l.seq) < self.end);
        match &next {
            Some(next) => self.after = (next.epoch, next.seq),
            None => self.ended = true,
        }
        next.map(Ok)
    }
}

pub(crate) fn read(db: &Connection, filter: &Filter) -> Result<Vec<Logged>> {
    let after = place(filter.after.0, filter.after.1).unwrap_or(i64::MAX);
    let (from, to) = filter.kind.as_deref().map(kinds).unzip();
    let order = if filter.newest { "DESC" } else { "ASC" };
    let by_call = if filter.call.is_some() { "AND call = ?2" } else { "AND ?2 IS NULL" };
    let by_kind = if from.is_some() { "AND type >= ?3 AND type < ?4" } else { "AND ?3 IS NULL AND ?4 IS NULL" };
    let sql = format!("SELECT place, json FROM fact WHERE place > ?1 {by_call} {by_kind} ORDER BY place {order} LIMIT ?5");
    let limit = i64::try_from(filter.limit).unwrap_or(i64::MAX);
    let mut rows = db.prepare_cached(&sql)?;
    let rows = rows.query_map(params![after, filter.call.map(|c| c.to_string()), from, to, limit], raw)?;
    let mut facts = rows.map(|row| parse(row?)).collect::<Result<Vec<_>>>()?;
    if filter.newest {
        facts.reverse();
    }
    Ok(facts)
}

/// The span of type names that a kind means: `queue` is all from `queue.` to before `queue/`, the next character.
fn kinds(kind: &str) -> (String, String) {
    if kind.contains('.') { (kind.into(), format!("{kind}\0")) } else { (format!("{kind}."), format!("{kind}/")) }
}

fn raw(row: &Row) -> rusqlite::Result<(i64, String)> {
    Ok((row.get(0)?, row.get(1)?))
}

fn parse((place, json): (i64, String)) -> Result<Logged> {
    let (epoch, seq) = unplace(place);
    let fact = serde_json::from_str(&json).map_err(|e| StoreError::Fact { epoch, seq, error: e.to_string() })?;
    Ok(Logged { epoch, seq, fact })
}

/// A fact as its row, made once, so that a batch that has to be written again costs no second rendering.
pub(crate) struct Rendered {
    place: i64,
    time: i64,
    kind: String,
    call: Option<String>,
    agent: Option<String>,
    json: String,
}

impl Rendered {
    /// None if the fact has no place or no text: both mean a fault in this program, and the caller raises the alarm.
    pub fn new(epoch: u32, seq: u64, fact: &Fact) -> Option<Rendered> {
        Some(Rendered {
            place: place(epoch, seq)?,
            time: fact.now.wall.0,
            kind: fact.what.name(),
            call: fact.about.call.map(|c| c.to_string()),
            agent: fact.about.agent.as_ref().map(|a| a.to_string()),
            json: serde_json::to_string(fact).ok()?,
        })
    }

    /// Ignored if it is there already: a commit whose answer was lost.
    pub fn insert(&self, db: &Connection) -> rusqlite::Result<()> {
        let sql = "INSERT INTO fact (place, time, type, call, agent, form, json) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) \
                   ON CONFLICT (place) DO NOTHING";
        let row = params![self.place, self.time, self.kind, self.call, self.agent, VERSION, self.json];
        db.prepare_cached(sql)?.execute(row).map(|_| ())
    }
}
