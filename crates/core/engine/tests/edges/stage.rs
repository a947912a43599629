//! One Centre on a stage: what it says is sorted, answered where a machine would, and kept for the test to look at.

use crate::peer::{CENTRE, Message, flow, sdp};
use base::fact::{About, Fact, What};
use base::{CallId, Instant, LegId, Now, RecordingId, Wall};
use engine::{Boot, Centre, Entry, Input, Output, Place, Promise, Reply, Request, Resume, Setup, Snapshot};
use media::{Command, Sound};
use site::Site;
use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

pub const TRUNK: &str = "10.0.1.1:5060";
pub const OTHER_TRUNK: &str = "10.0.2.1:5060";

/// What is wrong with the recorder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recorder {
    Writes,
    Stalls,
    NeverBegins,
}

pub struct Stage {
    centre: Centre,
    now: Now,
    inputs: u64,
    waiting: VecDeque<Input>,
    busy: bool,
    pub facts: Vec<Fact>,
    /// What we sent to each peer, and it has not looked at.
    pub inbox: BTreeMap<SocketAddr, Vec<Message>>,
    /// INVITEs of ours that are not answered finally.
    ringing: BTreeMap<SocketAddr, Vec<Message>>,
    /// What each leg was last told to play, and every command.
    playing: BTreeMap<LegId, u32>,
    pub commands: Vec<Command>,
    recordings: BTreeMap<RecordingId, Instant>,
    pub recorder: Recorder,
    /// Its last sign of life.
    signed: Instant,
    pub replies: Vec<Reply>,
    /// What each leg says that it counted when it closes: nothing, until a test sets it.
    pub counted: media::Stats,
    /// Who is to be called back, as the store has it.
    pub promises: BTreeMap<CallId, Promise>,
    /// The node has said its last word.
    pub drained: bool,
    /// Calls of the peers' own: Call-ID to what is needed for the next request.
    dialogs: BTreeMap<String, Message>,
}

pub fn at(address: &str) -> SocketAddr {
    address.parse().unwrap()
}

impl Stage {
    /// A Centre with this site and this flow, named `desk`, whose agents at fixed addresses are logged in.
    pub fn new(site: &str, desk: &str) -> Stage {
        Stage::resumed(site, desk, Resume::default())
    }

    /// The same, after an epoch that left this behind.
    pub fn resumed(site: &str, desk: &str, resume: Resume) -> Stage {
        let site = Site::parse(site, "site.toml").unwrap_or_else(|found| panic!("{}", found[0]));
        let flow = ivr::Flow::parse(desk, "desk.yaml").unwrap_or_else(|found| panic!("{}", found[0]));
        let flows = BTreeMap::from([("desk".to_string(), Arc::new(flow))]);
        let setup = Arc::new(Setup { site, flows, sha256: [0; 32] });
        let boot = Boot {
            node: 1,
            epoch: resume.open.epoch + 1,
            boot_id: "boot".into(),
            routing_seed: 1,
            party_key: [7; 32],
            sip: at(CENTRE),
            towards: BTreeMap::new(),
            setup,
        };
        let mut stage = Stage {
            centre: Centre::new(boot),
            now: Now { mono: Instant(1), wall: resume.open.last.wall.max(Wall(1_795_363_200_000_000)) },
            inputs: 0,
            waiting: VecDeque::new(),
            busy: false,
            facts: Vec::new(),
            inbox: BTreeMap::new(),
            ringing: BTreeMap::new(),
            playing: BTreeMap::new(),
            commands: Vec::new(),
            recordings: BTreeMap::new(),
            recorder: Recorder::Writes,
            signed: Instant::ZERO,
            replies: Vec::new(),
            counted: media::Stats::default(),
            promises: BTreeMap::new(),
            drained: false,
            dialogs: BTreeMap::new(),
        };
        stage.give(Input::Resume(Box::new(resume)));
        stage.give(Input::Configure { sha256: [0; 32], who: None });
        stage
    }

