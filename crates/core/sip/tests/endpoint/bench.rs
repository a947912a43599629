//! One endpoint under a virtual clock, and messages written by hand.

use base::{Now, Pii, Random, Wall};
use bytes::Bytes;
use sip::digest::Algorithm;
use sip::{
    Config, Dial, Endpoint, Flow, HeaderId, Input, May, Message, Output, SessionId, Transport, TrunkConfig, UserCredential,
};
use std::time::Duration;

pub const OFFER: &str = "v=0\r\no=- 1 1 IN IP4 10.0.0.2\r\ns=-\r\nc=IN IP4 10.0.0.2\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n";
pub const ANSWER: &str = "v=0\r\no=- 9 9 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\nm=audio 6000 RTP/AVP 0\r\n";

pub fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

pub fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// UDP from `10.0.0.<host>:5060` to us, `10.0.0.1:5060`.
pub fn udp(host: u8) -> Flow {
    Flow {
        transport: Transport::Udp,
        local: "10.0.0.1:5060".parse().unwrap(),
        remote: std::net::SocketAddr::from(([10, 0, 0, host], 5060)),
        connection: 0,
    }
}

pub fn tcp(host: u8, port: u16, connection: u64) -> Flow {
    let remote = std::net::SocketAddr::from(([10, 0, 0, host], port));
    Flow { transport: Transport::Tcp, remote, connection, ..udp(host) }
}

/// A site with a trunk at 10.0.0.2 and three accounts.
pub fn config() -> Config {
    let user = |password: &str, algorithms: &[Algorithm], may| UserCredential {
        password: Pii::new(password.into()),
        algorithms: algorithms.to_vec(),
        may,
    };
    Config {
        host: "centre.example".into(),
        users: [
            ("ana".into(), user("secret", &[Algorithm::Sha256, Algorithm::Md5], May::Phone)),
            ("old".into(), user("secret", &[Algorithm::Md5], May::Phone)),
            ("carrier".into(), user("wholesale", &[Algorithm::Sha256, Algorithm::Md5], May::Trunk("digest".into()))),
        ]
        .into(),
        trunks: vec![TrunkConfig { name: "acme".into(), networks: vec![("10.0.0.2".parse().unwrap(), 32)], ports: None }],
        ..Config::default()
    }
}

pub struct Bench {
    pub endpoint: Endpoint,
    pub now: Now,
    entropy: Random,
}

impl Default for Bench {
    fn default() -> Self {
        Bench::with(config())
    }
}

impl Bench {
    pub fn with(config: Config) -> Bench {
        let now = Now { mono: base::Instant(1_000_000_000), wall: Wall(1_790_000_000_000_000) };
        Bench { endpoint: Endpoint::new(config), now, entropy: Random::from_seed(5) }
    }

    pub fn handle(&mut self, input: Input) -> Heard {
        let mut entropy = [0; 32];
        entropy.iter_mut().for_each(|byte| *byte = self.entropy.bits() as u8);
        self.endpoint.stir(entropy);
        let mut out = vec![];
        self.endpoint.handle(self.now, input, &mut out);
        Heard(out)
    }

    pub fn receive(&mut self, flow: Flow, text: &str) -> Heard {
        self.handle(Input::Received { flow, bytes: Bytes::copy_from_slice(text.as_bytes()) })
    }

    /// Lets time pass, stopping at each deadline.
    pub fn pass(&mut self, span: Duration) -> Heard {
        let end = self.now.plus(span);
        let mut heard = Heard(vec![]);
        while let Some(deadline) = self.endpoint.deadline().filter(|deadline| *deadline <= end.mono) {
            self.now = self.now.plus(deadline.since(self.now.mono));
            heard.0.extend(self.handle(Input::Due).0);
        }
        self.now = end;
        heard
    }

    /// A call that came in from the trunk and rings nowhere yet.
    pub fn incoming(&mut self) -> (SessionId, Heard) {
        let heard = self.receive(udp(2), &Ask::invite().text());
        (heard.incoming(), heard)
    }

