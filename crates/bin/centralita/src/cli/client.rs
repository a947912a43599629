//! The API over HTTP/1.1: questions with an answer, and streams.

use super::render::clean;
use super::words::as_typed;
use super::{Common, Failure};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use hyper::{Method, Request, Response, Uri};
use hyper_util::client::legacy::{self, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use std::time::Duration;

/// Where a node listens unless its site file says otherwise.
pub const DEFAULT: &str = "http://127.0.0.1:8080";

/// The node answers within 15 s or says that it can't.
const PATIENCE: Duration = Duration::from_secs(20);

pub struct Client {
    http: legacy::Client<HttpConnector, Full<Bytes>>,
    /// Without a slash at its end.
    base: String,
    token: Option<HeaderValue>,
    /// Who asks, for the node's log.
    who: Option<HeaderValue>,
    pub json: bool,
}

impl Client {
    pub fn new(common: &Common) -> Result<Client, Failure> {
        // A variable that is set to nothing is as good as none.
        let api = if common.api.is_empty() { DEFAULT } else { &common.api };
        let base = api.trim_end_matches('/').to_string();
        let uri: Option<Uri> = base.parse().ok();
        if !uri.is_some_and(|uri| uri.scheme_str() == Some("http") && uri.host().is_some() && uri.query().is_none()) {
            let error = format!("\"{}\" is no address of an API", common.api);
            return Err(Failure::Usage { error, expected: "--api http://HOST:PORT, such as http://127.0.0.1:8080".into() });
        }
        let bearer = |token: &String| {
            let expected = "a token of printable ASCII".to_string();
            let mut value = HeaderValue::from_str(&format!("Bearer {token}"))
                .map_err(|_| Failure::Usage { error: "the token cannot stand in a header".into(), expected })?;
            value.set_sensitive(true);
            Ok::<_, Failure>(value)
        };
        let token = common.token.as_ref().filter(|token| !token.is_empty()).map(bearer).transpose()?;
        let http = legacy::Client::builder(TokioExecutor::new()).build_http();
        let who = HeaderValue::from_str(&super::user::name()).ok();
        Ok(Client { http, base, token, who, json: common.json })
    }

    pub async fn get(&self, path: &str) -> Result<Value, Failure> {
        self.answer(Method::GET, path, None).await
    }

    /// The same, with what the node says of the question beside its answer.
    pub async fn get_hinted(&self, path: &str) -> Result<(Value, Option<String>), Failure> {
        let response = self.opened(Method::GET, path).await?;
        let hint = response.headers().get("x-centralita-hint");
        let hint = hint.map(|hint| clean(&String::from_utf8_lossy(hint.as_bytes())));
        let body = self.whole(response).await?;
        Ok((serde_json::from_slice(&body).map_err(|_| self.stranger())?, hint))
    }

    pub async fn post(&self, path: &str, body: Option<Value>) -> Result<Value, Failure> {
        self.answer(Method::POST, path, body).await
    }

    /// An answer whose body is read piece by piece.
    pub async fn open(&self, path: &str) -> Result<Response<Incoming>, Failure> {
        self.opened(Method::GET, path).await
    }

    /// The lines of JSON that come of an act that takes its time, one by one.
    pub async fn each(
        &self,
        method: Method,
        path: &str,
        mut tell: impl FnMut(Value) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let mut body = self.opened(method, path).await?.into_body();
        let mut text = Vec::new();
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame.map_err(|_| self.cut())?.into_data() else { continue };
            text.extend_from_slice(&data);
            while let Some(end) = text.iter().position(|b| *b == b'\n') {
                let line: Vec<u8> = text.drain(..=end).collect();
                tell(serde_json::from_slice(&line).map_err(|_| self.stranger())?)?;
            }
        }
        if text.is_empty() { Ok(()) } else { Err(self.cut()) }
    }

    async fn opened(&self, method: Method, path: &str) -> Result<Response<Incoming>, Failure> {
        let response = self.send(method, path, None).await?;
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status().as_u16();
        Err(refusal(status, &self.whole(response).await?))
    }

    async fn answer(&self, method: Method, path: &str, body: Option<Value>) -> Result<Value, Failure> {
        let response = self.send(method, path, body).await?;
        let status = response.status();
        let body = self.whole(response).await?;
        if !status.is_success() {
            return Err(refusal(status.as_u16(), &body));
        }
        serde_json::from_slice(&body).map_err(|_| self.stranger())
    }

    async fn send(&self, method: Method, path: &str, body: Option<Value>) -> Result<Response<Incoming>, Failure> {
        let mut request = Request::builder().method(method).uri(format!("{}/api/v1/{path}", self.base));
        if let Some(who) = &self.who {
            request = request.header("x-centralita-who", who);
        }
        if let Some(token) = &self.token {
            request = request.header(AUTHORIZATION, token);
        }
        if body.is_some() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        let body = body.map(|b| Bytes::from(b.to_string())).unwrap_or_default();
        let request = request.body(Full::new(body)).map_err(|_| self.stranger())?;
        match tokio::time::timeout(PATIENCE, self.http.request(request)).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) if error.is_connect() => Err(self.nobody()),
            Ok(Err(_)) => Err(self.stranger()),
            Err(_) => Err(self.silent()),
        }
    }

    async fn whole(&self, response: Response<Incoming>) -> Result<Bytes, Failure> {
        let body = tokio::time::timeout(PATIENCE, response.into_body().collect()).await.map_err(|_| self.silent())?;
        body.map(|body| body.to_bytes()).map_err(|_| self.cut())
    }

    fn nobody(&self) -> Failure {
        let error = format!("nothing listens at {}: is `centralita serve` running?", self.base);
        Failure::Refused { error, expected: "a running node, or its address by --api or CENTRALITA_API".into() }
    }

    fn stranger(&self) -> Failure {
        let error = format!("what listens at {} does not speak as a node does", self.base);
        Failure::Refused { error, expected: "the address of a node's API".into() }
    }

    fn silent(&self) -> Failure {
        Failure::Refused {
            error: format!("{} took the question and did not answer", self.base),
            expected: "an answer within 20 s".into(),
        }
    }

    pub fn cut(&self) -> Failure {
        Failure::Refused {
            error: format!("{} broke off in the middle of its answer", self.base),
            expected: "a whole answer".into(),
        }
    }
}

/// The node's own words, where it has any.
fn refusal(status: u16, body: &[u8]) -> Failure {
    let words: Value = serde_json::from_slice(body).unwrap_or_default();
    let said = |key: &str| words[key].as_str().map(as_typed);
    let error = said("error").unwrap_or_else(|| format!("the node answered with status {status}"));
    if words["findings"].as_array().is_some_and(|found| !found.is_empty()) {
        return Failure::Findings { error, findings: words["findings"].clone() };
    }
    let expected = match status {
        401 => "the node's token, by --token or CENTRALITA_TOKEN".to_string(),
        _ => said("expected").unwrap_or_default(),
    };
    if status == 400 { Failure::Usage { error, expected } } else { Failure::Refused { error, expected } }
}
