//! Queues, now and today.

use super::{Answer, id};
use crate::App;
use crate::board::{self, QueueRow};
use crate::error::ApiError;
use axum::Json;
use axum::extract::{Path, State};
use base::QueueId;
use std::sync::Arc;

pub async fn list(State(app): State<Arc<App>>) -> Json<Vec<QueueRow>> {
    Json(board::queues(&app))
}

pub async fn show(State(app): State<Arc<App>>, Path((tenant, name)): Path<(String, String)>) -> Answer<Json<QueueRow>> {
    let queue: QueueId = id(&format!("{tenant}/{name}"))?;
    let row = board::queues(&app).into_iter().find(|row| row.figures.queue == queue);
    row.map(Json).ok_or_else(|| ApiError::unknown(format!("queue {queue}"), "/api/v1/queues"))
}
