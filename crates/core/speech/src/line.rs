//! What a caller in line is told: the place, and how long it may take.

use crate::catalogue::{Phrase, in_language};
use crate::{Gender, minutes, number};
use base::Lang;
use std::time::Duration;

/// Positions up to this are said exactly; beyond it, "more than ten".
const EXACT: u32 = 10;

/// The waits that are said, in minutes: nobody believes "seventeen".
const WAITS: [u32; 16] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 15, 20, 25, 30, 45, 60];

/// "You are number three in line." Positions count from 1; `None` for 0 or a language whose rules are not here.
pub fn position(lang: Lang, n: u32) -> Option<Phrase> {
    if n > EXACT {
        return Some(Phrase::new(lang, "position-more", more(lang)?));
    }
    let words = number(lang, n, Gender::Alone).filter(|_| n > 0)?;
    let texts = [
        format!("Usted es el número {words} en la fila."),
        format!("You are number {words} in line."),
        format!("Você é o número {words} na fila."),
        format!("Vous êtes le numéro {words} dans la file d'attente."),
    ];
    Some(Phrase::new(lang, format!("position-{n}"), in_language(lang, texts)?))
}

fn more(lang: Lang) -> Option<&'static str> {
    let texts = [
        "Hay más de diez personas antes que usted.",
        "There are more than ten people ahead of you.",
        "Há mais de dez pessoas antes de você.",
        "Il y a plus de dix personnes avant vous.",
    ];
    in_language(lang, texts)
}

/// "Your expected wait is about five minutes": the next longer wait that has a phrase, never a shorter one.
/// `None` in a language whose rules are not here.
pub fn wait(lang: Lang, wait: Duration) -> Option<Phrase> {
    match WAITS.into_iter().find(|minutes| wait <= Duration::from_secs(60 * u64::from(*minutes))) {
        Some(minutes) => exact_wait(lang, minutes),
        None => longer(lang),
    }
}

fn exact_wait(lang: Lang, n: u32) -> Option<Phrase> {
    let hour = ["una hora", "one hour", "uma hora", "une heure"];
    let time = if n == 60 { in_language(lang, hour)?.to_string() } else { minutes(lang, n)? };
    let texts = [
        format!("Su espera aproximada es de {time}."),
        format!("Your expected wait is about {time}."),
        format!("O tempo estimado de espera é de {time}."),
        format!("Votre temps d'attente est estimé à {time}."),
    ];
    Some(Phrase::new(lang, format!("wait-{n}"), in_language(lang, texts)?))
}

fn longer(lang: Lang) -> Option<Phrase> {
    let texts = [
        "Su espera aproximada es de más de una hora.",
        "Your expected wait is more than an hour.",
        "O tempo estimado de espera é de mais de uma hora.",
        "Votre temps d'attente est estimé à plus d'une heure.",
    ];
    Some(Phrase::new(lang, "wait-more", in_language(lang, texts)?))
}

/// Everything that may be announced.
pub(crate) fn phrases(lang: Lang) -> Vec<Phrase> {
    let positions = (1..=EXACT + 1).filter_map(|n| position(lang, n));
    let waits = WAITS.into_iter().filter_map(|n| exact_wait(lang, n));
    positions.chain(waits).chain(longer(lang)).collect()
}

/// The keys of everything that may be announced; empty in a language whose rules are not here.
pub fn announcements(lang: Lang) -> Vec<String> {
    phrases(lang).iter().map(Phrase::key).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_one_whole_phrase() {
        let said = |lang, n| position(lang, n).unwrap().text;
        assert_eq!(said(Lang::ES, 1), "Usted es el número uno en la fila.");
        assert_eq!(said(Lang::EN, 10), "You are number ten in line.");
        assert_eq!(said(Lang::PT, 2), "Você é o número dois na fila.");
        assert_eq!(said(Lang::FR, 11), "Il y a plus de dix personnes avant vous.");
        assert_eq!(position(Lang::ES, u32::MAX).unwrap().key(), "speech/es/position-more");
        assert_eq!(position(Lang::ES, 0), None);
        assert_eq!(position("de".parse().unwrap(), 3), None);
    }

    #[test]
    fn a_wait_is_said_in_round_minutes_and_never_too_short() {
        let said = |lang, seconds| wait(lang, Duration::from_secs(seconds)).unwrap().text;
        for (lang, seconds, text) in [
            (Lang::EN, 0, "Your expected wait is about one minute."),
            (Lang::ES, 60, "Su espera aproximada es de un minuto."),
            (Lang::FR, 61, "Votre temps d'attente est estimé à deux minutes."),
            (Lang::FR, 1, "Votre temps d'attente est estimé à une minute."),
            (Lang::EN, 300, "Your expected wait is about five minutes."),
            (Lang::PT, 11 * 60, "O tempo estimado de espera é de quinze minutos."),
            (Lang::PT, 46 * 60, "O tempo estimado de espera é de uma hora."),
            (Lang::ES, 3601, "Su espera aproximada es de más de una hora."),
        ] {
            assert_eq!(said(lang, seconds), text);
        }
        assert_eq!(wait("de".parse().unwrap(), Duration::ZERO), None);
    }

    #[test]
    fn every_minute_of_an_hour_has_a_phrase_that_is_rendered() {
        let keys = announcements(Lang::PT);
        for n in 0..=90 {
            let phrase = wait(Lang::PT, Duration::from_secs(60 * n)).unwrap();
            assert!(keys.contains(&phrase.key()), "{}", phrase.key());
        }
        assert!(keys.contains(&"speech/pt/position-7".to_string()));
    }
}
