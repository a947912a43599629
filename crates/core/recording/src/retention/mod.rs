//! How long recordings are kept: which go, when, and why.
//!
//! ```text
//!                    minimum                        maximum
//!   started ────────────┼──────────────────────────────┼──────────▶ age
//!            never      │ the oldest, if the budget    │ always
//!                       │ is not enough                │
//!   held: never, whatever its age
//! ```
//! - A queue's span counts before its tenant's, and that before the site's, minimum and maximum each on its own.
//!   Where nobody says a minimum there is none; where nobody says a maximum recordings are kept as long as there is room.
//! - A **budget** is of bytes of audio on the disk, of all tenants or of one. Where it is passed, what is beyond its
//!   minimum goes, oldest first, until it is not; the tenants' budgets first. What the minimum or a hold keeps from
//!   going is missing: that is told, with the moment at which the next may go. Nothing is deleted early for it.
//! - A **hold** ([`Holds`]) keeps from everything, by a selector, also what will be recorded later.
//!
//! The rule looks at all rows twice: a maximum frees what a budget need not take. The same rows give the same plan, and
//! once the plan is carried out there is nothing left to do.

mod forecast;
mod hold;
#[cfg(test)]
mod tests;

pub use forecast::{DAY, Forecast, HORIZON};
pub use hold::{BadSelector, Held, Holds, RELEASED, Selector};

use base::{AgentId, PartyId, QueueId, RecordingId, Tenant, Wall};
use forecast::Flow;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// From when on a recording may go, and when it must. Ages, counted from its beginning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    pub minimum: Option<Duration>,
    pub maximum: Option<Duration>,
}

impl Span {
    /// From when on it may go.
    fn free(self, row: &Row) -> Wall {
        row.started.plus(self.minimum.unwrap_or_default())
    }

    /// What is not said here as the other says it.
    pub fn or(self, other: Span) -> Span {
        Span { minimum: self.minimum.or(other.minimum), maximum: self.maximum.or(other.maximum) }
    }
}

/// What a site says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    pub span: Span,
    /// Bytes of all audio.
    pub budget: Option<u64>,
    /// Each with a budget of its own, in bytes.
    pub tenants: BTreeMap<Tenant, (Span, Option<u64>)>,
    pub queues: BTreeMap<QueueId, Span>,
}

impl Policy {
    pub fn span(&self, tenant: Option<&Tenant>, queue: Option<&QueueId>) -> Span {
        let queue = queue.and_then(|queue| self.queues.get(queue)).copied().unwrap_or_default();
        let tenant = tenant.and_then(|tenant| self.tenants.get(tenant)).map(|(span, _)| *span).unwrap_or_default();
        let Span { minimum, maximum } = queue.or(tenant).or(self.span);
        // `check` refuses a maximum below the minimum; if one comes all the same, it is the minimum that counts.
        Span { minimum, maximum: maximum.map(|maximum| maximum.max(minimum.unwrap_or_default())) }
    }

    fn budget_of(&self, tenant: &Tenant) -> Option<u64> {
        self.tenants.get(tenant).and_then(|(_, budget)| *budget)
    }

    /// Whether this one may be erased because somebody asks for it; `early`: within its minimum too.
    pub fn may_go(&self, row: &Row, holds: &Holds, now: Wall, early: bool) -> Result<(), Keeps> {
        if let Some(hold) = holds.of(row) {
            return Err(Keeps::Hold(hold));
        }
        let from = self.span(row.tenant.as_ref(), row.queue.as_ref()).free(row);
        if early || from <= now { Ok(()) } else { Err(Keeps::Minimum { until: from }) }
    }

    /// Whether anything is ever deleted by it.
    pub fn deletes(&self) -> bool {
        let all = self.tenants.values().map(|(span, budget)| (*span, *budget));
        let spans = self.queues.values().map(|span| (*span, None)).chain([(self.span, self.budget)]);
        all.chain(spans).any(|(span, budget)| span.maximum.is_some() || budget.is_some())
    }
}

/// What is known of a recording. A plan is made of those that are closed and have audio on the disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub recording: RecordingId,
    pub tenant: Option<Tenant>,
    pub queue: Option<QueueId>,
    pub agent: Option<AgentId>,
    pub party: Option<PartyId>,
    pub started: Wall,
    /// Of audio.
    pub bytes: u64,
}

/// Why a recording goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// It is older than its maximum.
    Maximum,
    /// Its tenant's recordings take more than their budget.
    TenantBudget,
    /// All recordings take more than theirs.
    Budget,
}

/// What becomes of one recording now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Delete(Cause),
    /// By the hold of this number.
    Held(u64),
    /// Until its maximum, if it has one.
    Kept {
        until: Option<Wall>,
    },
}

/// What keeps a recording from going.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeps {
    /// The hold of this number.
    Hold(u64),
    Minimum {
        until: Wall,
    },
}

/// How many, and how much.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Sum {
    pub recordings: u64,
    pub bytes: u64,
}

impl Sum {
    pub fn add(&mut self, bytes: u64) {
        self.recordings += 1;
        self.bytes = self.bytes.saturating_add(bytes);
    }
}

/// A budget that cannot be kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Short {
    /// None: that of all recordings.
    pub tenant: Option<Tenant>,
    pub missing_bytes: u64,
    /// When the next recording is beyond its minimum; none if all are held.
    pub next: Option<Wall>,
}

/// What the plan comes to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// On the disk before it.
    pub found: Sum,
    pub delete: BTreeMap<Cause, Sum>,
    pub held: Sum,
    /// Of those held, the ones beyond their maximum.
    pub overdue: Sum,
    pub short: Vec<Short>,
    /// What reaches its maximum within so many days from now on, day by day; 0 is the next 24 hours.
    pub due: BTreeMap<u32, Sum>,
    /// Of all recordings first, then of each tenant with a budget.
    pub forecasts: Vec<Forecast>,
    /// Whether the site ever deletes anything by itself.
    pub deletes: bool,
}

