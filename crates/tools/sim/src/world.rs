//! The agenda: what happens next, and to whom.
//!
//! 1. The earliest of the agenda, the centre's deadline and the people's deadlines is next; time jumps there.
//! 2. What the centre says becomes datagrams and media events of the agenda; what people say, datagrams.
//! 3. After so many inputs the centre drains, and must come to an end with nothing left.

use crate::callers::{self, Callers};
use crate::dice::Dice;
use crate::line::CENTRE;
use crate::network::Network;
use crate::node::Node;
use crate::phones::{self, Phone};
use crate::plane::Later;
use crate::register::EXPIRES;
use crate::setup::VARIANTS;
use crate::{Failure, Plan, Summary};
use acd::Ask;
use base::{CallId, Instant};
use bytes::Bytes;
use engine::{Input, Output, Request};
use sip::{Message, Method, SessionId};
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

    fn on_phone_datagram(&mut self, n: usize, bytes: Bytes) -> Result<(), String> {
        let registers = |m: &Message| !m.is_request() && m.cseq().is_ok_and(|(_, method)| method == Method::Register);
        let phone = &mut self.phones[n];
        if let (Some(registration), Ok(message)) = (&mut phone.registration, Message::parse(bytes.clone())) {
            if registers(&message) {
                if let Some(request) = registration.on_response(&message, phone.line.address, &mut self.dice) {
                    self.transmit_from_phone(n, request);
                }
                return Ok(());
            }
        }
        let flow = self.phones[n].line.flow();
        self.phone(n, sip::Input::Received { flow, bytes })
    }

    fn transmit_from_phone(&mut self, n: usize, bytes: Bytes) {
        if self.phones[n].gone_until <= self.at {
            self.transmit(self.phones[n].line.address, SocketAddr::from(CENTRE), bytes);
        }
    }

    fn on_media(&mut self, epoch: u32, later: Later) -> Result<(), String> {
        if epoch != self.node.epoch {
            return Ok(());
        }
        let input = match later {
            Later::Say(input) => Some(input),
            Later::PlayEnds { leg, serial } => self.node.plane.play_ends(leg, serial),
        };
        input.map_or(Ok(()), |input| self.feed(Input::Media(input)))
    }

    fn on_call_comes(&mut self) -> Result<(), String> {
        if self.closing {
            return Ok(());
        }
        let lull = callers::lull(&mut self.dice, self.busy);
        self.later(lull, Event::CallComes);
        let (session, invite) = self.callers.dial(&mut self.dice);
        let patience = callers::patience(&mut self.dice);
        self.later(patience, Event::Caller { session, plan: callers::Plan::HangUp });
        self.trunk(invite)
    }

    fn trunk(&mut self, input: sip::Input) -> Result<(), String> {
        let said = self.callers.line.handle(self.at, self.dice.entropy(), input);
        for output in said {
            match output {
                sip::Output::Transmit { bytes, .. } => {
                    self.transmit(self.callers.line.address, SocketAddr::from(CENTRE), bytes);
                }
                sip::Output::Answered { session, .. } => {
                    for (after, plan) in Callers::plans(&mut self.dice) {
                        self.later(after, Event::Caller { session, plan });
                    }
                }
                sip::Output::Reoffered { session, sdp } => {
                    if let Some(input) = self.callers.agree(session, sdp.as_deref()) {
                        self.trunk(input)?;
                    }
                }
                sip::Output::Failed { session, .. } | sip::Output::Ended { session, .. } => self.callers.forget(session),
                _ => (),
            }
        }
        Ok(())
    }

    fn on_caller(&mut self, session: SessionId, plan: callers::Plan) -> Result<(), String> {
        let Some(caller) = self.callers.get(session) else { return Ok(()) };
        match plan {
            callers::Plan::HangUp => self.trunk(sip::Input::HangUp { session, reason: None }),
            callers::Plan::Key(key) => match self.node.plane.leg_at(caller.rtp) {
                Some(leg) => self.feed(Input::Media(media::Input::Digit { leg, key })),
                None => Ok(()),
            },
            callers::Plan::Hold(held) => match self.callers.hold(session, held) {
                Some(input) => self.trunk(input),
                None => Ok(()),
            },
        }
    }

    fn phone(&mut self, n: usize, input: sip::Input) -> Result<(), String> {
        let said = self.phones[n].line.handle(self.at, self.dice.entropy(), input);
        for output in said {
            match output {
                sip::Output::Transmit { bytes, .. } => self.transmit_from_phone(n, bytes),
                sip::Output::Incoming { session, invite, .. } => {
                    for (after, plan) in self.phones[n].rung(session, invite.offer.as_deref(), &mut self.dice) {
                        self.later(after, Event::Phone { phone: n, session, plan });
                    }
                }
                sip::Output::Reoffered { session, sdp } => {
                    if let Some(input) = self.phones[n].agree(session, sdp.as_deref()) {
                        self.phone(n, input)?;
                    }
                }
                sip::Output::Failed { session, .. } | sip::Output::Ended { session, .. } => self.phones[n].forget(session),
                _ => (),
            }
        }
        Ok(())
    }

    fn on_register(&mut self, n: usize) -> Result<(), String> {
        let Phone { registration: Some(registration), line, .. } = &mut self.phones[n] else { return Ok(()) };
        let leaves = self.dice.percent(10) && !self.closing;
        let request = registration.ask(if leaves { 0 } else { EXPIRES }, line.address, &mut self.dice);
        self.transmit_from_phone(n, request);
        let next = if leaves { self.dice.seconds(5, 60) } else { self.dice.seconds(30, u64::from(EXPIRES) - 5) };
        self.later(next, Event::Register { phone: n });
        self.later(Duration::from_secs(1), Event::RegisterAgain { phone: n });
        Ok(())
    }

    fn on_register_again(&mut self, n: usize) -> Result<(), String> {
        if let Some(request) = self.phones[n].registration.as_ref().and_then(|r| r.unanswered()) {
            self.transmit_from_phone(n, request);
            self.later(Duration::from_secs(2), Event::RegisterAgain { phone: n });
        }
        Ok(())
    }

    fn on_phone_vanishes(&mut self) -> Result<(), String> {
        let n = self.dice.below(self.phones.len() as u64) as usize;
        self.phones[n].gone_until = self.at + self.dice.seconds(5, 90);
        let next = self.dice.seconds(20, 120);
        self.later(next, Event::PhoneVanishes);
        Ok(())
    }

    /// Through the API, or by a feature code from the agent's phone.
    fn on_somebody_asks(&mut self) -> Result<(), String> {
        let next = self.dice.seconds(1, 12);
        self.later(next, Event::SomebodyAsks);
        let n = self.dice.below(self.phones.len() as u64) as usize;
        let (ask, code) = match self.dice.below(20) {
            0..11 => (Ask::Ready, "*14"),
            11..16 => (Ask::LogIn, "*11"),
            16..19 => (Ask::Pause { reason: "lunch".into() }, "*13"),
            _ => (Ask::LogOut, "*12"),
        };
        if self.dice.percent(25) {
            let Some((session, invite)) = self.phones[n].dial(code, &mut self.dice) else { return Ok(()) };
            if self.dice.percent(20) {
                let after = self.dice.millis(10, 3_000);
                self.later(after, Event::Phone { phone: n, session, plan: phones::Plan::HangUp });
            }
            return self.phone(n, invite);
        }
        let request = if self.dice.percent(4) {
            Request::HangUp { call: CallId { node: 1, epoch: self.node.epoch, n: self.dice.below(40) as u32 } }
        } else {
            Request::Agent { agent: self.phones[n].agent.clone(), ask }
        };
        self.asked += 1;
        self.feed(Input::Asked { number: self.asked, request })
    }

    fn on_leg_falls_silent(&mut self) -> Result<(), String> {
        let next = self.dice.seconds(20, 150);
        self.later(next, Event::LegFallsSilent);
        match self.dice.pick(&self.node.plane.legs()).copied() {
            Some(leg) => self.feed(Input::Media(media::Input::Silent { leg, millis: 30_000 })),
            None => Ok(()),
        }
    }

    fn on_reload(&mut self) -> Result<(), String> {
        let next = self.dice.seconds(40, 300);
        self.later(next, Event::Reload);
        if !self.alive || self.closing {
            return Ok(());
        }
        self.summary.reloads += 1;
        let variant = self.dice.below(VARIANTS);
        let commands = self.node.reload(self.at, variant, &mut self.dice)?;
        self.carry_out(commands)
    }

    /// The process is gone between two inputs, and media with it.
    fn on_crash(&mut self) -> Result<(), String> {
        if self.closing {
            return Ok(());
        }
        self.summary.crashes += 1;
        self.alive = false;
        self.node.replay()?;
        let down = self.dice.millis(500, 20_000);
        self.later(down, Event::Restart);
        Ok(())
    }

    fn on_restart(&mut self) -> Result<(), String> {
        self.alive = true;
        let commands = self.node.start(self.at, &mut self.dice)?;
        self.carry_out(commands)?;
        let next = self.dice.seconds(60, 600);
        self.later(next, Event::Crash);
        Ok(())
    }
}
