//! Numbers from 0 to 99 in words.

use base::Lang;

/// The gender of what is counted. English has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gender {
    /// Before a masculine noun: "veintiún minutos", "um minuto".
    Masculine,
    /// Before a feminine noun: "veintiuna horas", "uma hora", "vingt et une heures".
    Feminine,
    /// Counting, or the number itself: "veintiuno".
    Alone,
}

/// A number in words; `None` from 100 on, and in a language whose rules are not here.
pub fn number(lang: Lang, n: u32, gender: Gender) -> Option<String> {
    let n = usize::try_from(n).ok().filter(|n| *n < 100)?;
    match lang {
        Lang::ES => Some(spanish(n, gender)),
        Lang::EN => Some(english(n)),
        Lang::PT => Some(portuguese(n, gender)),
        Lang::FR => Some(french(n, gender)),
        _ => None,
    }
}

fn spanish(n: usize, gender: Gender) -> String {
    const UNDER_30: [&str; 30] = [
        "cero",
        "uno",
        "dos",
        "tres",
        "cuatro",
        "cinco",
        "seis",
        "siete",
        "ocho",
        "nueve",
        "diez",
        "once",
        "doce",
        "trece",
        "catorce",
        "quince",
        "dieciséis",
        "diecisiete",
        "dieciocho",
        "diecinueve",
        "veinte",
        "veintiuno",
        "veintidós",
        "veintitrés",
        "veinticuatro",
        "veinticinco",
        "veintiséis",
        "veintisiete",
        "veintiocho",
        "veintinueve",
    ];
    const TENS: [&str; 7] = ["treinta", "cuarenta", "cincuenta", "sesenta", "setenta", "ochenta", "noventa"];
    let words = match n {
        0..30 => UNDER_30[n].to_string(),
        _ if n.is_multiple_of(10) => TENS[n / 10 - 3].to_string(),
        _ => format!("{} y {}", TENS[n / 10 - 3], UNDER_30[n % 10]),
    };
    // "uno" loses its o before a masculine noun, and then "veintiún" is stressed in writing.
    match (gender, words.strip_suffix("uno")) {
        (Gender::Masculine, Some("veinti")) => "veintiún".to_string(),
        (Gender::Masculine, Some(stem)) => format!("{stem}un"),
        (Gender::Feminine, Some(stem)) => format!("{stem}una"),
        _ => words,
    }
}

fn english(n: usize) -> String {
    const UNDER_20: [&str; 20] = [
        "zero",
        "one",
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
        "ten",
        "eleven",
        "twelve",
        "thirteen",
        "fourteen",
        "fifteen",
        "sixteen",
        "seventeen",
        "eighteen",
        "nineteen",
    ];
    const TENS: [&str; 8] = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];
    match n {
        0..20 => UNDER_20[n].to_string(),
        _ if n.is_multiple_of(10) => TENS[n / 10 - 2].to_string(),
        _ => format!("{}-{}", TENS[n / 10 - 2], UNDER_20[n % 10]),
    }
}

fn portuguese(n: usize, gender: Gender) -> String {
    const UNDER_20: [&str; 20] = [
        "zero",
        "um",
        "dois",
        "três",
        "quatro",
        "cinco",
        "seis",
        "sete",
        "oito",
        "nove",
        "dez",
        "onze",
        "doze",
        "treze",
        "quatorze",
        "quinze",
        "dezesseis",
        "dezessete",
        "dezoito",
        "dezenove",
    ];
    const TENS: [&str; 8] = ["vinte", "trinta", "quarenta", "cinquenta", "sessenta", "setenta", "oitenta", "noventa"];
    // One and two agree, also at the end of a longer number.
    let unit = |n: usize| match (n, gender) {
        (1, Gender::Feminine) => "uma",
        (2, Gender::Feminine) => "duas",
        _ => UNDER_20[n],
    };
    match n {
        0..20 => unit(n).to_string(),
        _ if n.is_multiple_of(10) => TENS[n / 10 - 2].to_string(),
        _ => format!("{} e {}", TENS[n / 10 - 2], unit(n % 10)),
    }
}

