//! `centralita call`.

use super::client::Client;
use super::render::{moment, pairs, rows, span, table, text};
use super::target::To;
use super::{Done, events, print, recording, ticket, why};
use base::{AgentId, CallId, QueueId};
use clap::{Subcommand, ValueEnum};
use serde_json::{Value, json};
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
    /// Why a call waits, or which agents were tried and why
    Why { call: CallId },
    /// End a call
    HangUp { call: CallId },
    /// Pass a conversation on without asking there
    Transfer {
        call: CallId,
        /// queue/TENANT/NAME, agent/TENANT/NAME or a number
        to: To,
    },
    /// Let the agent speak with somebody else while the caller hears music
    Consult {
        call: CallId,
        /// queue/TENANT/NAME, agent/TENANT/NAME or a number
        to: To,
    },
    /// Whoever is consulted takes the call
    Complete { call: CallId },
    /// Back to the caller; whoever is consulted is hung up
    EndConsult { call: CallId },
    /// Caller, agent and whoever is consulted in one conversation
    Conference { call: CallId },
    /// Ring a supervisor's phone to take part in a call; once more for another mode
    Monitor {
        call: CallId,
        /// The supervisor, such as acme/sup
        #[arg(long)]
        by: AgentId,
        #[arg(long, value_enum, default_value_t = Mode::Listen)]
        mode: Mode,
    },
    /// End a supervisor's part
    StopMonitor {
        call: CallId,
        #[arg(long)]
        by: AgentId,
    },
    /// The supervisor, who monitors, has the conversation from now on
    TakeOver {
        call: CallId,
        #[arg(long)]
        by: AgentId,
    },
    /// Move a waiting call to another queue
    Move { call: CallId, queue: QueueId },
    /// Move a waiting call in line, by seconds of priority
    Prioritise {
        call: CallId,
        #[arg(allow_negative_numbers = true)]
        seconds: i64,
    },
    /// The customer will not be called back
    CancelCallback { call: CallId },
}

/// How a supervisor takes part.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Mode {
    /// Hears both, is heard by nobody
    Listen,
    /// Is heard by the agent only
    Whisper,
    /// Is heard by both
    Barge,
}

impl Mode {
    fn word(self) -> &'static str {
        match self {
            Mode::Listen => "listen",
            Mode::Whisper => "whisper",
            Mode::Barge => "barge",
        }
    }
}

