//! A telephone's side of one dialog, in SIP as it stands on the wire.

use bytes::Bytes;
use sip::digest::{Account, Signed};
use sip::{Builder, HeaderId, Message, Method, response_to};
use std::net::SocketAddr;

pub const CENTRE: ([u8; 4], u16) = ([10, 0, 0, 1], 5060);

/// One dialog, or the attempt at one.
pub struct Line {
    /// Whose it is: an agent's name, `caller`, or the number dialled.
    pub owner: String,
    pub address: SocketAddr,
    /// Where it wants to hear: unique, so that the plane's legs are known by it.
    pub rtp: u16,
    pub call_id: String,
    pub local_tag: String,
    pub remote_tag: String,
    remote_uri: String,
    target: String,
    sequence: u32,
    sdp_version: u32,
    /// The INVITE: received, or sent with its sequence number.
    invite: Option<Message>,
    dialled: Option<Dialled>,
    pub ringing: bool,
    pub up: bool,
    pub over: bool,
    /// Statuses that came to our INVITE, the last one last.
    pub statuses: Vec<u16>,
    /// Final status lines that NOTIFYs told, and provisional ones.
    pub notified: Vec<u16>,
    /// The Reason header of the CANCEL or BYE that ended it.
    pub reason: Option<String>,
    pub shows: String,
    /// It knows no telephone-event: its keys are tones.
    pub plain: bool,
    /// The payload number that it speaks.
    pub codec: u8,
}

struct Dialled {
    uri: String,
    user: String,
    proven: bool,
    sequence: u32,
    extra: String,
}

impl Line {
    /// Somebody calls us.
    pub fn rung(owner: &str, address: SocketAddr, rtp: u16, invite: Message) -> Line {
        let from = invite.from().unwrap();
        let uri = String::from_utf8_lossy(&invite.header(HeaderId::From).unwrap()).to_string();
        Line {
            owner: owner.into(),
            address,
            rtp,
            call_id: invite.call_id().unwrap().into(),
            local_tag: format!("t{rtp}"),
            remote_tag: from.tag.clone().unwrap(),
            remote_uri: uri.split(";tag=").next().unwrap().into(),
            target: contact_of(&invite),
            sequence: 100,
            sdp_version: 1,
            ringing: true,
            shows: uri.split('<').next().unwrap_or_default().trim().trim_matches('"').into(),
            invite: Some(invite),
            dialled: None,
            up: false,
            over: false,
            statuses: Vec::new(),
            notified: Vec::new(),
            reason: None,
            plain: false,
            codec: 8,
        }
    }

    /// We call the centre. The INVITE follows with [`Line::invite`].
    pub fn dials(owner: &str, address: SocketAddr, rtp: u16, number: &str, extra: &str) -> Line {
        let uri = format!("sip:{}@10.0.0.1:5060", number.replace('#', "%23"));
        Line {
            owner: owner.into(),
            address,
            rtp,
            call_id: format!("call-{rtp}"),
            local_tag: format!("t{rtp}"),
            remote_tag: String::new(),
            remote_uri: format!("<{uri}>"),
            target: uri.clone(),
            sequence: 1,
            sdp_version: 1,
            ringing: false,
            shows: String::new(),
            invite: None,
            dialled: Some(Dialled { uri, user: owner.into(), proven: false, sequence: 1, extra: extra.into() }),
            up: false,
            over: false,
            statuses: Vec::new(),
            notified: Vec::new(),
            reason: None,
            plain: false,
            codec: 8,
        }
    }

    /// The payload numbers that its INVITE offered, in their order.
    pub fn offered(&self) -> String {
        let body = self.invite.as_ref().map(|invite| String::from_utf8_lossy(&invite.body()).into_owned()).unwrap_or_default();
        let line = body.lines().find_map(|line| line.strip_prefix("m=audio "));
        line.and_then(|line| line.split_once("RTP/AVP ")).map_or(String::new(), |(_, numbers)| numbers.into())
    }

    pub fn invite(&mut self) -> Bytes {
        self.request(Method::Invite, "", Some(self.sdp("sendrecv")))
    }

    fn sdp(&self, direction: &str) -> String {
        let (ip, rtp, version, codec) = (self.address.ip(), self.rtp, self.sdp_version, self.codec);
        let (number, event) = if self.plain { ("", "") } else { (" 101", "a=rtpmap:101 telephone-event/8000\r\n") };
        let map = if codec == 96 { "a=rtpmap:96 opus/48000/2\r\n" } else { "" };
        format!(
            "v=0\r\no=- {rtp} {version} IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\nm=audio {rtp} RTP/AVP {codec}{number}\r\n\
             {map}{event}a={direction}\r\n"
        )
    }

