//! `centralita recording list`, or `find`.

use super::{kept, on_disk, who};
use crate::cli::client::Client;
use crate::cli::render::{self, bytes, moment, rows, span, text};
use crate::cli::words::number;
use crate::cli::{Done, print};
use base::{AgentId, CallId, Lang, QueueId, RecordingId, Tenant, Wall};
use clap::{Args, ValueEnum};
use serde_json::Value;
use std::fmt::Display;
use std::io::Write;

const LENGTH: &str = "a length in seconds";
/// A year: what is longer is a slip.
const MOST: u64 = 365 * 86_400;

#[derive(Args, Clone, Debug, Default)]
pub struct Options {
    /// Only those of this call
    #[arg(long)]
    call: Option<CallId>,
    /// Only those of this caller's number, with or without a plus
    #[arg(long, value_name = "NUMBER", value_parser = digits)]
    caller: Option<String>,
    /// Only those of this account
    #[arg(long)]
    tenant: Option<Tenant>,
    /// Only those of this queue
    #[arg(long)]
    queue: Option<QueueId>,
    /// Only those of this agent
    #[arg(long)]
    agent: Option<AgentId>,
    /// Only those in this language
    #[arg(long)]
    lang: Option<Lang>,
    /// Only those that run, or ended so
    #[arg(long)]
    kept: Option<State>,
    /// Only those begun at or after this: 2026-11-22, a day where the node is, or 2026-11-22T08:00:00-06:00
    #[arg(long, value_name = "TIME", value_parser = when)]
    from: Option<String>,
    /// Only those begun before this
    #[arg(long, value_name = "TIME", value_parser = when)]
    to: Option<String>,
    /// Only those of at least so many seconds
    #[arg(long, value_name = "SECONDS", value_parser = number(LENGTH, 0, MOST))]
    shortest: Option<u64>,
    /// Only those of at most so many seconds
    #[arg(long, value_name = "SECONDS", value_parser = number(LENGTH, 0, MOST))]
    longest: Option<u64>,
    /// The next page: those after this one, the last of the page before
    #[arg(long, value_name = "RECORDING")]
    after: Option<RecordingId>,
    /// So many at most
    #[arg(long, value_name = "COUNT", default_value_t = 50, value_parser = number("how many to list", 1, 1_000))]
    limit: u64,
}

#[derive(ValueEnum, Clone, Copy, Debug)]
enum State {
    Running,
    Complete,
    Partial,
    Failed,
}

impl Options {
    fn path(&self) -> String {
        let mut path = format!("recordings?limit={}", self.limit);
        let mut with = |name: &str, value: Option<&dyn Display>| {
            path.extend(value.map(|value| format!("&{name}={value}")));
        };
        fn shown<T: Display>(value: &Option<T>) -> Option<&dyn Display> {
            value.as_ref().map(|value| value as &dyn Display)
        }
        let kept = self.kept.map(|kept| format!("{kept:?}").to_lowercase());
        let ms = |seconds: Option<u64>| seconds.map(|s| s * 1_000);
        with("call", shown(&self.call));
        with("caller", shown(&self.caller));
        with("tenant", shown(&self.tenant));
        with("queue", shown(&self.queue));
        with("agent", shown(&self.agent));
        with("lang", shown(&self.lang));
        with("kept", shown(&kept));
        with("from", shown(&self.from));
        with("to", shown(&self.to));
        with("shortest_ms", shown(&ms(self.shortest)));
        with("longest_ms", shown(&ms(self.longest)));
        with("after", shown(&self.after));
        path
    }
}

/// A day goes to the node as it is, which knows when it begins there; any other time in UTC.
pub fn when(text: &str) -> Result<String, String> {
    let at: Wall = text.parse().map_err(|bad: base::id::BadId| format!("expected {}", bad.expected))?;
    Ok(if text.len() == 10 { text.into() } else { at.to_string() })
}

/// A number as a query carries it.
pub fn digits(text: &str) -> Result<String, String> {
    let digits: String = text.chars().filter(|c| !"+ -()".contains(*c)).collect();
    let is_number = (2..=32).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    is_number.then_some(digits).ok_or_else(|| "expected a number of 2 to 32 digits, with or without a plus".into())
}

pub async fn run(options: &Options, client: &Client, out: &mut dyn Write) -> Done {
    let (found, hint) = client.get_hinted(&options.path()).await?;
    print(client, out, &found, |found| {
        let found = table(found);
        hint.map_or_else(|| found.clone(), |hint| format!("{} {}\n", found.trim_end(), sentence(&hint)))
    })
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

pub fn table(recordings: &Value) -> String {
    let row = |r: &Value| {
        vec![
            text(&r["recording"]),
            moment(&r["started"]),
            span(&r["duration_ms"]),
            kept(r),
            text(&r["queue"]),
            who(r),
            text(&r["lang"]),
            on_disk(r),
            bytes(&r["bytes"]),
        ]
    };
    let heads = ["RECORDING", "STARTED", "LENGTH", "KEPT", "QUEUE", "AGENT", "LANG", "ON DISK", "SIZE"];
    render::table(&heads, &rows(recordings, row), "No recordings.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_filter_goes_into_the_question() {
        let options = Options {
            caller: Some(digits("+52 55-1234").unwrap()),
            queue: Some("acme/soporte".parse().unwrap()),
            lang: Some(Lang::ES),
            kept: Some(State::Partial),
            from: Some(when("2026-11-22").unwrap()),
            to: Some(when("2026-11-23T08:00:00-06:00").unwrap()),
            shortest: Some(90),
            after: Some("1-3-42.c1.p1".parse().unwrap()),
            limit: 10,
            ..Options::default()
        };
        let path = "recordings?limit=10&caller=52551234&queue=acme/soporte&lang=es&kept=partial\
                    &from=2026-11-22&to=2026-11-23T14:00:00.000000Z&shortest_ms=90000&after=1-3-42.c1.p1";
        assert_eq!(options.path(), path);
        assert!(digits("maria").is_err());
        assert!(when("yesterday").is_err());
    }
}
