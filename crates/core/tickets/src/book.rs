//! The book's machine: which fact of a call opens a ticket, or adds to the one that the call has.
//!
//! ```text
//!  call.arrived          agent_leg.connected ─▶ answered ┐   a rule fits and the action is new:
//!  (incoming) ─▶ known ─ queue.left abandoned ▶ abandoned├─▶ no ticket yet: opened
//!                        call.ended ──────────▶ ended    ┘   the call has one: noted
//! ```
//!
//! A call that was rejected leaves none. The state of a call is its [`Memory`]; the store keeps it beside the mark.

use crate::rule::{Rule, When};
use crate::ticket::{Act, Number, State, Step, Ticket, What as Event};
use base::fact::{About, Direction, Logged, What};
use base::{AgentId, CallId, Lang, Outcome, PartyId, QueueId, Tenant, Wall};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

/// The subject's longest form, in characters: what service desks take.
const LONGEST_SUBJECT: usize = 250;

/// What was done once: prints as `acme/1-3-42/answered`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    pub tenant: Tenant,
    pub call: CallId,
    pub action: When,
}

/// What becomes of the book by one fact.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    Opened {
        key: Key,
        ticket: Box<Ticket>,
    },
    /// The ticket of the call gets a note; its outcome and agent may be known by now.
    Noted {
        key: Key,
        number: Number,
        at: Wall,
        note: String,
        outcome: Option<Outcome>,
        agent: Option<AgentId>,
    },
}

/// What is known of a call in progress.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Memory {
    tenant: Option<Tenant>,
    party: Option<PartyId>,
    queue: Option<QueueId>,
    agent: Option<AgentId>,
    lang: Option<Lang>,
    wait_ms: u64,
    outcome: Option<Outcome>,
    done: BTreeSet<When>,
    ticket: Option<Number>,
}

/// Rules, calls in progress and the numbers given so far.
#[derive(Clone, Debug, Default)]
pub struct Book {
    rules: Vec<Rule>,
    mark: (u32, u64),
    calls: BTreeMap<CallId, Memory>,
    touched: BTreeSet<CallId>,
    last: BTreeMap<Tenant, Number>,
}

impl Book {
    pub fn new(rules: Vec<Rule>) -> Book {
        Book { rules, ..Book::default() }
    }

    /// As it was when everything up to `mark` was committed.
    pub fn restore(
        rules: Vec<Rule>,
        mark: (u32, u64),
        calls: impl IntoIterator<Item = (CallId, Memory)>,
        last: impl IntoIterator<Item = (Tenant, Number)>,
    ) -> Book {
        let (calls, last) = (calls.into_iter().collect(), last.into_iter().collect());
        Book { rules, mark, calls, touched: BTreeSet::new(), last }
    }

    pub fn mark(&self) -> (u32, u64) {
        self.mark
    }

    /// Takes the next fact; one at or below the mark changes nothing.
    pub fn apply(&mut self, logged: &Logged) -> Option<Change> {
        if (logged.epoch, logged.seq) <= self.mark {
            return None;
        }
        self.mark = (logged.epoch, logged.seq);
        let about = &logged.fact.about;
        let call = about.call?;
        match &logged.fact.what {
            What::CallArrived { direction: Direction::Incoming, .. } => {
                self.calls.entry(call).or_default();
            }
            What::CallRejected { .. } => {
                self.forget(call);
                return None;
            }
            _ => {}
        }
        let memory = self.calls.get_mut(&call)?;
        let before = memory.clone();
        memory.learn(about);
        let change = match &logged.fact.what {
            What::QueueLeft { outcome, wait_ms, .. } => self.on_queue_left(call, *outcome, *wait_ms, logged.time()),
            What::AgentLegConnected { wait_ms } => self.on_answered(call, *wait_ms, logged.time()),
            What::CallEnded { duration_ms, .. } => self.on_ended(call, *duration_ms, about, logged.time()),
            _ => None,
        };
        if self.calls.get(&call).is_some_and(|memory| *memory != before) {
            self.touched.insert(call);
        }
        change
    }

    /// The calls whose memory changed since the last time, for the store; none means that it is forgotten.
    pub fn touched(&mut self) -> Vec<(CallId, Option<Memory>)> {
        let touched = std::mem::take(&mut self.touched);
        touched.into_iter().map(|call| (call, self.calls.get(&call).cloned())).collect()
    }

