//! `centralita recording show`.

use super::{kept, on_disk, who};
use crate::cli::client::Client;
use crate::cli::render::{bytes, moment, pairs, span, text};
use crate::cli::{Done, print};
use base::RecordingId;
use clap::Args;
use serde_json::Value;
use std::io::Write;

#[derive(Args, Clone, Debug)]
pub struct Options {
    /// The recording, such as 1-3-42.c1.p1
    recording: RecordingId,
}

pub async fn run(options: &Options, client: &Client, out: &mut dyn Write) -> Done {
    print(client, out, &client.get(&format!("recordings/{}", options.recording)).await?, card)
}

fn card(r: &Value) -> String {
    pairs(&[
        ("recording", text(&r["recording"])),
        ("call", text(&r["call"])),
        ("kept", whole(r)),
        ("reason", text(&r["reason"])),
        ("started", moment(&r["started"])),
        ("length", span(&r["duration_ms"])),
        ("queue, agent", format!("{}, {}", text(&r["queue"]), who(r))),
        ("language", text(&r["lang"])),
        ("SHA-256", text(&r["sha256"])),
        ("on disk", on_disk(r)),
        ("size", bytes(&r["bytes"])),
    ])
}

/// How it ended, and what became of it since.
fn whole(r: &Value) -> String {
    let since = match r["form"].as_str() {
        Some("erased") => ", and erased since",
        Some("erasing") => ", and is being erased",
        Some("missing") => ", and its audio is missing",
        _ => "",
    };
    kept(r) + since
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_was_erased_is_not_shown_as_whole() {
        let shown = |kept: Value, form: Value| {
            let card = card(&json!({ "recording": "1-3-42.c1.p1", "kept": kept, "form": form, "message": true }));
            ["kept", "queue, agent", "on disk"].map(|name| {
                let line = card.lines().find_map(|line| line.strip_prefix(name)).unwrap();
                line.trim().to_string()
            })
        };
        assert_eq!(shown("complete".into(), "erased".into()), ["complete, and erased since", "-, voice message", "erased"]);
        assert_eq!(shown("partial".into(), Value::Null), ["partial", "-, voice message", "pending"]);
        assert_eq!(shown(Value::Null, Value::Null), ["running", "-, voice message", "-"]);
    }
}
