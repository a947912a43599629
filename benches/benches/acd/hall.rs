//! The ACD with its clock, a supply of calls, and the two decisions that are measured.
//!
//! - [`Hall::frees`]: everybody talks and calls wait in every queue. A conversation ends (`Released`); the agent has no
//!   wrap-up, is free, and is offered the best of the waiting calls it can take.
//! - [`Hall::comes`]: half of the queues are swamped and their agents talk; the agents of the other half are free. A
//!   call comes to that half (`Enqueue`) and is offered to the agent whom the strategy chooses.
//!
//! Each is one decision: one input that leads to an offer, with all its outputs: the why with its candidates and rivals,
//! and the agent's two or the visit's one change of state. The agent's answer (`Accepted`) is told apart, and so is what
//! puts the hall back as it was: a call joins the line, or the agent is released and nobody waits. The three are a round.

use crate::Event;
use crate::world::{Dice, LANGUAGE_LEVEL, LANGUAGES, QUEUES, Size, Want, asked_by, is_even, person, wanted};
use acd::{
    Acd, Agent, Ask, Caller, Change, Config, Input, OfferResult, Output, Queue, Relax, Strategy, Sweep, Work, WrapUp, WrapUpMode,
};
use base::{
    AgentId, AgentState, CallId, Cause, Need, Now, OfferId, Outcome, PartyId, QueueId, Requirement, Skill, Skills, VisitId,
};
use std::collections::VecDeque;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

/// Short, so that no deadline of a visit comes while it is measured: the deadlines are there and are not due.
const STEP: Duration = Duration::from_micros(1);

/// How the queues decide.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Rules {
    /// As a new queue: longest idle, announcements, a longest wait.
    Plain,
    /// The strategies by turns, and in each queue sticky agents, steps of relaxation and leave-empty.
    Rich,
    /// The same, and every call rings all who can take it.
    RingAll,
}

pub struct Hall {
    acd: Acd,
    now: Now,
    out: Vec<Output>,
    size: Size,
    rules: Rules,
    dice: Dice,
    agents: Vec<AgentId>,
    queues: Vec<QueueId>,
    asks: Vec<Requirement>,
    /// What callers ask for, and what each of them asked for.
    wants: Vec<Want>,
    asked: Vec<Want>,
    /// What is asked of the calm half.
    calm: Vec<Want>,
    /// Who is released, in turn.
    turns: Vec<u32>,
    turn: usize,
    /// Inputs handled so far: released, accepted, enqueued.
    pub handled: [u64; 3],
    /// What was prepared.
    releases: VecDeque<(Input, u32)>,
    calls: VecDeque<(Input, VisitId)>,
}

/// Each sort of input goes through a function of its own, by whose name its instructions are counted. What they do with
/// their number keeps the compiler from making one of the three.
#[inline(never)]
fn decide_released(acd: &mut Acd, now: Now, input: Input, out: &mut Vec<Output>) {
    acd.handle(now, input, out);
    black_box(1);
}

#[inline(never)]
fn decide_accepted(acd: &mut Acd, now: Now, input: Input, out: &mut Vec<Output>) {
    acd.handle(now, input, out);
    black_box(2);
}

#[inline(never)]
fn decide_enqueued(acd: &mut Acd, now: Now, input: Input, out: &mut Vec<Output>) {
    acd.handle(now, input, out);
    black_box(3);
}

impl Hall {
    /// For [`Hall::frees`].
    pub fn busy(size: Size, rules: Rules) -> Hall {
        let mut hall = Hall::staffed(size, rules);
        hall.fill(size.waiting);
        hall
    }

    /// The same before the first call waits.
    pub fn staffed(size: Size, rules: Rules) -> Hall {
        let mut hall = Hall::new(size, rules, wanted(0..size.agents, size));
        (0..size.agents).for_each(|agent| hall.assign(agent));
        hall
    }

    /// For [`Hall::comes`].
    pub fn half_calm(size: Size, rules: Rules) -> Hall {
        let even = |agent: &usize| is_even(*agent, size);
        let mut hall = Hall::new(size, rules, wanted((0..size.agents).filter(even), size));
        (0..size.agents).filter(even).for_each(|agent| hall.assign(agent));
        hall.fill(size.waiting);
        hall.calm = wanted((0..size.agents).filter(|agent| !even(agent)), size);
        hall
    }

