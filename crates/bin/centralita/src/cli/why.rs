//! Why a call waits and how its agents were chosen, for a person to read.

use super::render::{moment, pairs, span, table, text};
use serde_json::{Value, json};

/// One call: what it waits for, then each decision.
pub fn show(row: &Value) -> String {
    let waits = &row["waits"];
    let place = if row["callback"] == true { "callback".to_string() } else { text(&row["place"]) };
    let mut shown = vec![("call", text(&row["call"])), ("place", format!("{place}, {}", text(&row["queue"])))];
    if waits.is_object() {
        shown.extend(waiting(waits));
        shown.push(("leaves by itself in", span(&row["leaves_ms"])));
    }
    let decisions: String = row["decisions"].as_array().into_iter().flatten().map(decision).collect();
    let decisions = if decisions.is_empty() { "No agent was tried yet.\n".to_string() } else { decisions };
    format!("{}\n{decisions}", pairs(&shown))
}

fn waiting(waits: &Value) -> Vec<(&'static str, String)> {
    let mut shown = vec![
        ("in line", format!("number {}, score {}", text(&waits["position"]), score(&waits["score_ms"]))),
        ("asks for", text(&waits["requires"])),
        ("waits for", waits_for(waits)),
    ];
    let barred = waits["barred"].as_array().into_iter().flatten();
    shown.extend(barred.map(|b| ("free, but not offered", format!("{}: {}", text(&b["agent"]), text(&b["why"])))));
    if waits["sticky"].is_object() {
        let sticky = &waits["sticky"];
        shown.push(("kept for", format!("{}, for another {}", text(&sticky["agent"]), span(&sticky["left_ms"]))));
    }
    if waits["next"].is_object() {
        let next = &waits["next"];
        shown.push(("next step", format!("in {}: {}", span(&next["in_ms"]), change(&next["change"]))));
    }
    shown.push(("expected wait", expected(&waits["expected"])));
    shown
}

/// Who could take it and what they do: `3 talking, 1 paused`.
pub fn waits_for(waits: &Value) -> String {
    let Some(states) = waits["agents"].as_object() else { return "-".into() };
    let count = |(state, n): (&String, &Value)| format!("{n} {}", state.replace('_', " "));
    match states.is_empty() {
        true => "somebody with these skills: there is nobody".into(),
        false => states.iter().map(count).collect::<Vec<_>>().join(", "),
    }
}

/// `0:30, at most 1:30`: the P50 and the P90.
pub fn expected(expected: &Value) -> String {
    match expected.is_object() {
        true => format!("{}, at most {}", span(&expected["p50_ms"]), span(&expected["p90_ms"])),
        false => "-".into(),
    }
}

/// Milliseconds as seconds with one decimal.
pub fn score(ms: &Value) -> String {
    ms.as_i64().map_or_else(|| "-".into(), |ms| format!("{:.1}", ms as f64 / 1000.0))
}

fn change(change: &Value) -> String {
    if let Some(lower) = change.get("lower") {
        return format!("{} >= {} will do", text(&lower["skill"]), text(&lower["to"]));
    }
    if let Some(drop) = change.get("drop") {
        return format!("{} is not asked for any more", text(&drop["skill"]));
    }
    if let Some(widen) = change.get("widen") {
        return format!("agents of the group {} too", text(&widen["group"]));
    }
    format!("{} s of priority more", text(&change["raise"]["seconds"]))
}

fn decision(d: &Value) -> String {
    let end = match d["end"].as_str() {
        None => "rings".to_string(),
        Some(end) => format!("{} after {}", end.replace('_', " "), span(&d["ring_ms"])),
    };
    let cause = if d["cause"].is_string() { format!(" ({})", text(&d["cause"])) } else { String::new() };
    let head = format!("{}  {} of {}: {end}{cause}", moment(&d["at"]), text(&d["agent"]), text(&d["queue"]));
    let why = &d["why"];
    if !why.is_object() {
        return format!("{head}\n  The log does not say why.\n\n");
    }
    let sentences = sentences(why).join("\n  ");
    format!("{head}\n  {sentences}\n{}{}\n", candidates(why, &d["agent"]), rivals(why))
}

/// By what rule the agent and the call came together, and by which step the agent was let in, if by any.
pub fn sentences(why: &Value) -> Vec<String> {
    [Some(rule(why)), let_in(why)].into_iter().flatten().collect()
}

fn rule(why: &Value) -> String {
    let (agents, visits) = (text(&why["agents"]), text(&why["visits"]));
    let idle = span(&millis(why, "idle"));
    match (&why["rule"]["strategy"], why["rule"].as_str()) {
        (Value::String(strategy), _) => {
            format!("Chosen by {} of {agents} free, idle for {idle}.", text(&Value::String(strategy.replace('_', " "))))
        }
        (_, Some("sticky")) => format!("The agent had this caller last, and was idle for {idle}."),
        _ => format!("Free after {idle}: of {visits} waiting calls this one had the best score, {}.", score(&why["score_ms"])),
    }
}

fn let_in(why: &Value) -> Option<String> {
    let by = why["let_in"].as_object()?;
    let (step, early) = (&by["step"], by["early"] == true);
    let after = span(&millis(step, "after"));
    let when = match why["rule"].as_str() {
        _ if !early => format!("after {after}"),
        Some("sticky") => format!("ahead of its {after} as the caller's last agent"),
        _ => format!("ahead of its {after}, as nobody logged in could serve the call sooner"),
    };
    let (number, change) = (text(&step["number"]), change(&step["change"]));
    Some(format!("Let in by step {number} of the queue's relaxation, {when}: {change}."))
}

/// `idle_ms` as the API tells it, or `idle` as a fact keeps it.
fn millis(of: &Value, name: &str) -> Value {
    match (of[name]["secs"].as_u64(), of[name]["nanos"].as_u64()) {
        (Some(secs), Some(nanos)) => json!(secs.saturating_mul(1_000).saturating_add(nanos / 1_000_000)),
        _ => of[format!("{name}_ms")].clone(),
    }
}

fn candidates(why: &Value, chosen: &Value) -> String {
    let strategy = why["rule"]["strategy"].as_str().unwrap_or_default();
    let row = |c: &Value| {
        let mark = if c["agent"] == *chosen { "chosen" } else { "" };
        vec![format!("    {}", text(&c["agent"])), measure(strategy, &c["value"]), span(&c["idle_ms"]), mark.to_string()]
    };
    let rows: Vec<Vec<String>> = why["candidates"].as_array().into_iter().flatten().map(row).collect();
    if rows.is_empty() { String::new() } else { table(&["    CANDIDATE", "MEASURE", "IDLE", ""], &rows, "") }
}

/// What the strategy compared, in its own unit; lower is better.
fn measure(strategy: &str, value: &Value) -> String {
    let Some(value) = value.as_i64() else { return "-".into() };
    match strategy {
        "most_skilled" => format!("levels {}", -value),
        "least_skilled" => format!("levels {value}"),
        "fewest_calls" => format!("{value} calls"),
        "least_occupied" => format!("{:.1} % occupied", value as f64 / 10_000.0),
        "top_down" => format!("rank {value}"),
        _ => "-".into(),
    }
}

fn rivals(why: &Value) -> String {
    let row = |r: &Value| vec![format!("    {}", text(&r["visit"])), score(&r["score_ms"])];
    let rows: Vec<Vec<String>> = why["rivals"].as_array().into_iter().flatten().map(row).collect();
    if rows.is_empty() { String::new() } else { table(&["    WAITING", "SCORE"], &rows, "") }
}
