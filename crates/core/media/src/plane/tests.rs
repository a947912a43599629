//! The plane under a virtual clock: two peers, what they send and what they get.

use super::*;
use crate::rtp::{FRAME, Header, Line};
use crate::{Codec, Command, Prompt, Session, Sound, Stats, dtmf, rtcp, tone};
use base::{CallId, ConversationId, Now, Wall};
use proptest::prelude::*;

const CALL: CallId = CallId { node: 1, epoch: 1, n: 1 };
const A: LegId = LegId { call: CALL, n: 1 };
const B: LegId = LegId { call: CALL, n: 2 };
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
    Session { remote: home(leg), codec: Codec::Pcma, payload: 8, dtmf: Some(101), send: true, receive: true }
}

/// A packet as it arrived at a peer.
#[derive(Clone, Debug)]
struct Got {
    at: Instant,
    to: SocketAddr,
    header: Header,
    payload: Vec<u8>,
}

struct World {
    plane: Plane,
    now: Now,
    out: Vec<Output>,
    got: BTreeMap<LegId, Vec<Got>>,
    inputs: Vec<Input>,
    tape: Vec<[i16; 2]>,
    reports: Vec<Vec<u8>>,
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
            reports: vec![],
            sequence: BTreeMap::new(),
        };
        for leg in [A, B] {
            world.plane.on_bound(now, leg, 10_000, true, &mut world.out);
            world.command(Command::Configure { leg, session: session(leg) });
        }
        world
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

    fn frame(&mut self, leg: LegId, from: SocketAddr, ssrc: u32, hertz: f64) {
        let sequence = self.next(leg);
        let start = usize::from(sequence) * FRAME;
        let samples = tone::sine(8_000, hertz, 8_000.0, start + FRAME);
        let body: Vec<u8> = samples[start..].iter().map(|s| Codec::Pcma.encode(*s)).collect();
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
                Output::SendRtcp { packet, .. } => self.reports.push(packet),
                Output::Input(input) => self.inputs.push(input),
                Output::Tape(Tape::Block { block, .. }) => {
                    assert_eq!(block.first, self.tape.len() as u64);
                    self.tape.extend(block.samples.chunks(2).map(|f| [f[0], f[1]]));
                }
                Output::Tape(_) | Output::Bind { .. } | Output::Unbind { .. } | Output::UnknownSound { .. } => {}
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
        bytes.map(|b| Codec::Pcma.decoder()[usize::from(*b)]).collect()
    }

    fn play(&mut self, leg: LegId, play: u32, key: &str) {
        self.command(Command::Play { leg, play, sounds: vec![Sound::Prompt(key.into())] });
    }

    fn record(&mut self) {
        let sidecar = crate::Sidecar {
            recording: TAPE,
            tenant: "acme".into(),
            queue: None,
            agent: "acme/ana".into(),
            lang: None,
            start: "".into(),
            sip_call_id_caller: "".into(),
            sip_call_id_agent: "".into(),
        };
        self.command(Command::Record { recording: TAPE, left: A, right: B, file: "x".into(), sidecar: Box::new(sidecar) });
    }

    fn channel(&self, side: usize) -> Vec<i16> {
        self.tape.iter().map(|f| f[side]).collect()
    }
}

#[test]
fn the_first_packet_of_a_prompt_leaves_at_once_and_the_rest_every_20_ms() {
    let mut w = World::new();
    w.play(A, 1, "low");
    assert_eq!(w.got(A).len(), 1);
    w.pass(ms(500));
    let got = w.got(A);
    assert_eq!(got.len(), 10);
    assert!(got.windows(2).all(|p| p[1].at.since(p[0].at) == ms(20)));
    assert!(got[0].header.marker && got[1..].iter().all(|g| !g.header.marker));
    assert!(tone::carries(&w.heard(A), 8_000, 440.0));
    assert_eq!(w.inputs.last(), Some(&Input::PlayDone { leg: A, play: 1 }));
}

