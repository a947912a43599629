//! A media plane without media: it answers commands as the real one does, and asks for what it is owed.

use crate::checks::{Checked, Ledger, must};
use crate::dice::Dice;
use crate::people::phones;
use crate::script::{ActId, Actor, Script};
use base::{AgentId, Instant, LegId, RecordingId};
use engine::{CallView, Place, Repaired, Snapshot, Stored};
use media::{Codec, Command, Input, LEASE, Sound, Stats, Tone};
use recording::{Policies, Rule};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// By then an agent was greeted and bridged.
const GREETED: Duration = Duration::from_secs(12);

/// Between two signs of life of the recorder: rarer than the real one's, and within what the ledger waits.
const SIGNS: Duration = Duration::from_secs(3);

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
    /// What the recorder wrote is said, and again after a while.
    Alive,
}

pub struct Plane {
    seed: u64,
    /// What may go wrong has a number each.
    chances: u32,
    legs: BTreeMap<LegId, Leg>,
    recordings: BTreeMap<RecordingId, Recording>,
    serial: u64,
    /// A lease is on the agenda, and a sign of the recorder's.
    leased: bool,
    signs: bool,
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
    /// Nothing comes to its disk until then.
    stalled: Instant,
    /// Whose voices are in it now.
    voices: Vec<LegId>,
    /// It began under another site.
    older: bool,
}

impl Plane {
    /// `chances`: how often the planes before this one were put to the test.
    pub fn new(seed: u64, chances: u32) -> Plane {
        Plane {
            seed,
            chances,
            legs: BTreeMap::new(),
            recordings: BTreeMap::new(),
            serial: 0,
            leased: false,
            signs: false,
            last: Instant::ZERO,
            recorder_last: Instant::ZERO,
        }
    }

    pub fn chances(&self) -> u32 {
        self.chances
    }

