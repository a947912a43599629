//! The ACD with its clock, a supply of calls, and the two decisions that are measured.
//!
//! - [`Hall::frees`]: everybody talks and calls wait in every queue. A conversation ends (`Released`); the agent has no
//!   wrap-up, is free, and is offered the best of the waiting calls it can take; the agent answers (`Accepted`).
//! - [`Hall::comes`]: half of the queues are swamped and their agents talk; the agents of the other half are free. A
//!   call comes to that half (`Enqueue`) and is offered to the agent whom the strategy chooses, who answers.
//!
//! Each is one decision: two inputs and all that follows from them, which is at least six outputs, the why with its
//! candidates and rivals among them. What puts the hall back as it was (a call joins the line; the agent is released and
//! nobody waits) is not part of it, and is told apart.

use crate::world::{Dice, LANGUAGE_LEVEL, LANGUAGES, QUEUES, Size, Want, asked_by, is_even, person, wanted};
use acd::{Acd, Agent, Caller, Change, Config, Input, OfferResult, Output, Queue, Relax, Strategy, WrapUp, WrapUpMode};
use base::{
    AgentId, AgentState, CallId, Cause, Need, Now, OfferId, Outcome, PartyId, QueueId, Requirement, Skill, Skills, VisitId,
};
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
        let mut hall = Hall {
            acd: Acd::new(7),
            now: Now::default().plus(Duration::from_secs(1)),
            out: Vec::with_capacity(64),
            size,
            rules,
            dice,
            agents: (0..size.agents).map(agent_id).collect(),
            queues: (0..QUEUES).map(queue_id).collect(),
            asks: (0..LANGUAGES).map(|language| requires(language, LANGUAGE_LEVEL)).collect(),
            wants,
            calm: Vec::new(),
            asked: Vec::with_capacity(size.waiting + 10_000_000),
            turns,
            turn: 0,
        };
        hall.feed(Input::Configure(Arc::new(config(size, rules))));
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

    pub fn fill(&mut self, waiting: usize) {
        for _ in 0..waiting {
            let want = self.dice.one_of(&self.wants);
            self.enqueue(want);
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

    fn enqueue(&mut self, want: Want) -> VisitId {
        let visit = VisitId { call: CallId { node: 1, epoch: 1, n: self.asked.len() as u32 }, n: 1 };
        self.asked.push(want);
        let party = (self.rules == Rules::Rich).then(|| PartyId(self.dice.below(100_000)));
        let (queue, requires) = (self.queues[usize::from(want.queue)].clone(), self.asks[usize::from(want.language)].clone());
        let caller = Caller::OnTheLine;
        let enqueue = Input::Enqueue { visit, queue, requires, priority_s: 0, waited: Duration::ZERO, lang: None, party, caller };
        self.tick();
        decide_enqueued(&mut self.acd, self.now, enqueue, &mut self.out);
        visit
    }

    fn release(&mut self, agent: AgentId) {
        self.tick();
        let released = Input::Released { agent, cause: Cause::AgentHungUp };
        decide_released(&mut self.acd, self.now, released, &mut self.out);
    }

    /// The agent answers what was offered. What the call had asked for.
    fn accept(&mut self) -> Option<Want> {
        let offer = self.offered()?;
        self.tick();
        let accepted = Input::OfferResult { offer, result: OfferResult::Accepted };
        decide_accepted(&mut self.acd, self.now, accepted, &mut self.out);
        Some(self.asked[offer.visit.call.n as usize])
    }

    /// One decision. What the call had asked for, which the next call asks for again.
    pub fn frees(&mut self) -> Option<Want> {
        self.turn = (self.turn + 1) % self.turns.len();
        let agent = self.agents[self.turns[self.turn] as usize].clone();
        self.release(agent);
        self.accept()
    }

    pub fn call_joins(&mut self, want: Option<Want>) {
        let Some(want) = want else { return };
        self.enqueue(want);
        // For somebody who had found nothing to do.
        self.accept();
    }

    /// One decision. Who talks now.
    pub fn comes(&mut self) -> Option<AgentId> {
        let want = self.dice.one_of(&self.calm);
        let visit = self.enqueue(want);
        let agent = self.out.iter().find_map(|o| if let Output::Offer { agent, .. } = o { Some(agent.clone()) } else { None });
        if agent.is_some() {
            self.accept();
        } else {
            self.feed(Input::Leave { visit, outcome: Outcome::Abandoned, cut_off: false });
        }
        agent
    }

    pub fn call_ends(&mut self, agent: Option<AgentId>) {
        if let Some(agent) = agent {
            self.release(agent);
        }
    }
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
        strategy: strategies[usize::from(n) % strategies.len()],
        relax: steps.map(|(after, change)| Relax { after: Duration::from_secs(after), change }).into(),
        sticky: Duration::from_secs(20),
        leave_empty: [AgentState::LoggedOut].into(),
        ..plain
    }
}
