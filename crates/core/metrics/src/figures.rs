//! The figures as they are read: by the wallboard, the API, `/metrics` and the demo's summary. The JSON names are stable.

use crate::quality::Quality;
use base::{AgentId, AgentState, CallId, Cause, Lang, QueueId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Everything, at one moment and for one window.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// RFC 3339 in UTC, as all times here.
    pub at: String,
    /// The window's whole quarter hours: `from` is within, `to` is not.
    pub from: String,
    pub to: String,
    /// The last fact that is counted.
    pub epoch: u32,
    pub seq: u64,
    /// All facts ever folded.
    pub events: u64,
    pub invariant_breaches: u64,
    pub totals: Totals,
    pub queues: Vec<QueueFigures>,
    pub agents: Vec<AgentFigures>,
    /// Incoming calls by their language.
    pub languages: BTreeMap<Lang, u64>,
    pub recordings: Recordings,
    pub supervision: Supervision,
    pub quality: Quality,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Totals {
    pub calls: Calls,
    pub visits: Visits,
    pub callbacks: Callbacks,
    pub transfers: Transfers,
    pub expected_wait: ExpectedWait,
    /// Waiting at this moment in all queues, whenever they came, callbacks among them.
    pub waiting_now: u64,
    pub callbacks_now: u64,
    pub longest_wait_ms: u64,
    /// Agents by state, each once.
    pub agents_by_state: BTreeMap<AgentState, u64>,
    /// Conversations by the code that the agent gave.
    pub dispositions: BTreeMap<String, u64>,
}

/// Customer contacts that arrived in the window; a feature code is none.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Calls {
    pub incoming: u64,
    pub rejected: u64,
    pub ivr_abandoned: u64,
    pub ivr_ended: u64,
    pub queued: u64,
    pub in_ivr: u64,
    pub reached_agent: u64,
    pub lost: u64,
    pub forwarded: u64,
    pub voicemails_left: u64,
    pub live_now: u64,
    pub abandonment_rate_incoming: Option<f64>,
}

/// Entries into queues in the window, and what became of them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Visits {
    pub offered: u64,
    pub answered: u64,
    pub abandoned: u64,
    pub other_exits: u64,
    pub waiting: u64,
    pub short_abandons: u64,
    pub abandoned_ringing: u64,
    pub overflowed: u64,
    pub timeout: u64,
    pub no_agents: u64,
    pub key_exit: u64,
    pub callback: u64,
    pub voicemail: u64,
    pub system: u64,
    pub refused: u64,
    pub refused_closed: u64,
    pub refused_dissuaded: u64,
    /// None when nothing was offered.
    pub service_level: Option<f64>,
    pub service_level_formula: String,
    pub answered_in_time: u64,
    pub abandoned_in_time: u64,
    pub asa_ms: Option<u64>,
    pub time_to_abandon_ms: Option<u64>,
    pub wait_p50_ms: Option<u64>,
    pub wait_p90_ms: Option<u64>,
    pub wait_p99_ms: Option<u64>,
    pub longest_waited_ms: u64,
    pub waiting_ms: u64,
    pub abandonment_rate: Option<f64>,
    pub abandonment_rate_without_short: Option<f64>,
    pub handled: u64,
    pub aht_ms: Option<u64>,
    pub talk_ms: u64,
    pub hold_ms: u64,
    pub wrap_ms: u64,
    pub consult_ms: u64,
    pub conferences: u64,
    pub voicemails_left: u64,
    pub offers: u64,
    pub rona: u64,
}

/// Callers who hung up, keep their place and are called back.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Callbacks {
    pub requested: u64,
    pub waiting: u64,
    pub connected: u64,
    pub failed: u64,
    pub joined: u64,
    pub cancelled: u64,
    pub attempts: u64,
    pub places: u64,
    pub mean_wait_ms: Option<u64>,
}

/// Conversations that the agent passed on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Transfers {
    pub blind: u64,
    pub attended: u64,
    pub to_queue: u64,
    pub external: u64,
    pub rate: Option<f64>,
}

/// The estimator's own error. All values are of answered visits that were told one; none while there is none.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ExpectedWait {
    pub visits: u64,
    pub p50_coverage: Option<f64>,
    pub p90_coverage: Option<f64>,
    pub mean_error_ms: Option<i64>,
    pub rms_error_ms: Option<u64>,
}

