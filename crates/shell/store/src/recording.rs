//! The recordings as the facts tell of them: one row for each part, written in the facts' own transaction, and made
//! again from the log where an older form of the table has not what is looked for.

mod search;

pub use search::{RecordingFilter, RecordingState};

use crate::error::{Result, StoreError};
use crate::facts::{self, Filter};
use crate::schema;
use crate::store::Store;
use base::fact::{Kept, Logged, What};
use base::{AgentId, CallId, Lang, QueueId, RecordingId, Tenant, Wall};
use rusqlite::{Connection, OptionalExtension, Row, params};

/// One part of a recording.
#[derive(Clone, Debug, PartialEq)]
pub struct Recording {
    pub recording: RecordingId,
    pub call: CallId,
    pub tenant: Option<Tenant>,
    pub queue: Option<QueueId>,
    pub agent: Option<AgentId>,
    pub lang: Option<Lang>,
    pub started: Wall,
    /// None while it runs, as all that follows.
    pub duration_ms: Option<u64>,
    pub kept: Option<Kept>,
    pub sha256: Option<String>,
    /// Below the recordings folder.
    pub file: Option<String>,
    pub reason: Option<String>,
    /// What is on the disk, and how many bytes of audio; none while nobody has looked.
    pub form: Option<String>,
    pub bytes: Option<u64>,
}

const COLUMNS: &str =
    "recording, call, tenant, queue, agent, lang, started, duration_ms, kept, sha256, file, reason, form, bytes";

impl Store {
    pub fn recording(&self, id: RecordingId) -> Result<Option<Recording>> {
        let sql = format!("SELECT {COLUMNS} FROM recording WHERE recording = ?1");
        self.db().prepare_cached(&sql)?.query_row([id.to_string()], |row| Ok(read(row))).optional()?.transpose()
    }
}

fn read(row: &Row) -> Result<Recording> {
    Ok(Recording {
        recording: id(row, 0)?.ok_or_else(missing)?,
        call: id(row, 1)?.ok_or_else(missing)?,
        tenant: id(row, 2)?,
        queue: id(row, 3)?,
        agent: id(row, 4)?,
        lang: id(row, 5)?,
        started: Wall(row.get(6)?),
        duration_ms: row.get(7)?,
        kept: row.get::<_, Option<String>>(8)?.as_deref().and_then(kept),
        sha256: row.get(9)?,
        file: row.get(10)?,
        reason: row.get(11)?,
        form: row.get(12)?,
        bytes: row.get(13)?,
    })
}

pub(crate) fn id<T: std::str::FromStr<Err = base::id::BadId>>(row: &Row, column: usize) -> Result<Option<T>> {
    let text: Option<String> = row.get(column)?;
    text.map(|t| t.parse().map_err(|e: base::id::BadId| StoreError::Row { what: "a recording", error: e.to_string() }))
        .transpose()
}

pub(crate) fn missing() -> StoreError {
    StoreError::Row { what: "a recording", error: "no id".into() }
}

fn name(kept: Kept) -> &'static str {
    match kept {
        Kept::Complete => "complete",
        Kept::Partial => "partial",
        Kept::Failed => "failed",
    }
}

fn kept(name: &str) -> Option<Kept> {
    [Kept::Complete, Kept::Partial, Kept::Failed].into_iter().find(|k| self::name(*k) == name)
}

/// Takes what the fact says about a recording, if it is about one.
pub(crate) fn project(db: &Connection, logged: &Logged) -> rusqlite::Result<()> {
    let fact = &logged.fact;
    match &fact.what {
        What::RecordingStarted { recording } => begin(db, logged, *recording),
        What::RecordingStored { recording, file, duration_ms, sha256, kept, reason } => {
            begin(db, logged, *recording)?;
            let sql = "UPDATE recording SET duration_ms = ?2, kept = ?3, sha256 = ?4, file = ?5, reason = ?6 \
                       WHERE recording = ?1 AND kept IS NULL";
            let row = params![recording.to_string(), duration_ms, name(*kept), sha256, file, reason];
            db.prepare_cached(sql)?.execute(row).map(drop)
        }
        What::RecordingFailed { recording, reason } => {
            begin(db, logged, *recording)?;
            let sql = "UPDATE recording SET kept = 'failed', reason = ?2 WHERE recording = ?1 AND kept IS NULL";
            db.prepare_cached(sql)?.execute(params![recording.to_string(), reason]).map(drop)
        }
        _ => Ok(()),
    }
}

fn begin(db: &Connection, logged: &Logged, recording: RecordingId) -> rusqlite::Result<()> {
    let about = &logged.fact.about;
    let sql = "INSERT INTO recording (recording, place, call, tenant, queue, agent, lang, started, party) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (recording) DO NOTHING";
    db.prepare_cached(sql)?.execute(params![
        recording.to_string(),
        schema::place(logged.epoch, logged.seq),
        recording.call().to_string(),
        about.tenant.as_ref().map(|t| t.as_str()),
        about.queue.as_ref().map(|q| q.as_str()),
        about.agent.as_ref().map(|a| a.as_str()),
        about.lang.map(|l| l.to_string()),
        logged.time().0,
        about.party.map(|p| p.to_string()),
    ])?;
    Ok(())
}

/// Makes the rows again from the log, of which they say nothing new.
pub(crate) fn rebuild(db: &Connection) -> Result<()> {
    db.execute("DELETE FROM recording", [])?;
    let mut after = (0, 0);
    loop {
        let filter = Filter { after, limit: 4_096, kind: Some("recording".into()), ..Filter::default() };
        let page = facts::read(db, &filter)?;
        let Some(last) = page.last() else { return Ok(()) };
        after = (last.epoch, last.seq);
        page.iter().try_for_each(|logged| project(db, logged))?;
    }
}
