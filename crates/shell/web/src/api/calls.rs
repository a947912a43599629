//! Calls: those that live from the snapshot, those that ended from the log.

use super::{Answer, archive, id};
use crate::error::ApiError;
use crate::row::{ExpectedRow, PausedRow, age_ms, left_ms};
use crate::{App, FactsAsk, Party, RecordingRow, RecordingsAsk, TicketsAsk};
use axum::Json;
use axum::extract::{Path, State};
use base::fact::{Consent, ConsentBy, Direction, Excluded, Logged, Monitor, What};
use base::quality::{LegQuality, Side};
use base::{AgentId, CallId, Cause, Lang, LegId, Now, PartyId, QueueId, RecordingId, Tenant, VisitId};
use engine::{CallView, Place};
use serde::Serialize;
use serde_json::Value;
use std::sync::Arc;
use tickets::Ticket;

const LIST: &str = "/api/v1/calls";
/// More facts than any call should have.
const FACTS: usize = 1000;

/// One call. `caller` is personal data, for the reader who was let in.
#[derive(Default, Serialize)]
pub struct CallRow {
    call: Option<CallId>,
    tenant: Option<Tenant>,
    direction: Option<Direction>,
    place: Option<Place>,
    in_place_ms: Option<u64>,
    arrived: String,
    age_ms: Option<u64>,
    ended: Option<String>,
    cause: Option<Cause>,
    lang: Option<Lang>,
    party: Option<PartyId>,
    caller: Option<Arc<str>>,
    name: Option<Arc<str>>,
    number: Option<Arc<str>>,
    queue: Option<QueueId>,
    visit: Option<VisitId>,
    agent: Option<AgentId>,
    recording: Option<RecordingId>,
    /// Silence in it, and until when.
    recording_paused: Option<PausedRow>,
    /// By which policy its last conversation is recorded, or is not.
    policy: Option<String>,
    excluded: Option<Excluded>,
    /// What the caller said to being recorded, and how.
    consent: Option<ConsentRow>,
    held: bool,
    /// Who is consulted or was joined: `agent/NAME`, `queue/NAME` or `number`.
    third: Option<Arc<str>>,
    /// Supervisors who take part.
    monitors: Vec<Monitoring>,
    expected: Option<ExpectedRow>,
    /// What ends this place by itself, and in how long.
    waits_for: Option<Arc<str>>,
    left_ms: Option<u64>,
}

#[derive(Serialize)]
pub struct ConsentRow {
    answer: &'static str,
    by: ConsentBy,
}

impl From<Consent> for ConsentRow {
    fn from(consent: Consent) -> ConsentRow {
        ConsentRow { answer: consent.name(), by: consent.by }
    }
}

#[derive(Serialize)]
pub struct Monitoring {
    supervisor: AgentId,
    mode: Monitor,
}

/// A call with all that hangs on it.
#[derive(Serialize)]
pub struct Joined {
    #[serde(flatten)]
    row: CallRow,
    tickets: Vec<Ticket>,
    recordings: Vec<RecordingRow>,
    /// Legs that closed and had carried audio, and those that are open as of their last report.
    legs: Vec<LegRow>,
    events: Vec<Value>,
}

/// What one leg sounded like. `side` and `agent` are known once it has closed.
#[derive(Serialize)]
pub struct LegRow {
    leg: Option<LegId>,
    open: bool,
    side: Option<Side>,
    agent: Option<AgentId>,
    #[serde(flatten)]
    quality: LegQuality,
}

pub async fn list(State(app): State<Arc<App>>) -> Json<Vec<CallRow>> {
    let now = (app.doors.clock)();
    Json(app.doors.snapshot.load().calls.iter().map(|view| live(view, now)).collect())
}

pub async fn show(State(app): State<Arc<App>>, Path(call): Path<String>) -> Answer<Json<Joined>> {
    let call: CallId = id(&call)?;
    let facts = FactsAsk { limit: FACTS, call: Some(call), ..FactsAsk::default() };
    let (facts, tickets, recordings) = archive(&app, move |a| {
        let tickets = a.tickets(&TicketsAsk { call: Some(call), limit: 100, ..TicketsAsk::default() })?;
        let recordings = a.recordings(&RecordingsAsk { call: Some(call), limit: 100, ..RecordingsAsk::default() })?;
        Ok::<_, String>((a.facts(&facts)?, tickets, recordings))
    })
    .await?;
    let now = (app.doors.clock)();
    let view = app.doors.snapshot.load().calls.iter().find(|view| view.call == call).map(|view| live(view, now));
    let mut row = view.or_else(|| past(&facts)).ok_or_else(|| ApiError::unknown(format!("call {call}"), LIST))?;
    decided(&mut row, &facts);
    if let Some(party) = party(&app, &row).await? {
        let said = |text: &Arc<str>| (!text.is_empty()).then(|| text.clone());
        row.caller = row.caller.take().or_else(|| said(party.number.reveal()));
        row.name = said(party.name.reveal());
    }
    let events = facts.iter().map(|l| l.cloud_event(&app.source)).collect();
    let legs = legs(&facts, (app.doors.quality)(call));
    Ok(Json(Joined { row, tickets, recordings, legs, events }))
}