fn french(n: usize, gender: Gender) -> String {
    const UNDER_20: [&str; 20] = [
        "zéro", "un", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf", "dix", "onze", "douze", "treize",
        "quatorze", "quinze", "seize", "dix-sept", "dix-huit", "dix-neuf",
    ];
    const TENS: [&str; 5] = ["vingt", "trente", "quarante", "cinquante", "soixante"];
    let one = if gender == Gender::Feminine { "une" } else { "un" };
    match n {
        1 => one.to_string(),
        0 | 2..20 => UNDER_20[n].to_string(),
        // Seventy and ninety go on counting from sixty and eighty.
        71 => "soixante et onze".to_string(),
        70 | 72..80 => format!("soixante-{}", UNDER_20[n - 60]),
        80 => "quatre-vingts".to_string(),
        81 => format!("quatre-vingt-{one}"),
        82..100 => format!("quatre-vingt-{}", UNDER_20[n - 80]),
        _ if n.is_multiple_of(10) => TENS[n / 10 - 2].to_string(),
        _ if n % 10 == 1 => format!("{} et {one}", TENS[n / 10 - 2]),
        _ => format!("{}-{}", TENS[n / 10 - 2], UNDER_20[n % 10]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Gender::{Alone, Feminine, Masculine};

    fn say(lang: Lang, n: u32, gender: Gender) -> String {
        number(lang, n, gender).unwrap()
    }

    #[test]
    fn spanish_shortens_one_before_a_noun() {
        for (n, gender, words) in [
            (0, Alone, "cero"),
            (1, Alone, "uno"),
            (1, Masculine, "un"),
            (1, Feminine, "una"),
            (11, Masculine, "once"),
            (16, Alone, "dieciséis"),
            (21, Alone, "veintiuno"),
            (21, Masculine, "veintiún"),
            (21, Feminine, "veintiuna"),
            (22, Alone, "veintidós"),
            (30, Alone, "treinta"),
            (31, Masculine, "treinta y un"),
            (41, Feminine, "cuarenta y una"),
            (99, Alone, "noventa y nueve"),
        ] {
            assert_eq!(say(Lang::ES, n, gender), words);
        }
    }

    #[test]
    fn portuguese_agrees_in_one_and_two() {
        for (n, gender, words) in [
            (1, Feminine, "uma"),
            (2, Feminine, "duas"),
            (2, Masculine, "dois"),
            (12, Feminine, "doze"),
            (21, Feminine, "vinte e uma"),
            (32, Feminine, "trinta e duas"),
            (50, Alone, "cinquenta"),
            (99, Alone, "noventa e nove"),
        ] {
            assert_eq!(say(Lang::PT, n, gender), words);
        }
    }

    #[test]
    fn english_joins_tens_and_units() {
        for (n, words) in [(0, "zero"), (13, "thirteen"), (20, "twenty"), (40, "forty"), (21, "twenty-one"), (99, "ninety-nine")]
        {
            assert_eq!(say(Lang::EN, n, Alone), words);
        }
    }

    #[test]
    fn french_counts_by_twenties_after_sixty() {
        for (n, gender, words) in [
            (1, Feminine, "une"),
            (21, Masculine, "vingt et un"),
            (21, Feminine, "vingt et une"),
            (22, Alone, "vingt-deux"),
            (70, Alone, "soixante-dix"),
            (71, Feminine, "soixante et onze"),
            (72, Alone, "soixante-douze"),
            (80, Alone, "quatre-vingts"),
            (81, Feminine, "quatre-vingt-une"),
            (90, Alone, "quatre-vingt-dix"),
            (91, Alone, "quatre-vingt-onze"),
            (99, Alone, "quatre-vingt-dix-neuf"),
        ] {
            assert_eq!(say(Lang::FR, n, gender), words);
        }
    }

    #[test]
    fn every_number_below_a_hundred_has_words_of_its_own() {
        for lang in [Lang::ES, Lang::EN, Lang::PT, Lang::FR] {
            for gender in [Alone, Masculine, Feminine] {
                let words: std::collections::BTreeSet<_> = (0..100).map(|n| say(lang, n, gender)).collect();
                assert_eq!(words.len(), 100);
            }
            assert_eq!(number(lang, 100, Alone), None);
        }
        assert_eq!(number("de".parse().unwrap(), 1, Alone), None);
    }
}
