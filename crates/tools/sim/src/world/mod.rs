//! The agenda: what happens next, and to whom.
//!
//! 1. The earliest of the agenda, the centre's deadline and the people's deadlines is next; time jumps there.
//! 2. What the centre says becomes datagrams and media events of the agenda; what people say, datagrams.
//! 3. After so many inputs the centre drains, and must come to an end with nothing left.
//!
//! Everything that people do and that befalls the centre is an act with a name (`script`). An act draws its chances from
//! its name alone, and is left out if the plan does not have it.

mod agents;
mod mishaps;
mod trunk;

use crate::checks::{Broken, Checked, broken};
use crate::dice::Dice;
use crate::network::Network;
use crate::node::Node;
use crate::people::callers::Person;
use crate::people::phones::{self, Phone};
use crate::people::{Mood, callers, dialled, outside, rung};
use crate::plane::Later;
use crate::script::{Act, ActId, Actor, Script};
use crate::setup::VARIANTS;
use crate::wire::{CENTRE, Line, subject};
use crate::{Failure, Plan, Summary};
use base::Instant;
use bytes::Bytes;
use engine::{Input, Output};
use sip::SessionId;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

/// Events at one instant beyond which nothing moves any more.
const SPINS: u32 = 20_000;
/// After the last word of a call its session may wait for an answer.
const LINGERS: Duration = Duration::from_secs(70);
/// Nobody waits longer for anything after the day: what is still there then is stuck.
const FOREVER: Duration = Duration::from_secs(400);

enum Event {
    Datagram { from: SocketAddr, to: SocketAddr, bytes: Bytes },
    Media { epoch: u32, later: Later },
    CallComes { n: u32 },
    Person { session: SessionId, id: ActId, act: PersonActs },
    Phone { phone: usize, session: SessionId, id: ActId, plan: rung::Plan },
    Dials { phone: usize },
    Register { phone: usize },
    RegisterAgain { phone: usize },
    Vanishes { phone: usize },
    SomebodyAsks { n: u32 },
    Fate { n: u32, fate: Fate },
    Restart,
}

/// What somebody on the trunk does.
enum PersonActs {
    Caller(callers::Plan),
    Called(outside::Plan),
    HangsUp,
    CallsAgain(callers::Call),
}

#[derive(Clone, Copy)]
enum Fate {
    Silence,
    Reload,
    Crash,
}

pub struct World {
    plan: Plan,
    at: Instant,
    agenda: BTreeMap<(Instant, u64), Event>,
    serial: u64,
    spins: u32,
    script: Script,
    network: Network,
    node: Node,
    /// The process runs.
    alive: bool,
    /// No new calls, no crashes: the day ends.
    closing: bool,
    busy: bool,
    mood: Mood,
    /// Callers, and whoever is called outside.
    trunk: Line,
    persons: BTreeMap<SessionId, Person>,
    rtp: u16,
    called_outside: u32,
    calls_again: u32,
    phones: Vec<Phone>,
    asked: u64,
    /// Randomness handed to the people's endpoints.
    stirred: u64,
    summary: Summary,
}

impl World {
    pub fn new(plan: &Plan, told: bool) -> Self {
        let mut dice = Dice::new(plan.seed);
        let network = Network::new(plan.seed, &mut dice);
        let phones = phones::all(&mut dice);
        let variant = if dice.percent(25) { 0 } else { dice.below(VARIANTS) };
        let lease = dice.percent(30).then_some(90);
        World {
            plan: plan.clone(),
            at: Instant::ZERO,
            agenda: BTreeMap::new(),
            serial: 0,
            spins: 0,
            script: Script { only: plan.only.clone(), written: told, acts: Vec::new() },
            network,
            node: Node::new(plan.seed, variant),
            alive: true,
            closing: false,
            busy: dice.percent(70),
            mood: Mood::drawn(&mut dice),
            trunk: Line::new(SocketAddr::from(([10, 0, 1, 1], 5060)), lease),
            persons: BTreeMap::new(),
            rtp: 0,
            called_outside: 0,
            calls_again: 0,
            phones,
            asked: 0,
            stirred: 0,
            summary: Summary::default(),
        }
    }

    pub fn acts(self) -> Vec<Act> {
        self.script.acts
    }

    pub fn failure(&self, broken: Broken) -> Failure {
        let at = format!("{:.6} s", self.at.0 as f64 / 1e9);
        Failure { seed: self.plan.seed, inputs: self.node.inputs, at, law: broken.law, how: broken.how }
    }

