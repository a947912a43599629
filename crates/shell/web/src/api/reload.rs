//! Reading the site file and its flows again.

use super::who::Who;
use crate::App;
use crate::doors::{NotReloaded, Reloaded};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

/// 200 with what counts now, or 409 with why the old configuration stays.
pub async fn reload(State(app): State<Arc<App>>, Who(who): Who) -> Response {
    let reload = app.doors.reload.clone();
    let panicked = || NotReloaded {
        error: "the reload met a fault of the node".into(),
        expected: "a bug report".into(),
        findings: Vec::new(),
    };
    let answer: Result<Reloaded, NotReloaded> =
        tokio::task::spawn_blocking(move || reload.reload(&who)).await.unwrap_or_else(|_| Err(panicked()));
    match answer {
        Ok(reloaded) => Json(reloaded).into_response(),
        Err(refused) => (StatusCode::CONFLICT, Json(refused)).into_response(),
    }
}
