//! Facts: what happened, as the log keeps it for years.
//!
//! Only the engine makes them; one writer gives each its `seq`. A fact's form changes only together
//! with [`VERSION`], its reader and an old log kept in the tests. No number and no name is in one:
//! those live in an erasable table under their [`PartyId`].

use crate::quality::{LegQuality, Side};
use crate::{
    AgentId, AgentState, CallId, Cause, ConversationId, Lang, LegId, Now, OfferId, Outcome, PartyId, QueueId, RecordingId,
    Requirement, Tenant, VisitId, Wall,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The form of facts that this code writes. 2 added callbacks, transfers, supervisors, agents' own calls, the why of an
/// offer, the expected wait and the end of a breach; 3 what becomes of a recording beside its beginning and end, and what
/// a leg was like to hear; 4 what callers say to being recorded, and the policy by which each conversation is or is not.
/// What those before wrote reads as it did.
pub const VERSION: u16 = 4;

/// What a fact is about. `rev` counts the facts of one call from 1.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct About {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<Tenant>,
    #[serde(default, rename = "call_id", skip_serializing_if = "Option::is_none")]
    pub call: Option<CallId>,
    #[serde(default, rename = "party_id", skip_serializing_if = "Option::is_none")]
    pub party: Option<PartyId>,
    #[serde(default, rename = "leg_id", skip_serializing_if = "Option::is_none")]
    pub leg: Option<LegId>,
    #[serde(default, rename = "visit_id", skip_serializing_if = "Option::is_none")]
    pub visit: Option<VisitId>,
    #[serde(default, rename = "offer_id", skip_serializing_if = "Option::is_none")]
    pub offer: Option<OfferId>,
    #[serde(default, rename = "conversation_id", skip_serializing_if = "Option::is_none")]
    pub conversation: Option<ConversationId>,
    #[serde(default, rename = "agent_id", skip_serializing_if = "Option::is_none")]
    pub agent: Option<AgentId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue: Option<QueueId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lang: Option<Lang>,
    pub rev: u32,
}

/// One fact, before the log gives it its place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fact {
    pub now: Now,
    pub about: About,
    #[serde(flatten)]
    pub what: What,
}

/// Which way a call came to be. Only `incoming` calls count in a service desk's figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// From a trunk to a number of the site.
    Incoming,
    /// An agent's phone dialling a feature code.
    FeatureCode,
    /// An agent's call to a number outside.
    Outgoing,
    /// An agent's call to another agent.
    Internal,
}

/// How an agent passed a call on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Transfer {
    /// To an agent or a number, without asking there.
    Blind,
    /// After a consultation.
    Attended,
    /// To a queue, cold or after a consultation.
    ToQueue,
    /// Blind or attended, to a number outside.
    External,
}

/// How a callback ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallbackEnd {
    /// Customer and agent talked.
    Connected,
    /// The customer was not reached in as many attempts as there may be.
    Failed,
    /// The customer called again, and that call has the place now.
    Joined,
    /// By a supervisor or a reload.
    Cancelled,
}

/// How a supervisor takes part in a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Monitor {
    /// Hears both, is heard by nobody.
    Listen,
    /// Hears both, is heard by the agent only.
    Whisper,
    /// Hears both and is heard by both.
    Barge,
}

/// Why a recording's part is not complete, or that it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kept {
    Complete,
    Partial,
    Failed,
}

/// Why a conversation owes no recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Excluded {
    /// Such calls are not recorded.
    Policy,
    /// A share of them is, and the draw did not fall on this one.
    Share,
    /// The caller said no.
    ConsentRefused,
    /// The caller had to say yes, and said nothing.
    NoConsent,
}

impl Excluded {
    pub fn name(self) -> &'static str {
        match self {
            Excluded::Policy => "policy",
            Excluded::Share => "share",
            Excluded::ConsentRefused => "consent_refused",
            Excluded::NoConsent => "no_consent",
        }
    }
}

/// What a caller said to being recorded: the last answer counts, for the whole call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    pub given: bool,
    pub by: ConsentBy,
}

impl Consent {
    pub fn name(self) -> &'static str {
        if self.given { "accepted" } else { "refused" }
    }
}

/// How a caller answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConsentBy {
    Key,
    /// No key that means anything: the flow says what that means.
    Silence,
}

/// What ended a recording's pause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResumedBy {
    Asked,
    TimedOut,
    ConversationEnded,
}

/// What is wrong with a recording that should run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordingAlarm {
    /// The recorder was told to begin it, and did not say that it has.
    NotStarted,
    /// Nothing of it was committed for a while.
    Stalled,
}

