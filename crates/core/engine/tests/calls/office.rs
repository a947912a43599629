//! A Centre, its wire, its people and its clock.

use crate::hears::Plane;
use crate::line::{CENTRE, Line, ok};
use base::fact::{Fact, What};
use base::{AgentId, CallId, Instant, Now, Pii, Wall};
use bytes::Bytes;
use engine::{Boot, CallView, Centre, Entry, Input, Output, Place, Reply, Request, Resume, Setup, Target};
use serde_json::Value;
use sip::{Flow, HeaderId, Message, Method, Transport};
use site::Site;
use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

const AGENTS: [&str; 4] = ["ana", "beto", "eva", "lola"];

pub struct Office {
    pub centre: Centre,
    setup: Arc<Setup>,
    pub now: Now,
    pub lines: Vec<Line>,
    pub plane: Plane,
    pub facts: Vec<Fact>,
    pub replies: Vec<Reply>,
    /// Nothing is heard of anybody: no RTP, no RTCP.
    pub dead_air: bool,
    /// What plays once goes on until it is ended by hand.
    pub plays_last: bool,
    /// Phones that come from now on know no telephone-event: their keys are tones.
    pub plain: bool,
    /// The payload number that who dials from now on speaks.
    pub codec: u8,
    last_alive: Instant,
    last_grown: Instant,
    asked: u64,
    entropy: u8,
    rtp: u16,
    inputs: VecDeque<Input>,
    journal: Vec<Entry>,
    said: Vec<Output>,
}

fn boot(setup: Arc<Setup>) -> Boot {
    Boot {
        node: 1,
        epoch: 1,
        boot_id: "boot".into(),
        routing_seed: 7,
        party_key: [7; 32],
        sip: SocketAddr::from(CENTRE),
        towards: BTreeMap::new(),
        setup,
    }
}

/// Where a phone is: agents at 10.0.2.n, the carrier's network at 10.0.1.1, the lifeline's at 10.0.1.2.
fn address(owner: &str) -> SocketAddr {
    match AGENTS.iter().position(|agent| *agent == owner) {
        Some(n) => SocketAddr::from(([10, 0, 2, n as u8 + 1], 5060)),
        None => SocketAddr::from(([10, 0, 1, 1], 5060)),
    }
}

impl Office {
    pub fn open() -> Office {
        Office::with(|_| ())
    }

    pub fn with(change: impl FnOnce(&mut Site)) -> Office {
        let setup = crate::site::setup(change);
        // 2026-11-25, a Wednesday, 12:00 UTC.
        let now = Now { mono: Instant(1_000_000_000), wall: Wall(1_795_608_000_000_000) };
        let mut office = Office {
            centre: Centre::new(boot(setup.clone())),
            setup: setup.clone(),
            now,
            lines: Vec::new(),
            plane: Plane::default(),
            facts: Vec::new(),
            replies: Vec::new(),
            dead_air: false,
            plays_last: false,
            plain: false,
            codec: 8,
            last_alive: now.mono,
            last_grown: now.mono,
            asked: 0,
            entropy: 0,
            rtp: 30_000,
            inputs: VecDeque::new(),
            journal: Vec::new(),
            said: Vec::new(),
        };
        let bound = |agent: &str| sip::Binding {
            contact: format!("sip:{agent}@{}", address(agent)).into(),
            flow: flow(address(agent)),
            call_id: format!("reg-{agent}").into(),
            cseq: 1,
            user_agent: "test".into(),
            expires: Wall(now.wall.0 + 86_400_000_000),
        };
        let bindings = AGENTS.map(|agent| (Arc::from(agent), vec![bound(agent)])).to_vec();
        office.feed(Input::Resume(Box::new(Resume { bindings, ..Resume::default() })));
        office.feed(Input::Configure { sha256: setup.sha256, who: None });
        office
    }

