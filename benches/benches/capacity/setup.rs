//! Plain calls: INVITE, 200, ACK, a tenth of a second, BYE, 200. More and more of them a second, until somebody has to
//! say something twice.

use crate::Asked;
use crate::table::Table;
use benches::Size;
use benches::cpu::{self, Cpu};
use benches::server::Server;
use benches::site::Site;
use std::collections::VecDeque;
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

const RATE: u32 = 2_000;
const CPU_MS: f64 = 0.4;
/// From the 200 to the BYE.
const UP: Duration = Duration::from_millis(100);
/// RFC 3261 17.1.1.2: an INVITE or BYE without any response is sent again after this.
const T1: Duration = Duration::from_millis(500);
/// At the end: what is not there by then does not come.
const ENDS: Duration = Duration::from_secs(4);

pub fn run(asked: &Asked, table: &mut Table) {
    let site = Site::new(Size { calls: 5_000, agents: 1, rate: 0, hold: Duration::ZERO });
    let server = Server::start_apart(&site);
    let mut caller = Caller::new(site.at(2, 0), server.sip).expect("an address of ours");
    let time = Duration::from_secs(asked.length("--setup-hold", 6, 10, 1).into());
    caller.calls(if asked.measured { 200 } else { 20 }, Duration::from_secs(2).min(time));
    let rates = if asked.measured { (500..=6_000).step_by(500).collect() } else { vec![50] };
    let (mut clean, mut least) = (0, f64::INFINITY);
    for rate in rates {
        let (before, started) = (Cpu::of(server.pid(), 0), Instant::now());
        let done = caller.calls(rate, time);
        let elapsed = started.elapsed();
        let cores = Cpu::of(server.pid(), 0).since(&before, elapsed);
        let each = cores.server * elapsed.as_secs_f64() * 1e3 / f64::from(done.ended.max(1));
        let mut threads: Vec<_> = cores.threads.iter().filter(|(_, part)| **part >= 0.005).collect();
        threads.sort_by(|one, other| other.1.total_cmp(one.1));
        let threads: Vec<String> = threads.iter().take(4).map(|(name, part)| format!("{name} {part:.2}")).collect();
        table.figure(
            format!("set-up at {rate} a second"),
            format!("{done}; {each:.3} ms CPU each; {:.0} MB; {}", cpu::memory(server.pid()), threads.join(", ")),
        );
        if done.again + done.failed > 0 || done.ended < done.started {
            break;
        }
        (clean, least) = (rate, each);
    }
    let target = if asked.measured { RATE } else { 50 };
    table.target(
        "plain set-ups a second before anything is sent again",
        format!(">= {target}"),
        clean.to_string(),
        clean >= target,
    );
    table.target("  server's CPU for one", format!("{CPU_MS} ms"), format!("{least:.3} ms"), least <= CPU_MS || !asked.measured);
}

/// What became of some calls.
#[derive(Clone, Copy, Debug, Default)]
pub struct Done {
    pub started: u32,
    pub ended: u32,
    pub failed: u32,
    /// The last status that refused one.
    pub status: u16,
    /// What either side had to say twice.
    pub again: u32,
    pub slowest: Duration,
}

impl std::fmt::Display for Done {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Done { started, ended, failed, status, again, slowest } = self;
        write!(f, "{ended} of {started}, {failed} failed")?;
        if *status > 0 {
            write!(f, " with {status}")?;
        }
        write!(f, ", {again} sent again, slowest 200 {slowest:.1?}")
    }
}

/// INVITE ─▶ 200 ─▶ ACK, up ─▶ BYE ─▶ 200
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Inviting,
    Up,
    Leaving,
    Over,
}

struct Call {
    state: State,
    /// Of the last request, or of the BYE to come.
    since: Instant,
    /// Something came to the last request.
    answered: bool,
    to: String,
}

/// A trunk that makes plain calls.
pub struct Caller {
    socket: UdpSocket,
    local: SocketAddr,
    server: SocketAddr,
    /// Where sound goes, and stays.
    sound: SocketAddr,
    _sound: UdpSocket,
    calls: Vec<Call>,
    /// Calls that wait for their time: each kind is in the order of it.
    byes: VecDeque<usize>,
    checks: VecDeque<(Instant, usize, State)>,
    done: Done,
    /// Of those before.
    past: usize,
}

impl Caller {
    pub fn new(at: SocketAddr, server: SocketAddr) -> io::Result<Caller> {
        // A large buffer, as the load for sound has one: what the server says at once is kept.
        let socket: UdpSocket = traffic::streams::bind(at)?;
        let sound = UdpSocket::bind((at.ip(), 0))?;
        Ok(Caller {
            local: socket.local_addr()?,
            sound: sound.local_addr()?,
            _sound: sound,
            socket,
            server,
            calls: vec![],
            byes: VecDeque::new(),
            checks: VecDeque::new(),
            done: Done::default(),
            past: 0,
        })
    }