fn legs(facts: &[Logged], open: Vec<(LegId, LegQuality)>) -> Vec<LegRow> {
    let closed = facts.iter().filter_map(|logged| match &logged.fact.what {
        What::LegClosed { side, quality } => {
            let (leg, agent) = (logged.fact.about.leg, logged.fact.about.agent.clone());
            Some(LegRow { leg, open: false, side: Some(*side), agent, quality: LegQuality::clone(quality) })
        }
        _ => None,
    });
    let mut rows: Vec<LegRow> = closed.collect();
    for (leg, quality) in open {
        // Its fact may be here before the door has heard of its end.
        if !rows.iter().any(|row| row.leg == Some(leg)) {
            rows.push(LegRow { leg: Some(leg), open: true, side: None, agent: None, quality });
        }
    }
    rows.sort_by_key(|row| row.leg);
    rows
}

async fn party(app: &Arc<App>, row: &CallRow) -> Answer<Option<Party>> {
    let (Some(tenant), Some(party)) = (row.tenant.clone(), row.party) else { return Ok(None) };
    archive(app, move |a| a.party(&tenant, party)).await
}

fn live(view: &CallView, now: Now) -> CallRow {
    CallRow {
        call: Some(view.call),
        tenant: Some(view.tenant.clone()),
        direction: Some(view.direction),
        place: Some(view.place),
        in_place_ms: Some(age_ms(now, view.since.mono)),
        arrived: view.arrived.to_string(),
        age_ms: u64::try_from(now.wall.since(view.arrived).as_millis()).ok(),
        lang: view.lang,
        party: view.party,
        caller: (!view.caller.reveal().is_empty()).then(|| view.caller.reveal().clone()),
        number: Some(view.number.clone()),
        queue: view.queue.clone(),
        visit: view.visit,
        agent: view.agent.clone(),
        recording: view.recording,
        recording_paused: view.paused.as_ref().map(|paused| PausedRow::of(paused, now)),
        consent: view.consent.map(ConsentRow::from),
        held: view.held,
        third: view.third.clone(),
        monitors: view.monitors.iter().map(|(who, mode)| Monitoring { supervisor: who.clone(), mode: *mode }).collect(),
        expected: view.expected.map(ExpectedRow::from),
        waits_for: (!view.waits_for.is_empty()).then(|| view.waits_for.clone()),
        left_ms: view.deadline.map(|d| left_ms(now, d)),
        ..CallRow::default()
    }
}

/// What was decided of its last conversation, live or over.
fn decided(row: &mut CallRow, facts: &[Logged]) {
    let last = facts.iter().rev().find_map(|logged| match &logged.fact.what {
        What::RecordingOwed { policy } => Some((policy, None)),
        What::RecordingExcluded { reason, policy } => Some((policy, Some(*reason))),
        _ => None,
    });
    let Some((policy, excluded)) = last else { return };
    row.policy = (!policy.is_empty()).then(|| policy.clone());
    row.excluded = excluded;
}

/// A call that is over, as its facts tell it: of each field the last word. `None` without facts.
fn past(facts: &[Logged]) -> Option<CallRow> {
    let first = facts.first()?;
    let mut row = CallRow { arrived: first.time().to_string(), ..CallRow::default() };
    for logged in facts {
        let about = &logged.fact.about;
        row.call = about.call.or(row.call);
        row.tenant = about.tenant.clone().or(row.tenant);
        row.lang = about.lang.or(row.lang);
        row.party = about.party.or(row.party);
        row.queue = about.queue.clone().or(row.queue);
        row.visit = about.visit.or(row.visit);
        row.agent = about.agent.clone().or(row.agent);
        match &logged.fact.what {
            What::CallArrived { direction, number, .. } => {
                row.direction = Some(*direction);
                row.number = Some(number.as_str().into());
            }
            What::RecordingStarted { recording } => row.recording = Some(*recording),
            What::ConsentAccepted { by, .. } => row.consent = Some(Consent { given: true, by: *by }.into()),
            What::ConsentRefused { by, .. } => row.consent = Some(Consent { given: false, by: *by }.into()),
            What::CallEnded { .. } | What::CallRejected { .. } => {
                row.ended = Some(logged.time().to_string());
                row.cause = about.cause;
                row.place = Some(Place::Ended);
            }
            _ => {}
        }
    }
    Some(row)
}
