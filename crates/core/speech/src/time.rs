//! Durations and times of day in words.

use crate::number::{Gender, number};
use base::Lang;

/// "veintiún minutos", "one minute"; `None` from 100 minutes on.
pub fn minutes(lang: Lang, n: u32) -> Option<String> {
    let (gender, one, many) = match lang {
        Lang::ES | Lang::PT => (Gender::Masculine, "minuto", "minutos"),
        Lang::FR => (Gender::Feminine, "minute", "minutes"),
        _ => (Gender::Alone, "minute", "minutes"),
    };
    counted(lang, n, gender, one, many)
}

/// "un segundo", "vingt et une secondes"; `None` from 100 seconds on.
pub fn seconds(lang: Lang, n: u32) -> Option<String> {
    let (gender, one, many) = match lang {
        Lang::ES | Lang::PT => (Gender::Masculine, "segundo", "segundos"),
        Lang::FR => (Gender::Feminine, "seconde", "secondes"),
        _ => (Gender::Alone, "second", "seconds"),
    };
    counted(lang, n, gender, one, many)
}

/// French counts zero as one thing, the others as many.
fn counted(lang: Lang, n: u32, gender: Gender, one: &str, many: &str) -> Option<String> {
    let single = n == 1 || (n == 0 && lang == Lang::FR);
    Some(format!("{} {}", number(lang, n, gender)?, if single { one } else { many }))
}

/// A time of day: "las veintiuna y quince", "uma hora", "nine fifteen p.m."; `None` if it is none.
pub fn clock(lang: Lang, hour: u32, minute: u32) -> Option<String> {
    if hour > 23 || minute > 59 {
        return None;
    }
    if lang == Lang::EN {
        return english_clock(hour, minute);
    }
    let hours = number(lang, hour, Gender::Feminine)?;
    let (hours, gender) = match lang {
        Lang::ES if hour == 1 => (format!("la {hours}"), Gender::Alone),
        Lang::ES => (format!("las {hours}"), Gender::Alone),
        Lang::PT if hour <= 1 => (format!("{hours} hora"), Gender::Alone),
        Lang::PT => (format!("{hours} horas"), Gender::Alone),
        // "Minute" is feminine in French only.
        _ if hour <= 1 => (format!("{hours} heure"), Gender::Feminine),
        _ => (format!("{hours} heures"), Gender::Feminine),
    };
    let minutes = number(lang, minute, gender)?;
    Some(match (lang, minute) {
        (_, 0) => hours,
        (Lang::ES, _) => format!("{hours} y {minutes}"),
        (Lang::PT, _) => format!("{hours} e {minutes}"),
        _ => format!("{hours} {minutes}"),
    })
}

fn english_clock(hour: u32, minute: u32) -> Option<String> {
    let hours = number(Lang::EN, (hour + 11) % 12 + 1, Gender::Alone)?;
    let minutes = number(Lang::EN, minute, Gender::Alone)?;
    let half = if hour < 12 { "a.m." } else { "p.m." };
    Some(match minute {
        0 => format!("{hours} {half}"),
        1..10 => format!("{hours} oh {minutes} {half}"),
        _ => format!("{hours} {minutes} {half}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minutes_agree_with_their_number() {
        for (lang, n, words) in [
            (Lang::ES, 1, "un minuto"),
            (Lang::ES, 21, "veintiún minutos"),
            (Lang::ES, 0, "cero minutos"),
            (Lang::EN, 1, "one minute"),
            (Lang::EN, 2, "two minutes"),
            (Lang::PT, 1, "um minuto"),
            (Lang::PT, 22, "vinte e dois minutos"),
            (Lang::FR, 0, "zéro minute"),
            (Lang::FR, 5, "cinq minutes"),
            (Lang::FR, 1, "une minute"),
            (Lang::FR, 21, "vingt et une minutes"),
        ] {
            assert_eq!(minutes(lang, n).unwrap(), words);
        }
        assert_eq!(minutes(Lang::ES, 100), None);
    }

    #[test]
    fn seconds_are_feminine_in_french() {
        assert_eq!(seconds(Lang::FR, 21).unwrap(), "vingt et une secondes");
        assert_eq!(seconds(Lang::PT, 2).unwrap(), "dois segundos");
        assert_eq!(seconds(Lang::ES, 31).unwrap(), "treinta y un segundos");
        assert_eq!(seconds(Lang::EN, 1).unwrap(), "one second");
    }

    #[test]
    fn hours_are_feminine_where_nouns_have_a_gender() {
        for (lang, hour, minute, words) in [
            (Lang::ES, 1, 0, "la una"),
            (Lang::ES, 21, 15, "las veintiuna y quince"),
            (Lang::PT, 1, 0, "uma hora"),
            (Lang::PT, 22, 30, "vinte e duas horas e trinta"),
            (Lang::FR, 1, 0, "une heure"),
            (Lang::FR, 21, 1, "vingt et une heures une"),
            (Lang::EN, 0, 0, "twelve a.m."),
            (Lang::EN, 8, 5, "eight oh five a.m."),
            (Lang::EN, 20, 30, "eight thirty p.m."),
        ] {
            assert_eq!(clock(lang, hour, minute).unwrap(), words);
        }
        assert_eq!(clock(Lang::ES, 24, 0), None);
        assert_eq!(clock(Lang::ES, 8, 60), None);
    }
}
