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
use axum::handler::Handler;
use axum::http::StatusCode;
use axum::routing::{MethodRouter, get, post};
use axum::{Json, Router};
use base::id::BadId;
use engine::{Reply, Request};
use serde::Serialize;
use std::str::FromStr;
use std::sync::Arc;
use who::Who;

/// A row of the API. `API.md` describes each.
struct Route {
    method: &'static str,
    /// Below `/api/v1`.
    path: &'static str,
    /// What may stand for `{verb}`.
    verbs: Vec<&'static str>,
    answers: MethodRouter<Arc<App>>,
}

fn table() -> Vec<Route> {
    vec![
        reads("/", index),
        reads("/queues", queues::list),
        reads("/queues/{tenant}/{name}", queues::show),
        reads("/queues/{tenant}/{name}/why", why::queue),
        verbs("/queues/{tenant}/{name}/{verb}", queues::VERBS, queues::ask),
        reads("/agents", agents::list),
        reads("/agents/{tenant}/{name}", agents::show),
        verbs("/agents/{tenant}/{name}/{verb}", agents::VERBS, agents::ask),
        reads("/calls", calls::list),
        reads("/calls/{id}", calls::show),
        reads("/calls/{id}/why", why::call),
        verbs("/calls/{id}/{verb}", acts::VERBS, acts::ask),
        reads("/events", events::list),
        reads("/events/stream", events::stream),
        reads("/tickets", tickets::list),
        reads("/tickets/{number}", tickets::show),
        reads("/recordings", recordings::list),
        reads("/recordings/{id}", recordings::show),
        reads("/recordings/{id}/audio", recordings::audio),
        verbs("/recordings/{id}/{verb}", shelf::VERBS, shelf::ask),
        acts("/recordings/verify", shelf::verify_all),
        reads("/recordings/orphans", retention::orphans),
        reads("/recordings/retention", retention::plan),
        reads("/recordings/holds", retention::holds),
        acts("/recordings/hold", retention::hold),
        acts("/recordings/release", retention::release),
        acts("/recordings/accept", retention::accept),
        acts("/recordings/rekey", shelf::rekey),
        reads("/recordings/accesses", shelf::accesses),
        reads("/figures", figures::show),
        reads("/figures/stream", figures::stream),
        reads("/definitions", figures::definitions),
        acts("/reload", reload::reload),
        reads("/health", health::show),
    ]
}

pub(crate) fn routes() -> Router<Arc<App>> {
    table().into_iter().fold(Router::new(), |router, route| router.route(route.path, route.answers))
}

/// A route as a client writes it.
#[derive(Serialize)]
struct Listed {
    method: &'static str,
    path: String,
}

async fn index() -> Json<Vec<Listed>> {
    let whole = |path: &str| format!("/api/v1{}", path.trim_end_matches('/'));
    let listed = |Route { method, path, verbs, .. }: Route| match &verbs[..] {
        [] => vec![Listed { method, path: whole(path) }],
        _ => verbs.iter().map(|verb| Listed { method, path: whole(&path.replace("{verb}", verb)) }).collect(),
    };
    Json(table().into_iter().flat_map(listed).collect())
}

fn reads<T: 'static, H: Handler<T, Arc<App>>>(path: &'static str, handler: H) -> Route {
    Route { method: "GET", path, verbs: Vec::new(), answers: get(handler) }
}

fn acts<T: 'static, H: Handler<T, Arc<App>>>(path: &'static str, handler: H) -> Route {
    verbs::<_, (), _>(path, &[], handler)
}

/// Each verb, and what it stands for.
type Verbs<V> = &'static [(&'static str, V)];

fn verbs<T: 'static, V, H: Handler<T, Arc<App>>>(path: &'static str, verbs: Verbs<V>, handler: H) -> Route {
    Route { method: "POST", path, verbs: verbs.iter().map(|(name, _)| *name).collect(), answers: post(handler) }
}

/// What a verb stands for.
fn meant<V: Copy>(whose: &str, verb: &str, verbs: Verbs<V>) -> Answer<V> {
    let unknown = || {
        let names: Vec<&str> = verbs.iter().map(|(name, _)| *name).collect();
        let expected = names.split_last().map(|(last, first)| format!("{} or {last}", first.join(", ")));
        ApiError::new(StatusCode::NOT_FOUND, format!("{whose} know no \"{verb}\""), expected.unwrap_or_default())
    };
    verbs.iter().find(|(name, _)| *name == verb).map(|(_, meaning)| *meaning).ok_or_else(unknown)
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
