//! What a client hears when a request fails: a status, what is wrong, what was expected.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// `{"error": …, "expected": …}` with the status that fits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError {
    pub status: StatusCode,
    pub error: String,
    pub expected: String,
}

#[derive(Serialize)]
struct Body<'a> {
    error: &'a str,
    expected: &'a str,
}

impl ApiError {
    pub fn new(status: StatusCode, error: impl Into<String>, expected: impl Into<String>) -> Self {
        ApiError { status, error: error.into(), expected: expected.into() }
    }

    pub fn bad(error: impl Into<String>, expected: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, error, expected)
    }

    /// `what` there is none of, and where those that exist are listed.
    pub fn unknown(what: impl Into<String>, listed_at: &str) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            format!("there is no {}", what.into()),
            format!("one of those that GET {listed_at} lists"),
        )
    }

    /// The store failed; the reason is for the operator's log.
    pub fn store(reason: String) -> Self {
        tracing::error!(reason, "the archive did not answer");
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "the archive cannot be read now",
            "another try in a while; the node's log says more",
        )
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        (self.status, Json(Body { error: &self.error, expected: &self.expected })).into_response()
    }
}