    /// So many a second, evenly; what became of them once all are over.
    pub fn calls(&mut self, rate: u32, time: Duration) -> Done {
        self.past += self.calls.len();
        self.calls.clear();
        self.byes.clear();
        self.checks.clear();
        self.done = Done::default();
        let (start, every) = (Instant::now(), Duration::from_secs(1) / rate);
        let all = (time.as_secs_f64() * f64::from(rate)) as u32;
        loop {
            let now = Instant::now();
            while self.done.started < all && start + every * self.done.started <= now {
                self.invite();
            }
            self.receive();
            self.leave(now);
            self.check(now);
            let over = self.done.ended + self.done.failed >= all || now > start + time + ENDS;
            if self.done.started >= all && over {
                return self.done;
            }
            std::thread::sleep(Duration::from_micros(500));
        }
    }

    fn invite(&mut self) {
        let place = self.calls.len();
        let now = Instant::now();
        self.calls.push(Call { state: State::Inviting, since: now, answered: false, to: String::new() });
        self.done.started += 1;
        self.checks.push_back((now + T1, place, State::Inviting));
        let sdp = format!(
            "v=0\r\no=- 1 1 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\nm=audio {} RTP/AVP 8 101\r\n\
             a=rtpmap:101 telephone-event/8000\r\n",
            self.sound.port(),
            ip = self.sound.ip()
        );
        let head = format!("Contact: <sip:load@{}>\r\nContent-Type: application/sdp\r\n", self.local);
        self.send("INVITE", 1, place, &head, &sdp);
    }

    fn send(&self, method: &str, sequence: u32, place: usize, head: &str, body: &str) {
        let (local, server, id) = (self.local, self.server, self.past + place);
        let to = self.calls.get(place).map_or("", |call| call.to.as_str());
        let to = if to.is_empty() { format!("<sip:100@{server}>") } else { to.into() };
        let text = format!(
            "{method} sip:100@{server} SIP/2.0\r\nVia: SIP/2.0/UDP {local};branch=z9hG4bK{method}{id};rport\r\n\
             Max-Forwards: 70\r\nFrom: <sip:+15550100{:04}@{local}>;tag=f{id}\r\nTo: {to}\r\nCall-ID: {id}@{local}\r\n\
             CSeq: {sequence} {method}\r\n{head}Content-Length: {}\r\n\r\n{body}",
            id % 10_000,
            body.len()
        );
        // What can't be sent is lost, and counts as that.
        let _ = self.socket.send_to(text.as_bytes(), server);
    }

    fn receive(&mut self) {
        let mut buffer = [0; 4_096];
        while let Ok(length) = self.socket.recv(&mut buffer) {
            let text = String::from_utf8_lossy(&buffer[..length]);
            self.on_message(&text);
        }
    }

    fn on_message(&mut self, text: &str) {
        let header = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
        let place = header("Call-ID:").and_then(|id| id.split('@').next()?.parse::<usize>().ok()?.checked_sub(self.past));
        let status = text.strip_prefix("SIP/2.0 ").and_then(|rest| rest.get(..3)?.parse::<u16>().ok());
        let (Some(place), Some(status)) = (place, status) else { return };
        let is_invite = header("CSeq:").is_some_and(|sequence| sequence.ends_with("INVITE"));
        let Some(call) = self.calls.get_mut(place) else { return };
        call.answered = true;
        match (call.state, status) {
            (_, ..200) => {}
            (State::Inviting, 200..300) if is_invite => {
                self.done.slowest = self.done.slowest.max(call.since.elapsed());
                (call.state, call.since) = (State::Up, Instant::now() + UP);
                call.to = header("To:").unwrap_or_default().into();
                self.byes.push_back(place);
                self.send("ACK", 1, place, "", "");
            }
            (State::Leaving, 200..300) if !is_invite => {
                call.state = State::Over;
                self.done.ended += 1;
            }
            // The server's 200 once more: our ACK was too late.
            (_, 200..300) => {
                self.done.again += 1;
                if is_invite {
                    self.send("ACK", 1, place, "", "");
                }
            }
            (State::Over, _) => {}
            (_, _) => {
                call.state = State::Over;
                self.done.status = status;
                self.done.failed += 1;
            }
        }
    }

    fn leave(&mut self, now: Instant) {
        while let Some(place) = self.byes.pop_front_if(|place| self.calls.get(*place).is_some_and(|call| call.since <= now)) {
            if let Some(call) = self.calls.get_mut(place).filter(|call| call.state == State::Up) {
                (call.state, call.since, call.answered) = (State::Leaving, now, false);
                self.checks.push_back((now + T1, place, State::Leaving));
                self.send("BYE", 2, place, "", "");
            }
        }
    }

    /// Whoever got no answer would say it again; here it is counted, and the call is given up.
    fn check(&mut self, now: Instant) {
        while let Some((_, place, state)) = self.checks.pop_front_if(|(at, ..)| *at <= now) {
            if let Some(call) = self.calls.get_mut(place).filter(|call| call.state == state && !call.answered) {
                call.state = State::Over;
                self.done.again += 1;
                self.done.failed += 1;
            }
        }
    }
}
