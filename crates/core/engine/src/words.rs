//! The words of the Centre: the Inputs of the decision thread, and what leaves it.

use base::fact::{Consent, Direction, Fact, Monitor};
use base::{
    AgentId, AgentState, CallId, ConversationId, Lang, Now, PartyId, Pii, QueueId, RecordingId, Skills, Tenant, VisitId, Wall,
};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;

/// What enters the Centre. Every one is journaled, in order, as an [`Entry`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Input {
    /// The site and its flows, by the hash of their text: the first, or a reload. The texts are not in the journal
    /// (they hold passwords); who replays hands them over.
    /// `who` asked for the reload, as the log will say.
    Configure {
        sha256: [u8; 32],
        who: Option<Arc<str>>,
    },
    /// What the epochs before this one left behind. Once, before any call.
    Resume(Box<Resume>),
    /// From the signalling shell: `Received` or `TransportFailed`.
    Sip(sip::Input),
    Media(media::Input),
    /// A request through the API, by `who` as the door knows them. Answered by `Output::Reply` with the same number.
    Asked {
        number: u64,
        who: Arc<str>,
        request: Request,
    },
    /// A reload was refused before it got here: for the log.
    ConfigRejected {
        findings: u32,
    },
    /// Stop taking calls; `Output::Drained` follows when the last has ended or `grace_ms` passed.
    Drain {
        grace_ms: u64,
    },
    /// The deadline passed.
    Due,
    /// What [`audit`](crate::audit()) found broken in a snapshot, all of it: what an earlier one found and this one did not
    /// is over. To be told after each audit that found something, and after the first that no longer does.
    Audited {
        found: Vec<Breach>,
    },
}

/// One journaled input. `entropy` is fresh system randomness, used for this input's tags, branches and nonces only.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    pub now: Now,
    pub entropy: [u8; 32],
    pub input: Input,
}

/// What anyone may ask of the Centre: desk, supervisor, command line, all through the same door.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    Agent {
        agent: AgentId,
        ask: acd::Ask,
    },
    /// The agent's web desk is there, and will say so again; `open` false: it closes, and will not.
    Desk {
        agent: AgentId,
        open: bool,
    },
    HangUp {
        call: CallId,
    },
    /// Dial for the agent: their phone rings, then the target's.
    Dial {
        agent: AgentId,
        to: Target,
    },
    /// Pass a conversation on without asking. The caller hears music until somebody answers; nobody does: the agent is
    /// called back, then the old place.
    Transfer {
        call: CallId,
        to: Target,
    },
    /// The agent of this conversation speaks with somebody else while the caller hears music.
    Consult {
        call: CallId,
        to: Target,
    },
    /// Whoever is consulted takes the call, also while it still rings there.
    CompleteTransfer {
        call: CallId,
    },
    /// Back to the caller; whoever was consulted is hung up.
    EndConsult {
        call: CallId,
    },
    /// Caller, agent and whoever is consulted in one conversation.
    Conference {
        call: CallId,
    },
    /// The supervisor's phone rings; answered, it takes part. Asked again: another mode.
    Monitor {
        call: CallId,
        supervisor: AgentId,
        mode: Monitor,
    },
    StopMonitor {
        call: CallId,
        supervisor: AgentId,
    },
    /// The supervisor, who monitors, has the conversation; the agent is free.
    TakeOver {
        call: CallId,
        supervisor: AgentId,
    },
    /// A waiting call to another queue of its tenant.
    Move {
        call: CallId,
        queue: QueueId,
    },
    Prioritise {
        call: CallId,
        priority_s: i64,
    },
    SetSkills {
        agent: AgentId,
        skills: Option<Skills>,
    },
    SetOpen {
        queue: QueueId,
        open: Option<bool>,
    },
    CancelCallback {
        call: CallId,
    },
    /// What the call waits for now, and each decision so far: answered by `Reply::Why`.
    Why {
        call: CallId,
    },
    /// Silence in the recording for so long, unless somebody resumes it before.
    PauseRecording {
        call: CallId,
        cause: Arc<str>,
        for_s: u16,
    },
    ResumeRecording {
        call: CallId,
    },
}

/// Where a call goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    Queue(QueueId),
    Agent(AgentId),
    /// Dialled through the tenant's trunk.
    Number(Pii<Arc<str>>),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    Done,
    Why(Box<WhyReport>),
    /// Kept until the agent's call ends.
    Pending,
    /// There is none of that name.
    Unknown {
        what: Arc<str>,
    },
    /// It makes no sense now.
    Refused {
        why: Arc<str>,
    },
}

/// Why a call is where it is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct WhyReport {
    /// Of a call that waits.
    pub waits: Option<acd::Waits>,
    /// Offers so far, the first one first, at most [`DECISIONS_KEPT`] of a call.
    pub decisions: Vec<Decision>,
}

/// How many decisions of a call are kept in memory; the log has them all.
pub const DECISIONS_KEPT: usize = 32;

/// One offer and its reason.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    pub offer: base::OfferId,
    pub agent: AgentId,
    pub queue: QueueId,
    pub at: Wall,
    pub why: acd::Why,
}

