//! The Centre's run loop.
//!
//! ```text
//!            ┌──────────────────────── steps, first in first out ───────────────────────┐
//!            ▼                                                                          │
//! Entry ─▶ one core or rule ─▶ its outputs ─▶ rule of this crate ─▶ another core ─▶ its outputs
//!                                                   │
//!                                                   └─▶ Output (commands, facts, replies)
//! ```
//! 1. `now` and the entropy of the entry are set. 2. The input goes to the core or rule it belongs to.
//! 3. What that yields is queued as steps; each step is applied by one rule, which may queue more.
//! 4. When no step is left, the input is done. Nothing is kept between inputs but state.

use crate::audit::Auditor;
use crate::call::Call;
use crate::channels::Channels;
use crate::desk::Desks;
use crate::drain::Drain;
use crate::ports::Ports;
use crate::quality::Closing;
use crate::setup::Setup;
use crate::{Entry, Input, OpenAgent, Output, Reply};
use base::fact::{About, Fact, What};
use base::{AgentId, CallId, Instant, LegId, Now, PartyId, QueueId, Random, RecordingId, Wall};
use sip::SessionId;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// Between two audits of the invariants.
const AUDIT: Duration = Duration::from_secs(1);
/// Audits between two `node.heartbeat` facts: what a crash can leave unknown is five seconds.
const HEARTBEAT: u8 = 5;

/// What a Centre is born with. `party_key` makes party ids of numbers; it is not in the journal.
pub struct Boot {
    pub node: u16,
    pub epoch: u32,
    pub boot_id: Arc<str>,
    pub routing_seed: u64,
    pub party_key: [u8; 32],
    /// Where we listen, and which address of ours faces a phone at a fixed address, if that is another.
    pub sip: SocketAddr,
    pub towards: BTreeMap<IpAddr, IpAddr>,
    pub setup: Arc<Setup>,
}

/// The whole of signalling, flows, routing and recording decisions. One owner, one thread, no I/O.
pub struct Centre {
    pub(crate) boot: Boot,
    pub(crate) setup: Arc<Setup>,
    staged: Option<Arc<Setup>>,
    pub(crate) now: Now,
    /// Names for this input, apart from those of the SIP core.
    pub(crate) random: Random,
    pub(crate) sip: sip::Endpoint,
    pub(crate) acd: acd::Acd,
    pub(crate) ledger: recording::Ledger,
    pub(crate) calls: BTreeMap<CallId, Call>,
    pub(crate) last_call: u32,
    pub(crate) sessions: BTreeMap<SessionId, LegId>,
    /// Legs whose `Closed` is awaited.
    pub(crate) closing: BTreeMap<LegId, Closing>,
    pub(crate) ports: Ports,
    /// What the facts of a recording carry, until it is closed: its call may be over by then.
    pub(crate) owed: BTreeMap<RecordingId, About>,
    /// Recordings that are messages.
    pub(crate) messages: BTreeSet<RecordingId>,
    /// Places in line that are kept for a caller, by who and where.
    pub(crate) callbacks: BTreeMap<(PartyId, QueueId), CallId>,
    /// Of those, what an epoch before promised, until the ACD has its queues.
    pub(crate) promised: Vec<CallId>,
    pub(crate) channels: Channels,
    /// When the recorder must have closed what it was told to close.
    pub(crate) closed_by: BTreeMap<RecordingId, Instant>,
    pub(crate) logins: BTreeMap<AgentId, Login>,
    /// Agents logged in before the restart, until the ACD has them again.
    pub(crate) restored: BTreeMap<AgentId, OpenAgent>,
    /// The epoch before this one ended by itself.
    pub(crate) rested: bool,
    /// Agents with a phone, and those of them whom the ACD may ring.
    pub(crate) phones: BTreeSet<AgentId>,
    pub(crate) reachable: BTreeSet<AgentId>,
    pub(crate) desks: Desks,
    due: BTreeSet<(Instant, CallId)>,
    due_of: BTreeMap<CallId, Instant>,
    audited: Option<Instant>,
    audits: u8,
    pub(crate) auditor: Auditor,
    pub(crate) drain: Drain,
    /// While draining: since when nothing is left but answers of peers.
    pub(crate) quiet_since: Option<Instant>,
    /// The request being handled, until it is answered.
    pub(crate) asking: Option<u64>,
    /// Why the ACD refused what an agent just asked for.
    pub(crate) refusal: Option<Arc<str>>,
    /// Calls that hold an agent beside the ACD's conversations.
    pub(crate) busy: BTreeMap<AgentId, BTreeMap<CallId, acd::Work>>,
    pub(crate) steps: VecDeque<Step>,
    pub(crate) out: Vec<Output>,
}

