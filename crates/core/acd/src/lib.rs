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
//! - A visit is in its queue's line from `Entered` to `Left`, also while it rings, is kept for an agent, or its customer
//!   is dialled; it leaves once.
//! - An agent has at most one offer or conversation; an offer ends once.
//! - Whatever waits has an owner and a deadline (the tables are in `agent.rs` and `visit.rs`).
//! - Nobody waits in a queue whose `leave_empty` says that everybody has gone.
//!
//! # Decided here
//! - Overflow is a chain without a circle: a visit does not go back to a queue that its call overflowed from. A queue
//!   that refuses is passed over for the one it overflows to; at the end of the chain the visit ends with `timeout`
//!   (`no_agents` if the first refusal was that). A supervisor's `Move` begins a new chain.
//! - `Pause` and `LogOut` asked for during a conversation are applied after wrap-up; asked for in wrap-up, they end it.
//!   Asked for while the phone rings, they withdraw the offer. The table of all asks is in `asks.rs`.
//! - A step of relaxation that nobody logged in could serve is skipped, and counts again when somebody who could logs in;
//!   delays and raised priority are never skipped. Steps count from a visit's own start; of a callback, and of a caller
//!   who was cut off and is back, from when they first waited.
//! - Who is in a group with a delay waits for the longest such delay; a step that widens to one of the agent's groups
//!   lets it in, whatever delays there are.
//! - A freed agent takes what is kept for it (sticky) first, then the best score. Sticky goes before delays.
//! - Who has waited before is neither dissuaded nor refused because the queue has closed (the table is in `door.rs`).
//! - A callback with nobody on the line is never abandoned nor sent away by `leave_empty`, and waits at most a day. On
//!   the account of one free agent one customer is dialled at a time.
//! - Inputs about offers, visits and agents that are not (any more) change nothing.
//! - A deadline for trying again, and the interval of announcements, is at least one second, whatever the site file says.

mod agent;
mod agents;
mod ahead;
mod announce;
mod asks;
mod audit;
mod bits;
mod board;
mod callbacks;
mod configure;
mod dispatch;
mod door;
mod expect;
mod index;
mod leaving;
mod line;
mod memory;
mod occupancy;
mod offers;
mod place;
mod queue;
mod reasons;
mod seats;
mod slab;
mod states;
mod sticky;
mod timers;
mod views;
mod visit;
mod visits;
mod why;
mod words;
mod wrap_up;

pub use audit::{Breach, Share, Sweep};
pub use words::*;

use agent::{Agent as AgentRecord, AgentKey, Talk};
use base::{AgentId, Instant, Now, PartyId, QueueId, Random, Tenant, Wall};
use board::{Board, Rated};
use dispatch::Scratch;
use index::{Index, Names};
use memory::Memory;
use queue::Queue as QueueRecord;
use reasons::Reasons;
use slab::Slab;
use smallvec::SmallVec;
use std::sync::Arc;
use std::time::Duration;
use sticky::{LastAgent, Lost};
use timers::{Timer, Timers};
use visit::{Bar, Offer, Visit, VisitKey};
use visits::Entry;

/// A retry or an announcement comes no sooner, so that a zero in the site file makes no storm.
const PACE: Duration = Duration::from_secs(1);
/// A callback waits no longer, whatever the queue: nobody hangs up for it.
const CALLBACK_LIFE: Duration = Duration::from_secs(24 * 3_600);
/// Lists of offers kept for the next visit that rings several.
const ROOMY: usize = 256;
/// Callers whose last agent is known, and callers who were cut off and may come back.
const LAST_AGENTS: usize = 100_000;
const LOST_PLACES: usize = 4_096;

/// All queues and agents of one routing pool.
#[derive(Clone, Debug)]
pub struct Acd {
    config: Arc<Config>,
    random: Random,
    queues: Slab<QueueRecord>,
    queue_of: Names<QueueId>,
    agents: Slab<AgentRecord>,
    /// Of the agents, by the same numbers, side by side for those who are only named.
    names: Slab<AgentId>,
    by_id: Names<AgentId>,
    visits: Slab<Visit>,
    visit_of: Index,
    bars: Slab<Bar>,
    board: Board,
    timers: Timers,
    last_agents: Memory<(Tenant, PartyId), LastAgent>,
    lost_places: Memory<(QueueId, PartyId), Lost>,
    /// Who became free and what became open in this turn.
    woken_agents: Vec<AgentKey>,
    woken_visits: Vec<VisitKey>,
    /// Those who were woken are being matched: who becomes free now may be found at once.
    matching: bool,
    scratch: Scratch,
    /// Whom a call rings that rings all.
    everybody: Vec<Rated>,
    reasons: Reasons,
    /// Room for the offers of visits that ring several.
    roomy: Vec<SmallVec<[Offer; 1]>>,
}

