//! `centralita queue`.

use super::client::Client;
use super::render::{pairs, percent, rows, span, table, text};
use super::{Done, print, why};
use base::QueueId;
use clap::Subcommand;
use serde_json::{Value, json};
use std::collections::BTreeSet;
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
    /// Open a queue, whatever its hours say
    Open { queue: QueueId },
    /// Close a queue, whatever its hours say; who waits is still served
    Close { queue: QueueId },
    /// Let a queue follow its hours again
    FollowHours { queue: QueueId },
}

impl Queue {
    pub async fn run(self, client: &Client, out: &mut dyn Write) -> Done {
        let (queue, verb, done) = match self {
            Queue::List => return print(client, out, &client.get("queues").await?, list),
            Queue::Show { queue } => {
                let mut shown = client.get(&format!("queues/{queue}")).await?;
                shown["why"] = client.get(&format!("queues/{queue}/why")).await?;
                shown["agents"] = json!(serving(&client.get("agents").await?, &queue));
                return print(client, out, &shown, show);
            }
            Queue::Open { queue } => (queue, "open", "open until it follows its hours again"),
            Queue::Close { queue } => (queue, "close", "closed until it follows its hours again"),
            Queue::FollowHours { queue } => (queue, "follow-hours", "follows its hours"),
        };
        let reply = client.post(&format!("queues/{queue}/{verb}"), None).await?;
        print(client, out, &reply, |_| format!("{queue}: {done}\n"))
    }
}

/// Who serves the queue, of all agents.
fn serving(agents: &Value, queue: &QueueId) -> Vec<Value> {
    let serves = |a: &&Value| a["queues"].as_array().is_some_and(|all| all.iter().any(|q| q == &json!(queue)));
    agents.as_array().into_iter().flatten().filter(serves).cloned().collect()
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
    format!("{figures}\n{}\n{}", visits(q), agents(&q["agents"]))
}

/// The waiting visits as the queue lists them, each with what the Centre says it waits for.
fn visits(q: &Value) -> String {
    let why_of = |call: &Value| q["why"].as_array().into_iter().flatten().find(|row| row["call"] == *call);
    let row = |v: &Value| {
        let why = why_of(&v["call"]).unwrap_or(&Value::Null);
        let waits = &why["waits"];
        let offers = v["offers"].as_array().map_or(0, Vec::len);
        vec![
            text(&waits["position"]),
            text(&v["call"]),
            why::score(&waits["score_ms"]),
            span(&v["waited_ms"]),
            text(&v["lang"]),
            text(if waits["requires"].is_string() { &waits["requires"] } else { &v["requires"] }),
            if offers > 0 { ringing(offers, &why["decisions"]) } else { why::waits_for(waits) },
            why::expected(&v["expected"]),
            span(&v["left_ms"]),
        ]
    };
    let mut waiting = rows(&q["visits"], row);
    // Beyond those that were asked after, nobody knows the position.
    waiting.sort_by_key(|row| row[0].parse().unwrap_or(usize::MAX));
    let heads = ["#", "CALL", "SCORE", "WAITED", "LANG", "ASKS FOR", "WAITS FOR", "EXPECTED", "LEAVES IN"];
    table(&heads, &waiting, "Nobody waits.")
}

/// How many phones ring, and the steps of relaxation that let their agents in: `call why` says what the steps are.
fn ringing(offers: usize, decisions: &Value) -> String {
    let ring = decisions.as_array().into_iter().flatten().filter(|d| d["end"].is_null());
    let steps: BTreeSet<u64> = ring.filter_map(|d| d["why"]["let_in"]["step"]["number"].as_u64()).collect();
    let steps: Vec<String> = steps.iter().map(u64::to_string).collect();
    match steps.len() {
        0 => format!("{offers} ringing"),
        1 => format!("{offers} ringing, let in by step {}", steps[0]),
        _ => format!("{offers} ringing, let in by steps {}", steps.join(", ")),
    }
}

fn agents(agents: &Value) -> String {
    let row = |a: &Value| {
        let of = if a["live"].is_object() { &a["live"] } else { a };
        vec![text(&a["agent"]), text(&of["state"]), span(&of["in_state_ms"]), text(&of["reason"]), text(&of["skills"])]
    };
    table(&["AGENT", "STATE", "FOR", "REASON", "SKILLS"], &rows(agents, row), "No agent serves this queue.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_that_rings_names_the_steps_that_let_its_agents_in() {
        let by = |step: Option<u64>, end: Option<&str>| {
            let let_in = step.map(|number| json!({ "step": { "number": number } }));
            json!({ "end": end, "why": { "let_in": let_in } })
        };
        let over = by(Some(1), Some("timed_out"));
        let cases = [
            (json!([over, by(None, None)]), "1 ringing"),
            (json!([over, by(Some(2), None)]), "1 ringing, let in by step 2"),
            (json!([by(None, None), by(Some(3), None), by(Some(2), None), by(Some(3), None)]), "4 ringing, let in by steps 2, 3"),
        ];
        for (decisions, told) in cases {
            let offers: Vec<u32> = (0..told[..1].parse().unwrap()).collect();
            let why = json!([{ "call": "1-3-42", "waits": { "position": 1 }, "decisions": decisions }]);
            let shown = visits(&json!({ "visits": [{ "call": "1-3-42", "offers": offers }], "why": why }));
            assert!(shown.contains(&format!(" {told}  ")), "{told}: {shown}");
        }
    }
}
