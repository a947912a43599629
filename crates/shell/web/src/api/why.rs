//! Why a call is where it is: what it waits for, and each decision so far with its candidates.
//!
//! What it waits for only the Centre knows. Decisions are in the log with their end; the newest may be in the Centre alone.

use super::who::Who;
use super::{Answer, archive, id, queues, reply};
use crate::board;
use crate::error::ApiError;
use crate::row::{ExpectedRow, left_ms, millis, time};
use crate::{App, FactsAsk};
use acd::{Caller, Change, Rule, Waits};
use axum::Json;
use axum::extract::{Path, State};
use base::fact::{Logged, What};
use base::{AgentId, AgentState, CallId, Cause, Now, OfferEnd, OfferId, QueueId, Requirement, VisitId, Wall};
use engine::{Decision, Place, Reply, Request, WhyReport};
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;

const LIST: &str = "/api/v1/calls";
/// More offers than any call should have.
const FACTS: usize = 1000;
/// Visits of a queue that are asked after at once.
const VISITS: usize = 20;

#[derive(Serialize)]
pub struct WhyRow {
    call: CallId,
    place: Option<Place>,
    queue: Option<QueueId>,
    /// Until the visit leaves the queue by itself.
    leaves_ms: Option<u64>,
    /// Nobody is on the line: the customer will be called.
    callback: bool,
    waits: Option<WaitsRow>,
    decisions: Vec<DecisionRow>,
}

#[derive(Serialize)]
struct WaitsRow {
    requires: Requirement,
    position: u32,
    score_ms: i64,
    /// Who could take it, by state.
    agents: BTreeMap<AgentState, u32>,
    /// Who is free and is not offered it.
    barred: Vec<BarredRow>,
    next: Option<NextRow>,
    sticky: Option<StickyRow>,
    expected: Option<ExpectedRow>,
}

#[derive(Serialize)]
struct BarredRow {
    agent: AgentId,
    why: Arc<str>,
}

#[derive(Serialize)]
struct NextRow {
    in_ms: u64,
    change: Change,
}

#[derive(Serialize)]
struct StickyRow {
    agent: AgentId,
    left_ms: u64,
}

#[derive(Serialize)]
struct DecisionRow {
    offer: OfferId,
    agent: Option<AgentId>,
    queue: Option<QueueId>,
    #[serde(serialize_with = "time")]
    at: Wall,
    /// `None` while it rings.
    end: Option<OfferEnd>,
    cause: Option<Cause>,
    ring_ms: Option<u64>,
    /// `None` for what an older log kept without.
    why: Option<Reason>,
}

#[derive(Serialize)]
struct Reason {
    rule: Rule,
    score_ms: i64,
    idle_ms: u64,
    agents: u32,
    visits: u32,
    candidates: Vec<CandidateRow>,
    rivals: Vec<RivalRow>,
    /// `None`: the agent could take the call from the first moment on.
    let_in: Option<LetInRow>,
}

/// The step of the queue's relaxation that let the agent in. The site file's first has number 1.
#[derive(Serialize)]
struct LetInRow {
    step: StepRow,
    /// It was not waited for: nobody logged in could serve the call sooner, or the agent had this caller last.
    early: bool,
}

#[derive(Serialize)]
struct StepRow {
    number: u32,
    after_ms: u64,
    change: Change,
}

#[derive(Serialize)]
struct CandidateRow {
    agent: AgentId,
    value: i64,
    idle_ms: u64,
}

#[derive(Serialize)]
struct RivalRow {
    visit: VisitId,
    score_ms: i64,
}

pub async fn call(State(app): State<Arc<App>>, Who(who): Who, Path(call): Path<String>) -> Answer<Json<WhyRow>> {
    why(&app, &who, id(&call)?).await.map(Json)
}

/// The visits that wait in a queue, the next one first.
pub async fn queue(
    State(app): State<Arc<App>>,
    Who(who): Who,
    Path((tenant, name)): Path<(String, String)>,
) -> Answer<Json<Vec<WhyRow>>> {
    let queue: QueueId = id(&format!("{tenant}/{name}"))?;
    let snapshot = app.doors.snapshot.load_full();
    if !board::queues(&app).iter().any(|row| row.figures.queue == queue) {
        return Err(ApiError::unknown(format!("queue {queue}"), queues::LIST));
    }
    let mut waiting: Vec<_> = snapshot.visits.iter().filter(|visit| visit.queue == queue).collect();
    waiting.sort_by_key(|visit| visit.entered);
    let mut rows = Vec::new();
    for visit in waiting.into_iter().take(VISITS) {
        match why(&app, &who, visit.visit.call).await {
            // It may have left meanwhile.
            Ok(row) if row.waits.is_some() => rows.push(row),
            Ok(_) => {}
            Err(gone) if gone.status == axum::http::StatusCode::NOT_FOUND => {}
            Err(error) => return Err(error),
        }
    }
    rows.sort_by_key(|row| row.waits.as_ref().map(|waits| waits.position));
    Ok(Json(rows))
}

