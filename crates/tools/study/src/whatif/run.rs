//! One side of one seed: a day of the log under these configurations, each tenant for itself.

use super::draw::{Deck, number_of};
use super::{Changed, Chronicle, Epoch};
use crate::people::Caller;
use crate::world::{Plan, World};
use acd::{Config, Input};
use base::{AgentId, Instant, Tenant};
use metrics::Interval;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub struct Side<'a> {
    pub epoch: &'a Epoch,
    pub deck: &'a Deck,
    pub configs: &'a [(Instant, Changed)],
    pub seed: u64,
}

impl Side<'_> {
    pub fn run(&self) -> Interval {
        let Some(first) = self.epoch.first() else { return Interval::default() };
        let callers = self.deck.callers(&self.epoch.day, first, self.seed);
        let queues = self.configs.iter().flat_map(|(_, c)| c.config.queues.keys().map(|id| id.tenant()));
        let agents = self.configs.iter().flat_map(|(_, c)| c.config.agents.keys().map(AgentId::tenant));
        let tenants: BTreeSet<Tenant> = queues.chain(agents).chain(callers.iter().map(|c| c.queue.tenant())).collect();
        let mut sum = Interval::default();
        for tenant in &tenants {
            let theirs = callers.iter().filter(|caller| caller.queue.tenant() == *tenant).cloned();
            sum.merge(&self.run_tenant(tenant, theirs.collect()));
        }
        sum
    }

    /// A lot that the core itself draws, as between agents who are free since the same moment, is the tenant's own too.
    fn run_tenant(&self, tenant: &Tenant, callers: Vec<Caller>) -> Interval {
        let (day, seed) = (&self.epoch.day, self.seed ^ number_of(tenant.as_str()));
        let mut configs = self.configs.iter().map(|(at, changed)| (*at, Arc::new(of_tenant(&changed.config, tenant))));
        let Some((_, config)) = configs.next() else { return Interval::default() };
        let mut schedule: Vec<(Instant, Input)> = configs.map(|(at, config)| (at, Input::Configure(config))).collect();
        schedule.extend(self.acts(tenant));
        let plan = Plan { config: config.clone(), routing_seed: seed, start: day.start, lines: None, schedule };
        let mut chronicle = Chronicle::of(config, day.start);
        let mut world = World::new(plan, callers.into_iter(), self.deck.staff(seed), &mut chronicle);
        world.run(Some(day.end.mono), &mut chronicle);
        chronicle.close()
    }

    /// What the log has, and the same by whoever is new and follows an example.
    fn acts(&self, tenant: &Tenant) -> Vec<(Instant, Input)> {
        let follows: BTreeMap<&AgentId, &AgentId> = self.configs.iter().flat_map(|(_, c)| &c.follows).collect();
        let mut acts = Vec::new();
        for (at, act) in self.epoch.day.acts.iter().filter(|(_, act)| tenant_of(act).as_ref() == Some(tenant)) {
            acts.push((*at, act.clone()));
            let followers = follows.iter().filter(|(_, example)| of_agent(act) == Some(**example));
            acts.extend(followers.map(|(new, _)| (*at, as_if_of(act, new))));
        }
        acts
    }
}

/// Logins are in the log, also those that the site makes.
fn of_tenant(config: &Config, tenant: &Tenant) -> Config {
    let mut config = config.clone();
    config.queues.retain(|id, _| id.tenant() == *tenant);
    config.agents.retain(|id, _| id.tenant() == *tenant);
    config.agents.values_mut().for_each(|agent| agent.starts_logged_in = false);
    config
}

fn tenant_of(act: &Input) -> Option<Tenant> {
    match act {
        Input::SetOpen { queue, .. } => Some(queue.tenant()),
        Input::SetSkills { agent, .. } => Some(agent.tenant()),
        other => of_agent(other).map(AgentId::tenant),
    }
}

fn of_agent(act: &Input) -> Option<&AgentId> {
    match act {
        Input::AgentAsked { agent, .. } | Input::Reachable { agent, .. } | Input::Engaged { agent, .. } => Some(agent),
        _ => None,
    }
}

fn as_if_of(act: &Input, agent: &AgentId) -> Input {
    let agent = agent.clone();
    match act.clone() {
        Input::AgentAsked { ask, cause, .. } => Input::AgentAsked { agent, ask, cause },
        Input::Reachable { reachable, .. } => Input::Reachable { agent, reachable },
        Input::Engaged { work, .. } => Input::Engaged { agent, work },
        other => other,
    }
}
