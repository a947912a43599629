//! One attempt: a signed POST, no redirects, 15 s in all, the answer's body not read.

use crate::address::is_inner;
use crate::sign::{Signer, id_of};
use crate::{OutboundError, retry_after};
use base::Wall;
use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{CONTENT_TYPE, RETRY_AFTER, USER_AGENT};
use hyper::{Request, StatusCode, Uri};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::Name;
use hyper_util::rt::TokioExecutor;
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tickets::{Answer, Letter, Webhook};

const LONGEST: Duration = Duration::from_secs(15);
/// Bytes of an answer's head.
const LONGEST_HEAD: usize = 64 * 1024;

/// One receiver.
pub struct Receiver {
    url: Uri,
    signer: Signer,
    client: Client<HttpsConnector<HttpConnector<OuterOnly>>, Full<Bytes>>,
    refused: bool,
}

impl Receiver {
    pub fn new(name: &str, webhook: &Webhook) -> Result<Receiver, OutboundError> {
        let bad_url = || OutboundError::Url { name: name.into() };
        let url: Uri = webhook.url.parse().map_err(|_| bad_url())?;
        let host = url.host().filter(|h| !h.is_empty()).ok_or_else(bad_url)?;
        if !matches!(url.scheme_str(), Some("https" | "http")) || url.authority().is_none_or(|a| a.as_str().contains('@')) {
            return Err(bad_url());
        }
        let signer = Signer::new(&webhook.secret).ok_or_else(|| OutboundError::Secret { name: name.into() })?;
        // A name is judged when it is resolved; an address never gets that far.
        let literal: Option<IpAddr> = host.trim_start_matches('[').trim_end_matches(']').parse().ok();
        let refused = !webhook.allow_private && literal.is_some_and(is_inner);
        Ok(Receiver { url, signer, client: client(webhook.allow_private), refused })
    }

    /// Sends the letter once. `now` is the moment of this attempt.
    pub async fn post(&self, letter: &Letter, now: Wall) -> Answer {
        if self.refused {
            return no_answer(INNER);
        }
        let Some(request) = self.request(letter, now) else { return no_answer("the request could not be made") };
        match tokio::time::timeout(LONGEST, self.client.request(request)).await {
            Err(_) => no_answer("no answer within 15 s"),
            Ok(Err(error)) => no_answer(&deepest(&error)),
            Ok(Ok(response)) => {
                let told = response.headers().get(RETRY_AFTER).and_then(|v| v.to_str().ok());
                judge(response.status(), told.and_then(|v| retry_after::parse(v, now)))
            }
        }
    }

    fn request(&self, letter: &Letter, now: Wall) -> Option<Request<Full<Bytes>>> {
        let body = body(letter);
        let (id, timestamp) = (id_of(&letter.key), now.0.div_euclid(1_000_000));
        let request = Request::post(self.url.clone())
            .header(CONTENT_TYPE, "application/cloudevents+json")
            .header(USER_AGENT, concat!("centralita/", env!("CARGO_PKG_VERSION")))
            .header("webhook-signature", self.signer.sign(&id, timestamp, &body))
            .header("webhook-timestamp", timestamp)
            .header("webhook-id", id);
        request.body(Full::new(Bytes::from(body))).ok()
    }
}

fn judge(status: StatusCode, retry_after: Option<Duration>) -> Answer {
    match status {
        s if s.is_success() => Answer::Delivered,
        StatusCode::GONE => Answer::Gone,
        s => Answer::Refused { status: s.as_u16(), retry_after },
    }
}

/// The event with `{caller}` filled in, and beside it what the network said about the call. What a caller chose to be
/// called breaks no line and moves no cursor.
fn body(letter: &Letter) -> String {
    let Ok(mut event) = serde_json::from_str::<serde_json::Value>(&letter.body) else { return letter.body.clone() };
    if let Some(serde_json::Value::String(subject)) = event.pointer_mut("/data/ticket/subject") {
        let caller = letter.caller.as_ref().map_or("-", |c| c.reveal().as_str());
        let clean: String = caller.chars().filter(|c| !c.is_control()).take(64).collect();
        *subject = subject.replace("{caller}", &clean);
    }
    if let (Some(serde_json::Value::Object(ticket)), Some(said)) = (event.pointer_mut("/data/ticket"), &letter.user_to_user) {
        ticket.insert("user_to_user".into(), said.reveal().as_str().into());
    }
    event.to_string()
}

