//! One UDP socket with a SIP endpoint behind it. What the endpoint transmits goes out here; the rest is handed on.

mod transfer;

use base::Random;
use bytes::Bytes;
use mio::net::UdpSocket;
use ring::rand::{SecureRandom, SystemRandom};
use sip::{Config, Endpoint, Flow, Input, Message, Method, Output, SessionId, Transport, TrunkConfig};
use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant, SystemTime};
use transfer::Transfers;

pub struct Line {
    pub socket: UdpSocket,
    endpoint: Endpoint,
    flow: Flow,
    clock: Clock,
    system: SystemRandom,
    transfers: Transfers,
    random: Random,
    resent: u64,
}

/// What came of one input or of reading the socket.
#[derive(Default)]
pub struct News {
    pub outputs: Vec<Output>,
    /// Responses to REGISTER: registering is not the endpoint's business.
    pub registrations: Vec<Message>,
    /// How calls fared that somebody here passed on.
    pub told: Vec<Told>,
    /// Calls that the server has taken on, by their Call-ID, and when it said so.
    pub trying: Vec<(String, Instant)>,
}

/// The last word about a transfer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    pub call_id: String,
    pub status: u16,
}

impl Line {
    /// The server is the one peer that this line knows; calls from anywhere else are challenged.
    pub fn bind(local: SocketAddr, server: SocketAddr) -> io::Result<Line> {
        let socket = UdpSocket::bind(local)?;
        let local = socket.local_addr()?;
        let prefix = if server.is_ipv4() { 32 } else { 128 };
        let trunk = TrunkConfig { name: "server".into(), networks: vec![(server.ip(), prefix)], ports: None };
        let config = Config {
            host: local.ip().to_string().into(),
            user_agent: "traffic".into(),
            contact_user: "traffic".into(),
            trunks: vec![trunk],
            ..Config::default()
        };
        let flow = Flow { transport: Transport::Udp, local, remote: server, connection: 0 };
        let mut line = Line {
            socket,
            endpoint: Endpoint::new(config),
            flow,
            clock: Clock::start(),
            system: SystemRandom::new(),
            transfers: Transfers::default(),
            random: Random::from_seed(0),
            resent: 0,
        };
        let mut seed = [0; 8];
        // As with the endpoint's: without it two runs at once could be confused.
        let _ = line.system.fill(&mut seed);
        line.random = Random::from_seed(u64::from_ne_bytes(seed));
        line.stir();
        Ok(line)
    }

    pub fn local(&self) -> SocketAddr {
        self.flow.local
    }

    /// The way to the server.
    pub fn flow(&self) -> Flow {
        self.flow
    }

    pub fn new_session(&mut self) -> SessionId {
        self.endpoint.new_session()
    }

    pub fn deadline(&self) -> Option<Instant> {
        let endpoint = self.endpoint.deadline().map(|at| self.clock.start + Duration::from_nanos(at.0));
        endpoint.into_iter().chain(self.transfers.deadline()).min()
    }

    /// The deadline passed.
    pub fn on_due(&mut self) -> News {
        let mut news = News::default();
        for bytes in self.transfers.on_due(Instant::now(), &mut news) {
            self.send(&bytes);
        }
        self.resent += self.feed(Input::Due, &mut news.outputs);
        news
    }

    /// Messages that were sent again: whatever goes out because time has passed.
    pub fn resent(&self) -> u64 {
        self.resent
    }

    /// Asks for the call to be passed on: to the user `to`, or to whoever is in the call `replaces`. False if one of the
    /// two is not up.
    pub fn refer(&mut self, call_id: &str, to: &str, replaces: Option<&str>) -> bool {
        let peers = (self.flow.local, self.flow.remote);
        let refer = self.transfers.refer(to, (call_id, replaces), peers, &mut self.random);
        refer.is_some_and(|bytes| {
            self.send(&bytes);
            true
        })
    }

    /// The call is over.
    pub fn forget(&mut self, call_id: &str) {
        self.transfers.forget(call_id);
    }

    /// Everything that waits in the socket.
    pub fn receive(&mut self) -> News {
        let mut news = News::default();
        let mut buffer = vec![0; 65_535];
        while let Ok((length, remote)) = self.socket.recv_from(&mut buffer) {
            let bytes = Bytes::copy_from_slice(buffer.get(..length).unwrap_or_default());
            match registration(&bytes) {
                Some(message) => news.registrations.push(message),
                None => self.take(bytes, remote, &mut news),
            }
        }
        news
    }

    pub fn input(&mut self, input: Input) -> Vec<Output> {
        let mut outputs = Vec::new();
        self.feed(input, &mut outputs);
        outputs
    }

    /// Past the endpoint: REGISTER.
    pub fn send(&self, bytes: &[u8]) {
        // A datagram that can't be sent is one that was lost; it will be sent again.
        let _ = self.socket.send_to(bytes, self.flow.remote);
    }

    fn take(&mut self, bytes: Bytes, remote: SocketAddr, news: &mut News) {
        if bytes.starts_with(b"SIP/2.0 100 ")
            && let Ok(message) = Message::parse(bytes.clone())
            && let Ok(call_id) = message.call_id()
        {
            news.trying.push((call_id.into(), Instant::now()));
        }
        let mut reply = None;
        if let Some(bytes) = self.transfers.received(bytes, remote, news, &mut reply) {
            self.feed(Input::Received { flow: Flow { remote, ..self.flow }, bytes }, &mut news.outputs);
        }
        reply.iter().for_each(|bytes| self.send(bytes));
    }

    /// How many messages went out.
    fn feed(&mut self, input: Input, outputs: &mut Vec<Output>) -> u64 {
        self.stir();
        let mut sent = 0;
        let mut fresh = Vec::new();
        self.endpoint.handle(self.clock.now(), input, &mut fresh);
        for output in fresh {
            match output {
                Output::Transmit { flow, bytes } => {
                    sent += 1;
                    drop(self.socket.send_to(&self.transfers.sent(bytes), flow.remote));
                }
                other => outputs.push(other),
            }
        }
        sent
    }

    fn stir(&mut self) {
        let mut entropy = [0; 32];
        // Without system randomness the tags would repeat; two runs at once could then be confused, no more.
        let _ = self.system.fill(&mut entropy);
        self.endpoint.stir(entropy);
    }
}

/// A response to REGISTER.
fn registration(bytes: &Bytes) -> Option<Message> {
    if !bytes.starts_with(b"SIP/2.0 ") {
        return None;
    }
    let message = Message::parse(bytes.clone()).ok()?;
    message.cseq().is_ok_and(|(_, method)| method == Method::Register).then_some(message)
}

/// Both clocks, read together.
struct Clock {
    start: Instant,
    anchor: base::Wall,
}

impl Clock {
    fn start() -> Clock {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Clock { start: Instant::now(), anchor: base::Wall(0).plus(since) }
    }

    fn now(&self) -> base::Now {
        base::Now { mono: base::Instant::ZERO, wall: self.anchor }.plus(self.start.elapsed())
    }
}
