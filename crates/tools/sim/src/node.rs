//! One process of the centre after the other: an epoch each, born from the facts of the one before.

use crate::dice::Dice;
use crate::ledger::Ledger;
use crate::line::{CENTRE, wall};
use crate::plane::Plane;
use crate::setup::setup;
use base::fact::Logged;
use base::{Instant, Now};
use engine::{Boot, Centre, Entry, Input, Open, Output, Resume};
use metrics::{Board, Figures, Folded, View};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

pub struct Node {
    pub epoch: u32,
    pub plane: Plane,
    pub drained: bool,
    pub inputs: u64,
    pub facts: u64,
    pub ledger: Ledger,
    routing_seed: u64,
    centre: Centre,
    /// When this process began, on the simulation's clock.
    began: Instant,
    /// The site it began with, and the one it has.
    born_as: u64,
    variant: u64,
    journal: Vec<Entry>,
    said: Vec<Output>,
    /// The facts of this epoch.
    log: Vec<Logged>,
    bindings: BTreeMap<Arc<str>, Vec<sip::Binding>>,
    board: Board,
}

fn boot(epoch: u32, routing_seed: u64, variant: u64) -> Boot {
    Boot {
        node: 1,
        epoch,
        boot_id: format!("boot-{epoch}").into(),
        routing_seed,
        party_key: [7; 32],
        sip: SocketAddr::from(CENTRE),
        towards: BTreeMap::new(),
        setup: setup(variant),
    }
}

impl Node {
    pub fn new(routing_seed: u64) -> Self {
        Node {
            epoch: 0,
            plane: Plane::default(),
            drained: false,
            inputs: 0,
            facts: 0,
            ledger: Ledger::default(),
            routing_seed,
            centre: Centre::new(boot(0, routing_seed, 0)),
            began: Instant::ZERO,
            born_as: 0,
            variant: 0,
            journal: Vec::new(),
            said: Vec::new(),
            log: Vec::new(),
            bindings: BTreeMap::new(),
            board: Board::new(),
        }
    }

    /// The next epoch: what the last one left open is closed, logins and bindings come back. Its commands are returned.
    pub fn start(&mut self, at: Instant, dice: &mut Dice) -> Result<Vec<Output>, String> {
        let open = Open::fold(&self.log);
        let repaired = self.plane.repaired(at, dice);
        let bindings = self.bindings.clone().into_iter().collect();
        self.epoch += 1;
        self.began = at;
        self.plane = Plane::default();
        self.born_as = self.variant;
        self.centre = Centre::new(boot(self.epoch, self.routing_seed, self.variant));
        self.journal.clear();
        self.said.clear();
        self.log.clear();
        let mut commands = self.feed(at, Input::Resume(Box::new(Resume { open, bindings, repaired })), dice)?;
        commands.extend(self.feed(at, Input::Configure { sha256: setup(self.variant).sha256 }, dice)?);
        Ok(commands)
    }

    /// Another site, with calls in progress.
    pub fn reload(&mut self, at: Instant, variant: u64, dice: &mut Dice) -> Result<Vec<Output>, String> {
        self.variant = variant;
        self.centre.stage(setup(variant));
        self.feed(at, Input::Configure { sha256: setup(variant).sha256 }, dice)
    }

    fn clock(&self, at: Instant) -> Now {
        Now { mono: Instant(at.0.saturating_sub(self.began.0)), wall: wall(at) }
    }

    /// On the simulation's clock.
    pub fn deadline(&self) -> Option<Instant> {
        self.centre.deadline().map(|at| Instant(at.0.saturating_add(self.began.0)))
    }

    /// Applies one input, and checks what follows from it. What is for the network and the plane is returned.
    pub fn feed(&mut self, at: Instant, input: Input, dice: &mut Dice) -> Result<Vec<Output>, String> {
        let entry = Entry { now: self.clock(at), entropy: dice.entropy(), input };
        let mut out = Vec::new();
        self.journal.push(entry.clone());
        self.centre.handle(entry, &mut out);
        self.inputs += 1;
        self.said.extend(out.iter().cloned());
        for output in &out {
            self.keep(output)?;
        }
        if let Some(breach) = engine::audit(&self.centre.snapshot()).first() {
            return Err(format!("the audit found: {}: {}", breach.invariant, breach.detail));
        }
        out.retain(|o| matches!(o, Output::Send { .. } | Output::Media(_)));
        Ok(out)
    }

    fn keep(&mut self, output: &Output) -> Result<(), String> {
        match output {
            Output::Fact(fact) => {
                let logged = Logged { epoch: self.epoch, seq: self.log.len() as u64 + 1, fact: fact.clone() };
                self.ledger.read(&logged)?;
                if self.board.apply(&logged) != Folded::Counted {
                    return Err(format!("the board does not count fact {}-{}", logged.epoch, logged.seq));
                }
                self.facts += 1;
                self.log.push(logged);
            }
            Output::Bindings { user, bindings } => drop(self.bindings.insert(user.clone(), bindings.clone())),
            Output::Drained => self.drained = true,
            _ => (),
        }
        Ok(())
    }

    /// The journal, replayed into a new Centre, says the same.
    pub fn replay(&self) -> Result<(), String> {
        let mut centre = Centre::new(boot(self.epoch, self.routing_seed, self.born_as));
        let mut again = Vec::new();
        for entry in &self.journal {
            if let Input::Configure { sha256 } = &entry.input {
                let named = (0..crate::setup::VARIANTS).map(setup).find(|s| s.sha256 == *sha256);
                named.into_iter().for_each(|setup| centre.stage(setup));
            }
            centre.handle(entry.clone(), &mut again);
        }
        match again.iter().zip(&self.said).position(|(a, b)| a != b) {
            Some(n) => {
                Err(format!("replay of epoch {} differs at output {n}: {:?} was {:?}", self.epoch, again[n], self.said[n]))
            }
            None if again.len() != self.said.len() => Err(format!("replay of epoch {} says more or less", self.epoch)),
            None => Ok(()),
        }
    }

    pub fn figures(&self, at: Instant) -> Figures {
        let end = self.clock(at).wall.plus(Duration::from_secs(86_400));
        self.board.figures(&View::new(self.clock(at), wall(Instant::ZERO), end))
    }

    /// After draining nothing is left, and every sum holds.
    pub fn close(&self, at: Instant) -> Result<(), String> {
        let left = self.centre.snapshot();
        if !left.calls.is_empty() || !left.visits.is_empty() || left.ports != 0 || left.sessions != 0 {
            let (calls, visits) = (left.calls.len(), left.visits.len());
            return Err(format!("left over: {calls} calls, {visits} visits, {} ports, {} sessions", left.ports, left.sessions));
        }
        if !self.plane.is_idle() {
            return Err(format!("the plane still has legs {:?} or recordings", self.plane.legs()));
        }
        self.ledger.close()?;
        let figures = self.figures(at);
        let totals = &figures.totals;
        if !figures.sums_hold() || totals.calls.live_now != 0 || totals.visits.waiting != 0 || figures.invariant_breaches != 0 {
            return Err(format!("the figures do not add up: {figures:?}"));
        }
        let entries = totals.visits.offered + totals.callbacks.places;
        if totals.calls.incoming != self.ledger.incoming() || entries != self.ledger.visits() {
            let (calls, visits) = (self.ledger.incoming(), self.ledger.visits());
            return Err(format!("the ledger has {calls} calls and {visits} visits, the figures {totals:?}"));
        }
        Ok(())
    }
}
