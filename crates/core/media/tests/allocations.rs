//! A packet costs no allocation, whatever is done with it: who takes memory waits for a lock sooner or later.

use base::{CallId, ConversationId, Instant, LegId, Now, Random, RecordingId, Wall};
use media::{Codec, Command, Limits, Output, Plane, PlaneConfig, PromptBook, Session, Sidecar};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

const CALL: CallId = CallId { node: 1, epoch: 1, n: 1 };
const PERIOD: Duration = Duration::from_millis(20);
/// Half a minute, in which all that grows has grown.
const FIRST: u32 = 1_500;

struct World {
    plane: Plane,
    now: Now,
    out: Vec<Output>,
    codecs: Vec<Codec>,
    said: u32,
}

fn leg(n: usize) -> LegId {
    LegId { call: CALL, n: n as u16 + 1 }
}

fn peer(n: usize) -> SocketAddr {
    ([127, 0, 0, 1], 4_000 + n as u16).into()
}

/// Everybody hears everybody else.
fn world(codecs: &[Codec]) -> World {
    let plane = Plane::new(PlaneConfig::default(), Arc::new(PromptBook::default()), Random::from_seed(1));
    let now = Now { mono: Instant(1_000_000_000), wall: Wall(0) };
    let mut world = World { plane, now, out: Vec::with_capacity(1_000), codecs: codecs.into(), said: 0 };
    for (n, codec) in codecs.iter().enumerate() {
        world.plane.on_bound(now, leg(n), 10_000, true, &mut world.out);
        let session = Session {
            remote: peer(n),
            codec: *codec,
            payload: codec.static_payload().unwrap_or(96),
            offered: None,
            dtmf: None,
            dtmf_clock: codec.clock(),
            events: vec![],
            limits: Limits::default(),
            send: true,
            receive: true,
        };
        world.command(Command::Configure { leg: leg(n), session });
    }
    for n in 0..codecs.len() {
        let others = (0..codecs.len()).filter(|other| *other != n).map(leg).collect();
        world.command(Command::Hear { leg: leg(n), others });
    }
    world
}

impl World {
    fn command(&mut self, command: Command) {
        self.plane.on_command(self.now, command, &mut self.out);
    }

    /// So many packets of each, and how often memory was taken while they came in. What is due in between is not counted.
    fn talk(&mut self, packets: u32) -> u64 {
        let mut taken = 0;
        for _ in 0..packets {
            for n in 0..self.codecs.len() {
                let codec = self.codecs[n];
                let mut packet = [0xD5; 172];
                packet[..2].copy_from_slice(&[0x80, codec.static_payload().unwrap_or(96)]);
                packet[2..4].copy_from_slice(&(self.said as u16).to_be_bytes());
                packet[4..8].copy_from_slice(&(self.said * (codec.clock() / 50)).to_be_bytes());
                packet[8..12].copy_from_slice(&(n as u32 + 1).to_be_bytes());
                let World { plane, now, out, .. } = self;
                let came = allocation_counter::measure(|| plane.on_packet(*now, leg(n), peer(n), &mut packet, out));
                taken += came.count_total;
            }
            self.said += 1;
            self.pass();
        }
        taken
    }

    fn pass(&mut self) {
        let end = self.now.mono + PERIOD;
        while let Some(due) = self.plane.deadline().filter(|due| *due <= end) {
            self.now = self.now.plus(due.since(self.now.mono));
            self.plane.on_tick(self.now, &mut self.out);
        }
        self.now = self.now.plus(end.since(self.now.mono));
        self.out.clear();
    }
}

fn taken(world: &mut World) -> u64 {
    world.talk(FIRST);
    world.talk(1_500)
}

#[test]
fn a_packet_that_is_relayed_takes_no_memory() {
    assert_eq!(taken(&mut world(&[Codec::Pcma, Codec::Pcma])), 0);
    assert_eq!(taken(&mut world(&[Codec::Pcma, Codec::Pcmu])), 0);
}

#[test]
fn a_packet_that_is_recorded_takes_no_memory() {
    let mut world = world(&[Codec::Pcma, Codec::Pcma]);
    let recording = RecordingId { conversation: ConversationId { call: CALL, n: 1 }, n: 1 };
    let (left, right, file) = (vec![leg(0)], vec![leg(1)], "a".into());
    let sidecar = Sidecar {
        call: CALL,
        recording,
        tenant: "acme".into(),
        queue: None,
        agent: "acme/ana".into(),
        lang: None,
        start: "2026-11-01T00:00:00Z".into(),
        sip_call_id_caller: "".into(),
        sip_call_id_agent: "".into(),
    };
    world.command(Command::Record { recording, left, right, file, sidecar: Box::new(sidecar) });
    assert_eq!(taken(&mut world), 0);
}

#[test]
fn a_packet_that_is_decoded_or_mixed_takes_no_memory() {
    assert_eq!(taken(&mut world(&[Codec::Pcma, Codec::G722])), 0);
    assert_eq!(taken(&mut world(&[Codec::Pcma, Codec::Pcma, Codec::G722])), 0);
}
