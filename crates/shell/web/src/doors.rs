//! What the web shell needs from outside, as doors that the binary opens. Behind them stand the decision thread, the
//! figures and the store; here nobody knows which.

use crate::keep::{Accept, Fault, HoldAsk, HoldRow, PlanLine};
use arc_swap::ArcSwap;
use base::fact::{Kept, Logged};
use base::quality::LegQuality;
use base::{AgentId, CallId, Lang, LegId, Now, PartyId, Pii, QueueId, RecordingId, Tenant, Wall};
use engine::{Breach, Reply, Request, Snapshot};
use metrics::Figures;
use serde::Serialize;
use std::io::{Read, Seek};
use std::sync::Arc;
use tickets::{Number, Ticket};
use tokio::sync::{broadcast, oneshot, watch};
use vault::access::Act;

/// Everything that a request may reach.
#[derive(Clone)]
pub struct Doors {
    /// The Centre at its last input, or at its last audit.
    pub snapshot: Arc<ArcSwap<Snapshot>>,
    /// What the log adds up to.
    pub figures: Arc<ArcSwap<Figures>>,
    /// Counts up after each new `figures` or `snapshot`: the pages' sign to look again.
    pub changed: watch::Receiver<u64>,
    /// The clock of the node, the one that made the snapshot's `now`.
    pub clock: Arc<dyn Fn() -> Now + Send + Sync>,
    /// When a day such as `2026-11-22` begins where the node is; none of what is no day.
    pub day: Arc<Days>,
    pub ask: Arc<dyn Ask>,
    pub reload: Arc<dyn Reload>,
    pub archive: Arc<dyn Archive>,
    pub shelf: Arc<dyn Shelf>,
    pub health: Arc<dyn Fn() -> Health + Send + Sync>,
    /// What each open leg of a call sounded like so far, as of its last report. From memory.
    pub quality: Arc<dyn Fn(CallId) -> Vec<(LegId, LegQuality)> + Send + Sync>,
}

/// From a day to its beginning.
pub type Days = dyn Fn(&str) -> Option<Wall> + Send + Sync;

/// The way to the Centre, the same for desk, supervisor and command line.
pub trait Ask: Send + Sync {
    /// `who` asks, as the log will say. Does not block. The receiver fails when the way is full or the Centre is gone.
    fn ask(&self, who: Arc<str>, request: Request) -> oneshot::Receiver<Reply>;
}

/// Reading the site file and its flows again.
pub trait Reload: Send + Sync {
    /// All of it or nothing. Blocks on files, and is called off the async threads.
    fn reload(&self, who: &str) -> Result<Reloaded, NotReloaded>;
}

/// A configuration that counts from now on.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Reloaded {
    pub sha256: String,
    /// What works and is perhaps not what was meant.
    pub warnings: Vec<Finding>,
}

/// A configuration that was refused: the old one still counts.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct NotReloaded {
    pub error: String,
    pub expected: String,
    pub findings: Vec<Finding>,
}

/// Something in a file that a person wrote. Secrets in its line are starred out.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Finding {
    pub file: String,
    pub line: usize,
    pub column: usize,
    /// `error`, which stops a site, or `warning`.
    pub severity: &'static str,
    pub message: String,
    pub help: Option<String>,
    /// All of it with its line and a caret, for a terminal.
    pub shown: String,
}

