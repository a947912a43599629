//! Telephone numbers as E.164, by the rules of the country whose trunk they come through (calls.md line 14).
//!
//! A number is compared and remembered in one form, whichever way a network writes it; what it wrote is kept beside it.
//! What is not surely a number of the world's plan (a short code, an extension) has no such form.

use site::Country;

/// `+` and at most 15 digits; `None` if it can't be told. `country` is that of the trunk.
pub fn e164(country: Option<Country>, written: &str) -> Option<String> {
    let bare = written.split(';').next().unwrap_or_default();
    let digits: String = bare.chars().filter(|c| !" -.()/".contains(*c)).collect();
    let international = digits.strip_prefix('+');
    let number = match international {
        Some(number) if all_digits(number) => number.to_string(),
        None if all_digits(&digits) => complete(country?, &digits)?,
        _ => return None,
    };
    let number = one_form(&number);
    (8..=15).contains(&number.len()).then(|| format!("+{number}"))
}

/// A number's form that belongs to this country.
pub fn at_home(country: Country, form: &str) -> bool {
    form.strip_prefix('+').and_then(|form| form.strip_prefix(code(country))).is_some_and(|rest| whole(country, rest))
}

fn all_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// Digits without a plus, as this country's networks write them: with its country code in front.
fn complete(country: Country, digits: &str) -> Option<String> {
    let code = code(country);
    if let Some(abroad) = abroad(country, digits) {
        return Some(abroad.to_string());
    }
    let national = match country {
        Country::Mexico => mexico(digits),
        Country::Argentina => argentina(digits),
        Country::Brazil => brazil(digits),
        Country::NorthAmerica => (digits.len() == 10 && !digits.starts_with(['0', '1'])).then_some(digits),
        Country::Spain => (digits.len() == 9 && digits.starts_with(['6', '7', '8', '9'])).then_some(digits),
        Country::Portugal => (digits.len() == 9 && digits.starts_with(['2', '3', '7', '8', '9'])).then_some(digits),
        Country::France => digits.strip_prefix('0').or(Some(digits)).filter(|n| n.len() == 9 && !n.starts_with('0')),
    };
    match national {
        Some(national) => Some(format!("{code}{national}")),
        // Some trunks leave only the plus out.
        None => digits.strip_prefix(code).filter(|rest| whole(country, rest)).map(|_| digits.to_string()),
    }
}

fn code(country: Country) -> &'static str {
    match country {
        Country::Mexico => "52",
        Country::Argentina => "54",
        Country::Brazil => "55",
        Country::NorthAmerica => "1",
        Country::Spain => "34",
        Country::Portugal => "351",
        Country::France => "33",
    }
}

/// After the prefix that the country dials other countries with.
fn abroad(country: Country, digits: &str) -> Option<&str> {
    let prefix = if country == Country::NorthAmerica { "011" } else { "00" };
    let rest = digits.strip_prefix(prefix)?;
    let known = |rest: &&str| !rest.starts_with('0') && rest.len() >= 8;
    // In Brazil two digits choose the carrier first, which networks may leave in.
    let carrier = (country == Country::Brazil && rest.len() > 13).then(|| rest.get(2..)).flatten();
    carrier.or(Some(rest)).filter(known)
}

/// A national number of full length, as it follows the country code.
fn whole(country: Country, rest: &str) -> bool {
    match country {
        Country::Mexico => rest.len() == 10 || (rest.len() == 11 && rest.starts_with('1')),
        Country::Argentina => rest.len() == 10 || (rest.len() == 11 && rest.starts_with('9')),
        Country::Brazil => matches!(rest.len(), 10 | 11),
        Country::NorthAmerica => rest.len() == 10,
        Country::Spain | Country::Portugal | Country::France => rest.len() == 9,
    }
}

/// Ten digits since 2019; before that, `01` led to another city, `044` and `045` to a mobile.
fn mexico(digits: &str) -> Option<&str> {
    let stripped = ["01", "044", "045"].iter().find_map(|prefix| digits.strip_prefix(prefix));
    stripped.filter(|n| n.len() == 10).or(Some(digits)).filter(|n| n.len() == 10 && !n.starts_with('0'))
}

/// Area and subscriber are ten digits. A mobile's has 15 between both at home, and 9 before both from abroad: that is
/// `one_form`'s to join.
fn argentina(digits: &str) -> Option<&str> {
    let digits = digits.strip_prefix('0').unwrap_or(digits);
    match digits.len() {
        10 => Some(digits),
        11 if digits.starts_with('9') => Some(digits),
        12 if mobile_15(digits).is_some() => Some(digits),
        _ => None,
    }
}

/// `0`, perhaps two digits of a carrier, the area's two digits, and eight or nine more.
fn brazil(digits: &str) -> Option<&str> {
    let long = |n: &&str| matches!(n.len(), 10 | 11) && !n.starts_with('0');
    let Some(rest) = digits.strip_prefix('0') else { return Some(digits).filter(long) };
    let after_carrier = matches!(rest.len(), 12 | 13).then(|| rest.get(2..)).flatten();
    after_carrier.or(Some(rest)).filter(long)
}

/// One form for each subscriber, of several that are dialled or shown; `number` begins with the country code.
fn one_form(number: &str) -> String {
    if let Some(rest) = number.strip_prefix("521").filter(|rest| rest.len() == 10) {
        // Mexico's mobiles had a 1 after the country code until 2019.
        return format!("52{rest}");
    }
    if let Some((area, subscriber)) = number.strip_prefix("54").filter(|rest| rest.len() == 12).and_then(mobile_15) {
        return format!("549{area}{subscriber}");
    }
    if let Some((area, subscriber)) = number.strip_prefix("549").filter(|rest| rest.len() == 12).and_then(mobile_15) {
        return format!("549{area}{subscriber}");
    }
    match number.strip_prefix("55").filter(|rest| rest.len() == 10) {
        // Brazil's mobiles have nine digits since 2016, the first of them a 9; landlines begin with 2 to 5.
        Some(rest) if rest[2..].starts_with(['6', '7', '8', '9']) => format!("55{}9{}", &rest[..2], &rest[2..]),
        _ => number.to_string(),
    }
}

