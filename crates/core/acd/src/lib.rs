//! Queues, skills and agents: who takes which call, and every deadline on the way.
//!
//! # The contract
//! [`Acd::handle`] takes one [`Input`] and says what follows from it as [`Output`]s; [`Acd::deadline`] says when it
//! wants [`Input::Due`]. It reads no clock and draws lots from the routing seed only: the same inputs give the same
//! outputs, byte for byte.
//!
//! One input is handled in this order:
//! 1. the input itself (so that an answer that crosses the end of its ringing is an answer);
//! 2. matching of the agents and visits that it woke;
//! 3. whatever is due by `now`, and matching again, until nothing is due.
//!
//! # What always holds ([`Acd::audit`])
//! - No free agent stands beside an open visit that it can take. So an event needs to look only at the agents and
//!   visits that it woke.
//! - A visit is in its queue's line from `Entered` to `Left`, also while it rings; it leaves once.
//! - An agent has at most one offer or conversation; an offer ends once.
//! - Whatever waits has an owner and a deadline (the table is in `agent.rs`).
//!
//! # Decided here
//! - Overflow is a chain without a circle: a visit does not go back to a queue that its call overflowed from, but
//!   ends with `timeout`, cause `loop`. So it does if the target is full or unknown; with `no_agents` if nobody is there.
//! - `Pause` and `LogOut` asked for during a conversation are applied after wrap-up; asked for in wrap-up, they end it.
//!   Asked for while the phone rings, they withdraw the offer.
//! - Inputs about offers, visits and agents that are not (any more) change nothing.
//! - A deadline for trying again, and the interval of announcements, is at least one second, whatever the site file says.

mod agent;
mod agents;
mod audit;
mod bits;
mod board;
mod configure;
mod dispatch;
mod line;
mod offers;
mod place;
mod slab;
mod timers;
mod visit;
mod visits;
mod words;

pub use audit::Breach;
pub use words::*;

use agent::{Agent as AgentRecord, AgentKey, Talk};
use base::{AgentId, Instant, Now, OfferId, QueueId, Random, VisitId};
use board::Board;
use line::Line;
use place::Place;
use slab::Slab;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use timers::{Timer, Timers};
use visit::{Offer, Visit};
use visits::Entry;

/// A retry or an announcement comes no sooner, so that a zero in the site file makes no storm.
const PACE: Duration = Duration::from_secs(1);

/// All queues and agents of one routing pool.
#[derive(Clone, Debug)]
pub struct Acd {
    config: Arc<Config>,
    random: Random,
    agents: Slab<AgentRecord>,
    by_id: BTreeMap<AgentId, AgentKey>,
    visits: BTreeMap<VisitId, Visit>,
    offers: BTreeMap<OfferId, Offer>,
    /// Every visit of a queue, also while it rings.
    lines: BTreeMap<QueueId, Line<Place>>,
    board: Board,
    timers: Timers,
    /// Who became free and what became open in this turn.
    woken_agents: Vec<AgentKey>,
    woken_visits: Vec<VisitId>,
}

/// One input being handled: its moment, and what follows from it.
struct Turn<'a> {
    now: Instant,
    out: &'a mut Vec<Output>,
}

impl Turn<'_> {
    fn say(&mut self, output: Output) {
        self.out.push(output);
    }
}

impl Acd {
    /// Empty until [`Input::Configure`]. The seed decides between agents who are idle since the same instant.
    pub fn new(routing_seed: u64) -> Self {
        Acd {
            config: Arc::default(),
            random: Random::from_seed(routing_seed),
            agents: Slab::default(),
            by_id: BTreeMap::new(),
            visits: BTreeMap::new(),
            offers: BTreeMap::new(),
            lines: BTreeMap::new(),
            board: Board::default(),
            timers: Timers::default(),
            woken_agents: Vec::new(),
            woken_visits: Vec::new(),
        }
    }

