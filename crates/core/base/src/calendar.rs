//! Opening hours: a week of spans, and dates that differ from it, in one time zone.

use crate::Wall;
use jiff::civil::{Date, DateTime, Weekday};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// When it is open. Spans that end at or before their beginning run past midnight.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Calendar {
    zone: TimeZone,
    week: Vec<(Vec<Weekday>, Hours)>,
    dates: Vec<(Day, Option<Hours>)>,
    written: Written,
}

/// A calendar as its author wrote it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    /// IANA name.
    pub zone: String,
    pub week: Vec<String>,
    pub dates: Vec<String>,
}

/// From and to, in minutes of the day, 0 to 1440.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Hours {
    from: u16,
    to: u16,
}

/// A date of each year, or of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Day {
    year: Option<i16>,
    month: i8,
    day: i8,
}

/// What a line of the week looks like.
pub const WEEK: &str = "days and times such as `mon-fri 08:00-20:00` or `sat,sun 00:00-24:00`";
/// What a date that differs looks like.
pub const DATE: &str = "a date such as `12-25` or `2026-11-16`, closed unless hours follow: `12-24 09:00-14:00`";

impl Calendar {
    /// Nothing is open yet.
    pub fn new(zone: TimeZone) -> Self {
        let written = Written { zone: zone.iana_name().unwrap_or("UTC").into(), ..Written::default() };
        Calendar { zone, week: Vec::new(), dates: Vec::new(), written }
    }

    /// Adds a line of the week; `None` if it is not [`WEEK`].
    pub fn week(&mut self, line: &str) -> Option<()> {
        let (days, hours) = line.trim().split_once(char::is_whitespace)?;
        self.week.push((weekdays(days)?, span(hours)?));
        self.written.week.push(line.into());
        Some(())
    }

    /// Adds a date that differs from its weekday; `None` if it is not [`DATE`].
    pub fn date(&mut self, line: &str) -> Option<()> {
        let (date, hours) = line.trim().split_once(char::is_whitespace).map_or((line.trim(), None), |(d, h)| (d, Some(h)));
        let hours = hours.map(|hours| span(hours).ok_or(())).transpose().ok()?;
        self.dates.push((day(date)?, hours));
        self.written.dates.push(line.into());
        Some(())
    }

    /// Open at this moment. A wall time that is none (beyond the calendar) is closed.
    pub fn is_open(&self, wall: Wall) -> bool {
        let Ok(now) = Timestamp::from_microsecond(wall.0) else { return false };
        let today = now.to_zoned(self.zone.clone()).date();
        // A span that began yesterday may run past midnight.
        let days = [today.checked_sub(1.day()).ok(), Some(today)];
        days.into_iter().flatten().flat_map(|day| self.spans(day)).any(|span| span.contains(&now))
    }

    /// The first moment after `wall` at which it opens or closes, if that is within a year and a day.
    pub fn next_change(&self, wall: Wall) -> Option<Wall> {
        let now = Timestamp::from_microsecond(wall.0).ok()?;
        let open = self.is_open(wall);
        let yesterday = now.to_zoned(self.zone.clone()).date().checked_sub(1.day()).ok()?;
        let days = (0..368).map_while(|n| yesterday.checked_add(n.days()).ok());
        let changes = days.flat_map(|day| {
            let mut at: Vec<Timestamp> = self.spans(day).flat_map(|span| [span.start, span.end]).collect();
            at.sort_unstable();
            at
        });
        let at = changes.filter(|at| *at > now).find(|at| self.is_open(Wall(at.as_microsecond())) != open)?;
        Some(Wall(at.as_microsecond()))
    }

    /// When it is open, of the spans that begin on this date.
    fn spans(&self, day: Date) -> impl Iterator<Item = Range<Timestamp>> {
        self.hours(day).filter_map(move |hours| {
            let [from, to] = hours.edges(day)?;
            Some(self.moment(from)?..self.moment(to)?)
        })
    }