    pub fn summary(&self) -> Summary {
        let totals = self.node.figures(self.at).totals;
        let ledger = &self.node.ledger;
        Summary {
            days: 1,
            inputs: self.node.inputs,
            facts: self.node.facts,
            calls: ledger.incoming(),
            visits: ledger.visits(),
            answered: totals.visits.answered,
            abandoned: totals.visits.abandoned,
            overflowed: totals.visits.overflowed,
            conversations: ledger.conversations(),
            transfers: ledger.count("agent_leg.transferred"),
            conferences: ledger.count("agent_leg.conferenced"),
            monitored: ledger.count("supervisor.monitor_started"),
            callbacks: ledger.count("callback.requested"),
            called_back: totals.callbacks.connected,
            messages: ledger.count("voicemail.left"),
            own_calls: ledger.own_calls(),
            forwarded: ledger.count("call.forwarded"),
            ..self.summary
        }
    }

    pub fn day(&mut self) -> Checked {
        self.begin()?;
        while self.node.inputs - self.node.signs < self.plan.inputs as u64 {
            self.step()?;
        }
        self.closing = true;
        self.wait_for_life()?;
        self.drain()?;
        if self.node.ledger.close().is_err() {
            // What a recorder never closed in time is the next epoch's.
            self.node.replay()?;
            let commands = self.node.start(self.at)?;
            self.carry_out(commands)?;
            self.drain()?;
        }
        self.node.replay()?;
        self.node.close(self.at)
    }

    fn drain(&mut self) -> Checked {
        self.feed(Input::Drain { grace_ms: 30_000 })?;
        let limit = self.at + FOREVER;
        while !self.node.drained && self.at < limit {
            self.step()?;
        }
        if !self.node.drained {
            return broken("the centre drains", "it did not");
        }
        // A phone that is gone answers no BYE: its session is given up 32 s later (RFC 3261 17.1.2.2, timer F).
        let limit = self.at + LINGERS;
        while self.node.sessions() > 0 && self.at < limit {
            self.step()?;
        }
        Ok(())
    }

    /// A day does not end while the process is down.
    fn wait_for_life(&mut self) -> Checked {
        while !self.alive {
            self.step()?;
        }
        Ok(())
    }

    fn begin(&mut self) -> Checked {
        let commands = self.node.start(self.at)?;
        self.carry_out(commands)?;
        for phone in 0..self.phones.len() {
            let mut dice = self.dice_of(Actor::Phone(phone as u8), 0);
            self.later(dice.millis(0, 2_000), Event::Register { phone });
            self.later(dice.seconds(20, 400), Event::Vanishes { phone });
            let mut dice = self.dice_of(Actor::Dials(phone as u8), 0);
            self.later(dialled::Dialled::lull(&mut dice), Event::Dials { phone });
        }
        let mut dice = self.dice_of(Actor::Fate, 0);
        self.later(dice.millis(100, 2_500), Event::CallComes { n: 1 });
        self.later(dice.millis(1_000, 6_000), Event::SomebodyAsks { n: 1 });
        self.fate_later(0, Fate::Silence, dice.seconds(8, 90));
        self.fate_later(100_000, Fate::Reload, dice.seconds(15, 300));
        self.fate_later(200_000, Fate::Crash, dice.seconds(15, 400));
        Ok(())
    }

    fn dice_of(&self, actor: Actor, n: u32) -> Dice {
        Dice::of(self.plan.seed, ActId::new(actor, n, u8::MAX))
    }

    fn later(&mut self, after: Duration, event: Event) {
        self.at_instant(self.at + after, event);
    }

    fn at_instant(&mut self, at: Instant, event: Event) {
        self.serial += 1;
        self.agenda.insert((at, self.serial), event);
    }

    fn entropy(&mut self) -> [u8; 32] {
        self.stirred += 1;
        Dice::named(self.plan.seed ^ 0x5e7, self.stirred).entropy()
    }

