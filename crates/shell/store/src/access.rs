//! What the log of accesses to recordings must contain, kept where that log is not: its head, and the holds in it. A
//! log that was cut, damaged or lost is told by it, and no hold goes with it.

use crate::error::Result;
use crate::schema;
use crate::store::Store;
use crate::stored::begin_erasure;
use base::{RecordingId, Wall};
use rusqlite::{Connection, OptionalExtension, params};

/// The end of the log's chain, as of the last line that was kept here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessHead {
    pub n: u64,
    pub hash: String,
}

/// A hold as its line says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptHold {
    /// Its line.
    pub hold: u64,
    /// What it selects, as text.
    pub of: String,
    pub at: String,
    pub who: String,
    pub why: String,
}

/// What is to be remembered of a line of the log beside its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccessChange {
    None,
    Set(KeptHold),
    Released(u64),
    /// It goes from here on, whatever happens before it is gone.
    Erases(RecordingId),
}

impl Store {
    /// None: no log was ever kept here.
    pub fn access_head(&self) -> Result<Option<AccessHead>> {
        let read = |row: &rusqlite::Row| Ok(AccessHead { n: row.get(0)?, hash: row.get(1)? });
        Ok(self.db().query_row("SELECT n, hash FROM access_head", [], read).optional()?)
    }

    /// Oldest first.
    pub fn kept_holds(&self) -> Result<Vec<KeptHold>> {
        let db = self.db();
        let mut rows = db.prepare_cached("SELECT hold, of, at, who, why FROM access_hold ORDER BY hold")?;
        let read = |row: &rusqlite::Row| {
            Ok(KeptHold { hold: row.get(0)?, of: row.get(1)?, at: row.get(2)?, who: row.get(3)?, why: row.get(4)? })
        };
        Ok(rows.query_map([], read)?.collect::<rusqlite::Result<_>>()?)
    }

    /// A line was appended, which is the head now.
    pub fn keep_access(&self, head: &AccessHead, change: &AccessChange) -> Result<()> {
        let (head, change) = (head.clone(), change.clone());
        self.write(move |tx| {
            keep_head(tx, &head)?;
            match change {
                AccessChange::None => {}
                AccessChange::Set(hold) => keep_hold(tx, &hold)?,
                AccessChange::Released(hold) => drop(tx.execute("DELETE FROM access_hold WHERE hold = ?1", [hold])?),
                AccessChange::Erases(recording) => begin_erasure(tx, recording)?,
            }
            Ok(())
        })
    }

    /// This is the log from here on, and these are its holds; `erases` is what it says is erased and was not kept yet.
    pub fn keep_accesses(&self, head: &AccessHead, holds: &[KeptHold], erases: &[RecordingId]) -> Result<()> {
        let (head, holds, erases) = (head.clone(), holds.to_vec(), erases.to_vec());
        self.write(move |tx| {
            keep_head(tx, &head)?;
            erases.iter().try_for_each(|recording| begin_erasure(tx, *recording))?;
            tx.execute("DELETE FROM access_hold", [])?;
            Ok(holds.iter().try_for_each(|hold| keep_hold(tx, hold))?)
        })
    }

    /// Whether there is a row of any recording.
    pub fn has_recordings(&self) -> Result<bool> {
        Ok(self.db().query_row("SELECT EXISTS (SELECT 1 FROM recording)", [], |row| row.get(0))?)
    }

    /// The last moment at which the clock was believed, as far as is known.
    pub fn believed_clock(&self) -> Result<Option<Wall>> {
        let read = |row: &rusqlite::Row| Ok(Wall(row.get(0)?));
        Ok(self.db().query_row("SELECT at FROM believed_clock", [], read).optional()?)
    }

    pub fn believe_clock(&self, at: Wall) -> Result<()> {
        let sql = "INSERT INTO believed_clock (only, at) VALUES (1, ?1) ON CONFLICT (only) DO UPDATE SET at = excluded.at";
        self.write(move |tx| Ok(tx.execute(sql, [at.0]).map(drop)?))
    }

    /// When the last fact of an epoch before the present one was logged.
    pub fn last_before(&self) -> Result<Option<Wall>> {
        let db = self.db();
        let epoch: u32 = db.query_row("SELECT COALESCE(MAX(epoch), 0) FROM epoch", [], |row| row.get(0))?;
        let Some(place) = schema::place(epoch, 0) else { return Ok(None) };
        let sql = "SELECT time FROM fact WHERE place < ?1 ORDER BY place DESC LIMIT 1";
        Ok(db.query_row(sql, [place], |row| Ok(Wall(row.get(0)?))).optional()?)
    }
}

fn keep_head(db: &Connection, head: &AccessHead) -> rusqlite::Result<()> {
    let sql = "INSERT INTO access_head (only, n, hash) VALUES (1, ?1, ?2) \
               ON CONFLICT (only) DO UPDATE SET n = excluded.n, hash = excluded.hash";
    db.prepare_cached(sql)?.execute(params![head.n, head.hash]).map(drop)
}

fn keep_hold(db: &Connection, hold: &KeptHold) -> rusqlite::Result<()> {
    let sql = "INSERT OR REPLACE INTO access_hold (hold, of, at, who, why) VALUES (?1, ?2, ?3, ?4, ?5)";
    db.prepare_cached(sql)?.execute(params![hold.hold, hold.of, hold.at, hold.who, hold.why]).map(drop)
}
