//! Offer and answer for one audio stream (RFC 3264, RFC 8866): G.711, G.722, Opus, telephone-event, hold.
//!
//! ```text
//!   their offer ─▶ answer(offer, ours) ─▶ our answer + Audio      our offer(ours) ─▶ … ─▶ read_answer(theirs, ours) ─▶ Audio
//! ```
//! [`Audio`] is what both agreed on, seen from our side. All media but one usable audio line are answered with port 0,
//! in their places.

mod numbers;
mod read;
mod write;

use bytes::Bytes;
use numbers::{Meaning, Numbers};
use read::{Line, Offered};
use std::net::{IpAddr, SocketAddr};

/// Longest SDP taken (CVE-2022-24764).
pub const MAX_SDP: usize = 16_384;
/// Most lines of an SDP, and the longest of them in bytes.
pub const MAX_LINES: usize = 512;
pub const MAX_LINE: usize = 1_024;

/// Numbers of telephone-event by which one peer is heard: a few clocks, and some to spare.
const MAX_EVENTS: usize = 4;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AudioCodec {
    Pcmu,
    Pcma,
    G722,
    Opus,
}

/// Which way media may go, seen from the side that says it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Direction {
    #[default]
    SendRecv,
    SendOnly,
    RecvOnly,
    Inactive,
}

/// What we say of ourselves. Raise `version` with each new offer or answer of a session (RFC 3264 8).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Local {
    pub address: IpAddr,
    pub port: u16,
    /// Below 2^63: some peers read it as a signed number.
    pub session_id: u64,
    pub version: u64,
    pub direction: Direction,
    /// What we take, and in an offer in which order. In an answer the order of the offer counts.
    pub codecs: Vec<AudioCodec>,
    /// RTCP on the RTP port (RFC 5761), if the peer wants it too.
    pub rtcp_mux: bool,
    /// What was said in this session so far: take it over from [`Audio::shape`], so that a later offer of ours has as many
    /// lines in the same order (RFC 3264 8), and its numbers mean what they meant before.
    pub shape: Shape,
}

/// What stays as it is while a session lasts: where the audio stands among lines that were refused, and what its payload
/// numbers mean.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shape {
    /// Each line before the audio: media, protocol, formats.
    before: Vec<[String; 3]>,
    after: Vec<[String; 3]>,
    numbers: Numbers,
}

/// What was agreed on, from our view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audio {
    pub remote: SocketAddr,
    pub codec: AudioCodec,
    /// The codec's payload number in what we send.
    pub payload: u8,
    /// The codec's payload number in what they send, where we offered: an answer may give another for what it is sent (RFC
    /// 3264 6.1).
    pub offered: Option<u8>,
    /// The payload number of telephone-event in what we send (RFC 4733), and how fast it counts its time, in Hz.
    pub dtmf: Option<u8>,
    pub dtmf_clock: u32,
    /// Each number by which they may send it, with its clock: those of the offer, at 8 kHz and at the clock of a codec. None
    /// if it was not agreed on.
    pub events: Vec<(u8, u32)>,
    /// We may send: they listen, and their address is not 0.0.0.0 (RFC 3264 8.4).
    pub send: bool,
    /// They may send.
    pub receive: bool,
    pub asks: Asks,
    pub rtcp_mux: bool,
    pub shape: Shape,
}

/// What binds us in what we send of Opus, where they say it (RFC 7587 section 7.1). Of all else that they may say of it, and of
/// `ptime` and `maxptime`, nothing does: see the codec table of the media.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Asks {
    /// `maxaveragebitrate`, in bits a second.
    pub bitrate: Option<u32>,
    /// `maxplaybackrate`, in Hz.
    pub rate: Option<u32>,
}