    /// One input and all that follows from it, on the wire and in the plane.
    pub fn feed(&mut self, input: Input) {
        self.inputs.push_back(input);
        while let Some(input) = self.inputs.pop_front() {
            self.entropy = self.entropy.wrapping_add(1);
            let mut entropy = [self.entropy; 32];
            entropy[..8].copy_from_slice(&(self.journal.len() as u64).to_le_bytes());
            let entry = Entry { now: self.now, entropy, input };
            self.journal.push(entry.clone());
            let mut out = Vec::new();
            self.centre.handle(entry, &mut out);
            let breaches = self.centre.audit();
            assert!(breaches.is_empty(), "{breaches:?} after {:?}", self.journal.last());
            self.said.extend(out.iter().cloned());
            out.into_iter().for_each(|output| self.on_output(output));
        }
    }

    fn on_output(&mut self, output: Output) {
        match output {
            Output::Send { flow, bytes } => self.on_datagram(flow.remote, bytes),
            Output::Media(command) => {
                let said = self.plane.handle(command);
                self.inputs.extend(said.map(Input::Media));
                if !self.plays_last {
                    self.inputs.extend(self.plane.plays_end().into_iter().map(Input::Media));
                }
            }
            Output::Fact(fact) => self.facts.push(fact),
            Output::Reply { reply, .. } => self.replies.push(reply),
            _ => (),
        }
    }

    fn on_datagram(&mut self, to: SocketAddr, bytes: Bytes) {
        let Ok(message) = Message::parse(bytes) else { return };
        let call_id = message.call_id().unwrap_or_default().to_string();
        let known = self.lines.iter_mut().find(|line| line.call_id == call_id);
        let answers = match known {
            Some(line) => line.on_message(&message),
            None if message.method() == Some(Method::Invite) => {
                let owner = self.owner_at(to, &message);
                let rtp = self.next_rtp();
                let mut line = Line::rung(&owner, to, rtp, message);
                line.plain = self.plain;
                let trying = line.respond(100, None);
                self.lines.push(line);
                vec![trying]
            }
            None if message.is_request() && message.method() != Some(Method::Ack) => vec![ok(&message)],
            None => vec![],
        };
        answers.into_iter().for_each(|bytes| self.send(to, bytes));
    }

    fn owner_at(&self, address_of: SocketAddr, message: &Message) -> String {
        match AGENTS.iter().find(|agent| address(agent) == address_of) {
            Some(agent) => agent.to_string(),
            None => {
                let uri = message.header(HeaderId::To).unwrap();
                let text = String::from_utf8_lossy(&uri).to_string();
                text.split("sip:").nth(1).and_then(|rest| rest.split('@').next()).unwrap_or_default().to_string()
            }
        }
    }

    fn next_rtp(&mut self) -> u16 {
        self.rtp += 2;
        self.rtp
    }

    fn send(&mut self, from: SocketAddr, bytes: Bytes) {
        self.inputs.push_back(Input::Sip(sip::Input::Received { flow: flow(from), bytes }));
    }

    fn send_now(&mut self, from: SocketAddr, bytes: Bytes) {
        self.feed(Input::Sip(sip::Input::Received { flow: flow(from), bytes }));
    }

    /// Lets time pass, stopping at each deadline; audio flows meanwhile.
    pub fn pass(&mut self, seconds: u64) {
        let end = self.now.plus(Duration::from_secs(seconds));
        loop {
            let alive = self.last_alive + media::LEASE;
            let grows = self.last_grown + Duration::from_secs(1);
            let next = [self.centre.deadline(), Some(alive), Some(grows)].into_iter().flatten().min();
            let Some(next) = next.filter(|at| *at <= end.mono) else { break };
            self.now = self.now.plus(next.since(self.now.mono));
            if alive <= self.now.mono {
                self.last_alive = alive;
                let legs: Vec<_> = self.plane.legs.keys().copied().collect();
                if !self.dead_air {
                    self.feed(Input::Media(media::Input::Alive { legs }));
                }
            } else if grows <= self.now.mono {
                self.last_grown = grows;
                let grew = self.plane.recordings.keys().copied().collect();
                self.feed(Input::Media(media::Input::RecorderAlive { grew }));
            } else {
                self.feed(Input::Due);
            }
        }
        self.now = self.now.plus(end.mono.since(self.now.mono));
    }

