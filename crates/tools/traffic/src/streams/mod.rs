//! All RTP of the simulated people in one thread. Legs have a socket each, or share a few: the kernel then takes and
//! gives many packets at a time, and the address that a packet comes from tells whose it is.
//!
//! ```text
//! orders ─▶ ┌──────────── thread ────────────┐ ─▶ noticed (tones, keys, the count at the end)
//!           │ each 1 ms: a 20th of the legs   │
//!           │ says its next 20 ms, then what  │
//!           │ came is heard, with the kernel's│
//!           │ word for when it came           │
//!           └─────────────────────────────────┘
//! ```

mod ear;
mod ears;
mod header;
mod histogram;
mod listener;
mod pace;
mod port;
mod stamp;
mod voice;

pub use ear::{Heard, Noticed};
pub use histogram::{Histogram, Percentiles};
pub use port::bind;
pub use voice::Voice;

use crate::audio::{Bank, Law};
use ear::Ear;
use ears::{Clock, Ears};
use listener::Listener;
use mio::net::UdpSocket;
use mio::{Events, Interest, Poll, Token};
use port::{BATCH, Batch};
use rustc_hash::FxHashMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// The legs are spread over the 20 ms of a packet, so that they do not all speak at once.
const TICK: Duration = Duration::from_millis(1);
const PHASES: usize = 20;
/// Sockets in one answer of the poll.
const READY: usize = 256;

/// One leg's audio. Never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId(pub u64);

/// A socket that legs share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PortId(pub u32);

/// Where a leg's packets come and go: a socket from [`bind`] of its own, or one that was handed over before.
pub enum Through {
    Own(std::net::UdpSocket),
    Shared(PortId),
}

/// What was negotiated: where to send, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Way {
    pub remote: SocketAddr,
    pub law: Law,
    pub dtmf: Option<u8>,
    pub send: bool,
}

enum Order {
    Share { port: PortId, socket: std::net::UdpSocket },
    Open { stream: StreamId, through: Through },
    Go { stream: StreamId, way: Way },
    Unmute { stream: StreamId },
    Say { stream: StreamId, hz: Option<u32> },
    Press { stream: StreamId, keys: String },
    Close { stream: StreamId },
    Enough { done: Sender<()> },
}

/// What the thread tells: `at` is when it arrived.
#[derive(Clone, Debug)]
pub enum Event {
    /// The first packet of a leg.
    First { stream: StreamId, at: Instant },
    Noticed {
        stream: StreamId,
        /// When what was noticed began.
        since: Instant,
        what: Noticed,
    },
    /// The last word about a leg: what it heard, and how many packets it sent.
    Closed { stream: StreamId, heard: Box<Heard>, sent: u64 },
}

/// What all legs together saw.
#[derive(Clone, Debug, Default)]
pub struct Measured {
    /// How late this process sent its packets.
    pub lateness: Histogram,
    /// The same, after [`Plane::enough`].
    pub late_after: Histogram,
    /// From before a stamped packet was sent to its arrival in the kernel.
    pub delay: Histogram,
    /// How far packets without a stamp came behind their time: see [`pace`]. Where voices are stamped, only what the other
    /// side plays has none.
    pub pacing: Histogram,
    /// Packets that the kernel did not take.
    pub unsent: u64,
}

/// The way to the thread. Dropping it ends the thread.
pub struct Plane {
    to: Option<Sender<Order>>,
    thread: Option<JoinHandle<Measured>>,
}

impl Plane {
    /// `tell` is called in the thread, for each event. `bank` are the tones by which people are known; `stamped` voices
    /// carry who speaks and when.
    pub fn start(bank: Bank, seed: u64, stamped: bool, tell: impl Fn(Event) + Send + 'static) -> io::Result<Plane> {
        let (to, orders) = channel();
        let runner = Runner {
            poll: Poll::new()?,
            orders,
            ports: FxHashMap::default(),
            turns: Default::default(),
            ears: Ears::new(Clock::start(), Listener::new(bank), Box::new(tell)),
            seed,
            stamped,
            lateness: Histogram::default(),
            unsent: 0,
            measured: None,
        };
        let thread = std::thread::Builder::new().name("rtp".into()).spawn(move || runner.run())?;
        Ok(Plane { to: Some(to), thread: Some(thread) })
    }

