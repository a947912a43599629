//! The recordings that have a file, page by page: for whoever holds them against the disk, keeps them and makes them
//! smaller. What lies on the disk is an observation of it, made again from it where it is missing.

use crate::error::Result;
use crate::recording::{Recording, id, missing};
use crate::store::Store;
use base::{AgentId, PartyId, Pii, QueueId, RecordingId, Tenant, Wall};
use rusqlite::{Connection, OptionalExtension, Row, params};
use std::sync::Arc;

/// What is on the disk of a recording that was erased, as its form says.
pub const ERASED: &str = "erased";
/// The same of one of which the log of accesses says so, and not everything is gone yet.
pub const ERASING: &str = "erasing";
/// The same of one whose audio is nowhere.
pub const MISSING: &str = "missing";

/// Which recordings are gone through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audio {
    /// Closed, with audio on the disk that somebody saw there.
    Seen,
    /// Also those that are recorded now, or at which nobody has looked yet.
    Possible,
}

/// A recording as whoever keeps it sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredFile {
    pub recording: RecordingId,
    pub tenant: Option<Tenant>,
    pub queue: Option<QueueId>,
    pub agent: Option<AgentId>,
    pub party: Option<PartyId>,
    pub started: Wall,
    /// Of audio, as far as somebody looked.
    pub bytes: u64,
    /// Below the recordings folder; empty of one that has none.
    pub file: String,
    /// Where the next page begins.
    pub place: (i64, i64),
}

/// Recordings of which something is left to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// Closed, and nobody has said yet what is on the disk.
    Unseen,
    /// The audio was nowhere.
    Missing,
    /// They failed, so that the log names no file: the one where audio of theirs would be.
    Failed,
    /// Their erasure was begun.
    Erasing,
}

impl Which {
    fn sql(self) -> &'static str {
        match self {
            Which::Unseen => {
                "SELECT recording, file, place FROM recording INDEXED BY recording_unseen \
                 WHERE form IS NULL AND file IS NOT NULL AND place > ?1 ORDER BY place LIMIT ?2"
            }
            Which::Missing => {
                "SELECT recording, file, place FROM recording INDEXED BY recording_missing \
                 WHERE form = 'missing' AND file IS NOT NULL AND place > ?1 ORDER BY place LIMIT ?2"
            }
            Which::Failed => {
                "SELECT recording, strftime('%Y/%m/%d', started / 1000000, 'unixepoch') || '/' || recording, place \
                 FROM recording INDEXED BY recording_failed \
                 WHERE form IS NULL AND file IS NULL AND kept = 'failed' AND place > ?1 ORDER BY place LIMIT ?2"
            }
            Which::Erasing => {
                "SELECT recording, coalesce(file, strftime('%Y/%m/%d', started / 1000000, 'unixepoch') || '/' || recording), \
                 place FROM recording INDEXED BY recording_by_form WHERE form = 'erasing' AND place > ?1 ORDER BY place LIMIT ?2"
            }
        }
    }
}

const FILE: &str = "recording, tenant, queue, agent, party, started, bytes, file, place";

