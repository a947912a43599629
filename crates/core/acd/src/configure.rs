//! A new configuration: the first one, or a reload with calls waiting and agents talking.

use crate::agent::{Agent, AgentKey};
use crate::board::Board;
use crate::place::Place;
use crate::timers::Timer;
use crate::visits::weight;
use crate::{Acd, Config, PACE, Turn};
use base::{AgentState, Cause, Outcome, VisitId};
use std::sync::Arc;

impl Acd {
    pub(crate) fn on_configure(&mut self, config: Arc<Config>, turn: &mut Turn) {
        self.config = config.clone();
        let homeless = self.visits.iter().filter(|(_, v)| !config.queues.contains_key(&v.queue));
        for visit in homeless.map(|(id, _)| *id).collect::<Vec<_>>() {
            self.leave(visit, Outcome::System, Some(Cause::Closed), None, turn);
        }
        self.lines.retain(|queue, _| config.queues.contains_key(queue));
        for key in self.by_id.values().copied().collect::<Vec<_>>() {
            self.reconfigure_agent(key, turn);
        }
        self.rebuild_board(turn);
        self.add_new_agents(turn);
    }

    fn reconfigure_agent(&mut self, key: AgentKey, turn: &mut Turn) {
        let agent = &mut self.agents[key.0];
        if let Some(config) = self.config.agents.get(&agent.id) {
            agent.config = config.clone();
            agent.removed = false;
            return;
        }
        agent.removed = true;
        if agent.phase.talk().is_none() {
            self.decline_offer(key, Cause::Closed, turn);
            self.log_out(key, Cause::Closed, turn);
        }
    }

    /// Skills, queues, requirements, weights and strategies may all be new: everything finds its group again.
    /// Who waits keeps its age and what it was told.
    fn rebuild_board(&mut self, turn: &Turn) {
        self.board = Board::default();
        self.lines.clear();
        for key in self.by_id.values().copied().collect::<Vec<_>>() {
            let agent = &mut self.agents[key.0];
            agent.profile = self.board.join_profile(&agent.config.skills, &agent.config.queues);
            agent.seated = false;
            if agent.phase.state() != AgentState::LoggedOut {
                self.board.set_present(agent.profile, true);
            }
            self.refresh_seat(key);
        }
        for visit in self.visits.keys().copied().collect::<Vec<_>>() {
            self.replace_visit(visit, turn);
        }
    }

    fn replace_visit(&mut self, visit: VisitId, turn: &Turn) {
        let Some(v) = self.visits.get_mut(&visit) else { return };
        let Some(queue) = self.config.queues.get(&v.queue) else { return };
        v.requires = queue.requires.and(&v.asks);
        v.place = Place::new(visit, v.entered, v.credit, v.priority_s, weight(queue));
        v.group = self.board.join_group(&v.queue, &v.requires, weight(queue));
        v.open = false;
        self.lines.entry(v.queue.clone()).or_default().insert(v.place);
        self.timers.set(Timer::Age(visit), queue.overflow_after.map(|age| v.entered + age));
        let planned = self.timers.at(Timer::Announce(visit));
        let announce = queue.announce.every.map(|every| planned.unwrap_or(turn.now + every.max(PACE)));
        self.timers.set(Timer::Announce(visit), announce);
        self.refresh_open(visit);
    }

    fn add_new_agents(&mut self, turn: &mut Turn) {
        let config = self.config.clone();
        for (id, agent) in &config.agents {
            if self.by_id.contains_key(id) {
                continue;
            }
            let profile = self.board.join_profile(&agent.skills, &agent.queues);
            let key = AgentKey(self.agents.insert(Agent::new(id.clone(), agent.clone(), profile, turn.now)));
            self.by_id.insert(id.clone(), key);
            if agent.starts_logged_in {
                self.log_in(key, Cause::BySchedule, turn);
            }
        }
    }
}
