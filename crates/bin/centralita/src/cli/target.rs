//! Where a call goes, as it is written on the command line.

use base::{AgentId, QueueId};
use serde_json::{Value, json};
use std::fmt;
use std::str::FromStr;

/// `queue/acme/billing`, `agent/acme/ana` or a number.
#[derive(Clone, Debug)]
pub enum To {
    Queue(QueueId),
    Agent(AgentId),
    Number(String),
}

impl To {
    /// As the API reads it.
    pub fn body(&self) -> Value {
        match self {
            To::Queue(queue) => json!({ "to": { "queue": queue } }),
            To::Agent(agent) => json!({ "to": { "agent": agent } }),
            To::Number(number) => json!({ "to": { "number": number } }),
        }
    }
}

impl FromStr for To {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(queue) = text.strip_prefix("queue/") {
            return queue.parse().map(To::Queue).map_err(|e: base::id::BadId| e.to_string());
        }
        if let Some(agent) = text.strip_prefix("agent/") {
            return agent.parse().map(To::Agent).map_err(|e: base::id::BadId| e.to_string());
        }
        let digits = text.strip_prefix('+').unwrap_or(text);
        let is_number = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        let expected = || "expected queue/TENANT/NAME, agent/TENANT/NAME or a number such as +525550001000".to_string();
        if is_number { Ok(To::Number(text.to_string())) } else { Err(expected()) }
    }
}

impl fmt::Display for To {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            To::Queue(queue) => write!(f, "queue/{queue}"),
            To::Agent(agent) => write!(f, "agent/{agent}"),
            To::Number(number) => f.write_str(number),
        }
    }
}