/// When an agent logged in: on this boot's clock, or before it on the wall's.
pub(crate) enum Login {
    Here(Instant),
    BeforeBoot(Wall),
}

/// What one core said, waiting for the rule that applies it.
pub(crate) enum Step {
    Sip(sip::Output),
    Acd(Box<acd::Output>),
    Flow(CallId, ivr::Output),
    /// Everything that had to be said before a call's last fact was said.
    Conclude(CallId),
}

impl Centre {
    pub fn new(boot: Boot) -> Self {
        let setup = boot.setup.clone();
        Centre {
            now: Now::default(),
            random: Random::from_seed(0),
            sip: sip::Endpoint::new(setup.sip_config()),
            acd: acd::Acd::new(boot.routing_seed),
            ledger: recording::Ledger::new(),
            calls: BTreeMap::new(),
            last_call: 0,
            sessions: BTreeMap::new(),
            closing: BTreeMap::new(),
            ports: Ports::new(&setup.site.media.ports, setup.site.media.shared_port),
            owed: BTreeMap::new(),
            messages: BTreeSet::new(),
            callbacks: BTreeMap::new(),
            promised: Vec::new(),
            channels: Channels::default(),
            closed_by: BTreeMap::new(),
            logins: BTreeMap::new(),
            restored: BTreeMap::new(),
            rested: false,
            phones: BTreeSet::new(),
            reachable: BTreeSet::new(),
            desks: Desks::default(),
            due: BTreeSet::new(),
            due_of: BTreeMap::new(),
            audited: None,
            audits: 0,
            auditor: Auditor::default(),
            drain: Drain::Open,
            quiet_since: None,
            asking: None,
            refusal: None,
            busy: BTreeMap::new(),
            steps: VecDeque::new(),
            out: Vec::new(),
            staged: None,
            setup,
            boot,
        }
    }

    /// Hands over the configuration that the next `Input::Configure` of its hash applies.
    pub fn stage(&mut self, setup: Arc<Setup>) {
        self.staged = Some(setup);
    }

    /// Applies one input. `now` never runs backwards between entries.
    pub fn handle(&mut self, entry: Entry, out: &mut Vec<Output>) {
        self.now = entry.now;
        self.sip.stir(entry.entropy);
        let mut apart = entry.entropy;
        apart[0] ^= 0xA5;
        self.random = Random::from_entropy(apart);
        self.dispatch(entry.input);
        self.settle();
        self.beat();
        self.finish_drain();
        out.append(&mut self.out);
    }

