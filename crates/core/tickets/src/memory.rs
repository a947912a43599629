//! What is known of a call in progress, and the ticket that comes of it.

use crate::change::Key;
use crate::rule::{Rule, When};
use crate::ticket::{Number, State, Step, Ticket, What as Event};
use base::fact::About;
use base::{AgentId, CallId, Lang, Outcome, PartyId, QueueId, RecordingId, Tenant, Wall};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

/// The subject's longest form, in characters: what service desks take.
const LONGEST_SUBJECT: usize = 250;

/// What is known of a call in progress.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Memory {
    pub(crate) tenant: Option<Tenant>,
    party: Option<PartyId>,
    pub(crate) queue: Option<QueueId>,
    pub(crate) agent: Option<AgentId>,
    lang: Option<Lang>,
    pub(crate) wait_ms: u64,
    #[serde(default)]
    pub(crate) answered_by: Option<AgentId>,
    pub(crate) outcome: Option<Outcome>,
    /// What was done, and how often.
    #[serde(default)]
    times: BTreeMap<When, u16>,
    pub(crate) ticket: Option<Number>,
    /// An agent's call to a number outside.
    #[serde(default)]
    pub(crate) outgoing: bool,
    /// Parts of its recording, or messages, that are not closed yet. A message is told of when it is: after the call.
    #[serde(default)]
    pub(crate) open: BTreeSet<RecordingId>,
    #[serde(default)]
    pub(crate) ended: bool,
    /// Nobody is on the line: what becomes of the place in line says nothing of the caller.
    #[serde(default)]
    pub(crate) callback: bool,
}

impl Memory {
    pub(crate) fn learn(&mut self, about: &About) {
        fn take<T: Clone>(to: &mut Option<T>, from: &Option<T>) {
            if from.is_some() {
                to.clone_from(from);
            }
        }
        take(&mut self.tenant, &about.tenant);
        take(&mut self.party, &about.party);
        take(&mut self.queue, &about.queue);
        take(&mut self.agent, &about.agent);
        take(&mut self.lang, &about.lang);
        if self.tenant.is_none() {
            self.tenant = about.queue.as_ref().map(QueueId::tenant);
        }
    }

    pub(crate) fn was_done(&self, action: When) -> bool {
        self.times.contains_key(&action)
    }

    /// Counts the action: how often it happened with this one.
    pub(crate) fn count(&mut self, action: When) -> u16 {
        let n = self.times.entry(action).or_insert(0);
        *n = n.saturating_add(1);
        *n
    }
}

impl Rule {
    pub(crate) fn fits(&self, tenant: &Tenant, memory: &Memory, action: When) -> bool {
        self.when == action
            && self.tenant == *tenant
            && (self.queue.is_none() || self.queue == memory.queue)
            && Duration::from_millis(memory.wait_ms) >= self.min_wait
    }
}

pub(crate) fn open(number: Number, key: &Key, rule: &Rule, memory: &Memory, at: Wall) -> Ticket {
    Ticket {
        number,
        tenant: key.tenant.clone(),
        call: key.call,
        state: State::Open,
        subject: subject(&rule.subject, key.call, memory),
        category: rule.category.clone(),
        impact: rule.impact,
        priority: rule.priority,
        group: rule.group.clone(),
        assigned_to: None,
        party: memory.party,
        queue: memory.queue.clone(),
        agent: memory.agent.clone(),
        lang: memory.lang,
        wait_ms: memory.queue.as_ref().map(|_| memory.wait_ms),
        outcome: memory.outcome,
        opened: at,
        updated: at,
        steps: vec![Step { at, by: "rule".into(), what: Event::Opened { when: key.action } }],
    }
}

/// Fills in the placeholders in one pass, so that nothing filled in is read as a placeholder.
fn subject(template: &str, call: CallId, memory: &Memory) -> String {
    let mut out = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let (name, tail) = after.split_once('}').unwrap_or((after, ""));
        match name {
            "call" => out.push_str(&call.to_string()),
            "queue" => out.push_str(memory.queue.as_ref().map_or("-", |q| q.name())),
            "agent" => out.push_str(memory.agent.as_ref().map_or("-", |a| a.name())),
            "lang" => out.push_str(&shown(memory.lang.as_ref())),
            "wait" => out.push_str(&format!("{} s", memory.wait_ms / 1000)),
            "outcome" => out.push_str(&shown(memory.outcome.as_ref())),
            other => out.push_str(&format!("{{{other}}}")),
        }
        rest = tail;
    }
    out.push_str(rest);
    out.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST_SUBJECT).collect()
}

pub(crate) fn shown<T: fmt::Display>(value: Option<&T>) -> String {
    value.map_or_else(|| "-".into(), T::to_string)
}