    fn new(size: Size, rules: Rules, wants: Vec<Want>) -> Hall {
        let mut dice = Dice::new(7);
        let mut turns: Vec<u32> = (0..size.agents as u32).collect();
        for n in (1..turns.len()).rev() {
            turns.swap(n, dice.below(n as u64 + 1) as usize);
        }
        let config = config(size, rules);
        // The engine names agents and queues by the ids of the configuration.
        let own_ids = |n: usize| config.agents.get_key_value(&agent_id(n)).map(|(id, _)| id.clone());
        let mut hall = Hall {
            acd: Acd::new(7),
            now: Now::default().plus(Duration::from_secs(1)),
            out: Vec::with_capacity(64),
            size,
            rules,
            dice,
            agents: (0..size.agents).filter_map(own_ids).collect(),
            queues: (0..QUEUES).filter_map(|n| config.queues.get_key_value(&queue_id(n)).map(|(id, _)| id.clone())).collect(),
            asks: (0..LANGUAGES).map(|language| requires(language, LANGUAGE_LEVEL)).collect(),
            wants,
            calm: Vec::new(),
            asked: Vec::with_capacity(size.waiting + 1_000_000),
            turns,
            turn: 0,
            handled: [0; 3],
            releases: VecDeque::new(),
            calls: VecDeque::new(),
        };
        hall.feed(Input::Configure(Arc::new(config)));
        for agent in hall.agents.clone() {
            hall.feed(Input::Reachable { agent, reachable: true });
        }
        hall
    }

    /// What the hall itself keeps for its agents and calls, beside the ACD.
    pub fn own_bytes(&self) -> usize {
        let wants = size_of::<Want>() * (self.wants.capacity() + self.asked.capacity() + self.calm.capacity());
        wants + size_of::<Output>() * self.out.capacity() + 4 * self.turns.capacity()
    }

    /// Of the live audit; after the last of a round, how many breaches that one found.
    pub fn audit_share(&self, sweep: &mut Sweep, share: usize) -> Option<usize> {
        let share = self.acd.audit_share(sweep, self.now, share);
        share.whole.then_some(share.found.len())
    }

    pub fn fill(&mut self, waiting: usize) {
        for _ in 0..waiting {
            let want = self.dice.one_of(&self.wants);
            let (call, _) = self.call(want);
            self.enqueue(call);
            assert!(self.offered().is_none(), "everybody who could take it talks");
        }
    }

    fn tick(&mut self) {
        self.out.clear();
        self.now = self.now.plus(STEP);
    }

    fn feed(&mut self, input: Input) {
        self.tick();
        self.acd.handle(self.now, input, &mut self.out);
    }

    fn assign(&mut self, agent: usize) {
        let visit = VisitId { call: CallId { node: 1, epoch: 1, n: u32::MAX - agent as u32 }, n: 0 };
        let queue = Some(self.queues[usize::from(person(agent, self.size).queues[0])].clone());
        self.feed(Input::Assign { agent: self.agents[agent].clone(), visit, queue });
    }

    fn offered(&self) -> Option<OfferId> {
        self.out.iter().find_map(|o| if let Output::Offer { offer, .. } = o { Some(*offer) } else { None })
    }

    /// A call that is about to come.
    fn call(&mut self, want: Want) -> (Input, VisitId) {
        let visit = VisitId { call: CallId { node: 1, epoch: 1, n: self.asked.len() as u32 }, n: 1 };
        self.asked.push(want);
        let party = (self.rules != Rules::Plain).then(|| PartyId(self.dice.below(100_000)));
        let (queue, requires) = (self.queues[usize::from(want.queue)].clone(), self.asks[usize::from(want.language)].clone());
        let caller = Caller::OnTheLine;
        let waited = Duration::ZERO;
        (Input::Enqueue { visit, queue, requires, priority_s: 0, waited, lang: None, party, caller }, visit)
    }

    fn enqueue(&mut self, call: Input) {
        self.tick();
        self.handled[2] += 1;
        decide_enqueued(&mut self.acd, self.now, call, &mut self.out);
    }

    fn release(&mut self, released: Input) {
        self.tick();
        self.handled[0] += 1;
        decide_released(&mut self.acd, self.now, released, &mut self.out);
    }

    fn released(&self, agent: u32) -> Input {
        Input::Released { agent: self.agents[agent as usize].clone(), cause: Cause::AgentHungUp }
    }

    fn next_release(&mut self) -> (Input, u32) {
        self.turn = (self.turn + 1) % self.turns.len();
        let agent = self.turns[self.turn];
        (self.released(agent), agent)
    }

    fn next_call(&mut self) -> (Input, VisitId) {
        let want = self.dice.one_of(&self.calm);
        self.call(want)
    }

    /// Makes what the next decisions are about, so that making it is not timed.
    pub fn prepare(&mut self, event: Event, decisions: usize) {
        for _ in 0..decisions {
            match event {
                Event::Frees => {
                    let next = self.next_release();
                    self.releases.push_back(next);
                }
                Event::Comes => {
                    let next = self.next_call();
                    self.calls.push_back(next);
                }
            }
        }
    }

    /// What was prepared is about to be decided.
    pub fn read_ahead(&self) {
        let released = self.releases.iter().map(|(input, _)| input);
        self.acd.read_ahead(self.now, released.chain(self.calls.iter().map(|(input, _)| input)));
    }

    /// One decision: an agent becomes free. What was offered.
    pub fn frees(&mut self) -> Option<Decided> {
        let (released, agent) = self.releases.pop_front().unwrap_or_else(|| self.next_release());
        self.release(released);
        Some(Decided { offer: self.offered()?, agent })
    }

