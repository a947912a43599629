//! `centralita call`.

use super::client::Client;
use super::render::{moment, pairs, rows, span, table, text};
use super::{Done, events, print, recording, ticket};
use base::CallId;
use clap::Subcommand;
use serde_json::Value;
use std::io::Write;

#[derive(Subcommand, Clone, Debug)]
pub enum Call {
    /// The calls in progress
    List,
    /// One call, in progress or over, with its tickets, recordings and events
    Show {
        /// The call, such as 1-3-42
        call: CallId,
    },
    /// End a call
    HangUp { call: CallId },
}

impl Call {
    pub async fn run(self, client: &Client, out: &mut dyn Write) -> Done {
        match self {
            Call::List => print(client, out, &client.get("calls").await?, list),
            Call::Show { call } => print(client, out, &client.get(&format!("calls/{call}")).await?, show),
            Call::HangUp { call } => {
                let reply = client.post(&format!("calls/{call}/hang-up"), None).await?;
                print(client, out, &reply, |_| format!("{call}: hung up\n"))
            }
        }
    }
}

fn list(calls: &Value) -> String {
    let row = |c: &Value| {
        vec![
            text(&c["call"]),
            text(&c["place"]),
            span(&c["in_place_ms"]),
            span(&c["age_ms"]),
            text(&c["lang"]),
            text(&c["caller"]),
            text(&c["number"]),
            text(&c["queue"]),
            text(&c["agent"]),
        ]
    };
    table(&["CALL", "PLACE", "FOR", "AGE", "LANG", "CALLER", "NUMBER", "QUEUE", "AGENT"], &rows(calls, row), "No calls.")
}

fn show(c: &Value) -> String {
    let mut shown = vec![("call", text(&c["call"])), ("place", text(&c["place"])), ("arrived", moment(&c["arrived"]))];
    if c["ended"].is_string() {
        shown.push(("ended", format!("{}, {}", moment(&c["ended"]), text(&c["cause"]))));
    } else {
        shown.push(("there for", format!("{}, of {} in all", span(&c["in_place_ms"]), span(&c["age_ms"]))));
        shown.push(("goes on by itself", format!("{} in {}", text(&c["waits_for"]), span(&c["left_ms"]))));
    }
    shown.extend([
        ("caller", format!("{}, {}", text(&c["caller"]), text(&c["name"]))),
        ("number", text(&c["number"])),
        ("language", text(&c["lang"])),
        ("queue", text(&c["queue"])),
        ("agent", text(&c["agent"])),
    ]);
    let lines: String = c["events"].as_array().map(|all| all.iter().map(events::line).collect()).unwrap_or_default();
    format!("{}\n{}\n{}\n{lines}", pairs(&shown), ticket::list(&c["tickets"]), recording::list(&c["recordings"]))
}