    /// A socket from [`bind`], for as many legs as open on it.
    pub fn share(&self, port: PortId, socket: std::net::UdpSocket) {
        self.order(Order::Share { port, socket });
    }

    pub fn open(&self, stream: StreamId, through: Through) {
        self.order(Order::Open { stream, through });
    }

    /// Starts to speak to the peer, or goes on elsewhere.
    pub fn go(&self, stream: StreamId, way: Way) {
        self.order(Order::Go { stream, way });
    }

    /// Speaks the way that was agreed with sending left out.
    pub fn unmute(&self, stream: StreamId) {
        self.order(Order::Unmute { stream });
    }

    pub fn say(&self, stream: StreamId, hz: Option<u32>) {
        self.order(Order::Say { stream, hz });
    }

    pub fn press(&self, stream: StreamId, keys: &str) {
        self.order(Order::Press { stream, keys: keys.into() });
    }

    pub fn close(&self, stream: StreamId) {
        self.order(Order::Close { stream });
    }

    /// Lateness and delay are those of the packets until now; how late later ones are sent counts apart. Waits until that
    /// is so: whatever the caller does next may keep the thread from its time.
    pub fn enough(&self) {
        let (done, is_done) = channel();
        self.order(Order::Enough { done });
        // An error: the thread is gone.
        let _ = is_done.recv();
    }

    /// Ends the thread.
    pub fn finish(mut self) -> Measured {
        self.end()
    }

    fn order(&self, order: Order) {
        // The thread ends only with this value.
        if let Some(to) = &self.to {
            let _ = to.send(order);
        }
    }

    fn end(&mut self) -> Measured {
        self.to = None;
        self.thread.take().and_then(|t| t.join().ok()).unwrap_or_default()
    }
}

impl Drop for Plane {
    fn drop(&mut self) {
        self.end();
    }
}

struct Leg {
    token: usize,
    way: Option<Way>,
    voice: Voice,
    ear: Ear,
    sent: u64,
}

struct Port {
    socket: UdpSocket,
    /// Whose it is, if it is not shared.
    only: Option<StreamId>,
}

struct Runner {
    poll: Poll,
    orders: Receiver<Order>,
    ports: FxHashMap<usize, Port>,
    /// Who speaks in which millisecond, by the port.
    turns: [Vec<(usize, StreamId)>; PHASES],
    ears: Ears,
    seed: u64,
    stamped: bool,
    lateness: Histogram,
    unsent: u64,
    /// At the moment when it was enough.
    measured: Option<Measured>,
}

impl Runner {
    fn run(mut self) -> Measured {
        let (mut events, mut batch) = (Events::with_capacity(READY), Batch::new());
        let (mut due, mut phase) = (self.ears.clock.start, 0);
        while self.take_orders() {
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            while Instant::now() >= due {
                self.speak(phase, due, &mut batch);
                phase = (phase + 1) % PHASES;
                due += TICK;
            }
            self.listen(&mut events, &mut batch);
        }
        match self.measured.take() {
            Some(measured) => Measured { late_after: self.lateness, unsent: self.unsent, ..measured },
            None => self.so_far(),
        }
    }

    /// What has been measured; how late packets are sent from now on counts apart.
    fn so_far(&mut self) -> Measured {
        let Runner { lateness, ears, unsent, .. } = self;
        let (delay, pacing) = (ears.delay.clone(), ears.pacing.clone());
        Measured { lateness: std::mem::take(lateness), delay, pacing, unsent: *unsent, ..Measured::default() }
    }

    /// False when nobody can give orders any more.
    fn take_orders(&mut self) -> bool {
        loop {
            match self.orders.try_recv() {
                Ok(order) => self.obey(order),
                Err(TryRecvError::Empty) => return true,
                Err(TryRecvError::Disconnected) => return false,
            }
        }
    }