    /// The next thing that may go wrong, and its dice.
    fn chance(&mut self) -> (ActId, Dice) {
        self.chances += 1;
        let id = ActId::new(Actor::Plane, self.chances, 0);
        (id, Dice::of(self.seed, id))
    }

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
    pub fn repaired(&mut self, at: Instant) -> Vec<Repaired> {
        let (_, mut dice) = self.chance();
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

    /// Who talks with nobody else hears whom they talk with, and nothing else.
    pub fn carries(&self, shown: &Snapshot, ledger: &Ledger) -> Checked {
        let plain = |c: &&CallView| {
            let alone = c.third.is_none() && c.monitors.is_empty() && c.visit.is_none() && !c.held;
            let kept = ledger.view().all.get(&c.call).is_none_or(|call| call.callback.is_some());
            let settled = shown.now.mono.since(c.since.mono) > GREETED;
            c.place == Place::Conversation && alone && !kept && settled
        };
        for call in shown.calls.iter().filter(plain) {
            let legs: Vec<(&LegId, &Leg)> = self.legs.iter().filter(|(id, _)| id.call == call.call).collect();
            if let [(one, first), (other, second)] = legs[..] {
                let hear = first.hears == [*other] && second.hears == [*one];
                must(hear, "who talks hears", || format!("{one} hears {:?}, {other} {:?}", first.hears, second.hears))?;
            }
        }
        Ok(())
    }

    /// Another site counts from now on, for what begins from now on.
    pub fn on_reload(&mut self) {
        self.recordings.values_mut().for_each(|r| r.older = true);
    }

    /// Whose word is that nothing of it is recorded is heard in no recording, and nothing is recorded of who consults
    /// them. The others of a conference, or beside a supervisor who joins in, are recorded without that voice.
    pub fn leaves_out(&self, policies: &Policies, ledger: &Ledger) -> Checked {
        let never = |leg: &LegId| {
            let remote = self.legs.get(leg)?.remote?;
            phones::speaks_at(remote).filter(|agent| policies.agents.get(agent) == Some(&Rule::NONE))
        };
        for (id, r) in self.recordings.iter().filter(|(_, r)| !r.older) {
            let call = ledger.view().all.get(&id.call());
            let apart = |agent: &AgentId| call.is_some_and(|call| call.joined || call.monitors.contains_key(agent));
            for voice in &r.voices {
                let heard = self.legs.get(voice).map_or(&[][..], |leg| &leg.hears);
                let found = never(voice).or_else(|| heard.iter().filter_map(never).find(|agent| !apart(agent)));
                must(found.is_none(), "who is never recorded is in no recording", || {
                    format!("{id} records {voice}, with {found:?}")
                })?;
            }
        }
        Ok(())
    }

    /// Applies a command. An error is a command that makes no sense.
    pub fn handle(&mut self, at: Instant, command: Command, script: &mut Script) -> Result<Vec<(Instant, Later)>, String> {
        let mut later = Vec::new();
        match command {
            Command::Open { leg, port, .. } => later = self.open(at, leg, port, script)?,
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
            Command::HearKeys { leg, .. } => drop(self.leg(leg, "hear keys of")?),
            Command::Record { recording, left, right, file, .. } => {
                self.may_record(left.iter().chain(&right))?;
                if left.is_empty() && right.is_empty() {
                    return Err(format!("record {recording} of nobody"));
                }
                later.extend(self.record(at, recording, file, script)?);
                self.voices(recording, left, right);
            }
            Command::RecordLegs { recording, left, right } => {
                self.may_record(left.iter().chain(&right))?;
                self.voices(recording, left, right);
            }
            Command::RecordWaiting { .. } => {}
            Command::StopRecording { recording } => later.extend(self.close(at, recording, script)),
            Command::Close { leg } => {
                // A leg whose port could not be opened is closed all the same.
                let was_open = self.legs.remove(&leg).is_some();
                self.legs.values_mut().for_each(|other| other.hears.retain(|heard| *heard != leg));
                later.push(self.soon(at, Input::Closed { leg, stats: Box::new(counted(was_open)) }));
            }
        }
        Ok(later)
    }

    fn open(&mut self, at: Instant, leg: LegId, port: u16, script: &mut Script) -> Result<Vec<(Instant, Later)>, String> {
        let mut later = Vec::new();
        if let Some((other, _)) = self.legs.iter().find(|(_, l)| l.port == port) {
            return Err(format!("port {port} for {leg} is still open for {other}"));
        }
        if self.legs.is_empty() && !std::mem::replace(&mut self.leased, true) {
            later.push((at + LEASE, Later::Lease));
        }
        let (id, mut dice) = self.chance();
        let fails = dice.percent(2) && script.may(id, at, || format!("the port for {leg} cannot be opened"));
        let input = if fails {
            Input::OpenFailed { leg, port }
        } else {
            self.legs.insert(leg, Leg { port, remote: None, playing: None, hears: vec![], mute: false });
            Input::Opened { leg, port }
        };
        later.push(self.soon(at, input));
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

    /// Of a recording that failed to begin there is nothing.
    fn voices(&mut self, recording: RecordingId, mut left: Vec<LegId>, right: Vec<LegId>) {
        left.extend(right);
        if let Some(recording) = self.recordings.get_mut(&recording) {
            recording.voices = left;
        }
    }

    /// What was announced has come: what is said now, and what comes later.
    pub fn comes(&mut self, at: Instant, later: Later, script: &mut Script) -> (Option<Input>, Option<(Instant, Later)>) {
        match later {
            Later::Say(input) => (Some(input), None),
            Later::PlayEnds { leg, serial } => (self.play_ends(leg, serial), None),
            Later::Lease => self.lease(at, script),
            Later::Alive => self.alive(at),
        }
    }

    /// The end of a play, if nothing came in between.
    fn play_ends(&mut self, leg: LegId, serial: u64) -> Option<Input> {
        let leg_state = self.legs.get_mut(&leg)?;
        let (play, _) = leg_state.playing.take_if(|(_, s)| *s == serial)?;
        Some(Input::PlayDone { leg, play })
    }

    fn lease(&mut self, at: Instant, script: &mut Script) -> (Option<Input>, Option<(Instant, Later)>) {
        self.leased = !self.legs.is_empty();
        let seed = self.seed;
        for (leg, state) in &mut self.legs {
            self.chances += 1;
            let id = ActId::new(Actor::Plane, self.chances, 0);
            let falls_mute = !state.mute && Dice::of(seed, id).percent(1);
            state.mute |= falls_mute && script.may(id, at, || format!("nothing is heard of {leg} any more"));
        }
        let legs: Vec<LegId> =
            self.legs.iter().filter(|(_, leg)| !leg.hears.is_empty() && !leg.mute).map(|(id, _)| *id).collect();
        let alive = (!legs.is_empty()).then_some(Input::Alive { legs });
        (alive, self.leased.then_some((at + LEASE, Later::Lease)))
    }

    fn alive(&mut self, at: Instant) -> (Option<Input>, Option<(Instant, Later)>) {
        self.signs = !self.recordings.is_empty();
        let grows = |(id, r): (&RecordingId, &Recording)| (r.works && r.stalled <= at).then_some(*id);
        let grew: Vec<RecordingId> = self.recordings.iter().filter_map(grows).collect();
        let sign = (!grew.is_empty()).then_some(Input::RecorderAlive { grew });
        (sign, self.signs.then_some((at + SIGNS, Later::Alive)))
    }

    fn record(
        &mut self,
        at: Instant,
        id: RecordingId,
        file: Arc<str>,
        script: &mut Script,
    ) -> Result<Vec<(Instant, Later)>, String> {
        if self.recordings.contains_key(&id) {
            return Err(format!("{id} is recorded twice"));
        }
        let (act, mut dice) = self.chance();
        // Some recorders are slow to begin, a few never do, and some disks are full.
        let fate = match dice.below(100) {
            0 => "the disk is full for",
            1..3 => "the recorder never begins",
            3..20 => "the recorder is slow with",
            20..23 => "the disk stalls for some seconds under",
            _ => "",
        };
        let fails = !fate.is_empty() && script.may(act, at, || format!("{fate} {id}"));
        if fails && fate.starts_with("the disk is") {
            return Ok(vec![self.written(at, Input::RecordingFailed { recording: id, reason: "disk full".into() })]);
        }
        let before = |other: &RecordingId| other.conversation == id.conversation;
        let older = self.recordings.iter().any(|(other, r)| r.older && before(other));
        let works = !fails || !fate.ends_with("never begins");
        let stalled = if fails && fate.ends_with("under") { at + dice.millis(1_000, 20_000) } else { at };
        self.recordings.insert(id, Recording { file, since: at, works, stalled, voices: Vec::new(), older });
        let slow = if fails { dice.millis(5, 2_000) } else { Duration::ZERO };
        let mut later = Vec::new();
        if works {
            later.push(self.written(at + slow, Input::RecordingStarted { recording: id }));
        }
        if !std::mem::replace(&mut self.signs, true) {
            later.push((at + SIGNS, Later::Alive));
        }
        Ok(later)
    }

    fn close(&mut self, at: Instant, id: RecordingId, script: &mut Script) -> Option<(Instant, Later)> {
        let Recording { file, since, works, .. } = self.recordings.remove(&id)?;
        if !works {
            return None;
        }
        let (act, mut dice) = self.chance();
        let complete = !(dice.percent(5) && script.may(act, at, || format!("packets of {id} are missing")));
        let reason = if complete { "" } else { "packets missing" }.into();
        let duration_ms = at.since(since).as_millis() as u64;
        let input = Input::RecordingClosed { recording: id, file, duration_ms, sha256: "hash".into(), complete, reason };
        Some(self.written(at, input))
    }

    fn soon(&mut self, at: Instant, input: Input) -> (Instant, Later) {
        let (_, mut dice) = self.chance();
        self.last = (at + dice.millis(0, 5)).max(self.last);
        (self.last, Later::Say(input))
    }

    fn written(&mut self, at: Instant, input: Input) -> (Instant, Later) {
        let (_, mut dice) = self.chance();
        self.recorder_last = (at + dice.millis(0, 5)).max(self.recorder_last);
        (self.recorder_last, Later::Say(input))
    }
}

fn length(sounds: &[Sound]) -> Duration {
    let one = |sound: &Sound| match sound {
        Sound::Prompt(key) => Duration::from_millis(200 + 20 * key.len() as u64),
        Sound::Silence(span) => *span,
        Sound::Tone(Tone::Zip | Tone::Beep) => Duration::from_millis(200),
        Sound::Tone(Tone::Ringback) => Duration::from_secs(5),
        Sound::Tone(Tone::Busy) => Duration::from_secs(3),
    };
    sounds.iter().map(one).sum()
}

/// A second of audio each way, or none.
fn counted(was_open: bool) -> Stats {
    let packets = if was_open { 50 } else { 0 };
    Stats { codec: Some(Codec::Pcma), received: packets, sent: packets, ..Stats::default() }
}
