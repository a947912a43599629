//! The agenda: what happens next, and to whom.
//!
//! 1. The earliest of the agenda, the centre's deadline and the people's deadlines is next; time jumps there.
//! 2. What the centre says becomes datagrams and media events of the agenda; what people say, datagrams.
//! 3. After so many inputs the centre drains, and must come to an end with nothing left.

mod mishaps;
mod people;

use crate::callers::{self, Callers};
use crate::dice::Dice;
use crate::line::CENTRE;
use crate::network::Network;
use crate::node::Node;
use crate::phones::{self, Phone};
use crate::plane::Later;
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

enum Event {
    Datagram { from: SocketAddr, to: SocketAddr, bytes: Bytes },
    Media { epoch: u32, later: Later },
    CallComes,
    Caller { session: SessionId, plan: callers::Plan },
    Phone { phone: usize, session: SessionId, plan: phones::Plan },
    Register { phone: usize },
    RegisterAgain { phone: usize },
    PhoneVanishes,
    SomebodyAsks,
    LegFallsSilent,
    Reload,
    Crash,
    Restart,
}

pub struct World {
    plan: Plan,
    at: Instant,
    agenda: BTreeMap<(Instant, u64), Event>,
    serial: u64,
    spins: u32,
    dice: Dice,
    network: Network,
    node: Node,
    /// The process runs.
    alive: bool,
    /// No new calls, no crashes: the day ends.
    closing: bool,
    busy: bool,
    callers: Callers,
    phones: Vec<Phone>,
    asked: u64,
    summary: Summary,
}

impl World {
    pub fn new(plan: &Plan) -> Self {
        let mut dice = Dice::new(plan.seed);
        let network = Network::new(&mut dice);
        let phones = phones::all(&mut dice);
        World {
            plan: plan.clone(),
            at: Instant::ZERO,
            agenda: BTreeMap::new(),
            serial: 0,
            spins: 0,
            network,
            node: Node::new(plan.seed),
            alive: true,
            closing: false,
            busy: dice.percent(60),
            callers: Callers::new(callers::trunk()),
            phones,
            asked: 0,
            summary: Summary::default(),
            dice,
        }
    }

    pub fn run(mut self) -> Result<Summary, Failure> {
        let day = self.day();
        let at = format!("{:.6} s", self.at.0 as f64 / 1e9);
        day.map_err(|why| Failure { seed: self.plan.seed, at, why })?;
        let totals = self.node.figures(self.at).totals;
        Ok(Summary {
            inputs: self.node.inputs,
            facts: self.node.facts,
            calls: self.node.ledger.incoming(),
            visits: self.node.ledger.visits(),
            answered: totals.visits.answered,
            abandoned: totals.visits.abandoned,
            overflowed: totals.visits.overflowed,
            recordings: self.node.ledger.conversations(),
            ..self.summary
        })
    }

    fn day(&mut self) -> Result<(), String> {
        self.begin()?;
        while self.node.inputs < self.plan.inputs as u64 {
            self.step()?;
        }
        self.closing = true;
        while !self.alive {
            self.step()?;
        }
        let grace_ms = self.dice.below(60_000);
        self.feed(Input::Drain { grace_ms })?;
        let end = callers::forever(self.at);
        while !self.node.drained {
            if self.at > end {
                return Err("the centre never drained".into());
            }
            self.step()?;
        }
        // Peers that did not answer a BYE are given up after 32 s (RFC 3261 17.1.2.2).
        let end = self.at + Duration::from_secs(70);
        while self.at < end {
            self.step()?;
        }
        self.node.close(self.at)?;
        self.node.replay()
    }

    fn begin(&mut self) -> Result<(), String> {
        let commands = self.node.start(self.at, &mut self.dice)?;
        self.carry_out(commands)?;
        for phone in 0..self.phones.len() {
            let after = self.dice.millis(0, 3_000);
            self.later(after, Event::Register { phone });
        }
        self.later(Duration::from_secs(2), Event::CallComes);
        for (from, to, event) in [
            (5, 20, Event::SomebodyAsks),
            (20, 90, Event::PhoneVanishes),
            (30, 200, Event::LegFallsSilent),
            (60, 300, Event::Reload),
            (60, 400, Event::Crash),
        ] {
            let after = self.dice.seconds(from, to);
            self.later(after, event);
        }
        Ok(())
    }

    fn later(&mut self, after: Duration, event: Event) {
        self.at_instant(self.at + after, event);
    }

