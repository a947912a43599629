//! Our SDP: as small as a peer needs it.

use super::read::Offered;
use super::{Audio, AudioCodec, Direction, Local, OUR_DTMF, OUR_DTMF_48};
use bytes::Bytes;
use std::fmt::Write;
use std::net::IpAddr;

pub(super) fn answer(offered: &Offered, audio_at: usize, audio: &Audio, ours: &Local) -> Bytes {
    let mut out = head(ours, offered.time);
    for (at, line) in offered.lines.iter().enumerate() {
        if at == audio_at {
            let direction = Direction::of(audio.send, audio.receive);
            let dtmf = audio.dtmf.map(|payload| (payload, audio.dtmf_clock));
            audio_line(&mut out, ours, &line.protocol, &[(audio.payload, audio.codec)], dtmf.as_slice(), direction);
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
    let codecs: Vec<_> = ours.codecs.iter().map(|codec| (codec.our_payload(), *codec)).collect();
    // One for each clock among the codecs (RFC 4733 section 2.1), and that of 8 kHz for all who know no other.
    let mut dtmf = vec![(OUR_DTMF, 8_000)];
    dtmf.extend(ours.codecs.contains(&AudioCodec::Opus).then_some((OUR_DTMF_48, AudioCodec::Opus.clock())));
    audio_line(&mut out, ours, "RTP/AVP", &codecs, &dtmf, ours.direction);
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

fn audio_line(
    out: &mut String,
    ours: &Local,
    protocol: &str,
    codecs: &[(u8, AudioCodec)],
    dtmf: &[(u8, u32)],
    direction: Direction,
) {
    let _ = write!(out, "m=audio {} {protocol}", ours.port);
    for payload in codecs.iter().map(|(payload, _)| *payload).chain(dtmf.iter().map(|(payload, _)| *payload)) {
        let _ = write!(out, " {payload}");
    }
    out.push_str("\r\n");
    for (payload, codec) in codecs {
        let _ = write!(out, "a=rtpmap:{payload} {}\r\n", codec.encoding());
        if let Some(parameters) = codec.parameters() {
            let _ = write!(out, "a=fmtp:{payload} {parameters}\r\n");
        }
    }
    for (payload, clock) in dtmf {
        let _ = write!(out, "a=rtpmap:{payload} telephone-event/{clock}\r\na=fmtp:{payload} 0-15\r\n");
    }
    let _ = write!(out, "a=ptime:20\r\na={}\r\n", direction.as_str());
}

/// RFC 3264 6: a refused line has port 0 and keeps its place, media, protocol and formats.
fn refused_line(out: &mut String, [media, protocol, formats]: &[&str; 3]) {
    let _ = write!(out, "m={media} 0 {protocol} {formats}\r\n");
}