    /// The same, answered and acknowledged. Also our tag.
    pub fn answered(&mut self) -> (SessionId, String) {
        let (session, _) = self.incoming();
        let ok = self.handle(Input::Answer { session, sdp: ANSWER.into() });
        let tag = ok.response(200).to().unwrap().tag.unwrap();
        let confirmed = self.receive(udp(2), &Ask::within("ACK", 1, &tag).text());
        assert_eq!(confirmed.words(), [Output::Confirmed { session, sdp: None }]);
        (session, tag)
    }

    /// Dials 10.0.0.2; the INVITE as it went out.
    pub fn dial(&mut self, dial: Dial) -> (SessionId, Message) {
        let session = self.endpoint.new_session();
        let invite = self.handle(Input::Invite { session, dial: Box::new(dial) }).request("INVITE");
        (session, invite)
    }

    /// Dials, and the other side answers.
    pub fn connected(&mut self) -> (SessionId, Message) {
        let (session, invite) = self.dial(dial());
        let heard = self.receive(udp(2), &reply(&invite, 200, "far", Some(ANSWER)));
        assert_eq!(heard.request("ACK").to().unwrap().tag.as_deref(), Some("far"));
        assert_eq!(heard.words(), [Output::Answered { session, sdp: ANSWER.into() }]);
        (session, invite)
    }
}

pub fn dial() -> Dial {
    Dial {
        uri: "sip:ana@10.0.0.2".into(),
        flow: udp(2),
        call_id: "out-1".into(),
        from_display: Pii::new("ACME".into()),
        from_user: Pii::new("+3491".into()),
        sdp: OFFER.into(),
        credential: None,
        provisional_within: secs(4),
        withheld: false,
        auto_answer: false,
        headers: vec![],
    }
}

/// What came out of one step.
#[derive(Debug)]
pub struct Heard(pub Vec<Output>);

impl Heard {
    pub fn messages(&self) -> Vec<Message> {
        let parse = |bytes: &Bytes| Message::parse(bytes.clone()).ok();
        self.sent().into_iter().filter_map(|(_, bytes)| parse(&bytes)).collect()
    }

    pub fn sent(&self) -> Vec<(Flow, Bytes)> {
        let sent = |output: &Output| match output {
            Output::Transmit { flow, bytes } => Some((*flow, bytes.clone())),
            _ => None,
        };
        self.0.iter().filter_map(sent).collect()
    }

    /// Everything but messages and lines for the log.
    pub fn words(&self) -> Vec<Output> {
        let word = |output: &&Output| !matches!(output, Output::Transmit { .. } | Output::Suspicious { .. });
        self.0.iter().filter(word).cloned().collect()
    }

    pub fn suspicious(&self) -> usize {
        self.0.iter().filter(|output| matches!(output, Output::Suspicious { .. })).count()
    }

    /// `100 200 BYE`: all that was sent, in short.
    pub fn summary(&self) -> String {
        let short = |message: &Message| match (message.status(), message.method()) {
            (Some(status), _) => status.to_string(),
            (None, method) => method.unwrap().to_string(),
        };
        self.messages().iter().map(short).collect::<Vec<_>>().join(" ")
    }

    pub fn response(&self, status: u16) -> Message {
        let found = self.messages().into_iter().find(|message| message.status() == Some(status));
        found.unwrap_or_else(|| panic!("no {status} in {self:?}"))
    }

    pub fn request(&self, method: &str) -> Message {
        let found = self.messages().into_iter().find(|message| message.method().is_some_and(|m| m.as_str() == method));
        found.unwrap_or_else(|| panic!("no {method} in {self:?}"))
    }

    pub fn incoming(&self) -> SessionId {
        let session = |output: &Output| match output {
            Output::Incoming { session, .. } => Some(*session),
            _ => None,
        };
        self.0.iter().find_map(session).unwrap_or_else(|| panic!("no Incoming in {self:?}"))
    }
}

