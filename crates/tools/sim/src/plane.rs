//! A media plane without media: it answers commands as the real one does, and asks for what it is owed.

use crate::dice::Dice;
use base::{Instant, LegId, RecordingId};
use engine::{Repaired, Stored};
use media::{Command, Input, LEASE, Sound, Stats, Tone};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// What the plane will say, and when.
pub enum Later {
    Say(Input),
    /// Unless something else plays by then.
    PlayEnds {
        leg: LegId,
        serial: u64,
    },
    /// Who is alive is said, and again after another lease.
    Lease,
}

#[derive(Default)]
pub struct Plane {
    legs: BTreeMap<LegId, Leg>,
    recordings: BTreeMap<RecordingId, Recording>,
    serial: u64,
    /// A lease is on the agenda.
    leased: bool,
    /// The plane and the recorder are a thread each: what either says comes in order.
    last: Instant,
    recorder_last: Instant,
}

struct Leg {
    port: u16,
    remote: Option<SocketAddr>,
    playing: Option<(u32, u64)>,
    hears: Vec<LegId>,
    /// Its peer sends nothing any more, and said no good-bye.
    mute: bool,
}

struct Recording {
    file: Arc<str>,
    since: Instant,
    works: bool,
}

impl Plane {
    /// The leg whose peer sends from there.
    pub fn leg_at(&self, remote: SocketAddr) -> Option<LegId> {
        self.legs.iter().find(|(_, leg)| leg.remote == Some(remote)).map(|(id, _)| *id)
    }

    pub fn legs(&self) -> Vec<LegId> {
        self.legs.keys().copied().collect()
    }

    pub fn is_idle(&self) -> bool {
        self.legs.is_empty() && self.recordings.is_empty()
    }

    /// What the next epoch finds of the recordings that this one was writing.
    pub fn repaired(&self, at: Instant, dice: &mut Dice) -> Vec<Repaired> {
        let mend = |(id, r): (&RecordingId, &Recording)| {
            let whole = r.works && !dice.percent(20);
            let stored = whole.then(|| Stored {
                file: r.file.clone(),
                duration_ms: at.since(r.since).as_millis() as u64,
                sha256: "mended".into(),
                reason: Some("node_lost".into()),
            });
            Repaired { recording: *id, stored }
        };
        self.recordings.iter().map(mend).collect()
    }

    /// Applies a command. An error is a command that makes no sense.
    pub fn handle(&mut self, at: Instant, command: Command, dice: &mut Dice) -> Result<Vec<(Instant, Later)>, String> {
        let mut later = Vec::new();
        match command {
            Command::Open { leg, port, .. } => {
                if let Some((other, _)) = self.legs.iter().find(|(_, l)| l.port == port) {
                    return Err(format!("port {port} for {leg} is still open for {other}"));
                }
                if self.legs.is_empty() && !std::mem::replace(&mut self.leased, true) {
                    later.push((at + LEASE, Later::Lease));
                }
                let input = if dice.percent(2) {
                    Input::OpenFailed { leg, port }
                } else {
                    self.legs.insert(leg, Leg { port, remote: None, playing: None, hears: vec![], mute: false });
                    Input::Opened { leg, port }
                };
                later.push(self.soon(at, input, dice));
            }
            Command::Configure { leg, session } => self.leg(leg, "configure")?.remote = Some(session.remote),
            Command::Play { leg, play, sounds } => {
                self.serial += 1;
                let serial = self.serial;
                self.leg(leg, "play on")?.playing = Some((play, serial));
                later.push((at + length(&sounds), Later::PlayEnds { leg, serial }));
            }
            Command::Loop { leg, .. } | Command::LoopTone { leg, .. } => self.leg(leg, "loop on")?.playing = None,
            Command::Stop { leg } => self.leg(leg, "stop")?.playing = None,
            Command::Hear { leg, others } => self.hear(leg, others)?,
            Command::Record { recording, left, right, file, .. } => {
                self.may_record(left.iter().chain(&right))?;
                later.extend(self.record(at, recording, file, dice)?);
            }
            Command::RecordLegs { left, right, .. } => self.may_record(left.iter().chain(&right))?,
            Command::StopRecording { recording } => later.extend(self.close(at, recording, dice)),
            Command::Close { leg } => {
                // A leg whose port could not be opened is closed all the same.
                self.legs.remove(&leg);
                self.legs.values_mut().for_each(|other| other.hears.retain(|heard| *heard != leg));
                later.push(self.soon(at, Input::Closed { leg, stats: Stats::default() }, dice));
            }
        }
        Ok(later)
    }

