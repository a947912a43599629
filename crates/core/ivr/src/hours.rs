//! Opening hours: a week of spans, and dates that differ from it, in one time zone.

use base::Wall;
use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

/// When it is open. Spans that end at or before their beginning run past midnight.
#[derive(Clone, Debug)]
pub(crate) struct Calendar {
    zone: TimeZone,
    week: Vec<(Vec<Weekday>, Hours)>,
    dates: Vec<(Day, Option<Hours>)>,
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

pub(crate) const WEEK: &str = "days and times such as `mon-fri 08:00-20:00` or `sat,sun 00:00-24:00`";
pub(crate) const DATE: &str = "a date such as `12-25` or `2026-11-16`, closed unless hours follow: `12-24 09:00-14:00`";

impl Calendar {
    /// Nothing is open yet.
    pub fn new(zone: TimeZone) -> Self {
        Calendar { zone, week: Vec::new(), dates: Vec::new() }
    }

    /// Adds a line of the week; `None` if it is not [`WEEK`].
    pub fn week(&mut self, line: &str) -> Option<()> {
        let (days, hours) = line.trim().split_once(char::is_whitespace)?;
        self.week.push((weekdays(days)?, span(hours)?));
        Some(())
    }

    /// Adds a date that differs from its weekday; `None` if it is not [`DATE`].
    pub fn date(&mut self, line: &str) -> Option<()> {
        let (date, hours) = line.trim().split_once(char::is_whitespace).map_or((line.trim(), None), |(d, h)| (d, Some(h)));
        let hours = hours.map(|hours| span(hours).ok_or(())).transpose().ok()?;
        self.dates.push((day(date)?, hours));
        Some(())
    }

    /// Open at this moment, by the wall clock of the zone. A wall time that is none (beyond the calendar) is closed.
    pub fn is_open(&self, wall: Wall) -> bool {
        let Ok(stamp) = Timestamp::from_microsecond(wall.0) else { return false };
        let local = stamp.to_zoned(self.zone.clone()).datetime();
        let (today, minute) = (local.date(), minute_of(local.time()));
        let since_yesterday = today.checked_sub(1.day()).is_ok_and(|day| self.hours(day).any(|h| h.after_midnight(minute)));
        since_yesterday || self.hours(today).any(|h| h.on_its_day(minute))
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
    fn on_its_day(self, minute: u16) -> bool {
        if self.from < self.to { (self.from..self.to).contains(&minute) } else { minute >= self.from }
    }

    fn after_midnight(self, minute: u16) -> bool {
        self.to <= self.from && minute < self.to
    }
}

impl Day {
    fn is(self, date: Date) -> bool {
        self.month == date.month() && self.day == date.day() && self.year.is_none_or(|year| year == date.year())
    }
}

fn minute_of(time: Time) -> u16 {
    u16::try_from(i32::from(time.hour()) * 60 + i32::from(time.minute())).unwrap_or(0)
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
