//! The reference: as many packets by a relay that does as little as one can, loaded by the same generator. Both are
//! this program again, as processes of their own, so that each has a core.

use benches::cpu::Cpu;
use benches::pin;
use mio::net::UdpSocket;
use mio::{Events, Interest, Poll, Token};
use serde::{Deserialize, Serialize};
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};
use traffic::audio::{Bank, Law};
use traffic::plan::{all_tones, caller_tone};
use traffic::streams::{self, Event, Percentiles, Plane, PortId, StreamId, Through, Way};

const RELAY: &str = "bare-relay";
const LOAD: &str = "bare-load";
/// Sockets of the load on each side.
pub const SHARED_PORTS: u32 = 4;

/// What the load saw of one round.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Round {
    pub delay: Percentiles,
    pub lateness: Percentiles,
    pub heard: u64,
    pub lost: u64,
    #[serde(default)]
    pub relay_cores: f64,
    #[serde(default)]
    pub load_cores: f64,
}

/// `calls` pairs of legs for so long.
pub fn round(calls: u32, time: Duration) -> Round {
    let legs = (2 * calls).to_string();
    let (first, last) = pin::cores();
    pin::to(first);
    let mut relay = Process::start(&[RELAY, &legs]);
    let ports = relay.line();
    pin::to(last);
    let mut load = Process::start(&[LOAD, &ports, &time.as_millis().to_string()]);
    // It says when everybody speaks.
    load.line();
    let (before, started) = (Cpu::of(relay.child.id(), load.child.id()), Instant::now());
    std::thread::sleep(time.mul_f64(0.9));
    let used = Cpu::of(relay.child.id(), load.child.id()).since(&before, started.elapsed());
    let round: Round = serde_json::from_str(&load.line()).expect("what the load saw");
    Round { relay_cores: used.server, load_cores: used.people, ..round }
}

/// Ends when its input is closed.
struct Process {
    child: Child,
    _stdin: ChildStdin,
    said: BufReader<ChildStdout>,
}

impl Process {
    fn start(args: &[&str]) -> Process {
        let own = std::env::current_exe().expect("this program has a path");
        let mut child = Command::new(own).args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it runs again");
        let stdin = child.stdin.take().expect("its input is ours");
        let said = BufReader::new(child.stdout.take().expect("its output is ours"));
        Process { child, _stdin: stdin, said }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.said.read_line(&mut line).expect("a line of its output");
        line.trim().into()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs what a child of [`round`] is for.
pub fn is_child(args: &[String]) -> bool {
    match args {
        [_, what, legs] if what == RELAY => relay(legs.parse().expect("a number of legs")),
        [_, what, ports, ms] if what == LOAD => load(ports, Duration::from_millis(ms.parse().expect("milliseconds"))),
        _ => return false,
    }
    true
}

/// As little as a relay can do: read, look up the other side, send. Whoever speaks to a port is answered there.
fn relay(legs: usize) {
    let mut poll = Poll::new().expect("a poller");
    let bind = || UdpSocket::bind("127.0.0.1:0".parse().expect("an address")).expect("a free port");
    let mut sockets: Vec<UdpSocket> = (0..legs).map(|_| bind()).collect();
    for (n, socket) in sockets.iter_mut().enumerate() {
        poll.registry().register(socket, Token(n), Interest::READABLE).expect("a socket to watch");
    }
    let ports = sockets.iter().map(|socket| socket.local_addr().map(|at| at.port()).expect("a bound socket has an address"));
    println!("{}", serde_json::to_string(&ports.collect::<Vec<_>>()).expect("plain data"));
    let mut peers: Vec<Option<SocketAddr>> = vec![None; legs];
    let (mut events, mut buffer) = (Events::with_capacity(1_024), [0; 2_048]);
    loop {
        if poll.poll(&mut events, None).is_err() {
            continue;
        }
        for event in &events {
            let (own, other) = (event.token().0, event.token().0 ^ 1);
            while let Ok((length, from)) = sockets[own].recv_from(&mut buffer) {
                peers[own] = Some(from);
                if let Some(peer) = peers[other] {
                    let _ = sockets[other].send_to(&buffer[..length], peer);
                }
            }
        }
    }
}

/// The same streams as of so many calls, without the calls.
fn load(ports: &str, time: Duration) {
    let ports: Vec<u16> = serde_json::from_str(ports).expect("the relay's ports");
    let (tell, told) = channel();
    let closed = move |event| {
        if let Event::Closed { heard, .. } = event {
            // Whoever waits for it waits until the end.
            let _ = tell.send(heard);
        }
    };
    let plane = Plane::start(Bank::new(all_tones()), 1, true, closed).expect("a thread");
    for n in 0..2 * SHARED_PORTS {
        plane.share(PortId(n), streams::bind("127.0.0.1:0".parse().expect("an address")).expect("a free port"));
    }
    for (n, port) in (0..).zip(&ports) {
        let stream = StreamId(n);
        plane.open(stream, Through::Shared(PortId(n as u32 % (2 * SHARED_PORTS))));
        plane.say(stream, Some(caller_tone(n as usize)));
        let remote = SocketAddr::from(([127, 0, 0, 1], *port));
        plane.go(stream, Way { remote, law: Law::Pcma, dtmf: Some(101), send: true });
    }
    println!("speaking");
    let _ = std::io::stdout().flush();
    std::thread::sleep(time);
    (0..).zip(&ports).for_each(|(n, _)| plane.close(StreamId(n)));
    let mut round = Round::default();
    for heard in told.iter().take(ports.len()) {
        round.heard += heard.packets;
        round.lost += heard.lost + heard.stamped_lost + heard.stamped_again;
    }
    let measured = plane.finish();
    (round.delay, round.lateness) = (measured.delay.percentiles(), measured.lateness.percentiles());
    println!("{}", serde_json::to_string(&round).expect("plain data"));
}
