//! `/api/v1`: one file for each thing it speaks of.

mod acts;
mod agents;
mod asked;
mod calls;
mod events;
mod figures;
mod health;
mod queues;
mod recordings;
mod reload;
mod retention;
mod shelf;
mod stream;
mod tickets;
mod who;
mod why;

use crate::App;
use crate::Fault;
use crate::error::ApiError;
use asked::Asked;
use axum::Router;
use axum::http::StatusCode;
use axum::routing::{get, post};
use base::id::BadId;
use engine::{Reply, Request};
use std::str::FromStr;
use std::sync::Arc;
use who::Who;

pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/queues", get(queues::list))
        .route("/queues/{tenant}/{name}", get(queues::show))
        .route("/queues/{tenant}/{name}/why", get(why::queue))
        .route("/queues/{tenant}/{name}/{verb}", post(queues::ask))
        .route("/agents", get(agents::list))
        .route("/agents/{tenant}/{name}", get(agents::show))
        .route("/agents/{tenant}/{name}/{verb}", post(agents::ask))
        .route("/calls", get(calls::list))
        .route("/calls/{id}", get(calls::show))
        .route("/calls/{id}/why", get(why::call))
        .route("/calls/{id}/{verb}", post(acts::ask))
        .route("/events", get(events::list))
        .route("/events/stream", get(events::stream))
        .route("/tickets", get(tickets::list))
        .route("/tickets/{number}", get(tickets::show))
        .route("/recordings", get(recordings::list))
        .route("/recordings/{id}", get(recordings::show))
        .route("/recordings/{id}/audio", get(recordings::audio))
        .route("/recordings/{id}/{verb}", post(shelf::ask))
        .route("/recordings/verify", post(shelf::verify_all))
        .route("/recordings/orphans", get(retention::orphans))
        .route("/recordings/retention", get(retention::plan))
        .route("/recordings/holds", get(retention::holds))
        .route("/recordings/hold", post(retention::hold))
        .route("/recordings/release", post(retention::release))
        .route("/recordings/accept", post(retention::accept))
        .route("/recordings/rekey", post(shelf::rekey))
        .route("/recordings/accesses", get(shelf::accesses))
        .route("/figures", get(figures::show))
        .route("/figures/stream", get(figures::stream))
        .route("/definitions", get(figures::definitions))
        .route("/reload", post(reload::reload))
        .route("/health", get(health::show))
}

type Answer<T> = Result<T, ApiError>;

/// A part of the path, as the id it should be.
fn id<T: FromStr<Err = BadId>>(text: &str) -> Answer<T> {
    text.parse().map_err(|bad: BadId| ApiError::bad(format!("\"{}\" is no id here", bad.found), bad.expected))
}

/// How many rows an answer may have.
fn limit(asked: Option<usize>) -> Answer<usize> {
    const MOST: usize = 1000;
    match asked.unwrap_or(100) {
        n @ 1..=MOST => Ok(n),
        n => Err(ApiError::bad(format!("limit={n}"), format!("limit from 1 to {MOST}"))),
    }
}

/// Asks the archive, off the async threads.
async fn archive<T: Send + 'static, E: Into<Fault> + Send + 'static>(
    app: &Arc<App>,
    ask: impl FnOnce(&dyn crate::Archive) -> Result<T, E> + Send + 'static,
) -> Answer<T> {
    let archive = app.doors.archive.clone();
    let answer = tokio::task::spawn_blocking(move || ask(archive.as_ref())).await;
    let answer = answer.map_err(|_| Fault::Failed("the archive panicked".into())).and_then(|answer| answer.map_err(Into::into));
    answer.map_err(ApiError::from)
}

/// Hands a request to the Centre and turns its reply into a status.
async fn request(app: &App, who: Who, request: Request, listed_at: &str) -> Answer<(StatusCode, axum::Json<Reply>)> {
    match reply(app, who, request).await? {
        reply @ (Reply::Done | Reply::Why(_)) => Ok((StatusCode::OK, axum::Json(reply))),
        reply @ Reply::Pending => Ok((StatusCode::ACCEPTED, axum::Json(reply))),
        Reply::Unknown { what } => Err(ApiError::unknown(what.as_ref(), listed_at)),
        Reply::Refused { why } => {
            Err(ApiError::new(StatusCode::CONFLICT, why.as_ref(), "a request that makes sense in this state"))
        }
    }
}

async fn reply(app: &App, who: Who, request: Request) -> Answer<Reply> {
    let gone = || ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "the centre takes no request now", "another try in a while");
    app.doors.ask.ask(who.0, request).await.map_err(|_| gone())
}