/// Area and subscriber of an Argentine mobile as it is dialled at home: twelve digits with a 15 between both.
fn mobile_15(digits: &str) -> Option<(&str, &str)> {
    // Buenos Aires has two digits, the larger cities three, all others four.
    const THREE: [&str; 38] = [
        "220", "221", "223", "230", "236", "237", "249", "260", "261", "263", "264", "266", "280", "291", "294", "297", "298",
        "299", "336", "341", "342", "343", "345", "348", "351", "353", "358", "362", "364", "370", "376", "379", "380", "381",
        "383", "385", "387", "388",
    ];
    let area = match digits.get(..3)? {
        area if area.starts_with("11") => 2,
        area if THREE.contains(&area) => 3,
        _ => 4,
    };
    let (area, rest) = digits.split_at_checked(area)?;
    Some((area, rest.strip_prefix("15")?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use Country::{Argentina, Brazil, France, Mexico, NorthAmerica, Portugal, Spain};

    #[test]
    fn line_14_a_number_has_one_form_by_the_rules_of_the_trunks_country() {
        for (country, written, expected) in [
            // Mexico's old 1, and the prefixes that went with it.
            (Mexico, "5512345678", "+525512345678"),
            (Mexico, "55 1234-5678", "+525512345678"),
            (Mexico, "+52 55 1234 5678", "+525512345678"),
            (Mexico, "+5215512345678", "+525512345678"),
            (Mexico, "5215512345678", "+525512345678"),
            (Mexico, "525512345678", "+525512345678"),
            (Mexico, "0445512345678", "+525512345678"),
            (Mexico, "0455512345678", "+525512345678"),
            (Mexico, "015512345678", "+525512345678"),
            (Mexico, "0034911234567", "+34911234567"),
            // Argentina's 9 abroad is its 15 at home.
            (Argentina, "1141234567", "+541141234567"),
            (Argentina, "01141234567", "+541141234567"),
            (Argentina, "111561234567", "+5491161234567"),
            (Argentina, "0111561234567", "+5491161234567"),
            (Argentina, "91161234567", "+5491161234567"),
            (Argentina, "+5491161234567", "+5491161234567"),
            (Argentina, "+54111561234567", "+5491161234567"),
            (Argentina, "+549111561234567", "+5491161234567"),
            (Argentina, "351155123456", "+5493515123456"),
            (Argentina, "0290115412345", "+5492901412345"),
            // Brazil's ninth digit, and the carrier that is chosen before the area.
            (Brazil, "11987654321", "+5511987654321"),
            (Brazil, "1187654321", "+5511987654321"),
            (Brazil, "+551187654321", "+5511987654321"),
            (Brazil, "1132654321", "+551132654321"),
            (Brazil, "011987654321", "+5511987654321"),
            (Brazil, "0151187654321", "+5511987654321"),
            (Brazil, "01511987654321", "+5511987654321"),
            (Brazil, "5511987654321", "+5511987654321"),
            (Brazil, "0021351911234567", "+351911234567"),
            (NorthAmerica, "2125551234", "+12125551234"),
            (NorthAmerica, "12125551234", "+12125551234"),
            (NorthAmerica, "011525512345678", "+525512345678"),
            (Spain, "612345678", "+34612345678"),
            (Spain, "34612345678", "+34612345678"),
            (Spain, "00351911234567", "+351911234567"),
            (Portugal, "911234567", "+351911234567"),
            (France, "0612345678", "+33612345678"),
            (France, "33612345678", "+33612345678"),
            (France, "+33 (6) 12.34.56.78", "+33612345678"),
            (France, "+33612345678;phone-context=x", "+33612345678"),
        ] {
            assert_eq!(e164(Some(country), written).as_deref(), Some(expected), "{written} in {country:?}");
        }
    }

    #[test]
    fn line_14_what_is_no_number_of_the_worlds_plan_has_no_form() {
        let countries = [Mexico, Argentina, Brazil, NorthAmerica, Spain, Portugal, France];
        for country in countries {
            for written in ["", "1001", "911", "anonymous", "+", "+1234567", "+1234567890123456", "ana", "*11", "+12a4567890"] {
                assert_eq!(e164(Some(country), written), None, "{written} in {country:?}");
            }
        }
        // Without a country only what says it itself.
        assert_eq!(e164(None, "5512345678"), None);
        assert_eq!(e164(None, "+5215512345678").as_deref(), Some("+525512345678"));
    }

    #[test]
    fn a_number_is_at_home_in_its_own_country_only() {
        assert!(
            at_home(Mexico, "+525512345678") && at_home(Argentina, "+5491161234567") && at_home(NorthAmerica, "+12125551234")
        );
        assert!(!at_home(Mexico, "+12125551234") && !at_home(Spain, "+351911234567") && !at_home(Portugal, "+34911234567"));
    }

    #[test]
    fn the_form_of_a_form_is_itself() {
        for written in ["+525512345678", "+5491161234567", "+5511987654321", "+12125551234", "+4915112345678"] {
            assert_eq!(e164(None, written).as_deref(), Some(written));
            assert_eq!(e164(Some(Mexico), written).as_deref(), Some(written));
        }
    }
}
