//! A media plane without media: what it was told that each leg hears.

use base::{LegId, RecordingId};
use media::{Command, Input, Sound};
use std::collections::BTreeMap;

#[derive(Default)]
pub struct Plane {
    pub legs: BTreeMap<LegId, Ear>,
    pub recordings: BTreeMap<RecordingId, (Vec<LegId>, Vec<LegId>)>,
    /// Every recording ever begun, in order.
    pub recorded: Vec<RecordingId>,
    /// Ports take their time, and these are to be said.
    pub slow: bool,
    pub late: Vec<Input>,
}

#[derive(Default)]
pub struct Ear {
    /// The port at which the peer listens.
    pub rtp: u16,
    pub others: Vec<LegId>,
    pub looped: Option<String>,
    pub playing: Option<u32>,
    /// Everything that was ever played once.
    pub played: Vec<String>,
    /// Its audio is searched for keys.
    pub keys: bool,
}

impl Plane {
    /// What the plane says to a command. Plays go on until [`Plane::plays_end`].
    pub fn handle(&mut self, command: Command) -> Option<Input> {
        match command {
            Command::Open { leg, port, .. } => {
                self.legs.insert(leg, Ear::default());
                let opened = Input::Opened { leg, port };
                if self.slow {
                    self.late.push(opened);
                    return None;
                }
                return Some(opened);
            }
            Command::Configure { leg, session } => self.ear(leg).rtp = session.remote.port(),
            Command::Play { leg, play, sounds } => {
                let ear = self.ear(leg);
                ear.looped = None;
                ear.playing = Some(play);
                ear.played.extend(sounds.iter().map(name));
            }
            Command::Loop { leg, prompt } => self.ear(leg).loops(prompt.rsplit('/').next().unwrap_or_default()),
            Command::LoopTone { leg, tone } => self.ear(leg).loops(&format!("{tone:?}").to_lowercase()),
            Command::Stop { leg } => self.ear(leg).stops(),
            Command::Hear { leg, others } => {
                if !others.is_empty() {
                    self.ear(leg).stops();
                }
                self.ear(leg).others = others;
            }
            Command::HearKeys { leg, wanted } => self.ear(leg).keys = wanted,
            Command::Record { recording, left, right, .. } => {
                self.recordings.insert(recording, (left, right));
                self.recorded.push(recording);
                return Some(Input::RecordingStarted { recording });
            }
            Command::RecordLegs { recording, left, right } => {
                assert!(self.recordings.insert(recording, (left, right)).is_some(), "{recording} is not recorded");
            }
            Command::RecordWaiting { .. } => {}
            Command::StopRecording { recording } => {
                self.recordings.remove(&recording);
                let file = format!("{recording}").as_str().into();
                let (sha256, reason) = ("hash".into(), "".into());
                return Some(Input::RecordingClosed { recording, file, duration_ms: 1, sha256, complete: true, reason });
            }
            Command::Close { leg } => {
                self.legs.remove(&leg);
                return Some(Input::Closed { leg, stats: Box::default() });
            }
        }
        None
    }

    fn ear(&mut self, leg: LegId) -> &mut Ear {
        self.legs.get_mut(&leg).unwrap_or_else(|| panic!("{leg} is not open"))
    }

    /// What plays once is over.
    pub fn plays_end(&mut self) -> Vec<Input> {
        let ended = |(leg, ear): (&LegId, &mut Ear)| ear.playing.take().map(|play| Input::PlayDone { leg: *leg, play });
        self.legs.iter_mut().filter_map(ended).collect()
    }
}

impl Ear {
    fn loops(&mut self, what: &str) {
        self.looped = Some(what.into());
        self.playing = None;
    }

    fn stops(&mut self) {
        self.looped = None;
        self.playing = None;
    }
}

fn name(sound: &Sound) -> String {
    match sound {
        Sound::Prompt(key) => key.rsplit('/').next().unwrap_or_default().into(),
        Sound::Silence(_) => "silence".into(),
        Sound::Tone(tone) => format!("{tone:?}").to_lowercase(),
    }
}
