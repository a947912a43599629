//! Who may come in. With a token, whoever shows it; without one, only who came over loopback by a loopback name.
//!
//! A browser on the same machine is loopback too, so a page of another site could aim its visitors at us: by a name of
//! its own that resolves to 127.0.0.1 (DNS rebinding), or by a plain form POST. The `Host` and `Origin` checks are
//! against those.

use crate::App;
use crate::error::ApiError;
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, HOST, ORIGIN, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// No answer takes longer to begin; a stream's body may go on.
const ANSWER: Duration = Duration::from_secs(15);

/// In front of every route: the token or the host, the origin, and a limit on the time.
pub async fn guard(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    if let Err(refusal) = admit(&app, request.method(), request.uri().path(), request.headers()) {
        return refusal;
    }
    match tokio::time::timeout(ANSWER, next.run(request)).await {
        Ok(response) => response,
        Err(_) => ApiError::new(StatusCode::GATEWAY_TIMEOUT, "no answer in time", "an answer within 15 s").into_response(),
    }
}

// A refusal is a whole response: boxing it would only move it.
#[allow(clippy::result_large_err)]
fn admit(app: &App, method: &Method, path: &str, headers: &HeaderMap) -> Result<(), Response> {
    let host = host_of(headers);
    same_origin(method, headers, host.as_deref())?;
    match app.access.has_token() {
        // The page holds no data, and is where a person types the token.
        true if crate::page::is_static(path) => Ok(()),
        true if bearer(headers).is_some_and(|given| app.access.is(given)) => Ok(()),
        true => Err(unauthorised()),
        false if host.as_deref().is_some_and(|host| is_ours(host, app.local)) => Ok(()),
        false => Err(ApiError::new(
            StatusCode::MISDIRECTED_REQUEST,
            "this node answers to loopback names only",
            "a Host of 127.0.0.1, [::1] or localhost; for others set a token",
        )
        .into_response()),
    }
}

/// A browser names the page that a POST comes from. Programs don't, and need not.
#[allow(clippy::result_large_err)]
fn same_origin(method: &Method, headers: &HeaderMap, host: Option<&str>) -> Result<(), Response> {
    let Some(origin) = headers.get(ORIGIN) else { return Ok(()) };
    if method == Method::GET || method == Method::HEAD {
        return Ok(());
    }
    let authority = origin.to_str().ok().and_then(|o| o.split_once("://")).map(|(_, authority)| authority);
    let whole_host = headers.get(HOST).and_then(|h| h.to_str().ok());
    if host.is_some() && authority.is_some() && authority == whole_host {
        return Ok(());
    }
    Err(ApiError::new(StatusCode::FORBIDDEN, "another site's page sent this", "a request from this node's own page")
        .into_response())
}

fn unauthorised() -> Response {
    let error = ApiError::new(StatusCode::UNAUTHORIZED, "no valid token", "a header `Authorization: Bearer TOKEN`");
    let mut response = error.into_response();
    response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    response
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The host without its port, in lower case. `None` if it is missing, doubled or no text.
fn host_of(headers: &HeaderMap) -> Option<String> {
    let mut all = headers.get_all(HOST).iter();
    let host = all.next()?.to_str().ok()?;
    if all.next().is_some() {
        return None;
    }
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?.0,
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    Some(name.to_ascii_lowercase())
}

/// A name that only a machine's own user can mean: loopback, or the address we listen at.
fn is_ours(host: &str, local: SocketAddr) -> bool {
    let address = host.parse::<IpAddr>().or_else(|_| host.parse::<Ipv6Addr>().map(IpAddr::V6));
    match address {
        Ok(ip) => ip.is_loopback() || (ip == local.ip() && !ip.is_unspecified()),
        Err(_) => host == "localhost",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_names_and_the_listen_address_are_ours() {
        let local = "192.0.2.7:8080".parse().unwrap();
        for ours in ["127.0.0.1", "127.1.2.3", "::1", "localhost", "192.0.2.7"] {
            assert!(is_ours(ours, local), "{ours}");
        }
        for other in ["evil.example", "192.0.2.8", "localhost.evil.example", "0.0.0.0", ""] {
            assert!(!is_ours(other, local), "{other}");
        }
    }

    #[test]
    fn a_host_loses_its_port_and_two_hosts_are_none() {
        let one = |text: &str| HeaderMap::from_iter([(HOST, HeaderValue::from_str(text).unwrap())]);
        assert_eq!(host_of(&one("LocalHost:8080")).as_deref(), Some("localhost"));
        assert_eq!(host_of(&one("[::1]:8080")).as_deref(), Some("::1"));
        assert_eq!(host_of(&one("127.0.0.1")).as_deref(), Some("127.0.0.1"));
        let mut two = one("localhost");
        two.append(HOST, HeaderValue::from_static("evil.example"));
        assert_eq!(host_of(&two), None);
        assert_eq!(host_of(&HeaderMap::new()), None);
    }
}