async fn why(app: &Arc<App>, who: &Arc<str>, call: CallId) -> Answer<WhyRow> {
    let report = match reply(app, Who(who.clone()), Request::Why { call }).await? {
        Reply::Why(report) => Some(*report),
        _ => None,
    };
    let ask = FactsAsk { limit: FACTS, call: Some(call), ..FactsAsk::default() };
    let facts = archive(app, move |a| a.facts(&ask)).await?;
    if report.is_none() && facts.is_empty() {
        return Err(ApiError::unknown(format!("call {call}"), LIST));
    }
    Ok(row(app, call, report, &facts))
}

fn row(app: &App, call: CallId, report: Option<WhyReport>, facts: &[Logged]) -> WhyRow {
    let now = (app.doors.clock)();
    let snapshot = app.doors.snapshot.load();
    let view = snapshot.calls.iter().find(|view| view.call == call);
    let visit = snapshot.visits.iter().find(|visit| visit.visit.call == call);
    let last_queue = || facts.iter().rev().find_map(|logged| logged.fact.about.queue.clone());
    let mut decisions = logged(facts);
    let WhyReport { waits, decisions: kept } = report.unwrap_or_default();
    for decision in kept {
        if !decisions.iter().any(|known| known.offer == decision.offer) {
            decisions.push(unlogged(decision));
        }
    }
    WhyRow {
        call,
        place: Some(view.map_or(Place::Ended, |view| view.place)),
        queue: visit.map(|visit| visit.queue.clone()).or_else(|| view?.queue.clone()).or_else(last_queue),
        leaves_ms: visit.and_then(|visit| visit.deadline).map(|deadline| left_ms(now, deadline)),
        callback: visit.is_some_and(|visit| matches!(visit.caller, Caller::Virtual { .. })),
        waits: waits.map(|waits| waiting(waits, now)),
        decisions,
    }
}

fn waiting(waits: Waits, now: Now) -> WaitsRow {
    let Waits { requires, position, score_ms, agents, barred, next, sticky, expected } = waits;
    WaitsRow {
        requires,
        position,
        score_ms,
        agents,
        barred: barred.into_iter().map(|(agent, why)| BarredRow { agent, why }).collect(),
        next: next.map(|(at, change)| NextRow { in_ms: left_ms(now, at), change }),
        sticky: sticky.map(|(agent, until)| StickyRow { agent, left_ms: left_ms(now, until) }),
        expected: expected.map(ExpectedRow::from),
    }
}

/// Offers as the log tells them, each with its end.
fn logged(facts: &[Logged]) -> Vec<DecisionRow> {
    let mut rows: Vec<DecisionRow> = Vec::new();
    for logged in facts {
        let about = &logged.fact.about;
        let Some(offer) = about.offer else { continue };
        let (end, ring_ms) = match &logged.fact.what {
            What::OfferSent { why, .. } => {
                let why = serde_json::from_value::<acd::Why>(why.clone()).ok().map(reason);
                let (agent, queue) = (about.agent.clone(), about.queue.clone());
                rows.push(DecisionRow { offer, agent, queue, at: logged.time(), end: None, cause: None, ring_ms: None, why });
                continue;
            }
            What::OfferAccepted { ring_ms } => (OfferEnd::Accepted, *ring_ms),
            What::OfferRejected { ring_ms } => (OfferEnd::Rejected, *ring_ms),
            What::OfferTimedOut { ring_ms } => (OfferEnd::TimedOut, *ring_ms),
            What::OfferCancelled { ring_ms } => (OfferEnd::Cancelled, *ring_ms),
            What::OfferWithdrawn { ring_ms } => (OfferEnd::Withdrawn, *ring_ms),
            _ => continue,
        };
        if let Some(row) = rows.iter_mut().find(|row| row.offer == offer) {
            (row.end, row.ring_ms, row.cause) = (Some(end), Some(ring_ms), about.cause);
        }
    }
    rows
}

fn unlogged(decision: Decision) -> DecisionRow {
    let Decision { offer, agent, queue, at, why } = decision;
    let (agent, queue) = (Some(agent), Some(queue));
    DecisionRow { offer, agent, queue, at, end: None, cause: None, ring_ms: None, why: Some(reason(why)) }
}

fn reason(why: acd::Why) -> Reason {
    let acd::Why { rule, score_ms, idle, agents, visits, candidates, rivals, let_in } = why;
    let candidate = |c: acd::Candidate| CandidateRow { agent: c.agent, value: c.value, idle_ms: millis(c.idle.into()) };
    let rival = |r: acd::Rival| RivalRow { visit: r.visit, score_ms: r.score_ms };
    Reason {
        rule,
        score_ms,
        idle_ms: millis(idle.into()),
        agents,
        visits,
        candidates: candidates.into_iter().map(candidate).collect(),
        rivals: rivals.into_iter().map(rival).collect(),
        let_in: let_in.map(|by| LetInRow { step: step(&by.step), early: by.early }),
    }
}

fn step(step: &acd::RelaxStep) -> StepRow {
    StepRow { number: step.number, after_ms: millis(step.after), change: step.change.clone() }
}
