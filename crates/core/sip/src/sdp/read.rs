//! Their SDP, cleaned, bounded, and cut down to what an audio call needs.

use super::numbers::{Meaning, Numbers};
use super::{Asks, AudioCodec, Direction, MAX_LINE, MAX_LINES, MAX_SDP, Refused, Shape};
use crate::message::text::decode;
use sdp_types::{Attribute, Connection, Media, Session};
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;

/// A session description, offer or answer.
pub(super) struct Offered {
    pub(super) lines: Vec<Line>,
    /// Start and stop, which an answer repeats (RFC 3264 6).
    pub(super) time: (u64, u64),
}

/// One m-line and what belongs to it.
pub(super) struct Line {
    pub(super) media: String,
    pub(super) protocol: String,
    pub(super) formats: String,
    port: u16,
    several_ports: bool,
    address: Option<IpAddr>,
    pub(super) direction: Direction,
    pub(super) rtcp_mux: bool,
    /// Payload number and encoding, from rtpmap.
    maps: Vec<(u8, String)>,
    /// Payload number and parameters, from fmtp.
    parameters: Vec<(u8, String)>,
}

pub(super) fn session(bytes: &[u8]) -> Result<Offered, Refused> {
    bounded(bytes)?;
    // The parser takes UTF-8 only, and one Latin-1 letter in a session name must not cost a call.
    let text = decode(bytes);
    let session = Session::parse(text.as_bytes()).map_err(|_| Refused::Malformed("not an SDP"))?;
    let time = session.times.first().map_or((0, 0), |time| (time.start_time, time.stop_time));
    let around = direction(&session.attributes).unwrap_or_default();
    let lines = session.medias.iter().map(|media| line(media, session.connection.as_ref(), around)).collect();
    Ok(Offered { lines, time })
}

fn bounded(bytes: &[u8]) -> Result<(), Refused> {
    if bytes.len() > MAX_SDP {
        return Err(Refused::Malformed("too long"));
    }
    if bytes.contains(&0) {
        return Err(Refused::Malformed("NUL byte"));
    }
    let mut lines = 0usize;
    for line in bytes.split(|byte| *byte == b'\n') {
        lines += 1;
        if lines > MAX_LINES || line.len() > MAX_LINE {
            return Err(Refused::Malformed("too many or too long lines"));
        }
    }
    Ok(())
}

fn line(media: &Media, around: Option<&Connection>, direction_around: Direction) -> Line {
    let address = media.connections.first().or(around).and_then(|connection| connection.connection_address.parse().ok());
    Line {
        media: media.media.clone(),
        protocol: media.proto.clone(),
        formats: media.fmt.clone(),
        port: media.port,
        several_ports: media.num_ports.is_some_and(|ports| ports > 1),
        address,
        direction: direction(&media.attributes).unwrap_or(direction_around),
        rtcp_mux: media.has_attribute("rtcp-mux"),
        maps: media.get_attribute_values("rtpmap").flatten().filter_map(map).collect(),
        parameters: media.get_attribute_values("fmtp").flatten().filter_map(map).collect(),
    }
}

/// The last of them counts, as it does in most peers.
fn direction(attributes: &[Attribute]) -> Option<Direction> {
    let all = [Direction::SendRecv, Direction::SendOnly, Direction::RecvOnly, Direction::Inactive];
    let said = |attribute: &Attribute| all.into_iter().find(|one| attribute.attribute.eq_ignore_ascii_case(one.as_str()));
    attributes.iter().rev().find_map(said)
}

/// `101 telephone-event/8000`, `111 maxplaybackrate=8000; stereo=0`
fn map(value: &str) -> Option<(u8, String)> {
    let (number, encoding) = value.trim().split_once(' ')?;
    Some((payload_number(number)?, encoding.trim().to_ascii_lowercase()))
}

/// RFC 3550 5.1: seven bits.
fn payload_number(text: &str) -> Option<u8> {
    text.parse().ok().filter(|number| *number <= 127)
}

impl Offered {
    /// The lines around the audio, as refused ones, and what its numbers mean.
    pub(super) fn shape_around(&self, audio: usize, numbers: Numbers) -> Shape {
        let refused = |line: &Line| [line.media.clone(), line.protocol.clone(), line.formats.clone()];
        Shape {
            before: self.lines.iter().take(audio).map(refused).collect(),
            after: self.lines.iter().skip(audio + 1).map(refused).collect(),
            numbers,
        }
    }
}