/// Why there is no agreement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Understood, but nothing in it that we can do.
    #[error("no usable audio: {0}")]
    NotAcceptable(&'static str),
    /// Not an SDP.
    #[error("malformed SDP: {0}")]
    Malformed(&'static str),
}

impl Refused {
    /// The status to answer with.
    pub fn status(&self) -> u16 {
        match self {
            Refused::NotAcceptable(_) => 488,
            Refused::Malformed(_) => 400,
        }
    }
}

impl Local {
    pub fn new(address: IpAddr, port: u16, session_id: u64) -> Local {
        Local {
            address,
            port,
            session_id: session_id & (u64::MAX >> 1),
            version: 1,
            direction: Direction::SendRecv,
            codecs: AudioCodec::USUAL.to_vec(),
            rtcp_mux: false,
            shape: Shape::default(),
        }
    }

    /// Puts a codec first, if it is among those that may be used: a leg that agrees on it is heard untouched.
    pub fn prefer(&mut self, codec: AudioCodec) {
        // The others stay in their order.
        self.codecs.sort_by_key(|one| *one != codec);
    }

    /// What an offer of ours says, by its numbers: the codecs, and telephone-event once for each clock among them (RFC 4733
    /// section 2.1) and by 8 kHz for all who know no other.
    fn offered(&self) -> Vec<(u8, Meaning)> {
        let codecs = self.codecs.iter().map(|codec| Meaning::Codec(*codec));
        let of_opus = self.codecs.contains(&AudioCodec::Opus).then_some(Meaning::Event(AudioCodec::Opus.clock()));
        self.shape.numbers.assign(codecs.chain([Meaning::Event(8_000)]).chain(of_opus))
    }
}

impl AudioCodec {
    /// What is used where nothing else is asked for.
    pub const USUAL: [AudioCodec; 2] = [AudioCodec::Pcma, AudioCodec::Pcmu];

    /// How fast its timestamps run, in Hz.
    pub fn clock(self) -> u32 {
        match self {
            AudioCodec::Pcmu | AudioCodec::Pcma | AudioCodec::G722 => 8_000,
            AudioCodec::Opus => 48_000,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            AudioCodec::Pcmu => "PCMU",
            AudioCodec::Pcma => "PCMA",
            AudioCodec::G722 => "G722",
            AudioCodec::Opus => "opus",
        }
    }
}

impl Direction {
    pub(crate) fn sends(self) -> bool {
        matches!(self, Direction::SendRecv | Direction::SendOnly)
    }

    pub(crate) fn receives(self) -> bool {
        matches!(self, Direction::SendRecv | Direction::RecvOnly)
    }

    fn of(sends: bool, receives: bool) -> Direction {
        match (sends, receives) {
            (true, true) => Direction::SendRecv,
            (true, false) => Direction::SendOnly,
            (false, true) => Direction::RecvOnly,
            (false, false) => Direction::Inactive,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Direction::SendRecv => "sendrecv",
            Direction::SendOnly => "sendonly",
            Direction::RecvOnly => "recvonly",
            Direction::Inactive => "inactive",
        }
    }
}

/// Our answer to their offer, and what it means. The first usable audio line is taken, in it the first codec of the
/// offer that is ours.
///
/// # Errors
/// See [`Refused`].
pub fn answer(offer: &[u8], ours: &Local) -> Result<(Bytes, Audio), Refused> {
    let offered = read::session(offer)?;
    let (at, audio) = agree(&offered, ours, |_| true)?;
    Ok((write::answer(&offered, at, &audio, ours), audio))
}

/// Our offer: each codec of ours and telephone-event, among the lines of `ours.shape`.
pub fn offer(ours: &Local) -> Bytes {
    write::offer(ours)
}

/// What their answer to our offer means.
///
/// # Errors
/// `NotAcceptable` when they refused the audio (port 0) or chose nothing of what we offered.
pub fn read_answer(answer: &[u8], ours: &Local) -> Result<Audio, Refused> {
    let answered = read::session(answer)?;
    let place = ours.shape.before.len();
    let expected = answered.lines.len() == place + 1 + ours.shape.after.len();
    // A peer that loses lines we refused is wrong (RFC 3264 6) but still says where its audio is.
    let (_, audio) = agree(&answered, ours, |at| !expected || at == place)?;
    let offered = ours.offered();
    let mut shape = ours.shape.clone();
    shape.numbers.note(offered.iter().copied().chain(audio.shape.numbers.all()));
    let number = offered.iter().find(|(_, meaning)| meaning.codec() == Some(audio.codec)).map(|(number, _)| *number);
    let events = if audio.dtmf.is_some() { events(offered) } else { vec![] };
    Ok(Audio { shape, offered: number, events, ..audio })
}

/// The first usable line among those at allowed places, with its place.
fn agree(offered: &Offered, ours: &Local, allowed: impl Fn(usize) -> bool) -> Result<(usize, Audio), Refused> {
    let mut refused = Refused::NotAcceptable("no audio line");
    for (at, line) in offered.lines.iter().enumerate().filter(|(at, line)| allowed(*at) && line.is_audio()) {
        match agree_on(line, ours) {
            Ok(audio) => {
                let mut numbers = ours.shape.numbers.clone();
                numbers.note(line.meanings());
                return Ok((at, Audio { shape: offered.shape_around(at, numbers), ..audio }));
            }
            Err(error) => refused = error,
        }
    }
    Err(refused)
}

fn agree_on(line: &Line, ours: &Local) -> Result<Audio, Refused> {
    let remote = line.usable()?;
    let (payload, codec) =
        line.codecs()?.find(|(_, codec)| ours.codecs.contains(codec)).ok_or(Refused::NotAcceptable("no codec"))?;
    // RFC 3264 8.4: an address of zeros is the old way to say hold.
    let listens = line.direction.receives() && !remote.ip().is_unspecified();
    let dtmf = line.dtmf(codec);
    Ok(Audio {
        remote,
        codec,
        payload,
        offered: None,
        dtmf: dtmf.map(|(payload, _)| payload),
        dtmf_clock: dtmf.map_or(codec.clock(), |(_, clock)| clock),
        events: if dtmf.is_some() { events(line.meanings()) } else { vec![] },
        send: listens && ours.direction.sends(),
        receive: line.direction.sends() && ours.direction.receives(),
        asks: line.asks(payload, codec),
        rtcp_mux: line.rtcp_mux && ours.rtcp_mux,
        shape: Shape::default(),
    })
}

/// The numbers of telephone-event among these, with their clocks.
fn events(said: impl IntoIterator<Item = (u8, Meaning)>) -> Vec<(u8, u32)> {
    said.into_iter().filter_map(|(number, meaning)| Some((number, meaning.event_clock()?))).take(MAX_EVENTS).collect()
}

#[cfg(test)]
mod tests;
