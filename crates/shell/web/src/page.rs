//! The wallboard's files, inside the binary. They hold no data, so they need no token.

use crate::App;
use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;
use std::sync::Arc;

/// Path, media type, content.
const FILES: [(&str, &str, &str); 6] = [
    ("/", "text/html; charset=utf-8", include_str!("../assets/wallboard.html")),
    ("/wallboard.css", "text/css; charset=utf-8", include_str!("../assets/wallboard.css")),
    ("/wallboard.js", "text/javascript; charset=utf-8", include_str!("../assets/wallboard.js")),
    ("/meanings.js", "text/javascript; charset=utf-8", include_str!("../assets/meanings.js")),
    ("/words.js", "text/javascript; charset=utf-8", include_str!("../assets/words.js")),
    ("/icon.svg", "image/svg+xml", include_str!("../assets/icon.svg")),
];

pub(crate) fn routes() -> Router<Arc<App>> {
    FILES.iter().fold(Router::new(), |router, (path, kind, text)| {
        router.route(path, get(move || async move { ([(CONTENT_TYPE, *kind)], *text).into_response() }))
    })
}

pub(crate) fn is_static(path: &str) -> bool {
    FILES.iter().any(|(file, ..)| *file == path)
}