    /// Time passes; each deadline on the way is kept to the moment.
    pub fn wait(&mut self, seconds: f64) {
        let end = self.now.plus(Duration::from_secs_f64(seconds));
        while let Some(next) = self.next().filter(|next| *next <= end.mono) {
            self.now = self.now.plus(next.since(self.now.mono));
            if self.signs() == Some(next) {
                self.signed = next;
                let grew = self.recordings.keys().copied().collect();
                self.give(Input::Media(media::Input::RecorderAlive { grew }));
            }
            if self.centre.deadline().is_some_and(|due| due <= self.now.mono) {
                self.give(Input::Due);
            }
        }
        self.now = end;
    }

    fn next(&self) -> Option<Instant> {
        [self.centre.deadline(), self.signs()].into_iter().flatten().min()
    }

    /// When the recorder gives its next sign of life.
    fn signs(&self) -> Option<Instant> {
        let begun = self.recordings.values().min()?;
        (self.recorder == Recorder::Writes).then(|| (*begun).max(self.signed) + Duration::from_secs(2))
    }

    /// One input, and all that machines make of what follows from it.
    pub fn give(&mut self, input: Input) {
        self.waiting.push_back(input);
        if std::mem::replace(&mut self.busy, true) {
            return;
        }
        while let Some(input) = self.waiting.pop_front() {
            self.inputs += 1;
            let mut entropy = [0; 32];
            entropy[..8].copy_from_slice(&self.inputs.to_be_bytes());
            let mut said = Vec::new();
            self.centre.handle(Entry { now: self.now, entropy, input }, &mut said);
            said.into_iter().for_each(|output| self.take(output));
            let found = self.centre.audit();
            assert!(found.is_empty(), "{found:?}");
        }
        self.busy = false;
    }

    fn take(&mut self, output: Output) {
        match output {
            Output::Send { flow, bytes } => self.on_message(flow.remote, Message::read(&bytes)),
            Output::Media(command) => self.on_command(command),
            Output::Fact(fact) => self.facts.push(fact),
            Output::Reply { reply, .. } => self.replies.push(reply),
            Output::Promised { call, promise: Some(promise) } => drop(self.promises.insert(call, *promise)),
            Output::Promised { call, promise: None } => drop(self.promises.remove(&call)),
            Output::Drained => self.drained = true,
            _ => {}
        }
    }

    /// A peer does at once what every peer does; the rest is the test's.
    fn on_message(&mut self, peer: SocketAddr, message: Message) {
        match (message.status(), message.method()) {
            (None, "INVITE") => {
                let ringing = self.ringing.entry(peer).or_default();
                if ringing.iter().all(|m| m.header("Call-ID") != message.header("Call-ID")) {
                    ringing.push(message.clone());
                    self.send(peer, message.response(100, None));
                }
            }
            (None, "CANCEL") => {
                self.send(peer, message.response(200, None));
                if let Some(invite) = self.stops_ringing(peer, message.header("Call-ID")) {
                    self.send(peer, invite.response(487, None));
                }
            }
            (None, "BYE") => self.send(peer, message.response(200, None)),
            (Some(200), "INVITE") => {
                self.ack(peer, &message, &format!("z9hG4bK-ack-{}", message.header("Call-ID")));
                self.dialogs.insert(message.header("Call-ID").into(), message.clone());
            }
            (Some(300..), "INVITE") => {
                let branch =
                    message.header("Via").split("branch=").nth(1).and_then(|b| b.split(';').next()).unwrap_or("").to_string();
                self.ack(peer, &message, &branch);
            }
            _ => {}
        }
        self.inbox.entry(peer).or_default().push(message);
    }

    fn ack(&mut self, peer: SocketAddr, response: &Message, branch: &str) {
        let number = response.header("CSeq").split(' ').next().unwrap_or("1").to_string();
        let text = format!(
            "ACK sip:x@10.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP {peer};branch={branch}\r\nFrom: {}\r\nTo: {}\r\nCall-ID: {}\r\nCSeq: {number} ACK\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
            response.header("From"),
            response.header("To"),
            response.header("Call-ID"),
        );
        self.send(peer, text);
    }

