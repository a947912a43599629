//! The virtual clock around the decision core.
//!
//! ```text
//!  callers ──▶ Enqueue ──▶ ┌─────┐ ──▶ Offer ──▶ the phone's fate ──▶ OfferRinging, OfferResult
//!  patience ─▶ Leave ────▶ │ Acd │ ──▶ accepted ─▶ talk ──▶ Released ──▶ wrap-up ──▶ Ready
//!  schedule ─▶ AgentAsked ▶└─────┘ ──▶ every output to whoever watches
//! ```
//! Of what happens at the same moment, the agenda's order decides; the core's own deadline comes last.

use crate::people::{Caller, Fate, Staff};
use acd::{Acd, Ask, Config, Input, OfferResult, Output};
use base::{AgentId, AgentState, CallId, Cause, Instant, Now, OfferEnd, OfferId, Outcome, QueueId, VisitId};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::iter::Peekable;
use std::sync::Arc;
use std::time::Duration;

/// Sees everything the core says, with the moment and the caller whom it is about.
pub trait Watch {
    fn output(&mut self, now: Now, output: &Output, caller: Option<&Caller>);

    /// A caller came and found every line taken: the core never heard of it.
    fn turned_away(&mut self, _now: Now, _caller: &Caller) {}
}

/// What is fixed before anything happens.
pub struct Plan {
    pub config: Arc<Config>,
    pub routing_seed: u64,
    pub start: Now,
    /// Calls that may be in the house at once, waiting or talking; `None`: any number.
    pub lines: Option<usize>,
    /// What agents, supervisors and reloads do on their own, in any order.
    pub schedule: Vec<(Instant, Input)>,
}

pub struct World<C: Iterator<Item = Caller>, S> {
    acd: Acd,
    config: Arc<Config>,
    start: Now,
    now: Instant,
    lines: Option<usize>,
    callers: Peekable<C>,
    staff: S,
    agenda: BinaryHeap<Reverse<Planned>>,
    planned: u64,
    calls: BTreeMap<u32, Live>,
    last_call: u32,
    /// What follows at this very moment.
    next: VecDeque<Input>,
    out: Vec<Output>,
}

struct Live {
    visit: VisitId,
    caller: Caller,
}

#[derive(Debug)]
struct Planned {
    at: Instant,
    order: u64,
    event: Event,
}

#[derive(Debug)]
enum Event {
    PatienceEnds(u32),
    Phone(OfferId, OfferResult),
    TalkEnds(AgentId, u32),
    WrapUpEnds(AgentId),
    Says(Box<Input>),
}

impl PartialEq for Planned {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.order) == (other.at, other.order)
    }
}

impl Eq for Planned {}

impl Ord for Planned {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.order).cmp(&(other.at, other.order))
    }
}

impl PartialOrd for Planned {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<C: Iterator<Item = Caller>, S: Staff> World<C, S> {
    /// `callers` come in the order of their times. All phones are registered from the start.
    pub fn new(plan: Plan, callers: C, staff: S, watch: &mut impl Watch) -> Self {
        let mut world = World {
            acd: Acd::new(plan.routing_seed),
            config: plan.config.clone(),
            start: plan.start,
            now: plan.start.mono,
            lines: plan.lines,
            callers: callers.peekable(),
            staff,
            agenda: BinaryHeap::new(),
            planned: 0,
            calls: BTreeMap::new(),
            last_call: 0,
            next: VecDeque::new(),
            out: Vec::new(),
        };
        let agents: Vec<AgentId> = plan.config.agents.keys().cloned().collect();
        world.tell(Input::Configure(plan.config), watch);
        for agent in agents {
            world.tell(Input::Reachable { agent, reachable: true }, watch);
        }
        for (at, input) in plan.schedule {
            world.plan(at, Event::Says(Box::new(input)));
        }
        world
    }

    /// Until nobody comes any more and every conversation is over, or until `end`.
    pub fn run(&mut self, end: Option<Instant>, watch: &mut impl Watch) {
        while let Some((at, what)) = self.first() {
            if end.is_some_and(|end| at > end) {
                return;
            }
            self.now = self.now.max(at);
            match what {
                What::Caller => {
                    if let Some(caller) = self.callers.next() {
                        self.on_caller(caller, watch);
                    }
                }
                What::Planned => {
                    if let Some(Reverse(planned)) = self.agenda.pop() {
                        self.on_event(planned.event, watch);
                    }
                }
                What::Due => self.tell(Input::Due, watch),
            }
        }
    }

    pub fn now(&self) -> Now {
        self.clock()
    }