    /// One event, or one deadline.
    fn step(&mut self) -> Checked {
        let event = self.agenda.first_key_value().map(|((at, _), _)| *at);
        let centre = self.node.deadline().filter(|_| self.alive);
        let trunk = self.trunk.deadline();
        let phone = (0..self.phones.len()).filter_map(|n| Some((self.phones[n].line.deadline()?, n))).min();
        let next = [event, centre, trunk, phone.map(|(at, _)| at)].into_iter().flatten().min();
        let Some(next) = next else { return broken("something happens", "nothing will ever happen again") };
        self.spins = if next > self.at { 0 } else { self.spins + 1 };
        self.at = self.at.max(next);
        if self.spins > SPINS {
            return broken("something happens", "time stands still");
        }
        match (centre, trunk, phone) {
            (Some(at), ..) if at == next => self.feed(Input::Due),
            (_, Some(at), _) if at == next => self.trunk(sip::Input::Due),
            (.., Some((at, n))) if at == next => self.phone(n, sip::Input::Due),
            _ => match self.agenda.pop_first() {
                Some((_, event)) => self.on_event(event),
                None => Ok(()),
            },
        }
    }

    fn on_event(&mut self, event: Event) -> Checked {
        match event {
            Event::Datagram { from, to, bytes } => self.on_datagram(from, to, bytes),
            Event::Media { epoch, later } => self.on_media(epoch, later),
            Event::CallComes { n } => self.on_call_comes(n),
            Event::Person { session, id, act } => self.on_person(session, id, act),
            Event::Phone { phone, session, id, plan } => self.on_phone(phone, session, id, plan),
            Event::Dials { phone } => self.on_dials(phone),
            Event::Register { phone } => self.on_register(phone),
            Event::RegisterAgain { phone } => self.on_register_again(phone),
            Event::Vanishes { phone } => self.on_vanishes(phone),
            Event::SomebodyAsks { n } => self.on_somebody_asks(n),
            Event::Fate { n, fate } => self.on_fate(n, fate),
            Event::Restart => self.on_restart(),
        }
    }

    /// One input of the centre, if it lives.
    fn feed(&mut self, input: Input) -> Checked {
        if !self.alive {
            return Ok(());
        }
        if self.plan.trace {
            eprintln!("{:>12.6} {input:?}", self.at.0 as f64 / 1e9);
        }
        let commands = self.node.feed(self.at, input)?;
        self.carry_out(commands)
    }

    fn carry_out(&mut self, commands: Vec<Output>) -> Checked {
        for command in commands {
            match command {
                Output::Send { flow, bytes } => self.transmit(SocketAddr::from(CENTRE), flow.remote, bytes),
                Output::Media(command) => {
                    if self.plan.trace {
                        eprintln!("{:>12} → {command:?}", "");
                    }
                    let epoch = self.node.epoch;
                    let later = self.node.plane.handle(self.at, command, &mut self.script);
                    let later = later.map_err(|how| Broken { law: "the plane can do what it is told".into(), how })?;
                    later.into_iter().for_each(|(at, later)| self.at_instant(at, Event::Media { epoch, later }));
                }
                _ => (),
            }
        }
        Ok(())
    }

    fn transmit(&mut self, from: SocketAddr, to: SocketAddr, bytes: Bytes) {
        if self.plan.trace {
            eprintln!("{:>12}   {from} to {to}: {}", "", subject(&bytes));
        }
        for after in self.network.carry(self.at, (from, to), || subject(&bytes), &mut self.script) {
            self.later(after, Event::Datagram { from, to, bytes: bytes.clone() });
        }
    }

    fn on_datagram(&mut self, from: SocketAddr, to: SocketAddr, bytes: Bytes) -> Checked {
        let centre = SocketAddr::from(CENTRE);
        if to == centre {
            let flow = sip::Flow { transport: sip::Transport::Udp, local: centre, remote: from, connection: 0 };
            return self.feed(Input::Sip(sip::Input::Received { flow, bytes }));
        }
        if to == self.trunk.address {
            let flow = self.trunk.flow();
            return self.trunk(sip::Input::Received { flow, bytes });
        }
        match self.phones.iter().position(|p| p.line.address == to) {
            Some(n) if self.phones[n].gone_until <= self.at => self.on_phone_datagram(n, bytes),
            _ => Ok(()),
        }
    }

    fn on_media(&mut self, epoch: u32, later: Later) -> Checked {
        if epoch != self.node.epoch {
            return Ok(());
        }
        let (input, next) = self.node.plane.comes(self.at, later, &mut self.script);
        if let Some((at, later)) = next {
            self.at_instant(at, Event::Media { epoch, later });
        }
        input.map_or(Ok(()), |input| self.feed(Input::Media(input)))
    }
}
