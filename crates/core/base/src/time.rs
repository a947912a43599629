//! Time as an argument: made once, in the shell, and handed to every core.

use crate::id::BadId;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::{Add, Sub};
use std::str::FromStr;
use std::time::Duration;

/// A point of the monotonic clock, in nanoseconds since the shell's start. Compares only within one boot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Instant(pub u64);

impl Instant {
    pub const ZERO: Instant = Instant(0);

    /// The time since `earlier`, zero if `earlier` is later.
    pub fn since(self, earlier: Instant) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Instant {
    type Output = Instant;
    fn add(self, rhs: Duration) -> Instant {
        Instant(self.0.saturating_add(u64::try_from(rhs.as_nanos()).unwrap_or(u64::MAX)))
    }
}

impl Sub<Duration> for Instant {
    type Output = Instant;
    fn sub(self, rhs: Duration) -> Instant {
        Instant(self.0.saturating_sub(u64::try_from(rhs.as_nanos()).unwrap_or(u64::MAX)))
    }
}

/// A point of the wall clock: microseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Wall(pub i64);

impl Wall {
    pub fn plus(self, d: Duration) -> Wall {
        Wall(self.0.saturating_add(i64::try_from(d.as_micros()).unwrap_or(i64::MAX)))
    }

    /// The time since `earlier`, zero if `earlier` is later.
    pub fn since(self, earlier: Wall) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// Year, month, day, hour, minute, second, microsecond in UTC (proleptic Gregorian calendar).
    pub fn civil(self) -> (i64, u32, u32, u32, u32, u32, u32) {
        let micros = self.0.rem_euclid(1_000_000) as u32;
        let secs = self.0.div_euclid(1_000_000);
        let (days, rest) = (secs.div_euclid(86_400), secs.rem_euclid(86_400) as u32);
        // Days to date: Howard Hinnant, "chrono-compatible low-level date algorithms", civil_from_days.
        let z = days + 719_468;
        let era = z.div_euclid(146_097);
        let doe = z.rem_euclid(146_097);
        let yoe = (doe - doe / 1_460 + doe / 36_524 - doe / 146_096) / 365;
        let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
        let mp = (5 * doy + 2) / 153;
        let day = (doy - (153 * mp + 2) / 5 + 1) as u32;
        let month = if mp < 10 { mp + 3 } else { mp - 9 } as u32;
        let year = yoe + era * 400 + i64::from(month <= 2);
        (year, month, day, rest / 3_600, rest / 60 % 60, rest % 60, micros)
    }
}

/// RFC 3339 with its offset, or a day, which is its beginning in UTC.
impl FromStr for Wall {
    type Err = BadId;

    fn from_str(text: &str) -> Result<Wall, BadId> {
        let moment = match text.len() {
            10 => format!("{text}T00:00:00Z").parse::<jiff::Timestamp>(),
            _ => text.parse(),
        };
        let bad = |_| BadId { found: text.into(), expected: "a time such as 2026-11-22T08:00:00Z, or a day such as 2026-11-22" };
        moment.map(|moment| Wall(moment.as_microsecond())).map_err(bad)
    }
}

/// RFC 3339 in UTC with microseconds.
impl fmt::Display for Wall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (y, mo, d, h, mi, s, us) = self.civil();
        write!(f, "{y:04}-{mo:02}-{d:02}T{h:02}:{mi:02}:{s:02}.{us:06}Z")
    }
}

/// The one reading of both clocks that belongs to one input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Now {
    pub mono: Instant,
    pub wall: Wall,
}

impl Now {
    /// Both clocks advanced by the same span, as a virtual clock does.
    pub fn plus(self, d: Duration) -> Now {
        Now { mono: self.mono + d, wall: self.wall.plus(d) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wall_prints_as_rfc_3339() {
        assert_eq!(Wall(0).to_string(), "1970-01-01T00:00:00.000000Z");
        assert_eq!(Wall(951_782_400_000_001).to_string(), "2000-02-29T00:00:00.000001Z");
        assert_eq!(Wall(1_795_353_599_999_999).to_string(), "2026-11-22T13:19:59.999999Z");
        assert_eq!(Wall(-1).to_string(), "1969-12-31T23:59:59.999999Z");
    }

    #[test]
    fn a_difference_never_runs_backwards() {
        assert_eq!(Instant(5).since(Instant(9)), Duration::ZERO);
        assert_eq!(Wall(5).since(Wall(9)), Duration::ZERO);
    }
}