/// What the store keeps. Every call may block on a disk and is made off the async threads; an error is text for the
/// operator's log and never reaches a client.
pub trait Archive: Send + Sync {
    /// Facts in the order of the log, oldest first.
    fn facts(&self, ask: &FactsAsk) -> Result<Vec<Logged>, String>;
    /// The place of the newest fact, `(0, 0)` while there is none.
    fn newest(&self) -> Result<(u32, u64), String>;
    /// Each batch of facts, after it is safely in the log.
    fn follow(&self) -> broadcast::Receiver<Arc<[Logged]>>;
    /// Newest first.
    fn tickets(&self, ask: &TicketsAsk) -> Result<Vec<Ticket>, String>;
    /// Every tenant counts its tickets from 1: of all tenants, those with this number.
    fn ticket(&self, number: Number) -> Result<Vec<Ticket>, String>;
    /// Newest first.
    fn recordings(&self, ask: &RecordingsAsk) -> Result<Vec<RecordingRow>, String>;
    fn recording(&self, id: RecordingId) -> Result<Option<RecordingRow>, String>;
    /// Those of the given names that neither the site nor any recording has, each in a sentence with what was probably meant;
    /// of the language, whether no recording has it.
    fn strangers(&self, _named: &Named) -> Result<Vec<String>, String> {
        Ok(Vec::new())
    }
    /// The part's WAV, opened for reading. `None`: there is none that can be played.
    fn audio(&self, id: RecordingId) -> Result<Option<Box<dyn Audio>>, Fault>;
    /// Number and name of a caller; `None` once erased.
    fn party(&self, tenant: &Tenant, party: PartyId) -> Result<Option<Party>, String>;
    /// What the network said about a call (User-to-User); `None` once its caller is erased.
    fn user_to_user(&self, _call: CallId) -> Result<Option<Pii<Arc<str>>>, String> {
        Ok(None)
    }
    /// Whom the site means by this agent. From memory, never from a disk: it is asked for each row of each board.
    fn agent(&self, _agent: &AgentId) -> Option<Configured> {
        None
    }
    /// The queues of the site: the log knows one from its first visit on. From memory, as the names are.
    fn queues(&self) -> Vec<QueueId> {
        Vec::new()
    }
}

/// Names, and a language, by which recordings are asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Named {
    pub tenant: Option<Tenant>,
    pub queue: Option<QueueId>,
    pub agent: Option<AgentId>,
    pub lang: Option<Lang>,
}

/// An agent as the site has it: the log knows one from the first login on.
#[derive(Clone, Debug)]
pub struct Configured {
    /// What the agent is called on screens.
    pub name: Arc<str>,
    /// What the agent serves.
    pub queues: Arc<[QueueId]>,
}

/// Recordings as they lie on disk. Every call may block on it, and is made off the async threads.
pub trait Shelf: Send + Sync {
    /// Writes down who did what, and why, before it is done: what can't be written down is not done.
    fn note(&self, who: &str, act: Act, recording: &str, why: &str) -> Result<(), String>;
    /// Writes down what was asked for and not done, and why not.
    fn refused(&self, who: &str, act: Act, recording: &str, why: &str, refused: &str);
    /// The log of that, a line of JSON each.
    fn accesses(&self) -> Result<String, String>;
    /// Reads one from end to end. None: there is no such recording.
    fn verify(&self, id: RecordingId) -> Result<Option<Looked>, String>;
    /// Reads all, and looks for files and rows without each other, until `tell` says that it is enough.
    fn verify_all(&self, tell: &mut dyn FnMut(Looked) -> bool) -> Result<(), String>;
    /// Files and rows that have lost each other, without reading what is in them.
    fn orphans(&self, tell: &mut dyn FnMut(Looked) -> bool) -> Result<(), String>;
    /// Writes down who does it, and destroys key and audio. What is held stays, and what is younger than its minimum
    /// unless it is `early`. None: there is no such recording.
    fn erase(&self, who: &str, id: RecordingId, why: &str, early: bool) -> Result<Option<Looked>, Fault>;
    /// What would be deleted at the next round and within so many days, one by one, and at the end the plan.
    fn plan(&self, days: u32, tell: &mut dyn FnMut(PlanLine) -> bool) -> Result<(), String>;
    /// Those that count, oldest first.
    fn holds(&self) -> Result<Vec<HoldRow>, String>;
    /// None: there is no such recording, or nobody of this number.
    fn hold(&self, who: &str, ask: &HoldAsk, why: &str) -> Result<Option<HoldRow>, Fault>;
    /// None: there is no such hold.
    fn release(&self, who: &str, hold: u64, why: &str) -> Result<Option<HoldRow>, Fault>;
    /// Whoever answers for it takes what is in doubt as what counts from here on. Says what was done.
    fn accept(&self, who: &str, what: Accept, why: &str) -> Result<String, Fault>;
    /// Whether there is a master key.
    fn may_rekey(&self) -> Result<(), Fault>;
    /// Has the first master key wrap the keys of all.
    fn rekey(&self, tell: &mut dyn FnMut(Looked) -> bool) -> Result<(), String>;
}

/// What was found of one recording on disk, or done with it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Looked {
    pub recording: RecordingId,
    /// `complete`, `partial`, `failed`, `erased`, `running`, `orphan`; of its key `wrapped`, `kept`, `failed`.
    pub outcome: &'static str,
    /// Empty if there is nothing to say.
    pub reason: String,
    /// What it is on disk.
    pub form: Option<&'static str>,
    pub duration_ms: u64,
    /// The channels in which there is something but silence.
    pub heard: Vec<String>,
}

