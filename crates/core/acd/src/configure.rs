//! A new configuration: the first one, or a reload with calls waiting and agents talking.

use crate::agent::{Agent, AgentKey};
use crate::board::{Board, Traits};
use crate::leaving::End;
use crate::queue::{GroupKey, Groups, Queue};
use crate::seats::Orders;
use crate::timers::Timer;
use crate::visit::{Hold, VisitKey};
use crate::{Acd, Change, Config, Turn};
use base::{Cause, Outcome, Tenant};
use std::collections::BTreeSet;
use std::sync::Arc;

impl Acd {
    pub(crate) fn on_configure(&mut self, config: Arc<Config>, turn: &mut Turn) {
        let gone = |key: &VisitKey| !config.queues.contains_key(&self.queues[self.visits[key.0].queue.0].id);
        let homeless: Vec<VisitKey> = self.visits_by_id().into_iter().filter(gone).collect();
        for key in homeless {
            self.leave(key, End::new(Outcome::System, Cause::Closed), turn);
        }
        self.config = config;
        for key in self.by_id.numbers().map(AgentKey).collect::<Vec<_>>() {
            self.reconfigure_agent(key, turn);
        }
        let groups = group_numbers(&self.config);
        self.reconfigure_queues(&groups);
        self.rebuild_board(&groups, turn);
        self.add_new_agents(&groups, turn);
    }

    fn reconfigure_agent(&mut self, key: AgentKey, turn: &mut Turn) {
        let agent = &mut self.agents[key.0];
        if let Some(config) = self.config.agents.get(&agent.id) {
            agent.configure(config.clone());
            agent.removed = false;
            return;
        }
        agent.removed = true;
        self.release_kept(key);
        if self.agents[key.0].phase.talk().is_none() {
            self.decline_offer(key, Cause::Closed, turn);
            self.log_out(key, Cause::Closed, turn);
        }
    }

    /// Queues that stay keep what was set by a supervisor.
    fn reconfigure_queues(&mut self, groups: &Groups) {
        let config = self.config.clone();
        let gone = self.queue_of.iter().filter(|(id, _)| !config.queues.contains_key(*id));
        for (id, key) in gone.map(|(id, key)| (id.clone(), key)).collect::<Vec<_>>() {
            self.queue_of.remove(&id);
            self.queues.remove(key);
        }
        let sticky = config.queues.iter().filter(|(_, queue)| !queue.sticky.is_zero());
        let remember: BTreeSet<Tenant> = sticky.map(|(id, _)| id.tenant()).collect();
        if !remember.is_empty() {
            self.last_agents.make_room();
        }
        for (id, settings) in &config.queues {
            let mut queue = Queue::new(id.clone(), settings.clone(), groups);
            queue.remembers = remember.contains(&queue.tenant);
            if let Some(key) = self.queue_key(id) {
                queue.forced = self.queues[key.0].forced;
                queue.expect = std::mem::take(&mut self.queues[key.0].expect).emptied();
                self.queues[key.0] = queue;
            } else {
                self.queue_of.insert(id.clone(), self.queues.insert(queue));
            }
        }
    }

    /// Skills, queues, groups, requirements, steps, weights and strategies may all be new: everything finds its kind
    /// again. Who waits keeps its age and what it was told.
    fn rebuild_board(&mut self, groups: &Groups, turn: &Turn) {
        self.board = Board::new(Orders::of(&self.config));
        let agents: Vec<AgentKey> = self.by_id.numbers().map(AgentKey).collect();
        for key in &agents {
            let agent = &mut self.agents[key.0];
            agent.seated = None;
            agent.groups = groups_of(agent, groups);
            let (traits, state) = (self.traits_of(*key), self.agents[key.0].told.state);
            self.agents[key.0].profile = self.board.join_profile(&traits, state);
            self.refresh_seat(*key, turn.now);
        }
        for key in self.visits_by_id() {
            self.find_place_again(key, turn);
        }
        agents.into_iter().for_each(|key| self.review_kept(key));
    }

    /// The lines are empty, the kinds are new.
    fn find_place_again(&mut self, key: VisitKey, turn: &Turn) {
        self.visits[key.0].open = false;
        self.sort(key, turn);
        self.expect_waits_still(key, turn.now);
        self.set_deadlines(key, turn);
        let v = &self.visits[key.0];
        let (kind, until) = (v.kind, v.entered + self.queues[v.queue.0].config.sticky);
        if let Hold::KeptFor(_) = v.hold {
            self.timers.set(Timer::Kept(key), Some(until));
        }
        self.board.suspect(kind);
        self.refresh_open(key);
    }

    fn add_new_agents(&mut self, groups: &Groups, turn: &mut Turn) {
        let config = self.config.clone();
        for (id, settings) in &config.agents {
            if self.agent_key(id).is_some() {
                continue;
            }
            let mut agent = Agent::new(id.clone(), settings.clone(), turn.now);
            agent.groups = groups_of(&agent, groups);
            let state = agent.told.state;
            let key = AgentKey(self.agents.insert(agent));
            self.names.insert(id.clone());
            let traits = self.traits_of(key);
            self.agents[key.0].profile = self.board.join_profile(&traits, state);
            self.by_id.insert(id.clone(), key.0);
            if settings.starts_logged_in {
                self.log_in(key, Cause::BySchedule, turn);
            }
        }
    }

    /// What decides which visits the agent can take: nothing, for whoever is out of the configuration and still talks.
    pub(crate) fn traits_of(&self, key: AgentKey) -> Traits {
        let agent = &self.agents[key.0];
        if agent.removed {
            return Traits::new(agent.skills().clone(), Vec::new(), Vec::new());
        }
        let queues = agent.config.queues.iter().filter_map(|id| self.queue_key(id));
        Traits::new(agent.skills().clone(), queues.collect(), agent.groups.clone())
    }
}

/// Each group that somebody is in or that a queue names.
fn group_numbers(config: &Config) -> Groups {
    let mut groups = Groups::new();
    let mut number = |tenant: &Tenant, group: &crate::Group| {
        let next = GroupKey(groups.len());
        groups.entry((tenant.clone(), group.clone())).or_insert(next);
    };
    for (id, agent) in &config.agents {
        agent.groups.iter().for_each(|group| number(&id.tenant(), group));
    }
    for (id, queue) in &config.queues {
        queue.delays.keys().for_each(|group| number(&id.tenant(), group));
        for relax in &queue.relax {
            if let Change::Widen { group } = &relax.change {
                number(&id.tenant(), group);
            }
        }
    }
    groups
}

fn groups_of(agent: &Agent, groups: &Groups) -> Vec<GroupKey> {
    let tenant = agent.id.tenant();
    let key = |group: &crate::Group| groups.get(&(tenant.clone(), group.clone())).copied();
    agent.config.groups.iter().filter_map(key).collect()
}