    fn on_command(&mut self, command: Command) {
        use media::Input as M;
        self.commands.push(command.clone());
        match command {
            Command::Open { leg, port, .. } => self.give(Input::Media(M::Opened { leg, port })),
            Command::Close { leg } => {
                self.playing.remove(&leg);
                let stats = Box::new(self.counted);
                self.give(Input::Media(M::Closed { leg, stats }));
            }
            Command::Play { leg, play, .. } => {
                self.playing.insert(leg, play);
            }
            Command::Record { recording, .. } => {
                self.recordings.insert(recording, self.now.mono);
                if self.recorder != Recorder::NeverBegins {
                    self.give(Input::Media(M::RecordingStarted { recording }));
                }
            }
            Command::StopRecording { recording } => {
                let began = self.recordings.remove(&recording).unwrap_or(self.now.mono);
                let duration_ms = self.now.mono.since(began).as_millis() as u64;
                let (file, sha256) = (recording.to_string().into(), "00".into());
                let closed = M::RecordingClosed { recording, file, duration_ms, sha256, complete: true, reason: "".into() };
                self.give(Input::Media(closed));
            }
            _ => {}
        }
    }

    pub fn send(&mut self, peer: SocketAddr, text: String) {
        self.give(Input::Sip(sip::Input::Received { flow: flow(peer), bytes: text.into() }));
    }

