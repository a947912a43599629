//! `centralita recording show`.

use super::kept;
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
        ("kept", kept(r)),
        ("reason", text(&r["reason"])),
        ("started", moment(&r["started"])),
        ("length", span(&r["duration_ms"])),
        ("queue, agent", format!("{}, {}", text(&r["queue"]), text(&r["agent"]))),
        ("language", text(&r["lang"])),
        ("SHA-256", text(&r["sha256"])),
        ("on disk", text(&r["form"])),
        ("size", bytes(&r["bytes"])),
    ])
}
