//! The outbox's rows: written with their ticket, sent by whoever has the door of [`tickets::Rows`], kept for good.

use crate::error::Result;
use crate::store::Store;
use base::{Pii, Wall};
use rusqlite::{Connection, OptionalExtension, Row, params};
use std::time::Duration;
use tickets::{Change, Delivery, Fate, Letter, Number, Progress, Rows, Ticket};

/// One row as an operator sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxRow {
    pub id: u64,
    pub key: String,
    pub destination: String,
    pub attempts: u32,
    pub state: String,
    /// What the last attempt brought.
    pub last: Option<String>,
}

impl Store {
    /// Rows in `state` (`waiting`, `done` or `dead`), oldest first.
    pub fn outbox(&self, state: &str, limit: usize) -> Result<Vec<OutboxRow>> {
        let sql = "SELECT id, key, destination, attempts, state, last FROM outbox WHERE state = ?1 ORDER BY id LIMIT ?2";
        let read = |row: &Row| {
            let (id, key, destination) = (row.get(0)?, row.get(1)?, row.get(2)?);
            Ok(OutboxRow { id, key, destination, attempts: row.get(3)?, state: row.get(4)?, last: row.get(5)? })
        };
        let db = self.db();
        let mut rows = db.prepare_cached(sql)?;
        let rows = rows.query_map(params![state, i64::try_from(limit).unwrap_or(i64::MAX)], read)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Sends a dead row again, by hand. False if it is none.
    pub fn replay_outbox(&self, now: Wall, id: u64) -> Result<bool> {
        let sql = "UPDATE outbox SET state = 'waiting', attempts = 0, due = ?2 WHERE id = ?1 AND state = 'dead'";
        self.write(move |tx| Ok(tx.execute(sql, params![id, now.0])? > 0))
    }
}

/// The row of one change for one destination; a second one with its key changes nothing.
pub(crate) fn insert(db: &Connection, destination: &str, change: &Change, ticket: &Ticket, source: &str) -> Result<()> {
    let sql = "INSERT INTO outbox (key, destination, tenant, number, party, body, created, due) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7) ON CONFLICT (destination, key) DO NOTHING";
    let body = change.cloud_event(source, ticket).to_string();
    let party = ticket.party.map(|p| p.to_string());
    let key = change.key().to_string();
    let row = params![key, destination, ticket.tenant.as_str(), ticket.number.0, party, body, ticket.updated.0];
    db.prepare_cached(sql)?.execute(row)?;
    Ok(())
}

impl Rows for Store {
    fn waiting(&self, now: Wall, limit: usize) -> std::result::Result<Vec<Delivery>, String> {
        waiting(self, now, limit).map_err(|e| e.to_string())
    }

    fn letter(&self, id: u64) -> std::result::Result<Option<Letter>, String> {
        letter(self, id).map_err(|e| e.to_string())
    }

    fn save(&self, now: Wall, id: u64, progress: &Progress) -> std::result::Result<(), String> {
        let state = match progress.fate {
            Fate::Waiting => "waiting",
            Fate::Done => "done",
            Fate::Dead => "dead",
        };
        let sql = "UPDATE outbox SET state = ?2, attempts = ?3, due = ?4, last = ?5 WHERE id = ?1";
        let (attempts, due, last) = (progress.attempts, now.plus(progress.due_in).0, progress.last.clone());
        let saved =
            self.write(move |tx| Ok(tx.prepare_cached(sql)?.execute(params![id, state, attempts, due, last]).map(drop)?));
        saved.map_err(|e| e.to_string())
    }
}

fn waiting(store: &Store, now: Wall, limit: usize) -> Result<Vec<Delivery>> {
    let sql = "SELECT id, destination, tenant, number, attempts, due FROM outbox WHERE state = 'waiting' ORDER BY id LIMIT ?1";
    let read = |row: &Row| {
        let tenant: String = row.get(2)?;
        let tenant =
            tenant.parse().map_err(|e| rusqlite::Error::FromSqlConversionFailure(2, rusqlite::types::Type::Text, Box::new(e)))?;
        let due_in: Duration = Wall(row.get(5)?).since(now);
        let (id, destination, attempts) = (row.get(0)?, row.get(1)?, row.get(4)?);
        Ok(Delivery { id, destination, ticket: (tenant, Number(row.get(3)?)), attempts, due_in })
    };
    let db = store.db();
    let mut rows = db.prepare_cached(sql)?;
    let rows = rows.query_map([i64::try_from(limit).unwrap_or(i64::MAX)], read)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn letter(store: &Store, id: u64) -> Result<Option<Letter>> {
    let sql = "SELECT o.key, o.body, p.number, u.value FROM outbox o LEFT JOIN party p ON p.tenant = o.tenant AND p.party = o.party \
               LEFT JOIN ticket t ON t.tenant = o.tenant AND t.number = o.number LEFT JOIN user_to_user u ON u.call = t.call \
               WHERE o.id = ?1";
    let read = |row: &Row| {
        let (caller, said): (Option<String>, Option<String>) = (row.get(2)?, row.get(3)?);
        Ok(Letter { key: row.get(0)?, body: row.get(1)?, caller: caller.map(Pii::new), user_to_user: said.map(Pii::new) })
    };
    Ok(store.db().prepare_cached(sql)?.query_row([id], read).optional()?)
}
