//! The recordings that have a file, page by page, for whoever holds them against the disk.

use crate::error::Result;
use crate::recording::Recording;
use crate::store::Store;
use rusqlite::params;

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
}
