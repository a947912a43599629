//! What the wallboard shows, once or pushed.

use super::stream;
use crate::App;
use crate::board::{self, Board};
use axum::Json;
use axum::extract::State;
use axum::response::Response;
use axum::response::sse::Event;
use futures_util::{StreamExt, stream as streams};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout_at};

/// Two boards of one stream are at least this far apart, so that a busy node doesn't drown a phone.
const APART: Duration = Duration::from_millis(250);
/// With nothing new a board comes all the same: the page tells "quiet" from "dead" by it.
const QUIET: Duration = Duration::from_secs(2);

pub async fn show(State(app): State<Arc<App>>) -> Json<Board> {
    Json(board::board(&app))
}

pub async fn definitions() -> Json<Vec<metrics::Definition>> {
    Json(metrics::definitions().to_vec())
}

/// A board at once, then one after each change.
pub async fn stream(State(app): State<Arc<App>>) -> Response {
    let mut changed = app.doors.changed.clone();
    changed.mark_changed();
    let reader = Reader { not_before: Instant::now(), changed, app };
    stream::answer(streams::unfold(reader, next).map(Ok::<Event, Infallible>))
}

struct Reader {
    not_before: Instant,
    changed: watch::Receiver<u64>,
    app: Arc<App>,
}

async fn next(mut r: Reader) -> Option<(Event, Reader)> {
    let app = r.app.clone();
    tokio::select! {
        () = stream::closed(&app) => return None,
        alive = r.due() => alive?,
    }
    r.changed.mark_unchanged();
    r.not_before = Instant::now() + APART;
    let event = Event::default().event("figures").json_data(board::board(&app)).ok()?;
    Some((event, r))
}

impl Reader {
    /// `None` when nothing will ever change again.
    async fn due(&mut self) -> Option<()> {
        sleep_until(self.not_before).await;
        match timeout_at(self.not_before + QUIET, self.changed.changed()).await {
            Ok(Err(_)) => None,
            Ok(Ok(())) | Err(_) => Some(()),
        }
    }
}
