//! Agents, and what they may be asked.

use super::asked::{Body, line};
use super::who::Who;
use super::{Answer, Verbs, acts, id, meant, request};
use crate::App;
use crate::board::{self, AgentRow};
use crate::error::ApiError;
use acd::Ask;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use base::{AgentId, Requirement, Skill, Skills};
use engine::{Reply, Request};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::Arc;

const LIST: &str = "/api/v1/agents";

type Act = fn(AgentId, &Body) -> Answer<Request>;

pub const VERBS: Verbs<Act> = &[
    ("log-in", |agent, _| Ok(Request::Agent { agent, ask: Ask::LogIn })),
    ("log-out", |agent, _| Ok(Request::Agent { agent, ask: Ask::LogOut })),
    ("pause", |agent, body| Ok(Request::Agent { agent, ask: Ask::Pause { reason: reason(body)? } })),
    ("ready", |agent, _| Ok(Request::Agent { agent, ask: Ask::Ready })),
    ("wrap-up", |agent, _| Ok(Request::Agent { agent, ask: Ask::WrapUp })),
    ("code", |agent, body| Ok(Request::Agent { agent, ask: Ask::Code { code: code(body)? } })),
    ("desk", |agent, body| Ok(Request::Desk { agent, open: open(body)? })),
    ("dial", |agent, body| Ok(Request::Dial { agent, to: acts::target(body)? })),
    ("skills", |agent, body| Ok(Request::SetSkills { agent, skills: skills(body)? })),
];

pub async fn list(State(app): State<Arc<App>>) -> Json<Vec<AgentRow>> {
    Json(board::agents(&app))
}

pub async fn show(State(app): State<Arc<App>>, Path((tenant, name)): Path<(String, String)>) -> Answer<Json<AgentRow>> {
    let agent: AgentId = id(&format!("{tenant}/{name}"))?;
    let row = board::agents(&app).into_iter().find(|row| row.figures.agent == agent);
    row.map(Json).ok_or_else(|| ApiError::unknown(format!("agent {agent}"), LIST))
}

pub async fn ask(
    State(app): State<Arc<App>>,
    who: Who,
    Path((tenant, name, verb)): Path<(String, String, String)>,
    body: Body,
) -> Answer<(StatusCode, Json<Reply>)> {
    let agent: AgentId = id(&format!("{tenant}/{name}"))?;
    let act = meant("agents", &verb, VERBS)?;
    request(&app, who, act(agent, &body)?, LIST).await
}

/// Without a body, or without a reason in it, none is given: whether that will do is the tenant's affair.
fn reason(body: &Body) -> Answer<Arc<str>> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Pause {
        reason: Option<String>,
    }
    const EXPECTED: &str = "{\"reason\": \"lunch\"}, of 1 to 64 characters in one line";
    let reason = if body.is_empty() { None } else { body.read::<Pause>(EXPECTED)?.reason };
    let Some(reason) = reason else { return Ok("".into()) };
    line(&reason).map(Into::into).ok_or_else(|| ApiError::bad("that is no reason for a pause", EXPECTED))
}

/// A desk says each 10 s or so that it is there, without a body; `{"open": false}` when it is left on purpose.
fn open(body: &Body) -> Answer<bool> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Desk {
        open: bool,
    }
    if body.is_empty() { Ok(true) } else { Ok(body.read::<Desk>("{\"open\": false}, or nothing at all")?.open) }
}

fn code(body: &Body) -> Answer<Arc<str>> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Coded {
        code: String,
    }
    const EXPECTED: &str = "{\"code\": \"solved\"}, of 1 to 64 characters in one line";
    line(&body.read::<Coded>(EXPECTED)?.code).map(Into::into).ok_or_else(|| ApiError::bad("that is no code", EXPECTED))
}

/// Skills instead of the site file's; `null` brings those back.
fn skills(body: &Body) -> Answer<Option<Skills>> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Skilled {
        skills: Option<BTreeMap<String, u8>>,
    }
    const EXPECTED: &str = "{\"skills\": {\"lang:es\": 9}}, levels 1 to 10, or {\"skills\": null} for those of the site file";
    let Some(skills) = body.read::<Skilled>(EXPECTED)?.skills else { return Ok(None) };
    let one = |(name, level): (String, u8)| {
        // A skill is written as in a requirement, so that it can be asked for.
        let asked: Requirement = name.parse().ok()?;
        let fits = asked.needs().len() == 1 && !name.contains(['>', ' ']) && (1..=10).contains(&level);
        fits.then(|| (Skill::new(&name), level))
    };
    let read: Option<Skills> = skills.into_iter().map(one).collect();
    read.map(Some).ok_or_else(|| ApiError::bad("these are no skills with levels", EXPECTED))
}
