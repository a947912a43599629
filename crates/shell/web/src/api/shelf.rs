//! Recordings on disk: verified, erased, their keys wrapped anew, and the log of who did it. By id alone (security.md,
//! row 44). What may take long comes as it is done, a line of JSON each.

use super::who::Who;
use super::{Answer, Verbs, asked, id, meant};
use crate::error::ApiError;
use crate::{App, Fault, Looked, Shelf};
use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use base::RecordingId;
use bytes::Bytes;
use futures_util::stream;
use serde::{Deserialize, Serialize};
use std::io;
use std::sync::Arc;
use tokio::sync::mpsc;
use vault::access::Act;

const LINES: (axum::http::HeaderName, &str) = (CONTENT_TYPE, "application/x-ndjson");
/// Lines that wait for a slow reader.
const AHEAD: usize = 64;

pub const VERBS: Verbs<Act> = &[("verify", Act::Verify), ("erase", Act::Erase)];

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Why {
    #[serde(default)]
    why: String,
    /// Also before its minimum has passed.
    #[serde(default)]
    early: bool,
}

/// Asks the shelf off the async threads.
pub async fn shelf<T: Send + 'static, E: Into<Fault> + Send + 'static>(
    app: &Arc<App>,
    ask: impl FnOnce(&dyn Shelf) -> Result<T, E> + Send + 'static,
) -> Answer<T> {
    let shelf = app.doors.shelf.clone();
    let answer = tokio::task::spawn_blocking(move || ask(shelf.as_ref())).await;
    let answer = answer.map_err(|_| Fault::Failed("the shelf panicked".into())).and_then(|answer| answer.map_err(Into::into));
    answer.map_err(ApiError::from)
}

/// What is asked of recordings, as the log of accesses has it.
pub struct Tried {
    pub who: Arc<str>,
    pub act: Act,
    pub recording: String,
    pub why: String,
}

impl Tried {
    pub fn note(&self, shelf: &dyn Shelf) -> Result<(), Fault> {
        Ok(shelf.note(&self.who, self.act, &self.recording, &self.why)?)
    }
}

/// Asks the shelf; what is refused leaves a line that says so (`vault::access`).
pub async fn tried<T: Send + 'static>(
    app: &Arc<App>,
    tried: Tried,
    act: impl FnOnce(&dyn Shelf, &Tried) -> Result<T, Fault> + Send + 'static,
) -> Answer<T> {
    let ask = move |s: &dyn Shelf| {
        let done = act(s, &tried);
        if let Some(refused) = done.as_ref().err().and_then(Fault::refused) {
            s.refused(&tried.who, tried.act, &tried.recording, &tried.why, refused);
        }
        done
    };
    shelf(app, ask).await
}

/// `verify` or `erase` one recording.
pub async fn ask(
    State(app): State<Arc<App>>,
    Path((recording, verb)): Path<(String, String)>,
    Who(who): Who,
    body: asked::Body,
) -> Answer<Json<Looked>> {
    let recording: RecordingId = id(&recording)?;
    let expected = r#"{"why": "asked for by the caller", "early": false}"#;
    let Why { why, early } = if body.is_empty() { Why::default() } else { body.read(expected)? };
    let act = meant("recordings", &verb, VERBS)?;
    if act == Act::Erase && why.trim().is_empty() {
        return Err(ApiError::bad("nothing is erased without a reason", "`why`: a text that is not empty"));
    }
    let archive = app.doors.archive.clone();
    let looked = tried(&app, Tried { who, act, recording: recording.to_string(), why }, move |s, tried| {
        if act == Act::Erase {
            return s.erase(&tried.who, recording, &tried.why, early);
        }
        if archive.recording(recording)?.is_none() {
            return Ok(None);
        }
        tried.note(s)?;
        Ok(s.verify(recording)?)
    });
    let unknown = || ApiError::unknown(format!("recording {recording}"), "/api/v1/recordings");
    looked.await?.map(Json).ok_or_else(unknown)
}

pub async fn verify_all(State(app): State<Arc<App>>, Who(who): Who) -> Answer<Response> {
    shelf(&app, move |s| s.note(&who, Act::Verify, "all", "")).await?;
    Ok(lines(&app, |s, tell| s.verify_all(tell)))
}

pub async fn rekey(State(app): State<Arc<App>>, Who(who): Who) -> Answer<Response> {
    let all = Tried { who, act: Act::Rekey, recording: "all".into(), why: String::new() };
    tried(&app, all, |s, tried| s.may_rekey().and_then(|()| tried.note(s))).await?;
    Ok(lines(&app, |s, tell| s.rekey(tell)))
}

pub async fn accesses(State(app): State<Arc<App>>) -> Answer<Response> {
    let text = shelf(&app, |s| s.accesses()).await?;
    Ok(([LINES], text).into_response())
}

type Tell<'a, T> = &'a mut dyn FnMut(T) -> bool;

/// What `act` tells, as it comes. A failure cuts the connection, so that half an answer is never taken for a whole one.
pub fn lines<T: Serialize>(
    app: &Arc<App>,
    act: impl FnOnce(&dyn Shelf, Tell<'_, T>) -> Result<(), String> + Send + 'static,
) -> Response {
    let (sender, receiver) = mpsc::channel::<io::Result<Bytes>>(AHEAD);
    let shelf = app.doors.shelf.clone();
    tokio::task::spawn_blocking(move || {
        let mut tell = |looked: T| {
            let line = serde_json::to_string(&looked).map(|line| Bytes::from(line + "\n"));
            // Nobody reads any more: enough.
            sender.blocking_send(line.map_err(io::Error::other)).is_ok()
        };
        if let Err(reason) = act(shelf.as_ref(), &mut tell) {
            tracing::error!(reason, "the recordings on disk cannot be gone through");
            let _ = sender.blocking_send(Err(io::Error::other(reason)));
        }
    });
    let body = stream::unfold(receiver, |mut receiver| async move { receiver.recv().await.map(|line| (line, receiver)) });
    ([LINES], Body::from_stream(body)).into_response()
}
