//! The words of the media plane: Commands go to it, Inputs come back to the engine. Plain values without
//! handles, so that media can live in a process of its own.

use crate::{Codec, opus};
use base::{LegId, RecordingId};
use serde::{Deserialize, Serialize};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// What was negotiated for one leg.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// The peer's address in its SDP: where we send first, until its packets latch another (symmetric RTP).
    pub remote: SocketAddr,
    pub codec: Codec,
    /// Payload number of the codec towards the peer, and from it unless we offered another.
    pub payload: u8,
    /// The payload number of the codec in our offer, if it was ours: the peer sends by it, whatever number its answer gives
    /// (RFC 3264 section 6.1).
    pub offered: Option<u8>,
    /// Payload number of telephone-event towards the peer (RFC 4733), if negotiated. If not, see [`Command::HearKeys`].
    pub dtmf: Option<u8>,
    /// How fast events towards the peer count their time, in Hz.
    pub dtmf_clock: u32,
    /// By which numbers the peer sends its events, and how fast each counts their time, in Hz; beside these by that of `dtmf`.
    pub events: Vec<(u8, u32)>,
    /// Of Opus.
    pub limits: Limits,
    /// We may send (the peer is not on hold), we expect to receive.
    pub send: bool,
    pub receive: bool,
}

impl Session {
    /// Both ways in this codec, by the same number, without keys and without limits.
    pub fn plain(remote: SocketAddr, codec: Codec, payload: u8) -> Session {
        Session {
            remote,
            codec,
            payload,
            offered: None,
            dtmf: None,
            dtmf_clock: codec.clock(),
            events: Vec::new(),
            limits: Limits::default(),
            send: true,
            receive: true,
        }
    }
}

/// The most that a peer is sent of a codec whose sender may choose: what all are sent, or less if it asked for that (RFC 7587
/// section 7.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Bits a second, on average.
    pub bitrate: u32,
    /// Hz: of the sound that it plays, twice its highest tone.
    pub rate: u32,
}

impl Limits {
    /// As a peer asked for, where it did.
    pub fn of(bitrate: Option<u32>, rate: Option<u32>) -> Limits {
        let all = Limits::default();
        Limits { bitrate: bitrate.map_or(all.bitrate, |b| b.min(all.bitrate)), rate: rate.map_or(all.rate, |r| r.min(all.rate)) }
    }
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { bitrate: opus::BITRATE, rate: opus::RATE }
    }
}

/// One of a list of things to be heard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Sound {
    /// A prompt by its key, `flow/lang/id`, as in the prompt book.
    Prompt(Arc<str>),
    Silence(Duration),
    Tone(Tone),
}

/// Made here, not recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Tone {
    /// Before an auto-answered call is bridged: 200 ms.
    Zip,
    /// 425 Hz, 1 s on, 4 s off (ITU-T E.180).
    Ringback,
    /// 425 Hz, 0.5 s on, 0.5 s off, for 3 s.
    Busy,
    /// 1,400 Hz for 200 ms: recording of a voicemail begins, somebody listens.
    Beep,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Command {
    /// Bind an RTP port and its RTCP port above it. Answered by `Opened` or `OpenFailed`.
    Open { leg: LegId, address: IpAddr, port: u16 },
    /// Set or change what was negotiated.
    Configure { leg: LegId, session: Session },
    /// Play once, from now, instead of what plays and of whom the leg hears. `PlayDone` follows unless it is replaced
    /// or stopped; the leg then hears again whom it heard, without being told.
    Play { leg: LegId, play: u32, sounds: Vec<Sound> },
    /// Play one sound in a loop from now (music on hold), instead of what plays and of whom the leg hears, until `Play`,
    /// `Stop` or `Hear`. Its position goes on where it was left on this leg.
    Loop { leg: LegId, prompt: Arc<str> },
    /// What plays ends. The leg hears again whom it heard; if nobody, nothing is sent.
    Stop { leg: LegId },
    /// From now on `leg` hears these legs, and nothing else but what is played to it (which goes first). One that
    /// speaks the same codec: relayed as it comes, keys too. Another, or more: decoded, mixed, encoded, keys beside it. None:
    /// silence. What plays now stops if there is
    /// somebody to hear, and goes on if there is not. Legs that are not open are passed over, and one that closes is
    /// heard no more by anybody. A leg on hold is not mixed in: its phone may send music.
    Hear { leg: LegId, others: Vec<LegId> },
    /// Loop a tone from its beginning, as `Loop` does with a sound.
    LoopTone { leg: LegId, tone: Tone },
    /// Whether keys are to be heard in what this leg says (ITU-T Q.23), because telephone-event was not negotiated and its
    /// keys count now. What is relayed and recorded stays as it is.
    HearKeys { leg: LegId, wanted: bool },
    /// Record what these legs say, as stereo, from now; several on one side are mixed. None on the right: mono, a voicemail.
    /// A leg that is on hold, or that something is looped to, says nothing for the recording: it is out of the
    /// conversation, unless `RecordWaiting` has it otherwise. `file` is below the recordings folder, without extension.
    Record { recording: RecordingId, left: Vec<LegId>, right: Vec<LegId>, file: Arc<str>, sidecar: Box<Sidecar> },
    /// Other legs from now on, in the same file and time base: a third party joined, another agent took over. A file
    /// that began as mono stays so.
    RecordLegs { recording: RecordingId, left: Vec<LegId>, right: Vec<LegId> },
    /// From now on a leg that something is looped to is recorded too: what it says while it waits, never what it hears.
    /// One that holds is not.
    RecordWaiting { recording: RecordingId },
    /// Close the file. `RecordingClosed` follows.
    StopRecording { recording: RecordingId },
    /// Free the ports; `Closed` follows with what the leg heard and said.
    Close { leg: LegId },
}