/// What there is of one tenant.
#[derive(Clone, Debug, Default)]
struct Tally {
    /// Bytes on the disk once each maximum is obeyed, and those of them that may go.
    left: u64,
    free: u64,
    /// What its own budget will take, and is off the sum of all before it is taken.
    credit: u64,
    next: Option<Wall>,
}

fn sooner(next: &mut Option<Wall>, at: Wall) {
    *next = Some(next.map_or(at, |next| next.min(at)));
}

/// Makes the plan: every row is [`Planner::see`]n, then every row is [`Planner::decide`]d, oldest first, both times.
pub struct Planner<'a> {
    now: Wall,
    policy: &'a Policy,
    holds: &'a Holds,
    /// On the disk once each maximum and each tenant's budget is obeyed.
    left: u64,
    tenants: BTreeMap<Option<Tenant>, Tally>,
    /// The soonest end of a minimum among what is kept.
    next: Option<Wall>,
    seen: bool,
    flow: Flow,
    plan: Plan,
}

impl<'a> Planner<'a> {
    pub fn new(now: Wall, policy: &'a Policy, holds: &'a Holds) -> Self {
        Planner {
            now,
            policy,
            holds,
            left: 0,
            tenants: BTreeMap::new(),
            next: None,
            seen: false,
            flow: Flow::new(now),
            plan: Plan { deletes: policy.deletes(), ..Plan::default() },
        }
    }

    pub fn see(&mut self, row: &Row) {
        self.plan.found.add(row.bytes);
        let span = self.policy.span(row.tenant.as_ref(), row.queue.as_ref());
        self.flow.came(row, span);
        let held = self.holds.of(row).is_some();
        if held || !self.is_past(row, span.maximum) {
            let tally = self.tenants.entry(row.tenant.clone()).or_default();
            tally.left = tally.left.saturating_add(row.bytes);
            self.left = self.left.saturating_add(row.bytes);
            if !held && span.free(row) <= self.now {
                tally.free = tally.free.saturating_add(row.bytes);
            }
        }
    }

    /// Once all are seen: what the tenants' budgets take is not there any more for the budget of all.
    fn settle(&mut self) {
        if std::mem::replace(&mut self.seen, true) {
            return;
        }
        for (tenant, tally) in &mut self.tenants {
            let budget = tenant.as_ref().and_then(|tenant| self.policy.budget_of(tenant));
            tally.credit = budget.map_or(0, |budget| tally.left.saturating_sub(budget).min(tally.free));
            self.left = self.left.saturating_sub(tally.credit);
        }
    }

    pub fn decide(&mut self, row: &Row) -> Fate {
        self.settle();
        let span = self.policy.span(row.tenant.as_ref(), row.queue.as_ref());
        let overdue = self.is_past(row, span.maximum);
        if let Some(hold) = self.holds.of(row) {
            self.plan.held.add(row.bytes);
            if overdue {
                self.plan.overdue.add(row.bytes);
            }
            return Fate::Held(hold);
        }
        let cause = if overdue { Some(Cause::Maximum) } else { self.too_much(row, span) };
        if let Some(cause) = cause {
            self.plan.delete.entry(cause).or_default().add(row.bytes);
            return Fate::Delete(cause);
        }
        let until = span.maximum.map(|maximum| row.started.plus(maximum));
        if let Some(until) = until {
            self.flow.goes(row, until);
        }
        Fate::Kept { until }
    }

    /// A recording beyond its minimum, as long as a budget is passed.
    fn too_much(&mut self, row: &Row, span: Span) -> Option<Cause> {
        let free = span.free(row);
        let budget = row.tenant.as_ref().and_then(|tenant| self.policy.budget_of(tenant));
        let tally = self.tenants.entry(row.tenant.clone()).or_default();
        if free > self.now {
            sooner(&mut tally.next, free);
            sooner(&mut self.next, free);
            return None;
        }
        let cause = match (budget, self.policy.budget) {
            (Some(budget), _) if tally.left > budget => Cause::TenantBudget,
            (_, Some(budget)) if self.left > budget => Cause::Budget,
            _ => return None,
        };
        tally.left = tally.left.saturating_sub(row.bytes);
        let credit = tally.credit.min(row.bytes);
        tally.credit -= credit;
        self.left = self.left.saturating_sub(row.bytes - credit);
        Some(cause)
    }

    /// What is as old as its maximum is past it.
    fn is_past(&self, row: &Row, maximum: Option<Duration>) -> bool {
        maximum.is_some_and(|maximum| row.started.plus(maximum) <= self.now)
    }

    pub fn finish(mut self) -> Plan {
        self.settle();
        let all = (None, self.policy.budget, self.left, self.next);
        let tenants = self.policy.tenants.iter().filter_map(|(tenant, (_, budget))| {
            let key = Some(tenant.clone());
            let tally = self.tenants.get(&key).cloned().unwrap_or_default();
            budget.map(|budget| (key, Some(budget), tally.left, tally.next))
        });
        for (tenant, budget, left, next) in std::iter::once(all).chain(tenants) {
            let missing_bytes = budget.map_or(0, |budget| left.saturating_sub(budget));
            if missing_bytes > 0 {
                self.plan.short.push(Short { tenant: tenant.clone(), missing_bytes, next });
            }
            self.plan.forecasts.push(self.flow.forecast(tenant, left, budget));
        }
        self.plan.due = self.flow.due();
        self.plan
    }
}