/// One input being handled: its moment, and what follows from it.
struct Turn<'a> {
    now: Instant,
    wall: Wall,
    out: &'a mut Vec<Output>,
}

impl Turn<'_> {
    fn say(&mut self, output: Output) {
        self.out.push(output);
    }
}

impl Acd {
    /// Empty until [`Input::Configure`]. The seed decides between agents who are idle since the same instant, and whom
    /// [`Strategy::Random`] chooses.
    pub fn new(routing_seed: u64) -> Self {
        Acd {
            config: Arc::default(),
            random: Random::from_seed(routing_seed),
            queues: Slab::default(),
            queue_of: Names::default(),
            agents: Slab::default(),
            names: Slab::default(),
            by_id: Names::default(),
            visits: Slab::default(),
            visit_of: Index::default(),
            bars: Slab::default(),
            board: Board::default(),
            timers: Timers::default(),
            last_agents: Memory::new(LAST_AGENTS),
            lost_places: Memory::new(LOST_PLACES),
            woken_agents: Vec::new(),
            woken_visits: Vec::new(),
            matching: false,
            scratch: Scratch::default(),
            everybody: Vec::new(),
            reasons: Reasons::default(),
            roomy: Vec::new(),
        }
    }

    pub fn handle(&mut self, now: Now, input: Input, out: &mut Vec<Output>) {
        let mut turn = Turn { now: now.mono, wall: now.wall, out };
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
            Input::Enqueue { visit, queue, requires, priority_s, waited, lang: _, party, caller } => {
                let (aged, been) = (Duration::ZERO, Default::default());
                let entry = Entry { asks: requires, priority_s, credit: waited, aged, party, caller, been };
                self.on_enqueue(visit, queue, entry, turn);
            }
            Input::Leave { visit, outcome, cut_off } => self.on_leave(visit, outcome, cut_off, turn),
            Input::Move { visit, queue } => self.on_move(visit, &queue, turn),
            Input::Prioritise { visit, priority_s } => self.on_prioritise(visit, priority_s, turn),
            Input::CustomerAnswered { visit } => self.on_customer_answered(visit, turn),
            Input::OfferResult { offer, result } => self.on_offer_result(offer, result, turn),
            Input::OfferRinging { offer } => self.on_offer_ringing(offer, turn),
            Input::SetOpen { queue, open } => self.on_set_open(&queue, open),
            Input::Due => {}
            input => self.on_agent_input(input, turn),
        }
    }

    /// Of an agent who is not configured they change nothing.
    fn on_agent_input(&mut self, input: Input, turn: &mut Turn) {
        match input {
            Input::Assign { agent, visit, queue } => {
                self.of_agent(&agent, |acd, key| acd.on_assign(key, Talk::assigned(visit, queue), turn))
            }
            Input::Released { agent, cause } => self.of_agent(&agent, |acd, key| acd.on_released(key, cause, turn)),
            Input::Held { agent, held } => self.of_agent(&agent, |acd, key| acd.on_held(key, held, turn)),
            Input::AgentAsked { agent, ask, cause } => self.of_agent(&agent, |acd, key| acd.on_asked(key, ask, cause, turn)),
            Input::Reachable { agent, reachable } => self.of_agent(&agent, |acd, key| acd.on_reachable(key, reachable, turn)),
            Input::Engaged { agent, work } => self.of_agent(&agent, |acd, key| acd.on_engaged(key, work, turn)),
            Input::SetSkills { agent, skills } => self.of_agent(&agent, |acd, key| acd.on_set_skills(key, skills, turn)),
            Input::Restore { agent, state, reason } => self.of_agent(&agent, |acd, key| acd.on_restore(key, state, reason, turn)),
            _ => {}
        }
    }

    fn on_timer(&mut self, timer: Timer, turn: &mut Turn) {
        match timer {
            Timer::Agent(agent) => self.on_agent_due(agent, turn),
            Timer::Bar(bar) => self.on_bar_due(bar),
            Timer::Age(visit) => self.on_age_due(visit, turn),
            Timer::Step(visit) => self.on_step_due(visit, turn),
            Timer::Kept(_) if base::mutated(base::Mutation::StickyNeverReleased) => {}
            Timer::Kept(visit) => self.release(visit),
            Timer::Callback(visit) => self.on_callback_due(visit, turn),
            Timer::Announce(visit) => self.on_announce_due(visit, turn),
            Timer::Returns => self.on_returns_due(turn.now),
        }
    }

    fn of_agent(&mut self, id: &AgentId, then: impl FnOnce(&mut Self, AgentKey)) {
        if let Some(key) = self.agent_key(id) {
            then(self, key);
        }
    }

    fn on_set_open(&mut self, queue: &QueueId, open: Option<bool>) {
        if let Some(key) = self.queue_key(queue) {
            self.queues[key.0].forced = open;
        }
    }
}
