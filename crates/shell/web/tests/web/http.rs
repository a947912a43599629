//! A client as small as can be: one connection per request, the answer whole or piece by piece.

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::header::{HOST, HeaderMap};
use hyper::{Method, Request, Response, StatusCode, body::Incoming};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpStream;

pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.text()))
    }
}

pub async fn open(at: SocketAddr, method: Method, path: &str, headers: &[(&str, &str)], body: &str) -> Response<Incoming> {
    let stream = TcpStream::connect(at).await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let mut request = Request::builder().method(method).uri(path);
    if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
        request = request.header(HOST, at.to_string());
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    sender.send_request(request.body(Full::<Bytes>::from(body.to_string())).unwrap()).await.unwrap()
}

pub async fn ask(at: SocketAddr, method: Method, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let (parts, body) = open(at, method, path, headers, body).await.into_parts();
    Answer { status: parts.status, headers: parts.headers, body: body.collect().await.unwrap().to_bytes() }
}

pub async fn get(at: SocketAddr, path: &str) -> Answer {
    ask(at, Method::GET, path, &[], "").await
}

pub async fn post(at: SocketAddr, path: &str, body: &str) -> Answer {
    ask(at, Method::POST, path, &[], body).await
}

/// A stream of server-sent events, read one by one.
pub struct Events {
    body: Incoming,
    rest: String,
}

impl Events {
    pub async fn open(at: SocketAddr, path: &str, headers: &[(&str, &str)]) -> Events {
        let response = open(at, Method::GET, path, headers, "").await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Events { body: response.into_body(), rest: String::new() }
    }

    /// The next event's lines; `None` once the stream is over. Fails after 5 s without one.
    pub async fn next(&mut self) -> Option<String> {
        loop {
            if let Some((event, rest)) = self.rest.split_once("\n\n") {
                let event = event.to_string();
                self.rest = rest.to_string();
                return Some(event);
            }
            let frame = tokio::time::timeout(Duration::from_secs(5), self.body.frame()).await.expect("an event within 5 s");
            let data = frame?.ok()?.into_data().ok()?;
            self.rest.push_str(std::str::from_utf8(&data).unwrap());
        }
    }
}

/// The JSON of an event's data line.
pub fn data(event: &str) -> Value {
    serde_json::from_str(event.lines().find_map(|l| l.strip_prefix("data: ")).expect("a data line")).unwrap()
}
