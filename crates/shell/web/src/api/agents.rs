//! Agents, and what they may be asked.

use super::{Answer, id, request};
use crate::App;
use crate::board::{self, AgentRow};
use crate::error::ApiError;
use acd::Ask;
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use base::AgentId;
use engine::{Reply, Request};
use serde::Deserialize;
use std::sync::Arc;

const LIST: &str = "/api/v1/agents";

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
    Path((tenant, name, verb)): Path<(String, String, String)>,
    body: Result<Bytes, axum::extract::rejection::BytesRejection>,
) -> Answer<(StatusCode, Json<Reply>)> {
    let body = body.map_err(|r| ApiError::new(r.status(), r.body_text(), "a body of at most 16 KiB"))?;
    let agent: AgentId = id(&format!("{tenant}/{name}"))?;
    let ask = match verb.as_str() {
        "log-in" => Ask::LogIn,
        "log-out" => Ask::LogOut,
        "ready" => Ask::Ready,
        "pause" => Ask::Pause { reason: reason(&body)? },
        _ => {
            return Err(ApiError::new(
                StatusCode::NOT_FOUND,
                format!("agents know no \"{verb}\""),
                "log-in, log-out, pause or ready",
            ));
        }
    };
    request(&app, Request::Agent { agent, ask }, LIST).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pause {
    reason: String,
}

/// The reason stands in figures and on screens: one line, and short.
fn reason(body: &[u8]) -> Answer<Arc<str>> {
    const EXPECTED: &str = "a JSON body such as {\"reason\": \"lunch\"}, of 1 to 64 characters in one line";
    let pause: Pause =
        serde_json::from_slice(body).map_err(|e| ApiError::bad(format!("the body does not say why: {e}"), EXPECTED))?;
    let reason = pause.reason.trim();
    if reason.is_empty() || reason.chars().count() > 64 || reason.chars().any(char::is_control) {
        return Err(ApiError::bad("that is no reason for a pause", EXPECTED));
    }
    Ok(reason.into())
}