/// What leaves the Centre.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Output {
    /// Command to the signalling shell.
    Send {
        flow: sip::Flow,
        bytes: Bytes,
    },
    /// Command to the signalling shell.
    CloseConnection {
        flow: sip::Flow,
    },
    /// Command to the media plane.
    Media(media::Command),
    /// For the log.
    Fact(Fact),
    /// For the erasable table beside the log.
    Party {
        tenant: Tenant,
        party: PartyId,
        number: Pii<Arc<str>>,
        name: Pii<Arc<str>>,
    },
    /// What the network said about a call (RFC 7433), for the erasable table: it goes when its party is erased.
    UserToUser {
        tenant: Tenant,
        call: CallId,
        party: PartyId,
        value: Pii<Arc<str>>,
    },
    /// The whole list of a phone's bindings, to be kept over a restart.
    Bindings {
        user: Arc<str>,
        bindings: Vec<sip::Binding>,
    },
    /// Somebody is to be called back, or (`None`) not any more: the node's own, kept over a restart and shown nowhere.
    Promised {
        call: CallId,
        promise: Option<Box<Promise>>,
    },
    Reply {
        number: u64,
        reply: Reply,
    },
    /// For the operator's log, in the form that a filter reads: `suspicious from ADDRESS: what`.
    Suspicious {
        remote: SocketAddr,
        what: Arc<str>,
    },
    /// The node may exit.
    Drained,
}

/// What earlier epochs left behind, folded from the log by [`crate::recover`] and read from the store.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Resume {
    /// What the last epoch left open.
    pub open: Open,
    pub bindings: Vec<(Arc<str>, Vec<sip::Binding>)>,
    /// Recordings that the recorder found unfinished and mended, whatever their call's epoch.
    pub repaired: Vec<Repaired>,
    /// Who is to be called back.
    pub promises: Vec<Promise>,
}

/// A call back that somebody was promised, with all that is needed to keep it in a later epoch. Times are the wall's: no
/// other clock is the same there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Promise {
    pub call: CallId,
    pub tenant: Tenant,
    pub party: Option<PartyId>,
    pub lang: Option<Lang>,
    pub caller: Pii<Arc<str>>,
    /// As it is dialled.
    pub number: Pii<Arc<str>>,
    /// The number of ours that was called, the trunk it came by, and the step of its flow that leads to the queue.
    pub dialled: Arc<str>,
    pub trunk: Arc<str>,
    pub step: Arc<str>,
    pub queue: QueueId,
    pub requires: base::Requirement,
    pub priority_s: i64,
    pub terms: acd::Callback,
    pub arrived: Wall,
    /// The wait counts from here.
    pub waits_since: Wall,
    pub attempts: u8,
    /// The customer's phone rings for the last of them.
    pub dialling: bool,
    pub not_before: Option<Wall>,
    pub expires: Wall,
    pub visits: u16,
    pub conversations: u16,
    #[serde(default)]
    pub consent: Option<Consent>,
    #[serde(default)]
    pub answered_in: BTreeSet<QueueId>,
}

/// What was open when an epoch ended without its last word.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Open {
    /// The last moment that the epoch is known to have lived: its last fact.
    pub last: Now,
    pub epoch: u32,
    pub calls: BTreeMap<CallId, OpenCall>,
    /// Recordings begun and not closed, with what their facts carry; their calls may be over.
    #[serde(with = "begun")]
    pub recordings: BTreeMap<RecordingId, base::fact::About>,
    /// Those of them of which the log does not say whether they are owed: the policy does.
    pub undecided: BTreeSet<RecordingId>,
    /// Agents with their last state, its beginning, and their login's; also those who logged out.
    pub agents: BTreeMap<AgentId, OpenAgent>,
    /// Whether the node stopped by itself, so that nothing but logins is left.
    pub clean: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OpenCall {
    pub direction: Direction,
    pub tenant: Option<Tenant>,
    pub party: Option<PartyId>,
    pub lang: Option<Lang>,
    pub arrived: Now,
    /// Of a call that an epoch before had: what it had waited, which is what is known of it.
    pub before_ms: u64,
    pub rev: u32,
    pub visits: u16,
    /// The open visit with its queue and beginning.
    pub visit: Option<(VisitId, QueueId, Now)>,
    pub offers: Vec<(base::OfferId, AgentId, Now)>,
    pub conversation: Option<OpenConversation>,
    pub consent: Option<Consent>,
    /// Those of the conversations so far.
    pub answered_in: BTreeSet<QueueId>,
    /// Somebody was promised a call.
    pub callback: Option<OpenCallback>,
    /// Supervisors who took part, and since when.
    pub monitors: Vec<(Arc<str>, Now)>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OpenCallback {
    pub since: Now,
    pub attempts: u8,
    pub queue: Option<QueueId>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OpenConversation {
    pub conversation: ConversationId,
    pub agent: AgentId,
    pub queue: Option<QueueId>,
    pub since: Now,
    pub held_since: Option<Now>,
    pub held_ms: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OpenAgent {
    pub state: AgentState,
    pub reason: Option<Arc<str>>,
    pub since: Now,
    pub logged_in: Now,
}

/// A recording that the log left open, as the recorder found or mended it at start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repaired {
    pub recording: RecordingId,
    /// `None`: there is nothing that can be played.
    pub stored: Option<Stored>,
}

/// A recording's file as it was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stored {
    pub file: Arc<str>,
    pub duration_ms: u64,
    pub sha256: Arc<str>,
    /// Why it is not complete; `None` if it is.
    pub reason: Option<Arc<str>>,
}

/// Where a call is: exactly one place (routing invariant 1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    Arriving,
    Ivr,
    Queue,
    Offer,
    Conversation,
    /// With somebody outside the centre, or an agent's own call.
    External,
    /// Nobody is on the line: the place in the queue is kept, the customer will be called.
    Callback,
    /// Of calls that are over, where they are listed at all.
    Ended,
}