/// What supervisors did.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Supervision {
    pub acts: u64,
    pub monitors: u64,
    pub monitored_ms: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct QueueFigures {
    pub queue: QueueId,
    pub waiting_now: u64,
    pub callbacks_now: u64,
    pub longest_wait_ms: u64,
    /// Logged-in agents that serve this queue; one who serves two is in both.
    pub agents_by_state: BTreeMap<AgentState, u64>,
    pub callbacks: Callbacks,
    pub transfers: Transfers,
    pub expected_wait: ExpectedWait,
    pub dispositions: BTreeMap<String, u64>,
    #[serde(flatten)]
    pub visits: Visits,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AgentFigures {
    pub agent: AgentId,
    pub state: AgentState,
    pub since: String,
    pub in_state_ms: u64,
    pub cause: Option<Cause>,
    pub reason: Option<String>,
    pub queues: Vec<QueueId>,
    pub queue: Option<QueueId>,
    pub call: Option<CallId>,
    pub calls: u64,
    pub handled: u64,
    pub offers: u64,
    pub rona: u64,
    pub aht_ms: Option<u64>,
    pub transfers: Transfers,
    pub dispositions: BTreeMap<String, u64>,
    pub outgoing: u64,
    pub internal: u64,
    pub outgoing_talk_ms: u64,
    pub internal_talk_ms: u64,
    pub available_ms: u64,
    pub reserved_ms: u64,
    pub ringing_ms: u64,
    pub talk_ms: u64,
    pub hold_ms: u64,
    pub wrap_ms: u64,
    pub engaged_ms: u64,
    pub paused_ms: u64,
    pub unreachable_ms: u64,
    pub logged_in_ms: u64,
    pub occupancy: Option<f64>,
    pub utilisation: Option<f64>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Recordings {
    pub expected: u64,
    pub complete: u64,
    pub partial: u64,
    pub failed: u64,
    pub open: u64,
    pub missing: u64,
    pub excluded: BTreeMap<String, u64>,
    pub by_policy: BTreeMap<String, OfPolicy>,
    pub accounted: Option<f64>,
    pub coverage: Option<f64>,
    pub alarms: u64,
    pub alarms_now: u64,
}

/// The conversations that one policy decided about; each word as in [`Recordings`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OfPolicy {
    pub expected: u64,
    pub complete: u64,
    pub partial: u64,
    pub failed: u64,
    pub open: u64,
    pub excluded: BTreeMap<String, u64>,
    pub coverage: Option<f64>,
}

impl Calls {
    pub fn sums_hold(&self) -> bool {
        self.incoming == self.rejected + self.ivr_abandoned + self.ivr_ended + self.queued + self.in_ivr
    }
}

impl Visits {
    pub fn sums_hold(&self) -> bool {
        let exits =
            self.overflowed + self.timeout + self.no_agents + self.key_exit + self.callback + self.voicemail + self.system;
        self.offered == self.answered + self.abandoned + self.other_exits + self.waiting && self.other_exits == exits
    }
}

impl Callbacks {
    pub fn sums_hold(&self) -> bool {
        self.requested == self.waiting + self.connected + self.failed + self.joined + self.cancelled
    }
}

impl QueueFigures {
    /// A queue in which nothing was counted.
    pub fn nothing(queue: QueueId) -> QueueFigures {
        QueueFigures {
            queue,
            waiting_now: 0,
            callbacks_now: 0,
            longest_wait_ms: 0,
            agents_by_state: BTreeMap::new(),
            callbacks: Callbacks::default(),
            transfers: Transfers::default(),
            expected_wait: ExpectedWait::default(),
            dispositions: BTreeMap::new(),
            visits: Visits::default(),
        }
    }
}

impl Recordings {
    pub fn sums_hold(&self) -> bool {
        self.expected == self.open + self.complete + self.partial + self.failed
    }
}

impl AgentFigures {
    /// An agent of whom nothing was counted, in a state since a time in RFC 3339.
    pub fn nothing(agent: AgentId, state: AgentState, since: String) -> AgentFigures {
        AgentFigures {
            agent,
            state,
            since,
            in_state_ms: 0,
            cause: None,
            reason: None,
            queues: Vec::new(),
            queue: None,
            call: None,
            calls: 0,
            handled: 0,
            offers: 0,
            rona: 0,
            aht_ms: None,
            transfers: Transfers::default(),
            dispositions: BTreeMap::new(),
            outgoing: 0,
            internal: 0,
            outgoing_talk_ms: 0,
            internal_talk_ms: 0,
            available_ms: 0,
            reserved_ms: 0,
            ringing_ms: 0,
            talk_ms: 0,
            hold_ms: 0,
            wrap_ms: 0,
            engaged_ms: 0,
            paused_ms: 0,
            unreachable_ms: 0,
            logged_in_ms: 0,
            occupancy: None,
            utilisation: None,
        }
    }

    /// The states add up to the time logged in, exactly.
    pub fn sums_hold(&self) -> bool {
        let talked = self.talk_ms + self.hold_ms + self.wrap_ms;
        self.logged_in_ms
            == talked
                + self.available_ms
                + self.reserved_ms
                + self.ringing_ms
                + self.engaged_ms
                + self.paused_ms
                + self.unreachable_ms
    }
}

impl Figures {
    /// The sums of the contract, those of each queue and agent, and the queues against the totals.
    pub fn sums_hold(&self) -> bool {
        let offered: u64 = self.queues.iter().map(|q| q.visits.offered).sum();
        self.totals.calls.sums_hold()
            && self.totals.visits.sums_hold()
            && self.totals.visits.offered == offered
            && self.totals.callbacks.sums_hold()
            && self.recordings.sums_hold()
            && self.queues.iter().all(|q| q.visits.sums_hold() && q.callbacks.sums_hold())
            && self.agents.iter().all(AgentFigures::sums_hold)
    }
}
