//! The other ends of our lines: a trunk and the agents' phones, as text on the wire.

use bytes::Bytes;
use sip::{Flow, Transport};
use std::net::SocketAddr;

pub const CENTRE: &str = "10.0.0.1:5060";

/// One message from or to a peer.
#[derive(Clone, Debug)]
pub struct Message(pub String);

impl Message {
    pub fn read(bytes: &Bytes) -> Message {
        Message(String::from_utf8_lossy(bytes).into_owned())
    }

    pub fn first_line(&self) -> &str {
        self.0.lines().next().unwrap_or_default()
    }

    /// The status of a response.
    pub fn status(&self) -> Option<u16> {
        self.first_line().strip_prefix("SIP/2.0 ")?.get(..3)?.parse().ok()
    }

    pub fn method(&self) -> &str {
        let line = self.first_line();
        if line.starts_with("SIP/2.0") {
            self.header("CSeq").rsplit(' ').next().unwrap_or("")
        } else {
            line.split(' ').next().unwrap_or("")
        }
    }

    /// The header's first value; empty if there is none.
    pub fn header(&self, name: &str) -> &str {
        let is_it = |line: &&str| line.split_once(':').is_some_and(|(n, _)| n.trim().eq_ignore_ascii_case(name));
        self.0
            .lines()
            .take_while(|line| !line.is_empty())
            .find(is_it)
            .and_then(|line| line.split_once(':'))
            .map_or("", |(_, v)| v.trim())
    }

    fn headers(&self, name: &str) -> String {
        let is_it = |line: &&str| line.split_once(':').is_some_and(|(n, _)| n.trim().eq_ignore_ascii_case(name));
        self.0.lines().take_while(|line| !line.is_empty()).filter(is_it).map(|line| format!("{line}\r\n")).collect()
    }

    /// The user part of the request's URI.
    pub fn dialled(&self) -> &str {
        self.first_line().split("sip:").nth(1).and_then(|uri| uri.split('@').next()).unwrap_or("")
    }

    /// The peer's answer to this request of ours.
    pub fn response(&self, status: u16, sdp: Option<&str>) -> String {
        let to = self.header("To");
        let to = if to.contains(";tag=") || status == 100 { to.to_string() } else { format!("{to};tag=peer") };
        let body = sdp.unwrap_or("");
        let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
        format!(
            "SIP/2.0 {status} As told\r\n{}From: {}\r\nTo: {to}\r\nCall-ID: {}\r\nCSeq: {}\r\nContact: <sip:peer@10.9.9.9>\r\n{kind}Content-Length: {}\r\n\r\n{body}",
            self.headers("Via"),
            self.header("From"),
            self.header("Call-ID"),
            self.header("CSeq"),
            body.len(),
        )
    }
}

/// What a peer offers or answers, with its audio at its own address.
pub fn sdp(at: SocketAddr) -> String {
    let ip = at.ip();
    format!(
        "v=0\r\no=- 1 1 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\nm=audio 40000 RTP/AVP 8 101\r\na=rtpmap:101 telephone-event/8000\r\na=sendrecv\r\n"
    )
}

/// Between a peer and us, over UDP.
pub fn flow(remote: SocketAddr) -> Flow {
    Flow { transport: Transport::Udp, local: CENTRE.parse().unwrap(), remote, connection: 0 }
}
