//! The log, as CloudEvents: a page of it, or followed.

use super::{Answer, Asked, archive, id, limit, stream};
use crate::error::ApiError;
use crate::{App, FactsAsk};
use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use axum::response::sse::Event;
use base::fact::Logged;
use futures_util::{StreamExt, stream as streams};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use tokio::sync::broadcast::{Receiver, error::RecvError};

/// Facts read from the store at once while a stream catches up.
const PAGE: usize = 500;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct List {
    /// An event's id; those after it are meant.
    after: Option<String>,
    limit: Option<usize>,
    /// The last ones instead of the first.
    newest: Option<bool>,
    #[serde(rename = "type")]
    kind: Option<String>,
    call: Option<String>,
}

impl List {
    fn facts(&self) -> Answer<FactsAsk> {
        Ok(FactsAsk {
            after: self.after.as_deref().map(place).transpose()?.unwrap_or_default(),
            limit: limit(self.limit)?,
            newest: self.newest.unwrap_or(false),
            kind: self.kind.as_deref().map(kind).transpose()?,
            call: self.call.as_deref().map(id).transpose()?,
        })
    }
}

pub async fn list(State(app): State<Arc<App>>, Asked(asked): Asked<List>) -> Answer<Json<Value>> {
    let ask = asked.facts()?;
    let facts = archive(&app, move |a| a.facts(&ask)).await?;
    let next = facts.last().map(|l| format!("{}-{}", l.epoch, l.seq)).or(asked.after);
    let events: Vec<Value> = facts.iter().map(|l| l.cloud_event(&app.source)).collect();
    Ok(Json(json!({ "events": events, "next": next })))
}

/// Follows the log from `Last-Event-ID` or `after`, else from now. Each event's id is its place, so that a reader that
/// comes back misses nothing.
pub async fn stream(State(app): State<Arc<App>>, headers: HeaderMap, Asked(asked): Asked<List>) -> Answer<Response> {
    let last = match headers.get("last-event-id") {
        Some(text) => Some(text.to_str().unwrap_or("").to_string()),
        None => asked.after.clone(),
    };
    let mut ask = FactsAsk { limit: PAGE, newest: false, ..asked.facts()? };
    // The subscription comes first: between a look at the store and a later subscription, facts would be lost.
    let live = app.doors.archive.follow();
    ask.after = match last {
        Some(text) => place(&text)?,
        None => archive(&app, |a| a.newest()).await?,
    };
    let follower = Follower { behind: true, ready: VecDeque::new(), app, ask, live };
    Ok(stream::answer(streams::unfold(follower, next).map(Ok::<Event, Infallible>)))
}

/// A reader of the log: behind, it reads pages of the store; caught up, it takes each batch as it is written.
///
/// ```text
///   behind ──a page that is not full──▶ live
///      ▲                                 │
///      └────────── lagged ───────────────┘
/// ```
struct Follower {
    behind: bool,
    ready: VecDeque<Logged>,
    app: Arc<App>,
    /// `after` is the place of the last fact taken, let through or not.
    ask: FactsAsk,
    live: Receiver<Arc<[Logged]>>,
}

async fn next(mut f: Follower) -> Option<(Event, Follower)> {
    loop {
        if let Some(logged) = f.ready.pop_front() {
            let event = event(&logged, &f.app.source);
            return Some((event, f));
        }
        if f.behind {
            f.catch_up().await.ok()?;
            continue;
        }
        let app = f.app.clone();
        let batch = tokio::select! {
            () = stream::closed(&app) => return None,
            batch = f.live.recv() => batch,
        };
        match batch {
            Ok(batch) => f.take(&batch),
            Err(RecvError::Lagged(_)) => f.behind = true,
            Err(RecvError::Closed) => return None,
        }
    }
}

impl Follower {
    async fn catch_up(&mut self) -> Answer<()> {
        let ask = self.ask.clone();
        let page = archive(&self.app, move |a| a.facts(&ask)).await?;
        self.behind = page.len() >= PAGE;
        self.take(&page);
        Ok(())
    }

    fn take(&mut self, batch: &[Logged]) {
        for logged in batch {
            let at = (logged.epoch, logged.seq);
            if at > self.ask.after {
                self.ask.after = at;
                if self.ask.lets_through(logged) {
                    self.ready.push_back(logged.clone());
                }
            }
        }
    }
}

fn event(logged: &Logged, source: &str) -> Event {
    let id = format!("{}-{}", logged.epoch, logged.seq);
    // No `event:` field: a plain reader then gets each type by one handler.
    Event::default().id(id).data(logged.cloud_event(source).to_string())
}

/// An event's id, read back as its place.
fn place(text: &str) -> Answer<(u32, u64)> {
    let read = text.split_once('-').and_then(|(epoch, seq)| Some((epoch.parse().ok()?, seq.parse().ok()?)));
    read.ok_or_else(|| ApiError::bad(format!("\"{text}\" is no event's id"), "an id such as 3-1024"))
}

/// Letters, `_` and one dot at most: what a type can be made of.
fn kind(text: &str) -> Answer<String> {
    let fits = |b: u8| b.is_ascii_lowercase() || b == b'_' || b == b'.';
    if text.is_empty() || text.len() > 40 || !text.bytes().all(fits) || text.matches('.').count() > 1 {
        return Err(ApiError::bad(
            format!("\"{text}\" is no type of event"),
            "a type such as queue.left, or a family such as queue",
        ));
    }
    Ok(text.to_string())
}
