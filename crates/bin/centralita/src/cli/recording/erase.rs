//! `centralita recording erase`: its key and its audio; what is known of it stays.

use crate::cli::client::Client;
use crate::cli::{Done, Failure, print};
use base::RecordingId;
use clap::Args;
use serde_json::json;
use std::io::Write;

#[derive(Args, Clone, Debug)]
pub struct Options {
    /// The recording, such as 1-3-42.c1.p1
    recording: RecordingId,
    /// Why, for its sidecar and the log of accesses
    #[arg(long)]
    reason: String,
    /// Also before its minimum has passed, as somebody may ask for by right
    #[arg(long)]
    early: bool,
}

pub async fn run(options: Options, client: &Client, out: &mut dyn Write) -> Done {
    let Options { recording, reason, early } = options;
    let erased = client.post(&format!("recordings/{recording}/erase"), Some(json!({ "why": reason, "early": early }))).await?;
    print(client, out, &erased, super::verify::one)?;
    match erased["outcome"].as_str() {
        Some("erased") => Ok(()),
        outcome => Err(Failure::Refused {
            error: format!("{recording} is not erased: it is {}", outcome.unwrap_or("unknown")),
            expected: "a recording that is closed and has a file".into(),
        }),
    }
}