    /// A call through the trunk; the Call-ID names it. `headers` are whole lines.
    pub fn call(&mut self, trunk: &str, call_id: &str, from: &str, to: &str, headers: &str) {
        let (peer, body) = (at(trunk), sdp(at(trunk)));
        let text = format!(
            "INVITE sip:{to}@10.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP {trunk};branch=z9hG4bK-{call_id}\r\nFrom: <sip:{from}@carrier>;tag=c-{call_id}\r\nTo: <sip:{to}@10.0.0.1>\r\nCall-ID: {call_id}\r\nCSeq: 1 INVITE\r\nContact: <sip:{from}@{trunk}>\r\nMax-Forwards: 70\r\n{headers}Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        self.send(peer, text);
    }

    /// The caller of that call hangs up.
    pub fn bye(&mut self, trunk: &str, call_id: &str) {
        let dialog = self.dialogs.get(call_id).cloned().unwrap();
        let text = format!(
            "BYE sip:x@10.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP {trunk};branch=z9hG4bK-bye-{call_id}\r\nFrom: {}\r\nTo: {}\r\nCall-ID: {call_id}\r\nCSeq: 2 BYE\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
            dialog.header("From"),
            dialog.header("To"),
        );
        self.send(at(trunk), text);
    }

    /// Whoever is rung at this address hangs up what it answered.
    pub fn hang_up(&mut self, peer: &str, invite: &Message) {
        let text = format!(
            "BYE sip:x@10.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP {peer};branch=z9hG4bK-bye-{}\r\nFrom: {};tag=peer\r\nTo: {}\r\nCall-ID: {}\r\nCSeq: 9 BYE\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
            invite.header("Call-ID"),
            invite.header("To"),
            invite.header("From"),
            invite.header("Call-ID"),
        );
        self.send(at(peer), text);
    }

    /// The INVITE that has rung longest at this address.
    pub fn rung(&self, peer: &str) -> Option<&Message> {
        self.ringing.get(&at(peer))?.first()
    }

    fn stops_ringing(&mut self, peer: SocketAddr, call_id: &str) -> Option<Message> {
        let ringing = self.ringing.get_mut(&peer)?;
        let place = ringing.iter().position(|m| m.header("Call-ID") == call_id)?;
        Some(ringing.remove(place))
    }

    fn take_ringing(&mut self, peer: &str) -> Message {
        let invite = self.rung(peer).cloned().unwrap_or_else(|| panic!("nothing rings at {peer}"));
        self.stops_ringing(at(peer), invite.header("Call-ID"));
        invite
    }

    /// Whoever is rung there answers; what was answered.
    pub fn answer(&mut self, peer: &str) -> Message {
        let invite = self.take_ringing(peer);
        self.send(at(peer), invite.response(180, None));
        self.send(at(peer), invite.response(200, Some(&sdp(at(peer)))));
        invite
    }

    pub fn refuse(&mut self, peer: &str, status: u16) {
        let invite = self.take_ringing(peer);
        self.send(at(peer), invite.response(status, None));
    }

    /// The last final status of this call.
    pub fn status(&self, trunk: &str, call_id: &str) -> Option<&Message> {
        let of_call =
            |m: &&Message| m.header("Call-ID") == call_id && m.method() == "INVITE" && m.status().is_some_and(|s| s >= 200);
        self.inbox.get(&at(trunk))?.iter().rev().find(of_call)
    }

    pub fn key(&mut self, call: u32, key: char) {
        let leg = self.customer(call);
        self.give(Input::Media(media::Input::Digit { leg, key }));
    }

    pub fn keys(&mut self, call: u32, keys: &str) {
        keys.chars().for_each(|key| self.key(call, key));
    }

    /// What the customer's leg was last told to play is heard to its end.
    pub fn heard(&mut self, call: u32) {
        let leg = self.customer(call);
        self.heard_on(leg);
    }

    pub fn heard_on(&mut self, leg: LegId) {
        let play = self.playing.remove(&leg).unwrap_or_else(|| panic!("{leg} plays nothing"));
        self.give(Input::Media(media::Input::PlayDone { leg, play }));
    }

    /// Every leg that plays something.
    pub fn plays(&self) -> Vec<LegId> {
        self.playing.keys().copied().collect()
    }

    /// The leg on which prompts were last played in this call.
    pub fn customer(&self, call: u32) -> LegId {
        let of_call = |command: &Command| match command {
            Command::Play { leg, .. } | Command::Loop { leg, .. } | Command::LoopTone { leg, .. } if leg.call.n == call => {
                Some(*leg)
            }
            _ => None,
        };
        self.commands.iter().rev().find_map(of_call).unwrap()
    }

    /// The keys of the prompts that were last played in this call.
    pub fn said(&self, call: u32) -> Vec<String> {
        let played = self.commands.iter().rev().find_map(|command| match command {
            Command::Play { leg, sounds, .. } if leg.call.n == call => Some(sounds.clone()),
            _ => None,
        });
        let name = |sound: Sound| match sound {
            Sound::Prompt(key) => key.to_string(),
            Sound::Tone(tone) => format!("{tone:?}").to_lowercase(),
            Sound::Silence(_) => "silence".into(),
        };
        played.into_iter().flatten().map(name).collect()
    }

    /// What a leg was last told to hear of others.
    pub fn hears(&self, leg: LegId) -> Vec<LegId> {
        let told = self.commands.iter().rev().find_map(|command| match command {
            Command::Hear { leg: of, others } if *of == leg => Some(others.clone()),
            _ => None,
        });
        told.unwrap_or_default()
    }

    pub fn ask(&mut self, request: Request) -> Reply {
        self.give(Input::Asked { number: 1, who: "test".into(), request });
        self.replies.pop().unwrap()
    }

    pub fn snapshot(&self) -> Snapshot {
        self.centre.snapshot()
    }

    pub fn id(&self, call: u32) -> CallId {
        CallId { node: 1, epoch: 1, n: call }
    }

    /// Where the call is; `Ended` once it is over.
    pub fn place(&self, call: u32) -> Place {
        self.snapshot().calls.iter().find(|c| c.call.n == call).map_or(Place::Ended, |c| c.place)
    }

    /// The names of the facts about one call, in order, but for those of recordings and offers.
    pub fn story(&self, call: u32) -> Vec<String> {
        let of_call = self.facts.iter().filter(|f| f.about.call.is_some_and(|id| id.n == call));
        of_call.map(|f| f.what.name()).filter(|name| !name.starts_with("recording.") && !name.starts_with("offer.")).collect()
    }

    pub fn facts_of(&self, call: u32, name: &str) -> Vec<(&About, &What)> {
        let of_call = self.facts.iter().filter(|f| f.about.call.is_some_and(|id| id.n == call) && f.what.name() == name);
        of_call.map(|f| (&f.about, &f.what)).collect()
    }

    /// The last fact of that name.
    pub fn fact(&self, call: u32, name: &str) -> (&About, &What) {
        self.facts_of(call, name).pop().unwrap_or_else(|| panic!("no {name} in {:?}", self.story(call)))
    }
}
