//! One process of the centre after the other: an epoch each, born from the facts of the one before.

use crate::checks::{Broken, Checked, Ledger, Promises, Second, Seen, broken, must};
use crate::dice::Dice;
use crate::people::phones;
use crate::plane::Plane;
use crate::setup::{by_hash, setup};
use crate::wire::{CENTRE, wall};
use base::fact::Logged;
use base::{CallId, Instant, Now, PartyId};
use engine::{Boot, CallView, Centre, Entry, Input, Open, Output, Promise, Resume, Setup, Snapshot};
use metrics::{Board, Figures, Folded, View};
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// Inputs between two looks at the figures' sums.
const SUMS: u64 = 64;

pub struct Node {
    pub epoch: u32,
    pub plane: Plane,
    pub drained: bool,
    pub inputs: u64,
    /// Of those, signs of life of the recorder, which make no day longer.
    pub signs: u64,
    pub facts: u64,
    pub ledger: Ledger,
    seed: u64,
    centre: Centre,
    /// When this process began, on the simulation's clock.
    began: Instant,
    /// The site it began with, and the one it has.
    born_as: u64,
    setup: Arc<Setup>,
    /// How often the site changed.
    sites: u32,
    /// Each input as the journal keeps it, and all that was said.
    journal: Vec<Vec<u8>>,
    said: Vec<Output>,
    /// The facts of this epoch.
    log: Vec<Logged>,
    bindings: BTreeMap<Arc<str>, Vec<sip::Binding>>,
    /// Who is to be called back.
    promised: BTreeMap<CallId, Promise>,
    board: Board,
    shown: Snapshot,
    promises: Promises,
    /// Parties whose numbers many people share.
    shared: BTreeSet<PartyId>,
}

fn boot(epoch: u32, routing_seed: u64, setup: Arc<Setup>) -> Boot {
    Boot {
        node: 1,
        epoch,
        boot_id: format!("boot-{epoch}").into(),
        routing_seed,
        party_key: [7; 32],
        sip: SocketAddr::from(CENTRE),
        towards: BTreeMap::new(),
        setup,
    }
}

impl Node {
    pub fn new(seed: u64, variant: u64) -> Self {
        let setup = setup(variant);
        Node {
            epoch: 0,
            plane: Plane::new(seed, 0),
            drained: false,
            inputs: 0,
            signs: 0,
            facts: 0,
            ledger: Ledger::default(),
            seed,
            centre: Centre::new(boot(0, seed, setup.clone())),
            began: Instant::ZERO,
            born_as: variant,
            setup,
            sites: 0,
            journal: Vec::new(),
            said: Vec::new(),
            log: Vec::new(),
            bindings: BTreeMap::new(),
            promised: BTreeMap::new(),
            board: Board::new(),
            shown: Snapshot::default(),
            promises: Promises::default(),
            shared: BTreeSet::new(),
        }
    }

    /// The next epoch: what the last one left open is closed, logins and bindings come back. Its commands are returned.
    pub fn start(&mut self, at: Instant) -> Checked<Vec<Output>> {
        let open = Open::fold(&self.log);
        let repaired = self.plane.repaired(at);
        let bindings = self.bindings.clone().into_iter().collect();
        let promises = self.promised.values().cloned().collect();
        self.epoch += 1;
        self.began = at;
        self.drained = false;
        self.plane = Plane::new(self.seed, self.plane.chances());
        self.born_as = u64::from(self.setup.sha256[0]);
        self.centre = Centre::new(boot(self.epoch, self.seed, self.setup.clone()));
        self.journal.clear();
        self.said.clear();
        self.log.clear();
        self.shown = Snapshot::default();
        self.sites += 1;
        self.ledger.on_restart();
        self.promises.on_restart();
        let mut commands = self.feed(at, Input::Resume(Box::new(Resume { open, bindings, repaired, promises })))?;
        commands.extend(self.feed(at, Input::Configure { sha256: self.setup.sha256, who: None })?);
        Ok(commands)
    }