    /// Somebody dials; agents prove who they are.
    pub fn dials(&mut self, owner: &str, number: &str) {
        self.dials_with(owner, number, "");
    }

    pub fn dials_with(&mut self, owner: &str, number: &str, headers: &str) {
        let rtp = self.next_rtp();
        let mut line = Line::dials(owner, address(owner), rtp, number, headers);
        line.plain = self.plain;
        line.codec = self.codec;
        let invite = line.invite();
        self.lines.push(line);
        self.send_now(address(owner), invite);
    }

    /// The owner's live line that came last.
    pub fn line(&self, owner: &str) -> &Line {
        let line = self.lines.iter().rev().find(|line| line.owner == owner && !line.over);
        line.unwrap_or_else(|| panic!("{owner} has no line"))
    }

    /// The owner's first line, also one that is over.
    pub fn first(&self, owner: &str) -> &Line {
        self.lines.iter().find(|line| line.owner == owner).unwrap_or_else(|| panic!("{owner} had no line"))
    }

    /// The owner's last line, also one that is over.
    pub fn last(&self, owner: &str) -> &Line {
        self.lines.iter().rev().find(|line| line.owner == owner).unwrap_or_else(|| panic!("{owner} had no line"))
    }

    pub fn rings(&self, owner: &str) -> bool {
        self.lines.iter().any(|line| line.owner == owner && line.ringing)
    }

    pub fn in_call(&self, owner: &str) -> bool {
        self.lines.iter().any(|line| line.owner == owner && line.up && !line.over)
    }

    /// Does something on the owner's last line.
    pub fn on_line(&mut self, owner: &str, act: impl FnOnce(&mut Line) -> Bytes) {
        let line = self.lines.iter_mut().rev().find(|line| line.owner == owner && !line.over);
        let line = line.unwrap_or_else(|| panic!("{owner} has no line"));
        let bytes = act(line);
        let from = line.address;
        self.send_now(from, bytes);
    }

    /// The ports that took their time are there.
    pub fn ports_open(&mut self) {
        self.plane.slow = false;
        for opened in std::mem::take(&mut self.plane.late) {
            self.feed(Input::Media(opened));
        }
    }

    pub fn answers(&mut self, owner: &str) {
        self.on_line(owner, |line| line.respond(180, None));
        self.on_line(owner, Line::answer);
    }

    pub fn hangs_up(&mut self, owner: &str) {
        self.on_line(owner, Line::hang_up);
    }

    pub fn refuses(&mut self, owner: &str, status: u16) {
        self.on_line(owner, |line| line.refuse(status));
    }

    /// A key on the owner's last line. The plane hears a tone only where it was told to.
    pub fn presses(&mut self, owner: &str, key: char) {
        let (rtp, plain) = (self.line(owner).rtp, self.line(owner).plain);
        let (leg, ear) = self.plane.legs.iter().find(|(_, ear)| ear.rtp == rtp).expect("its leg");
        if ear.keys || !plain {
            self.feed(Input::Media(media::Input::Digit { leg: *leg, key }));
        }
    }

    /// Keys are heard in the audio of the owner's last line.
    pub fn hears_keys_of(&self, owner: &str) -> bool {
        let rtp = self.line(owner).rtp;
        self.plane.legs.values().any(|ear| ear.rtp == rtp && ear.keys)
    }

    /// REFER on the owner's first line; attended, if it has a second one.
    pub fn refers(&mut self, owner: &str, to: &str, attended: bool) {
        let live = |line: &&mut Line| line.owner == owner && !line.over;
        let mut lines = self.lines.iter_mut().filter(live);
        let first = lines.next().expect("a line");
        let second = lines.next();
        let bytes = first.refer(to, second.filter(|_| attended).as_deref());
        let from = first.address;
        self.send_now(from, bytes);
    }

