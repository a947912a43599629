//! Queues, now and today, and whether they are open.

use super::who::Who;
use super::{Answer, Verbs, id, meant, request};
use crate::App;
use crate::board::{self, QueueRow};
use crate::error::ApiError;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use base::QueueId;
use engine::{Reply, Request};
use std::sync::Arc;

pub const LIST: &str = "/api/v1/queues";
/// Open whatever its hours say, closed whatever they say, or by them.
pub const VERBS: Verbs<Option<bool>> = &[("open", Some(true)), ("close", Some(false)), ("follow-hours", None)];

pub async fn list(State(app): State<Arc<App>>) -> Json<Vec<QueueRow>> {
    Json(board::queues(&app))
}

pub async fn show(State(app): State<Arc<App>>, Path((tenant, name)): Path<(String, String)>) -> Answer<Json<QueueRow>> {
    let queue: QueueId = id(&format!("{tenant}/{name}"))?;
    let row = board::queues(&app).into_iter().find(|row| row.figures.queue == queue);
    row.map(Json).ok_or_else(|| ApiError::unknown(format!("queue {queue}"), LIST))
}

/// Open or closed whatever its hours say, until it is asked to follow them again or the node restarts.
pub async fn ask(
    State(app): State<Arc<App>>,
    who: Who,
    Path((tenant, name, verb)): Path<(String, String, String)>,
) -> Answer<(StatusCode, Json<Reply>)> {
    let queue: QueueId = id(&format!("{tenant}/{name}"))?;
    let open = meant("queues", &verb, VERBS)?;
    request(&app, who, Request::SetOpen { queue, open }, LIST).await
}
