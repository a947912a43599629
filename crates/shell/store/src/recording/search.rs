//! Finding recordings among millions: newest first, page by page, over the index that leaves least to look at.
//!
//! Each index ends in the beginning and the place, so that a page begins where the one before ended and nothing is
//! sorted. Of the filters given the one with the fewest rows leads; how many it has is counted up to [`FEW`]. The
//! indexes that many rows share carry the other columns too, so that a row which is passed over is not read.

use super::{COLUMNS, Recording, name, read};
use crate::error::Result;
use crate::store::Store;
use base::fact::Kept;
use base::{AgentId, CallId, Lang, Pii, QueueId, RecordingId, Tenant, Wall};
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, params_from_iter};
use std::sync::Arc;

/// Beyond so many rows an index is not the rarest one.
const FEW: u32 = 5_000;

/// Whether a recording runs, or how it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordingState {
    Running,
    Ended(Kept),
}

/// Which recordings, newest first. All that is given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecordingFilter {
    pub call: Option<CallId>,
    /// The caller's number as the erasable table has it, with or without a plus; nothing of an erased one is found.
    pub caller: Option<Pii<Arc<str>>>,
    pub tenant: Option<Tenant>,
    pub queue: Option<QueueId>,
    pub agent: Option<AgentId>,
    pub lang: Option<Lang>,
    pub state: Option<RecordingState>,
    /// Begun at or after this, and before that.
    pub from: Option<Wall>,
    pub to: Option<Wall>,
    /// At least so long, and at most. Those that run have no length.
    pub shortest_ms: Option<u64>,
    pub longest_ms: Option<u64>,
    /// Only those after this one in the list: the last of the page before.
    pub after: Option<RecordingId>,
    pub limit: usize,
}

/// A condition, and the index that is led by it.
struct Term {
    index: Option<&'static str>,
    sql: String,
    values: Vec<Value>,
    /// Rows of it are in the order of the list within the index.
    ordered: bool,
}

impl Store {
    pub fn recordings(&self, filter: &RecordingFilter) -> Result<Vec<Recording>> {
        let db = self.db();
        let terms = terms(filter);
        let (index, mut terms) = (leading(&db, &terms)?, terms);
        if let Some(after) = filter.after {
            let sql = "SELECT started, place FROM recording WHERE recording = ?1";
            let place = |row: &rusqlite::Row| Ok(vec![row.get::<_, Value>(0)?, row.get(1)?]);
            let place = db.prepare_cached(sql)?.query_row([after.to_string()], place).optional()?;
            let Some(values) = place else { return Ok(Vec::new()) };
            terms.push(Term { index: None, sql: "(started, place) < (?, ?)".into(), values, ordered: true });
        }
        let conditions: Vec<&str> = terms.iter().map(|t| t.sql.as_str()).collect();
        let conditions = if conditions.is_empty() { "1".into() } else { conditions.join(" AND ") };
        let sql = format!(
            "SELECT {COLUMNS} FROM recording INDEXED BY {index} WHERE {conditions} ORDER BY started DESC, place DESC LIMIT ?"
        );
        let mut values: Vec<Value> = terms.into_iter().flat_map(|t| t.values).collect();
        values.push(i64::try_from(filter.limit).unwrap_or(i64::MAX).into());
        let mut rows = db.prepare_cached(&sql)?;
        rows.query_map(params_from_iter(values), |row| Ok(read(row)))?.map(|row| row?).collect()
    }
}

/// The index of the term with the fewest rows.
fn leading(db: &Connection, terms: &[Term]) -> Result<&'static str> {
    let mut best = ("recording_by_start", FEW + 1);
    for term in terms {
        let Some(index) = term.index else { continue };
        let sql = format!(
            "SELECT COUNT(*) FROM (SELECT 1 FROM recording INDEXED BY {index} WHERE {} LIMIT {})",
            term.sql,
            if term.ordered { FEW + 1 } else { FEW }
        );
        let rows: u32 = db.prepare_cached(&sql)?.query_row(params_from_iter(&term.values), |row| row.get(0))?;
        // One that has to be sorted leads only while that is quick.
        let rows = if !term.ordered && rows == FEW { FEW + 2 } else { rows };
        if rows < best.1 || (rows == best.1 && best.0 == "recording_by_start") {
            best = (index, rows);
        }
    }
    Ok(best.0)
}

fn terms(filter: &RecordingFilter) -> Vec<Term> {
    let is = |column: &str, index, value: String| Term {
        index: Some(index),
        sql: format!("{column} = ?"),
        values: vec![value.into()],
        ordered: true,
    };
    let mut terms = Vec::new();
    terms.extend(filter.call.map(|call| is("call", "recording_by_call", call.to_string())));
    terms.extend(filter.caller.as_ref().map(caller));
    terms.extend(filter.agent.as_ref().map(|agent| is("agent", "recording_by_agent", agent.to_string())));
    terms.extend(filter.queue.as_ref().map(|queue| is("queue", "recording_by_queue", queue.to_string())));
    terms.extend(filter.state.map(state));
    terms.extend(filter.lang.map(|lang| is("lang", "recording_by_lang", lang.to_string())));
    terms.extend(filter.tenant.as_ref().map(|tenant| is("tenant", "recording_by_tenant", tenant.to_string())));
    terms.extend(length(filter));
    let bound = |sql: &str, at: Wall| Term { index: None, sql: sql.into(), values: vec![at.0.into()], ordered: true };
    terms.extend(filter.from.map(|from| bound("started >= ?", from)));
    terms.extend(filter.to.map(|to| bound("started < ?", to)));
    terms
}

fn caller(number: &Pii<Arc<str>>) -> Term {
    let digits = number.reveal().trim_start_matches('+');
    let sql = "(tenant, party) IN (SELECT tenant, party FROM party WHERE number IN (?, ?))".into();
    let values = vec![digits.to_string().into(), format!("+{digits}").into()];
    Term { index: Some("recording_by_party"), sql, values, ordered: false }
}

fn state(state: RecordingState) -> Term {
    let (sql, values) = match state {
        RecordingState::Running => ("kept IS NULL", vec![]),
        RecordingState::Ended(kept) => ("kept = ?", vec![name(kept).to_string().into()]),
    };
    Term { index: Some("recording_by_kept"), sql: sql.into(), values, ordered: true }
}

fn length(filter: &RecordingFilter) -> Option<Term> {
    let bounds = [("duration_ms >= ?", filter.shortest_ms), ("duration_ms <= ?", filter.longest_ms)];
    let given: Vec<_> = bounds.into_iter().filter_map(|(sql, ms)| Some((sql, ms?))).collect();
    let sql = given.iter().map(|(sql, _)| *sql).collect::<Vec<_>>().join(" AND ");
    let values = given.iter().map(|(_, ms)| i64::try_from(*ms).unwrap_or(i64::MAX).into()).collect();
    (!given.is_empty()).then_some(Term { index: Some("recording_by_length"), sql, values, ordered: false })
}
