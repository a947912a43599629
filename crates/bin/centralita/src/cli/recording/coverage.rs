//! `centralita recording coverage`.

use crate::cli::client::Client;
use crate::cli::render::{percent, table, text};
use crate::cli::{Done, print};
use serde_json::Value;
use std::io::Write;

pub async fn run(client: &Client, out: &mut dyn Write) -> Done {
    print(client, out, &client.get("figures").await?["recordings"], show)
}

/// The whole, then each policy that decided about a conversation today.
fn show(r: &Value) -> String {
    let policies = r["by_policy"].as_object().into_iter().flatten();
    let all = [row("all".into(), r)].into_iter();
    let rows: Vec<Vec<String>> = all.chain(policies.map(|(policy, r)| row(policy.clone(), r))).collect();
    let heads = ["POLICY", "OWED", "COMPLETE", "PARTIAL", "FAILED", "OPEN", "COVERAGE", "NOT RECORDED"];
    let accounted = percent(&r["accounted"]);
    format!("{}\naccounted for: {accounted}, missing: {}\n", table(&heads, &rows, ""), text(&r["missing"]))
}

fn row(policy: String, r: &Value) -> Vec<String> {
    let reasons = r["excluded"].as_object().into_iter().flatten().map(|(reason, n)| format!("{reason} {}", text(n)));
    let reasons: Vec<String> = reasons.collect();
    let excluded = if reasons.is_empty() { "-".into() } else { reasons.join(", ") };
    let counts = ["expected", "complete", "partial", "failed", "open"].map(|what| text(&r[what]));
    [policy].into_iter().chain(counts).chain([percent(&r["coverage"]), excluded]).collect()
}
