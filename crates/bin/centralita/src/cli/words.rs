//! What the API calls things, as they are typed here: whoever wrote `--longest` is not told of `longest_ms`.

use super::render::moment;

/// The API's fields, which its errors put between backticks, and what stands for them on the command line.
const TYPED: [(&str, &str); 15] = [
    ("recording", "a recording"),
    ("call", "--call"),
    ("caller", "--caller"),
    ("tenant", "--tenant"),
    ("queue", "--queue"),
    ("agent", "--agent"),
    ("lang", "--lang"),
    ("kept", "--kept"),
    ("from", "--from"),
    ("to", "--to"),
    ("shortest_ms", "--shortest"),
    ("longest_ms", "--longest"),
    ("early", "--early"),
    ("why", "--reason"),
    ("cause", "--cause"),
];

/// Where the API lists something, and the command that does.
const LISTED: [(&str, &str); 6] = [
    ("GET /api/v1/recordings/holds", "centralita recording holds"),
    ("GET /api/v1/recordings", "centralita recording list"),
    ("GET /api/v1/queues", "centralita queue list"),
    ("GET /api/v1/agents", "centralita agent list"),
    ("GET /api/v1/calls", "centralita call list"),
    ("GET /api/v1/tickets", "centralita ticket list"),
];

/// A text of the API's in the words of the command line.
pub fn as_typed(text: &str) -> String {
    let mut text = text.to_string();
    for (field, option) in TYPED {
        text = text.replace(&format!("`{field}`"), option);
    }
    for (path, command) in LISTED {
        text = text.replace(&format!("{path} lists"), &format!("`{command}` lists"));
    }
    with_moments(&text)
}

/// Its times as tables show them.
fn with_moments(text: &str) -> String {
    let mut shown = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('T') {
        let begins = at.checked_sub(10).filter(|begins| rest.is_char_boundary(*begins)).unwrap_or(at);
        let ends = rest[at..].find('Z').map_or(at, |z| at + z + 1);
        let is_time = rest[begins..ends].parse::<base::Wall>().is_ok();
        let (before, time, after) =
            if is_time { (begins, moment(&rest[begins..ends].into()), ends) } else { (at + 1, String::new(), at + 1) };
        shown += &rest[..before];
        shown += &time;
        rest = &rest[after..];
    }
    shown + rest
}

/// A number from `least` to `most`, so that what else there is says so.
pub fn number(what: &'static str, least: u64, most: u64) -> impl Fn(&str) -> Result<u64, String> + Clone {
    move |text| {
        let number = text.parse().ok().filter(|number| (least..=most).contains(number));
        number.ok_or_else(|| format!("expected {what}, a whole number from {least} to {most}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_become_options_and_paths_commands() {
        assert_eq!(
            as_typed("`shortest_ms` (9 s) is more than `longest_ms` (6 s)"),
            "--shortest (9 s) is more than --longest (6 s)"
        );
        assert_eq!(
            as_typed("one of those that GET /api/v1/recordings/holds lists"),
            "one of those that `centralita recording holds` lists"
        );
        let held = "hold 1 keeps it (2026-11-23T09:17:39.019831Z by Té: a court) until 2026-11-24T00:00:00Z";
        assert_eq!(as_typed(held), "hold 1 keeps it (2026-11-23 09:17:39.019 by Té: a court) until 2026-11-24 00:00:00");
        assert_eq!(as_typed("THE Z, éT and 2026-11-23T25:00:00Z"), "THE Z, éT and 2026-11-23T25:00:00Z");
        assert_eq!(as_typed("`centralita recording access-log --accept`"), "`centralita recording access-log --accept`");
    }
}
