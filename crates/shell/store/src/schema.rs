//! The tables, and how a connection is set up.
//!
//! WAL, so that readers never stop the writer. `synchronous = FULL`: a commit returns after its fsync, so what was
//! acknowledged outlives a power cut and not only a kill; group commit keeps that to at most 50 fsyncs a second.
//! `secure_delete`: an erased person's bytes are overwritten.

use crate::error::{Result, StoreError};
use crate::recording;
use rusqlite::{Connection, OpenFlags};
use std::path::Path;
use std::time::Duration;

/// The form of the tables that this code writes.
const FORM: u32 = 6;

/// Bits of a fact's place that are its seq; those above are its epoch.
pub const SEQ_BITS: u32 = 40;

const TABLES: &str = "
CREATE TABLE epoch (
  epoch INTEGER PRIMARY KEY,
  boot_id TEXT NOT NULL
) STRICT;

CREATE TABLE fact (
  place INTEGER PRIMARY KEY,
  epoch INTEGER GENERATED ALWAYS AS (place >> 40) VIRTUAL,
  seq INTEGER GENERATED ALWAYS AS (place & 0xFFFFFFFFFF) VIRTUAL,
  time INTEGER NOT NULL,
  type TEXT NOT NULL,
  call TEXT,
  agent TEXT,
  form INTEGER NOT NULL,
  json TEXT NOT NULL
) STRICT;
CREATE INDEX fact_by_call ON fact (call, place) WHERE call IS NOT NULL;
CREATE INDEX fact_by_type ON fact (type, place);
CREATE TRIGGER fact_is_never_changed BEFORE UPDATE ON fact BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
CREATE TRIGGER fact_is_never_deleted BEFORE DELETE ON fact BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;

CREATE TABLE party (
  tenant TEXT NOT NULL,
  party TEXT NOT NULL,
  number TEXT NOT NULL,
  name TEXT NOT NULL,
  PRIMARY KEY (tenant, party)
) STRICT, WITHOUT ROWID;

