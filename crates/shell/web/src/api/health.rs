//! Whether a person should look at this node.

use crate::App;
use crate::row;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use base::Wall;
use engine::Breach;
use serde::Serialize;
use std::sync::Arc;

#[derive(Serialize)]
pub struct Row {
    /// `ok`, `draining` or `alarm`; only the first comes with a 200.
    status: &'static str,
    version: String,
    site: String,
    epoch: u32,
    #[serde(serialize_with = "row::time")]
    started: Wall,
    up_ms: u64,
    calls: usize,
    invariant_breaches: u64,
    last_breaches: Vec<Breach>,
    alarms: Vec<String>,
}

pub async fn show(State(app): State<Arc<App>>) -> (StatusCode, Json<Row>) {
    let health = (app.doors.health)();
    let snapshot = app.doors.snapshot.load();
    let (status, code) = match (health.alarms.is_empty() && health.breaches == 0, snapshot.draining) {
        (false, _) => ("alarm", StatusCode::SERVICE_UNAVAILABLE),
        (true, true) => ("draining", StatusCode::SERVICE_UNAVAILABLE),
        (true, false) => ("ok", StatusCode::OK),
    };
    let up = (app.doors.clock)().wall.since(health.started);
    let row = Row {
        status,
        version: health.version,
        site: app.site.clone(),
        epoch: snapshot.epoch,
        started: health.started,
        up_ms: u64::try_from(up.as_millis()).unwrap_or(u64::MAX),
        calls: snapshot.calls.len(),
        invariant_breaches: health.breaches,
        last_breaches: health.last_breaches,
        alarms: health.alarms,
    };
    (code, Json(row))
}
