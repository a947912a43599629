//! What the API calls things, as they are typed here: whoever wrote `--seconds` is not told of `for_s`.

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
    text
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
        assert_eq!(as_typed("`centralita recording access-log --accept`"), "`centralita recording access-log --accept`");
    }
}
