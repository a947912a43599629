//! `centralita recording retention`: the plan by which recordings are deleted. Nothing is deleted by asking for it.

use crate::cli::Done;
use crate::cli::client::Client;
use crate::cli::render::{bytes, moment, pairs, span, table, text};
use crate::cli::words::number;
use crate::load::counted;
use clap::Args;
use hyper::Method;
use serde_json::Value;
use std::io::Write;

#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Also name those that reach their maximum within so many days; without it only those that go in the next round, which is
    /// within ten minutes. Of a budget only the day is told on which it is reached
    #[arg(long, default_value_t = 0, value_parser = number("days", 0, 3_660))]
    days: u64,
    /// Take the clock as right where it is far later than when it was last known to be: recordings are deleted again
    #[arg(long, requires = "reason")]
    clock_is_right: bool,
    /// Why, for the log of accesses
    #[arg(long, requires = "clock_is_right")]
    reason: Option<String>,
}

/// Days that are listed; those after them are summed up.
const SHOWN: u64 = 14;

pub async fn run(options: &Options, client: &Client, out: &mut dyn Write) -> Done {
    if options.clock_is_right {
        return super::accept("clock", options.reason.as_deref(), client, out).await;
    }
    let mut plan = Value::Null;
    let mut going = Vec::new();
    let path = format!("recordings/retention?days={}", options.days);
    let each = client.each(Method::GET, &path, |line| {
        if client.json {
            writeln!(out, "{line}")?;
        }
        match line.get("plan") {
            Some(last) => plan = last.clone(),
            None if client.json => {}
            None => going.push(
                ["recording", "started", "bytes", "at", "cause"]
                    .map(|key| match key {
                        "started" | "at" => moment(&line[key]),
                        "bytes" => bytes(&line[key]),
                        _ => text(&line[key]),
                    })
                    .to_vec(),
            ),
        }
        Ok(())
    });
    each.await?;
    if plan.is_null() {
        return Err(client.cut());
    }
    if client.json {
        return Ok(());
    }
    if !going.is_empty() {
        writeln!(out, "{}", table(&["RECORDING", "STARTED", "SIZE", "GOES AT", "WHY"], &going, ""))?;
    }
    write!(out, "{}", shown(&plan))?;
    Ok(())
}

fn sum(sum: &Value) -> String {
    let recordings = counted(sum["recordings"].as_u64().unwrap_or_default() as usize, "recording");
    format!("{recordings}, {}", bytes(&sum["bytes"]))
}

fn shown(plan: &Value) -> String {
    let mut lines = vec![("on the disk", sum(&plan["found"]))];
    for (cause, of) in plan["delete"].as_object().into_iter().flatten() {
        let name = match cause.as_str() {
            "maximum" => "goes now: older than its maximum",
            "tenant_budget" => "goes now: its tenant's budget is passed",
            _ => "goes now: the budget is passed",
        };
        lines.push((name, sum(of)));
    }
    lines.push(("held", sum(&plan["held"])));
    if plan["overdue"]["recordings"] != 0 {
        lines.push(("held beyond its maximum", sum(&plan["overdue"])));
    }
    let mut out = pairs(&lines);
    if plan["deletes"] == false {
        out += "\nNo rule deletes anything: [retention] in the site file has neither a maximum nor a budget.\n";
    }
    out += &due(&plan["due"]);
    out += &forecasts(plan);
    for short in plan["short"].as_array().into_iter().flatten() {
        let whose = if short["tenant"].is_null() { String::new() } else { format!(" of {}", text(&short["tenant"])) };
        let next = if short["next"].is_null() {
            "all that is left is held".into()
        } else {
            format!("what is left is held or within its minimum, and the next may go at {}", moment(&short["next"]))
        };
        out += &format!("ALARM: the budget{whose} is passed by {}: {next}\n", bytes(&short["missing_bytes"]));
    }
    if !plan["stopped"].is_null() {
        out += &format!("ALARM: nothing is deleted: {}\n", text(&plan["stopped"]));
    }
    out
}

