//! Times in a ticket are text, RFC 3339 in UTC with microseconds, as `base::Wall` prints them.

use base::Wall;
use serde::{Deserialize, Deserializer, Serializer};

pub fn serialize<S: Serializer>(at: &Wall, s: S) -> Result<S::Ok, S::Error> {
    s.collect_str(at)
}

pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Wall, D::Error> {
    let text = String::deserialize(d)?;
    parse_rfc3339(&text)
        .ok_or_else(|| serde::de::Error::custom(format!("expected a time such as 2026-01-31T08:00:00.000000Z, found \"{text}\"")))
}

/// Reads `YYYY-MM-DDTHH:MM:SS` with an optional fraction, in UTC (`Z`).
pub fn parse_rfc3339(text: &str) -> Option<Wall> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let (clock, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let [year, month, day] = numbers::<3>(date, '-')?;
    let [hour, minute, second] = numbers::<3>(clock, ':')?;
    let fits = (1..=12).contains(&month) && (1..=31).contains(&day) && hour < 24 && minute < 60 && second < 60 && year < 10_000;
    if !fits || fraction.is_empty() || fraction.len() > 6 {
        return None;
    }
    let [part] = numbers::<1>(fraction, '.')?;
    let micros = part * 10_i64.pow(6 - fraction.len() as u32);
    Some(Wall((((days(year, month, day) * 24 + hour) * 60 + minute) * 60 + second) * 1_000_000 + micros))
}

fn numbers<const N: usize>(text: &str, sep: char) -> Option<[i64; N]> {
    let mut parts = text.split(sep);
    let mut out = [0; N];
    for n in &mut out {
        *n = parts.next().filter(|p| p.len() <= 6 && p.bytes().all(|b| b.is_ascii_digit()))?.parse().ok()?;
    }
    parts.next().is_none().then_some(out)
}

/// Days since 1970 in the Gregorian calendar, years counted from March so that a leap day is the last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let y = if month > 2 { year } else { year - 1 };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    365 * y + y.div_euclid(4) - y.div_euclid(100) + y.div_euclid(400) + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_no_time_is_refused() {
        for bad in [
            "",
            "2026-01-31",
            "2026-01-31T08:00:00",
            "2026-13-01T00:00:00Z",
            "2026-01-01T00:00:00.Z",
            "x-1-1T1:1:1Z",
            "2026-01-01T00:00:00.1.1Z",
        ] {
            assert_eq!(parse_rfc3339(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn a_time_reads_back(us in 0i64..253_402_300_800_000_000) {
            prop_assert_eq!(parse_rfc3339(&Wall(us).to_string()), Some(Wall(us)));
        }
    }
}
