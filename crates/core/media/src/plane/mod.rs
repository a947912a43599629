//! The plane: all legs and recordings of one media thread, as one machine without I/O.
//!
//! ```text
//!                Command ──▶ ┌───────────────────────────┐ ──▶ Bind, Unbind         the sockets
//!                            │ legs: latch, player, digits│ ──▶ Forward, Send, Rtcp   packets
//!   packet, where from ────▶ │       splice, reports      │ ──▶ Tape                  the recorder
//!                            │ who hears whom, recordings │ ──▶ Input                 the engine
//!                    tick ──▶ └───────────────────────────┘
//! ```
//! What a leg sends has one source at a time: its player if it has one, else the leg that it hears, or
//! several mixed, else nobody.

mod commands;
mod hearing;
mod packets;
mod recordings;
mod ticks;

use crate::placement::{Block, Placement};
use crate::rtp::Packet;
use crate::table::{Legs, Table};
use crate::timers::Timers;
use crate::{Input, PromptBook, Proof, Sidecar, Stats};
use base::{Instant, LegId, Random, RecordingId};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// What leaves the plane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Bind an RTP port and the RTCP port above; say how it went with [`Plane::on_bound`].
    Bind {
        leg: LegId,
        address: IpAddr,
        port: u16,
    },
    Unbind {
        leg: LegId,
    },
    /// The peer's SDP says that it sends from there; where legs share a port, that tells them apart.
    Expect {
        leg: LegId,
        from: SocketAddr,
    },
    /// Send the packet just handed to [`Plane::on_packet`], as it now stands, from this leg's RTP port.
    Forward {
        leg: LegId,
        to: SocketAddr,
    },
    /// Send a copy of the packet just handed in from this leg's RTP port: it goes to several legs.
    SendCopy {
        leg: LegId,
        to: SocketAddr,
        packet: Box<[u8]>,
    },
    /// Send from this leg's RTP port.
    Send {
        leg: LegId,
        to: SocketAddr,
        packet: Packet,
    },
    /// Send from this leg's RTCP port.
    SendRtcp {
        leg: LegId,
        to: SocketAddr,
        packet: Vec<u8>,
    },
    /// What a leg counted so far, each time it reports: for whoever looks at it, and for no decision. Its
    /// [`Output::Unbind`] ends it.
    Measured {
        leg: LegId,
        stats: Box<Stats>,
    },
    Input(Input),
    Tape(Tape),
    /// A sound that is not in the book; it takes no time.
    UnknownSound {
        leg: LegId,
        key: Arc<str>,
    },
}

/// What goes to the recorder, in this order for each recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tape {
    Open {
        recording: RecordingId,
        file: Arc<str>,
        sidecar: Box<Sidecar>,
        /// 1 or 2; each block has as many.
        channels: u16,
    },
    Block {
        recording: RecordingId,
        block: Block,
    },
    /// `frames` is how many the whole recording has, `proof` what they are, where somebody counted.
    Close {
        recording: RecordingId,
        frames: u64,
        proof: Option<Proof>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlaneConfig {
    /// A leg that should receive and hears nothing for this long is `Silent`.
    pub silent_after: Duration,
    /// Where a leg is mixed, no packet is held back for longer, however uneven its network: what comes later is dropped.
    pub jitter_buffer: Duration,
}

impl Default for PlaneConfig {
    fn default() -> Self {
        PlaneConfig { silent_after: Duration::from_secs(20), jitter_buffer: Duration::from_millis(200) }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Timer {
    Player(LegId),
    Mix(LegId),
    Report(LegId),
    /// Packets of this leg wait for one that is missing.
    Held(LegId),
    Silence(LegId),
    Block(RecordingId),
    Lease,
}

#[derive(Debug)]
pub struct Plane {
    config: PlaneConfig,
    prompts: Arc<PromptBook>,
    random: Random,
    legs: Legs,
    recordings: Table<RecordingId, Placement>,
    timers: Timers<Timer>,
}

impl Plane {
    /// `random` gives SSRCs and starting numbers; it is seeded from the system in the shell.
    pub fn new(config: PlaneConfig, prompts: Arc<PromptBook>, random: Random) -> Self {
        Plane { config, prompts, random, legs: Legs::default(), recordings: Table::default(), timers: Timers::new() }
    }

    /// Another book from now on; what plays already plays to its end.
    pub fn use_prompts(&mut self, prompts: Arc<PromptBook>) {
        self.prompts = prompts;
    }

    /// When [`Plane::on_tick`] is next needed.
    pub fn deadline(&self) -> Option<Instant> {
        self.timers.earliest()
    }

    /// How many legs are open.
    pub fn legs(&self) -> usize {
        self.legs.len()
    }
}

#[cfg(test)]
mod tests;
