//! A trunk's socket and hand-written SIP, for what sipp hides or refuses to send.

use super::server::{PATIENCE, Server};
use std::net::{SocketAddr, UdpSocket};

pub struct Raw {
    socket: UdpSocket,
    pub from: SocketAddr,
    to: SocketAddr,
}

/// A response: its status, the tag of its To, and all of it.
pub struct Response {
    pub status: u16,
    pub tag: String,
    pub text: String,
}

/// One request in a call. The same is the same message; a CANCEL's own would need its INVITE's branch.
pub struct Request<'a> {
    pub call: &'a str,
    pub method: &'a str,
    pub sequence: u32,
    /// Of the server's, once it is known.
    pub tag: &'a str,
    /// The body, and its type.
    pub body: Option<(&'a str, &'a str)>,
}

impl Raw {
    pub fn trunk(server: &Server<'_>) -> Raw {
        Raw::trunk_at(server, 5060)
    }

    /// From another port of the trunk's address.
    pub fn trunk_at(server: &Server<'_>, port: u16) -> Raw {
        let socket = UdpSocket::bind(server.site.at(2, port)).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let from = socket.local_addr().unwrap();
        Raw { socket, from, to: server.sip }
    }

    /// An INVITE to 100 that offers PCMU; the same name is the same message.
    pub fn invite(&self, call: &str) {
        let ip = self.from.ip();
        let media = "m=audio 7000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n";
        let sdp = format!("v=0\r\no=- 1 1 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\n{media}");
        self.send(&Request { call, method: "INVITE", sequence: 1, tag: "", body: Some(("application/sdp", &sdp)) });
    }

    /// ACK and BYE to an answered call.
    pub fn hang_up(&self, call: &str, tag: &str) {
        self.send(&Request { call, method: "ACK", sequence: 1, tag, body: None });
        self.send(&Request { call, method: "BYE", sequence: 2, tag, body: None });
    }

    /// The next final response to an INVITE of this call.
    pub fn answer(&self, call: &str) -> Response {
        self.answer_to(call, "INVITE")
    }

    /// The next final response to such a request, such as `INVITE` or, if it matters which one, `2 INVITE`.
    pub fn answer_to(&self, call: &str, request: &str) -> Response {
        let mut buffer = [0; 4_096];
        loop {
            let (length, _) = self.socket.recv_from(&mut buffer).expect("the server answers");
            let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
            let line = |name: &str| text.lines().find_map(|l| l.strip_prefix(name)).unwrap_or_default().to_string();
            let status = line("SIP/2.0 ").split(' ').next().and_then(|s| s.parse().ok()).unwrap_or(0);
            let ours = line("Call-ID: ").starts_with(&format!("{call}@")) && line("CSeq: ").ends_with(request);
            if ours && status >= 200 {
                let tag = line("To:").split_once(";tag=").map_or(String::new(), |(_, tag)| tag.to_string());
                return Response { status, tag, text };
            }
        }
    }

    pub fn send(&self, request: &Request<'_>) {
        let Request { call, method, sequence, tag, body } = request;
        let (from, ip) = (self.from, self.from.ip());
        let tag = if tag.is_empty() { String::new() } else { format!(";tag={tag}") };
        let branch = format!("z9hG4bK{call}{method}{sequence}");
        let via = format!("{method} sip:100@{} SIP/2.0\r\nVia: SIP/2.0/UDP {from};branch={branch}\r\n", self.to);
        let who = format!("From: <sip:a@{ip}>;tag={call}\r\nTo: <sip:100@b>{tag}\r\nCall-ID: {call}@{ip}\r\n");
        let rest = format!("CSeq: {sequence} {method}\r\nContact: <sip:a@{from}>\r\nMax-Forwards: 70\r\n");
        let (kind, body) = body.map_or((String::new(), ""), |(kind, body)| (format!("Content-Type: {kind}\r\n"), body));
        let message = format!("{via}{who}{rest}{kind}Content-Length: {}\r\n\r\n{body}", body.len());
        self.socket.send_to(message.as_bytes(), self.to).unwrap();
    }
}

impl Response {
    pub fn body(&self) -> &str {
        self.text.split_once("\r\n\r\n").map_or("", |(_, body)| body)
    }
}
