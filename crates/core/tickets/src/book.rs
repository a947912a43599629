//! The book's machine: which fact of a call opens a ticket, or adds to the one that the call has.
//!
//! ```text
//!  call.arrived           agent_leg.connected ──▶ answered        ┐
//!  (incoming) ──▶ known ─ queue.left abandoned ─▶ abandoned       │   a rule fits and the action is new:
//!                         voicemail.left ───────▶ voicemail       ├─▶ no ticket yet: opened
//!                         callback.done failed ─▶ callback_failed │   the call has one: noted
//!                         call.ended ───────────▶ ended           ┘
//!                         agent_leg.transferred ▶ transferred ───── noted each time, and so is who answers then
//!  (outgoing) ──▶ known ─ agent_leg.connected ──▶ outgoing ──────── its end is noted if there is a ticket
//! ```
//!
//! A call that was rejected leaves none, nor does one from agent to agent. The state of a call is its [`Memory`]; the
//! store keeps it beside the mark, until the call is over and its recordings are closed.

use crate::change::{Change, Key};
use crate::memory::{Memory, open, shown};
use crate::rule::{Rule, When};
use crate::ticket::Number;
use base::fact::{About, CallbackEnd, Direction, Logged, Transfer, What};
use base::{CallId, Outcome, Tenant, Wall};
use std::collections::{BTreeMap, BTreeSet};

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
        if matches!(logged.fact.what, What::NodeHeartbeat { .. }) {
            self.forget_what_is_over();
        }
        let call = about.call?;
        match &logged.fact.what {
            What::CallArrived { direction: direction @ (Direction::Incoming | Direction::Outgoing), .. } => {
                self.calls.entry(call).or_default().outgoing = *direction == Direction::Outgoing;
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
        let change = self.on_fact(call, &logged.fact.what, about, logged.time());
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

    fn on_fact(&mut self, call: CallId, what: &What, about: &About, at: Wall) -> Option<Change> {
        match what {
            What::QueueLeft { outcome, wait_ms, .. } => self.on_queue_left(call, *outcome, *wait_ms, at),
            What::AgentLegConnected { wait_ms } => self.on_answered(call, *wait_ms, about, at),
            What::AgentLegTransferred { kind, to } => self.on_transferred(call, *kind, to, at),
            What::VoicemailLeft { duration_ms, .. } => {
                self.act(call, When::Voicemail, at, || format!("The caller left a message of {} s.", duration_ms / 1000))
            }
            What::CallbackRequested {} => {
                self.calls.get_mut(&call)?.callback = true;
                None
            }
            What::CallbackDone { end, attempts, .. } => self.on_callback_done(call, *end, *attempts, at),
            What::RecordingStarted { recording } => {
                self.calls.get_mut(&call)?.open.insert(*recording);
                None
            }
            What::RecordingStored { recording, .. } | What::RecordingFailed { recording, .. } => {
                self.calls.get_mut(&call)?.open.remove(recording);
                None
            }
            What::CallEnded { duration_ms, .. } => self.on_ended(call, *duration_ms, about, at),
            _ => None,
        }
    }

    fn on_queue_left(&mut self, call: CallId, outcome: Outcome, wait_ms: u64, at: Wall) -> Option<Change> {
        let memory = self.calls.get_mut(&call)?;
        memory.wait_ms = memory.wait_ms.saturating_add(wait_ms);
        if memory.callback {
            return None;
        }
        memory.outcome = Some(outcome);
        if outcome == Outcome::Abandoned {
            self.act(call, When::Abandoned, at, || "The caller hung up while waiting.".into())
        } else {
            None
        }
    }

    fn on_answered(&mut self, call: CallId, wait_ms: u64, about: &About, at: Wall) -> Option<Change> {
        let memory = self.calls.get_mut(&call)?;
        let agent = memory.agent.clone();
        let note = || format!("Answered by {}.", shown(agent.as_ref()));
        if memory.outgoing {
            return self.act(call, When::Outgoing, at, note);
        }
        (memory.wait_ms, memory.outcome) = (wait_ms, Some(Outcome::Answered));
        let before = std::mem::replace(&mut memory.answered_by, about.agent.clone());
        if memory.ticket.is_some() && before.is_some() && before != about.agent {
            return self.note(call, When::Answered, at, note());
        }
        self.act(call, When::Answered, at, note)
    }

    fn on_transferred(&mut self, call: CallId, kind: Transfer, to: &str, at: Wall) -> Option<Change> {
        let memory = self.calls.get_mut(&call)?;
        let how = match kind {
            Transfer::Blind => "without asking",
            Transfer::Attended => "after a consultation",
            Transfer::ToQueue => "to wait there",
            Transfer::External => "outside",
        };
        let note = format!("Passed on by {} to {to}, {how}.", shown(memory.agent.as_ref()));
        if memory.ticket.is_some() {
            return self.note(call, When::Transferred, at, note);
        }
        self.act(call, When::Transferred, at, || note)
    }

    fn on_callback_done(&mut self, call: CallId, end: CallbackEnd, attempts: u8, at: Wall) -> Option<Change> {
        self.calls.get_mut(&call)?.callback = false;
        match end {
            CallbackEnd::Failed | CallbackEnd::Cancelled => {
                let note = || format!("The caller asked to be called back and was not reached: dialled {attempts} times.");
                self.act(call, When::CallbackFailed, at, note)
            }
            CallbackEnd::Connected | CallbackEnd::Joined => None,
        }
    }

    fn on_ended(&mut self, call: CallId, duration_ms: u64, about: &About, at: Wall) -> Option<Change> {
        let memory = self.calls.get(&call)?;
        let note = format!("The call ended after {} s: {}.", duration_ms / 1000, shown(about.cause.as_ref()));
        let change = match (memory.outgoing, memory.ticket) {
            (true, None) => None,
            (true, Some(_)) => self.note(call, When::Ended, at, note),
            (false, _) => self.act(call, When::Ended, at, || note),
        };
        match self.calls.get_mut(&call) {
            Some(memory) if !memory.open.is_empty() => memory.ended = true,
            _ => self.forget(call),
        }
        change
    }

    /// Ended, and nothing of it is being recorded any more: what was to be told of it has been told.
    fn forget_what_is_over(&mut self) {
        let over: Vec<CallId> = self.calls.iter().filter(|(_, m)| m.ended && m.open.is_empty()).map(|(id, _)| *id).collect();
        over.into_iter().for_each(|call| self.forget(call));
    }

    /// Does what the first rule says that fits, once for each action.
    fn act(&mut self, call: CallId, action: When, at: Wall, note: impl FnOnce() -> String) -> Option<Change> {
        let memory = self.calls.get_mut(&call)?;
        let tenant = memory.tenant.clone()?;
        let rule = self.rules.iter().find(|rule| rule.fits(&tenant, memory, action))?;
        if memory.was_done(action) {
            return None;
        }
        if memory.ticket.is_some() {
            return self.note(call, action, at, note());
        }
        let key = Key { tenant: tenant.clone(), call, action, n: memory.count(action) };
        let last = self.last.entry(tenant).or_insert(Number(0));
        *last = Number(last.0 + 1);
        memory.ticket = Some(*last);
        let ticket = Box::new(open(*last, &key, rule, memory, at));
        Some(Change::Opened { key, ticket })
    }

    /// The call's ticket gets a note, whatever the rules say.
    fn note(&mut self, call: CallId, action: When, at: Wall, note: String) -> Option<Change> {
        let memory = self.calls.get_mut(&call)?;
        let (tenant, number) = (memory.tenant.clone()?, memory.ticket?);
        let key = Key { tenant, call, action, n: memory.count(action) };
        let (outcome, agent) = (memory.outcome, memory.agent.clone());
        Some(Change::Noted { key, number, at, note, outcome, agent })
    }

    fn forget(&mut self, call: CallId) {
        if self.calls.remove(&call).is_some() {
            self.touched.insert(call);
        }
    }
}
