//! Why a decision was made, and what a waiting visit waits for: for a person to read.

use crate::agent::AgentKey;
use crate::board::{Few, Head, Rated};
use crate::place::millis;
use crate::states::STATES;
use crate::timers::Timer;
use crate::visit::{Hold, VisitKey};
use crate::{Acd, Candidate, Idle, Rival, Rule, Strategy, Turn, Waits, Why};
use base::{AgentId, AgentState, Now, VisitId};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Agents who are free and not offered the visit: as many are named.
const NAMED: usize = 20;

impl Acd {
    pub(crate) fn why(
        &self,
        key: VisitKey,
        chosen: AgentKey,
        rule: Rule,
        (agents, visits): (&Few<Rated>, &Few<Head>),
        turn: &Turn,
    ) -> Why {
        let v = &self.visits[key.0];
        let round_robin = self.queues[v.queue.0].config.strategy == Strategy::RoundRobin;
        let candidate = |rated: &Rated| Candidate {
            agent: self.names[rated.seat.agent.0].clone(),
            // A moment is told in milliseconds.
            value: if round_robin { rated.value() / 1_000_000 } else { rated.value() },
            idle: Idle::since(rated.seat.idle_since, turn.now),
        };
        let own = self.head_of(key, turn.now);
        let rival = |head: &Head| Rival { visit: head.id, score_ms: millis(head.score()) };
        let rivals = match visits.best.contains(&own) {
            true => visits.best.iter().map(rival).collect(),
            false => visits.with_first(own).best.iter().map(rival).collect(),
        };
        Why {
            rule,
            score_ms: millis(own.score()),
            idle: Idle::since(self.agents[chosen.0].idle_since, turn.now),
            agents: u32::try_from(agents.of).unwrap_or(u32::MAX),
            visits: u32::try_from(visits.of).unwrap_or(u32::MAX),
            candidates: agents.best.iter().map(candidate).collect(),
            rivals,
            let_in: self.board.let_in(self.agents[chosen.0].profile, v.kind),
        }
    }

    /// The agent had this caller last.
    pub(crate) fn why_kept(&self, agent: AgentKey, kept: Head, turn: &Turn) -> Why {
        let mut visits = self.rivals(agent, turn).with_first(kept);
        visits.of += self.agents[agent.0].kept.len();
        let seat = self.agents[agent.0].standing(agent).seat;
        let agents = Few::one(Rated::idle(seat));
        self.why(kept.visit, agent, Rule::Sticky, (&agents, &visits), turn)
    }

    /// Of a visit that waits: what for.
    pub fn waits(&self, visit: VisitId, now: Now) -> Option<Waits> {
        let key = self.visit_key(visit)?;
        let v = &self.visits[key.0];
        let (queue, kind) = (&self.queues[v.queue.0], &self.board.kinds[v.kind]);
        let next = queue.plan.next_change(v.step, self.board.stage(v.kind));
        let sticky = match v.hold {
            Hold::KeptFor(agent) => self.timers.at(Timer::Kept(key)).map(|until| (self.agents[agent.0].id.clone(), until)),
            _ => None,
        };
        Some(Waits {
            requires: self.board.asked(v.kind).clone(),
            position: self.position_of(key),
            score_ms: millis(v.place.score(now.mono, kind.weight)),
            agents: self.agents_for(v.kind),
            barred: self.barred_from(key),
            next: next.map(|(age, change)| (v.entered + age.saturating_sub(v.aged), change.clone())),
            sticky,
            expected: self.expected(key),
        })
    }

    fn agents_for(&self, kind: usize) -> BTreeMap<AgentState, u32> {
        let mut by_state = BTreeMap::new();
        for census in self.board.censuses(kind) {
            for state in STATES.into_iter().filter(|state| census.of(*state) > 0) {
                *by_state.entry(state).or_default() += census.of(state);
            }
        }
        by_state
    }

    fn barred_from(&self, key: VisitKey) -> Vec<(AgentId, Arc<str>)> {
        let v = &self.visits[key.0];
        let refused = v.barred.iter().map(|(agent, _)| (&self.agents[agent.0], "it did not take this call a moment ago"));
        let delayed = self.board.delayed(v.kind).map(|seat| (&self.agents[seat.agent.0], "of a group whose delay is not over"));
        let free = refused.chain(delayed).filter(|(agent, _)| agent.is_free());
        free.take(NAMED).map(|(agent, why)| (agent.id.clone(), why.into())).collect()
    }
}
