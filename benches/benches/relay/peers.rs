//! The peers of all legs: what they send, and what comes through.

use base::Random;
use benches::cpu;
use media::rtp::{FRAME, Line, Packet};
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

const TICK: Duration = Duration::from_millis(1);
/// Ticks of a packet's 20 ms: the legs are spread over them.
const PHASES: u32 = 20;
/// What a socket that hears the peers of many legs may have waiting.
const BUFFER: usize = 4 << 20;

#[derive(Clone, Copy)]
pub struct Traffic {
    pub calls: u32,
    pub seconds: u32,
    /// Where the relay has its first leg: below the range from which the kernel gives ports to the peers.
    pub first_port: u16,
}

impl Traffic {
    pub fn legs(self) -> std::ops::Range<u32> {
        0..2 * self.calls
    }

    /// Where the relay has its leg.
    pub fn port(self, leg: u32) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.first_port + 2 * leg as u16).into()
    }
}

/// What one phase cost and carried.
pub struct Phase {
    pub sent: u64,
    received: u64,
    cpu: BTreeMap<String, Duration>,
}

impl Phase {
    pub fn share(&self) -> f64 {
        self.received as f64 / self.sent as f64
    }

    pub fn micros(&self) -> f64 {
        self.cpu.values().map(|time| self.each(*time)).sum()
    }

    pub fn threads(&self) -> String {
        let each = self.cpu.iter().map(|(name, time)| format!("{name} {:.2}", self.each(*time)));
        each.collect::<Vec<_>>().join(", ")
    }

    fn each(&self, time: Duration) -> f64 {
        time.as_secs_f64() * 1e6 / self.received.max(1) as f64
    }
}

/// A peer for each leg; those that speak in one tick share a socket, and each leg's port tells them apart.
pub struct Peers {
    sockets: Vec<UdpSocket>,
    lines: Vec<Line>,
}

impl Peers {
    pub fn new(traffic: Traffic) -> Self {
        let mut random = Random::from_seed(1);
        let line = |ssrc| Line { marker: false, sequence: random.bits() as u16, timestamp: random.bits() as u32, ssrc };
        Peers { sockets: (0..PHASES).map(|_| socket()).collect(), lines: traffic.legs().map(line).collect() }
    }

    pub fn address(&self, leg: u32) -> SocketAddr {
        self.sockets[(leg % PHASES) as usize].local_addr().expect("a bound socket has an address")
    }

    /// Runs the traffic and takes the CPU time of the named threads around it; the first second only warms up.
    pub fn measure(&mut self, traffic: Traffic, relays: &[&str]) -> Phase {
        self.talk(traffic, 1);
        let before = cpu::own();
        let (sent, received) = self.talk(traffic, traffic.seconds);
        let spent = |(name, time): (String, Duration)| {
            let earlier = before.get(&name).copied().unwrap_or_default();
            relays.contains(&&*name).then(|| (name, time.saturating_sub(earlier)))
        };
        Phase { sent, received, cpu: cpu::own().into_iter().filter_map(spent).collect() }
    }

    /// Every peer says a frame each 20 ms; returns what was sent and what came through.
    fn talk(&mut self, traffic: Traffic, seconds: u32) -> (u64, u64) {
        let (mut sent, mut received) = (0, 0);
        let mut next = Instant::now();
        for tick in 0..seconds * 1_000 {
            sent += self.say(traffic, tick % PHASES);
            next += TICK;
            while let Some(left) = next.checked_duration_since(Instant::now()).filter(|d| !d.is_zero()) {
                std::thread::park_timeout(left);
            }
            received += self.drain();
        }
        // What is still on its way belongs to this stretch.
        std::thread::park_timeout(20 * TICK);
        (sent, received + self.drain())
    }

    fn say(&mut self, traffic: Traffic, phase: u32) -> u64 {
        let mut sent = 0;
        let socket = &self.sockets[phase as usize];
        for (leg, line) in (0..).zip(&mut self.lines).skip(phase as usize).step_by(PHASES as usize) {
            sent += u64::from(socket.send_to(Packet::new(8, *line, &[0xD5; FRAME]).as_bytes(), traffic.port(leg)).is_ok());
            line.sequence = line.sequence.wrapping_add(1);
            line.timestamp = line.timestamp.wrapping_add(FRAME as u32);
        }
        sent
    }

    fn drain(&self) -> u64 {
        let mut buffer = [0; 2_048];
        let drained = |socket: &UdpSocket| std::iter::from_fn(|| socket.recv(&mut buffer).ok()).count() as u64;
        self.sockets.iter().map(drained).sum()
    }
}

fn socket() -> UdpSocket {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a loopback port");
    socket.set_nonblocking(true).expect("a socket that does not wait");
    socket2::SockRef::from(&socket).set_recv_buffer_size(BUFFER).expect("a buffer");
    socket
}
