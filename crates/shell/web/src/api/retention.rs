//! How long recordings are kept: the plan, and the holds that keep from it.

use super::asked::Body;
use super::shelf::{Tried, lines, shelf, tried};
use super::who::Who;
use super::{Answer, Asked, archive, id, recordings};
use crate::error::ApiError;
use crate::{Accept, App, HoldAsk, HoldRow, Named};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use recording::retention::RELEASED;
use serde::Deserialize;
use std::sync::Arc;
use vault::access::Act;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ahead {
    /// Those that go within so many days are told one by one; 0 if it is not there: those of the next round.
    days: Option<u32>,
}

/// Lines of JSON: recordings that go, oldest first, and at the end the plan.
pub async fn plan(State(app): State<Arc<App>>, Asked(asked): Asked<Ahead>) -> Answer<Response> {
    let days = asked.days.unwrap_or(0);
    Ok(lines(&app, move |s, tell| s.plan(days, tell)))
}

/// Which recordings, and why.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Hold {
    recording: Option<String>,
    tenant: Option<String>,
    queue: Option<String>,
    agent: Option<String>,
    caller: Option<String>,
    from: Option<String>,
    to: Option<String>,
    #[serde(default)]
    why: String,
}

pub async fn hold(State(app): State<Arc<App>>, Who(who): Who, body: Body) -> Answer<(StatusCode, Json<HoldRow>)> {
    let asked: Hold = body.read(r#"{"queue": "acme/soporte", "why": "a court"}"#)?;
    let (from, to) = recordings::between(&app, asked.from.as_deref(), asked.to.as_deref())?;
    let ask = HoldAsk {
        recording: asked.recording.as_deref().map(id).transpose()?,
        tenant: asked.tenant.as_deref().map(id).transpose()?,
        queue: asked.queue.as_deref().map(id).transpose()?,
        agent: asked.agent.as_deref().map(id).transpose()?,
        caller: asked.caller.as_deref().map(recordings::number).transpose()?,
        from,
        to,
    };
    if ask == HoldAsk::default() {
        return Err(ApiError::bad(
            "nothing says what is to be held",
            "one or more of `recording`, `tenant`, `queue`, `agent`, `caller`, `from`, `to`",
        ));
    }
    let why = reason(asked.why)?;
    let named = Named { tenant: ask.tenant.clone(), queue: ask.queue.clone(), agent: ask.agent.clone(), lang: None };
    let strangers = archive(&app, move |a| a.strangers(&named)).await?;
    if !strangers.is_empty() {
        let expected = "a name of the site, or one that a recording has";
        return Err(ApiError::new(StatusCode::NOT_FOUND, strangers.join(", "), expected));
    }
    let what = match ask.recording {
        Some(recording) => format!("recording {recording}"),
        None => "caller of that number".into(),
    };
    let row = shelf(&app, move |s| s.hold(&who, &ask, &why)).await?;
    row.map(|row| (StatusCode::CREATED, Json(row))).ok_or_else(|| ApiError::unknown(what, recordings::LIST))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Release {
    hold: u64,
    #[serde(default)]
    why: String,
}

pub async fn release(State(app): State<Arc<App>>, Who(who): Who, body: Body) -> Answer<Json<HoldRow>> {
    let asked: Release = body.read(r#"{"hold": 3, "why": "the case is closed"}"#)?;
    let (hold, why) = (asked.hold, reason(asked.why)?);
    let ended = Tried { who, act: Act::Release, recording: format!("{RELEASED}{hold}"), why };
    let row = tried(&app, ended, move |s, tried| s.release(&tried.who, hold, &tried.why)).await?;
    row.map(Json).ok_or_else(|| ApiError::unknown(format!("hold {hold}"), "/api/v1/recordings/holds"))
}

pub async fn holds(State(app): State<Arc<App>>) -> Answer<Json<Vec<HoldRow>>> {
    shelf(&app, |s| s.holds()).await.map(Json)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Accepted {
    what: Accept,
    #[serde(default)]
    why: String,
}

pub async fn accept(State(app): State<Arc<App>>, Who(who): Who, body: Body) -> Answer<Json<serde_json::Value>> {
    let asked: Accepted = body.read(r#"{"what": "log", "why": "the disk was changed"}"#)?;
    let (what, why) = (asked.what, reason(asked.why)?);
    let accepted = Tried { who, act: Act::Accept, recording: what.name().into(), why };
    let done = tried(&app, accepted, move |s, tried| s.accept(&tried.who, what, &tried.why)).await?;
    Ok(Json(serde_json::json!({ "done": done })))
}

fn reason(why: String) -> Answer<String> {
    if why.trim().is_empty() {
        return Err(ApiError::bad("nothing is held, released or accepted without a reason", "`why`: a text that is not empty"));
    }
    Ok(why)
}

/// Files that the log knows nothing of, and rows without a file, without reading any of them.
pub async fn orphans(State(app): State<Arc<App>>) -> Answer<Response> {
    Ok(lines(&app, |s, tell| s.orphans(tell)))
}