/// The Centre as seen from outside, at one moment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    pub now: Now,
    pub epoch: u32,
    pub draining: bool,
    pub calls: Vec<CallView>,
    pub agents: Vec<acd::AgentView>,
    pub visits: Vec<acd::VisitView>,
    /// Sessions of the SIP core, ports in use: both 0 when no call lives.
    pub sessions: usize,
    pub ports: usize,
    /// Invariants that are broken now, as far as the live audit has come; a few of them, if they are many.
    #[serde(default)]
    pub breaches: Vec<Breach>,
    /// Recordings with which something is wrong now: an alarm.
    #[serde(default)]
    pub troubles: Vec<(RecordingId, recording::Trouble)>,
    /// In how many beats, one a second, the live audit looked at everything last; 0 before it has.
    #[serde(default)]
    pub audit_round: u32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CallView {
    pub call: CallId,
    pub tenant: Tenant,
    pub direction: Direction,
    pub place: Place,
    pub since: Now,
    pub arrived: Wall,
    pub lang: Option<Lang>,
    pub party: Option<PartyId>,
    pub caller: Pii<Arc<str>>,
    /// What the network says to the desk about the call (RFC 7433).
    #[serde(default)]
    pub user_to_user: Option<Pii<Arc<str>>>,
    pub number: Arc<str>,
    pub queue: Option<QueueId>,
    pub visit: Option<VisitId>,
    pub agent: Option<AgentId>,
    pub recording: Option<RecordingId>,
    /// Silence in it, or in the next one of the call.
    #[serde(default)]
    pub paused: Option<PausedView>,
    /// What the caller said to being recorded.
    #[serde(default)]
    pub consent: Option<Consent>,
    pub held: bool,
    /// Who is consulted or was joined: `agent/NAME`, `queue/NAME` or `number`.
    pub third: Option<Arc<str>>,
    /// Supervisors who take part.
    pub monitors: Vec<(AgentId, Monitor)>,
    pub expected: Option<acd::Expected>,
    /// What ends this place by itself, and when (monotonic nanoseconds), for each that waits.
    pub deadline: Option<base::Instant>,
    pub waits_for: Arc<str>,
}

/// A recording's pause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PausedView {
    pub who: Arc<str>,
    pub cause: Arc<str>,
    /// By the wall's clock.
    pub until: Wall,
    /// By the node's.
    pub due: base::Instant,
}

/// A broken invariant: an alarm.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Breach {
    pub invariant: Arc<str>,
    pub detail: Arc<str>,
}

/// What a fact is about leaves out what it does not have, and only a form with names reads that back: here it is JSON, so
/// that the journal's does.
mod begun {
    use base::RecordingId;
    use base::fact::About;
    use serde::de::Error as _;
    use serde::ser::Error as _;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use std::collections::BTreeMap;

    pub fn serialize<S: Serializer>(begun: &BTreeMap<RecordingId, About>, to: S) -> Result<S::Ok, S::Error> {
        let texts = begun.iter().map(|(id, about)| Ok((*id, serde_json::to_string(about)?)));
        let texts: Result<BTreeMap<_, _>, serde_json::Error> = texts.collect();
        texts.map_err(S::Error::custom)?.serialize(to)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeMap<RecordingId, About>, D::Error> {
        let texts = BTreeMap::<RecordingId, String>::deserialize(from)?;
        let begun = texts.into_iter().map(|(id, text)| Ok((id, serde_json::from_str(&text)?)));
        begun.collect::<Result<_, serde_json::Error>>().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::fact::About;

    #[test]
    fn what_a_crash_left_open_reads_back_from_the_journal() {
        let recording: RecordingId = "1-3-42.c1.p1".parse().unwrap();
        let about = About { call: Some(recording.call()), lang: Some(Lang::PT), rev: 7, ..About::default() };
        let open = Open { epoch: 3, recordings: [(recording, about)].into(), ..Open::default() };
        let input = Input::Resume(Box::new(Resume { open, ..Resume::default() }));
        let bytes = postcard::to_stdvec(&input).unwrap();
        assert_eq!(postcard::from_bytes::<Input>(&bytes).unwrap(), input);
    }
}
