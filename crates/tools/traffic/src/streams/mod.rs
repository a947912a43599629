//! All RTP of the simulated people in one thread: a socket per leg, read when something came, written by one timer.
//!
//! ```text
//! orders ─▶ ┌──────────── thread ────────────┐ ─▶ noticed (tones, keys, the count at the end)
//!           │ each 1 ms: a 20th of the legs   │
//!           │ says its next 20 ms             │
//!           │ between: epoll, every arrival is│
//!           │ stamped and heard at once       │
//!           └─────────────────────────────────┘
//! ```

mod ear;
mod lateness;
mod listener;
mod ticker;
mod voice;

pub use ear::{Heard, Noticed};
pub use lateness::{Lateness, Percentiles};

use crate::audio::{Bank, Law};
use ear::Ear;
use listener::Listener;
use mio::net::UdpSocket;
use mio::{Events, Interest, Poll, Token, Waker};
use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use ticker::Ticker;
pub use voice::Voice;

/// The legs are spread over the 20 ms of a packet, so that they do not all speak at once.
const TICK: Duration = Duration::from_millis(1);
const PHASES: u64 = 20;
/// Sockets that are read between two looks at the time.
const READ: usize = 64;
const WAKE: Token = Token(usize::MAX);
const TICKS: Token = Token(usize::MAX - 1);

/// One leg's audio. Never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StreamId(pub u64);

/// What was negotiated: where to send, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Way {
    pub remote: SocketAddr,
    pub law: Law,
    pub dtmf: Option<u8>,
    pub send: bool,
}

enum Order {
    Open { stream: StreamId, socket: std::net::UdpSocket },
    Go { stream: StreamId, way: Way },
    Unmute { stream: StreamId },
    Say { stream: StreamId, hz: Option<u32> },
    Press { stream: StreamId, keys: String },
    Close { stream: StreamId },
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

/// The way to the thread. Dropping it ends the thread.
pub struct Plane {
    to: Option<Sender<Order>>,
    waker: Arc<Waker>,
    thread: Option<JoinHandle<Lateness>>,
}

impl Plane {
    /// `tell` is called in the thread, for each event. `bank` are the tones by which people are known.
    pub fn start(bank: Bank, seed: u64, tell: impl Fn(Event) + Send + 'static) -> io::Result<Plane> {
        let poll = Poll::new()?;
        let waker = Arc::new(Waker::new(poll.registry(), WAKE)?);
        let ticker = Ticker::start(poll.registry(), TICKS, TICK)?;
        let (to, orders) = channel();
        let keep = waker.clone();
        let runner = Runner {
            poll,
            ticker,
            orders,
            legs: BTreeMap::new(),
            listener: Listener::new(bank),
            seed,
            tell: Box::new(tell),
            start: Instant::now(),
        };
        let thread = std::thread::Builder::new().name("rtp".into()).spawn(move || {
            let _keep = keep;
            runner.run()
        })?;
        Ok(Plane { to: Some(to), waker, thread: Some(thread) })
    }