/// By day from now on.
fn due(days: &Value) -> String {
    let mut rows = Vec::new();
    let (mut later, mut later_bytes) = (0, 0);
    for (day, of) in days.as_object().into_iter().flatten() {
        let day: u64 = day.parse().unwrap_or_default();
        if day < SHOWN {
            rows.push((day, vec![format!("within {} d", day + 1), text(&of["recordings"]), bytes(&of["bytes"])]));
        } else {
            later += of["recordings"].as_u64().unwrap_or_default();
            later_bytes += of["bytes"].as_u64().unwrap_or_default();
        }
    }
    rows.sort();
    let mut rows: Vec<Vec<String>> = rows.into_iter().map(|(_, row)| row).collect();
    if later > 0 {
        rows.push(vec!["later".into(), later.to_string(), bytes(&later_bytes.into())]);
    }
    if rows.is_empty() {
        String::new()
    } else {
        format!("\n{}", table(&["REACH THEIR MAXIMUM", "RECORDINGS", "SIZE"], &rows, ""))
    }
}

/// Whole days from two on.
fn age(ms: &Value) -> String {
    let days = ms.as_u64().unwrap_or_default() / 86_400_000;
    if days < 2 { span(ms) } else { format!("{days} d") }
}

fn forecasts(plan: &Value) -> String {
    let mut out = String::from("\n");
    for forecast in plan["forecasts"].as_array().into_iter().flatten() {
        let whose = if forecast["tenant"].is_null() { "all".into() } else { text(&forecast["tenant"]) };
        let of = age(&forecast["drawn_from_ms"]);
        let rate = match &forecast["bytes_per_day"] {
            Value::Null if forecast["drawn_from_ms"] == 0 && forecast["bytes"] == 0 => "no recordings yet".into(),
            Value::Null => format!("too little yet to say what a day brings (there are recordings of the last {of})"),
            rate => format!("{} a day (by the last {of})", bytes(rate)),
        };
        out += &format!("{whose}: {}, {rate}", bytes(&forecast["bytes"]));
        if !forecast["budget"].is_null() {
            let full = if forecast["bytes_per_day"].is_null() {
                "nobody can say yet when it is reached".into()
            } else if forecast["full"].is_null() {
                "never reached at this rate".into()
            } else {
                format!("reached on {}", moment(&forecast["full"]))
            };
            out += &format!("; budget {}, {full}", bytes(&forecast["budget"]));
        }
        out += "\n";
    }
    if !plan["disk_free"].is_null() {
        let all = plan["forecasts"].as_array().and_then(|forecasts| forecasts.iter().find(|of| of["tenant"].is_null()));
        let full = if all.is_none_or(|all| all["bytes_per_day"].is_null()) {
            "nobody can say yet when it is full".into()
        } else if plan["disk_full"].is_null() {
            "not full within ten years at this rate".into()
        } else {
            format!("full on {} at this rate", moment(&plan["disk_full"]))
        };
        out += &format!("disk: {} free, {full}\n", bytes(&plan["disk_free"]));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_plan_without_rules_and_a_node_of_a_few_minutes_say_so() {
        let sum = json!({ "recordings": 1, "bytes": 1_000 });
        let of = |deletes: bool, rate: Value| {
            let forecast = json!({ "bytes": 1_000, "budget": 5_000, "bytes_per_day": rate, "drawn_from_ms": 300_000 });
            let plan =
                json!({ "found": sum, "held": sum, "overdue": sum, "deletes": deletes, "forecasts": [forecast], "disk_free": 9 });
            shown(&plan)
        };
        let young = of(false, Value::Null);
        for line in [
            "No rule deletes anything: [retention] in the site file has neither a maximum nor a budget.\n",
            "all: 1.0 kB, too little yet to say what a day brings (there are recordings of the last 5:00); budget 5.0 kB, nobody can",
            "disk: 9 B free, nobody can say yet when it is full\n",
        ] {
            assert!(young.contains(line), "{line} in\n{young}");
        }
        let old = of(true, json!(7));
        let forecast = json!({ "bytes": 0, "bytes_per_day": null, "drawn_from_ms": 0 });
        let empty = shown(&json!({ "found": { "recordings": 0, "bytes": 0 }, "forecasts": [forecast] }));
        assert!(empty.contains("all: 0 B, no recordings yet\n"), "{empty}");
        assert!(!old.contains("No rule") && old.contains("7 B a day (by the last 5:00); budget 5.0 kB, never reached"), "{old}");
    }
}
