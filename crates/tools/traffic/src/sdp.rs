//! The session descriptions of a plain phone (RFC 4566, RFC 3264): one audio stream, G.711 and telephone-event.

use crate::audio::Law;
use std::fmt::Write;
use std::net::{IpAddr, SocketAddr};

/// One side's wish, or both sides' agreement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audio {
    pub at: SocketAddr,
    /// In order of preference.
    pub laws: Vec<Law>,
    pub dtmf: Option<u8>,
    /// The writer sends; the writer wants to hear.
    pub sends: bool,
    pub receives: bool,
}

impl Audio {
    pub fn phone(at: SocketAddr, laws: &[Law], dtmf: u8) -> Audio {
        Audio { at, laws: laws.to_vec(), dtmf: Some(dtmf), sends: true, receives: true }
    }

    /// The answer to this offer from a phone at `at`: the first law offered, the offer's number for keys.
    pub fn answer(&self, at: SocketAddr) -> Option<Audio> {
        let laws = vec![*self.laws.first()?];
        Some(Audio { at, laws, dtmf: self.dtmf, sends: self.receives, receives: self.sends })
    }

    pub fn write(&self, version: u32) -> String {
        let ip = self.at.ip();
        let family = if ip.is_ipv4() { "IP4" } else { "IP6" };
        let mut text = format!("v=0\r\no=- 1 {version} IN {family} {ip}\r\ns=-\r\nc=IN {family} {ip}\r\nt=0 0\r\n");
        let payloads = self.laws.iter().map(|law| law.payload()).chain(self.dtmf);
        let payloads: Vec<String> = payloads.map(|p| p.to_string()).collect();
        // Writing to a String never fails.
        let _ = write!(text, "m=audio {} RTP/AVP {}\r\n", self.at.port(), payloads.join(" "));
        for law in &self.laws {
            let _ = write!(text, "a=rtpmap:{} {}/8000\r\n", law.payload(), law.name());
        }
        if let Some(dtmf) = self.dtmf {
            let _ = write!(text, "a=rtpmap:{dtmf} telephone-event/8000\r\na=fmtp:{dtmf} 0-15\r\n");
        }
        let direction = match (self.sends, self.receives) {
            (true, true) => "sendrecv",
            (true, false) => "sendonly",
            (false, true) => "recvonly",
            (false, false) => "inactive",
        };
        let _ = write!(text, "a=ptime:20\r\na={direction}\r\n");
        text
    }

    /// The first audio stream that is not refused. `None` if there is none that this phone can speak.
    pub fn read(sdp: &[u8]) -> Option<Audio> {
        let text = std::str::from_utf8(sdp).ok()?;
        let (mut ip, mut port, mut payloads, mut dtmf) = (None, 0, Vec::new(), None);
        let (mut sends, mut receives, mut inside) = (true, true, false);
        for line in text.lines().map(str::trim_end) {
            if let Some(media) = line.strip_prefix("m=") {
                inside = port == 0 && media.starts_with("audio ");
                if inside {
                    let mut words = media.split(' ').skip(1);
                    port = words.next()?.parse().ok()?;
                    payloads = words.skip(1).filter_map(|p| p.parse::<u8>().ok()).collect();
                }
            } else if let Some(address) = line.strip_prefix("c=").filter(|_| inside || payloads.is_empty()) {
                ip = address.rsplit(' ').next().and_then(|a| a.parse::<IpAddr>().ok());
            } else if inside && line.to_ascii_lowercase().contains(" telephone-event/8000") {
                dtmf = line.split_once(':').and_then(|(_, rest)| rest.split(' ').next()?.parse().ok());
            }
            if inside || payloads.is_empty() {
                match line {
                    "a=sendrecv" => (sends, receives) = (true, true),
                    "a=sendonly" => (sends, receives) = (true, false),
                    "a=recvonly" => (sends, receives) = (false, true),
                    "a=inactive" => (sends, receives) = (false, false),
                    _ => {}
                }
            }
        }
        let laws: Vec<Law> = payloads.iter().filter_map(|p| Law::of_payload(*p)).collect();
        let usable = port != 0 && !laws.is_empty();
        usable.then_some(Audio { at: SocketAddr::new(ip?, port), laws, dtmf, sends, receives })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for laws in [&[Law::Pcmu, Law::Pcma][..], &[Law::Pcma]] {
            let mut audio = Audio::phone("127.0.0.1:4000".parse().unwrap(), laws, 96);
            audio.receives = false;
            assert_eq!(Audio::read(audio.write(1).as_bytes()), Some(audio));
        }
    }

    #[test]
    fn an_answer_takes_the_first_law_and_turns_the_direction() {
        let mut offer = Audio::phone("127.0.0.1:4000".parse().unwrap(), &[Law::Pcma, Law::Pcmu], 96);
        offer.receives = false;
        let answer = offer.answer("127.0.0.1:5000".parse().unwrap()).unwrap();
        assert_eq!((answer.laws, answer.dtmf, answer.sends, answer.receives), (vec![Law::Pcma], Some(96), false, true));
    }

    #[test]
    fn a_refused_stream_and_other_codecs_are_nothing() {
        for media in ["m=audio 0 RTP/AVP 0", "m=audio 4000 RTP/AVP 18", "m=video 4000 RTP/AVP 0"] {
            let sdp = format!("v=0\r\nc=IN IP4 127.0.0.1\r\n{media}\r\n");
            assert_eq!(Audio::read(sdp.as_bytes()), None, "{media}");
        }
    }
}
