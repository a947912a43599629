//! CPU per relayed packet: our plane against a bare epoll relay, in one run, A-B-A.
//!
//! `cargo bench -p benches --bench relay` prints a table. Both relays have one thread and a socket for each leg, and
//! carry the same traffic from the same generator: 50 calls of two peers at 50 packets a second on loopback. What is
//! counted is the CPU time of the relay's own thread, kernel included. The run is valid if every phase relayed at
//! least 99 % of its packets and the two phases of the bare relay agree within a fifth.

use base::{CallId, LegId, Random};
use media::rtp::{FRAME, Line, Packet};
use media::{Codec, Command, Input, PromptBook, Session};
use mio::net::UdpSocket;
use mio::{Events, Interest, Poll, Token};
use rustix::time::{ClockId, clock_gettime};
use shell_media::{Arrival, Config, MediaPlane, PacketIo, Port, UdpIo};
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{self, Sender};
use std::time::{Duration, Instant};

const CALLS: u32 = 50;
/// Below the range from which the kernel gives ports to the peers.
const FIRST_PORT: u16 = 24_000;
const BEAT: Duration = Duration::from_millis(20);

fn main() {
    // Without `--bench` (as in `cargo test --benches`) it only shows that it works.
    let measured = std::env::args().any(|a| a == "--bench");
    let beats = if measured { 250 } else { 10 };
    let phases = [("bare relay", bare(beats)), ("our plane", ours(beats)), ("bare relay", bare(beats))];
    println!("{:<12} {:>10} {:>10} {:>16}", "relay", "packets", "relayed", "CPU us/packet");
    for (name, phase) in &phases {
        println!("{name:<12} {:>10} {:>9.2}% {:>16.2}", phase.sent, phase.share() * 100.0, phase.micros());
    }
    let (before, ours, after) = (phases[0].1.micros(), phases[1].1.micros(), phases[2].1.micros());
    let base = (before + after) / 2.0;
    println!("our plane costs {:.2} times the bare relay, {:+.2} us a packet", ours / base, ours - base);
    let complete = phases.iter().all(|(_, phase)| phase.share() >= 0.99);
    let steady = (before - after).abs() <= base / 5.0;
    println!("valid: {}", if complete && steady { "yes" } else { "no: the machine was busy with something else" });
    assert!(measured || complete, "packets were lost");
}

/// What one phase cost and carried.
struct Phase {
    sent: u64,
    received: u64,
    cpu: Duration,
}

impl Phase {
    fn share(&self) -> f64 {
        self.received as f64 / self.sent as f64
    }
    fn micros(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / self.received.max(1) as f64
    }
}

/// CPU time of the calling thread, in nanoseconds.
fn thread_cpu() -> u64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// The peers: each has a socket and sends to its leg's port.
struct Peers(Vec<(UdpSocket, SocketAddr, Line)>);

impl Peers {
    fn new() -> Self {
        let mut random = Random::from_seed(1);
        let peer = |n: u32| {
            let line = Line { marker: false, sequence: random.bits() as u16, timestamp: random.bits() as u32, ssrc: n };
            (UdpSocket::bind((Ipv4Addr::LOCALHOST, 0).into()).expect("a loopback port"), port(n), line)
        };
        Peers((0..2 * CALLS).map(peer).collect())
    }

    fn addresses(&self) -> Vec<SocketAddr> {
        self.0.iter().map(|(socket, ..)| socket.local_addr().expect("a bound socket has an address")).collect()
    }

    /// Every peer says a frame at each beat; returns what was sent and what came through.
    fn talk(&mut self, beats: u32) -> (u64, u64) {
        let (mut sent, mut received) = (0, 0);
        let mut next = Instant::now();
        for _ in 0..beats {
            for (socket, to, line) in &mut self.0 {
                sent += u64::from(socket.send_to(Packet::new(8, *line, &[0xD5; FRAME]).as_bytes(), *to).is_ok());
                line.sequence = line.sequence.wrapping_add(1);
                line.timestamp = line.timestamp.wrapping_add(FRAME as u32);
            }
            next += BEAT;
            while let Some(left) = next.checked_duration_since(Instant::now()).filter(|d| !d.is_zero()) {
                std::thread::park_timeout(left);
            }
            received += self.drain();
        }
        (sent, received)
    }

    fn drain(&self) -> u64 {
        let mut buffer = [0; 2_048];
        let drained = |socket: &UdpSocket| std::iter::from_fn(|| socket.recv(&mut buffer).ok()).count() as u64;
        self.0.iter().map(|(socket, ..)| socket).map(drained).sum()
    }
}