/// The types of facts. All durations are in milliseconds of the monotonic clock, and end in `_ms`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
pub enum What {
    /// An INVITE became a call. `trunk` is the peer it came from, `number` the number dialled. Of an agent's own call the
    /// fact is about that agent, and `number` is a colleague's extension, a feature code or empty: nobody's number is in it.
    #[serde(rename = "call.arrived")]
    CallArrived { direction: Direction, trunk: String, number: String },
    /// Our 200 was sent.
    #[serde(rename = "call.answered")]
    CallAnswered {},
    /// Refused before it was answered; the call's last fact. `status` is the SIP status.
    #[serde(rename = "call.rejected")]
    CallRejected { status: u16 },
    /// The call's last fact. `visits` 0 with cause `caller_hung_up` is `ivr_abandoned`, with another `ivr_ended`.
    #[serde(rename = "call.ended")]
    CallEnded { duration_ms: u64, visits: u16 },

    #[serde(rename = "ivr.entered")]
    IvrEntered { flow: String },
    /// A key pressed in a step; of a secret gather only that it was pressed (`key` empty).
    #[serde(rename = "ivr.input")]
    IvrInput { step: String, key: String, understood: bool },
    #[serde(rename = "ivr.language_selected")]
    IvrLanguageSelected {},
    /// The flow gave the call away or came to its end at `step`.
    #[serde(rename = "ivr.exited")]
    IvrExited { step: String },

    /// A visit begins.
    #[serde(rename = "queue.entered")]
    /// `credit_ms` was waited before, in another visit, and counts in the order of the line only. The expected wait is
    /// what the estimator said at that moment.
    QueueEntered {
        requires: Requirement,
        priority_s: i64,
        position: u32,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expected_p50_ms: Option<u64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expected_p90_ms: Option<u64>,
        #[serde(default)]
        credit_ms: u64,
    },
    /// The queue did not take the call: full, closed, dissuaded, or nobody who could serve it. There is no visit.
    #[serde(rename = "queue.refused")]
    QueueRefused {},
    #[serde(rename = "queue.announced")]
    /// `said_ms`: the expected wait that the caller was told.
    QueueAnnounced {
        position: u32,
        wait_ms: u64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        said_ms: Option<u64>,
    },
    /// A visit's last fact. `wait_ms` runs from `queue.entered`; `ringing`: an agent's phone was ringing.
    /// `threshold_ms` and `short_ms` are the queue's service level threshold T and short abandon S at that moment.
    #[serde(rename = "queue.left")]
    QueueLeft { outcome: Outcome, wait_ms: u64, ringing: bool, threshold_ms: u64, short_ms: u64, to: Option<QueueId> },

    /// The INVITE to the agent's phone goes out. `why` is the decision, for a person to read and for nobody to count.
    #[serde(rename = "offer.sent")]
    OfferSent {
        legs: u16,
        #[serde(default, skip_serializing_if = "Value::is_null")]
        why: Value,
    },
    /// The agent's 200 was applied.
    #[serde(rename = "offer.accepted")]
    OfferAccepted { ring_ms: u64 },
    /// The phone said no; the cause says how.
    #[serde(rename = "offer.rejected")]
    OfferRejected { ring_ms: u64 },
    /// The agent did not answer (RONA).
    #[serde(rename = "offer.timed_out")]
    OfferTimedOut { ring_ms: u64 },
    /// The caller left while it rang.
    #[serde(rename = "offer.cancelled")]
    OfferCancelled { ring_ms: u64 },
    /// Someone else took the visit, or it went elsewhere.
    #[serde(rename = "offer.withdrawn")]
    OfferWithdrawn { ring_ms: u64 },

    /// Agent and caller hear each other; in an agent's own call the agent and whom it reached. `wait_ms` is the call's wait
    /// since its first queue.
    #[serde(rename = "agent_leg.connected")]
    AgentLegConnected { wait_ms: u64 },
    #[serde(rename = "agent_leg.held")]
    AgentLegHeld { by_agent: bool },
    #[serde(rename = "agent_leg.resumed")]
    AgentLegResumed { held_ms: u64 },
    /// The conversation's last fact. `talk_ms` is without holds. The cause says who ended it.
    #[serde(rename = "agent_leg.ended")]
    /// `consult_ms` of the talk time the agent spoke with somebody else about the call, while the caller waited.
    AgentLegEnded {
        talk_ms: u64,
        hold_ms: u64,
        #[serde(default)]
        consult_ms: u64,
    },
    /// The agent passed the call on; the conversation's end follows. `to`: `queue/NAME`, `agent/NAME` or `number`.
    #[serde(rename = "agent_leg.transferred")]
    AgentLegTransferred { kind: Transfer, to: String },
    /// A third party joined the conversation, or left it.
    #[serde(rename = "agent_leg.conferenced")]
    AgentLegConferenced { joined: bool, to: String },
    /// The call is with somebody outside the centre, and comes to its end there.
    #[serde(rename = "call.forwarded")]
    CallForwarded {},