    /// A request of ours; `more` are whole header lines.
    fn request(&mut self, method: Method, more: &str, body: Option<String>) -> Bytes {
        let (address, call_id, sequence) = (self.address, &self.call_id, self.sequence);
        let to_tag = if self.remote_tag.is_empty() { String::new() } else { format!(";tag={}", self.remote_tag) };
        let extra = self.dialled.as_ref().filter(|_| to_tag.is_empty()).map_or("", |d| &d.extra);
        let name = method.as_str();
        let kind = match &body {
            Some(_) if method == Method::Info => "Content-Type: application/dtmf\r\n",
            Some(_) => "Content-Type: application/sdp\r\n",
            None => "",
        };
        let body = body.unwrap_or_default();
        let text = format!(
            "{name} {} SIP/2.0\r\nVia: SIP/2.0/UDP {address};branch=z9hG4bK{}-{sequence}-{name};rport\r\nMax-Forwards: 70\r\n\
             From: <sip:{}@{address}>;tag={}\r\nTo: {}{to_tag}\r\nCall-ID: {call_id}\r\nCSeq: {sequence} {name}\r\n\
             Contact: <sip:{}@{address}>\r\n{more}{extra}{kind}Content-Length: {}\r\n\r\n{body}",
            self.target,
            self.rtp,
            self.owner,
            self.local_tag,
            self.remote_uri,
            self.owner,
            body.len()
        );
        self.sequence += 1;
        text.into()
    }

    pub fn respond(&mut self, status: u16, body: Option<String>) -> Bytes {
        let invite = self.invite.as_ref().expect("an INVITE that came");
        let builder = response_to(invite, status, "So", Some(&self.local_tag), SocketAddr::from(CENTRE));
        let builder = builder.write(HeaderId::Contact, format_args!("<sip:{}@{}>", self.owner, self.address));
        match body {
            Some(body) => builder.body("application/sdp", body.as_bytes()),
            None => builder.finish(),
        }
    }

    /// A field of the INVITE that came.
    pub fn header(&self, name: &str) -> Option<String> {
        let invite = self.invite.as_ref()?;
        invite.headers_named(name).next().map(|value| String::from_utf8_lossy(&value).to_string())
    }

    /// It called, and has no answer yet.
    pub fn is_dialling(&self) -> bool {
        self.dialled.is_some() && !self.up && !self.over
    }

    /// From, as the INVITE that came has it.
    pub fn from(&self) -> &str {
        &self.remote_uri
    }

    pub fn answer(&mut self) -> Bytes {
        (self.ringing, self.up) = (false, true);
        let sdp = self.sdp("sendrecv");
        self.respond(200, Some(sdp))
    }

    /// 183 with audio of its own.
    pub fn early(&mut self) -> Bytes {
        let sdp = self.sdp("sendrecv");
        self.respond(183, Some(sdp))
    }

    pub fn refuse(&mut self, status: u16) -> Bytes {
        (self.ringing, self.over) = (false, true);
        self.respond(status, None)
    }

    pub fn hang_up(&mut self) -> Bytes {
        self.over = true;
        self.request(Method::Bye, "", None)
    }

    /// CANCEL of our INVITE, which is not answered yet.
    pub fn cancel(&mut self) -> Bytes {
        let after = self.sequence;
        self.sequence = self.dialled.as_ref().expect("we dialled").sequence;
        let (tag, target) = (std::mem::take(&mut self.remote_tag), self.target.clone());
        self.target = self.dialled.as_ref().expect("we dialled").uri.clone();
        let text = String::from_utf8(self.request(Method::Cancel, "", None).to_vec()).expect("text");
        (self.sequence, self.remote_tag, self.target) = (after, tag, target);
        // RFC 3261 9.1: the branch is the INVITE's.
        text.replace("-CANCEL;", "-INVITE;").into()
    }

    pub fn hold(&mut self, held: bool) -> Bytes {
        self.sdp_version += 1;
        let sdp = self.sdp(if held { "sendonly" } else { "sendrecv" });
        self.request(Method::Invite, "", Some(sdp))
    }

    /// A key in an INFO.
    pub fn inform(&mut self, key: char) -> Bytes {
        self.request(Method::Info, "", Some(key.to_string()))
    }

    pub fn refer(&mut self, to: &str, replaces: Option<&Line>) -> Bytes {
        let replaces = replaces.map(|other| {
            // As the centre's end of that dialog sees it: its own tag is `to-tag` (RFC 3891 3).
            let value = format!("{};to-tag={};from-tag={}", other.call_id, other.remote_tag, other.local_tag);
            let escaped: String = value
                .chars()
                .map(|c| match c {
                    ';' => "%3B".into(),
                    '=' => "%3D".into(),
                    '@' => "%40".into(),
                    c => c.to_string(),
                })
                .collect();
            format!("?Replaces={escaped}")
        });
        let to = format!("Refer-To: <sip:{to}@10.0.0.1{}>\r\n", replaces.unwrap_or_default());
        self.request(Method::Refer, &to, None)
    }

