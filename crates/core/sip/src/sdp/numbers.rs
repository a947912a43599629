//! What the payload numbers of a session mean. A dynamic number never gets another meaning while the session lasts, in nobody's
//! offer and nobody's answer (RFC 3264 8.3.2): packets on their way would be taken for something else.

use super::AudioCodec;

/// The numbers that our offers give to telephone-event by the clock of 8 kHz and by that of Opus, and to Opus.
const OUR_DTMF: u8 = 101;
const OUR_DTMF_48: u8 = 102;
const OUR_OPUS: u8 = 96;
const OURS: [u8; 3] = [OUR_OPUS, OUR_DTMF, OUR_DTMF_48];

/// RFC 3550 5.1, RFC 3551 section 6: seven bits, of which these are given out in each session.
const DYNAMIC: std::ops::RangeInclusive<u8> = 96..=127;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    Codec(AudioCodec),
    /// Telephone-event (RFC 4733), and how fast it counts its time, in Hz.
    Event(u32),
    /// What we don't know.
    Other,
}

/// What was said of each number so far, by either side, in that order: each number once, at most 128.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Numbers {
    said: Vec<(u8, Meaning)>,
}

impl Numbers {
    /// Takes note of what a number means, unless it means something already.
    pub fn note(&mut self, said: impl IntoIterator<Item = (u8, Meaning)>) {
        for (number, meaning) in said {
            if self.is_free(number) {
                self.said.push((number, meaning));
            }
        }
    }

    /// By which number an offer of ours says each of these: as it was said before, else as we are used to, else by one that is
    /// free. What there is no number for is left out.
    pub fn assign(&self, wanted: impl IntoIterator<Item = Meaning>) -> Vec<(u8, Meaning)> {
        let mut numbers = self.clone();
        let assign = |meaning| {
            let said = (numbers.find(meaning)?, meaning);
            numbers.note([said]);
            Some(said)
        };
        wanted.into_iter().filter_map(assign).collect()
    }

    pub fn all(&self) -> impl Iterator<Item = (u8, Meaning)> {
        self.said.iter().copied()
    }

    fn find(&self, wanted: Meaning) -> Option<u8> {
        let said = self.said.iter().find(|(_, meaning)| *meaning == wanted).map(|(number, _)| *number);
        said.or_else(|| wanted.usual_number().into_iter().chain(DYNAMIC.filter(|n| !OURS.contains(n))).find(|n| self.is_free(*n)))
    }

    fn is_free(&self, number: u8) -> bool {
        self.said.iter().all(|(said, _)| *said != number)
    }
}

impl Meaning {
    /// RFC 3551 table 4, or our own.
    fn usual_number(self) -> Option<u8> {
        match self {
            Meaning::Codec(AudioCodec::Pcmu) => Some(0),
            Meaning::Codec(AudioCodec::Pcma) => Some(8),
            Meaning::Codec(AudioCodec::G722) => Some(9),
            Meaning::Codec(AudioCodec::Opus) => Some(OUR_OPUS),
            Meaning::Event(8_000) => Some(OUR_DTMF),
            Meaning::Event(_) => Some(OUR_DTMF_48),
            Meaning::Other => None,
        }
    }

    /// What stands in its rtpmap; empty where we say nothing of it. Opus says two channels whatever it has (RFC 7587 section 7).
    pub fn encoding(self) -> String {
        match self {
            Meaning::Codec(codec) => {
                let channels = if codec == AudioCodec::Opus { "/2" } else { "" };
                format!("{}/{}{channels}", codec.name(), codec.clock())
            }
            Meaning::Event(clock) => format!("telephone-event/{clock}"),
            Meaning::Other => String::new(),
        }
    }

    /// What stands in its fmtp. Of Opus how we want it to be sent (RFC 7587 section 6.1): one channel, wideband, with lost
    /// packets in those behind them.
    pub fn parameters(self) -> Option<&'static str> {
        match self {
            Meaning::Codec(AudioCodec::Opus) => {
                Some("maxplaybackrate=16000;sprop-maxcapturerate=16000;maxaveragebitrate=24000;stereo=0;useinbandfec=1")
            }
            Meaning::Event(_) => Some("0-15"),
            Meaning::Codec(_) | Meaning::Other => None,
        }
    }

    pub fn codec(self) -> Option<AudioCodec> {
        if let Meaning::Codec(codec) = self { Some(codec) } else { None }
    }

    pub fn event_clock(self) -> Option<u32> {
        if let Meaning::Event(clock) = self { Some(clock) } else { None }
    }
}