#[test]
fn a_prompt_that_is_replaced_or_stopped_is_not_done() {
    let mut w = World::new();
    w.play(A, 1, "high");
    w.pass(ms(110));
    w.play(A, 2, "low");
    w.pass(ms(50));
    w.command(Command::Stop { leg: A });
    w.pass(ms(500));
    assert!(!w.inputs.iter().any(|i| matches!(i, Input::PlayDone { .. })));
    let got = w.got(A);
    assert_eq!(got.len(), 6 + 3);
    assert!(got.windows(2).all(|p| p[1].at.since(p[0].at) == ms(20)), "the new one waits for the frame on its way");
    assert!(got[6].header.marker);
}

#[test]
fn a_sound_that_is_not_in_the_book_takes_no_time() {
    let mut w = World::new();
    w.plane.on_command(w.now, Command::Play { leg: A, play: 9, sounds: vec![Sound::Prompt("none".into())] }, &mut w.out);
    assert!(w.out.contains(&Output::UnknownSound { leg: A, key: "none".into() }));
    assert!(w.out.contains(&Output::Input(Input::PlayDone { leg: A, play: 9 })));
}

#[test]
fn prompts_music_and_a_bridge_are_one_stream_to_the_caller() {
    let mut w = World::new();
    w.play(A, 1, "low");
    w.pass(ms(207));
    w.command(Command::Loop { leg: A, prompt: "high".into() });
    w.pass(ms(1_500));
    w.command(Command::Bridge { a: A, b: B });
    w.speak(B, 50, 700.0);
    w.command(Command::Unbridge { a: A, b: B });
    w.command(Command::Loop { leg: A, prompt: "high".into() });
    w.pass(ms(100));
    let got = w.got(A);
    assert_eq!(got.iter().filter(|g| g.header.marker).count(), 4);
    for pair in got.windows(2) {
        assert_eq!(pair[0].header.ssrc, pair[1].header.ssrc);
        assert_eq!(pair[1].header.sequence, pair[0].header.sequence.wrapping_add(1));
        let (time, clock) = (pair[1].at.since(pair[0].at), pair[1].header.timestamp.wrapping_sub(pair[0].header.timestamp));
        assert!(time <= ms(40) && (160..=320).contains(&clock), "{time:?} {clock}");
    }
    let (first, last) = (&got[0], &got[got.len() - 1]);
    let clock = u64::from(last.header.timestamp.wrapping_sub(first.header.timestamp)) / 8;
    assert!(clock.abs_diff(last.at.since(first.at).as_millis() as u64) <= 20, "the timestamp keeps the time");
}

#[test]
fn a_bridge_relays_the_payload_untouched_both_ways() {
    let mut w = World::new();
    w.command(Command::Bridge { a: A, b: B });
    w.speak(A, 40, 440.0);
    w.speak(B, 40, 1_000.0);
    assert_eq!((w.got(A).len(), w.got(B).len()), (40, 40));
    assert!(tone::carries(&w.heard(A), 8_000, 1_000.0) && tone::carries(&w.heard(B), 8_000, 440.0));
    assert!(w.got(B).iter().all(|g| g.to == home(B) && g.header.ssrc != u32::from(A.n)));
}

#[test]
fn two_laws_and_two_event_numbers_are_mapped() {
    let mut w = World::new();
    w.command(Command::Configure { leg: B, session: Session { codec: Codec::Pcmu, payload: 0, dtmf: Some(96), ..session(B) } });
    w.command(Command::Bridge { a: A, b: B });
    w.speak(A, 40, 440.0);
    let event = dtmf::Event { code: 7, end: false, duration: 160 }.to_bytes();
    let line = Line { marker: true, sequence: w.next(A), timestamp: 77_777, ssrc: 1 };
    w.packet(A, home(A), 101, line, &event);
    let got = w.got(B);
    let heard: Vec<i16> = got[..40].iter().flat_map(|g| &g.payload).map(|b| Codec::Pcmu.decoder()[usize::from(*b)]).collect();
    assert!(tone::carries(&heard, 8_000, 440.0));
    assert!(got[..40].iter().all(|g| g.header.payload == 0));
    assert_eq!((got[40].header.payload, got[40].payload.as_slice()), (96, &event[..]));
    assert_eq!(w.inputs.last(), Some(&Input::Digit { leg: A, key: '7' }));
}

