//! `centralita agent`.

use super::client::Client;
use super::render::{pairs, percent, rows, span, table, text};
use super::{Done, print};
use base::AgentId;
use clap::Subcommand;
use serde_json::{Value, json};
use std::io::Write;

#[derive(Subcommand, Clone, Debug)]
pub enum Agent {
    /// All agents, one a line
    List,
    /// One agent: now, and today
    Show {
        /// The agent, such as acme/ana
        agent: AgentId,
    },
    /// Log an agent in
    LogIn { agent: AgentId },
    /// Log an agent out, after the call if there is one
    LogOut { agent: AgentId },
    /// Pause an agent, after the call if there is one
    Pause {
        agent: AgentId,
        /// Why, as it will stand on the wallboard and in the figures
        #[arg(long)]
        reason: String,
    },
    /// End an agent's pause or wrap-up
    Ready { agent: AgentId },
}

impl Agent {
    pub async fn run(self, client: &Client, out: &mut dyn Write) -> Done {
        let (agent, verb, body) = match self {
            Agent::List => return print(client, out, &client.get("agents").await?, list),
            Agent::Show { agent } => return print(client, out, &client.get(&format!("agents/{agent}")).await?, show),
            Agent::LogIn { agent } => (agent, "log-in", None),
            Agent::LogOut { agent } => (agent, "log-out", None),
            Agent::Pause { agent, reason } => (agent, "pause", Some(json!({ "reason": reason }))),
            Agent::Ready { agent } => (agent, "ready", None),
        };
        let reply = client.post(&format!("agents/{agent}/{verb}"), body).await?;
        print(client, out, &reply, |reply| match reply.as_str() {
            Some("pending") => format!("{agent}: {verb} follows when the call ends\n"),
            _ => format!("{agent}: {verb} done\n"),
        })
    }
}

fn list(agents: &Value) -> String {
    let row = |a: &Value| {
        let (state, for_ms, reason) = now(a);
        vec![
            text(&a["agent"]),
            text(state),
            span(for_ms),
            text(reason),
            text(&a["queue"]),
            text(&a["call"]),
            text(&a["calls"]),
            span(&a["aht_ms"]),
        ]
    };
    table(&["AGENT", "STATE", "FOR", "REASON", "QUEUE", "CALL", "CALLS", "AHT"], &rows(agents, row), "No agents.")
}

fn show(a: &Value) -> String {
    let (state, for_ms, reason) = now(a);
    let live = &a["live"];
    pairs(&[
        ("agent", text(&a["agent"])),
        ("state", format!("{} for {}", text(state), span(for_ms))),
        ("reason", text(reason)),
        ("asked for, after the call", text(&live["pending"])),
        ("phone", if live["reachable"] == true { "reachable".into() } else { "not reachable".into() }),
        ("queues", text(&a["queues"])),
        ("queue, call", format!("{}, {}", text(&a["queue"]), text(&a["call"]))),
        ("calls today", text(&a["calls"])),
        ("rang out today", text(&a["rona"])),
        ("AHT", span(&a["aht_ms"])),
        ("logged in", span(&a["logged_in_ms"])),
        ("occupancy", percent(&a["occupancy"])),
    ])
}

/// State, time in it and reason: the Centre's own word where there is one, else what the log said last.
fn now(a: &Value) -> (&Value, &Value, &Value) {
    let of = if a["live"].is_object() { &a["live"] } else { a };
    (&of["state"], &of["in_state_ms"], &of["reason"])
}