    /// When the clock shows this for the first time: in a repeated hour its first pass, and at the end of an hour that is
    /// left out (calls.md line 18).
    fn moment(&self, local: DateTime) -> Option<Timestamp> {
        let zoned = self.zone.to_ambiguous_zoned(local);
        if !matches!(zoned.offset(), AmbiguousOffset::Gap { .. }) {
            return zoned.earlier().ok().map(|z| z.timestamp());
        }
        let after = zoned.later().ok()?.timestamp();
        let change = self.zone.preceding(after.checked_add(1.second()).ok()?).next()?;
        Some(change.timestamp())
    }

    /// The spans that begin on this date: the date's own if it has any entry, else its weekday's.
    fn hours(&self, date: Date) -> impl Iterator<Item = Hours> {
        let special = self.dates.iter().any(|(day, _)| day.is(date));
        let dates = self.dates.iter().filter(move |(day, _)| day.is(date)).filter_map(|(_, hours)| *hours);
        let week = self.week.iter().filter(move |(days, _)| !special && days.contains(&date.weekday())).map(|(_, h)| *h);
        dates.chain(week)
    }
}

impl Hours {
    /// Its beginning and end, as local times, if it begins on this date.
    fn edges(self, date: Date) -> Option<[DateTime; 2]> {
        let end = date.checked_add(i64::from(self.to <= self.from).days()).ok()?;
        let at = |date: Date, minute: u16| date.at(0, 0, 0, 0).checked_add(i64::from(minute).minutes()).ok();
        Some([at(date, self.from)?, at(end, self.to)?])
    }
}

/// The names of all time zones that a calendar may have.
pub fn zones() -> Vec<String> {
    jiff::tz::db().available().map(|name| name.to_string()).collect()
}

impl Day {
    fn is(self, date: Date) -> bool {
        self.month == date.month() && self.day == date.day() && self.year.is_none_or(|year| year == date.year())
    }
}

impl TryFrom<Written> for Calendar {
    type Error = String;
    fn try_from(written: Written) -> Result<Self, String> {
        let zone = TimeZone::get(&written.zone).map_err(|_| format!("\"{}\" is no time zone", written.zone))?;
        let mut calendar = Calendar::new(zone);
        for line in &written.week {
            calendar.week(line).ok_or_else(|| format!("expected {WEEK}, found \"{line}\""))?;
        }
        for line in &written.dates {
            calendar.date(line).ok_or_else(|| format!("expected {DATE}, found \"{line}\""))?;
        }
        Ok(calendar)
    }
}

impl From<Calendar> for Written {
    fn from(calendar: Calendar) -> Written {
        calendar.written
    }
}

/// `mon-fri,sun`; a range may run over the week's end.
fn weekdays(text: &str) -> Option<Vec<Weekday>> {
    let mut days = Vec::new();
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (mut day, last) = (weekday(first)?, weekday(last)?);
        days.push(day);
        while day != last {
            day = day.next();
            days.push(day);
        }
    }
    Some(days)
}

fn weekday(text: &str) -> Option<Weekday> {
    let names = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let index = names.iter().position(|name| *name == text.trim())?;
    Weekday::from_monday_zero_offset(i8::try_from(index).ok()?).ok()
}

/// `08:00-20:00`
fn span(text: &str) -> Option<Hours> {
    let (from, to) = text.trim().split_once('-')?;
    let (from, to) = (clock(from)?, clock(to)?);
    (from != to && from < 1440).then_some(Hours { from, to })
}

fn clock(text: &str) -> Option<u16> {
    let (hour, minute) = text.trim().split_once(':')?;
    let two = |s: &str| (s.len() == 2 && s.bytes().all(|b| b.is_ascii_digit())).then(|| s.parse::<u16>().ok()).flatten();
    let (hour, minute) = (two(hour)?, two(minute)?);
    (minute < 60 && (hour < 24 || (hour == 24 && minute == 0))).then_some(hour * 60 + minute)
}

