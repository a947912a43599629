//! `centralita reload`.

use super::client::Client;
use super::render::{clean, text};
use super::{Done, print};
use serde_json::{Value, json};
use std::io::Write;

pub async fn run(client: &Client, out: &mut dyn Write) -> Done {
    let reloaded = client.post("reload", None).await?;
    print(client, out, &reloaded, |reloaded| {
        let warnings: String = shown(&reloaded["warnings"]).map(|finding| format!("{finding}\n\n")).collect();
        let sha256 = text(&reloaded["sha256"]);
        format!("{warnings}The site is read again ({}). Calls in progress go on.\n", sha256.get(..12).unwrap_or(&sha256))
    })
}

/// What was wrong, as `centralita check` shows it.
pub fn refused(as_json: bool, error: &str, findings: &Value, err: &mut dyn Write) {
    let written = if as_json {
        writeln!(err, "{}", json!({ "error": error, "findings": findings }))
    } else {
        let findings: String = shown(findings).map(|finding| format!("{finding}\n\n")).collect();
        writeln!(err, "{findings}error: {}", clean(error))
    };
    // Nothing is left to do if not even this can be written.
    let _ = written;
}

/// Each finding over its lines.
fn shown(findings: &Value) -> impl Iterator<Item = String> {
    let lines = |finding: &Value| {
        let shown = finding["shown"].as_str().unwrap_or_default();
        shown.lines().map(clean).collect::<Vec<_>>().join("\n")
    };
    findings.as_array().into_iter().flatten().map(lines)
}
