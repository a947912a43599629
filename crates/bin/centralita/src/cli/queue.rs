//! `centralita queue`.

use super::client::Client;
use super::render::{pairs, percent, rows, span, table, text};
use super::{Done, print};
use base::QueueId;
use clap::Subcommand;
use serde_json::Value;
use std::io::Write;

#[derive(Subcommand, Clone, Debug)]
pub enum Queue {
    /// All queues, one a line
    List,
    /// One queue: who waits and why, and today's figures
    Show {
        /// The queue, such as acme/support
        queue: QueueId,
    },
}

impl Queue {
    pub async fn run(self, client: &Client, out: &mut dyn Write) -> Done {
        match self {
            Queue::List => print(client, out, &client.get("queues").await?, list),
            Queue::Show { queue } => print(client, out, &client.get(&format!("queues/{queue}")).await?, show),
        }
    }
}

fn list(queues: &Value) -> String {
    let heads =
        ["QUEUE", "WAITING", "LONGEST", "FREE", "OFFERED", "ANSWERED", "ABANDONED", "SERVICE LEVEL", "FORMULA", "ASA", "AHT"];
    let row = |q: &Value| {
        let free = q["agents_by_state"]["available"].as_u64().unwrap_or(0);
        vec![
            text(&q["queue"]),
            text(&q["waiting_now"]),
            span(&q["longest_wait_ms"]),
            free.to_string(),
            text(&q["offered"]),
            text(&q["answered"]),
            text(&q["abandoned"]),
            percent(&q["service_level"]),
            text(&q["service_level_formula"]),
            span(&q["asa_ms"]),
            span(&q["aht_ms"]),
        ]
    };
    table(&heads, &rows(queues, row), "No queues.")
}

fn show(q: &Value) -> String {
    let figures = pairs(&[
        ("queue", text(&q["queue"])),
        ("waiting", format!("{}, longest {}", text(&q["waiting_now"]), span(&q["longest_wait_ms"]))),
        ("agents", text(&q["agents_by_state"])),
        ("offered", text(&q["offered"])),
        ("answered", text(&q["answered"])),
        ("abandoned", format!("{}, of them short {}", text(&q["abandoned"]), text(&q["short_abandons"]))),
        ("other exits", text(&q["other_exits"])),
        ("service level", format!("{} ({})", percent(&q["service_level"]), text(&q["service_level_formula"]))),
        ("ASA", span(&q["asa_ms"])),
        ("AHT", span(&q["aht_ms"])),
        ("wait p50, p90, p99", [&q["wait_p50_ms"], &q["wait_p90_ms"], &q["wait_p99_ms"]].map(span).join(", ")),
    ]);
    let row = |v: &Value| {
        let offers = v["offers"].as_array().map_or(0, Vec::len);
        vec![
            text(&v["call"]),
            span(&v["waited_ms"]),
            text(&v["lang"]),
            text(&v["requires"]),
            text(&v["priority_s"]),
            offers.to_string(),
            span(&v["left_ms"]),
        ]
    };
    let heads = ["CALL", "WAITED", "LANG", "ASKS FOR", "PRIORITY", "RINGING", "LEAVES IN"];
    format!("{figures}\n{}", table(&heads, &rows(&q["visits"], row), "Nobody waits."))
}
