//! Who could take what: the question behind most findings about queues.

use crate::model::{Agent, Site};
use acd::{Change, Queue, Relax};
use base::{Need, QueueId, Requirement, Skill, Tenant};
use ivr::Flow;
use std::collections::BTreeMap;
use std::time::Duration;

/// What visits ask for beside their queue, as far as the flows tell.
pub struct Asked {
    by_queue: BTreeMap<QueueId, Vec<Requirement>>,
    /// Every flow that a number names could be read: nothing else is asked.
    pub whole: bool,
}

impl Asked {
    pub fn of(site: &Site, flows: &BTreeMap<String, Flow>) -> Self {
        let mut by_queue: BTreeMap<QueueId, Vec<Requirement>> = BTreeMap::new();
        for (number, flow) in site.numbers.iter().filter_map(|n| Some((n, flows.get(&n.flow)?))) {
            for used in flow.queues() {
                let Ok(id) = QueueId::new(&number.tenant, &used.name) else { continue };
                let all = used.requires.into_iter().map(|(_, asked)| asked);
                by_queue.entry(id).or_default().extend(all);
            }
        }
        // Who overflows asks there what it asked here; the steps end a chain that goes in a circle.
        for _ in 0..site.queues.len().min(16) {
            for (id, queue) in &site.queues {
                let (Some(to), Some(asked)) = (&queue.overflow_to, by_queue.get(id).cloned()) else { continue };
                by_queue.entry(to.clone()).or_default().extend(asked);
            }
            by_queue.values_mut().for_each(|asked| {
                asked.sort_unstable();
                asked.dedup();
            });
        }
        Asked { by_queue, whole: site.numbers.iter().all(|n| flows.contains_key(&n.flow)) }
    }

    /// True if a flow sends calls here, by itself or by overflow.
    pub fn comes(&self, id: &QueueId) -> bool {
        self.by_queue.contains_key(id)
    }

    /// All that visits of the queue ask for before the first step; what the queue asks alone if no flow tells.
    pub fn at_first(&self, id: &QueueId, queue: &Queue) -> Vec<Requirement> {
        match self.by_queue.get(id) {
            Some(asked) => asked.iter().map(|asked| queue.requires.and(asked)).collect(),
            None => vec![queue.requires.clone()],
        }
    }
}

/// The steps a visit of this age has behind it.
pub fn steps_until(queue: &Queue, age: Duration) -> Vec<&Relax> {
    queue.relax.iter().filter(|step| step.after <= age).collect()
}

/// What is still asked after these steps.
pub fn relaxed(asked: &Requirement, steps: &[&Relax]) -> Requirement {
    let eased = |need: &Need| {
        let mut need = need.clone();
        for step in steps {
            match &step.change {
                Change::Lower { skill, to } if *skill == need.skill => need.at_least = need.at_least.min(*to),
                Change::Drop { skill } if *skill == need.skill => return None,
                _ => {}
            }
        }
        Some(need)
    };
    Requirement::new(asked.needs().iter().filter_map(eased))
}

/// Agents of the queue, and of the groups that these steps widen it to.
pub fn staff<'a>(site: &'a Site, id: &QueueId, steps: &[&Relax]) -> Vec<&'a Agent> {
    let widened = |agent: &Agent| {
        steps.iter().any(|step| matches!(&step.change, Change::Widen { group } if agent.acd.groups.contains(group)))
    };
    let of_tenant = site.agents.iter().filter(|(agent, _)| agent.tenant() == id.tenant());
    of_tenant.map(|(_, agent)| agent).filter(|agent| agent.acd.queues.contains(id) || widened(agent)).collect()
}

/// Whether somebody could take a visit that asks for this, once all the steps were taken.
pub fn anybody_at_last(site: &Site, id: &QueueId, queue: &Queue, asked: &Requirement) -> bool {
    let steps: Vec<&Relax> = queue.relax.iter().collect();
    let asked = relaxed(asked, &steps);
    staff(site, id, &steps).iter().any(|agent| asked.met_by(&agent.acd.skills))
}

/// Every skill that an agent of the tenant has.
pub fn skills<'a>(site: &'a Site, tenant: &Tenant) -> impl Iterator<Item = &'a Skill> {
    let of_tenant = site.agents.iter().filter(move |(id, _)| id.tenant() == *tenant);
    of_tenant.flat_map(|(_, agent)| agent.acd.skills.keys())
}

/// The first need for a skill that nobody of the tenant has.
pub fn unknown_skill<'a>(site: &Site, tenant: &Tenant, asked: &'a Requirement) -> Option<&'a Skill> {
    asked.needs().iter().map(|need| &need.skill).find(|skill| !skills(site, tenant).any(|known| known == *skill))
}

/// Every group that an agent of the tenant is in.
pub fn groups<'a>(site: &'a Site, tenant: &Tenant) -> impl Iterator<Item = &'a str> {
    let of_tenant = site.agents.iter().filter(move |(id, _)| id.tenant() == *tenant);
    of_tenant.flat_map(|(_, agent)| agent.acd.groups.iter().map(|group| &**group))
}
