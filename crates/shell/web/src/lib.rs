//! The HTTP API, the wallboard and `/metrics`.
//!
//! Reads snapshots and figures, joins what the store keeps, and hands requests to the Centre through the same door as
//! everyone ([`Ask`]). Decides nothing. What it needs stands in [`Doors`]; who opens them is the binary's affair.
//!
//! Without a token only a loopback address is served, and only to loopback names; with one, every route but the static
//! page needs it ([`guard`]).

mod access;
mod api;
mod board;
mod doors;
mod error;
mod exposition;
mod guard;
mod keep;
mod page;
mod prometheus;
mod row;
mod server;

pub use access::Access;
pub use doors::{
    Archive, Ask, Audio, Configured, Doors, FactsAsk, Finding, Gauge, Health, Histogram, Looked, Named, NotReloaded, Party,
    RecordingRow, RecordingState, RecordingsAsk, Reload, Reloaded, Shelf, TicketsAsk,
};
pub use error::ApiError;
pub use keep::{Accept, Fault, ForecastRow, Going, HoldAsk, HoldRow, PlanLine, PlanRow, ShortRow};
pub use server::serve;

use axum::Router;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use std::any::Any;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::sync::watch;
use tower_http::catch_panic::CatchPanicLayer;

/// What the operator sets.
#[derive(Clone, Default)]
pub struct Config {
    /// Who is let in.
    pub access: Access,
    /// The `source` of event envelopes, `/centralita/{site}/{node}`.
    pub source: String,
    /// The site's name, as the wallboard's title.
    pub site: String,
}

/// What every handler shares.
pub(crate) struct App {
    pub doors: Doors,
    pub source: String,
    pub site: String,
    pub access: Access,
    pub local: SocketAddr,
    /// True once the node ends: streams end with it.
    pub closed: watch::Receiver<bool>,
}

impl App {
    fn new(config: Config, doors: Doors, local: SocketAddr, closed: watch::Receiver<bool>) -> Arc<App> {
        Arc::new(App { doors, source: config.source, site: config.site, access: config.access, local, closed })
    }
}

fn router(app: Arc<App>) -> Router {
    Router::new()
        .merge(page::routes())
        .nest("/api/v1", api::routes())
        .route("/metrics", axum::routing::get(prometheus::metrics))
        .fallback(no_such_page)
        .method_not_allowed_fallback(wrong_method)
        .layer(axum::extract::DefaultBodyLimit::max(16 * 1024))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(axum::middleware::from_fn_with_state(app.clone(), guard::guard))
        .layer(axum::middleware::map_response(with_headers))
        .with_state(app)
}

async fn no_such_page() -> ApiError {
    ApiError::new(StatusCode::NOT_FOUND, "there is no such page", "/, /metrics, or a path under /api/v1")
}

async fn wrong_method() -> ApiError {
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "this path does not take that method", "GET to read, POST to act")
}

fn panicked(_: Box<dyn Any + Send>) -> Response {
    // The panic hook has printed where it was.
    ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "this request met a fault of the node", "a bug report").into_response()
}

/// Nothing from outside, nothing inline, nobody's frame (security.md, row 42).
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      media-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

async fn with_headers(mut response: Response) -> Response {
    let headers = response.headers_mut();
    let mut set = |name: HeaderName, value: &'static str| headers.insert(name, HeaderValue::from_static(value));
    set(CONTENT_SECURITY_POLICY, POLICY);
    set(X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(REFERRER_POLICY, "no-referrer");
    set(CACHE_CONTROL, "no-store");
    set(HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
    response
}
