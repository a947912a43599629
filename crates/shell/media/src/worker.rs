//! One media thread: waits for packets, commands and deadlines, asks the plane, does what it says.

use crate::Sink;
use crate::clock::Clock;
use crate::io::{PacketIo, Port};
use crate::measured::Teller;
use crate::recorder::RecorderDoor;
use crate::waker::Waker;
use base::Random;
use crossbeam::channel::{Receiver, TryRecvError};
use media::{Command, Output, Plane, PlaneConfig, PromptBook};
use ring::rand::{SecureRandom, SystemRandom};
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// Packets between two looks at commands and deadlines.
const BATCH: usize = 64;
/// G.711 with 60 ms and headers is 500 bytes; longer than an Ethernet frame is no RTP of ours.
const LONGEST: usize = 2_048;
/// How often a full ring is tried again.
const RETRY: Duration = Duration::from_millis(50);

/// What a media thread is told.
pub(crate) enum Told {
    Command(Command),
    Prompts(Arc<PromptBook>),
}

pub(crate) struct Worker<Io> {
    io: Io,
    waker: Arc<Waker>,
    plane: Plane,
    clock: Clock,
    commands: Receiver<Told>,
    recorder: RecorderDoor,
    sink: Arc<dyn Sink>,
    measured: Teller,
    out: Vec<Output>,
}

impl<Io: PacketIo> Worker<Io> {
    pub fn new(
        io: Io,
        config: PlaneConfig,
        prompts: Arc<PromptBook>,
        commands: Receiver<Told>,
        recorder: RecorderDoor,
        sink: Arc<dyn Sink>,
        measured: Teller,
    ) -> io::Result<Self> {
        let mut seed = [0; 32];
        SystemRandom::new().fill(&mut seed).map_err(|_| io::Error::other("the system gives no randomness"))?;
        let plane = Plane::new(config, prompts, Random::from_entropy(seed));
        let (waker, out) = (io.waker(), Vec::with_capacity(256));
        Ok(Worker { waker, io, plane, clock: Clock::start(), commands, recorder, sink, measured, out })
    }

    /// Until the command channel is closed, or packets can't be waited for.
    pub fn run(mut self) -> io::Result<()> {
        let ended = self.work();
        self.plane.on_shutdown(self.clock.now(), &mut self.out);
        self.carry_out(&[]);
        self.recorder.finish();
        ended
    }

    fn work(&mut self) -> io::Result<()> {
        let mut buffer = [0; LONGEST];
        loop {
            let may_sleep = self.waker.may_sleep(|| self.commands.is_empty());
            let timeout = if may_sleep { self.timeout() } else { Some(Duration::ZERO) };
            self.io.wait(timeout)?;
            self.waker.awake();
            if !self.take_commands() {
                return Ok(());
            }
            // What is due first: after a stall, blocks of recordings make room for the packets that waited.
            self.tick();
            self.take_packets(&mut buffer);
            self.tick();
            self.recorder.retry();
        }
    }

    fn timeout(&self) -> Option<Duration> {
        let deadline = self.plane.deadline().map(|at| at.since(self.clock.now().mono));
        if self.recorder.waits() { Some(deadline.map_or(RETRY, |d| d.min(RETRY))) } else { deadline }
    }

    /// False when nobody can send any more.
    fn take_commands(&mut self) -> bool {
        loop {
            match self.commands.try_recv() {
                Ok(Told::Prompts(prompts)) => self.plane.use_prompts(prompts),
                Ok(Told::Command(command)) => {
                    self.plane.on_command(self.clock.now(), command, &mut self.out);
                    self.carry_out(&[]);
                }
                Err(TryRecvError::Empty) => return true,
                Err(TryRecvError::Disconnected) => return false,
            }
        }
    }

    fn take_packets(&mut self, buffer: &mut [u8]) {
        for _ in 0..BATCH {
            let Some(arrival) = self.io.receive(buffer) else { return };
            let Some(packet) = buffer.get_mut(..arrival.len) else { continue };
            let now = self.clock.now();
            match arrival.port {
                Port::Rtp => self.plane.on_packet(now, arrival.leg, arrival.from, packet, &mut self.out),
                Port::Rtcp => self.plane.on_rtcp(now, arrival.leg, arrival.from, packet),
            }
            self.carry_out(packet);
        }
    }

    fn tick(&mut self) {
        let now = self.clock.now();
        if self.plane.deadline().is_some_and(|at| at <= now.mono) {
            self.plane.on_tick(now, &mut self.out);
            self.carry_out(&[]);
        }
    }

    /// `packet` is the one that the plane just saw, as it left it.
    fn carry_out(&mut self, packet: &[u8]) {
        let mut out = std::mem::take(&mut self.out);
        for output in out.drain(..) {
            match output {
                Output::Forward { leg, to } => self.io.send(leg, Port::Rtp, to, packet),
                Output::SendCopy { leg, to, packet } => self.io.send(leg, Port::Rtp, to, &packet),
                Output::Send { leg, to, packet } => self.io.send(leg, Port::Rtp, to, packet.as_bytes()),
                Output::SendRtcp { leg, to, packet } => self.io.send(leg, Port::Rtcp, to, &packet),
                Output::Input(input) => self.sink.input(input),
                Output::Tape(tape) => self.recorder.hand(tape),
                Output::Expect { leg, from } => self.io.expect(leg, from),
                Output::Unbind { leg } => {
                    self.io.unbind(leg);
                    self.measured.forget(leg);
                }
                Output::Measured { leg, stats } => self.measured.tell(leg, *stats),
                Output::Bind { leg, address, port } => self.bind(leg, address, port),
                Output::UnknownSound { leg, key } => tracing::warn!(%leg, %key, "no such sound"),
            }
        }
        // What binding gave comes after; the emptied list keeps its memory.
        out.append(&mut self.out);
        self.out = out;
        if !self.out.is_empty() {
            self.carry_out(packet);
        }
    }

    fn bind(&mut self, leg: base::LegId, address: std::net::IpAddr, port: u16) {
        let bound = self.io.bind(leg, address, port);
        if let Err(error) = &bound {
            tracing::warn!(%leg, port, %error, "RTP port can't be bound");
        }
        self.plane.on_bound(self.clock.now(), leg, port, bound.is_ok(), &mut self.out);
    }
}