#[test]
fn events_to_a_peer_without_them_leave_no_hole() {
    let mut w = World::new();
    w.command(Command::Configure { leg: B, session: Session { dtmf: None, ..session(B) } });
    w.command(Command::Bridge { a: A, b: B });
    w.speak(A, 3, 440.0);
    for _ in 0..5 {
        let line = Line { marker: false, sequence: w.next(A), timestamp: 480, ssrc: 1 };
        w.packet(A, home(A), 101, line, &dtmf::Event { code: 1, end: false, duration: 160 }.to_bytes());
        w.pass(ms(20));
    }
    w.speak(A, 3, 440.0);
    assert!(w.got(B).windows(2).all(|p| p[1].header.sequence == p[0].header.sequence.wrapping_add(1)));
    assert_eq!(w.got(B).len(), 6);
}

#[test]
fn on_hold_one_side_gets_nothing_and_the_other_its_music() {
    let mut w = World::new();
    w.command(Command::Bridge { a: A, b: B });
    w.speak(B, 5, 700.0);
    w.command(Command::Configure { leg: B, session: Session { send: false, ..session(B) } });
    w.command(Command::Loop { leg: A, prompt: "high".into() });
    w.speak(A, 20, 440.0);
    w.speak(B, 20, 700.0);
    assert!(w.got(B).is_empty(), "B is on hold");
    assert!(tone::carries(&w.heard(A)[5 * FRAME..], 8_000, 1_000.0), "A hears music, not B");
    w.command(Command::Configure { leg: B, session: session(B) });
    w.command(Command::Stop { leg: A });
    w.speak(A, 20, 440.0);
    assert_eq!(w.got(B).len(), 20);
    let before = w.got(A).len();
    w.speak(B, 20, 700.0);
    assert_eq!(w.got(A).len(), before + 20);
}

#[test]
fn what_is_played_to_a_leg_on_hold_still_ends() {
    let mut w = World::new();
    w.command(Command::Configure { leg: A, session: Session { send: false, ..session(A) } });
    w.play(A, 4, "low");
    w.pass(ms(300));
    assert!(w.got(A).is_empty());
    assert_eq!(w.inputs.last(), Some(&Input::PlayDone { leg: A, play: 4 }));
}

#[test]
fn silence_is_said_once_and_so_is_its_end() {
    let mut w = World::new();
    w.speak(A, 5, 440.0);
    w.pass(ms(60_000));
    w.speak(A, 5, 440.0);
    let about_a = |i: &&Input| matches!(i, Input::Silent { leg: A, .. } | Input::Heard { leg: A });
    let said: Vec<_> = w.inputs.iter().filter(about_a).collect();
    assert_eq!(said, [&Input::Silent { leg: A, millis: 20_000 }, &Input::Heard { leg: A }]);
}

#[test]
fn reports_of_the_peer_and_hold_are_no_silence() {
    let mut w = World::new();
    let report = rtcp::Compound { ssrc: 1, cname: "x", sent: None, heard: None, peer: None, bye: false }.to_bytes(Instant(0));
    w.command(Command::Configure { leg: B, session: Session { receive: false, ..session(B) } });
    for _ in 0..20 {
        w.plane.on_rtcp(w.now, A, ([192, 0, 2, 1], 4_001).into(), &report);
        w.pass(ms(10_000));
    }
    assert!(!w.inputs.iter().any(|i| matches!(i, Input::Silent { .. })));
    w.command(Command::Configure { leg: B, session: session(B) });
    w.pass(ms(19_000));
    assert!(!w.inputs.iter().any(|i| matches!(i, Input::Silent { leg: B, .. })), "the time on hold does not count");
    w.pass(ms(2_000));
    assert!(w.inputs.iter().any(|i| matches!(i, Input::Silent { leg: B, .. })));
}