    pub fn holds(&mut self, owner: &str, held: bool) {
        let line = self.lines.iter_mut().find(|line| line.owner == owner && !line.over).expect("a line");
        let (bytes, from) = (line.hold(held), line.address);
        self.send_now(from, bytes);
    }

    pub fn asks(&mut self, request: Request) -> Reply {
        self.asked += 1;
        self.feed(Input::Asked { number: self.asked, who: "desk".into(), request });
        self.replies.pop().expect("an answer")
    }

    /// A caller in conversation with ana, to begin with.
    pub fn with_ana() -> Office {
        Office::open().calls_ana()
    }

    pub fn calls_ana(mut self) -> Office {
        self.dials("caller", "100");
        assert!(self.rings("ana"), "{:?}", self.story());
        self.answers("ana");
        assert_eq!(self.hears("caller"), "ana");
        assert_eq!(self.hears("ana"), "caller");
        self
    }

    pub fn call(&self) -> CallId {
        self.centre.snapshot().calls.first().expect("a call").call
    }

    pub fn view(&self) -> CallView {
        self.centre.snapshot().calls.first().expect("a call").clone()
    }

    pub fn place(&self) -> Place {
        self.view().place
    }

    pub fn state(&self, agent: &str) -> String {
        let id = agent_id(agent);
        let snapshot = self.centre.snapshot();
        let view = snapshot.agents.iter().find(|a| a.agent == id).expect("an agent");
        view.state.to_string()
    }

    /// What the owner's first live line hears: names, a loop, or `-`. `owner/2` is the second one.
    pub fn hears(&self, who: &str) -> String {
        let (owner, nth) = who.split_once('/').map_or((who, 0), |(owner, n)| (owner, n.parse::<usize>().unwrap() - 1));
        let line = self.lines.iter().filter(|line| line.owner == owner && !line.over).nth(nth);
        let Some(line) = line else { return "gone".into() };
        let Some(ear) = self.plane.legs.values().find(|ear| ear.rtp == line.rtp) else { return "no media".into() };
        if let Some(looped) = &ear.looped {
            return looped.clone();
        }
        let mut names: Vec<String> =
            ear.others.iter().filter_map(|leg| self.plane.legs.get(leg)).map(|e| self.name(e.rtp)).collect();
        names.sort();
        if names.is_empty() { "-".into() } else { names.join(" ") }
    }

    fn name(&self, rtp: u16) -> String {
        let line = self.lines.iter().find(|line| line.rtp == rtp).expect("a line");
        let before = self.lines.iter().filter(|l| l.owner == line.owner && !l.over && l.rtp < rtp).count();
        if before == 0 { line.owner.clone() } else { format!("{}/{}", line.owner, before + 1) }
    }

    /// What was ever played once to this line's leg.
    pub fn played(&self, owner: &str) -> Vec<String> {
        let line = self.lines.iter().rev().find(|line| line.owner == owner).expect("a line");
        let ear = self.plane.legs.values().find(|ear| ear.rtp == line.rtp);
        ear.map(|ear| ear.played.clone()).unwrap_or_default()
    }

    /// Whose voices a part of the recording has: left | right.
    pub fn voices(&self, part: &str) -> String {
        let recording = self.plane.recordings.iter().find(|(id, _)| id.to_string().ends_with(part));
        let Some((_, (left, right))) = recording else { return "not recorded".into() };
        let names = |legs: &[base::LegId]| {
            let names: Vec<_> = legs.iter().filter_map(|leg| self.plane.legs.get(leg)).map(|ear| self.name(ear.rtp)).collect();
            names.join(" ")
        };
        format!("{}|{}", names(left), names(right))
    }

    /// Types of the facts so far.
    pub fn story(&self) -> Vec<String> {
        self.facts.iter().map(|fact| fact.what.name()).collect()
    }