    fn at_instant(&mut self, at: Instant, event: Event) {
        self.serial += 1;
        self.agenda.insert((at, self.serial), event);
    }

    /// One event, or one deadline.
    fn step(&mut self) -> Result<(), String> {
        let event = self.agenda.first_key_value().map(|((at, _), _)| *at);
        let centre = self.node.deadline().filter(|_| self.alive);
        let trunk = self.callers.line.endpoint.deadline();
        let phone = (0..self.phones.len()).filter_map(|n| Some((self.phones[n].line.endpoint.deadline()?, n))).min();
        let next =
            [event, centre, trunk, phone.map(|(at, _)| at)].into_iter().flatten().min().ok_or("nothing will ever happen")?;
        self.spins = if next > self.at { 0 } else { self.spins + 1 };
        self.at = self.at.max(next);
        if self.spins > SPINS {
            return Err("time stands still".into());
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

    fn on_event(&mut self, event: Event) -> Result<(), String> {
        match event {
            Event::Datagram { from, to, bytes } => self.on_datagram(from, to, bytes),
            Event::Media { epoch, later } => self.on_media(epoch, later),
            Event::CallComes => self.on_call_comes(),
            Event::Caller { session, plan } => self.on_caller(session, plan),
            Event::Phone { phone, session, plan } => match self.phones[phone].act(session, &plan) {
                Some(input) => self.phone(phone, input),
                None => Ok(()),
            },
            Event::Register { phone } => self.on_register(phone),
            Event::RegisterAgain { phone } => self.on_register_again(phone),
            Event::PhoneVanishes => self.on_phone_vanishes(),
            Event::SomebodyAsks => self.on_somebody_asks(),
            Event::LegFallsSilent => self.on_leg_falls_silent(),
            Event::Reload => self.on_reload(),
            Event::Crash => self.on_crash(),
            Event::Restart => self.on_restart(),
        }
    }

    /// One input of the centre, if it lives.
    fn feed(&mut self, input: Input) -> Result<(), String> {
        if !self.alive {
            return Ok(());
        }
        if self.plan.trace {
            eprintln!("{:>12.6} {input:?}", self.at.0 as f64 / 1e9);
        }
        let commands = self.node.feed(self.at, input, &mut self.dice)?;
        self.carry_out(commands)
    }

    fn carry_out(&mut self, commands: Vec<Output>) -> Result<(), String> {
        for command in commands {
            match command {
                Output::Send { flow, bytes } => self.transmit(SocketAddr::from(CENTRE), flow.remote, bytes),
                Output::Media(command) => {
                    if self.plan.trace {
                        eprintln!("{:>12} → {command:?}", "");
                    }
                    let epoch = self.node.epoch;
                    for (at, later) in self.node.plane.handle(self.at, command, &mut self.dice)? {
                        self.at_instant(at, Event::Media { epoch, later });
                    }
                }
                _ => (),
            }
        }
        Ok(())
    }

    fn transmit(&mut self, from: SocketAddr, to: SocketAddr, bytes: Bytes) {
        for after in self.network.carry(&mut self.dice) {
            self.later(after, Event::Datagram { from, to, bytes: bytes.clone() });
        }
    }

    fn on_datagram(&mut self, from: SocketAddr, to: SocketAddr, bytes: Bytes) -> Result<(), String> {
        let centre = SocketAddr::from(CENTRE);
        if to == centre {
            let flow = sip::Flow { transport: sip::Transport::Udp, local: centre, remote: from, connection: 0 };
            return self.feed(Input::Sip(sip::Input::Received { flow, bytes }));
        }
        if to == self.callers.line.address {
            let flow = self.callers.line.flow();
            return self.trunk(sip::Input::Received { flow, bytes });
        }
        match self.phones.iter().position(|p| p.line.address == to) {
            Some(n) if self.phones[n].gone_until <= self.at => self.on_phone_datagram(n, bytes),
            _ => Ok(()),
        }
    }

    fn on_media(&mut self, epoch: u32, later: Later) -> Result<(), String> {
        if epoch != self.node.epoch {
            return Ok(());
        }
        let (input, next) = self.node.plane.comes(self.at, later, &mut self.dice);
        if let Some((at, later)) = next {
            self.at_instant(at, Event::Media { epoch, later });
        }
        input.map_or(Ok(()), |input| self.feed(Input::Media(input)))
    }
}