    /// When `Input::Due` is wanted, if nothing comes before.
    pub fn deadline(&self) -> Option<Instant> {
        let calls = self.due.first().map(|(at, _)| *at);
        [
            self.sip.deadline(),
            self.acd.deadline(),
            self.ledger.deadline(),
            calls,
            self.desks.next(),
            self.audited,
            self.drain.until(),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// When the next audit is due: it is made with the first input from then on.
    pub fn next_audit(&self) -> Option<Instant> {
        self.audited
    }

    fn dispatch(&mut self, input: Input) {
        match input {
            Input::Configure { sha256, who } => self.configure(sha256, who),
            Input::Resume(resume) => self.resume(*resume),
            Input::Sip(input) => self.tell_sip(input),
            Input::Media(input) => self.on_media(input),
            Input::Asked { number, who, request } => self.on_asked(number, who, request),
            Input::ConfigRejected { findings } => self.fact(About::default(), What::ConfigRejected { findings }),
            Input::Drain { grace_ms } => self.on_drain(Duration::from_millis(grace_ms)),
            Input::Due => self.on_due(),
            Input::Audited { found } => self.on_audited(found),
        }
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Sip(output) => self.on_sip(output),
            Step::Acd(output) => self.on_acd(*output),
            Step::Flow(call, output) => self.on_flow(call, output),
            Step::Conclude(call) => self.conclude(call),
        }
    }

    fn configure(&mut self, sha256: [u8; 32], who: Option<Arc<str>>) {
        if let Some(staged) = self.staged.take().filter(|s| s.sha256 == sha256) {
            self.setup = staged;
            self.sip.reconfigure(self.setup.sip_config());
        }
        let who = who.map(|who| who.to_string());
        self.fact(About::default(), What::ConfigLoaded { site_sha256: self.setup.sha256_text(), who });
        let mut config = self.setup.site.acd();
        for agent in self.restored.keys() {
            // Whoever was logged in comes back as they were, not as the site starts them.
            config.agents.entry(agent.clone()).and_modify(|a| a.starts_logged_in = false);
        }
        self.tell_acd(acd::Input::Configure(Arc::new(config)));
        self.restore_agents();
        self.places_again();
        // An agent who is new to the ACD has not been told of; telling twice is telling once.
        self.reachable.clear();
        self.phones_at_fixed_addresses();
    }

    fn on_due(&mut self) {
        let now = self.now.mono;
        if self.sip.deadline().is_some_and(|at| at <= now) {
            self.tell_sip(sip::Input::Due);
            // Each core's word is applied before the next one is asked: what it ends must not fall due meanwhile.
            self.settle();
        }
        if self.acd.deadline().is_some_and(|at| at <= now) {
            self.tell_acd(acd::Input::Due);
            self.settle();
        }
        if self.ledger.deadline().is_some_and(|at| at <= now) {
            self.tell_ledger(recording::Input::Due);
        }
        self.on_desk_due();
        while let Some((at, call)) = self.due.first().copied().filter(|(at, _)| *at <= now) {
            self.due.remove(&(at, call));
            self.due_of.remove(&call);
            self.on_call_due(call);
            self.settle();
        }
    }

    /// One thing of the call's that is due; if there are more, they follow.
    fn on_call_due(&mut self, id: CallId) {
        let now = self.now.mono;
        let Some(call) = self.calls.get_mut(&id) else { return };
        if call.deadline.is_some_and(|at| at <= now) {
            call.deadline = None;
            self.on_place_timeout(id);
        } else if call.lease.is_some_and(|at| at <= now) {
            self.on_lease_ended(id);
        } else if !self.on_pause_due(id) && !self.on_reach_due(id) {
            return self.tell_flow(id, ivr::Input::Due);
        }
        self.rearm(id);
    }

    /// Keeps the call's entry in the timer set in step with what falls due of it.
    pub(crate) fn rearm(&mut self, id: CallId) {
        let at = self.calls.get(&id).and_then(Call::due);
        if self.due_of.get(&id).copied() == at {
            return;
        }
        if let Some(at) = self.due_of.remove(&id) {
            self.due.remove(&(at, id));
        }
        if let Some(at) = at {
            self.due.insert((at, id));
            self.due_of.insert(id, at);
        }
    }

    /// Once a second a share of the invariants is checked; a breach goes into the log as an alarm.
    fn beat(&mut self) {
        if self.audited.is_some_and(|at| at > self.now.mono) {
            return;
        }
        let first = self.audited.is_none();
        self.audited = Some(self.now.mono + AUDIT);
        if first {
            return;
        }
        self.give_up_on_recordings();
        self.audit_share();
        self.audits = (self.audits + 1) % HEARTBEAT;
        if self.audits == 0 {
            self.fact(About::default(), What::NodeHeartbeat { calls: self.calls.len() as u32 });
        }
    }

    /// Applies steps until none is left.
    pub(crate) fn settle(&mut self) {
        while let Some(step) = self.steps.pop_front() {
            self.step(step);
        }
    }

    pub(crate) fn tell_sip(&mut self, input: sip::Input) {
        let mut said = Vec::new();
        self.sip.handle(self.now, input, &mut said);
        self.steps.extend(said.into_iter().map(Step::Sip));
    }

    pub(crate) fn tell_acd(&mut self, input: acd::Input) {
        let mut said = Vec::new();
        self.acd.handle(self.now, input, &mut said);
        self.steps.extend(said.into_iter().map(|output| Step::Acd(Box::new(output))));
    }

    pub(crate) fn tell_ledger(&mut self, input: recording::Input) {
        let mut said = Vec::new();
        self.ledger.handle(self.now, input, &mut said);
        said.into_iter().for_each(|output| self.on_ledger(output));
    }

    pub(crate) fn tell_flow(&mut self, id: CallId, input: ivr::Input) {
        let mut said = Vec::new();
        let Some(flow) = self.calls.get_mut(&id).and_then(|c| c.flow.as_mut()) else { return };
        flow.handle(self.now, input, &mut said);
        self.steps.extend(said.into_iter().map(|o| Step::Flow(id, o)));
        self.rearm(id);
    }

    pub(crate) fn tell_media(&mut self, command: media::Command) {
        self.out.push(Output::Media(command));
    }

    pub(crate) fn fact(&mut self, about: About, what: What) {
        self.out.push(Output::Fact(Fact { now: self.now, about, what }));
    }

    /// A fact about a call; `with` adds what the fact is about beside the call.
    pub(crate) fn call_fact(&mut self, id: CallId, with: impl FnOnce(&mut About), what: What) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let mut about = call.about();
        with(&mut about);
        self.fact(about, what);
    }

    pub(crate) fn reply(&mut self, reply: Reply) {
        if let Some(number) = self.asking.take() {
            self.out.push(Output::Reply { number, reply });
        }
    }
}
