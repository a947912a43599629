//! What the simulated people saw and heard: the second opinion on the server's own figures.

use crate::plan::Purpose;
use crate::streams::{Heard, Percentiles};
use serde::{Deserialize, Serialize};

/// A whole run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    pub calls: Vec<CallReport>,
    pub agents: Vec<AgentReport>,
    pub conversations: Vec<ConversationReport>,
    /// Calls that the agents' phones made, and those that came to people outside.
    #[serde(default)]
    pub own_calls: Vec<OwnCallReport>,
    #[serde(default)]
    pub called: Vec<CalledReport>,
    /// How late the generator sent its own packets, and kept the deadlines of its calls.
    pub lateness: Percentiles,
    #[serde(default)]
    pub late_calls: Percentiles,
    /// How late its packets were while everybody hung up, at the end of the run.
    #[serde(default)]
    pub late_leaving: Percentiles,
    /// Packets that its kernel did not take.
    #[serde(default)]
    pub unsent: u64,
    /// The way of stamped packets from one person to the other, by the kernel's word for when they came.
    #[serde(default)]
    pub delay: Percentiles,
    /// How far packets that the server played came behind their time, by the kernel's word; of a run with stamps.
    #[serde(default)]
    pub pacing: Percentiles,
    /// Requests and final responses that were sent again because nothing came.
    #[serde(default)]
    pub retransmissions: u64,
}

/// How a call ended, as its caller saw it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// A final status above 299.
    Rejected,
    /// Hung up before everything was pressed.
    LeftInIvr,
    /// Hung up after that, before an agent was heard.
    LeftInQueue,
    /// Asked to be called back, before an agent was heard; the line was closed then, by whom ever.
    AskedForCallback,
    /// Left a message, likewise.
    LeftMessage,
    /// Heard an agent.
    Talked,
    /// The server ended it before an agent was heard.
    Dismissed,
    /// Still there when the run ended, and hung up then.
    #[default]
    Cut,
    /// No answer, or no more of it.
    Lost,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CallReport {
    pub number: String,
    pub lang: String,
    pub call_id: String,
    pub outcome: Outcome,
    /// The final status of the INVITE.
    pub status: u16,
    /// Since the run began.
    pub start_ms: u64,
    /// From INVITE to its final status, from the 200 to the first packet, from the last key to an agent's tone.
    pub answer_ms: Option<u64>,
    pub first_packet_ms: Option<u64>,
    pub wait_ms: Option<u64>,
    /// From the agent's tone, and from the INVITE, to the end.
    pub talk_ms: Option<u64>,
    pub total_ms: u64,
    pub keys: String,
    /// The tone it spoke.
    pub tone_hz: u32,
    /// The agent whose tone was heard, by its frequency.
    pub agent_hz: Option<u32>,
    /// All of them, in their order: more than one after a transfer.
    #[serde(default)]
    pub agents_hz: Vec<u32>,
    /// The number it called from, by which it is called back.
    #[serde(default)]
    pub from: String,
    pub ended_by_us: bool,
    /// Its number in the stamps of its voice.
    #[serde(default)]
    pub stream: u32,
    pub sent: u64,
    pub heard: Heard,
    #[serde(default)]
    pub moments: Moments,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AgentReport {
    pub user: String,
    pub tone_hz: u32,
    pub registered: bool,
    /// The status by which the registrar refused, if it did.
    pub refusal: Option<u16>,
    /// INVITEs, and what became of them.
    pub offers: u64,
    #[serde(default)]
    pub rings: Vec<Ring>,
    pub answered: u64,
    pub refused: u64,
    /// Cancelled, or given up by the server, while it rang.
    pub missed: u64,
}

/// An INVITE at an agent's phone: when it was read, in microseconds since the run began, and who calls.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ring {
    pub at_us: u64,
    pub from: String,
}

/// An agent's side of an answered call.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ConversationReport {
    pub user: String,
    pub call_id: String,
    pub start_ms: u64,
    pub ring_ms: u64,
    pub talk_ms: u64,
    /// Who called, as the phone's display says.
    #[serde(default)]
    pub display: String,
    #[serde(default)]
    pub from: String,
    #[serde(default)]
    pub passed_on: Option<PassedOn>,
    pub ended_by_us: bool,
    #[serde(default)]
    pub stream: u32,
    pub sent: u64,
    pub heard: Heard,
    #[serde(default)]
    pub moments: Moments,
}

/// When what happened on a leg, in microseconds since the run began; each for the first time, but the key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Moments {
    /// The INVITE was about to be sent, and a 100 was read.
    pub dialled_us: Option<u64>,
    pub trying_us: Option<u64>,
    /// The 200 was about to be sent, or was read.
    pub answered_us: Option<u64>,
    /// The first packet came.
    pub first_us: Option<u64>,
    /// The last key was about to be pressed.
    pub key_us: Option<u64>,
    /// The first packet with the voice of a person of the other kind was read.
    pub heard_us: Option<u64>,
    /// Whose voice that was.
    pub heard_hz: Option<u32>,
    /// The BYE or CANCEL was about to be sent.
    pub hung_up_us: Option<u64>,
}