/// `12-25` or `2026-12-25`, a date that exists in some year or in that one.
fn day(text: &str) -> Option<Day> {
    let year = match text.len() {
        5 => None,
        10 => Some(text.get(..4)?.parse().ok()?),
        _ => return None,
    };
    // 2000 was a leap year, so the 29th of February is a date of "each year".
    let date: Date = if year.is_some() { text.parse().ok()? } else { format!("2000-{text}").parse().ok()? };
    Some(Day { year, month: date.month(), day: date.day() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mexico(week: &[&str], dates: &[&str]) -> Calendar {
        let mut calendar = Calendar::new(TimeZone::get("America/Mexico_City").unwrap());
        week.iter().for_each(|line| calendar.week(line).unwrap());
        dates.iter().for_each(|line| calendar.date(line).unwrap());
        calendar
    }

    /// Open at a local time of the zone.
    fn open(calendar: &Calendar, local: &str) -> bool {
        let local: jiff::civil::DateTime = local.parse().unwrap();
        let stamp = local.to_zoned(TimeZone::get("America/Mexico_City").unwrap()).unwrap().timestamp();
        calendar.is_open(Wall(stamp.as_microsecond()))
    }

    #[test]
    fn the_week_is_read_in_the_zone_of_the_flow() {
        let c = mexico(&["mon-fri 08:00-20:00", "sat 09:00-14:00"], &[]);
        for (at, expected) in [
            ("2026-11-20T07:59:59", false), // a Friday
            ("2026-11-20T08:00", true),
            ("2026-11-20T19:59:59", true),
            ("2026-11-20T20:00", false),
            ("2026-11-21T13:59", true),
            ("2026-11-21T15:00", false),
            ("2026-11-22T10:00", false),
        ] {
            assert_eq!(open(&c, at), expected, "{at}");
        }
    }

    #[test]
    fn a_holiday_closes_and_a_short_day_shortens() {
        let c = mexico(&["mon-sun 00:00-24:00"], &["12-25", "12-24 09:00-14:00", "2026-11-16"]);
        for (at, expected) in [
            ("2026-12-25T12:00", false),
            ("2031-12-25T12:00", false),
            ("2026-12-24T08:59", false),
            ("2026-12-24T09:00", true),
            ("2026-12-26T00:00", true),
            ("2026-11-16T12:00", false),
            ("2027-11-16T12:00", true),
        ] {
            assert_eq!(open(&c, at), expected, "{at}");
        }
    }

    #[test]
    fn a_night_belongs_to_the_day_it_began_on() {
        let c = mexico(&["fri 22:00-06:00"], &[]);
        assert!(open(&c, "2026-11-20T23:00"));
        assert!(open(&c, "2026-11-21T05:59"));
        assert!(!open(&c, "2026-11-21T06:00"));
        assert!(!open(&c, "2026-11-20T05:00"));
    }

    /// The next change after a moment, both in local time of the zone.
    fn next(calendar: &Calendar, zone: &str, from: &str) -> String {
        let zone = TimeZone::get(zone).unwrap();
        let from: Timestamp = from.parse().unwrap();
        let at = calendar.next_change(Wall(from.as_microsecond())).unwrap();
        Timestamp::from_microsecond(at.0).unwrap().to_zoned(zone).strftime("%F %H:%M%z").to_string()
    }

    #[test]
    fn it_knows_when_it_opens_and_closes_next() {
        let c = mexico(&["mon-fri 08:00-20:00", "fri 22:00-02:00"], &["12-25"]);
        let next = |from| next(&c, "America/Mexico_City", from);
        assert_eq!(next("2026-11-20T12:00-06"), "2026-11-20 20:00-0600");
        assert_eq!(next("2026-11-20T20:00-06"), "2026-11-20 22:00-0600");
        assert_eq!(next("2026-11-20T22:00-06"), "2026-11-21 02:00-0600");
        assert_eq!(next("2026-11-21T02:00-06"), "2026-11-23 08:00-0600");
        assert_eq!(next("2026-12-24T20:00-06"), "2026-12-28 08:00-0600");
        let always = mexico(&["mon-sun 00:00-24:00"], &[]);
        assert_eq!(always.next_change(Wall(0)), None);
    }

    /// Each change on the day that follows a moment, in local time of the zone.
    fn changes(week: &str, zone: &str, from: &str) -> Vec<String> {
        let zone = TimeZone::get(zone).unwrap();
        let mut calendar = Calendar::new(zone.clone());
        calendar.week(week).unwrap();
        let mut at = from.parse::<Timestamp>().unwrap();
        let end = at.checked_add(24.hours()).unwrap();
        let mut found = Vec::new();
        while let Some(next) = calendar.next_change(Wall(at.as_microsecond())) {
            at = Timestamp::from_microsecond(next.0).unwrap();
            if at > end {
                break;
            }
            let sign = if calendar.is_open(next) { "opens" } else { "closes" };
            found.push(format!("{sign} {}", at.to_zoned(zone.clone()).strftime("%H:%M%z")));
        }
        found
    }

    #[test]
    fn line_18_a_time_in_a_repeated_hour_counts_once_and_one_left_out_at_its_end() {
        let zone = "America/New_York";
        // The clock goes back from 02:00 to 01:00, then forward from 02:00 to 03:00.
        for (from, week, expected) in [
            ("2026-11-01T00:00-04", "sun 01:30-12:00", ["opens 01:30-0400", "closes 12:00-0500"]),
            ("2026-11-01T00:00-04", "sun 00:30-01:15", ["opens 00:30-0400", "closes 01:15-0400"]),
            ("2026-11-01T00:00-04", "sun 01:00-02:00", ["opens 01:00-0400", "closes 02:00-0500"]),
            ("2026-11-01T00:00-04", "sun 01:15-01:45", ["opens 01:15-0400", "closes 01:45-0400"]),
            ("2026-03-08T00:00-05", "sun 02:30-12:00", ["opens 03:00-0400", "closes 12:00-0400"]),
            ("2026-03-08T00:00-05", "sun 02:00-03:30", ["opens 03:00-0400", "closes 03:30-0400"]),
            ("2026-03-08T00:00-05", "sun 01:00-02:30", ["opens 01:00-0500", "closes 03:00-0400"]),
        ] {
            assert_eq!(changes(week, zone, from), expected, "{week}");
        }
        assert!(changes("sun 02:00-02:30", zone, "2026-03-08T00:00-05").is_empty(), "it would open and close at once");
    }

    #[test]
    fn an_hour_left_out_opens_at_its_end_and_a_repeated_one_opens_once() {
        let zone = "America/New_York";
        let mut c = Calendar::new(TimeZone::get(zone).unwrap());
        c.week("sun 02:30-12:00").unwrap();
        assert_eq!(next(&c, zone, "2026-03-08T00:00-05"), "2026-03-08 03:00-0400");
        let mut c = Calendar::new(TimeZone::get(zone).unwrap());
        c.week("sun 01:30-12:00").unwrap();
        assert_eq!(next(&c, zone, "2026-11-01T00:00-04"), "2026-11-01 01:30-0400");
    }

    #[test]
    fn it_reads_back_as_it_was_written() {
        let c = mexico(&["mon-fri 08:00-20:00"], &["12-24 09:00-14:00"]);
        let text = serde_json::to_string(&c).unwrap();
        assert_eq!(serde_json::from_str::<Calendar>(&text).unwrap(), c);
    }

    #[test]
    fn what_is_no_time_is_refused() {
        let mut c = mexico(&[], &[]);
        for bad in ["mon", "mon-fri", "mon 8-20", "mo 08:00-20:00", "mon 08:00-25:00", "mon 08:60-09:00", "mon 08:00-08:00"] {
            assert!(c.week(bad).is_none(), "{bad}");
        }
        for bad in ["12-32", "1-1", "2026-02-29", "12-24 9", "x", ""] {
            assert!(c.date(bad).is_none(), "{bad}");
        }
        assert!(c.date("02-29").is_some());
    }
}