    fn obey(&mut self, order: Order) {
        match order {
            Order::Share { port, socket } => drop(self.add(usize::MAX - port.0 as usize, socket, None)),
            Order::Open { stream, through } => self.open(stream, through),
            Order::Close { stream } => self.close(stream),
            Order::Enough { done } => {
                self.measured = Some(self.so_far());
                // Whoever asked waits.
                let _ = done.send(());
            }
            Order::Go { stream, way } => self.ears.go(stream, way),
            Order::Unmute { stream } => self.with(stream, |leg| leg.way = leg.way.map(|way| Way { send: true, ..way })),
            Order::Say { stream, hz } => self.with(stream, |leg| leg.voice.say(hz)),
            Order::Press { stream, keys } => self.with(stream, |leg| leg.voice.press(&keys)),
        }
    }

    fn with(&mut self, stream: StreamId, change: impl FnOnce(&mut Leg)) {
        self.ears.legs.get_mut(&stream).map(change);
    }

    /// A socket whose arrivals are looked for.
    fn add(&mut self, token: usize, socket: std::net::UdpSocket, only: Option<StreamId>) -> io::Result<()> {
        let mut socket = UdpSocket::from_std(socket);
        self.poll.registry().register(&mut socket, Token(token), Interest::READABLE)?;
        self.ports.insert(token, Port { socket, only });
        Ok(())
    }