    fn on_queue_left(&mut self, call: CallId, outcome: Outcome, wait_ms: u64, at: Wall) -> Option<Change> {
        let memory = self.calls.get_mut(&call)?;
        memory.wait_ms = memory.wait_ms.saturating_add(wait_ms);
        memory.outcome = Some(outcome);
        if outcome == Outcome::Abandoned {
            self.act(call, When::Abandoned, at, || "The caller hung up while waiting.".into())
        } else {
            None
        }
    }

    fn on_answered(&mut self, call: CallId, wait_ms: u64, at: Wall) -> Option<Change> {
        let memory = self.calls.get_mut(&call)?;
        (memory.wait_ms, memory.outcome) = (wait_ms, Some(Outcome::Answered));
        let agent = memory.agent.clone();
        self.act(call, When::Answered, at, || format!("Answered by {}.", shown(agent.as_ref())))
    }

    fn on_ended(&mut self, call: CallId, duration_ms: u64, about: &About, at: Wall) -> Option<Change> {
        let cause = shown(about.cause.as_ref());
        let change = self.act(call, When::Ended, at, || format!("The call ended after {} s: {cause}.", duration_ms / 1000));
        self.forget(call);
        change
    }

    /// Does what the first rule says that fits, once for each action.
    fn act(&mut self, call: CallId, action: When, at: Wall, note: impl FnOnce() -> String) -> Option<Change> {
        let memory = self.calls.get_mut(&call)?;
        let tenant = memory.tenant.clone()?;
        let rule = self.rules.iter().find(|rule| rule.fits(&tenant, memory, action))?;
        if !memory.done.insert(action) {
            return None;
        }
        let key = Key { tenant: tenant.clone(), call, action };
        if let Some(number) = memory.ticket {
            let (outcome, agent) = (memory.outcome, memory.agent.clone());
            return Some(Change::Noted { key, number, at, note: note(), outcome, agent });
        }
        let last = self.last.entry(tenant).or_insert(Number(0));
        *last = Number(last.0 + 1);
        memory.ticket = Some(*last);
        let ticket = Box::new(open(*last, &key, rule, memory, at));
        Some(Change::Opened { key, ticket })
    }

    fn forget(&mut self, call: CallId) {
        if self.calls.remove(&call).is_some() {
            self.touched.insert(call);
        }
    }
}

impl Rule {
    fn fits(&self, tenant: &Tenant, memory: &Memory, action: When) -> bool {
        self.when == action
            && self.tenant == *tenant
            && (self.queue.is_none() || self.queue == memory.queue)
            && Duration::from_millis(memory.wait_ms) >= self.min_wait
    }
}

impl Memory {
    fn learn(&mut self, about: &About) {
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
}

impl Change {
    pub fn key(&self) -> &Key {
        match self {
            Change::Opened { key, .. } | Change::Noted { key, .. } => key,
        }
    }

    /// The ticket as it is after this change: `before` is the one of the book, needed for a note.
    pub fn applied(&self, before: Option<Ticket>) -> Option<Ticket> {
        match self {
            Change::Opened { ticket, .. } => Some((**ticket).clone()),
            Change::Noted { at, note, outcome, agent, .. } => {
                let mut ticket = before?;
                // A note is possible in every state.
                ticket.act(*at, "rule", Act::Note { note: note.clone() }).ok()?;
                ticket.outcome = outcome.or(ticket.outcome);
                ticket.agent = agent.clone().or(ticket.agent);
                Some(ticket)
            }
        }
    }

    /// What a webhook is told: a CloudEvent. `{caller}` in the subject is still to be filled in.
    pub fn cloud_event(&self, source: &str, ticket: &Ticket) -> Value {
        let (kind, at) = match self {
            Change::Opened { ticket, .. } => ("ticket.opened", ticket.opened),
            Change::Noted { at, .. } => ("ticket.updated", *at),
        };
        json!({
            "specversion": "1.0",
            "id": self.key().to_string(),
            "source": source,
            "type": kind,
            "subject": format!("ticket/{}", ticket.number),
            "time": at.to_string(),
            "datacontenttype": "application/json",
            "data": { "key": self.key().to_string(), "action": self.key().action, "ticket": ticket },
        })
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.tenant, self.call, self.action.name())
    }
}

fn open(number: Number, key: &Key, rule: &Rule, memory: &Memory, at: Wall) -> Ticket {
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

fn shown<T: fmt::Display>(value: Option<&T>) -> String {
    value.map_or_else(|| "-".into(), T::to_string)
}