    fn leg(&mut self, leg: LegId, what: &str) -> Result<&mut Leg, String> {
        self.legs.get_mut(&leg).ok_or_else(|| format!("{what} {leg}, which is not open"))
    }

    /// A leg may hear any other that is open, as often as it is told to.
    fn hear(&mut self, leg: LegId, others: Vec<LegId>) -> Result<(), String> {
        for other in &others {
            self.leg(*other, "hear")?;
        }
        if others.contains(&leg) || others.iter().any(|other| other.call != leg.call) {
            return Err(format!("{leg} is to hear {others:?}"));
        }
        let state = self.leg(leg, "hear on")?;
        if !others.is_empty() {
            state.playing = None;
        }
        state.hears = others;
        Ok(())
    }

    fn may_record<'a>(&mut self, mut legs: impl Iterator<Item = &'a LegId>) -> Result<(), String> {
        legs.try_for_each(|leg| self.leg(*leg, "record").map(|_| ()))
    }

    /// What was announced has come: what is said now, and what comes later.
    pub fn comes(&mut self, at: Instant, later: Later, dice: &mut Dice) -> (Option<Input>, Option<(Instant, Later)>) {
        match later {
            Later::Say(input) => (Some(input), None),
            Later::PlayEnds { leg, serial } => (self.play_ends(leg, serial), None),
            Later::Lease => self.lease(at, dice),
        }
    }

    /// The end of a play, if nothing came in between.
    fn play_ends(&mut self, leg: LegId, serial: u64) -> Option<Input> {
        let leg_state = self.legs.get_mut(&leg)?;
        let (play, _) = leg_state.playing.take_if(|(_, s)| *s == serial)?;
        Some(Input::PlayDone { leg, play })
    }

    fn lease(&mut self, at: Instant, dice: &mut Dice) -> (Option<Input>, Option<(Instant, Later)>) {
        self.leased = !self.legs.is_empty();
        self.legs.values_mut().for_each(|leg| leg.mute |= dice.percent(1));
        let legs: Vec<LegId> =
            self.legs.iter().filter(|(_, leg)| !leg.hears.is_empty() && !leg.mute).map(|(id, _)| *id).collect();
        let alive = (!legs.is_empty()).then_some(Input::Alive { legs });
        (alive, self.leased.then_some((at + LEASE, Later::Lease)))
    }

    fn record(
        &mut self,
        at: Instant,
        id: RecordingId,
        file: Arc<str>,
        dice: &mut Dice,
    ) -> Result<Option<(Instant, Later)>, String> {
        if self.recordings.contains_key(&id) {
            return Err(format!("{id} is recorded twice"));
        }
        let fate = dice.below(100);
        if fate == 0 {
            return Ok(Some(self.written(at, Input::RecordingFailed { recording: id, reason: "disk full".into() }, dice)));
        }
        // Some recorders are slow to begin, a few never do.
        let works = fate > 2;
        self.recordings.insert(id, Recording { file, since: at, works });
        let slow = if dice.percent(20) { dice.millis(5, 2_000) } else { Duration::ZERO };
        Ok(works.then(|| self.written(at + slow, Input::RecordingStarted { recording: id }, dice)))
    }

    fn close(&mut self, at: Instant, id: RecordingId, dice: &mut Dice) -> Option<(Instant, Later)> {
        let Recording { file, since, works } = self.recordings.remove(&id)?;
        if !works {
            return None;
        }
        let complete = !dice.percent(5);
        let reason = if complete { "" } else { "packets missing" }.into();
        let duration_ms = at.since(since).as_millis() as u64;
        let input = Input::RecordingClosed { recording: id, file, duration_ms, sha256: "hash".into(), complete, reason };
        Some(self.written(at, input, dice))
    }

    fn soon(&mut self, at: Instant, input: Input, dice: &mut Dice) -> (Instant, Later) {
        self.last = (at + dice.millis(0, 5)).max(self.last);
        (self.last, Later::Say(input))
    }

    fn written(&mut self, at: Instant, input: Input, dice: &mut Dice) -> (Instant, Later) {
        self.recorder_last = (at + dice.millis(0, 5)).max(self.recorder_last);
        (self.recorder_last, Later::Say(input))
    }
}

fn length(sounds: &[Sound]) -> Duration {
    let one = |sound: &Sound| match sound {
        Sound::Prompt(key) => Duration::from_millis(600 + 40 * key.len() as u64),
        Sound::Silence(span) => *span,
        Sound::Tone(Tone::Zip | Tone::Beep) => Duration::from_millis(200),
        Sound::Tone(Tone::Ringback) => Duration::from_secs(5),
        Sound::Tone(Tone::Busy) => Duration::from_secs(3),
    };
    sounds.iter().map(one).sum()
}
