//! A SIP endpoint of the people's, with its address.

use base::{Instant, Now, Wall};
use sip::{Config, Endpoint, Flow, Transport, TrunkConfig};
use std::net::SocketAddr;

/// The centre's address.
pub const CENTRE: ([u8; 4], u16) = ([10, 0, 0, 1], 5060);

pub struct Line {
    pub address: SocketAddr,
    pub endpoint: Endpoint,
}

impl Line {
    /// Takes calls from the centre, whom it knows by its address.
    pub fn new(address: SocketAddr) -> Self {
        let centre = SocketAddr::from(CENTRE);
        let trunk = TrunkConfig { name: "centre".into(), networks: vec![(centre.ip(), 32)], ports: None };
        let config = Config { host: "people".into(), trunks: vec![trunk], ..Config::default() };
        Line { address, endpoint: Endpoint::new(config) }
    }

    pub fn flow(&self) -> Flow {
        Flow { transport: Transport::Udp, local: self.address, remote: SocketAddr::from(CENTRE), connection: 0 }
    }

    pub fn handle(&mut self, at: Instant, entropy: [u8; 32], input: sip::Input) -> Vec<sip::Output> {
        let mut out = Vec::new();
        self.endpoint.stir(entropy);
        self.endpoint.handle(clock(at), input, &mut out);
        out
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
