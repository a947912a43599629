//! `Retry-After`: seconds, or a date (RFC 9110 10.2.3).

use base::Wall;
use std::time::Duration;

/// None if it is neither.
pub fn parse(value: &str, now: Wall) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit()) {
        return value.parse().ok().map(Duration::from_secs);
    }
    date(value).map(|at| at.since(now))
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`, the only form that may be sent today (RFC 9110 5.6.7).
fn date(value: &str) -> Option<Wall> {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (_, rest) = value.split_once(", ")?;
    let mut parts = rest.split(' ');
    let (day, month, year, time, zone) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let month = MONTHS.iter().position(|m| *m == month)? + 1;
    (zone == "GMT").then_some(())?;
    tickets::parse_rfc3339(&format!("{year}-{month:02}-{day}T{time}Z"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_dates_are_understood_and_nothing_else() {
        let now = tickets::parse_rfc3339("1994-11-06T08:49:07Z").unwrap();
        assert_eq!(parse(" 120 ", now), Some(Duration::from_secs(120)));
        assert_eq!(parse("Sun, 06 Nov 1994 08:49:37 GMT", now), Some(Duration::from_secs(30)));
        assert_eq!(parse("Sun, 06 Nov 1994 08:00:00 GMT", now), Some(Duration::ZERO), "a time that has passed");
        for bad in ["", "soon", "-5", "99999999999999999999999", "Sun, 06 Nov 1994", "Sun, 06 Foo 1994 08:49:37 GMT"] {
            assert_eq!(parse(bad, now), None, "{bad}");
        }
    }
}
