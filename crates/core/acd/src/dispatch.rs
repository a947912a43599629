//! Matching: after each input, the agents and visits that it woke, and no others.
//!
//! Before an input no free agent stands beside an open visit that it could take. So whatever can be matched after it
//! involves somebody woken:
//! - a woken agent first takes the best of what is kept for it;
//! - then visits are served by score: the best of what any woken agent could take and of the woken visits comes first.
//!   It goes to whom its queue's strategy puts first of those who can take it, who need not be the one woken; no visit
//!   with a better score competes for that agent, or it would have been served before.

use crate::agent::AgentKey;
use crate::board::{Barred, Few, Head, Rated};
use crate::visit::VisitKey;
use crate::{Acd, Rule, Strategy, Turn};
use base::{Instant, Mutation, Random, mutated};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Agents and visits being matched, and families being looked at, kept for their room.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scratch {
    agents: Vec<AgentKey>,
    visits: Vec<Head>,
    turns: BinaryHeap<Reverse<(Head, Waker)>>,
    pub families: Vec<usize>,
}

/// By whom a visit has its turn. Of agents with the same best visit the one idle longest comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Waker {
    Agent { nth: usize, key: AgentKey },
    Itself,
}

impl Acd {
    pub(crate) fn dispatch(&mut self, turn: &mut Turn) {
        loop {
            self.wake_stirred();
            if !self.woken_agents.is_empty() || !self.woken_visits.is_empty() {
                self.match_woken(turn);
            } else if !self.board.suspects.is_empty() {
                self.send_away_the_deserted(turn);
            } else {
                return;
            }
        }
    }

    /// Free agents who may serve more than before.
    fn wake_stirred(&mut self) {
        while let Some(profile) = self.board.stirred.pop() {
            if let Some(p) = self.board.profiles.get(profile) {
                self.woken_agents.extend(p.seats.idle().iter().map(|seat| seat.agent));
            }
        }
    }

    fn match_woken(&mut self, turn: &mut Turn) {
        let mut scratch = std::mem::take(&mut self.scratch);
        self.woken_in_order(&mut scratch, turn);
        self.matching = true;
        match (&*scratch.agents, &*scratch.visits) {
            ([agent], []) => {
                self.take_kept(*agent, turn);
                self.match_agent(*agent, turn);
                // For whom nothing was found.
                self.seat(*agent, turn.now);
            }
            ([], [head]) => {
                self.match_visit(head.visit, None, turn);
                // For which nobody was found.
                self.open(head.visit);
            }
            (agents, visits) => {
                visits.iter().for_each(|head| self.open(head.visit));
                agents.iter().for_each(|agent| self.seat(*agent, turn.now));
                agents.iter().for_each(|agent| self.take_kept(*agent, turn));
                self.match_by_score(&mut scratch, turn);
            }
        }
        self.matching = false;
        scratch.agents.clear();
        scratch.visits.clear();
        self.scratch = scratch;
    }

    /// Longest idle and best score first. Who is woken from here on has its turn in the next round.
    fn woken_in_order(&mut self, scratch: &mut Scratch, turn: &Turn) {
        scratch.agents.append(&mut self.woken_agents);
        let idle = |key: &AgentKey| {
            let a = &self.agents[key.0];
            (a.idle_since, a.lot, *key)
        };
        scratch.agents.sort_unstable_by_key(idle);
        scratch.agents.dedup();
        while let Some(key) = self.woken_visits.pop() {
            if self.visits.get(key.0).is_some() {
                scratch.visits.push(self.head_of(key, turn.now));
            }
        }
        scratch.visits.sort_unstable();
        scratch.visits.dedup();
    }

    fn take_kept(&mut self, key: AgentKey, turn: &mut Turn) {
        if !self.agents.get(key.0).is_some_and(|a| a.is_free()) {
            return;
        }
        if let Some(kept) = self.best_kept(key, turn.now) {
            let why = self.why_kept(key, kept, turn);
            self.send_offer(kept.visit, key, why, turn);
        }
    }

    /// One agent alone: until it is taken or nothing is left for it.
    fn match_agent(&mut self, key: AgentKey, turn: &mut Turn) {
        while self.agents.get(key.0).is_some_and(|a| a.is_free()) {
            let rivals = self.rivals(key, turn);
            let Some(best) = rivals.best.first().copied() else { return };
            if let Some(itself) = self.nobody_else(key, best.visit, turn) {
                let why = self.why(best.visit, key, Rule::BestScore, (&itself, &rivals), turn);
                self.send_offer(best.visit, key, why, turn);
                continue;
            }
            self.seat(key, turn.now);
            if !self.match_visit(best.visit, Some((key, rivals)), turn) {
                return;
            }
        }
    }

    /// This agent, who has no seat yet and can take this open visit, as the queue's strategy sees it, if it has nobody to
    /// choose from: of those who sit, none can take the visit. Whose strategy asks for more than the first must sit down.
    fn nobody_else(&self, key: AgentKey, visit: VisitKey, turn: &Turn) -> Option<Few<Rated>> {
        let (a, v) = (&self.agents[key.0], &self.visits[visit.0]);
        let strategy = self.queues[v.queue.0].config.strategy;
        let draws_or_rings_all = matches!(strategy, Strategy::Random | Strategy::RingAll);
        if a.seated.is_some() || v.dials() || draws_or_rings_all || self.board.anyone_free(v.kind) {
            return None;
        }
        Some(Few::one(self.board.rated(v.kind, a.profile, strategy, &a.standing(key), turn.now)))
    }

