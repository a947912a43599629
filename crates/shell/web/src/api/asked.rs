//! What clients send, read so that every mistake is answered in the same form.

use super::Answer;
use crate::error::ApiError;
use axum::body::Bytes;
use axum::extract::rejection::QueryRejection;
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

/// A query string.
pub struct Asked<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Asked<T> {
    type Rejection = ApiError;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let refused = |r: QueryRejection| ApiError::bad(r.body_text(), "parameters as the API's page lists them");
        Query::<T>::from_request_parts(parts, state).await.map(|Query(asked)| Asked(asked)).map_err(refused)
    }
}

/// A body of JSON, or none.
pub struct Body(Bytes);

impl<S: Send + Sync> FromRequest<S> for Body {
    type Rejection = ApiError;
    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let bytes = Bytes::from_request(request, state).await;
        bytes.map(Body).map_err(|r| ApiError::new(r.status(), r.body_text(), "a body of at most 16 KiB"))
    }
}

impl Body {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// `expected` shows a body that would be understood.
    pub fn read<T: DeserializeOwned>(&self, expected: &str) -> Answer<T> {
        let read = serde_json::from_slice(&self.0);
        read.map_err(|e| ApiError::bad(format!("the body is not understood: {e}"), format!("a JSON body such as {expected}")))
    }
}

/// One line that will stand in figures and on screens, and short. `None` if it is something else.
pub fn line(text: &str) -> Option<&str> {
    let text = text.trim();
    (!text.is_empty() && text.chars().count() <= 64 && !text.chars().any(char::is_control)).then_some(text)
}