#[test]
fn each_leg_reports_about_every_five_seconds() {
    let mut w = World::new();
    w.pass(ms(100_000));
    assert!((28..=56).contains(&w.reports.len()), "{} from two legs in 100 s", w.reports.len());
    assert!(w.reports.iter().all(|r| rtcp::read(r).is_some()));
    w.command(Command::Close { leg: A });
    let last = rtc_rtcp::packet::unmarshal(&mut &w.reports.last().unwrap()[..]).unwrap();
    assert!(last[2].as_any().is::<rtc_rtcp::goodbye::Goodbye>(), "the last one says good-bye");
}

#[test]
fn a_recording_holds_what_each_said_in_its_channel() {
    let mut w = World::new();
    w.command(Command::Bridge { a: A, b: B });
    w.record();
    w.speak(A, 50, 440.0);
    w.speak(B, 50, 1_000.0);
    w.command(Command::StopRecording { recording: TAPE });
    assert_eq!(w.tape.len(), 16_000);
    let (left, right) = (w.channel(0), w.channel(1));
    assert!(tone::carries(&left[400..7_600], 8_000, 440.0) && tone::carries(&right[8_400..15_600], 8_000, 1_000.0));
    assert!(tone::loudness(&left[8_400..]) < 1.0 && tone::loudness(&right[..7_600]) < 1.0);
}

#[test]
fn keys_are_not_recorded_as_noise() {
    let mut w = World::new();
    w.record();
    for n in 1..50u16 {
        let line = Line { marker: n == 1, sequence: n, timestamp: 160, ssrc: 1 };
        w.packet(A, home(A), 101, line, &dtmf::Event { code: 1, end: false, duration: n * 160 }.to_bytes());
        w.pass(ms(20));
    }
    w.command(Command::StopRecording { recording: TAPE });
    assert_eq!(w.tape.len(), 7_840);
    assert!(w.tape.iter().all(|f| *f == [0, 0]));
    assert_eq!(w.inputs.iter().filter(|i| matches!(i, Input::Digit { .. })).count(), 1);
}

#[test]
fn a_recording_ends_with_its_last_leg() {
    let mut w = World::new();
    w.record();
    w.command(Command::Close { leg: A });
    w.pass(ms(1_000));
    assert!(w.plane.recordings.contains_key(&TAPE));
    w.command(Command::Close { leg: B });
    assert!(w.plane.recordings.is_empty() && w.plane.legs() == 0 && w.plane.deadline().is_none());
    assert_eq!(w.tape.len(), 8_000);
}

#[test]
fn bleed_and_injection_into_a_live_call_get_nothing() {
    let mut w = World::new();
    w.command(Command::Bridge { a: A, b: B });
    w.record();
    w.speak(A, 1, 440.0);
    for n in 0..500u16 {
        w.frame(A, home(A), 1, 440.0);
        for burst in 0..3 {
            let line = Line { marker: false, sequence: n * 3 + burst, timestamp: u32::from(n) * 160, ssrc: 1 };
            w.packet(A, stranger(), 8, line, &[0x2A; FRAME]);
        }
        w.frame(B, home(B), 2, 1_000.0);
        w.pass(ms(20));
    }
    w.command(Command::StopRecording { recording: TAPE });
    assert!(w.got.values().flatten().all(|g| g.to != stranger()));
    assert!(w.channel(0).iter().all(|s| s.abs() < 10_000), "none of it is on the recording");
    w.command(Command::Close { leg: A });
    assert!(matches!(w.inputs.last(), Some(Input::Closed { leg: A, stats: Stats { strangers: 1_500, .. } })));
}