    /// The caller's place in line is kept; the visit that was on the line ended as `callback`. Until `callback.done` each
    /// visit of the call is that place, and nobody has abandoned it.
    #[serde(rename = "callback.requested")]
    CallbackRequested {},
    /// The customer is dialled, for the `n`th time.
    #[serde(rename = "callback.attempted")]
    CallbackAttempted { n: u8 },
    /// `wait_ms` since the call's first queue.
    #[serde(rename = "callback.done")]
    CallbackDone { end: CallbackEnd, attempts: u8, wait_ms: u64 },

    #[serde(rename = "voicemail.left")]
    VoicemailLeft { recording: RecordingId, duration_ms: u64 },

    /// Somebody did something to a call, an agent or a queue from outside: `act` in words, `who` as the door knows them.
    #[serde(rename = "supervisor.acted")]
    SupervisorActed { who: String, act: String },
    #[serde(rename = "supervisor.monitor_started")]
    MonitorStarted { who: String, mode: Monitor },
    #[serde(rename = "supervisor.monitor_ended")]
    MonitorEnded { who: String, monitored_ms: u64 },

    /// A leg's ports are closed: what was heard on it in both directions. Of one that carried nothing there is none.
    #[serde(rename = "leg.closed")]
    LegClosed { side: Side, quality: Box<LegQuality> },

    #[serde(rename = "wrapup.started")]
    WrapUpStarted { limit_ms: u64 },
    /// The conversation's disposition.
    #[serde(rename = "wrapup.coded")]
    WrapUpCoded { code: String },
    #[serde(rename = "wrapup.ended")]
    WrapUpEnded { wrapup_ms: u64 },

    /// `queues` are those that the agent serves from now on.
    #[serde(rename = "agent.logged_in")]
    AgentLoggedIn { queues: Vec<QueueId> },
    /// Sent for each change, also those of login and logout. `previous_ms` is the time in `previous`.
    #[serde(rename = "agent.state_changed")]
    AgentStateChanged { state: AgentState, previous: AgentState, previous_ms: u64, reason: Option<String> },
    #[serde(rename = "agent.logged_out")]
    AgentLoggedOut { session_ms: u64 },

    #[serde(rename = "recording.started")]
    RecordingStarted { recording: RecordingId },
    /// The recorder closed the part's file. `file` is below the recordings folder.
    #[serde(rename = "recording.stored")]
    RecordingStored {
        recording: RecordingId,
        file: String,
        duration_ms: u64,
        sha256: String,
        kept: Kept,
        #[serde(default)]
        reason: Option<String>,
    },
    /// No file, or none that can be played: an alarm.
    #[serde(rename = "recording.failed")]
    RecordingFailed { recording: RecordingId, reason: String },

    /// The flow told the caller, to its end, that calls are recorded.
    #[serde(rename = "consent.played")]
    ConsentPlayed { step: String },
    /// The caller may be recorded, from here on and until said otherwise.
    #[serde(rename = "consent.accepted")]
    ConsentAccepted { step: String, by: ConsentBy },
    #[serde(rename = "consent.refused")]
    ConsentRefused { step: String, by: ConsentBy },

    /// The conversation owes a recording. `policy` is the one that decided, such as `queue acme/soporte: 25 %`.
    #[serde(rename = "recording.owed")]
    RecordingOwed { policy: String },
    /// The conversation is not recorded, and owes nothing. `policy` as above; of a caller who refused, the one that would
    /// have decided.
    #[serde(rename = "recording.excluded")]
    RecordingExcluded {
        reason: Excluded,
        #[serde(default, skip_serializing_if = "String::is_empty")]
        policy: String,
    },
    /// Silence from here on, in both channels; the time line goes on. Again: another limit. `cause` is a word, of
    /// whoever asked. The recording's end ends it, whatever ended that.
    #[serde(rename = "recording.paused")]
    RecordingPaused { recording: RecordingId, who: String, cause: String, limit_ms: u64 },
    /// `paused_ms` since the first of them.
    #[serde(rename = "recording.resumed")]
    RecordingResumed {
        recording: RecordingId,
        by: ResumedBy,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        who: Option<String>,
        paused_ms: u64,
    },
    /// Within five seconds of what is wrong; told once while it lasts.
    #[serde(rename = "recording.alarm")]
    RecordingAlarm { recording: RecordingId, alarm: RecordingAlarm },
    /// It began, goes on, or has come to an end.
    #[serde(rename = "recording.alarm_ended")]
    RecordingAlarmEnded { recording: RecordingId, alarm: RecordingAlarm, lasted_ms: u64 },

