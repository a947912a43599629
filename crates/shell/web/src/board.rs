//! What the screens show: the figures of the log, beside what the Centre says of this moment.

use crate::App;
use crate::row::{ExpectedRow, PausedRow, age_ms, left_ms, millis};
use acd::{AgentView, Ask, Caller, Owner, VisitView, Work};
use base::{AgentId, AgentState, CallId, Lang, Now, OfferId, QueueId, Requirement, Skills, VisitId};
use engine::{CallView, Snapshot};
use metrics::{AgentFigures, Figures, QueueFigures};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Everything of one moment, as the wallboard gets it.
#[derive(Serialize)]
pub struct Board {
    /// When this was sent. The ages in the figures are those of their own `at`.
    pub now: String,
    pub site: String,
    /// No new calls are taken.
    pub draining: bool,
    /// What the operator must look at: the figures may stand still meanwhile.
    pub alarms: Vec<String>,
    /// What agents are called, for those who have more than an id.
    pub names: BTreeMap<AgentId, Arc<str>>,
    #[serde(flatten)]
    pub figures: Figures,
}

#[derive(Serialize)]
pub struct QueueRow {
    #[serde(flatten)]
    pub figures: QueueFigures,
    /// Longest waiting first.
    pub visits: Vec<Waiting>,
}

/// One visit that waits, and why it still does.
#[derive(Serialize)]
pub struct Waiting {
    pub visit: VisitId,
    pub call: CallId,
    pub lang: Option<Lang>,
    pub waited_ms: u64,
    /// Waited before, in another visit: it counts in the order of the line.
    pub credit_ms: u64,
    /// Nobody is on the line: the customer will be called.
    pub callback: bool,
    pub requires: Requirement,
    pub priority_s: i64,
    /// The agents' phones that ring for it.
    pub offers: Vec<OfferId>,
    pub expected: Option<ExpectedRow>,
    /// Until it leaves the queue by itself.
    pub left_ms: Option<u64>,
}

#[derive(Serialize)]
pub struct AgentRow {
    #[serde(flatten)]
    pub figures: AgentFigures,
    pub name: Option<Arc<str>>,
    /// What the Centre says of this moment; `null` for one who left the site file today.
    pub live: Option<LiveAgent>,
}

#[derive(Serialize)]
pub struct LiveAgent {
    pub state: AgentState,
    pub in_state_ms: u64,
    pub reachable: bool,
    pub reason: Option<Arc<str>>,
    /// In which call of its own the agent is.
    pub work: Option<Work>,
    pub call: Option<CallId>,
    /// What was asked during a call and waits for its end.
    pub pending: Option<&'static str>,
    /// Who ends the state, and until it ends by itself.
    pub owner: Owner,
    pub left_ms: Option<u64>,
    /// The recording of the agent's conversation is silent.
    pub recording_paused: Option<PausedRow>,
    /// As they count now, whoever set them.
    pub skills: Skills,
}

pub fn board(app: &App) -> Board {
    let snapshot = app.doors.snapshot.load();
    let now = (app.doors.clock)();
    let mut figures = Figures::clone(&app.doors.figures.load());
    figures.agents = with_silent_agents(figures.agents, &snapshot, now);
    figures.queues = with_unseen_queues(figures.queues, app);
    let named = |a: &AgentFigures| Some((a.agent.clone(), app.doors.archive.agent(&a.agent)?.name));
    let names = figures.agents.iter().filter_map(named).collect();
    Board {
        now: now.wall.to_string(),
        site: app.site.clone(),
        draining: snapshot.draining,
        alarms: (app.doors.health)().alarms,
        names,
        figures,
    }
}

pub fn queues(app: &App) -> Vec<QueueRow> {
    let snapshot = app.doors.snapshot.load();
    let now = (app.doors.clock)();
    let figures = with_unseen_queues(app.doors.figures.load().queues.clone(), app);
    figures.into_iter().map(|q| QueueRow { visits: waiting(&snapshot, &q.queue, now), figures: q }).collect()
}

