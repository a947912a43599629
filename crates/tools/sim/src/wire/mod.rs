//! A SIP line of the people's: an endpoint with an address, and what phones do beside it.

mod offerless;
mod rewrite;
mod transfers;

use base::{Instant, Now, Wall};
use bytes::Bytes;
use offerless::Offerless;
use sip::sdp::Local;
use sip::{Config, Endpoint, Flow, Transport, TrunkConfig};
use std::net::SocketAddr;
use transfers::Transfers;

/// The centre's address.
pub const CENTRE: ([u8; 4], u16) = ([10, 0, 0, 1], 5060);

pub struct Line {
    pub address: SocketAddr,
    pub endpoint: Endpoint,
    transfers: Transfers,
    offerless: Offerless,
}

/// What comes of an input to a line.
pub enum Said {
    /// A datagram to the centre.
    Send(Bytes),
    Sip(sip::Output),
    /// A transfer that this line asked for was done, or refused.
    Transferred {
        call_id: String,
        done: bool,
    },
}

impl Line {
    /// Takes calls from the centre, whom it knows by its address. `lease`: the session timer it asks for, in seconds.
    pub fn new(address: SocketAddr, lease: Option<u32>) -> Self {
        let centre = SocketAddr::from(CENTRE);
        let trunk = TrunkConfig { name: "centre".into(), networks: vec![(centre.ip(), 32)], ports: None };
        let config = Config { host: "people".into(), trunks: vec![trunk], session_expires: lease, ..Config::default() };
        let endpoint = Endpoint::new(config);
        Line { address, endpoint, transfers: Transfers::default(), offerless: Offerless::default() }
    }

    pub fn flow(&self) -> Flow {
        Flow { transport: Transport::Udp, local: self.address, remote: SocketAddr::from(CENTRE), connection: 0 }
    }

    pub fn deadline(&self) -> Option<Instant> {
        self.endpoint.deadline().into_iter().chain(self.transfers.deadline()).min()
    }

    pub fn handle(&mut self, at: Instant, entropy: [u8; 32], input: sip::Input) -> Vec<Said> {
        let mut said = Vec::new();
        let input = match input {
            sip::Input::Received { flow, bytes } => {
                self.offerless.received(&bytes);
                match self.transfers.received(bytes, flow.remote, &mut said) {
                    Some(bytes) => sip::Input::Received { flow, bytes },
                    None => return said,
                }
            }
            sip::Input::Due => {
                self.transfers.on_due(at, &mut said);
                sip::Input::Due
            }
            input => input,
        };
        let mut out = Vec::new();
        self.endpoint.stir(entropy);
        self.endpoint.handle(clock(at), input, &mut out);
        said.extend(out.into_iter().map(|output| match output {
            sip::Output::Transmit { bytes, .. } => Said::Send(self.transfers.sent(self.offerless.sent(bytes))),
            other => Said::Sip(other),
        }));
        said
    }

    /// REFER in that call: to a user of the centre's, or to whoever is in the other call. `None` while it is not up.
    pub fn refer(&mut self, at: Instant, to: &str, call_id: &str, replaces: Option<&str>, branch: &str) -> Option<Bytes> {
        self.transfers.refer(at, (to, self.address, branch), call_id, replaces)
    }

    /// INVITEs of that call hold no offer from now on: it comes in the 200, and the answer goes in the ACK.
    pub fn offer_late(&mut self, call_id: &str, local: Local) {
        self.offerless.begin(call_id, local);
    }
}

/// The people's clocks: the simulation's own.
pub fn clock(at: Instant) -> Now {
    Now { mono: at, wall: wall(at) }
}

/// The simulation begins on 2026-11-22 at 13:00 UTC.
pub fn wall(at: Instant) -> Wall {
    Wall(1_795_352_400_000_000 + (at.0 / 1_000) as i64)
}

/// A datagram's first line, without what differs from day to day.
pub fn subject(bytes: &[u8]) -> String {
    let line = bytes.split(|byte| *byte == b'\r').next().unwrap_or_default();
    String::from_utf8_lossy(line).split(" sip:").next().unwrap_or_default().trim_end_matches(" SIP/2.0").to_string()
}