    fn open(&mut self, stream: StreamId, through: Through) {
        let token = match through {
            Through::Shared(port) => usize::MAX - port.0 as usize,
            Through::Own(socket) => {
                let token = stream.0 as usize;
                if self.add(token, socket, Some(stream)).is_err() {
                    return;
                }
                token
            }
        };
        let mut voice = Voice::new(Law::Pcmu, None, self.seed ^ stream.0.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        if self.stamped {
            voice.stamp_as(stream.0 as u32);
        }
        self.ears.legs.insert(stream, Leg { token, way: None, voice, ear: Ear::new(Some(101)), sent: 0 });
        let turns = &mut self.turns[stream.0 as usize % PHASES];
        let place = turns.partition_point(|other| *other < (token, stream));
        turns.insert(place, (token, stream));
    }

    fn close(&mut self, stream: StreamId) {
        let Some(token) = self.ears.close(stream) else { return };
        self.turns[stream.0 as usize % PHASES].retain(|(_, other)| *other != stream);
        if self.ports.get(&token).is_some_and(|port| port.only.is_some())
            && let Some(mut port) = self.ports.remove(&token)
        {
            // A socket that is closed is looked at no more in any case.
            let _ = self.poll.registry().deregister(&mut port.socket);
        }
    }

    fn listen(&mut self, events: &mut Events, batch: &mut Batch) {
        loop {
            // An interrupted poll is an early one.
            if self.poll.poll(events, Some(Duration::ZERO)).is_err() {
                return;
            }
            for event in &*events {
                let Token(token) = event.token();
                let Some(Port { socket, only }) = self.ports.get(&token) else { continue };
                batch.receive(socket, |arrival| self.ears.take(token, *only, arrival));
            }
            if events.iter().count() < READY {
                return;
            }
        }
    }

    /// Everybody whose turn it is makes a packet; then they go out, a port's together.
    fn speak(&mut self, phase: usize, due: Instant, batch: &mut Batch) {
        let Runner { turns, ears, ports, lateness, unsent, .. } = self;
        let Some(turns) = turns.get(phase).filter(|turns| !turns.is_empty()) else { return };
        let at = ears.clock.stamp();
        for (_, stream) in turns {
            if let Some(leg) = ears.legs.get_mut(stream).filter(|leg| leg.way.is_some_and(|way| way.send)) {
                leg.voice.turn(at);
                leg.sent += 1;
            }
        }
        for group in turns.chunk_by(|(one, _), (other, _)| one == other) {
            let Some(port) = group.first().and_then(|(token, _)| ports.get(token)) else { continue };
            let legs = group.iter().filter_map(|(_, stream)| ears.legs.get(stream));
            let mut packets = legs.filter_map(|leg| Some((leg.way.filter(|way| way.send)?.remote, leg.voice.packet())));
            loop {
                let mut some = [(SocketAddr::V4(std::net::SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 0)), &[][..]); BATCH];
                let filled = some.iter_mut().zip(packets.by_ref()).map(|(place, packet)| *place = packet).count();
                // A peer that is gone refuses packets (ICMP); what the leg hears will show it.
                let sent = batch.send(&port.socket, some.get(..filled).unwrap_or_default());
                lateness.count_all(due.elapsed(), sent as u64);
                *unsent += (filled - sent) as u64;
                if filled < BATCH {
                    break;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADDRESS: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

    #[test]
    fn two_legs_hear_each_others_tone_and_keys() {
        let (tell, told) = channel();
        let plane = Plane::start(Bank::new([1_000, 2_000]), 1, false, move |e| drop(tell.send(e))).unwrap();
        let sockets = [bind(ADDRESS).unwrap(), bind(ADDRESS).unwrap()];
        let addresses = sockets.each_ref().map(|s| s.local_addr().unwrap());
        for (i, socket) in sockets.into_iter().enumerate() {
            let stream = StreamId(i as u64);
            plane.open(stream, Through::Own(socket));
            plane.go(stream, Way { remote: addresses[1 - i], law: Law::Pcma, dtmf: Some(101), send: true });
            plane.say(stream, Some(1_000 * (1 + i as u32)));
        }
        plane.press(StreamId(0), "7");
        let mut noticed = Vec::new();
        while noticed.len() < 3 {
            if let Event::Noticed { stream, what, .. } = told.recv_timeout(Duration::from_secs(10)).unwrap() {
                noticed.push((stream.0, what));
            }
        }
        noticed.sort_by_key(|(stream, what)| (*stream, matches!(what, Noticed::Key(_))));
        assert_eq!(noticed, [(0, Noticed::Tone(2_000)), (1, Noticed::Tone(1_000)), (1, Noticed::Key('7'))]);
        plane.close(StreamId(0));
        let closed = told.iter().find_map(|e| if let Event::Closed { heard, sent, .. } = e { Some((heard, sent)) } else { None });
        let (heard, sent) = closed.unwrap();
        assert!(heard.packets > 5 && heard.lost == 0 && sent > 5, "{heard:?}");
        assert!(plane.finish().lateness.packets() > 10);
    }

    #[test]
    fn legs_that_share_a_port_are_told_apart_by_whom_they_speak_to() {
        let (tell, told) = channel();
        let plane = Plane::start(Bank::new([1_000, 1_500, 2_000]), 1, true, move |e| drop(tell.send(e))).unwrap();
        // Three at one port, who speak to three with a port each; the last of them is heard before its leg knows it.
        let shared = bind(ADDRESS).unwrap();
        let at = shared.local_addr().unwrap();
        plane.share(PortId(0), shared);
        for n in 0..3 {
            let (near, far) = (StreamId(n), StreamId(10 + n));
            let socket = bind(ADDRESS).unwrap();
            let way = Way { remote: socket.local_addr().unwrap(), law: Law::Pcma, dtmf: None, send: true };
            plane.open(far, Through::Own(socket));
            plane.say(far, Some(1_000 + 500 * n as u32));
            plane.go(far, Way { remote: at, ..way });
            plane.open(near, Through::Shared(PortId(0)));
            plane.say(near, Some(2_000 - 500 * n as u32));
            plane.go(near, way);
        }
        let noticed = |event| matches!(event, Event::Noticed { .. });
        assert_eq!(
            std::iter::from_fn(|| told.recv_timeout(Duration::from_secs(10)).ok()).filter(|e| noticed(e.clone())).take(6).count(),
            6
        );
        (0..3).for_each(|n| plane.close(StreamId(n)));
        let closed = std::iter::from_fn(|| told.recv_timeout(Duration::from_secs(10)).ok());
        let closed =
            closed.filter_map(|e| if let Event::Closed { stream, heard, .. } = e { Some((stream.0, heard)) } else { None });
        for (n, heard) in closed.take(3) {
            let tone = 1_000 + 500 * n as u32;
            assert_eq!(heard.tones_ms.keys().copied().collect::<Vec<_>>(), [tone], "{heard:?}");
            assert_eq!((heard.streams, heard.stamped_lost, heard.lost), (vec![10 + n as u32], 0, 0));
            assert_eq!(heard.stamped, heard.packets);
        }
        let measured = plane.finish();
        assert!(measured.delay.packets() >= 30 && measured.unsent == 0);
    }
}
