//! `centralita agent`.

use super::client::Client;
use super::render::{pairs, percent, rows, span, table, text};
use super::target::To;
use super::{Done, Failure, print};
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
        /// Why, as it will stand on the wallboard and in the figures; the tenant may ask for one
        #[arg(long)]
        reason: Option<String>,
    },
    /// End an agent's pause or wrap-up
    Ready { agent: AgentId },
    /// Have wrap-up follow the agent's call, or last longer
    WrapUp { agent: AgentId },
    /// Code the agent's last conversation
    Code {
        agent: AgentId,
        /// The conversation's disposition
        code: String,
    },
    /// Ring the agent's phone, then dial
    Dial {
        agent: AgentId,
        /// queue/TENANT/NAME, agent/TENANT/NAME or a number
        to: To,
    },
    /// Change an agent's skills until a restart
    Skills {
        agent: AgentId,
        /// All skills with their levels, such as lang:es=9
        #[arg(required_unless_present = "as_written", conflicts_with = "as_written", value_name = "SKILL=LEVEL")]
        skills: Vec<String>,
        /// Back to those of the site file
        #[arg(long)]
        as_written: bool,
    },
}

impl Agent {
    pub async fn run(self, client: &Client, out: &mut dyn Write) -> Done {
        let (agent, verb, body) = match self {
            Agent::List => return print(client, out, &client.get("agents").await?, list),
            Agent::Show { agent } => return print(client, out, &client.get(&format!("agents/{agent}")).await?, show),
            Agent::LogIn { agent } => (agent, "log-in", None),
            Agent::LogOut { agent } => (agent, "log-out", None),
            Agent::Pause { agent, reason } => (agent, "pause", reason.map(|reason| json!({ "reason": reason }))),
            Agent::Ready { agent } => (agent, "ready", None),
            Agent::WrapUp { agent } => (agent, "wrap-up", None),
            Agent::Code { agent, code } => (agent, "code", Some(json!({ "code": code }))),
            Agent::Dial { agent, to } => (agent, "dial", Some(to.body())),
            Agent::Skills { agent, as_written: true, .. } => (agent, "skills", Some(json!({ "skills": null }))),
            Agent::Skills { agent, skills, .. } => (agent, "skills", Some(json!({ "skills": levels(&skills)? }))),
        };
        let reply = client.post(&format!("agents/{agent}/{verb}"), body).await?;
        print(client, out, &reply, |reply| match reply.as_str() {
            Some("pending") => format!("{agent}: {verb} follows when the call ends\n"),
            _ => format!("{agent}: {verb} done\n"),
        })
    }
}

/// `lang:es=9` and so on.
fn levels(skills: &[String]) -> Result<Value, Failure> {
    let one = |text: &String| {
        let (skill, level) = text.split_once('=')?;
        Some((skill.to_string(), json!(level.parse::<u8>().ok()?)))
    };
    let read: Option<serde_json::Map<_, _>> = skills.iter().map(one).collect();
    let error = || Failure::Usage { error: "that is no list of skills".into(), expected: "such as lang:es=9 app:sap=5".into() };
    read.map(Value::Object).ok_or_else(error)
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
        ("in a call of its own", text(&live["work"])),
        ("asked for, after the call", text(&live["pending"])),
        ("phone", if live["reachable"] == true { "reachable".into() } else { "not reachable".into() }),
        ("queues", text(&a["queues"])),
        ("skills", text(&live["skills"])),
        ("queue, call", format!("{}, {}", text(&a["queue"]), text(&a["call"]))),
        ("recording paused", super::recording::paused(&live["recording_paused"])),
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
