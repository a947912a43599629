//! What sound costs, by codec and by what is done with it: `cargo bench -p benches --bench codecs`.
//!
//! Each row is the media plane itself under a clock of its own, without sockets: legs are opened, told whom to hear, and given
//! a minute of a prompt, packet by packet. CPU of this thread for each packet of 20 ms that came in, beside that of the
//! plain relay, which is measured before and after each row.

use base::{CallId, ConversationId, Instant, LegId, Now, Random, RecordingId, Wall};
use benches::sidecar::sidecar;
use media::{Codec, Command, Output, Plane, PlaneConfig, Prompt, PromptBook, Session};
use rustix::time::{ClockId, clock_gettime};
use std::sync::Arc;
use std::time::Duration;

const CALL: CallId = CallId { node: 1, epoch: 1, n: 1 };
const FRAMES: u64 = 3_000;
const SPEECH: &[u8] = include_bytes!("../../ivr-flows/service-desk/prompts/es/apology.wav");
/// Of the codecs that have none of their own.
const OPUS: u8 = 96;

/// Who speaks what, who hears whom, and what else is done.
struct Row {
    name: &'static str,
    legs: &'static [Codec],
    hears: &'static [&'static [u16]],
    /// Those who speak.
    speak: &'static [u16],
    recorded: bool,
    listened_to: bool,
}

const RELAY: Row = row("relayed, PCMA to PCMA", &[Codec::Pcma, Codec::Pcma], &[&[1], &[0]], &[0, 1]);
const ONE: &[&[u16]] = &[&[], &[0]];
const THREE: &[&[u16]] = &[&[1, 2], &[0, 2], &[0, 1]];

const ROWS: [Row; 16] = [
    row("relayed, Opus to Opus", &[Codec::Opus, Codec::Opus], &[&[1], &[0]], &[0, 1]),
    recorded("recorded, PCMA", &[Codec::Pcma]),
    recorded("recorded, G.722", &[Codec::G722]),
    recorded("recorded, Opus", &[Codec::Opus]),
    Row { listened_to: true, ..row("keys heard in it, PCMA", &[Codec::Pcma], &[&[]], &[0]) },
    row("PCMA to G.722", &[Codec::Pcma, Codec::G722], ONE, &[0]),
    row("G.722 to PCMA", &[Codec::G722, Codec::Pcma], ONE, &[0]),
    row("PCMA to Opus", &[Codec::Pcma, Codec::Opus], ONE, &[0]),
    row("Opus to PCMA", &[Codec::Opus, Codec::Pcma], ONE, &[0]),
    row("G.722 to Opus", &[Codec::G722, Codec::Opus], ONE, &[0]),
    row("Opus to G.722", &[Codec::Opus, Codec::G722], ONE, &[0]),
    row("mix of three, PCMA", &[Codec::Pcma; 3], THREE, &[0, 1, 2]),
    row("mix of three, G.722", &[Codec::G722; 3], THREE, &[0, 1, 2]),
    row("mix of three, two G.722 and one PCMA", &[Codec::G722, Codec::G722, Codec::Pcma], THREE, &[0, 1, 2]),
    row("mix of three, Opus", &[Codec::Opus; 3], THREE, &[0, 1, 2]),
    row("mix of three, two Opus and one PCMA", &[Codec::Opus, Codec::Opus, Codec::Pcma], THREE, &[0, 1, 2]),
];

const fn row(name: &'static str, legs: &'static [Codec], hears: &'static [&'static [u16]], speak: &'static [u16]) -> Row {
    Row { name, legs, hears, speak, recorded: false, listened_to: false }
}

const fn recorded(name: &'static str, legs: &'static [Codec]) -> Row {
    Row { recorded: true, ..row(name, legs, &[&[]], &[0]) }
}

fn main() {
    let speech = Prompt::from_wav(SPEECH, &Codec::ALL).expect("a prompt of ours");
    println!("| 20 ms that came in | CPU | beside the relay |\n|---|---|---|");
    let first = measured(&RELAY, &speech);
    println!("| {} | {:.2} µs | |", RELAY.name, first * 1e6);
    let mut references = vec![first];
    for row in &ROWS {
        let cpu = measured(row, &speech);
        references.push(measured(&RELAY, &speech));
        let beside = (references[references.len() - 2] + references[references.len() - 1]) / 2.0;
        println!("| {} | {:.2} µs | {:.0} |", row.name, cpu * 1e6, cpu / beside);
    }
    for codec in [Codec::G722, Codec::Opus] {
        println!("| a prompt encoded before, {} | {:.2} µs | |", codec.name(), encoding(codec, speech.frames()) * 1e6);
    }
    let spread =
        references.iter().fold(0.0_f64, |most, r| most.max(*r)) / references.iter().fold(f64::MAX, |least, r| least.min(*r));
    println!("\nthe relay's own rounds differ by {spread:.2} times; from 2 on the run is void");
    if spread >= 2.0 {
        std::process::exit(2);
    }
}

