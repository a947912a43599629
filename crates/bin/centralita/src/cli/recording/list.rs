//! `centralita recording list`.

use super::kept;
use crate::cli::client::Client;
use crate::cli::render::{self, moment, rows, span, text};
use crate::cli::{Done, print};
use base::{AgentId, CallId};
use clap::Args;
use serde_json::Value;
use std::io::Write;

#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Only those of this call
    #[arg(long)]
    call: Option<CallId>,
    /// Only those of this agent
    #[arg(long)]
    agent: Option<AgentId>,
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=1000))]
    limit: u16,
}

pub async fn run(options: &Options, client: &Client, out: &mut dyn Write) -> Done {
    let mut path = format!("recordings?limit={}", options.limit);
    options.call.iter().for_each(|call| path += &format!("&call={call}"));
    options.agent.iter().for_each(|agent| path += &format!("&agent={agent}"));
    print(client, out, &client.get(&path).await?, table)
}

pub fn table(recordings: &Value) -> String {
    let row = |r: &Value| {
        vec![
            text(&r["recording"]),
            moment(&r["started"]),
            span(&r["duration_ms"]),
            kept(r),
            text(&r["queue"]),
            text(&r["agent"]),
            text(&r["lang"]),
        ]
    };
    let heads = ["RECORDING", "STARTED", "LENGTH", "KEPT", "QUEUE", "AGENT", "LANG"];
    render::table(&heads, &rows(recordings, row), "No recordings.")
}