    pub fn handle(&mut self, now: Now, input: Input, out: &mut Vec<Output>) {
        let mut turn = Turn { now: now.mono, out };
        self.on_input(input, &mut turn);
        self.dispatch(&mut turn);
        while let Some(timer) = self.timers.pop_due(turn.now) {
            self.on_timer(timer, &mut turn);
            while let Some(timer) = self.timers.pop_due(turn.now) {
                self.on_timer(timer, &mut turn);
            }
            self.dispatch(&mut turn);
        }
    }

    /// When the next [`Input::Due`] is wanted.
    pub fn deadline(&self) -> Option<Instant> {
        self.timers.first()
    }

    fn on_input(&mut self, input: Input, turn: &mut Turn) {
        match input {
            Input::Configure(config) => self.on_configure(config, turn),
            Input::Enqueue { visit, queue, requires, priority_s, waited, lang: _, party: _, caller } => {
                let been = Default::default();
                self.on_enqueue(visit, Entry { queue, asks: requires, priority_s, credit: waited, caller, been }, turn);
            }
            Input::Leave { visit, outcome, cut_off: _ } => self.on_leave(visit, outcome, turn),
            Input::Move { .. } | Input::Prioritise { .. } | Input::CustomerAnswered { .. } => {}
            Input::SetSkills { .. } | Input::SetOpen { .. } => {}
            Input::OfferResult { offer, result } => self.on_offer_result(offer, result, turn),
            Input::OfferRinging { offer } => self.on_offer_ringing(offer, turn),
            Input::Assign { agent, visit, queue } => {
                self.of_agent(&agent, |acd, key| acd.on_assign(key, Talk { visit, queue }, turn))
            }
            Input::Released { agent, cause } => self.of_agent(&agent, |acd, key| acd.on_released(key, cause, turn)),
            Input::Held { agent, held } => self.of_agent(&agent, |acd, key| acd.on_held(key, held, turn)),
            Input::AgentAsked { agent, ask, cause } => self.of_agent(&agent, |acd, key| acd.on_asked(key, ask, cause, turn)),
            Input::Reachable { agent, reachable } => self.of_agent(&agent, |acd, key| acd.on_reachable(key, reachable, turn)),
            Input::Engaged { agent, work } => self.of_agent(&agent, |acd, key| acd.on_engaged(key, work)),
            Input::Restore { agent, state, reason } => self.of_agent(&agent, |acd, key| acd.on_restore(key, state, reason, turn)),
            Input::Due => {}
        }
    }

    fn on_timer(&mut self, timer: Timer, turn: &mut Turn) {
        match timer {
            Timer::Agent(agent) => self.on_agent_due(agent, turn),
            Timer::Bar(visit, agent) => self.on_bar_due(visit, agent),
            Timer::Age(visit) => self.on_age_due(visit, turn),
            Timer::Announce(visit) => self.on_announce_due(visit, turn),
        }
    }

    fn of_agent(&mut self, id: &AgentId, then: impl FnOnce(&mut Self, AgentKey)) {
        if let Some(key) = self.by_id.get(id).copied() {
            then(self, key);
        }
    }

    /// Every agent of the configuration (and those removed from it who still talk), by id.
    pub fn agents(&self) -> impl Iterator<Item = AgentView> {
        self.by_id.values().map(|key| self.agents[key.0].view())
    }

    pub fn agent(&self, agent: &AgentId) -> Option<AgentView> {
        self.by_id.get(agent).map(|key| self.agents[key.0].view())
    }

    /// Every waiting visit, also those that ring, by id.
    pub fn visits(&self) -> impl Iterator<Item = VisitView> {
        self.visits.iter().map(|(id, v)| v.view(*id, self.timers.at(Timer::Age(*id))))
    }

    /// Visits that wait in this queue, also those that ring.
    pub fn queue_len(&self, queue: &QueueId) -> usize {
        self.lines.get(queue).map_or(0, Line::len)
    }

    /// The visit's position in its queue's line, from 1.
    pub fn position(&self, visit: VisitId) -> Option<u32> {
        let v = self.visits.get(&visit)?;
        let rank = self.lines.get(&v.queue)?.rank(&v.place)?;
        Some(u32::try_from(rank).unwrap_or(u32::MAX).saturating_add(1))
    }
}