CREATE TABLE binding (
  user TEXT PRIMARY KEY,
  bindings BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE mark (
  consumer TEXT PRIMARY KEY,
  place INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO mark (consumer, place) VALUES ('tickets', 0);

CREATE TABLE checkpoint (
  consumer TEXT PRIMARY KEY,
  place INTEGER NOT NULL,
  state BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE ticket (
  tenant TEXT NOT NULL,
  number INTEGER NOT NULL,
  call TEXT NOT NULL,
  state TEXT NOT NULL,
  opened INTEGER NOT NULL,
  json TEXT NOT NULL,
  PRIMARY KEY (tenant, number)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX ticket_by_call ON ticket (call, tenant);
CREATE INDEX ticket_by_time ON ticket (opened);

CREATE TABLE ticket_call (
  call TEXT PRIMARY KEY,
  json TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE outbox (
  id INTEGER PRIMARY KEY,
  key TEXT NOT NULL,
  destination TEXT NOT NULL,
  tenant TEXT NOT NULL,
  number INTEGER NOT NULL,
  party TEXT,
  body TEXT NOT NULL,
  created INTEGER NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  due INTEGER NOT NULL,
  state TEXT NOT NULL DEFAULT 'waiting',
  last TEXT,
  UNIQUE (destination, key)
) STRICT;
CREATE INDEX outbox_by_state ON outbox (state, id);
";

/// What form 2 added: what the network said about calls, which goes with the party.
const SINCE_2: &str = "
CREATE TABLE user_to_user (
  call TEXT PRIMARY KEY,
  tenant TEXT NOT NULL,
  party TEXT NOT NULL,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX user_to_user_by_party ON user_to_user (tenant, party);
";

/// What form 3 added: who was promised a call back, with the number. Each goes when its callback is over.
const SINCE_3: &str = "
CREATE TABLE promise (
  call TEXT PRIMARY KEY,
  tenant TEXT NOT NULL,
  party TEXT,
  promise BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX promise_by_party ON promise (tenant, party);
";

/// What form 4 made anew from the log: recordings, to be found by what is known of them. `place` is the fact that they
/// began with. See `recording/search.rs` for what the indexes carry.
const SINCE_4: &str = "
DROP TABLE IF EXISTS recording;
CREATE TABLE recording (
  place INTEGER PRIMARY KEY,
  recording TEXT NOT NULL UNIQUE,
  call TEXT NOT NULL,
  tenant TEXT,
  party TEXT,
  queue TEXT,
  agent TEXT,
  lang TEXT,
  started INTEGER NOT NULL,
  duration_ms INTEGER,
  kept TEXT,
  sha256 TEXT,
  file TEXT,
  reason TEXT
) STRICT;
CREATE INDEX recording_by_start ON recording (started, kept, lang, duration_ms);
CREATE INDEX recording_by_call ON recording (call, started);
CREATE INDEX recording_by_party ON recording (tenant, party, started);
CREATE INDEX recording_by_agent ON recording (agent, started);
CREATE INDEX recording_by_queue ON recording (queue, started, agent, lang, kept, duration_ms);
CREATE INDEX recording_by_kept ON recording (kept, started, tenant, lang, duration_ms);
CREATE INDEX recording_by_lang ON recording (lang, started, tenant, queue, kept, duration_ms);
CREATE INDEX recording_by_tenant ON recording (tenant, started, kept, duration_ms);
CREATE INDEX recording_by_length ON recording (duration_ms);
CREATE INDEX IF NOT EXISTS party_by_number ON party (number);
";

/// What form 5 added: what is on the disk of a recording, for whoever keeps it. Not from the log; see `stored.rs`.
const SINCE_5: &str = "
ALTER TABLE recording ADD COLUMN form TEXT;
ALTER TABLE recording ADD COLUMN bytes INTEGER;
CREATE INDEX recording_by_form ON recording (form, tenant, started);
CREATE INDEX recording_unseen ON recording (place) WHERE form IS NULL AND file IS NOT NULL;
";

/// What form 6 added: what the log of accesses must contain, the last moment at which the clock was believed, and the
/// way to recordings whose audio is nowhere. See `access.rs` and `stored.rs`.
const SINCE_6: &str = "
CREATE TABLE IF NOT EXISTS access_head (
  only INTEGER PRIMARY KEY CHECK (only = 1),
  n INTEGER NOT NULL,
  hash TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS access_hold (
  hold INTEGER PRIMARY KEY,
  of TEXT NOT NULL,
  at TEXT NOT NULL,
  who TEXT NOT NULL,
  why TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS believed_clock (
  only INTEGER PRIMARY KEY CHECK (only = 1),
  at INTEGER NOT NULL
) STRICT;
CREATE INDEX recording_missing ON recording (place) WHERE form = 'missing' AND file IS NOT NULL;
CREATE INDEX recording_failed ON recording (place) WHERE form IS NULL AND file IS NULL AND kept = 'failed';
";

/// Opens one connection, for any number of threads one after the other.
pub fn connect(file: &Path) -> Result<Connection> {
    let db = Connection::open(file)?;
    db.busy_timeout(Duration::from_secs(5))?;
    db.pragma_update(None, "journal_mode", "WAL")?;
    db.pragma_update(None, "synchronous", "FULL")?;
    db.pragma_update(None, "foreign_keys", true)?;
    db.pragma_update(None, "secure_delete", true)?;
    db.pragma_update(None, "trusted_schema", false)?;
    db.set_prepared_statement_cache_capacity(64);
    Ok(db)
}

/// A connection that writes nothing, beside a node that may run.
pub fn look(file: &Path) -> Result<Connection> {
    let db = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    db.busy_timeout(Duration::from_secs(5))?;
    db.set_prepared_statement_cache_capacity(64);
    let found: u32 = db.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if found > FORM {
        return Err(StoreError::TooNew { path: file.into(), found, known: FORM });
    }
    Ok(db)
}

/// Makes the tables of a new file, and what an older form has not; refuses one of a newer form.
pub fn prepare(db: &mut Connection, file: &Path) -> Result<()> {
    let tx = db.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let found: u32 = tx.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if found > FORM {
        return Err(StoreError::TooNew { path: file.into(), found, known: FORM });
    }
    if found == 0 {
        tx.execute_batch(TABLES)?;
    }
    if found < 2 {
        tx.execute_batch(SINCE_2)?;
    }
    if found < 3 {
        tx.execute_batch(SINCE_3)?;
    }
    if found < 4 {
        tx.execute_batch(SINCE_4)?;
        recording::rebuild(&tx)?;
    }
    if found < 5 {
        tx.execute_batch(SINCE_5)?;
    }
    if found < 6 {
        tx.execute_batch(SINCE_6)?;
        tx.pragma_update(None, "user_version", FORM)?;
    }
    tx.commit()?;
    Ok(())
}

/// A fact's place as the one number it is stored under. None beyond 23 bits of epoch or 40 of seq: 8 million starts,
/// or a trillion facts of one epoch.
pub fn place(epoch: u32, seq: u64) -> Option<i64> {
    let fits = epoch < 1 << 23 && seq < 1 << SEQ_BITS;
    fits.then(|| (i64::from(epoch) << SEQ_BITS) | seq as i64)
}

/// Epoch and seq of a stored place.
pub fn unplace(place: i64) -> (u32, u64) {
    ((place >> SEQ_BITS) as u32, (place & ((1 << SEQ_BITS) - 1)) as u64)
}