pub fn agents(app: &App) -> Vec<AgentRow> {
    let snapshot = app.doors.snapshot.load();
    let now = (app.doors.clock)();
    let rows = with_silent_agents(app.doors.figures.load().agents.clone(), &snapshot, now);
    let paused = |agent: &AgentId| {
        let talks = |call: &&CallView| call.agent.as_ref() == Some(agent) && call.recording.is_some();
        snapshot.calls.iter().find(talks)?.paused.as_ref().map(|paused| PausedRow::of(paused, now))
    };
    let view = |agent: &AgentId| snapshot.agents.iter().find(|view| view.agent == *agent);
    let live = |agent: &AgentId| view(agent).map(|view| live(view, paused(agent), now));
    let row = |mut figures: AgentFigures| {
        let configured = app.doors.archive.agent(&figures.agent);
        if let Some(configured) = &configured {
            figures.queues = configured.queues.to_vec();
        }
        AgentRow { live: live(&figures.agent), name: configured.map(|c| c.name), figures }
    };
    rows.into_iter().map(row).collect()
}

fn waiting(snapshot: &Snapshot, queue: &QueueId, now: Now) -> Vec<Waiting> {
    let mut visits: Vec<&VisitView> = snapshot.visits.iter().filter(|v| v.queue == *queue).collect();
    visits.sort_by_key(|v| (v.entered, v.visit));
    let lang = |call| snapshot.calls.iter().find(|c| c.call == call).and_then(|c| c.lang);
    let row = |v: &VisitView| Waiting {
        visit: v.visit,
        call: v.visit.call,
        lang: lang(v.visit.call),
        waited_ms: age_ms(now, v.entered),
        credit_ms: millis(v.credit),
        callback: matches!(v.caller, Caller::Virtual { .. }),
        requires: v.requires.clone(),
        priority_s: v.priority_s,
        offers: v.offers.clone(),
        expected: v.expected.map(ExpectedRow::from),
        left_ms: v.deadline.map(|d| left_ms(now, d)),
    };
    visits.into_iter().map(row).collect()
}

fn live(view: &AgentView, recording_paused: Option<PausedRow>, now: Now) -> LiveAgent {
    LiveAgent {
        state: view.state,
        in_state_ms: age_ms(now, view.since),
        reachable: view.reachable,
        reason: view.reason.clone(),
        work: view.work,
        call: view.visit.map(|v| v.call),
        pending: view.pending.as_ref().map(verb),
        owner: view.owner,
        left_ms: view.deadline.map(|d| left_ms(now, d)),
        recording_paused,
        skills: view.skills.clone(),
    }
}

fn verb(ask: &Ask) -> &'static str {
    match ask {
        Ask::LogIn => "log_in",
        Ask::LogOut => "log_out",
        Ask::Ready => "ready",
        Ask::Pause { .. } => "pause",
        Ask::WrapUp => "wrap_up",
        Ask::Code { .. } => "code",
    }
}

/// The figures know a queue from the start of the node or from its first visit on; one that a reload brought stands here
/// with nothing counted.
fn with_unseen_queues(mut rows: Vec<QueueFigures>, app: &App) -> Vec<QueueFigures> {
    for queue in app.doors.archive.queues() {
        if !rows.iter().any(|row| row.queue == queue) {
            rows.push(QueueFigures::nothing(queue));
        }
    }
    rows
}

/// The figures know an agent from the first fact on; the site's others stand here with nothing counted.
fn with_silent_agents(mut rows: Vec<AgentFigures>, snapshot: &Snapshot, now: Now) -> Vec<AgentFigures> {
    let known: BTreeSet<AgentId> = rows.iter().map(|row| row.agent.clone()).collect();
    rows.extend(snapshot.agents.iter().filter(|view| !known.contains(&view.agent)).map(|view| silent(view, now)));
    rows.sort_by(|a, b| a.agent.cmp(&b.agent));
    rows
}

fn silent(view: &AgentView, now: Now) -> AgentFigures {
    let age = now.mono.since(view.since);
    let since = base::Wall(now.wall.0.saturating_sub(i64::try_from(age.as_micros()).unwrap_or(i64::MAX)));
    AgentFigures {
        in_state_ms: age_ms(now, view.since),
        cause: Some(view.cause),
        reason: view.reason.as_deref().map(str::to_string),
        call: view.visit.map(|v| v.call),
        ..AgentFigures::nothing(view.agent.clone(), view.state, since.to_string())
    }
}
