//! The plane under a virtual clock: two peers, what they send and what they get.

mod allocations;
mod attacks;
mod bridges;
mod codecs;
mod conferences;
mod gaps;
mod keys;
mod leases;
mod opus;
mod playing;
mod quality;
mod random;
mod recordings;

use super::*;
use crate::rtp::{FRAME, Header, Line};
use crate::{Codec, Command, Law, Limits, Prompt, Session, Sound, Stats, dtmf, rtcp, tone};
use base::{CallId, ConversationId, Now, Wall};
use proptest::prelude::*;
use std::collections::BTreeMap;

const CALL: CallId = CallId { node: 1, epoch: 1, n: 1 };
const A: LegId = LegId { call: CALL, n: 1 };
const B: LegId = LegId { call: CALL, n: 2 };
const C: LegId = LegId { call: CALL, n: 3 };
/// The tones that A, B and C speak with.
const LOW: f64 = 440.0;
const MIDDLE: f64 = 700.0;
const HIGH: f64 = 1_100.0;
const TAPE: RecordingId = RecordingId { conversation: ConversationId { call: CALL, n: 1 }, n: 1 };

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}
fn home(leg: LegId) -> SocketAddr {
    ([192, 0, 2, leg.n as u8], 4_000).into()
}
fn stranger() -> SocketAddr {
    ([203, 0, 113, 66], 6_666).into()
}
fn session(leg: LegId) -> Session {
    Session { dtmf: Some(101), ..Session::plain(home(leg), Codec::Pcma, 8) }
}

/// A packet as it arrived at a peer.
#[derive(Clone, Debug)]
struct Got {
    at: Instant,
    to: SocketAddr,
    header: Header,
    payload: Vec<u8>,
}

/// Which of A, B and C speak in these samples: each is there throughout, or not at all.
fn who(samples: &[i16]) -> String {
    let level = |hertz| tone::amplitude(samples, 8_000, hertz);
    let heard = |(name, hertz)| match level(hertz) {
        7_000.0.. => Some(name),
        ..500.0 => None,
        between => panic!("{name} is there in part: {between}"),
    };
    [('A', LOW), ('B', MIDDLE), ('C', HIGH)].into_iter().filter_map(heard).collect()
}

struct World {
    plane: Plane,
    now: Now,
    out: Vec<Output>,
    got: BTreeMap<LegId, Vec<Got>>,
    inputs: Vec<Input>,
    tape: Vec<[i16; 2]>,
    /// Of the recording that was opened last. One channel is both.
    channels: u16,
    reports: Vec<Vec<u8>>,
    /// Each leg's counts, as last said while it was open.
    measured: BTreeMap<LegId, Stats>,
    /// Packets that had to be copied.
    copies: usize,
    sequence: BTreeMap<LegId, u16>,
}

impl World {
    /// Two legs, open and configured.
    fn new() -> Self {
        let mut book = PromptBook::default();
        book.insert("low", Prompt::from_samples(&tone::sine(8_000, 440.0, 8_000.0, 1_600)));
        book.insert("high", Prompt::from_samples(&tone::sine(8_000, 1_000.0, 8_000.0, 8_000)));
        let plane = Plane::new(PlaneConfig::default(), Arc::new(book), Random::from_seed(5));
        let now = Now { mono: Instant(1_000_000_000), wall: Wall(0) };
        let mut world = World {
            plane,
            now,
            out: vec![],
            got: BTreeMap::new(),
            inputs: vec![],
            tape: vec![],
            channels: 0,
            reports: vec![],
            measured: BTreeMap::new(),
            copies: 0,
            sequence: BTreeMap::new(),
        };
        world.open(A);
        world.open(B);
        world
    }

    /// Three legs, that hear whom they are told to.
    fn of_three(hears: [&[LegId]; 3]) -> Self {
        let mut world = World::new();
        world.open(C);
        world.all_hear(hears);
        world
    }

    /// A, B and C hear these.
    fn all_hear(&mut self, hears: [&[LegId]; 3]) {
        for (leg, others) in [A, B, C].into_iter().zip(hears) {
            self.hear(leg, others);
        }
    }

    fn open(&mut self, leg: LegId) {
        self.plane.on_bound(self.now, leg, 10_000, true, &mut self.out);
        self.command(Command::Configure { leg, session: session(leg) });
    }

    fn command(&mut self, command: Command) {
        self.plane.on_command(self.now, command, &mut self.out);
        self.deliver(&[]);
    }

    /// Lets time pass, with every tick at its moment.
    fn pass(&mut self, span: Duration) {
        let end = self.now.mono + span;
        while let Some(due) = self.plane.deadline().filter(|due| *due <= end) {
            self.now = self.now.plus(due.since(self.now.mono));
            self.plane.on_tick(self.now, &mut self.out);
            self.deliver(&[]);
        }
        self.now = self.now.plus(end.since(self.now.mono));
    }

    fn packet(&mut self, leg: LegId, from: SocketAddr, payload: u8, line: Line, body: &[u8]) {
        let mut bytes = Packet::new(payload, line, body).as_bytes().to_vec();
        self.plane.on_packet(self.now, leg, from, &mut bytes, &mut self.out);
        self.deliver(&bytes);
    }