    pub fn open(&self, stream: StreamId, socket: std::net::UdpSocket) {
        self.order(Order::Open { stream, socket });
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

    /// Ends the thread; how late its packets were.
    pub fn finish(mut self) -> Lateness {
        self.end()
    }

    fn order(&self, order: Order) {
        // The thread ends only with this value, so neither way can fail; a wake-up that fails costs a tick.
        if let Some(to) = &self.to {
            let _ = to.send(order);
        }
        let _ = self.waker.wake();
    }

    fn end(&mut self) -> Lateness {
        self.to = None;
        let _ = self.waker.wake();
        self.thread.take().and_then(|t| t.join().ok()).unwrap_or_default()
    }
}

impl Drop for Plane {
    fn drop(&mut self) {
        self.end();
    }
}

struct Leg {
    socket: UdpSocket,
    way: Option<Way>,
    voice: Voice,
    ear: Ear,
    sent: u64,
}

struct Runner {
    poll: Poll,
    ticker: Ticker,
    orders: Receiver<Order>,
    legs: BTreeMap<StreamId, Leg>,
    listener: Listener,
    seed: u64,
    tell: Box<dyn Fn(Event) + Send>,
    start: Instant,
}

impl Runner {
    fn run(mut self) -> Lateness {
        let mut lateness = Lateness::default();
        let mut events = Events::with_capacity(READ);
        let (mut due, mut phase) = (self.start, 0);
        while self.take_orders() {
            // An interrupted poll is an early one.
            let _ = self.poll.poll(&mut events, None);
            for event in &events {
                match event.token() {
                    WAKE => {}
                    TICKS => self.ticker.take(),
                    Token(stream) => self.hear(StreamId(stream as u64)),
                }
            }
            while Instant::now() >= due {
                self.speak(phase, due, &mut lateness);
                phase = (phase + 1) % PHASES;
                due += TICK;
            }
        }
        lateness
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
            Order::Open { stream, socket } => self.open(stream, socket),
            Order::Close { stream } => self.close(stream),
            Order::Go { stream, way } => self.with(stream, |leg| {
                leg.voice.negotiate(way.law, way.dtmf);
                leg.ear.expect_keys_as(way.dtmf);
                leg.ear.forgive();
                leg.way = Some(way);
            }),
            Order::Unmute { stream } => self.with(stream, |leg| leg.way = leg.way.map(|way| Way { send: true, ..way })),
            Order::Say { stream, hz } => self.with(stream, |leg| leg.voice.say(hz)),
            Order::Press { stream, keys } => self.with(stream, |leg| leg.voice.press(&keys)),
        }
    }

    fn with(&mut self, stream: StreamId, change: impl FnOnce(&mut Leg)) {
        self.legs.get_mut(&stream).map(change);
    }

    fn open(&mut self, stream: StreamId, socket: std::net::UdpSocket) {
        if socket.set_nonblocking(true).is_err() {
            return;
        }
        let mut socket = UdpSocket::from_std(socket);
        let token = Token(stream.0 as usize);
        if self.poll.registry().register(&mut socket, token, Interest::READABLE).is_err() {
            return;
        }
        let voice = Voice::new(Law::Pcmu, None, self.seed ^ stream.0.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let ear = Ear::new(Some(101));
        self.legs.insert(stream, Leg { socket, way: None, voice, ear, sent: 0 });
    }

    fn close(&mut self, stream: StreamId) {
        if let Some(mut leg) = self.legs.remove(&stream) {
            let _ = self.poll.registry().deregister(&mut leg.socket);
            (self.tell)(Event::Closed { stream, heard: Box::new(leg.ear.heard), sent: leg.sent });
        }
    }

    fn hear(&mut self, stream: StreamId) {
        let Some(leg) = self.legs.get_mut(&stream) else { return };
        let mut buffer = [0; 2048];
        while let Ok((length, _)) = leg.socket.recv_from(&mut buffer) {
            let at = Instant::now();
            let first = leg.ear.heard.packets == 0;
            let datagram = buffer.get(..length).unwrap_or_default();
            let noticed = leg.ear.listen(at - self.start, datagram, &mut self.listener);
            if first && leg.ear.heard.packets == 1 {
                (self.tell)(Event::First { stream, at });
            }
            if let Some((what, since)) = noticed {
                (self.tell)(Event::Noticed { stream, since: self.start + since, what });
            }
        }
    }

    fn speak(&mut self, phase: u64, due: Instant, lateness: &mut Lateness) {
        for (_, leg) in self.legs.iter_mut().filter(|(id, _)| id.0 % PHASES == phase) {
            let Some(way) = leg.way.filter(|w| w.send) else { continue };
            // A peer that is gone refuses packets (ICMP); what the leg hears will show it.
            let _ = leg.socket.send_to(leg.voice.next_packet(), way.remote);
            leg.sent += 1;
            lateness.count(due.elapsed());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::UdpSocket as StdSocket;

    #[test]
    fn two_legs_hear_each_others_tone_and_keys() {
        let (tell, told) = channel();
        let plane = Plane::start(Bank::new([1_000, 2_000]), 1, move |e| drop(tell.send(e))).unwrap();
        let sockets = [StdSocket::bind("127.0.0.1:0").unwrap(), StdSocket::bind("127.0.0.1:0").unwrap()];
        let addresses = sockets.each_ref().map(|s| s.local_addr().unwrap());
        for (i, socket) in sockets.into_iter().enumerate() {
            let stream = StreamId(i as u64);
            plane.open(stream, socket);
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
        assert!(plane.finish().packets() > 10);
    }
}