    /// Several: whose best visit has the best score comes first. What was best for an agent may be gone when its turn
    /// comes; nothing better has come meanwhile, so it takes its new place further down.
    fn match_by_score(&mut self, scratch: &mut Scratch, turn: &mut Turn) {
        let turns = &mut scratch.turns;
        turns.extend(scratch.visits.iter().map(|head| Reverse((*head, Waker::Itself))));
        for (nth, key) in scratch.agents.iter().enumerate() {
            let best = self.best_of(*key, turn);
            turns.extend(best.map(|head| Reverse((head, Waker::Agent { nth, key: *key }))));
        }
        while let Some(Reverse((head, waker))) = turns.pop() {
            let Waker::Agent { key, .. } = waker else {
                self.match_visit(head.visit, None, turn);
                continue;
            };
            if !self.agents.get(key.0).is_some_and(|a| a.is_free()) {
                continue;
            }
            let rivals = self.rivals(key, turn);
            let next = match rivals.best.first().copied() {
                Some(best) if best == head => {
                    let found = self.match_visit(head.visit, Some((key, rivals)), turn);
                    if found { self.best_of(key, turn) } else { None }
                }
                best => best,
            };
            turns.extend(next.map(|head| Reverse((head, waker))));
        }
    }

    fn best_of(&self, key: AgentKey, turn: &Turn) -> Option<Head> {
        let free = self.agents.get(key.0).is_some_and(|a| a.is_free());
        if free { self.rivals(key, turn).best.first().copied() } else { None }
    }

    /// The visits that this agent could take.
    pub(crate) fn rivals(&self, key: AgentKey, turn: &Turn) -> Few<Head> {
        let agent = &self.agents[key.0];
        let may_dial = agent.dialling.is_none();
        if agent.barred.is_empty() {
            return self.board.best_visits(agent.profile, may_dial, turn.now);
        }
        let mut few = self.board.best_visits_but(agent.profile, may_dial, |visit| agent.bars(visit), turn.now);
        let takes = |v: &crate::visit::Visit| v.open && (may_dial || !v.dials()) && self.board.fits(v.kind, agent.profile);
        few.of -= agent.barred.iter().filter(|(visit, _)| takes(&self.visits[visit.0])).count();
        few
    }

    /// `woken`: the agent whose freedom led here, with what it could take; if another one is chosen, the strategy was
    /// what decided. False if nobody was found, and the visit waits on.
    fn match_visit(&mut self, key: VisitKey, woken: Option<(AgentKey, Few<Head>)>, turn: &mut Turn) -> bool {
        if !self.wants_offer(key) {
            return false;
        }
        let v = &self.visits[key.0];
        let kind = v.kind;
        if v.dials() {
            let Some(agent) = self.board.dialler(kind) else { return false };
            self.call_customer(key, agent, turn);
            return true;
        }
        let strategy = self.queues[v.queue.0].config.strategy;
        let barred = self.barred_of(key);
        let mut agents = self.board.best_agents(kind, strategy, &barred, turn.now);
        if strategy == Strategy::Random {
            self.draw(kind, &barred, &mut agents);
        }
        let Some(chosen) = agents.best.first().map(|rated| rated.seat.agent) else { return false };
        if strategy == Strategy::RingAll {
            self.open(key);
            self.ring_all(key, &barred, agents, turn);
            return true;
        }
        let (rule, rivals) = match woken {
            Some((agent, rivals)) if agent == chosen => (Rule::BestScore, rivals),
            _ if self.visits[key.0].open => (Rule::Strategy(strategy), self.rivals(chosen, turn)),
            _ => (Rule::Strategy(strategy), self.rivals(chosen, turn).and(self.head_of(key, turn.now))),
        };
        let why = self.why(key, chosen, rule, (&agents, &rivals), turn);
        self.send_offer(key, chosen, why, turn);
        true
    }

    pub(crate) fn head_of(&self, key: VisitKey, now: Instant) -> Head {
        let v = &self.visits[key.0];
        Head::new(&v.place, self.board.kinds[v.kind].weight, now)
    }

    fn ring_all(&mut self, key: VisitKey, barred: &Barred, agents: Few<Rated>, turn: &mut Turn) {
        let mut everybody = std::mem::take(&mut self.everybody);
        self.board.all_agents(self.visits[key.0].kind, barred, &mut everybody);
        for rated in everybody.drain(..) {
            let agent = rated.seat.agent;
            let (shown, rivals) = (agents.with_first(rated), self.rivals(agent, turn));
            let why = self.why(key, agent, Rule::Strategy(Strategy::RingAll), (&shown, &rivals), turn);
            self.send_offer(key, agent, why, turn);
        }
        self.everybody = everybody;
    }

    /// One of them, each as likely, comes first.
    fn draw(&mut self, kind: usize, barred: &Barred, agents: &mut Few<Rated>) {
        if mutated(Mutation::RandomUsesEntropy) {
            self.random = Random::from_seed(base::mutation::another());
        }
        if let Some(seat) = self.board.any_agent(kind, barred, agents.of, &mut self.random) {
            *agents = agents.with_first(Rated::idle(seat));
        }
    }

    /// Agents who said no to this visit lately and are free for it otherwise.
    fn barred_of(&self, key: VisitKey) -> Barred {
        let v = &self.visits[key.0];
        let seated = |agent: &AgentKey| {
            let a = &self.agents[agent.0];
            a.seated.filter(|_| self.board.fits(v.kind, a.profile))?;
            Some((a.profile, a.standing(*agent).seat))
        };
        v.barred.iter().filter_map(|(agent, _)| seated(agent)).collect()
    }
}