impl Line {
    pub(super) fn is_audio(&self) -> bool {
        self.media.eq_ignore_ascii_case("audio")
    }

    /// Where to send, if this line is one we can serve at all.
    pub(super) fn usable(&self) -> Result<SocketAddr, Refused> {
        if self.port == 0 {
            return Err(Refused::NotAcceptable("audio is switched off"));
        }
        if !matches!(self.protocol.as_str(), "RTP/AVP" | "RTP/AVPF") {
            return Err(Refused::NotAcceptable("only plain RTP"));
        }
        let address = self.address.filter(|ip| !ip.is_multicast()).ok_or(Refused::NotAcceptable("no unicast address"))?;
        if self.several_ports {
            return Err(Refused::NotAcceptable("several ports"));
        }
        Ok(SocketAddr::new(address.to_canonical(), self.port))
    }

    /// The codecs of the line that we know, in its order. A number that no RTP packet can carry makes the line unusable
    /// (CVE-2018-1000098).
    pub(super) fn codecs(&self) -> Result<impl Iterator<Item = (u8, AudioCodec)>, Refused> {
        let numbers = self.payload_numbers().ok_or(Refused::NotAcceptable("payload number over 127"))?;
        Ok(numbers.into_iter().filter_map(|number| Some((number, self.meaning(number).codec()?))))
    }

    /// The first payload number that is telephone-event at the codec's clock, as it should be (RFC 4733 section 2.1); else
    /// at 8 kHz, as many phones say beside Opus too. With its clock.
    pub(super) fn dtmf(&self, codec: AudioCodec) -> Option<(u8, u32)> {
        let at = |clock: u32| self.meanings().find(|(_, meaning)| *meaning == Meaning::Event(clock));
        let (number, meaning) = at(codec.clock()).or_else(|| at(8_000))?;
        Some((number, meaning.event_clock()?))
    }

    /// What the line says of its numbers, in its order.
    pub(super) fn meanings(&self) -> impl Iterator<Item = (u8, Meaning)> {
        self.payload_numbers().into_iter().flatten().map(|number| (number, self.meaning(number)))
    }

    /// What binds us of what they say of a codec.
    pub(super) fn asks(&self, number: u8, codec: AudioCodec) -> Asks {
        if codec != AudioCodec::Opus {
            return Asks::default();
        }
        let said = self.parameters.iter().find(|(known, _)| *known == number).map_or("", |(_, said)| said.as_str());
        let value = |wanted: &str, allowed: RangeInclusive<u32>| {
            let mut pairs = said.split(';').filter_map(|pair| pair.split_once('='));
            let (_, value) = pairs.find(|(name, _)| name.trim() == wanted)?;
            value.trim().parse().ok().filter(|value| allowed.contains(value))
        };
        // What is beyond these says nothing (RFC 7587 section 6.1).
        Asks { bitrate: value("maxaveragebitrate", 6_000..=510_000), rate: value("maxplaybackrate", 8_000..=48_000) }
    }

    fn payload_numbers(&self) -> Option<Vec<u8>> {
        self.formats.split_ascii_whitespace().map(payload_number).collect()
    }

    /// By its rtpmap; 0, 8 and 9 need none (RFC 3551 6). G.722 says 8000 although it samples at 16 kHz (RFC 3551 4.5.2).
    fn meaning(&self, number: u8) -> Meaning {
        match (self.encoding(number), number) {
            (Some("pcmu/8000" | "pcmu/8000/1"), _) | (None, 0) => Meaning::Codec(AudioCodec::Pcmu),
            (Some("pcma/8000" | "pcma/8000/1"), _) | (None, 8) => Meaning::Codec(AudioCodec::Pcma),
            (Some("g722/8000" | "g722/8000/1"), _) | (None, 9) => Meaning::Codec(AudioCodec::G722),
            (Some("opus/48000/2"), _) => Meaning::Codec(AudioCodec::Opus),
            (Some("telephone-event/8000"), _) => Meaning::Event(8_000),
            (Some("telephone-event/48000"), _) => Meaning::Event(48_000),
            _ => Meaning::Other,
        }
    }

    fn encoding(&self, number: u8) -> Option<&str> {
        self.maps.iter().find(|(known, _)| *known == number).map(|(_, encoding)| encoding.as_str())
    }
}