/// A WAV to be read from anywhere. Reading may block.
pub trait Audio: Read + Seek + Send {}

impl<T: Read + Seek + Send> Audio for T {}

/// Which facts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FactsAsk {
    /// Only those later than this (epoch, seq).
    pub after: (u32, u64),
    pub limit: usize,
    /// The last `limit` instead of the first.
    pub newest: bool,
    /// A whole type such as `queue.left`, or the part before its dot, such as `queue`.
    pub kind: Option<String>,
    pub call: Option<CallId>,
}

impl FactsAsk {
    /// Whether kind and call let this fact through; its place is not looked at.
    pub fn lets_through(&self, logged: &Logged) -> bool {
        let of_kind = |kind: &String| {
            let name = logged.fact.what.name();
            name == *kind || name.split_once('.').is_some_and(|(family, _)| family == kind)
        };
        self.call.is_none_or(|call| logged.fact.about.call == Some(call)) && self.kind.as_ref().is_none_or(of_kind)
    }
}

/// Which tickets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TicketsAsk {
    pub tenant: Option<Tenant>,
    pub call: Option<CallId>,
    pub limit: usize,
}

/// Which recordings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecordingsAsk {
    pub call: Option<CallId>,
    /// With or without a plus.
    pub caller: Option<Pii<Arc<str>>>,
    pub tenant: Option<Tenant>,
    pub queue: Option<QueueId>,
    pub agent: Option<AgentId>,
    pub lang: Option<Lang>,
    pub state: Option<RecordingState>,
    /// Begun at or after this, and before that.
    pub from: Option<Wall>,
    pub to: Option<Wall>,
    pub shortest_ms: Option<u64>,
    pub longest_ms: Option<u64>,
    /// The last one of the page before.
    pub after: Option<RecordingId>,
    pub limit: usize,
}

/// Whether a recording runs, or how it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordingState {
    Running,
    Complete,
    Partial,
    Failed,
}

/// One part of a recording. Where its file lies is nobody's business out here.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RecordingRow {
    pub recording: RecordingId,
    pub call: CallId,
    pub tenant: Option<Tenant>,
    pub queue: Option<QueueId>,
    pub agent: Option<AgentId>,
    /// A voice message: nobody but the caller is in it.
    pub message: bool,
    pub lang: Option<Lang>,
    #[serde(serialize_with = "crate::row::time")]
    pub started: Wall,
    /// `None` while it runs.
    pub duration_ms: Option<u64>,
    /// `None` while it runs.
    pub kept: Option<Kept>,
    pub sha256: Option<Arc<str>>,
    /// Why it failed.
    pub reason: Option<Arc<str>>,
    /// What is on the disk: `wav`, `flac`, `sealed`, `sealed_flac`; `erasing`, `erased`, `missing`. `None` until somebody looked.
    pub form: Option<Arc<str>>,
    /// Of audio, on the disk.
    pub bytes: Option<u64>,
}

/// A caller's number and name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Party {
    pub number: Pii<Arc<str>>,
    pub name: Pii<Arc<str>>,
}

/// How the node is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Health {
    pub version: String,
    pub started: Wall,
    /// Broken invariants since the start, and the last few of them.
    pub breaches: u64,
    pub last_breaches: Vec<Breach>,
    /// What a person should look at now: a log that cannot be written, a disk nearly full. Empty is well.
    pub alarms: Vec<String>,
    pub gauges: Vec<Gauge>,
    pub histograms: Vec<Histogram>,
}

/// A value that only the wiring knows, for `/metrics`.
#[derive(Clone, Debug, PartialEq)]
pub struct Gauge {
    /// Without the `centralita_` in front.
    pub name: &'static str,
    pub help: &'static str,
    pub value: f64,
}

/// How long something took, each time, that only the wiring knows.
#[derive(Clone, Debug, PartialEq)]
pub struct Histogram {
    /// Without the `centralita_` in front.
    pub name: &'static str,
    pub help: &'static str,
    /// Upper bounds in seconds, each with how many were no longer.
    pub buckets: Vec<(f64, u64)>,
    /// All of them, and their sum in seconds.
    pub count: u64,
    pub sum: f64,
}