/// One act: its call, its path, its body, and what is said when it is done.
struct Act(CallId, &'static str, Option<Value>, String);

impl Call {
    pub async fn run(self, client: &Client, out: &mut dyn Write) -> Done {
        match self {
            Call::List => print(client, out, &client.get("calls").await?, list),
            Call::Show { call } => print(client, out, &client.get(&format!("calls/{call}")).await?, show),
            Call::Why { call } => print(client, out, &client.get(&format!("calls/{call}/why")).await?, why::show),
            act => {
                let Some(Act(call, verb, body, done)) = act.act() else { return Ok(()) };
                let reply = client.post(&format!("calls/{call}/{verb}"), body).await?;
                print(client, out, &reply, |_| format!("{call}: {done}\n"))
            }
        }
    }

    fn act(self) -> Option<Act> {
        let by = |supervisor: &AgentId| Some(json!({ "supervisor": supervisor }));
        Some(match self {
            Call::List | Call::Show { .. } | Call::Why { .. } => return None,
            Call::HangUp { call } => Act(call, "hang-up", None, "hung up".into()),
            Call::Transfer { call, to } => Act(call, "transfer", Some(to.body()), format!("goes to {to}")),
            Call::Consult { call, to } => Act(call, "consult", Some(to.body()), format!("{to} is consulted")),
            Call::Complete { call } => Act(call, "complete", None, "passed on".into()),
            Call::EndConsult { call } => Act(call, "end-consult", None, "back to the caller".into()),
            Call::Conference { call } => Act(call, "conference", None, "all in one conversation".into()),
            Call::Monitor { call, by, mode } => {
                let body = json!({ "supervisor": by, "mode": mode.word() });
                Act(call, "monitor", Some(body), format!("{by} is to {}; the phone rings unless {by} is in already", mode.word()))
            }
            Call::StopMonitor { call, by: who } => Act(call, "stop-monitor", by(&who), format!("{who} is out")),
            Call::TakeOver { call, by: who } => Act(call, "take-over", by(&who), format!("{who} has it")),
            Call::Move { call, queue } => {
                let done = format!("waits in {queue}");
                Act(call, "move", Some(json!({ "queue": queue })), done)
            }
            Call::Prioritise { call, seconds } => {
                Act(call, "prioritise", Some(json!({ "priority_s": seconds })), format!("{seconds} s of priority"))
            }
            Call::CancelCallback { call } => Act(call, "cancel-callback", None, "will not be called back".into()),
        })
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
        shown.push(("waits for", text(&c["waits_for"])));
        shown.push(("otherwise acts in", span(&c["left_ms"])));
    }
    shown.extend([
        ("caller", format!("{}, {}", text(&c["caller"]), text(&c["name"]))),
        ("number", text(&c["number"])),
        ("language", text(&c["lang"])),
        ("queue", text(&c["queue"])),
        ("agent", text(&c["agent"])),
        ("with", text(&c["third"])),
        ("monitored by", monitors(&c["monitors"])),
        ("recorded by", recorded(c)),
        ("consent", answer(&c["consent"])),
        ("recording paused", recording::paused(&c["recording_paused"])),
        ("expected wait", why::expected(&c["expected"])),
    ]);
    let lines: String = c["events"].as_array().map(|all| all.iter().map(events::line).collect()).unwrap_or_default();
    let (tickets, recordings) = (ticket::list(&c["tickets"]), recording::list(&c["recordings"]));
    format!("{}\n{tickets}\n{recordings}\n{}\n{lines}", pairs(&shown), legs(&c["legs"]))
}

/// What each leg sounded like; of the stream to the peer what the peer said.
fn legs(legs: &Value) -> String {
    let share = |loss: &Value| loss.as_f64().map_or("-".into(), |loss| format!("{:.2} %", loss * 100.0));
    let ms = |us: &Value| us.as_f64().map_or("-".into(), |us| format!("{:.1} ms", us / 1_000.0));
    let row = |l: &Value| {
        let (received, reported) = (&l["received"], &l["sent"]["reported"]);
        let whose = if l["open"] == true { "open".into() } else { text(&l["side"]) };
        vec![
            text(&l["leg"]),
            whose,
            text(&l["codec"]),
            text(&received["mos"]),
            share(&received["loss"]),
            ms(&received["jitter_us"]),
            text(&reported["mos"]),
            share(&reported["loss"]),
            ms(&reported["jitter_us"]),
            ms(&l["round_trip_us"]),
        ]
    };
    let heads = ["LEG", "SIDE", "CODEC", "MOS IN", "LOSS", "JITTER", "MOS OUT", "LOSS", "JITTER", "ROUND TRIP"];
    table(&heads, &rows(legs, row), "No leg carried audio yet.")
}

/// Whose word it was, and why it is not recorded.
fn recorded(c: &Value) -> String {
    let why = c["excluded"].as_str().map(|reason| format!(", not recorded: {reason}"));
    format!("{}{}", text(&c["policy"]), why.unwrap_or_default())
}

fn answer(consent: &Value) -> String {
    if consent.is_null() { "-".into() } else { format!("{} by {}", text(&consent["answer"]), text(&consent["by"])) }
}

fn monitors(monitors: &Value) -> String {
    let one = |m: &Value| format!("{} ({})", text(&m["supervisor"]), text(&m["mode"]));
    let all: Vec<String> = monitors.as_array().into_iter().flatten().map(one).collect();
    if all.is_empty() { "-".into() } else { all.join(", ") }
}