    /// Another site, with calls in progress.
    pub fn reload(&mut self, at: Instant, variant: u64) -> Checked<Vec<Output>> {
        self.setup = setup(variant);
        self.sites += 1;
        self.ledger.on_reload();
        self.plane.on_reload();
        self.centre.stage(self.setup.clone());
        self.feed(at, Input::Configure { sha256: self.setup.sha256, who: None })
    }

    pub fn sessions(&self) -> usize {
        self.centre.snapshot().sessions
    }

    /// What the centre showed of itself after the last input.
    pub fn shown(&self) -> &Snapshot {
        &self.shown
    }

    fn clock(&self, at: Instant) -> Now {
        Now { mono: Instant(at.0.saturating_sub(self.began.0)), wall: wall(at) }
    }

    /// On the simulation's clock.
    pub fn deadline(&self) -> Option<Instant> {
        self.centre.deadline().map(|at| Instant(at.0.saturating_add(self.began.0)))
    }

    /// Applies one input, and checks what follows from it. What is for the network and the plane is returned.
    pub fn feed(&mut self, at: Instant, input: Input) -> Checked<Vec<Output>> {
        self.plane.carries(&self.shown, &self.ledger)?;
        self.plane.leaves_out(&self.setup.site.recording, &self.ledger)?;
        let entropy = Dice::named(self.seed ^ 0xe17, self.inputs).entropy();
        let entry = Entry { now: self.clock(at), entropy, input };
        let mut out = Vec::new();
        self.journal.push(written(&entry)?);
        let input = entry.input.clone();
        self.centre.handle(entry, &mut out);
        self.inputs += 1;
        self.signs += u64::from(matches!(input, Input::Media(media::Input::RecorderAlive { .. })));
        self.said.extend(out.iter().cloned());
        self.promises.hear(&input, &out)?;
        for output in &out {
            self.keep(output)?;
        }
        let before = self.look()?;
        self.promises.shows(&input, &out, &self.shown)?;
        supervisors_leave_alone(&input, &before, &self.shown)?;
        out.retain(|o| matches!(o, Output::Send { .. } | Output::Media(_)));
        Ok(out)
    }

    /// After each input. What was shown before it.
    fn look(&mut self) -> Checked<Snapshot> {
        if let Some(breach) = self.centre.audit().first() {
            return broken(&format!("audit, {}", breach.invariant), &breach.detail);
        }
        let after = self.centre.snapshot();
        let before = std::mem::replace(&mut self.shown, after);
        let setup = &*self.setup;
        Second { before: &before, after: &self.shown, setup, ledger: &self.ledger, site: self.sites }.look()?;
        if self.inputs.is_multiple_of(SUMS) {
            let at = Instant(self.shown.now.mono.0 + self.began.0);
            must(self.figures(at).sums_hold(), "the figures add up", || format!("after input {}", self.inputs))?;
        }
        Ok(before)
    }

    fn keep(&mut self, output: &Output) -> Checked {
        match output {
            Output::Fact(fact) => {
                let logged = Logged { epoch: self.epoch, seq: self.log.len() as u64 + 1, fact: fact.clone() };
                let shared_party = fact.about.party.is_some_and(|party| self.shared.contains(&party));
                self.ledger.read(&Seen { logged: &logged, setup: &self.setup, site: self.sites, shared_party })?;
                self.promises.read(&logged, &self.setup)?;
                if self.board.apply(&logged) != Folded::Counted {
                    return broken("every fact is counted", format!("{}-{}", logged.epoch, logged.seq));
                }
                self.facts += 1;
                self.log.push(logged);
            }
            Output::Party { party, number, .. } if self.setup.site.shared_numbers.contains(&**number.reveal()) => {
                self.shared.insert(*party);
            }
            Output::Bindings { user, bindings } => drop(self.bindings.insert(user.clone(), bindings.clone())),
            Output::Promised { call, promise: Some(promise) } => drop(self.promised.insert(*call, (**promise).clone())),
            Output::Promised { call, promise: None } => drop(self.promised.remove(call)),
            Output::Drained => self.drained = true,
            _ => (),
        }
        Ok(())
    }