fn client(allow_private: bool) -> Client<HttpsConnector<HttpConnector<OuterOnly>>, Full<Bytes>> {
    let mut http = HttpConnector::new_with_resolver(OuterOnly { allow_private });
    http.enforce_http(false);
    http.set_connect_timeout(Some(LONGEST));
    let https = HttpsConnectorBuilder::new().with_webpki_roots().https_or_http().enable_http1().wrap_connector(http);
    // A kept connection may be dead by the time of the next ticket: each attempt makes its own.
    Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).http1_max_buf_size(LONGEST_HEAD).build(https)
}

const INNER: &str = "the receiver is at an inner address, which is refused unless allow_private is set";

fn no_answer(why: &str) -> Answer {
    Answer::NoAnswer { why: why.into() }
}

/// The error at the bottom, which says what happened; those above only where.
fn deepest(error: &dyn std::error::Error) -> String {
    let mut at = error;
    while let Some(source) = at.source() {
        at = source;
    }
    at.to_string()
}

/// Resolves names, to outer addresses only: judged at each connect, so that a name that changes its mind is refused.
#[derive(Clone)]
struct OuterOnly {
    allow_private: bool,
}

type Resolving = Pin<Box<dyn Future<Output = std::io::Result<std::vec::IntoIter<SocketAddr>>> + Send>>;

impl tower::Service<Name> for OuterOnly {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = std::io::Error;
    type Future = Resolving;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Resolving {
        let allow_private = self.allow_private;
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            if !allow_private && found.iter().any(|a| is_inner(a.ip())) {
                return Err(std::io::Error::new(std::io::ErrorKind::PermissionDenied, INNER));
            }
            Ok(found.into_iter())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::Pii;

    fn letter(caller: Option<&str>) -> Letter {
        let body = r#"{"data":{"ticket":{"subject":"Call of {caller}"}}}"#.into();
        Letter { key: "k".into(), body, caller: caller.map(|c| Pii::new(c.into())), user_to_user: None }
    }

    #[test]
    fn the_caller_is_filled_in_at_delivery_and_cannot_break_out() {
        assert!(body(&letter(Some("+5255"))).contains("Call of +5255"));
        assert!(body(&letter(None)).contains("Call of -"));
        let evil = body(&letter(Some("\u{1b}[2J\",\"a\":\"\r\n")));
        let read: serde_json::Value = serde_json::from_str(&evil).unwrap();
        assert_eq!(read["data"]["ticket"]["subject"], "Call of [2J\",\"a\":\"");
    }

    #[test]
    fn line_14_what_the_network_said_goes_with_the_ticket() {
        let said = Letter { user_to_user: Some(Pii::new("00c0ffee;encoding=hex".into())), ..letter(None) };
        let read: serde_json::Value = serde_json::from_str(&body(&said)).unwrap();
        assert_eq!(read["data"]["ticket"]["user_to_user"], "00c0ffee;encoding=hex");
        assert!(!body(&letter(None)).contains("user_to_user"));
    }

    #[test]
    fn statuses_are_judged_and_a_redirect_is_no_success() {
        let judged = |status: u16| judge(StatusCode::from_u16(status).unwrap(), None);
        assert_eq!(judged(204), Answer::Delivered);
        assert_eq!(judged(410), Answer::Gone);
        for status in [301, 302, 307, 400, 404, 429, 500, 503] {
            assert_eq!(judged(status), Answer::Refused { status, retry_after: None });
        }
    }

    #[test]
    fn an_address_that_is_none_and_a_secret_that_is_none_are_refused() {
        let try_it = |url: &str, secret: &str| {
            let webhook = Webhook { url: url.into(), secret: Pii::new(secret.into()), allow_private: false };
            Receiver::new("desk", &webhook).err().map(|e| e.to_string())
        };
        let good = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX";
        assert_eq!(try_it("https://desk.example/hook", good), None);
        for url in ["", "desk", "ftp://desk.example", "https://user:pass@desk.example/", "/hook"] {
            assert!(try_it(url, good).unwrap().starts_with("webhook desk: expected an address"), "{url}");
        }
        assert!(try_it("https://desk.example/hook", "secret").unwrap().contains("whsec_"));
    }
}
