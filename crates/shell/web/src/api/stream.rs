//! Server-sent events: what both streams share.

use crate::App;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::Stream;
use std::convert::Infallible;
use std::time::Duration;

/// A stream that proxies don't hold back and that says something at least each 10 s.
pub fn answer(stream: impl Stream<Item = Result<Event, Infallible>> + Send + 'static) -> Response {
    let keep_alive = KeepAlive::new().interval(Duration::from_secs(10));
    ([("x-accel-buffering", "no")], Sse::new(stream).keep_alive(keep_alive)).into_response()
}

/// Done once the node ends.
pub async fn closed(app: &App) {
    let mut closed = app.closed.clone();
    // An error means that the server is gone already.
    let _ = closed.wait_for(|closed| *closed).await;
}