fn port(n: u32) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, FIRST_PORT + 2 * n as u16).into()
}

/// Runs the traffic and takes the thread's CPU time around it; the first beats only warm up.
fn measure(peers: &mut Peers, beats: u32, cpu: &AtomicU64) -> Phase {
    peers.talk(5);
    let before = cpu.load(Ordering::Relaxed);
    let (sent, received) = peers.talk(beats);
    Phase { sent, received, cpu: Duration::from_nanos(cpu.load(Ordering::Relaxed) - before) }
}

/// As little as a relay can do: read, look up the other side, send.
fn bare(beats: u32) -> Phase {
    let mut peers = Peers::new();
    let addresses = peers.addresses();
    let mut poll = Poll::new().expect("a poller");
    let mut sockets: Vec<UdpSocket> = (0..2 * CALLS).map(|n| UdpSocket::bind(port(n)).expect("a free port")).collect();
    for (n, socket) in sockets.iter_mut().enumerate() {
        poll.registry().register(socket, Token(n), Interest::READABLE).expect("a socket to watch");
    }
    let (cpu, stop) = (AtomicU64::new(0), AtomicBool::new(false));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let (mut events, mut buffer) = (Events::with_capacity(1_024), [0; 2_048]);
            while !stop.load(Ordering::Relaxed) {
                cpu.store(thread_cpu(), Ordering::Relaxed);
                poll.poll(&mut events, Some(Duration::from_millis(100))).expect("events");
                for event in &events {
                    let other = event.token().0 ^ 1;
                    while let Ok(len) = sockets[event.token().0].recv(&mut buffer) {
                        let _ = sockets[other].send_to(&buffer[..len], addresses[other]);
                    }
                }
            }
        });
        let phase = measure(&mut peers, beats, &cpu);
        stop.store(true, Ordering::Relaxed);
        phase
    })
}

/// Our plane, as it serves calls, with the thread's CPU time noted each time it waits.
fn ours(beats: u32) -> Phase {
    let mut peers = Peers::new();
    let cpu = Arc::new(AtomicU64::new(0));
    let (sender, inputs) = mpsc::channel();
    let io = Watched { inner: UdpIo::new().expect("a poller"), cpu: cpu.clone() };
    let config = Config::new(std::env::temp_dir().join("centralita-bench"), Arc::new(PromptBook::default()));
    let sink = Arc::new(move |input| tell(&sender, input));
    let handle = MediaPlane::start_on(config, sink, vec![io]).expect("threads");
    for (n, remote) in (0..).zip(peers.addresses()) {
        handle.send(Command::Open { leg: leg(n), address: Ipv4Addr::LOCALHOST.into(), port: port(n).port() });
        assert!(matches!(inputs.recv(), Ok(Input::Opened { .. })), "a free port");
        let session = Session { remote, codec: Codec::Pcma, payload: 8, dtmf: Some(101), send: true, receive: true };
        handle.send(Command::Configure { leg: leg(n), session });
    }
    (0..2 * CALLS).for_each(|n| handle.send(Command::Hear { leg: leg(n), others: vec![leg(n ^ 1)] }));
    let phase = measure(&mut peers, beats, &cpu);
    handle.stop();
    phase
}

fn tell(sender: &Sender<Input>, input: Input) {
    // At the end nobody listens any more.
    let _ = sender.send(input);
}

fn leg(n: u32) -> LegId {
    LegId { call: CallId { node: 1, epoch: 1, n: n / 2 }, n: (n % 2) as u16 }
}

struct Watched {
    inner: UdpIo,
    cpu: Arc<AtomicU64>,
}

impl PacketIo for Watched {
    fn bind(&mut self, leg: LegId, address: IpAddr, port: u16) -> io::Result<()> {
        self.inner.bind(leg, address, port)
    }
    fn unbind(&mut self, leg: LegId) {
        self.inner.unbind(leg);
    }
    fn wait(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        self.cpu.store(thread_cpu(), Ordering::Relaxed);
        self.inner.wait(timeout)
    }
    fn receive(&mut self, buffer: &mut [u8]) -> Option<Arrival> {
        self.inner.receive(buffer)
    }
    fn send(&mut self, leg: LegId, port: Port, to: SocketAddr, packet: &[u8]) {
        self.inner.send(leg, port, to, packet);
    }
    fn waker(&self) -> Arc<mio::Waker> {
        self.inner.waker()
    }
}