/// CPU seconds for each packet that came in.
fn measured(row: &Row, speech: &Prompt) -> f64 {
    let mut world = World::new(row);
    world.talk(row, speech, FRAMES / 10);
    let before = cpu();
    world.talk(row, speech, FRAMES);
    (cpu() - before) / (FRAMES as f64 * row.speak.len() as f64)
}

/// CPU seconds for each frame of a prompt, beyond what it takes in G.711.
fn encoding(codec: Codec, frames: usize) -> f64 {
    let time = |codecs: &[Codec]| {
        let before = cpu();
        (0..5).for_each(|_| drop(Prompt::from_wav(SPEECH, codecs)));
        (cpu() - before) / 5.0
    };
    (time(&[codec]) - time(&[])) / frames as f64
}

fn cpu() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

struct World {
    plane: Plane,
    now: Now,
    out: Vec<Output>,
    said: u64,
}

impl World {
    fn new(row: &Row) -> World {
        let plane = Plane::new(PlaneConfig::default(), Arc::new(PromptBook::default()), Random::from_seed(1));
        let now = Now { mono: Instant(1_000_000_000), wall: Wall(0) };
        let mut world = World { plane, now, out: vec![], said: 0 };
        for (n, codec) in row.legs.iter().enumerate() {
            let id = leg(n as u16);
            world.plane.on_bound(now, id, 10_000, true, &mut world.out);
            let payload = codec.static_payload().unwrap_or(OPUS);
            let session = Session::plain(([127, 0, 0, 1], 4_000 + n as u16).into(), *codec, payload);
            world.command(Command::Configure { leg: id, session });
            world.command(Command::HearKeys { leg: id, wanted: row.listened_to });
        }
        for (n, others) in row.hears.iter().enumerate() {
            world.command(Command::Hear { leg: leg(n as u16), others: others.iter().map(|other| leg(*other)).collect() });
        }
        if row.recorded {
            world.command(record());
        }
        world
    }

    fn command(&mut self, command: Command) {
        self.plane.on_command(self.now, command, &mut self.out);
    }

    /// All who speak say so many packets of the prompt, 20 ms apart.
    fn talk(&mut self, row: &Row, speech: &Prompt, frames: u64) {
        let mut packet = [0; 200];
        for _ in 0..frames {
            for n in row.speak {
                let codec = row.legs[usize::from(*n)];
                let frame = speech.frame(self.said as usize % speech.frames(), codec).expect("encoded in each");
                packet[..2].copy_from_slice(&[0x80, codec.static_payload().unwrap_or(OPUS)]);
                packet[2..4].copy_from_slice(&(self.said as u16).to_be_bytes());
                packet[4..8].copy_from_slice(&(self.said as u32 * (codec.clock() / 50)).to_be_bytes());
                packet[8..12].copy_from_slice(&u32::from(*n + 1).to_be_bytes());
                packet[12..12 + frame.len()].copy_from_slice(frame);
                let from = ([127, 0, 0, 1], 4_000 + *n).into();
                self.plane.on_packet(self.now, leg(*n), from, &mut packet[..12 + frame.len()], &mut self.out);
            }
            self.said += 1;
            self.pass();
        }
    }

    /// 20 ms, with what is due in them.
    fn pass(&mut self) {
        let end = self.now.mono + Duration::from_millis(20);
        while let Some(due) = self.plane.deadline().filter(|due| *due <= end) {
            self.now = self.now.plus(due.since(self.now.mono));
            self.plane.on_tick(self.now, &mut self.out);
        }
        self.now = self.now.plus(end.since(self.now.mono));
        self.out.clear();
    }
}

fn leg(n: u16) -> LegId {
    LegId { call: CALL, n: n + 1 }
}

fn record() -> Command {
    let recording = RecordingId { conversation: ConversationId { call: CALL, n: 1 }, n: 1 };
    let sidecar = sidecar(recording);
    Command::Record { recording, left: vec![leg(0)], right: vec![], file: "bench".into(), sidecar }
}