    pub fn acd(&self) -> &Acd {
        &self.acd
    }

    fn clock(&self) -> Now {
        Now { mono: self.now, wall: self.start.wall.plus(self.now.since(self.start.mono)) }
    }

    fn first(&mut self) -> Option<(Instant, What)> {
        let caller = self.callers.peek().map(|c| (c.at, What::Caller));
        let planned = self.agenda.peek().map(|Reverse(p)| (p.at, What::Planned));
        // Announcements to nobody would go on for ever: when all is over, the core's deadlines are nobody's.
        let due = self.acd.deadline().map(|at| (at, What::Due)).filter(|_| !self.calls.is_empty() || caller.is_some());
        [caller, planned, due].into_iter().flatten().min_by_key(|(at, _)| *at)
    }

    fn plan(&mut self, at: Instant, event: Event) {
        self.planned += 1;
        self.agenda.push(Reverse(Planned { at, order: self.planned, event }));
    }

    fn on_caller(&mut self, caller: Caller, watch: &mut impl Watch) {
        if self.lines.is_some_and(|lines| self.calls.len() >= lines) {
            return watch.turned_away(self.clock(), &caller);
        }
        self.last_call += 1;
        let n = self.last_call;
        let visit = VisitId { call: CallId { node: 1, epoch: 1, n }, n: 1 };
        if let Some(leaving) = caller.leaves {
            self.plan(caller.at + leaving.after, Event::PatienceEnds(n));
        }
        let enqueue = Input::Enqueue {
            visit,
            queue: caller.queue.clone(),
            requires: caller.requires.clone(),
            priority_s: caller.priority_s,
            waited: caller.credit,
            lang: caller.lang,
            party: caller.party,
            caller: acd::Caller::OnTheLine,
        };
        self.calls.insert(n, Live { visit, caller });
        self.tell(enqueue, watch);
    }

    fn on_event(&mut self, event: Event, watch: &mut impl Watch) {
        match event {
            // Of a caller who talks or has gone the core knows no visit.
            Event::PatienceEnds(call) => {
                if let Some((live, leaving)) = self.calls.get(&call).and_then(|live| Some((live, live.caller.leaves?))) {
                    self.tell(Input::Leave { visit: live.visit, outcome: leaving.outcome, cut_off: None }, watch);
                }
            }
            Event::Phone(offer, result) => self.tell(Input::OfferResult { offer, result }, watch),
            Event::TalkEnds(agent, call) => self.on_talk_ends(agent, call, watch),
            Event::WrapUpEnds(agent) => self.on_wrap_up_ends(agent, watch),
            Event::Says(input) => self.tell(*input, watch),
        }
    }

    /// Wrap-up as long as the caller's plan has it, as far as the rule lets an agent have it.
    fn on_talk_ends(&mut self, agent: AgentId, call: u32, watch: &mut impl Watch) {
        let wrap_up = self.calls.remove(&call).and_then(|live| live.caller.wrap_up);
        let asks = |ask| Input::AgentAsked { agent: agent.clone(), ask, cause: Cause::Requested };
        if wrap_up.is_some_and(|time| !time.is_zero()) {
            self.tell(asks(Ask::WrapUp), watch);
        }
        self.tell(Input::Released { agent: agent.clone(), cause: Cause::CallerHungUp }, watch);
        let Some(end) = wrap_up.map(|time| self.now + time) else { return };
        let wraps_up_until = |acd: &Acd| acd.agent(&agent).filter(|a| a.state == AgentState::WrapUp)?.deadline;
        while let Some(until) = wraps_up_until(&self.acd).filter(|until| *until < end) {
            self.tell(asks(Ask::WrapUp), watch);
            if wraps_up_until(&self.acd) <= Some(until) {
                break;
            }
        }
        self.plan(end, Event::WrapUpEnds(agent));
    }

    /// Ready, or what was asked for meanwhile; a conversation that has to be coded is.
    fn on_wrap_up_ends(&mut self, agent: AgentId, watch: &mut impl Watch) {
        let wraps_up = |acd: &Acd| acd.agent(&agent).filter(|a| a.state == AgentState::WrapUp);
        let Some(view) = wraps_up(&self.acd) else { return };
        let asks = |ask| Input::AgentAsked { agent: agent.clone(), ask, cause: Cause::Requested };
        self.tell(asks(view.pending.unwrap_or(Ask::Ready)), watch);
        if wraps_up(&self.acd).is_some() {
            self.tell(asks(Ask::Code { code: "coded".into() }), watch);
        }
    }

