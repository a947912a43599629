//! How values stand in answers, the same everywhere.

use acd::{Estimate, Expected};
use base::{Instant, Now, Wall};
use engine::PausedView;
use serde::{Serialize, Serializer};
use std::sync::Arc;
use std::time::Duration;

/// How long a visit will yet wait.
#[derive(Serialize)]
pub struct ExpectedRow {
    p50_ms: u64,
    p90_ms: u64,
    from: Estimate,
}

impl From<Expected> for ExpectedRow {
    fn from(expected: Expected) -> Self {
        ExpectedRow { p50_ms: millis(expected.p50), p90_ms: millis(expected.p90), from: expected.from }
    }
}

/// Silence in a recording.
#[derive(Serialize)]
pub struct PausedRow {
    who: Arc<str>,
    cause: Arc<str>,
    #[serde(serialize_with = "time")]
    until: Wall,
    left_ms: u64,
}

impl PausedRow {
    pub fn of(paused: &PausedView, now: Now) -> PausedRow {
        let PausedView { who, cause, until, due } = paused.clone();
        PausedRow { who, cause, until, left_ms: left_ms(now, due) }
    }
}

pub fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// RFC 3339 in UTC.
pub fn time<S: Serializer>(at: &Wall, s: S) -> Result<S::Ok, S::Error> {
    at.to_string().serialize(s)
}

/// Milliseconds from a point of the monotonic clock until now.
pub fn age_ms(now: Now, since: Instant) -> u64 {
    millis(now.mono.since(since))
}

/// Milliseconds from now until a point of the monotonic clock, 0 once it is past.
pub fn left_ms(now: Now, until: Instant) -> u64 {
    millis(until.since(now.mono))
}
