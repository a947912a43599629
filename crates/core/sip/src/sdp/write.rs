//! Our SDP: as small as a peer needs it.

use super::numbers::Meaning;
use super::read::Offered;
use super::{Audio, Direction, Local};
use bytes::Bytes;
use std::fmt::Write;
use std::net::IpAddr;

pub(super) fn answer(offered: &Offered, audio_at: usize, audio: &Audio, ours: &Local) -> Bytes {
    let mut out = head(ours, offered.time);
    for (at, line) in offered.lines.iter().enumerate() {
        if at == audio_at {
            let direction = Direction::of(audio.send, audio.receive);
            let dtmf = audio.dtmf.map(|payload| (payload, Meaning::Event(audio.dtmf_clock)));
            let said: Vec<_> = [(audio.payload, Meaning::Codec(audio.codec))].into_iter().chain(dtmf).collect();
            audio_line(&mut out, ours, &line.protocol, &said, direction);
            if audio.rtcp_mux {
                out.push_str("a=rtcp-mux\r\n");
            }
        } else {
            refused_line(&mut out, &[&line.media, &line.protocol, &line.formats]);
        }
    }
    out.into()
}

pub(super) fn offer(ours: &Local) -> Bytes {
    let mut out = head(ours, (0, 0));
    for line in &ours.shape.before {
        refused_line(&mut out, &line.each_ref().map(String::as_str));
    }
    audio_line(&mut out, ours, "RTP/AVP", &ours.offered(), ours.direction);
    if ours.rtcp_mux {
        out.push_str("a=rtcp-mux\r\n");
    }
    for line in &ours.shape.after {
        refused_line(&mut out, &line.each_ref().map(String::as_str));
    }
    out.into()
}

fn head(ours: &Local, (start, stop): (u64, u64)) -> String {
    let family = match ours.address {
        IpAddr::V4(_) => "IP4",
        IpAddr::V6(_) => "IP6",
    };
    let (id, version, address) = (ours.session_id, ours.version, ours.address);
    let mut out = String::with_capacity(320);
    // Writing to a String never fails.
    let _ =
        write!(out, "v=0\r\no=- {id} {version} IN {family} {address}\r\ns=-\r\nc=IN {family} {address}\r\nt={start} {stop}\r\n");
    out
}

fn audio_line(out: &mut String, ours: &Local, protocol: &str, said: &[(u8, Meaning)], direction: Direction) {
    let _ = write!(out, "m=audio {} {protocol}", ours.port);
    for (payload, _) in said {
        let _ = write!(out, " {payload}");
    }
    out.push_str("\r\n");
    for (payload, meaning) in said {
        let _ = write!(out, "a=rtpmap:{payload} {}\r\n", meaning.encoding());
        if let Some(parameters) = meaning.parameters() {
            let _ = write!(out, "a=fmtp:{payload} {parameters}\r\n");
        }
    }
    let _ = write!(out, "a=ptime:20\r\na={}\r\n", direction.as_str());
}

/// RFC 3264 6: a refused line has port 0 and keeps its place, media, protocol and formats.
fn refused_line(out: &mut String, [media, protocol, formats]: &[&str; 3]) {
    let _ = write!(out, "m={media} 0 {protocol} {formats}\r\n");
}
