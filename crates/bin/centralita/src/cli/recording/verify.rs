//! `centralita recording verify`: read again from end to end, one or all.

use crate::cli::client::Client;
use crate::cli::render::{pairs, span, text};
use crate::cli::{Done, Failure, print};
use base::RecordingId;
use clap::Args;
use hyper::Method;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::Write;

#[derive(Args, Clone, Debug)]
pub struct Options {
    /// One recording; without it all of them, and files and rows that have lost each other
    recording: Option<RecordingId>,
    /// All of them, as without a recording
    #[arg(long, conflicts_with = "recording")]
    all: bool,
    /// Why, for the log of accesses
    #[arg(long, alias = "why", default_value = "", requires = "recording")]
    reason: String,
}

/// What makes the exit status 1.
const BAD: [&str; 2] = ["failed", "orphan"];

pub async fn run(options: Options, client: &Client, out: &mut dyn Write) -> Done {
    let Some(recording) = options.recording.filter(|_| !options.all) else { return all(client, out).await };
    let looked = client.post(&format!("recordings/{recording}/verify"), Some(json!({ "why": options.reason }))).await?;
    print(client, out, &looked, one)?;
    if BAD.iter().any(|bad| looked["outcome"] == *bad) { Err(bad(1)) } else { Ok(()) }
}

async fn all(client: &Client, out: &mut dyn Write) -> Done {
    each(client, out, (Method::POST, "recordings/verify")).await
}

pub async fn orphans(client: &Client, out: &mut dyn Write) -> Done {
    each(client, out, (Method::GET, "recordings/orphans")).await
}

/// Each that is not complete, and at the end how many there are of what, and how much sound.
async fn each(client: &Client, out: &mut dyn Write, (method, path): (Method, &str)) -> Done {
    let mut counts = BTreeMap::<String, u64>::new();
    let mut duration_ms = 0;
    let each = client.each(method, path, |looked| {
        duration_ms += looked["duration_ms"].as_u64().unwrap_or_default();
        let outcome = text(&looked["outcome"]);
        if client.json {
            writeln!(out, "{looked}")?;
        } else if outcome != "complete" {
            writeln!(out, "{:<20} {outcome:<9} {}", text(&looked["recording"]), text(&looked["reason"]))?;
        }
        *counts.entry(outcome).or_default() += 1;
        Ok(())
    });
    each.await?;
    if !client.json {
        let sum: Vec<String> = counts.iter().map(|(outcome, n)| format!("{n} {outcome}")).collect();
        let read = if duration_ms > 0 { format!("; {} of sound read", span(&duration_ms.into())) } else { String::new() };
        writeln!(out, "{}{read}", if sum.is_empty() { "none".to_string() } else { sum.join(", ") })?;
    }
    let wrong = BAD.iter().filter_map(|bad| counts.get(*bad)).sum();
    if wrong == 0 { Ok(()) } else { Err(bad(wrong)) }
}

fn bad(n: u64) -> Failure {
    let expected = "each recording as it was closed; those erased on purpose are told as such".into();
    Failure::Refused { error: format!("{} not as they should be", crate::load::counted(n as usize, "recording")), expected }
}

pub fn one(looked: &Value) -> String {
    let heard = looked["heard"].as_array().into_iter().flatten().map(text).collect::<Vec<_>>().join(", ");
    pairs(&[
        ("recording", text(&looked["recording"])),
        ("outcome", text(&looked["outcome"])),
        ("reason", text(&looked["reason"])),
        ("on disk", text(&looked["form"])),
        ("length", if looked["form"].is_null() { "-".into() } else { span(&looked["duration_ms"]) }),
        ("heard", text(&heard.into())),
    ])
}
