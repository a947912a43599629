//! Matching: after each input, the agents and visits that it woke, and no others.
//!
//! Before an input no free agent stands beside an open visit that it could take. So whatever can be matched after it
//! involves somebody woken:
//! - a woken agent takes the best score among all its queues. That visit goes to the longest idle of those who can take
//!   it, who need not be the one woken; so the agent is asked again until it is taken or nothing is left for it;
//! - then a woken visit, best score first, goes to the longest idle agent who can take it. No other visit competes
//!   for that agent, or it would have been matched before.

use crate::agent::AgentKey;
use crate::{Acd, Rule, Strategy, Turn};
use base::VisitId;
use std::cmp::Reverse;

impl Acd {
    pub(crate) fn dispatch(&mut self, turn: &mut Turn) {
        while !self.woken_agents.is_empty() || !self.woken_visits.is_empty() {
            let visits = std::mem::take(&mut self.woken_visits);
            for agent in self.woken_in_order() {
                self.match_agent(agent, turn);
            }
            for visit in self.best_first(visits, turn) {
                self.match_visit(visit, Rule::Strategy(Strategy::LongestIdle), None, turn);
            }
        }
    }

    fn woken_in_order(&mut self) -> Vec<AgentKey> {
        let woken = std::mem::take(&mut self.woken_agents);
        let mut seats: Vec<_> = woken.into_iter().map(|key| self.agents[key.0].seat(key)).collect();
        seats.sort_unstable();
        seats.dedup();
        seats.into_iter().map(|seat| seat.agent).collect()
    }

    fn best_first(&self, woken: Vec<VisitId>, turn: &Turn) -> Vec<VisitId> {
        let waiting = woken.into_iter().filter_map(|id| {
            let v = self.visits.get(&id)?;
            Some((Reverse(v.place.score(turn.now, self.board.groups[v.group].weight)), id))
        });
        let mut visits: Vec<_> = waiting.collect();
        visits.sort_unstable();
        visits.dedup();
        visits.into_iter().map(|(_, id)| id).collect()
    }

    fn match_agent(&mut self, key: AgentKey, turn: &mut Turn) {
        while self.agents.get(key.0).is_some_and(|a| a.is_free()) {
            let agent = &self.agents[key.0];
            let Some(best) = self.board.best_visit(agent.profile, turn.now, &agent.barred) else { return };
            self.match_visit(best.visit, Rule::BestScore, Some(key), turn);
        }
    }

    /// `woken`: the agent whose freedom led here; if another one is chosen, idle time was what decided.
    fn match_visit(&mut self, visit: VisitId, rule: Rule, woken: Option<AgentKey>, turn: &mut Turn) {
        let Some(v) = self.visits.get(&visit).filter(|v| v.open) else { return };
        let Some(queue) = self.config.queues.get(&v.queue) else { return };
        let group = v.group;
        match queue.strategy {
            Strategy::RingAll => {
                let seats = self.board.all_free(group, &v.barred);
                let counts: Vec<_> = seats.iter().map(|s| self.counts(visit, s.agent)).collect();
                for (seat, counts) in seats.into_iter().zip(counts) {
                    self.send_offer(visit, seat, Rule::Strategy(Strategy::RingAll), counts, turn);
                }
            }
            _ => {
                let Some(seat) = self.board.longest_idle(group, &v.barred) else { return };
                let rule = if woken.is_some_and(|w| w != seat.agent) { Rule::Strategy(Strategy::LongestIdle) } else { rule };
                let counts = self.counts(visit, seat.agent);
                self.send_offer(visit, seat, rule, counts, turn);
            }
        }
    }

    /// For the why: the agents who could have taken this visit, and the visits that this agent could have taken.
    fn counts(&self, visit: VisitId, key: AgentKey) -> (u32, u32) {
        let Some(v) = self.visits.get(&visit) else { return (0, 0) };
        let agent = &self.agents[key.0];
        let (agents, visits) = self.board.counts(v.group, agent.profile);
        let barred_agents = v.barred.iter().filter(|k| self.board.could_take(v.group, &self.agents[k.0])).count();
        let barred_visits = agent.barred.iter().filter(|id| self.visits.get(id).is_some_and(|v| v.open)).count();
        let less = |all: usize, barred: usize| u32::try_from(all.saturating_sub(barred)).unwrap_or(u32::MAX);
        (less(agents, barred_agents), less(visits, barred_visits))
    }
}
