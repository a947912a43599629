//! The 15-minute UTC interval: sums, counts and histograms, never an average. Every zone's half hours, hours and days
//! are whole numbers of these.

use crate::histogram::Histogram;
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
}

/// Basis: arrival. A call's end counts where the call arrived.
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
}

/// Basis: arrival, the visit's entry; but `handled` and the times of conversations at their end, `waiting_ms`,
/// `refused`, `offers` and `rona` at the event.
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
    /// The integral of the queue's length.
    pub waiting_ms: u64,
    pub refused: u64,
    pub offers: u64,
    pub rona: u64,
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
}

/// Basis: arrival, the beginning of the conversation.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RecordingSums {
    pub expected: u64,
    pub complete: u64,
    pub partial: u64,
    pub failed: u64,
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
        for (lang, n) in &other.languages {
            *self.languages.entry(*lang).or_insert(0) += n;
        }
        self.recordings.merge(&other.recordings);
    }
}

macro_rules! add_up {
    ($to:ident, $from:ident: $($field:ident)*) => { $($to.$field += $from.$field;)* };
}

impl CallSums {
    fn merge(&mut self, o: &CallSums) {
        add_up!(self, o: incoming rejected ivr_abandoned ivr_ended queued reached_agent lost hung_up_before_agent);
    }
}

impl RecordingSums {
    fn merge(&mut self, o: &RecordingSums) {
        add_up!(self, o: expected complete partial failed);
    }
}

impl QueueSums {
    pub fn merge(&mut self, o: &QueueSums) {
        add_up!(self, o: offered answered abandoned overflowed timeout no_agents key_exit callback voicemail system);
        add_up!(self, o: answered_in_time abandoned_in_time short_abandons abandoned_ringing);
        add_up!(self, o: answered_wait_ms abandoned_wait_ms waiting_ms);
        add_up!(self, o: handled talk_ms hold_ms wrap_ms refused offers rona);
        self.longest_wait_ms = self.longest_wait_ms.max(o.longest_wait_ms);
        self.waits.merge(&o.waits);
        self.patience.merge(&o.patience);
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
        for (state, ms) in &o.states {
            *self.states.entry(*state).or_insert(0) += ms;
        }
        add_up!(self, o: calls handled handle_ms offers rona);
    }

    pub fn state_ms(&self, state: AgentState) -> u64 {
        self.states.get(&state).copied().unwrap_or(0)
    }
}
