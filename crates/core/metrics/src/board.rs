//! The fold. One `on_*` function per kind of fact, in `calls.rs` and `agents.rs`; what it counts where is said in
//! `definitions.rs`.

mod agents;
mod callbacks;
mod calls;
mod conversations;

use crate::interval::{AgentSums, Interval, QueueSums, bucket_of};
use crate::live::{LiveAgent, LiveCall, LiveConversation, LiveVisit, Moment};
use crate::sums::SupervisionSums;
use base::fact::{About, Kept, Logged, What};
use base::{AgentId, AgentState, CallId, ConversationId, QueueId, RecordingId, VisitId};
use conversations::Talk;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Intervals kept: any zone's today and yesterday. Older days are read from the log again.
const KEPT: i64 = 3 * 96;

/// The form of a checkpoint: raise it with any change to what [`Board`] holds, or to what a fact adds to it.
const FORM: u32 = 8;

/// The last fact folded: epoch and seq.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Mark {
    pub epoch: u32,
    pub seq: u64,
}

/// What became of a fact handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Folded {
    Counted,
    /// At or below the mark: counted before.
    Known,
    /// Facts are missing before it; nothing changed. The caller fetches again, after the mark.
    Gap(Mark),
}

/// Counters and what is in progress.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Board {
    pub(crate) mark: Mark,
    pub(crate) events: u64,
    pub(crate) breaches: u64,
    /// The epoch whose node has started: its facts before that close the dead epoch, at a time of that one's clock.
    pub(crate) boot: Option<u32>,
    /// Intervals before this one are forgotten.
    floor: Option<i64>,
    pub(crate) queues: BTreeSet<QueueId>,
    pub(crate) intervals: BTreeMap<i64, Interval>,
    pub(crate) calls: BTreeMap<CallId, LiveCall>,
    pub(crate) visits: BTreeMap<VisitId, LiveVisit>,
    pub(crate) conversations: BTreeMap<ConversationId, LiveConversation>,
    pub(crate) agents: BTreeMap<AgentId, LiveAgent>,
    /// Recordings that should run and do not, as far as that was told.
    pub(crate) alarms: BTreeSet<RecordingId>,
}

impl Board {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn mark(&self) -> Mark {
        self.mark
    }

    /// Folds the next fact. Each counts once, in the log's order: `seq` has no gap within an epoch and starts at 1.
    pub fn apply(&mut self, logged: &Logged) -> Folded {
        let mark = Mark { epoch: logged.epoch, seq: logged.seq };
        if mark <= self.mark {
            return Folded::Known;
        }
        let expected = if mark.epoch == self.mark.epoch { self.mark.seq + 1 } else { 1 };
        if mark.seq != expected {
            return Folded::Gap(self.mark);
        }
        self.mark = mark;
        self.events += 1;
        self.forget_before(bucket_of(logged.time()) - KEPT);
        self.on_fact(logged);
        Folded::Counted
    }

    /// The whole board, for a restart that folds only what came after. No contract: it can always be folded again.
    pub fn checkpoint(&self) -> Vec<u8> {
        // Every value in it has a form in postcard, and a vector takes any length.
        postcard::to_stdvec(&(FORM, self)).unwrap_or_default()
    }

    /// None if it is of another form, or does not read.
    pub fn restore(checkpoint: &[u8]) -> Option<Board> {
        let (form, rest) = postcard::take_from_bytes::<u32>(checkpoint).ok()?;
        if form == FORM { postcard::from_bytes(rest).ok() } else { None }
    }

