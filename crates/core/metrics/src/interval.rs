//! The 15-minute UTC interval: sums, counts and histograms, never an average. Every zone's half hours, hours and days
//! are whole numbers of these.

use crate::histogram::Histogram;
use crate::quality::QualitySums;
use crate::sums::{CallbackSums, ExpectedSums, SupervisionSums, TransferSums, add_up};
use base::{AgentId, AgentState, Lang, Outcome, QueueId, Wall};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

const LENGTH_US: i64 = 15 * 60 * 1_000_000;

/// The interval that a moment lies in, counted from 1970.
pub fn bucket_of(at: Wall) -> i64 {
    at.0.div_euclid(LENGTH_US)
}

/// The first moment of an interval.
pub fn bucket_start(bucket: i64) -> Wall {
    Wall(bucket.saturating_mul(LENGTH_US))
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    pub calls: CallSums,
    pub queues: BTreeMap<QueueId, QueueSums>,
    pub agents: BTreeMap<AgentId, AgentSums>,
    pub languages: BTreeMap<Lang, u64>,
    pub recordings: RecordingSums,
    pub supervision: SupervisionSums,
    pub quality: QualitySums,
}

/// Basis: arrival. A call's end counts where the call arrived; a message when it was left.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CallSums {
    pub incoming: u64,
    pub rejected: u64,
    pub ivr_abandoned: u64,
    pub ivr_ended: u64,
    pub queued: u64,
    pub reached_agent: u64,
    pub lost: u64,
    /// Hung up in the IVR or in a queue, before any agent.
    pub hung_up_before_agent: u64,
    pub forwarded: u64,
    pub voicemails_left: u64,
}

/// Basis: arrival, the visit's entry; but what is of conversations at their end, `waiting_ms`, `refused` and its parts,
/// `voicemails_left`, `offers` and `rona` at the event. Visits of callbacks are in `waiting_ms` and `callbacks` alone.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct QueueSums {
    pub offered: u64,
    pub answered: u64,
    pub abandoned: u64,
    pub overflowed: u64,
    pub timeout: u64,
    pub no_agents: u64,
    pub key_exit: u64,
    pub callback: u64,
    pub voicemail: u64,
    pub system: u64,
    pub answered_in_time: u64,
    pub abandoned_in_time: u64,
    pub short_abandons: u64,
    pub abandoned_ringing: u64,
    pub answered_wait_ms: u64,
    pub abandoned_wait_ms: u64,
    pub longest_wait_ms: u64,
    pub waits: Histogram,
    pub patience: Histogram,
    pub handled: u64,
    pub talk_ms: u64,
    pub hold_ms: u64,
    pub wrap_ms: u64,
    /// Of the talk.
    pub consult_ms: u64,
    pub conferences: u64,
    /// The integral of the queue's length.
    pub waiting_ms: u64,
    pub refused: u64,
    pub refused_closed: u64,
    pub refused_dissuaded: u64,
    pub voicemails_left: u64,
    pub offers: u64,
    pub rona: u64,
    pub callbacks: CallbackSums,
    pub transfers: TransferSums,
    pub expected: ExpectedSums,
    /// Codes that agents gave to conversations.
    pub dispositions: BTreeMap<String, u64>,
}

/// Basis: `states` are sliced at the boundary; the rest at the event, conversations at their end.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AgentSums {
    /// Milliseconds in each state but `logged_out`.
    pub states: BTreeMap<AgentState, u64>,
    pub calls: u64,
    pub handled: u64,
    pub handle_ms: u64,
    pub offers: u64,
    pub rona: u64,
    /// Calls of the agent's own, which are in none of the above.
    pub outgoing: u64,
    pub internal: u64,
    pub outgoing_talk_ms: u64,
    pub internal_talk_ms: u64,
    pub transfers: TransferSums,
    pub dispositions: BTreeMap<String, u64>,
}

/// Basis: arrival, the beginning of the conversation.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RecordingSums {
    pub expected: u64,
    pub complete: u64,
    pub partial: u64,
    pub failed: u64,
    /// Those that owe none, by reason; in none of the above.
    pub excluded: BTreeMap<String, u64>,
    /// The same by the policy that decided, as far as the log says which.
    pub policies: BTreeMap<String, PolicySums>,
    /// Basis: event.
    pub alarms: u64,
}

/// Conversations by what became of their recordings.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PolicySums {
    pub expected: u64,
    pub complete: u64,
    pub partial: u64,
    pub failed: u64,
    pub excluded: BTreeMap<String, u64>,
}

