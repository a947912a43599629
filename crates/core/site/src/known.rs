//! Names that somebody asks for, and whether the site has them.

use crate::model::Site;
use base::{AgentId, QueueId, Tenant};
use ivr::text::nearest;
use std::collections::BTreeSet;
use std::fmt;

/// Whom and what the site names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    tenants: BTreeSet<Tenant>,
    queues: BTreeSet<QueueId>,
    agents: BTreeSet<AgentId>,
}

/// What is asked for by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Name {
    Tenant(Tenant),
    Queue(QueueId),
    Agent(AgentId),
}

/// A name that the site has not, with the one that was probably meant.
///
/// As text `no agent is called acme/anna (did you mean acme/ana?)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stranger {
    pub name: Name,
    pub near: Option<String>,
}

impl Known {
    pub fn of(site: &Site) -> Known {
        Known {
            tenants: site.tenants.iter().cloned().collect(),
            queues: site.queues.keys().cloned().collect(),
            agents: site.agents.keys().cloned().collect(),
        }
    }

    /// None: the site has it.
    pub fn stranger(&self, name: Name) -> Option<Stranger> {
        let near = match &name {
            Name::Tenant(tenant) if self.tenants.contains(tenant) => return None,
            Name::Queue(queue) if self.queues.contains(queue) => return None,
            Name::Agent(agent) if self.agents.contains(agent) => return None,
            Name::Tenant(tenant) => nearest(tenant.as_str(), self.tenants.iter().map(Tenant::as_str)).map(str::to_string),
            Name::Queue(queue) => near(queue.as_str(), self.queues.iter().map(QueueId::as_str)),
            Name::Agent(agent) => near(agent.as_str(), self.agents.iter().map(AgentId::as_str)),
        };
        Some(Stranger { name, near })
    }
}

/// Among those of the same account, or of the one that was probably meant.
fn near<'a>(id: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    let known: Vec<(&str, &str)> = known.filter_map(|id| id.split_once('/')).collect();
    let (tenant, name) = id.split_once('/')?;
    let account = nearest(tenant, known.iter().map(|(tenant, _)| *tenant))?;
    let same = known.iter().filter(|(tenant, _)| *tenant == account);
    nearest(name, same.map(|(_, name)| *name)).map(|name| format!("{account}/{name}"))
}

impl fmt::Display for Stranger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Name::Tenant(tenant) => write!(f, "no account is called {tenant}")?,
            Name::Queue(queue) => write!(f, "no queue is called {queue}")?,
            Name::Agent(agent) => write!(f, "no agent is called {agent}")?,
        }
        self.near.as_ref().map_or(Ok(()), |near| write!(f, " (did you mean {near}?)"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_nobody_has_is_told_with_the_likely_one_of_its_account() {
        let known = Known {
            tenants: ["acme", "globex"].map(|name| name.parse().unwrap()).into(),
            queues: ["acme/support", "globex/billing"].map(|name| name.parse().unwrap()).into(),
            agents: ["acme/ana", "globex/anna"].map(|name| name.parse().unwrap()).into(),
        };
        let tenant = |name: &str| Name::Tenant(name.parse().unwrap());
        let queue = |name: &str| Name::Queue(name.parse().unwrap());
        let agent = |name: &str| Name::Agent(name.parse().unwrap());
        let table = [
            (tenant("acme"), None),
            (queue("acme/support"), None),
            (agent("acme/ana"), None),
            (tenant("globx"), Some("no account is called globx (did you mean globex?)")),
            (queue("acme/suport"), Some("no queue is called acme/suport (did you mean acme/support?)")),
            (agent("acme/anna"), Some("no agent is called acme/anna (did you mean acme/ana?)")),
            (agent("acmee/anna"), Some("no agent is called acmee/anna (did you mean acme/ana?)")),
            (queue("acme/billing"), Some("no queue is called acme/billing")),
            (agent("initech/peter"), Some("no agent is called initech/peter")),
        ];
        for (name, told) in table {
            assert_eq!(known.stranger(name).map(|stranger| stranger.to_string()).as_deref(), told);
        }
    }
}
