//! `centralita recording access-log`: who listened, exported, verified, erased, or was refused it; and whether the log was
//! changed.

use super::hold::selected;
use crate::cli::client::Client;
use crate::cli::render::{moment, rows, table, text};
use crate::cli::words::as_typed;
use crate::cli::{Done, Failure, print};
use clap::Args;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use std::io::Write;

#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Check the chain of hashes, here and not at the node, and say where it breaks
    #[arg(long)]
    check: bool,
    /// A hash that the check gave before: it must still be in the chain, or lines were cut off at its end
    #[arg(long, value_name = "HASH", requires = "check", value_parser = hash)]
    head: Option<String>,
    /// Begin a new log after one that is in doubt, with all holds that are known: recordings are deleted again
    #[arg(long, requires = "reason", conflicts_with = "check")]
    accept: bool,
    /// Why, for the new log
    #[arg(long, requires = "accept")]
    reason: Option<String>,
}

fn hash(text: &str) -> Result<String, String> {
    let is_hash = text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit());
    let expected = || "expected a hash of 64 hexadecimal digits, as `access-log --check` ends with".to_string();
    is_hash.then(|| text.to_ascii_lowercase()).ok_or_else(expected)
}

pub async fn run(options: &Options, client: &Client, out: &mut dyn Write) -> Done {
    if options.accept {
        return super::accept("log", options.reason.as_deref(), client, out).await;
    }
    let body = client.open("recordings/accesses").await?.into_body();
    let bytes = body.collect().await.map_err(|_| client.cut())?.to_bytes();
    let log = String::from_utf8_lossy(&bytes);
    if options.check {
        return check(&log, options.head.as_deref(), client, out);
    }
    if client.json {
        write!(out, "{log}")?;
        return Ok(());
    }
    let lines: Vec<Value> = log.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let heads = ["LINE", "AT", "WHO", "ACT", "RECORDING", "WHY", "REFUSED"];
    let row = |l: &Value| {
        let [who, act, why, refused] = ["who", "act", "why", "refused"].map(|key| text(&l[key]));
        vec![text(&l["n"]), moment(&l["at"]), who, act, selected(&l["recording"]), why, as_typed(&refused)]
    };
    let listed = table(&heads, &rows(&Value::Array(lines), row), "Nobody has listened.");
    write!(out, "{listed}")?;
    Ok(())
}

fn check(log: &str, head: Option<&str>, client: &Client, out: &mut dyn Write) -> Done {
    let broken = |error: String| Failure::Refused { error, expected: "a log to which lines were only appended".into() };
    let checked = vault::access::check(log).map_err(|b| broken(format!("the access log was changed: {b}")))?;
    if let Some(head) = head.filter(|head| !checked.heads().any(|hash| hash == *head)) {
        return Err(broken(format!("the access log was cut: it never ended with {head}")));
    }
    let answer = json!({ "lines": checked.head.n, "head": checked.head.hash });
    print(client, out, &answer, |_| format!("{} lines, unbroken; it ends with {}\n", checked.head.n, checked.head.hash))
}
