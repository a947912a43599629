//! A caller written here: which packets leave it when, in which codec and from which socket is the test's to decide, and
//! it knows where the server listens.

use super::raw::{Raw, Request};
use super::server::{PATIENCE, Server};
use super::sound::{is_tone, sounding_ms};
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};
use traffic::audio::Law;
use traffic::sdp::Audio;
use traffic::streams::Voice;

const FRAME_TIME: Duration = Duration::from_millis(20);
/// No test listens longer than this, in samples.
const MOST: usize = 300 * 8_000;

/// A caller on the trunk's address. Its voice begins when it is told to, and ends with it.
pub struct Line {
    raw: Raw,
    call: &'static str,
    tag: String,
    sequence: u32,
    /// The server's last answer to an offer.
    pub answer: String,
    /// Where it listens, and where the server does.
    pub at: SocketAddr,
    pub server: SocketAddr,
    pub mouth: Mouth,
    pub ear: Ear,
}

impl Line {
    /// An answered call to 100: what it offers may be changed before.
    pub fn calls(server: &Server<'_>, change: impl FnOnce(&mut Audio)) -> Line {
        Line::from(server, "line", (5_060, 7_000), change)
    }

    /// A second caller, from other ports of the same address.
    pub fn calls_beside(server: &Server<'_>, call: &'static str, sip: u16, rtp: u16) -> Line {
        Line::from(server, call, (sip, rtp), |_| ())
    }

    fn from(server: &Server<'_>, call: &'static str, (sip, rtp): (u16, u16), change: impl FnOnce(&mut Audio)) -> Line {
        let (raw, socket) = (Raw::trunk_at(server, sip), UdpSocket::bind(server.site.at(2, rtp)).unwrap());
        let at = socket.local_addr().unwrap();
        let mut line = Line {
            raw,
            call,
            tag: String::new(),
            sequence: 0,
            answer: String::new(),
            at,
            server: at,
            mouth: Mouth::new(socket.try_clone().unwrap()),
            ear: Ear::new(socket),
        };
        let mut offer = Audio::phone(at, &[Law::Pcmu], 101);
        change(&mut offer);
        let answer = line.offers(&offer);
        line.server = answer.at;
        line.mouth.tell(Order::To(answer.at));
        line
    }

    /// INVITE, its 200 and the ACK: what the server agreed to.
    pub fn offers(&mut self, offer: &Audio) -> Audio {
        self.sequence += 1;
        let (sequence, sdp) = (self.sequence, offer.write(self.sequence));
        self.sends("INVITE", Some(("application/sdp", &sdp)));
        let answer = self.raw.answer_to(self.call, &format!("{sequence} INVITE"));
        assert_eq!(answer.status, 200, "{}", answer.text);
        self.tag.clone_from(&answer.tag);
        self.sends("ACK", None);
        let audio = Audio::read(answer.body().as_bytes());
        self.answer = answer.text;
        audio.unwrap_or_else(|| panic!("audio in {}", self.answer))
    }

    /// A key by INFO, for who sends no RTP.
    pub fn informs(&mut self, key: char) {
        self.sequence += 1;
        let body = format!("Signal={key}\r\nDuration=160\r\n");
        self.sends("INFO", Some(("application/dtmf-relay", &body)));
        let answer = self.raw.answer_to(self.call, "INFO");
        assert_eq!(answer.status, 200, "{}", answer.text);
    }

    pub fn hangs_up(&mut self) {
        self.sequence += 1;
        self.sends("BYE", None);
        assert_eq!(self.raw.answer_to(self.call, "BYE").status, 200);
    }

    /// Presses both keys of the service desk: Spanish, and support.
    pub fn asks_for_support(&self, server: &mut Server<'_>) {
        self.mouth.tell(Order::Press('1'));
        server.fact("ivr.language_selected", |_| true);
        self.mouth.tell(Order::Press('1'));
        server.fact("agent_leg.connected", |_| true);
    }

    fn sends(&self, method: &str, body: Option<(&str, &str)>) {
        self.raw.send(&Request { call: self.call, method, sequence: self.sequence, tag: &self.tag, body });
    }
}

/// What a voice does next.
pub enum Order {
    To(SocketAddr),
    /// A tone, or the silence of a line; the first word makes packets begin.
    Say(Option<u32>),
    /// No packets at all.
    Quiet,
    Press(char),
    In(Law),
    /// The same stream from another socket: a router gave it another port.
    From(UdpSocket),
    /// Every packet this often.
    Times(u32),
    /// Of so many packets one is never sent.
    Lose(u32),
}

/// One stream of RTP, a packet each 20 ms.
pub struct Mouth {
    to: Sender<Order>,
    sent: Arc<AtomicU64>,
}

impl Mouth {
    pub fn new(socket: UdpSocket) -> Mouth {
        let (to, orders) = channel();
        let sent = Arc::<AtomicU64>::default();
        let count = sent.clone();
        std::thread::spawn(move || speak(socket, &orders, &count));
        Mouth { to, sent }
    }