    /// A message of this dialog's; what we say to it, and whether it is the beginning of a ringing that ended.
    pub fn on_message(&mut self, message: &Message) -> Vec<Bytes> {
        match message.status() {
            Some(status) => self.on_response(message, status),
            None => self.on_request(message),
        }
    }

    fn on_request(&mut self, message: &Message) -> Vec<Bytes> {
        let source = SocketAddr::from(CENTRE);
        let ok = |line: &Line| response_to(message, 200, "OK", Some(&line.local_tag), source);
        let reason = || message.headers_named("Reason").next().map(|r| String::from_utf8_lossy(&r).to_string());
        match message.method() {
            Some(Method::Ack) | None => vec![],
            Some(Method::Invite) if !self.up => vec![],
            Some(Method::Invite) => {
                let contact = format!("<sip:{}@{}>", self.owner, self.address);
                vec![ok(self).header(HeaderId::Contact, contact).body("application/sdp", self.sdp("sendrecv").as_bytes())]
            }
            Some(Method::Bye) => {
                (self.over, self.up, self.reason) = (true, false, reason());
                vec![ok(self).finish()]
            }
            Some(Method::Cancel) => {
                let answer = ok(self).finish();
                (self.over, self.ringing, self.reason) = (true, false, reason());
                vec![answer, self.respond(487, None)]
            }
            Some(Method::Notify) => {
                let body = message.body();
                let text = String::from_utf8_lossy(&body);
                self.notified.extend(text.split(' ').nth(1).and_then(|status| status.parse::<u16>().ok()));
                vec![ok(self).finish()]
            }
            Some(_) => vec![ok(self).finish()],
        }
    }

    fn on_response(&mut self, message: &Message, status: u16) -> Vec<Bytes> {
        let Ok((sequence, Method::Invite)) = message.cseq() else { return vec![] };
        if self.up || self.dialled.is_none() {
            // Of a re-INVITE.
            return if status < 200 { vec![] } else { vec![self.ack(message, sequence)] };
        }
        if status > 100 && status < 300 {
            self.remote_tag = message.to().unwrap().tag.unwrap_or_default();
        }
        if status < 200 {
            self.statuses.push(status);
            return vec![];
        }
        let challenged = matches!(status, 401 | 407) && !self.dialled.as_ref().is_some_and(|d| d.proven);
        if status < 300 {
            self.target = contact_of(message);
            self.up = true;
        }
        let ack = self.ack(message, sequence);
        if challenged {
            return vec![ack, self.prove(message, status)];
        }
        self.statuses.push(status);
        self.over = status >= 300;
        vec![ack]
    }

    fn ack(&mut self, response: &Message, sequence: u32) -> Bytes {
        let (after, tag) = (self.sequence, self.remote_tag.clone());
        self.sequence = sequence;
        self.remote_tag = response.to().unwrap().tag.unwrap_or_default();
        let text = self.request(Method::Ack, "", None);
        (self.sequence, self.remote_tag) = (after, tag);
        if response.status().is_some_and(|status| status < 300) {
            self.remote_tag = response.to().unwrap().tag.unwrap_or_default();
            return text;
        }
        // RFC 3261 17.1.1.3: the branch is the INVITE's.
        String::from_utf8(text.to_vec()).expect("text").replace("-ACK;", "-INVITE;").into()
    }

    fn prove(&mut self, response: &Message, status: u16) -> Bytes {
        let body = self.sdp("sendrecv");
        let dialled = self.dialled.as_mut().expect("we dialled");
        dialled.proven = true;
        dialled.sequence = self.sequence;
        let (asks, proof) = match status {
            401 => (HeaderId::WwwAuthenticate, "Authorization"),
            _ => (HeaderId::ProxyAuthenticate, "Proxy-Authorization"),
        };
        let challenges: Vec<_> = response.headers(asks).collect();
        let realm = sip::digest::Challenge::parse(&challenges[0]).unwrap().realm;
        let password = format!("secret-{}", dialled.user);
        let account = Account { realm: &realm, username: &dialled.user, password: &password };
        let uri = self.target.clone();
        let request = Signed { method: &Method::Invite, uri: &uri, body: body.as_bytes() };
        let credentials = sip::digest::respond(challenges.iter().map(|c| &**c), &account, &request, "abc", 1).unwrap();
        let more = format!("{proof}: {credentials}\r\n");
        self.remote_tag.clear();
        self.request(Method::Invite, &more, Some(body))
    }
}

fn contact_of(message: &Message) -> String {
    let contact = message.header(HeaderId::Contact).expect("a Contact");
    let text = String::from_utf8_lossy(&contact).to_string();
    text.trim_start_matches('<').split('>').next().unwrap_or_default().into()
}

/// 200 to a request outside of dialogs.
pub fn ok(message: &Message) -> Bytes {
    let builder: Builder = response_to(message, 200, "OK", Some("x"), SocketAddr::from(CENTRE));
    builder.finish()
}