    /// Hands over one input, and whatever follows from it at the same moment.
    fn tell(&mut self, input: Input, watch: &mut impl Watch) {
        self.next.push_back(input);
        while let Some(input) = self.next.pop_front() {
            let mut out = std::mem::take(&mut self.out);
            let now = self.clock();
            self.acd.handle(now, input, &mut out);
            for output in out.drain(..) {
                let call = visit_of(&output).and_then(|visit| self.calls.get(&visit.call.n));
                watch.output(now, &output, call.map(|live| &live.caller));
                self.on_output(output);
            }
            self.out = out;
        }
    }

    fn on_output(&mut self, output: Output) {
        match output {
            Output::Entered { visit, .. } => {
                if let Some(live) = self.calls.get_mut(&visit.call.n) {
                    live.visit = visit;
                }
            }
            Output::Refused { visit, .. } => drop(self.calls.remove(&visit.call.n)),
            Output::Offer { offer, agent, .. } => self.on_offer(offer, agent),
            Output::OfferEnded { offer, agent, end: OfferEnd::Accepted, .. } => {
                let n = offer.visit.call.n;
                if let Some(talk) = self.calls.get(&n).map(|live| live.caller.talk) {
                    self.plan(self.now + talk, Event::TalkEnds(agent, n));
                }
            }
            Output::Left { visit, queue, outcome: Outcome::Callback, waited, .. } => self.on_callback(visit, queue, waited),
            Output::Left { visit, outcome, .. } if !matches!(outcome, Outcome::Answered | Outcome::Overflowed) => {
                self.calls.remove(&visit.call.n);
            }
            Output::AgentChanged { agent, state: AgentState::Paused, cause: Cause::NoAnswer, .. } => {
                if let Some(away) = self.staff.back_after_a_miss(&agent) {
                    self.plan(self.now + away, asks(agent, Ask::Ready));
                }
            }
            Output::AgentChanged { agent, state: AgentState::LoggedOut, cause: Cause::NoAnswer, .. } => {
                if let Some(away) = self.staff.back_after_a_logout(&agent) {
                    self.plan(self.now + away, asks(agent, Ask::LogIn));
                }
            }
            Output::CallCustomer { visit, .. } => self.next.push_back(Input::CustomerAnswered { visit }),
            _ => {}
        }
    }

    /// The place in line is kept by nobody, who never hangs up.
    fn on_callback(&mut self, visit: VisitId, queue: QueueId, waited: Duration) {
        let Some(live) = self.calls.get_mut(&visit.call.n) else { return };
        live.caller.leaves = None;
        let first = self.config.queues.get(&queue).and_then(|q| q.callback).map(|c| c.first).unwrap_or_default();
        self.next.push_back(Input::Enqueue {
            visit: VisitId { n: visit.n.saturating_add(1), ..visit },
            queue,
            requires: live.caller.requires.clone(),
            priority_s: live.caller.priority_s,
            waited: live.caller.credit + waited,
            lang: live.caller.lang,
            party: live.caller.party,
            caller: acd::Caller::Virtual { first, not_before: None },
        });
    }

    fn on_offer(&mut self, offer: OfferId, agent: AgentId) {
        let (after, result) = match self.staff.rung(offer, &agent) {
            Fate::RingsOut => return self.next.push_back(Input::OfferRinging { offer }),
            Fate::Answers(after) => (after, OfferResult::Accepted),
            Fate::Rejects(after, cause) => (after, OfferResult::Rejected(cause)),
            Fate::Unreachable(after) => (after, OfferResult::Unreachable),
        };
        if after.is_zero() {
            return self.next.push_back(Input::OfferResult { offer, result });
        }
        self.next.push_back(Input::OfferRinging { offer });
        self.plan(self.now + after, Event::Phone(offer, result));
    }
}

fn asks(agent: AgentId, ask: Ask) -> Event {
    Event::Says(Box::new(Input::AgentAsked { agent, ask, cause: Cause::Requested }))
}

enum What {
    Caller,
    Planned,
    Due,
}

fn visit_of(output: &Output) -> Option<VisitId> {
    match output {
        Output::Entered { visit, .. }
        | Output::Refused { visit, .. }
        | Output::Left { visit, .. }
        | Output::Announce { visit, .. }
        | Output::CallCustomer { visit, .. }
        | Output::Coded { visit, .. } => Some(*visit),
        Output::Offer { offer, .. } | Output::Withdraw { offer } | Output::OfferEnded { offer, .. } => Some(offer.visit),
        Output::AgentChanged { .. } | Output::AskKept { .. } | Output::AskRefused { .. } => None,
    }
}