/// A transfer that the phone asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PassedOn {
    pub attended: bool,
    pub to: String,
    /// What the last NOTIFY said, or the status that refused the REFER; 0 if the call ended before.
    pub status: u16,
}

/// A call that an agent's phone made.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OwnCallReport {
    pub user: String,
    pub purpose: Purpose,
    pub dialled: String,
    pub call_id: String,
    pub start_ms: u64,
    /// The final status of the INVITE.
    pub status: u16,
    /// From INVITE to its final status.
    pub answer_ms: Option<u64>,
    pub talk_ms: u64,
    pub ended_by_us: bool,
    pub sent: u64,
    pub heard: Heard,
}

/// A call that came to somebody outside.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CalledReport {
    pub number: String,
    /// The Call-ID of the call in which it had asked for this one.
    pub called_back: Option<String>,
    pub call_id: String,
    pub tone_hz: u32,
    pub start_ms: u64,
    pub ring_ms: u64,
    pub answered: bool,
    pub refused: bool,
    /// From the answer to an agent's tone, and from there to the end.
    pub wait_ms: Option<u64>,
    pub talk_ms: Option<u64>,
    /// The agents that were heard, in their order.
    pub agents_hz: Vec<u32>,
    pub ended_by_us: bool,
    pub sent: u64,
    pub heard: Heard,
}

/// A line of progress, once a second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    pub elapsed_ms: u64,
    pub started: u64,
    pub live: u64,
    pub talking: u64,
    pub over: u64,
    pub registered: u64,
}

/// What the process writes, one JSON object in a line; the report is the last.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Said {
    Progress(Progress),
    Report(Box<Report>),
}

impl Report {
    pub fn count(&self, outcome: Outcome) -> usize {
        self.calls.iter().filter(|c| c.outcome == outcome).count()
    }

    /// Transfers that phones asked for and that were made, blind or attended.
    pub fn passed_on(&self, attended: bool) -> usize {
        let done = |p: &&PassedOn| p.attended == attended && (200..300).contains(&p.status);
        self.conversations.iter().filter_map(|c| c.passed_on.as_ref()).filter(done).count()
    }

    /// Own calls of this purpose that were answered.
    pub fn own(&self, purpose: Purpose) -> impl Iterator<Item = &OwnCallReport> {
        self.own_calls.iter().filter(move |c| c.purpose == purpose && c.status == 200)
    }

    /// Times that a supervisor's phone heard two people or more: it took part.
    pub fn listened(&self) -> usize {
        self.own(Purpose::Monitor).filter(|c| c.heard.tones_ms.len() > 1).count()
    }

    /// Calls back that the customer answered and in which an agent was heard.
    pub fn called_back(&self) -> usize {
        self.called.iter().filter(|c| c.called_back.is_some() && c.wait_ms.is_some()).count()
    }

    /// How long there was somebody to hear, in milliseconds: an agent who is to call back is there before the customer,
    /// whose phone then rings, perhaps to the end.
    pub fn together_ms(&self, agent: &ConversationReport) -> u64 {
        let from = agent.start_ms + agent.ring_ms;
        let to = from + agent.talk_ms;
        let rang = self.called.iter().filter(|c| same(&c.number, &agent.from) && (from..to).contains(&c.start_ms));
        let alone = rang.map(|c| if c.answered { (c.start_ms + c.ring_ms).min(to) } else { to }).max();
        to - alone.unwrap_or(from)
    }
}

/// Digits by which a number is known, however it is dialled.
const SAME: usize = 7;

/// Two ways to write one number.
pub(crate) fn same(one: &str, other: &str) -> bool {
    let digits = |number: &str| number.chars().rev().filter(char::is_ascii_digit).take(SAME).collect::<String>();
    let (one, other) = (digits(one), digits(other));
    one.len() == SAME && one == other
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agent_who_calls_back_is_alone_until_the_customer_picks_up() {
        let number = || "+15550100042".to_string();
        let agent = ConversationReport { start_ms: 1_000, ring_ms: 500, talk_ms: 4_000, from: number(), ..Default::default() };
        let called = |start_ms, ring_ms, answered| CalledReport {
            number: "5550100042".into(),
            start_ms,
            ring_ms,
            answered,
            ..Default::default()
        };
        let together = |called| Report { called, ..Default::default() }.together_ms(&agent);
        assert_eq!(together(vec![]), 4_000, "a caller who is there");
        assert_eq!(together(vec![called(1_600, 2_400, true)]), 1_500);
        assert_eq!(together(vec![called(1_600, 0, false)]), 0, "it rang to the end");
        assert_eq!(together(vec![called(1_600, 6_000, true)]), 0, "it was answered by then for somebody else");
        assert_eq!(together(vec![called(9_000, 0, false)]), 4_000, "another attempt, later");
    }
}