    pub fn tell(&self, order: Order) {
        self.to.send(order).expect("the voice is there as long as its line");
    }

    /// Packets so far.
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }
}

/// Until nobody can give orders any more.
fn speak(mut socket: UdpSocket, orders: &Receiver<Order>, sent: &AtomicU64) {
    let mut voice = Voice::new(Law::Pcmu, Some(101), 11);
    let (mut to, mut speaks, mut times, mut loses, mut due) = (None, false, 1, u32::MAX, Instant::now());
    let mut since_lost = 0;
    loop {
        match orders.recv_timeout(due.saturating_duration_since(Instant::now())) {
            Ok(Order::To(address)) => to = Some(address),
            Ok(Order::Say(hz)) => {
                voice.say(hz);
                speaks = true;
            }
            Ok(Order::Quiet) => speaks = false,
            Ok(Order::Press(key)) => {
                voice.press(&key.to_string());
                speaks = true;
            }
            Ok(Order::In(law)) => voice.negotiate(law, Some(101)),
            Ok(Order::From(other)) => socket = other,
            Ok(Order::Times(n)) => times = n,
            Ok(Order::Lose(one_in)) => loses = one_in,
            Err(RecvTimeoutError::Disconnected) => return,
            Err(RecvTimeoutError::Timeout) => {
                due += FRAME_TIME;
                let Some(to) = to.filter(|_| speaks) else { continue };
                for _ in 0..times {
                    // Whoever does not listen any more is heard no more.
                    let _ = socket.send_to(voice.next_packet(), to);
                    sent.fetch_add(1, Ordering::Relaxed);
                }
                since_lost += times;
                if since_lost + 1 >= loses {
                    voice.next_packet();
                    since_lost = 0;
                }
            }
        }
    }
}

/// What came to a socket, decoded, in the order in which it came.
pub struct Ear {
    packets: Receiver<Packet>,
    got: Vec<Packet>,
}

pub struct Packet {
    pub law: Law,
    timestamp: u32,
    pub samples: Vec<i16>,
}

impl Ear {
    pub fn new(socket: UdpSocket) -> Ear {
        let (to, packets) = channel();
        // It ends with whoever listens, at the latest when nothing more comes.
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        std::thread::spawn(move || {
            let mut buffer = [0; 2_048];
            while let Ok(length) = socket.recv(&mut buffer) {
                let Some(law) = buffer.get(1).and_then(|b| Law::of_payload(b & 0x7F)) else { continue };
                let timestamp = u32::from_be_bytes([buffer[4], buffer[5], buffer[6], buffer[7]]);
                let samples = buffer[12..length].iter().map(|b| law.decode(*b)).collect();
                if to.send(Packet { law, timestamp, samples }).is_err() {
                    return;
                }
            }
        });
        Ear { packets, got: vec![] }
    }

    /// Waits until a tone is there for a fifth of a second.
    pub fn until_tone(&mut self, hz: u32) {
        self.until(&format!("{hz} Hz"), |samples| is_tone(samples, hz));
    }

    /// Waits until anything louder than line noise is there for as long.
    pub fn until_sound(&mut self) {
        self.until("a sound", |samples| sounding_ms(samples) > 0);
    }

    fn until(&mut self, what: &str, fits: impl Fn(&[i16]) -> bool) {
        let (end, mut row) = (Instant::now() + PATIENCE, 0);
        while row < 10 {
            let came = self.packets.recv_timeout(end.saturating_duration_since(Instant::now()));
            let packet = came.unwrap_or_else(|why| panic!("{what} is not heard ({why}) in {} packets", self.got.len()));
            row = if fits(&packet.samples) { row + 1 } else { 0 };
            self.got.push(packet);
        }
    }

    /// Listens for so long, whatever comes.
    pub fn listens_for(&mut self, span: Duration) {
        let end = Instant::now() + span;
        while let Ok(packet) = self.packets.recv_timeout(end.saturating_duration_since(Instant::now())) {
            self.got.push(packet);
        }
    }

    /// All that came so far.
    pub fn packets(&mut self) -> &[Packet] {
        self.got.extend(self.packets.try_iter());
        &self.got
    }

    /// The codecs in which it was spoken to, one after the other.
    pub fn laws(&mut self) -> Vec<Law> {
        let mut laws: Vec<Law> = self.packets().iter().map(|packet| packet.law).collect();
        laws.dedup();
        laws
    }

    /// The same as sound, placed by its timestamps: silence where nothing came.
    pub fn heard(&mut self) -> Vec<i16> {
        let mut sound: Vec<i16> = Vec::new();
        let Some(first) = self.packets().first().map(|packet| packet.timestamp) else { return sound };
        for packet in &self.got {
            let place = packet.timestamp.wrapping_sub(first) as usize;
            assert!(place < MOST, "one stream, one time line: {place} samples after its beginning");
            sound.resize(sound.len().max(place + packet.samples.len()), 0);
            sound[place..place + packet.samples.len()].copy_from_slice(&packet.samples);
        }
        sound
    }
}