    /// The peer says `count` frames of a tone, 20 ms apart; the timestamp follows the sequence.
    fn speak(&mut self, leg: LegId, count: usize, hertz: f64) {
        for _ in 0..count {
            self.frame(leg, home(leg), u32::from(leg.n), hertz);
            self.pass(ms(20));
        }
    }

    /// All say their tone for `count` frames, a few milliseconds after each other.
    fn talk(&mut self, legs: &[LegId], count: usize) {
        for _ in 0..count {
            for leg in legs {
                self.frame(*leg, home(*leg), leg.n.into(), [LOW, MIDDLE, HIGH][usize::from(leg.n) - 1]);
                self.pass(ms(3));
            }
            self.pass(ms(20 - 3 * legs.len() as u64));
        }
    }

    /// Which of A, B and C are heard throughout what this leg got since `from`, by their tones; and nobody else.
    fn who(&self, leg: LegId, from: usize) -> String {
        let law = self.plane.legs.get(&leg).and_then(|leg| leg.codec().law()).unwrap_or(Law::Pcma);
        let bytes = self.got(leg)[from..].iter().filter(|g| g.header.payload != 101).flat_map(|g| &g.payload);
        let heard: Vec<i16> = bytes.map(|b| law.decoder()[usize::from(*b)]).collect();
        who(&heard)
    }

    fn frame(&mut self, leg: LegId, from: SocketAddr, ssrc: u32, hertz: f64) {
        let sequence = self.next(leg);
        let start = usize::from(sequence) * FRAME;
        let samples = tone::part(8_000, hertz, 8_000.0, start..start + FRAME);
        let body: Vec<u8> = samples.iter().map(|s| Law::Pcma.encode(*s)).collect();
        let line = Line { marker: false, sequence, timestamp: u32::from(sequence) * 160, ssrc };
        self.packet(leg, from, 8, line, &body);
    }

    fn next(&mut self, leg: LegId) -> u16 {
        let sequence = self.sequence.entry(leg).or_default();
        *sequence = sequence.wrapping_add(1);
        *sequence
    }

    fn deliver(&mut self, forwarded: &[u8]) {
        for output in std::mem::take(&mut self.out) {
            match output {
                Output::Send { leg, to, packet } => self.arrive(leg, to, packet.as_bytes()),
                Output::Forward { leg, to } => self.arrive(leg, to, forwarded),
                Output::SendCopy { leg, to, packet } => {
                    self.copies += 1;
                    self.arrive(leg, to, &packet);
                }
                Output::SendRtcp { packet, .. } => self.reports.push(packet),
                Output::Measured { leg, stats } => drop(self.measured.insert(leg, *stats)),
                Output::Input(input) => self.inputs.push(input),
                Output::Tape(Tape::Block { block, .. }) => {
                    assert_eq!(block.first, self.tape.len() as u64);
                    self.tape.extend(block.samples.chunks(self.channels.into()).map(|f| [f[0], f[f.len() - 1]]));
                }
                Output::Tape(Tape::Open { channels, .. }) => self.channels = channels,
                Output::Tape(Tape::Close { frames, .. }) => assert_eq!(frames, self.tape.len() as u64),
                Output::Bind { .. } | Output::Expect { .. } | Output::Unbind { .. } | Output::UnknownSound { .. } => {}
            }
        }
    }

    fn arrive(&mut self, leg: LegId, to: SocketAddr, bytes: &[u8]) {
        let header = Header::read(bytes).unwrap();
        let payload = bytes[header.body()].to_vec();
        self.got.entry(leg).or_default().push(Got { at: self.now.mono, to, header, payload });
    }

    fn got(&self, leg: LegId) -> &[Got] {
        self.got.get(&leg).map_or(&[], |got| got)
    }

    fn heard(&self, leg: LegId) -> Vec<i16> {
        let bytes = self.got(leg).iter().filter(|g| g.header.payload == 8).flat_map(|g| &g.payload);
        bytes.map(|b| Law::Pcma.decoder()[usize::from(*b)]).collect()
    }

    fn hear(&mut self, leg: LegId, others: &[LegId]) {
        self.command(Command::Hear { leg, others: others.to_vec() });
    }

    /// Both hear each other.
    fn join(&mut self, a: LegId, b: LegId) {
        self.hear(a, &[b]);
        self.hear(b, &[a]);
    }

    fn part(&mut self, a: LegId, b: LegId) {
        self.hear(a, &[]);
        self.hear(b, &[]);
    }

    fn play(&mut self, leg: LegId, play: u32, key: &str) {
        self.command(Command::Play { leg, play, sounds: vec![Sound::Prompt(key.into())] });
    }

    fn record(&mut self) {
        self.record_legs(&[A], &[B]);
    }

    fn record_legs(&mut self, left: &[LegId], right: &[LegId]) {
        let sidecar = crate::Sidecar {
            call: TAPE.call(),
            recording: TAPE,
            tenant: "acme".into(),
            queue: None,
            agent: "acme/ana".into(),
            lang: None,
            start: "".into(),
            sip_call_id_caller: "".into(),
            sip_call_id_agent: "".into(),
        };
        self.command(Command::Record {
            recording: TAPE,
            left: left.to_vec(),
            right: right.to_vec(),
            file: "x".into(),
            sidecar: Box::new(sidecar),
        });
    }

    fn channel(&self, side: usize) -> Vec<i16> {
        self.tape.iter().map(|f| f[side]).collect()
    }
}