/// A request in the making; fields are replaced or added by name.
#[derive(Clone)]
pub struct Ask {
    method: String,
    uri: String,
    fields: Vec<(String, String)>,
    body: String,
}

impl Ask {
    pub fn new(method: &str, branch: &str) -> Ask {
        let fields = [
            ("Via", format!("SIP/2.0/UDP 10.0.0.2:5060;rport;branch=z9hG4bK{branch}")),
            ("From", "\"Bob\" <sip:bob@10.0.0.2>;tag=bobs".into()),
            ("To", "<sip:900@centre.example>".into()),
            ("Call-ID", "in-1".into()),
            ("CSeq", format!("1 {method}")),
            ("Max-Forwards", "70".into()),
            ("Contact", "<sip:bob@10.0.0.2:5060>".into()),
        ];
        let fields = fields.into_iter().map(|(name, value)| (name.to_string(), value)).collect();
        Ask { method: method.into(), uri: "sip:900@10.0.0.1".into(), fields, body: String::new() }
    }

    pub fn invite() -> Ask {
        Ask::new("INVITE", "inv").sdp(OFFER)
    }

    /// In the dialog of `invite()`, where our tag is `tag`.
    pub fn within(method: &str, sequence: u32, tag: &str) -> Ask {
        let branch = format!("{}{sequence}", method.to_lowercase());
        Ask::new(method, &branch)
            .set("To", &format!("<sip:900@centre.example>;tag={tag}"))
            .set("CSeq", &format!("{sequence} {method}"))
    }

    pub fn set(mut self, name: &str, value: &str) -> Ask {
        match self.fields.iter_mut().find(|(known, _)| known == name) {
            Some((_, old)) => *old = value.into(),
            None => self.fields.push((name.into(), value.into())),
        }
        self
    }

    pub fn without(mut self, name: &str) -> Ask {
        self.fields.retain(|(known, _)| known != name);
        self
    }

    pub fn uri(mut self, uri: &str) -> Ask {
        self.uri = uri.into();
        self
    }

    pub fn sdp(self, body: &str) -> Ask {
        Ask { body: body.into(), ..self.set("Content-Type", "application/sdp") }
    }

    pub fn no_body(self) -> Ask {
        Ask { body: String::new(), ..self.without("Content-Type") }
    }

    pub fn text(&self) -> String {
        let fields: String = self.fields.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let length = self.body.len();
        format!("{} {} SIP/2.0\r\n{fields}Content-Length: {length}\r\n\r\n{}", self.method, self.uri, self.body)
    }
}

/// A response to a request of the endpoint's, with Contact 10.0.0.2.
pub fn reply(request: &Message, status: u16, tag: &str, body: Option<&str>) -> String {
    reply_with(request, status, tag, body, "")
}

/// `more`: further header lines, each with its CRLF.
pub fn reply_with(request: &Message, status: u16, tag: &str, body: Option<&str>, more: &str) -> String {
    let field = |id: HeaderId| String::from_utf8(request.header(id).unwrap().to_vec()).unwrap();
    let has_tag = request.to().unwrap().tag.is_some();
    let tag = if has_tag || tag.is_empty() { String::new() } else { format!(";tag={tag}") };
    let kind = if body.is_some() { "Content-Type: application/sdp\r\n" } else { "" };
    let body = body.unwrap_or("");
    format!(
        "SIP/2.0 {status} Whatever\r\nVia: {}\r\nFrom: {}\r\nTo: {}{tag}\r\nCall-ID: {}\r\nCSeq: {}\r\n\
         Contact: <sip:far@10.0.0.2:5060>\r\n{more}{kind}Content-Length: {}\r\n\r\n{body}",
        field(HeaderId::Via),
        field(HeaderId::From),
        field(HeaderId::To),
        field(HeaderId::CallId),
        field(HeaderId::CSeq),
        body.len()
    )
}

/// The value of a field, as text.
pub fn field(message: &Message, id: HeaderId) -> String {
    String::from_utf8(message.header(id).unwrap_or_default().to_vec()).unwrap()
}