impl Store {
    /// Those begun after a place, oldest first, each with its own place.
    pub fn stored(&self, after: i64, limit: usize) -> Result<Vec<(i64, Recording)>> {
        let places: Vec<(i64, String)> = {
            let db = self.db();
            let sql = "SELECT place, recording FROM recording WHERE place > ?1 AND file IS NOT NULL ORDER BY place LIMIT ?2";
            let mut rows = db.prepare_cached(sql)?;
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            rows.query_map(params![after, limit], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<rusqlite::Result<_>>()?
        };
        let row = |(place, id): (i64, String)| Some((place, id.parse().ok()?));
        let rows = places.into_iter().filter_map(row);
        let with = |(place, id)| Ok(self.recording(id)?.map(|recording| (place, recording)));
        rows.filter_map(|row| with(row).transpose()).collect()
    }

    /// All of these, with their files, in pages of at most so many. What is changed on the way is not seen twice.
    pub fn paged(&self, which: Which, limit: u32) -> impl Iterator<Item = Result<Vec<(RecordingId, String)>>> {
        let mut after = Some(i64::MIN);
        std::iter::from_fn(move || {
            let page = match self.placed(which.sql(), after.take()?, limit) {
                Ok(page) => page,
                Err(error) => return Some(Err(error)),
            };
            after = Some(page.last()?.0);
            Some(Ok(page.into_iter().map(|(_, id, file)| (id, file)).collect()))
        })
    }

    /// Each with its place, those after one.
    fn placed(&self, sql: &str, after: i64, limit: u32) -> Result<Vec<(i64, RecordingId, String)>> {
        let read = |row: &Row| Ok(named(row).and_then(|(id, file)| Ok((row.get(2)?, id, file))));
        self.page(|db| db.prepare_cached(sql)?.query_map(params![after, limit], read)?.map(|row| row?).collect())
    }

    /// There is audio of a recording that failed.
    pub fn lies_at(&self, recording: RecordingId, file: &str) -> Result<()> {
        let sql = "UPDATE recording SET file = ?2 WHERE recording = ?1 AND file IS NULL";
        let row = [recording.to_string(), file.to_string()];
        self.write(move |tx| Ok(tx.prepare_cached(sql)?.execute(row).map(drop)?))
    }

    /// Says what somebody saw on the disk: of each a form (such as `wav`, [`ERASED`], [`MISSING`]) and bytes of audio.
    /// What was erased since, or is being erased, is no news of an older look.
    pub fn on_disk(&self, found: &[(RecordingId, &str, u64)]) -> Result<()> {
        let sql = "UPDATE recording SET form = ?2, bytes = ?3 \
                   WHERE recording = ?1 AND (form IS NULL OR form NOT IN ('erasing', 'erased') OR ?2 = 'erased')";
        let found: Vec<_> = found.iter().map(said).collect();
        self.write(move |tx| Ok(found.iter().try_for_each(|found| say(tx, sql, found))?))
    }

    /// Says the same of one that nobody erases meanwhile, also over [`ERASING`].
    pub fn now_on_disk(&self, found: (RecordingId, &str, u64)) -> Result<()> {
        let found = said(&found);
        self.write(move |tx| Ok(say(tx, "UPDATE recording SET form = ?2, bytes = ?3 WHERE recording = ?1", &found)?))
    }

    /// What is on the disk is about to change: until somebody says what it is then, nobody has looked. False, and nothing
    /// is done, if it is not of this form any more.
    pub fn changes(&self, recording: RecordingId, from: &str) -> Result<bool> {
        let sql = "UPDATE recording SET form = NULL WHERE recording = ?1 AND form = ?2";
        let row = [recording.to_string(), from.to_string()];
        self.write(move |tx| Ok(tx.prepare_cached(sql)?.execute(row)? > 0))
    }

    /// Those with audio, oldest first, after a place.
    pub fn files(&self, after: (i64, i64), limit: u32, audio: Audio) -> Result<Vec<StoredFile>> {
        let seen = match audio {
            Audio::Seen => "file IS NOT NULL AND form IS NOT NULL AND form",
            Audio::Possible => "coalesce(form, '')",
        };
        let sql = format!(
            "SELECT {FILE} FROM recording INDEXED BY recording_by_start WHERE (started, place) > (?1, ?2) \
             AND {seen} NOT IN ('{ERASED}', '{MISSING}') ORDER BY started, place LIMIT ?3"
        );
        let after = params![after.0, after.1, limit];
        self.page(|db| db.prepare_cached(&sql)?.query_map(after, |row| Ok(file(row)))?.map(|row| row?).collect())
    }

    /// What is known of any recording, with or without audio.
    pub fn about(&self, recording: RecordingId) -> Result<Option<StoredFile>> {
        let sql = format!("SELECT {FILE} FROM recording WHERE recording = ?1");
        let of = [recording.to_string()];
        self.page(|db| db.prepare_cached(&sql)?.query_row(of, |row| Ok(file(row))).optional()?.transpose())
    }

    /// Of one tenant, those of this form that ended before a moment, oldest first.
    pub fn of_form(&self, form: &str, tenant: &Tenant, ended_before: Wall, limit: u32) -> Result<Vec<(RecordingId, String)>> {
        let sql = "SELECT recording, file FROM recording INDEXED BY recording_by_form WHERE form = ?1 AND tenant = ?2 \
                   AND started < ?3 AND started + duration_ms * 1000 < ?3 ORDER BY started LIMIT ?4";
        let which = params![form, tenant.as_str(), ended_before.0, limit];
        self.page(|db| db.prepare_cached(sql)?.query_map(which, |row| Ok(named(row)))?.map(|row| row?).collect())
    }

    /// Who a number is, in one tenant or in each; with or without a plus.
    pub fn parties(&self, number: &Pii<Arc<str>>, tenant: Option<&Tenant>) -> Result<Vec<PartyId>> {
        let digits = number.reveal().trim_start_matches('+');
        let sql = "SELECT party FROM party WHERE number IN (?1, ?2) AND (?3 IS NULL OR tenant = ?3) ORDER BY party";
        let db = self.db();
        let mut rows = db.prepare_cached(sql)?;
        let found = rows.query_map(params![digits, format!("+{digits}"), tenant.map(Tenant::as_str)], |row| Ok(id(row, 0)))?;
        found.filter_map(|party| party.map_err(Into::into).and_then(|party| party).transpose()).collect()
    }
}

/// Recording, form and bytes, as they are written.
type Said = (String, String, i64);

fn said((recording, form, bytes): &(RecordingId, &str, u64)) -> Said {
    (recording.to_string(), form.to_string(), i64::try_from(*bytes).unwrap_or(i64::MAX))
}

fn say(db: &Connection, sql: &str, (recording, form, bytes): &Said) -> rusqlite::Result<()> {
    db.prepare_cached(sql)?.execute(params![recording, form, bytes]).map(drop)
}

/// It is finished by whoever keeps recordings, if whoever began it can't.
pub(crate) fn begin_erasure(db: &Connection, recording: RecordingId) -> rusqlite::Result<()> {
    let sql = "UPDATE recording SET form = 'erasing' WHERE recording = ?1 AND form IS NOT 'erased'";
    db.prepare_cached(sql)?.execute([recording.to_string()]).map(drop)
}

fn named(row: &Row) -> Result<(RecordingId, String)> {
    Ok((id(row, 0)?.ok_or_else(missing)?, row.get(1)?))
}

fn file(row: &Row) -> Result<StoredFile> {
    let started: i64 = row.get(5)?;
    Ok(StoredFile {
        recording: id(row, 0)?.ok_or_else(missing)?,
        tenant: id(row, 1)?,
        queue: id(row, 2)?,
        agent: id(row, 3)?,
        party: id(row, 4)?,
        started: Wall(started),
        bytes: row.get::<_, Option<u64>>(6)?.unwrap_or_default(),
        file: row.get::<_, Option<String>>(7)?.unwrap_or_default(),
        place: (started, row.get(8)?),
    })
}