/// How often [`Input::Alive`] comes. A conversation not renewed three times in a row is over.
pub const LEASE: Duration = Duration::from_secs(20);

/// What the recorder writes beside the audio, as JSON, with duration and hash added when it closes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sidecar {
    pub call: base::CallId,
    pub recording: RecordingId,
    pub tenant: Arc<str>,
    pub queue: Option<Arc<str>>,
    pub agent: Arc<str>,
    pub lang: Option<base::Lang>,
    /// RFC 3339, UTC.
    pub start: Arc<str>,
    pub sip_call_id_caller: Arc<str>,
    pub sip_call_id_agent: Arc<str>,
}

/// What the plane tells the engine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Input {
    Opened {
        leg: LegId,
        port: u16,
    },
    OpenFailed {
        leg: LegId,
        port: u16,
    },
    PlayDone {
        leg: LegId,
        play: u32,
    },
    /// One key, once, from telephone-event or, where that was asked for, from the audio. `0-9`, `*`, `#`, `A-D`.
    Digit {
        leg: LegId,
        key: char,
    },
    /// No RTP and no RTCP for this long on a leg that should receive; once per silence.
    Silent {
        leg: LegId,
        millis: u64,
    },
    /// Audio came again after `Silent`.
    Heard {
        leg: LegId,
    },
    /// Legs from which RTP or RTCP came in the last [`LEASE`]: each conversation is renewed by it, also one on hold, in
    /// which nobody hears anybody.
    Alive {
        legs: Vec<LegId>,
    },
    RecordingStarted {
        recording: RecordingId,
    },
    /// `complete` false: something is missing, and `reason` says what.
    RecordingClosed {
        recording: RecordingId,
        file: Arc<str>,
        duration_ms: u64,
        sha256: Arc<str>,
        complete: bool,
        reason: Arc<str>,
    },
    /// There is no file, or it can't be played.
    RecordingFailed {
        recording: RecordingId,
        reason: Arc<str>,
    },
    Closed {
        leg: LegId,
        stats: Box<Stats>,
    },
    /// A recorder's sign of life, once a second while it has something to write: the recordings of which it committed
    /// frames since the last one.
    RecorderAlive {
        grew: Vec<RecordingId>,
    },
}

/// What one leg counted: so far, or in the end. [`quality::of`](crate::quality::of) says what it was like to hear.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stats {
    /// What was negotiated last.
    pub codec: Option<Codec>,
    /// Packets of the peer's, late and doubled ones too.
    pub received: u64,
    pub sent: u64,
    /// Numbers that never came.
    pub lost: u64,
    pub late: u64,
    pub duplicates: u64,
    /// Too late for the jitter buffer, where somebody heard this leg mixed.
    pub discarded: u64,
    /// Losses in a row: how many times, and the longest.
    pub bursts: u64,
    pub longest_burst: u64,
    /// Interarrival jitter, RFC 3550 6.4.1, in microseconds.
    pub jitter_us: u64,
    pub jitter_max_us: u64,
    /// Dropped: not from the latched source, not RTP, or malformed.
    pub strangers: u64,
    /// Dropped: the peer's, and too many in a second.
    pub excess: u64,
    /// What the peer's reports say of what we sent.
    pub reported: Option<Told>,
    pub round_trip: Option<Trips>,
}

/// A peer's reports of what it heard of us (RFC 3550 section 6.4.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    pub reports: u64,
    /// Packets that it missed, of those sent until it last said so.
    pub lost: u64,
    pub of: u64,
    pub jitter_us: u64,
    pub jitter_max_us: u64,
}

/// Round trips, measured from our sender report to the peer's answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trips {
    /// At least one.
    pub measured: u64,
    pub sum_us: u64,
    pub max_us: u64,
}

impl Trips {
    pub fn mean_us(&self) -> u64 {
        self.sum_us / self.measured.max(1)
    }
}
