//! `centralita recording hold`, `release`, `holds`: what may not be deleted, by whomever.

use super::list::{digits, when};
use crate::cli::client::Client;
use crate::cli::render::{moment, rows, table, text};
use crate::cli::words::number;
use crate::cli::{Done, print};
use crate::load::counted;
use base::{AgentId, QueueId, RecordingId, Tenant};
use clap::Args;
use serde_json::{Value, json};
use std::io::Write;

#[derive(Args, Clone, Debug)]
pub struct Options {
    /// One recording; without it all that the options select, those to come too
    recording: Option<RecordingId>,
    /// Only those of this account
    #[arg(long)]
    tenant: Option<Tenant>,
    /// Only those of this queue
    #[arg(long)]
    queue: Option<QueueId>,
    /// Only those of this agent
    #[arg(long)]
    agent: Option<AgentId>,
    /// Only those of this caller's number, with or without a plus
    #[arg(long, value_name = "NUMBER", value_parser = digits)]
    caller: Option<String>,
    /// Only those begun at or after this: 2026-11-22, a day where the node is, or 2026-11-22T08:00:00-06:00
    #[arg(long, value_name = "TIME", value_parser = when)]
    from: Option<String>,
    /// Only those begun before this
    #[arg(long, value_name = "TIME", value_parser = when)]
    to: Option<String>,
    /// Why, for the log of accesses
    #[arg(long)]
    reason: String,
}

pub async fn hold(options: &Options, client: &Client, out: &mut dyn Write) -> Done {
    let Options { recording, tenant, queue, agent, caller, from, to, reason } = options;
    let mut body = json!({ "why": reason });
    let mut with = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            body[name] = value.into();
        }
    };
    with("recording", recording.map(|recording| recording.to_string()));
    with("tenant", tenant.as_ref().map(ToString::to_string));
    with("queue", queue.as_ref().map(ToString::to_string));
    with("agent", agent.as_ref().map(ToString::to_string));
    with("caller", caller.clone());
    with("from", from.clone());
    with("to", to.clone());
    let held = client.post("recordings/hold", Some(body)).await?;
    print(client, out, &held, |held| {
        let alone = recording.is_some_and(|recording| held["of"] == recording.to_string());
        let now = held["recordings"].as_u64().map(|n| match n {
            0 if alone => ": nothing of it is there".into(),
            n => format!(": {} now", counted(n as usize, "recording")),
        });
        format!("hold {} keeps {}{}\n", held["hold"], selected(&held["of"]), now.unwrap_or_default())
    })
}

/// What is held as people read it: `queue acme/soporte, from 2026-11-22 06:00:00.000`; a recording as it is.
pub fn selected(of: &Value) -> String {
    let word = |word: &str| match word.split_once('=') {
        Some((name @ ("from" | "to"), at)) => format!("{name} {}", moment(&at.into())),
        // The log's id of a caller, never the number.
        Some(("party", caller)) => format!("caller {caller}"),
        Some((name, value)) => format!("{name} {value}"),
        None => word.into(),
    };
    text(of).split_whitespace().map(word).collect::<Vec<_>>().join(", ")
}

#[derive(Args, Clone, Debug)]
pub struct Release {
    /// Its number, as `recording holds` lists it
    #[arg(value_parser = number("the number of a hold", 1, u64::MAX))]
    hold: u64,
    /// Why, for the log of accesses
    #[arg(long)]
    reason: String,
}

pub async fn release(options: &Release, client: &Client, out: &mut dyn Write) -> Done {
    let Release { hold, reason } = options;
    let released = client.post("recordings/release", Some(json!({ "hold": hold, "why": reason }))).await?;
    print(client, out, &released, |held| format!("hold {hold} keeps {} no more\n", selected(&held["of"])))
}

pub async fn holds(client: &Client, out: &mut dyn Write) -> Done {
    let row = |held: &Value| {
        let [who, why] = ["who", "why"].map(|key| text(&held[key]));
        vec![text(&held["hold"]), selected(&held["of"]), moment(&held["at"]), who, why]
    };
    let heads = ["HOLD", "KEEPS", "SINCE", "WHO", "WHY"];
    print(client, out, &client.get("recordings/holds").await?, |holds| table(&heads, &rows(holds, row), "Nothing is held."))
}
