//! How values stand in answers, the same everywhere.

use base::{Instant, Now, Wall};
use serde::{Serialize, Serializer};

/// RFC 3339 in UTC.
pub fn time<S: Serializer>(at: &Wall, s: S) -> Result<S::Ok, S::Error> {
    at.to_string().serialize(s)
}

/// Milliseconds from a point of the monotonic clock until now.
pub fn age_ms(now: Now, since: Instant) -> u64 {
    u64::try_from(now.mono.since(since).as_millis()).unwrap_or(u64::MAX)
}

/// Milliseconds from now until a point of the monotonic clock, 0 once it is past.
pub fn left_ms(now: Now, until: Instant) -> u64 {
    u64::try_from(until.since(now.mono).as_millis()).unwrap_or(u64::MAX)
}