    #[serde(rename = "config.loaded")]
    /// `who` asked for it; nobody did when the node started.
    ConfigLoaded {
        site_sha256: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        who: Option<String>,
    },
    /// A reload that did not fit; the old configuration stays. `findings` counts what was wrong.
    #[serde(rename = "config.rejected")]
    ConfigRejected { findings: u32 },
    /// Set at run time beside the site file: `what` such as `queue acme/soporte`, `to` such as `open`; empty: as in the file.
    #[serde(rename = "config.overridden")]
    ConfigOverridden { what: String, to: String },
    /// The queues of the site, so that a figure exists before the first visit.
    #[serde(rename = "node.started")]
    NodeStarted { boot_id: String, version: u16, queues: Vec<QueueId> },
    /// Each 5 s; `calls` are the live ones.
    #[serde(rename = "node.heartbeat")]
    NodeHeartbeat { calls: u32 },
    /// The epoch's last fact. `clean` false: written by the next epoch, for one that died.
    #[serde(rename = "node.stopped")]
    NodeStopped { clean: bool },

    /// The audit found a broken invariant: an alarm. Told once while it lasts.
    #[serde(rename = "node.breach")]
    NodeBreach { invariant: String, detail: String },
    /// It was looked at again, and holds.
    #[serde(rename = "node.breach_ended")]
    NodeBreachEnded { invariant: String, detail: String },
}

impl What {
    /// The type as it stands in the log, such as `queue.left`.
    pub fn name(&self) -> String {
        match serde_json::to_value(self) {
            Ok(Value::Object(o)) => o.get("type").and_then(Value::as_str).unwrap_or_default().to_string(),
            _ => String::new(),
        }
    }
}

/// A fact with its place in the log: `seq` is contiguous from 1 within an epoch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Logged {
    pub epoch: u32,
    pub seq: u64,
    #[serde(flatten)]
    pub fact: Fact,
}

impl Logged {
    pub fn time(&self) -> Wall {
        self.fact.now.wall
    }

    /// The fact as a CloudEvents 1.0 envelope (JSON event format). `source` is `/centralita/{site}/{node}`.
    pub fn cloud_event(&self, source: &str) -> Value {
        let about = &self.fact.about;
        let subject = match (about.call, &about.agent) {
            (Some(call), _) => format!("call/{call}"),
            (None, Some(agent)) => format!("agent/{agent}"),
            (None, None) => "node".to_string(),
        };
        let mut data = json!(about);
        let typed = json!(self.fact.what);
        if let (Value::Object(data), Value::Object(fields)) = (&mut data, &typed["data"]) {
            data.extend(fields.clone());
            data.insert("mono_ns".into(), json!(self.fact.now.mono.0));
        }
        json!({
            "specversion": "1.0",
            "id": format!("{}-{}", self.epoch, self.seq),
            "source": source,
            "type": typed["type"],
            "subject": subject,
            "time": self.time().to_string(),
            "sequence": format!("{:020}", self.seq),
            "datacontenttype": "application/json",
            "data": data,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Instant;

    fn left() -> Logged {
        let call: CallId = "1-3-42".parse().unwrap();
        let about = About {
            call: Some(call),
            visit: Some(VisitId { call, n: 1 }),
            queue: Some("acme/soporte".parse().unwrap()),
            lang: Some(Lang::ES),
            rev: 7,
            ..About::default()
        };
        let what = What::QueueLeft {
            outcome: Outcome::Answered,
            wait_ms: 1500,
            ringing: true,
            threshold_ms: 20_000,
            short_ms: 5_000,
            to: None,
        };
        Logged { epoch: 3, seq: 9, fact: Fact { now: Now { mono: Instant(5), wall: Wall(0) }, about, what } }
    }

    #[test]
    fn it_reads_back_from_json() {
        let text = serde_json::to_string(&left()).unwrap();
        assert_eq!(serde_json::from_str::<Logged>(&text).unwrap(), left());
        let empty = Fact { now: Now::default(), about: About::default(), what: What::CallAnswered {} };
        let text = serde_json::to_string(&empty).unwrap();
        assert_eq!(serde_json::from_str::<Fact>(&text).unwrap(), empty);
    }

    #[test]
    fn the_envelope_is_a_cloud_event() {
        let e = left().cloud_event("/centralita/acme/1");
        assert_eq!(e["id"], "3-9");
        assert_eq!(e["type"], "queue.left");
        assert_eq!(e["subject"], "call/1-3-42");
        assert_eq!(e["sequence"], "00000000000000000009");
        assert_eq!(e["data"]["wait_ms"], 1500);
        assert_eq!(e["data"]["visit_id"], "1-3-42.v1");
        assert_eq!(e["data"]["mono_ns"], 5);
    }
}