impl Interval {
    pub fn merge(&mut self, other: &Interval) {
        self.calls.merge(&other.calls);
        for (queue, sums) in &other.queues {
            self.queues.entry(queue.clone()).or_default().merge(sums);
        }
        for (agent, sums) in &other.agents {
            self.agents.entry(agent.clone()).or_default().merge(sums);
        }
        merge_counts(&mut self.languages, &other.languages);
        self.recordings.merge(&other.recordings);
        self.supervision.merge(&other.supervision);
        self.quality.merge(&other.quality);
    }
}

impl CallSums {
    fn merge(&mut self, o: &CallSums) {
        add_up!(self, o: incoming rejected ivr_abandoned ivr_ended queued reached_agent lost hung_up_before_agent);
        add_up!(self, o: forwarded voicemails_left);
    }
}

impl RecordingSums {
    fn merge(&mut self, o: &RecordingSums) {
        add_up!(self, o: expected complete partial failed alarms);
        merge_counts(&mut self.excluded, &o.excluded);
        for (policy, sums) in &o.policies {
            self.policies.entry(policy.clone()).or_default().merge(sums);
        }
    }
}

impl PolicySums {
    fn merge(&mut self, o: &PolicySums) {
        add_up!(self, o: expected complete partial failed);
        merge_counts(&mut self.excluded, &o.excluded);
    }
}

impl QueueSums {
    pub fn merge(&mut self, o: &QueueSums) {
        add_up!(self, o: offered answered abandoned overflowed timeout no_agents key_exit callback voicemail system);
        add_up!(self, o: answered_in_time abandoned_in_time short_abandons abandoned_ringing);
        add_up!(self, o: answered_wait_ms abandoned_wait_ms waiting_ms);
        add_up!(self, o: handled talk_ms hold_ms wrap_ms consult_ms conferences offers rona);
        add_up!(self, o: refused refused_closed refused_dissuaded voicemails_left);
        self.longest_wait_ms = self.longest_wait_ms.max(o.longest_wait_ms);
        self.waits.merge(&o.waits);
        self.patience.merge(&o.patience);
        self.callbacks.merge(&o.callbacks);
        self.transfers.merge(&o.transfers);
        self.expected.merge(&o.expected);
        merge_counts(&mut self.dispositions, &o.dispositions);
    }

    /// Visits that ended so.
    pub fn ended(&self, outcome: Outcome) -> u64 {
        match outcome {
            Outcome::Answered => self.answered,
            Outcome::Abandoned => self.abandoned,
            Outcome::Overflowed => self.overflowed,
            Outcome::Timeout => self.timeout,
            Outcome::NoAgents => self.no_agents,
            Outcome::KeyExit => self.key_exit,
            Outcome::Callback => self.callback,
            Outcome::Voicemail => self.voicemail,
            Outcome::System => self.system,
        }
    }

    /// A visit's end, with its queue's T and S of that moment.
    pub fn record(&mut self, outcome: Outcome, wait_ms: u64, ringing: bool, threshold_ms: u64, short_ms: u64) {
        self.longest_wait_ms = self.longest_wait_ms.max(wait_ms);
        let in_time = u64::from(wait_ms <= threshold_ms);
        match outcome {
            Outcome::Answered => {
                self.answered += 1;
                self.answered_in_time += in_time;
                self.answered_wait_ms += wait_ms;
                self.waits.record(wait_ms);
            }
            Outcome::Abandoned => {
                self.abandoned += 1;
                self.abandoned_in_time += in_time;
                self.abandoned_wait_ms += wait_ms;
                self.patience.record(wait_ms);
                // S = 0 turns the exclusion off.
                self.short_abandons += u64::from(short_ms > 0 && wait_ms <= short_ms);
                self.abandoned_ringing += u64::from(ringing);
            }
            Outcome::Overflowed => self.overflowed += 1,
            Outcome::Timeout => self.timeout += 1,
            Outcome::NoAgents => self.no_agents += 1,
            Outcome::KeyExit => self.key_exit += 1,
            Outcome::Callback => self.callback += 1,
            Outcome::Voicemail => self.voicemail += 1,
            Outcome::System => self.system += 1,
        }
    }
}

impl AgentSums {
    fn merge(&mut self, o: &AgentSums) {
        merge_counts(&mut self.states, &o.states);
        add_up!(self, o: calls handled handle_ms offers rona);
        add_up!(self, o: outgoing internal outgoing_talk_ms internal_talk_ms);
        self.transfers.merge(&o.transfers);
        merge_counts(&mut self.dispositions, &o.dispositions);
    }

    pub fn state_ms(&self, state: AgentState) -> u64 {
        self.states.get(&state).copied().unwrap_or(0)
    }
}

fn merge_counts<K: Ord + Clone>(to: &mut BTreeMap<K, u64>, from: &BTreeMap<K, u64>) {
    for (key, n) in from {
        *to.entry(key.clone()).or_insert(0) += n;
    }
}