    pub fn count(&self, name: &str) -> usize {
        self.facts.iter().filter(|fact| fact.what.name() == name).count()
    }

    /// The last fact of this type, as JSON with what it is about.
    pub fn fact(&self, name: &str) -> Value {
        let fact = self.facts.iter().rev().find(|fact| fact.what.name() == name);
        let fact = fact.unwrap_or_else(|| panic!("no {name} in {:?}", self.story()));
        let mut value = serde_json::to_value(&fact.about).unwrap();
        let data = serde_json::to_value(&fact.what).unwrap()["data"].clone();
        value.as_object_mut().unwrap().extend(data.as_object().cloned().unwrap_or_default());
        value
    }

    /// Everybody hangs up; nothing is left, each call ended once, and the journal says the same again.
    pub fn close(mut self) {
        for n in 0..self.lines.len() {
            let line = &mut self.lines[n];
            let bytes = match (line.up, line.over) {
                (_, true) => continue,
                (true, _) => line.hang_up(),
                (false, _) if line.is_dialling() => line.cancel(),
                _ => continue,
            };
            let from = line.address;
            self.send_now(from, bytes);
        }
        self.pass(120);
        let left = self.centre.snapshot();
        assert!(left.calls.is_empty() && left.visits.is_empty(), "left over: {:?} {:?}", left.calls, left.visits);
        assert_eq!((left.ports, left.sessions), (0, 0), "ports and sessions left over");
        assert!(self.plane.legs.is_empty() && self.plane.recordings.is_empty(), "legs or recordings left over");
        let engaged: Vec<_> = left.agents.iter().filter(|a| a.work.is_some()).map(|a| &a.agent).collect();
        assert!(engaged.is_empty(), "{engaged:?} are still held");
        self.each_call_ends_once();
        self.replays();
    }

    fn each_call_ends_once(&self) {
        let mut ends: BTreeMap<CallId, (u32, u32)> = BTreeMap::new();
        for fact in &self.facts {
            let Some(call) = fact.about.call else { continue };
            let (count, ended) = ends.entry(call).or_default();
            *count += 1;
            let recorded = matches!(fact.what, What::RecordingStored { .. } | What::WrapUpCoded { .. });
            assert!(*ended == 0 || recorded, "{} after the end of {call}", fact.what.name());
            if !matches!(fact.what, What::WrapUpCoded { .. }) {
                assert_eq!(fact.about.rev, *count, "rev of {} in {call}", fact.what.name());
            }
            *ended += u32::from(matches!(fact.what, What::CallEnded { .. } | What::CallRejected { .. }));
        }
        assert!(ends.values().all(|(_, ended)| *ended == 1), "{ends:?}");
        let sum = |name: &str| self.count(name);
        assert_eq!(sum("agent_leg.connected"), sum("agent_leg.ended"));
        assert_eq!(sum("queue.entered"), sum("queue.left"));
        assert_eq!(sum("supervisor.monitor_started"), sum("supervisor.monitor_ended"));
        assert_eq!(sum("recording.started"), sum("recording.stored"));
    }

    fn replays(&self) {
        let mut centre = Centre::new(boot(self.setup.clone()));
        let mut again = Vec::new();
        self.journal.iter().for_each(|entry| centre.handle(entry.clone(), &mut again));
        assert!(again == self.said, "the journal says something else");
    }
}

fn flow(remote: SocketAddr) -> Flow {
    Flow { transport: Transport::Udp, local: SocketAddr::from(CENTRE), remote, connection: 0 }
}

pub fn agent_id(name: &str) -> AgentId {
    format!("acme/{name}").parse().unwrap()
}

pub fn to_agent(name: &str) -> Target {
    Target::Agent(agent_id(name))
}

pub fn to_queue(name: &str) -> Target {
    Target::Queue(format!("acme/{name}").parse().unwrap())
}

pub fn to_number(number: &str) -> Target {
    Target::Number(Pii::new(number.into()))
}