    fn on_fact(&mut self, logged: &Logged) {
        let about = &logged.fact.about;
        let at = self.moment(logged);
        match &logged.fact.what {
            What::CallArrived { direction, .. } => self.on_arrived(about, *direction, at),
            What::CallRejected { .. } => self.on_call_over(about, true),
            What::CallEnded { .. } => self.on_call_over(about, false),
            What::IvrLanguageSelected {} => self.on_language(about),
            What::QueueEntered { expected_p50_ms, expected_p90_ms, .. } => {
                self.on_entered(about, expected_p50_ms.zip(*expected_p90_ms), at);
            }
            What::QueueRefused {} => self.on_refused(about, at),
            What::QueueLeft { outcome, wait_ms, ringing, threshold_ms, short_ms, .. } => {
                let record = |sums: &mut QueueSums| sums.record(*outcome, *wait_ms, *ringing, *threshold_ms, *short_ms);
                self.on_left(about, *outcome, *wait_ms, at, record);
            }
            What::OfferSent { .. } => self.on_offer_sent(about, at),
            What::OfferTimedOut { .. } => self.on_rona(about, at),
            What::AgentLegConnected { .. } => self.on_connected(about, at),
            What::AgentLegEnded { talk_ms, hold_ms, consult_ms } => {
                let talk = Talk { talk_ms: *talk_ms, hold_ms: *hold_ms, consult_ms: *consult_ms };
                self.on_conversation_ended(about, at, talk);
            }
            What::AgentLegTransferred { kind, .. } => self.on_transferred(about, *kind),
            What::AgentLegConferenced { .. } => self.on_conferenced(about),
            What::CallForwarded {} => self.on_forwarded(about),
            What::CallbackRequested {} => self.on_callback_requested(about, at),
            What::CallbackAttempted { .. } => self.on_callback_attempted(about, at),
            What::CallbackDone { end, wait_ms, .. } => self.on_callback_done(about, *end, *wait_ms),
            What::VoicemailLeft { .. } => self.on_voicemail(about, at),
            What::SupervisorActed { .. } => self.supervision(at, |sums| sums.acts += 1),
            What::MonitorStarted { .. } => self.supervision(at, |sums| sums.monitors += 1),
            What::MonitorEnded { monitored_ms, .. } => self.supervision(at, |sums| sums.monitored_ms += monitored_ms),
            What::LegClosed { quality, .. } => self.interval(bucket_of(at.now.wall), |i| i.quality.record(quality)),
            What::WrapUpCoded { code } => self.on_coded(about, code),
            What::WrapUpEnded { wrapup_ms } => self.on_wrapped_up(about, *wrapup_ms),
            What::AgentLoggedIn { queues } => self.agent(about, at, |agent| agent.queues = queues.clone()),
            What::AgentStateChanged { state, reason, .. } => self.on_agent_state(about, *state, reason.clone(), at),
            What::AgentLoggedOut { .. } => self.on_agent_state(about, AgentState::LoggedOut, None, at),
            What::RecordingStarted { recording } => self.on_part(*recording, None),
            What::RecordingStored { recording, kept, .. } => self.on_part(*recording, Some(*kept)),
            What::RecordingFailed { recording, .. } => self.on_part(*recording, Some(Kept::Failed)),
            What::RecordingOwed { policy } => self.on_owed(about, policy),
            What::RecordingExcluded { reason, policy } => self.on_excluded(about, *reason, policy),
            What::RecordingAlarm { recording, .. } => self.on_recording_alarm(*recording, at),
            What::RecordingAlarmEnded { recording, .. } => drop(self.alarms.remove(recording)),
            What::NodeStarted { queues, .. } => {
                self.boot = Some(logged.epoch);
                // What the epoch before did not come to say of its recorder is over with it.
                self.alarms.clear();
                self.queues.extend(queues.iter().cloned());
            }
            What::NodeHeartbeat { .. } => self.on_heartbeat(at),
            What::NodeBreach { .. } => self.breaches += 1,
            _ => {}
        }
    }

    /// Changes the agent that the fact is about; one seen for the first time is logged out until a state says more.
    fn agent(&mut self, about: &About, at: Moment, change: impl FnOnce(&mut LiveAgent)) {
        let Some(id) = &about.agent else { return };
        change(self.agents.entry(id.clone()).or_insert_with(|| LiveAgent {
            state: AgentState::LoggedOut,
            since: at,
            cause: None,
            reason: None,
            queues: Vec::new(),
            queue: None,
            call: None,
            handled: None,
        }));
    }

    fn queue(&mut self, bucket: i64, queue: &QueueId, change: impl FnOnce(&mut QueueSums)) {
        self.interval(bucket, |i| change(i.queues.entry(queue.clone()).or_default()));
    }

    fn of_agent(&mut self, bucket: i64, agent: Option<&AgentId>, change: impl FnOnce(&mut AgentSums)) {
        if let Some(agent) = agent {
            self.interval(bucket, |i| change(i.agents.entry(agent.clone()).or_default()));
        }
    }

    fn supervision(&mut self, at: Moment, change: impl FnOnce(&mut SupervisionSums)) {
        self.interval(bucket_of(at.now.wall), |i| change(&mut i.supervision));
    }

    /// A forgotten interval stays forgotten.
    fn interval(&mut self, bucket: i64, change: impl FnOnce(&mut Interval)) {
        if self.floor.is_none_or(|floor| bucket >= floor) {
            change(self.intervals.entry(bucket).or_default());
        }
    }

    fn forget_before(&mut self, floor: i64) {
        if self.floor.is_some_and(|f| f >= floor) {
            return;
        }
        self.floor = Some(floor);
        self.intervals = self.intervals.split_off(&floor);
        // A recording that never settled is counted as open as long as its interval is kept.
        self.conversations.retain(|_, live| live.bucket >= floor || live.ended.is_none());
    }

    fn moment(&self, logged: &Logged) -> Moment {
        let starts = matches!(logged.fact.what, What::NodeStarted { .. });
        let boot = (starts || self.boot == Some(logged.epoch)).then_some(logged.epoch);
        Moment { boot, now: logged.fact.now }
    }
}

/// What an agent's span in a state adds to each interval; logged out adds nothing.
pub(crate) fn state_slices(state: AgentState, since: &Moment, to: &Moment) -> Vec<(i64, u64)> {
    if state == AgentState::LoggedOut { Vec::new() } else { since.slices(to) }
}