    /// One decision: a call comes. What was offered.
    pub fn comes(&mut self) -> Option<Decided> {
        let (call, visit) = self.calls.pop_front().unwrap_or_else(|| self.next_call());
        self.enqueue(call);
        let to = |o: &Output| if let Output::Offer { agent, .. } = o { Some(number_of(agent)) } else { None };
        match (self.offered(), self.out.iter().find_map(to)) {
            (Some(offer), Some(agent)) => Some(Decided { offer, agent }),
            _ => {
                self.feed(Input::Leave { visit, outcome: Outcome::Abandoned, cut_off: None });
                None
            }
        }
    }

    /// The agent takes what was offered. Who else rang rings no more.
    pub fn answers(&mut self, decided: &Decided) {
        self.answer(decided.offer);
    }

    fn answer(&mut self, offer: OfferId) {
        self.tick();
        self.handled[1] += 1;
        let accepted = Input::OfferResult { offer, result: OfferResult::Accepted };
        decide_accepted(&mut self.acd, self.now, accepted, &mut self.out);
    }

    /// After [`Hall::frees`]: the next call asks for the same.
    pub fn call_joins(&mut self, decided: &Decided) {
        let (call, _) = self.call(self.asked[decided.offer.visit.call.n as usize]);
        self.enqueue(call);
        // For somebody who had found nothing to do.
        if let Some(offer) = self.offered() {
            self.answer(offer);
        }
    }

    /// After [`Hall::comes`].
    pub fn call_ends(&mut self, decided: &Decided) {
        self.release(self.released(decided.agent));
    }

    /// Somebody of the calm half makes a call of their own, and takes a break with a reason.
    pub fn is_away(&mut self, reason: &Arc<str>) {
        self.turn = (self.turn + 1) % self.turns.len();
        let agent = &self.agents[self.turns[self.turn] as usize].clone();
        let asked = |ask| Input::AgentAsked { agent: agent.clone(), ask, cause: Cause::Requested };
        self.feed(Input::Engaged { agent: agent.clone(), work: Some(Work::Outbound) });
        self.feed(Input::Engaged { agent: agent.clone(), work: None });
        self.feed(asked(Ask::Pause { reason: reason.clone() }));
        self.feed(asked(Ask::Ready));
    }
}

/// What was offered to whom.
#[derive(Clone, Copy)]
pub struct Decided {
    pub offer: OfferId,
    agent: u32,
}

fn number_of(agent: &AgentId) -> u32 {
    agent.name()[1..].parse().expect("agents are named by their numbers")
}

fn queue_id(n: u16) -> QueueId {
    format!("t/q{n}").parse().expect("a name")
}

fn agent_id(n: usize) -> AgentId {
    format!("t/a{n}").parse().expect("a name")
}

fn skill(n: u8) -> Skill {
    Skill::new(&if n < LANGUAGES { format!("lang:{n}") } else { format!("about:{n}") })
}

fn requires(n: u8, at_least: u8) -> Requirement {
    Requirement::new([Need { skill: skill(n), at_least }])
}

fn config(size: Size, rules: Rules) -> Config {
    let mut config = Config { queues: (0..QUEUES).map(|n| (queue_id(n), queue(n, rules))).collect(), ..Config::default() };
    let skills: Vec<Skill> = (0..crate::world::SKILLS).map(skill).collect();
    for n in 0..size.agents {
        let person = person(n, size);
        let has: Skills = person.skills.iter().map(|(skill, level)| (skills[usize::from(*skill)].clone(), *level)).collect();
        let queues = person.queues.iter().map(|queue| queue_id(*queue)).collect();
        let agent = Agent { skills: has, queues, rank: n as u32 % 10, starts_logged_in: true, ..Agent::default() };
        config.agents.insert(agent_id(n), agent);
    }
    config
}

fn queue(n: u16, rules: Rules) -> Queue {
    let (subject, level) = asked_by(n);
    let plain = Queue {
        requires: requires(subject, level),
        wrap_up: WrapUp { mode: WrapUpMode::None, ..WrapUp::default() },
        overflow_after: Some(Duration::from_secs(3_600)),
        capacity: usize::MAX,
        ..Queue::default()
    };
    if rules == Rules::Plain {
        return plain;
    }
    let strategies = [
        Strategy::LongestIdle,
        Strategy::MostSkilled,
        Strategy::LeastSkilled,
        Strategy::FewestCalls,
        Strategy::LeastOccupied,
        Strategy::RoundRobin,
        Strategy::Random,
        Strategy::TopDown,
    ];
    let lower = Change::Lower { skill: skill(subject), to: 1 };
    let steps = [(600, lower), (900, Change::Raise { seconds: 60 }), (1_200, Change::Drop { skill: skill(subject) })];
    Queue {
        strategy: if rules == Rules::RingAll { Strategy::RingAll } else { strategies[usize::from(n) % strategies.len()] },
        relax: steps.map(|(after, change)| Relax { after: Duration::from_secs(after), change }).into(),
        sticky: Duration::from_secs(20),
        leave_empty: [AgentState::LoggedOut].into(),
        ..plain
    }
}
