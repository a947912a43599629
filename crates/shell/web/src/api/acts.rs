//! What may be done to a call.

use super::asked::{Body, line};
use super::who::Who;
use super::{Answer, Verbs, id, meant, request};
use crate::App;
use crate::error::ApiError;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use base::fact::Monitor;
use base::{AgentId, CallId, Pii, QueueId};
use engine::{Reply, Request, Target};
use serde::Deserialize;
use std::sync::Arc;

const LIST: &str = "/api/v1/calls";
type Act = fn(CallId, &Body) -> Answer<Request>;

pub const VERBS: Verbs<Act> = &[
    ("hang-up", |call, _| Ok(Request::HangUp { call })),
    ("transfer", |call, body| Ok(Request::Transfer { call, to: target(body)? })),
    ("consult", |call, body| Ok(Request::Consult { call, to: target(body)? })),
    ("complete", |call, _| Ok(Request::CompleteTransfer { call })),
    ("end-consult", |call, _| Ok(Request::EndConsult { call })),
    ("conference", |call, _| Ok(Request::Conference { call })),
    ("monitor", monitor),
    ("stop-monitor", |call, body| Ok(Request::StopMonitor { call, supervisor: supervisor(body)? })),
    ("take-over", |call, body| Ok(Request::TakeOver { call, supervisor: supervisor(body)? })),
    ("move", |call, body| Ok(Request::Move { call, queue: queue(body)? })),
    ("prioritise", |call, body| Ok(Request::Prioritise { call, priority_s: priority(body)? })),
    ("cancel-callback", |call, _| Ok(Request::CancelCallback { call })),
    ("pause-recording", pause),
    ("resume-recording", |call, _| Ok(Request::ResumeRecording { call })),
];

pub async fn ask(
    State(app): State<Arc<App>>,
    who: Who,
    Path((call, verb)): Path<(String, String)>,
    body: Body,
) -> Answer<(StatusCode, Json<Reply>)> {
    let call: CallId = id(&call)?;
    let act = meant("calls", &verb, VERBS)?;
    request(&app, who, act(call, &body)?, LIST).await
}

fn monitor(call: CallId, body: &Body) -> Answer<Request> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Monitors {
        supervisor: AgentId,
        mode: Monitor,
    }
    const EXPECTED: &str = r#"{"supervisor": "acme/sup", "mode": "listen"}; or "whisper", "barge""#;
    let Monitors { supervisor, mode } = body.read(EXPECTED)?;
    Ok(Request::Monitor { call, supervisor, mode })
}

fn queue(body: &Body) -> Answer<QueueId> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct To {
        queue: QueueId,
    }
    Ok(body.read::<To>(r#"{"queue": "acme/billing"}"#)?.queue)
}

fn supervisor(body: &Body) -> Answer<AgentId> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct By {
        supervisor: AgentId,
    }
    Ok(body.read::<By>(r#"{"supervisor": "acme/sup"}"#)?.supervisor)
}

/// For two minutes and a card, unless it is said for how long and why.
fn pause(call: CallId, body: &Body) -> Answer<Request> {
    #[derive(Default, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Pause {
        cause: Option<String>,
        seconds: Option<u16>,
    }
    const EXPECTED: &str = r#"{"cause": "card", "seconds": 120}, up to an hour; the cause is a short line"#;
    let Pause { cause, seconds } = if body.is_empty() { Pause::default() } else { body.read(EXPECTED)? };
    let cause = line(cause.as_deref().unwrap_or("card")).ok_or_else(|| ApiError::bad("that is no cause", EXPECTED))?.into();
    Ok(Request::PauseRecording { call, cause, for_s: seconds.unwrap_or(120) })
}

/// More than a day either way is a slip.
fn priority(body: &Body) -> Answer<i64> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Priority {
        priority_s: i64,
    }
    const EXPECTED: &str = r#"{"priority_s": 60}, from -86400 to 86400"#;
    let priority = body.read::<Priority>(EXPECTED)?.priority_s;
    let fits = (-86_400..=86_400).contains(&priority);
    if fits { Ok(priority) } else { Err(ApiError::bad("that is no priority in seconds", EXPECTED)) }
}

/// Where a call goes.
pub fn target(body: &Body) -> Answer<Target> {
    #[derive(Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Given {
        Queue(QueueId),
        Agent(AgentId),
        Number(String),
    }
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Goes {
        to: Given,
    }
    const EXPECTED: &str =
        r#"{"to": {"queue": "acme/billing"}}, {"to": {"agent": "acme/ana"}} or {"to": {"number": "+525550001000"}}"#;
    match body.read::<Goes>(EXPECTED)?.to {
        Given::Queue(queue) => Ok(Target::Queue(queue)),
        Given::Agent(agent) => Ok(Target::Agent(agent)),
        Given::Number(number) if is_number(&number) => Ok(Target::Number(Pii::new(Arc::from(number)))),
        Given::Number(_) => Err(ApiError::bad("that number cannot be dialled: 2 to 20 digits, perhaps after a +", EXPECTED)),
    }
}

/// Digits alone: nothing that a dial string could hide in (security.md, row 37).
fn is_number(number: &str) -> bool {
    let digits = number.strip_prefix('+').unwrap_or(number);
    (2..=20).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit())
}