#[test]
fn bleed_before_the_caller_speaks_gets_at_most_five_packets() {
    let mut w = World::new();
    w.command(Command::Loop { leg: A, prompt: "high".into() });
    w.record();
    for n in 0..6u16 {
        w.packet(A, stranger(), 8, Line { marker: false, sequence: n, timestamp: 0, ssrc: 9 }, &[0x2A; FRAME]);
        w.pass(ms(20));
    }
    w.pass(ms(5_000));
    let bled = w.got(A).iter().filter(|g| g.to == stranger()).count();
    assert!((1..=5 + 2).contains(&bled), "five, and one for each it sent after: {bled}");
    w.speak(A, 100, 440.0);
    w.command(Command::StopRecording { recording: TAPE });
    let injected = w.channel(0).iter().filter(|s| s.abs() > 20_000).count();
    assert!(injected <= 5 * FRAME, "{injected} samples");
    assert_eq!(w.got(A).last().unwrap().to, home(A));
}

#[test]
fn garbage_is_counted_and_the_call_lives() {
    let mut w = World::new();
    w.command(Command::Bridge { a: A, b: B });
    w.speak(A, 10, 440.0);
    for n in 0..10_000u32 {
        let mut bytes = n.to_be_bytes().repeat(1 + n as usize % 20);
        w.plane.on_packet(w.now, A, home(A), &mut bytes, &mut w.out);
    }
    w.out.clear();
    w.speak(A, 10, 440.0);
    assert_eq!(w.got(B).len(), 20);
}

fn any_command() -> impl Strategy<Value = Command> {
    let leg = || prop_oneof![Just(A), Just(B)];
    prop_oneof![
        leg().prop_map(|leg| Command::Loop { leg, prompt: "high".into() }),
        leg().prop_map(|leg| Command::Play { leg, play: 1, sounds: vec![Sound::Silence(ms(50)), Sound::Prompt("low".into())] }),
        leg().prop_map(|leg| Command::Stop { leg }),
        Just(Command::Bridge { a: A, b: B }),
        Just(Command::Unbridge { a: B, b: A }),
        (leg(), any::<bool>(), any::<bool>())
            .prop_map(|(leg, send, receive)| Command::Configure { leg, session: Session { send, receive, ..session(leg) } }),
        Just(Command::StopRecording { recording: TAPE }),
        leg().prop_map(|leg| Command::Close { leg }),
    ]
}

#[derive(Clone, Debug)]
enum Act {
    Command(Command),
    Speak(LegId, u8),
    Garbage(LegId, bool, Vec<u8>),
    Pass(u16),
}

fn any_act() -> impl Strategy<Value = Act> {
    let leg = || prop_oneof![Just(A), Just(B)];
    prop_oneof![
        4 => any_command().prop_map(Act::Command),
        4 => (leg(), 1..12u8).prop_map(|(leg, n)| Act::Speak(leg, n)),
        2 => (leg(), any::<bool>(), proptest::collection::vec(any::<u8>(), 0..220)).prop_map(|(l, r, b)| Act::Garbage(l, r, b)),
        3 => (0..400u16).prop_map(Act::Pass),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn whatever_happens_each_peer_hears_one_stream(acts in proptest::collection::vec(any_act(), 1..40)) {
        let mut w = World::new();
        w.record();
        for act in acts {
            match act {
                Act::Command(command) => w.command(command),
                Act::Speak(leg, n) => w.speak(leg, n.into(), 440.0),
                Act::Garbage(leg, rtp, mut bytes) => {
                    if let Some(first) = bytes.first_mut().filter(|_| rtp) {
                        *first = 0x80 | *first & 0x3F;
                    }
                    w.plane.on_packet(w.now, leg, stranger(), &mut bytes, &mut w.out);
                    w.deliver(&bytes);
                }
                Act::Pass(n) => w.pass(ms(n.into())),
            }
            prop_assert!(w.plane.deadline().is_none_or(|at| at > w.now.mono), "nothing that is due is left");
        }
        for got in w.got.values() {
            for pair in got.windows(2) {
                prop_assert_eq!(pair[0].header.ssrc, pair[1].header.ssrc);
                prop_assert_eq!(pair[1].header.sequence, pair[0].header.sequence.wrapping_add(1));
                prop_assert!((pair[1].header.timestamp.wrapping_sub(pair[0].header.timestamp) as i32) >= 160);
            }
        }
    }
}