    /// The journal, read back and replayed into a new Centre, says the same.
    pub fn replay(&self) -> Checked {
        let mut centre = Centre::new(boot(self.epoch, self.seed, setup(self.born_as)));
        let mut again = Vec::new();
        for bytes in &self.journal {
            let entry: Entry = match postcard::from_bytes(bytes) {
                Ok(entry) => entry,
                Err(error) => return broken("the journal reads back", error),
            };
            if let Input::Configure { sha256, .. } = &entry.input {
                centre.stage(by_hash(*sha256));
            }
            centre.handle(entry, &mut again);
        }
        match again.iter().zip(&self.said).position(|(a, b)| a != b) {
            Some(n) => {
                let how = format!("epoch {} differs at output {n}: {:?} was {:?}", self.epoch, again[n], self.said[n]);
                broken("the journal replays", how)
            }
            None => must(again.len() == self.said.len(), "the journal replays", || "more or less is said".into()),
        }
    }

    pub fn figures(&self, at: Instant) -> Figures {
        let end = self.clock(at).wall.plus(Duration::from_secs(86_400));
        self.board.figures(&View::new(self.clock(at), wall(Instant::ZERO), end))
    }

    /// After draining nothing is left, and every sum holds.
    pub fn close(&self, at: Instant) -> Checked {
        let left = self.centre.snapshot();
        let empty = left.calls.is_empty() && left.visits.is_empty() && left.ports == 0 && left.sessions == 0;
        must(empty, "nothing is left over", || {
            let (calls, visits) = (left.calls.len(), left.visits.len());
            format!("{calls} calls, {visits} visits, {} ports, {} sessions", left.ports, left.sessions)
        })?;
        must(self.plane.is_idle(), "nothing is left over", || format!("the plane has {:?}, or recordings", self.plane.legs()))?;
        let engaged = left.agents.iter().find(|a| a.work.is_some()).map(|a| &a.agent);
        must(engaged.is_none(), "nothing is left over", || format!("{engaged:?} is held by a call"))?;
        self.ledger.close()?;
        let figures = self.figures(at);
        let totals = &figures.totals;
        // Whoever is to be called back waits for the next epoch.
        let put_off = self.promised.len() as u64;
        let quiet = totals.calls.live_now == put_off && totals.visits.waiting == 0 && figures.invariant_breaches == 0;
        must(figures.sums_hold() && quiet, "the figures add up", || format!("{figures:?}"))?;
        let (calls, visits) = (self.ledger.incoming(), self.ledger.visits());
        let same = totals.calls.incoming == calls && totals.visits.offered == visits;
        must(same, "the figures are the facts", || format!("{calls} calls and {visits} visits, the figures {totals:?}"))
    }
}

fn written(entry: &Entry) -> Result<Vec<u8>, Broken> {
    postcard::to_stdvec(entry).map_err(|error| Broken { law: "the journal is written".into(), how: error.to_string() })
}

/// What comes from the phone of somebody who only listens ends no call.
fn supervisors_leave_alone(input: &Input, before: &Snapshot, after: &Snapshot) -> Checked {
    let Input::Sip(sip::Input::Received { flow, .. }) = input else { return Ok(()) };
    let Some(agent) = phones::owner(flow.remote) else { return Ok(()) };
    let third = format!("agent/{}", agent.name());
    let listens = |c: &&CallView| {
        let speaks = c.agent.as_ref() == Some(&agent) || c.third.as_deref() == Some(third.as_str());
        !speaks && c.monitors.iter().any(|(who, _)| *who == agent)
    };
    let ended = before.calls.iter().filter(listens).find(|c| after.calls.iter().all(|a| a.call != c.call));
    must(ended.is_none(), "a supervisor's exit ends no call", || format!("{agent} left {:?}", ended.map(|c| c.call)))
}
