//! What is asked: the changes to a site, beside what it was.

use acd::{Agent, Config, Queue, Strategy};
use base::{AgentId, QueueId, Skill};
use std::collections::BTreeMap;

/// Applied in this order to each configuration of the day.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// Instead of whatever the site was.
    pub site: Option<Config>,
    /// So many agents more, or fewer, of the commonest profile.
    pub agents: i32,
    /// Of one queue, or of all.
    pub strategies: Vec<(Option<QueueId>, Strategy)>,
    /// Level 0 takes the skill away.
    pub skills: Vec<(AgentId, Skill, u8)>,
}

/// A configuration with the change in it, and whose example its new agents follow.
#[derive(Clone, Debug, Default)]
pub struct Changed {
    pub config: Config,
    pub follows: BTreeMap<AgentId, AgentId>,
    /// For whoever reads the answer.
    pub notes: Vec<String>,
}

impl Change {
    pub fn is_nothing(&self) -> bool {
        self.site.is_none() && self.agents == 0 && self.strategies.is_empty() && self.skills.is_empty()
    }

    /// `worked`: seconds that agents were logged in on the day; those who were not there are nobody's example.
    pub fn apply(&self, was: &Config, worked: &BTreeMap<AgentId, u64>) -> Result<Changed, String> {
        let config = self.site.clone().unwrap_or_else(|| was.clone());
        let mut changed = Changed { config, ..Changed::default() };
        changed.follow_for_new(was, worked);
        if self.agents != 0 {
            changed.staff(self.agents, worked)?;
        }
        for (queue, strategy) in &self.strategies {
            changed.set_strategy(queue.as_ref(), *strategy)?;
        }
        for (agent, skill, level) in &self.skills {
            changed.set_skill(agent, skill, *level)?;
        }
        Ok(changed)
    }
}

impl Changed {
    /// Agents whom only the changed site knows work as somebody of the same queues did, else as somebody of the tenant.
    fn follow_for_new(&mut self, was: &Config, worked: &BTreeMap<AgentId, u64>) {
        for (id, agent) in self.config.agents.iter().filter(|(id, _)| !was.agents.contains_key(*id)) {
            let neighbour = |other: &&AgentId| other.tenant() == id.tenant();
            let alike = |other: &&AgentId| was.agents.get(*other).is_some_and(|o| o.queues == agent.queues);
            let most = |a: &&AgentId| worked.get(*a).copied().unwrap_or(0);
            let neighbours = || worked.keys().filter(neighbour);
            match neighbours().filter(alike).max_by_key(most).or(neighbours().max_by_key(most)) {
                Some(example) => {
                    self.notes.push(format!("agent {id} is new: works when {example} did"));
                    self.follows.insert(id.clone(), example.clone());
                }
                None => self.notes.push(format!(
                    "agent {id} is new and does not work: nobody of {} was logged in on that day, to be an example",
                    id.tenant()
                )),
            }
        }
        let gone: Vec<&str> = worked.keys().filter(|id| !self.config.agents.contains_key(*id)).map(AgentId::as_str).collect();
        if !gone.is_empty() {
            self.notes.push(format!("the changed site has no longer: {}", gone.join(", ")));
        }
    }

    fn staff(&mut self, more: i32, worked: &BTreeMap<AgentId, u64>) -> Result<(), String> {
        if more < 0 {
            return self.let_go(more.unsigned_abs() as usize, worked);
        }
        let (profile, members) = self.commonest(worked).ok_or("nobody was logged in on that day")?;
        let what = described(&profile, members.len());
        for n in 0..more.unsigned_abs() as usize {
            let example = members[n % members.len()].clone();
            let id = self.free_name(&example);
            self.notes.push(format!("{id} more, {what}: works when {example} did"));
            self.config.agents.insert(id.clone(), profile.clone());
            self.follows.insert(id, example);
        }
        Ok(())
    }

    /// Of the commonest profile whoever was there shortest; when it has nobody left, of the next.
    fn let_go(&mut self, many: usize, worked: &BTreeMap<AgentId, u64>) -> Result<(), String> {
        let mut gone = 0;
        while gone < many {
            let next = self.commonest(worked).ok_or_else(|| format!("only {gone} agents were logged in on that day"))?;
            let (profile, members) = next;
            let what = described(&profile, members.len());
            for id in members.iter().rev().take(many - gone) {
                self.notes.push(format!("without {id}, {what}"));
                self.config.agents.remove(id);
                gone += 1;
            }
        }
        Ok(())
    }

    /// The profile that most of those who worked have; of equals the first by name of its members. Whoever was there
    /// longest comes first.
    fn commonest(&self, worked: &BTreeMap<AgentId, u64>) -> Option<(Agent, Vec<AgentId>)> {
        let there = self.config.agents.iter().filter(|(id, _)| worked.contains_key(*id));
        let mut profiles: Vec<(Agent, Vec<AgentId>)> = Vec::new();
        for (id, agent) in there {
            let alike = |p: &Agent| (&p.skills, &p.queues, &p.groups) == (&agent.skills, &agent.queues, &agent.groups);
            match profiles.iter_mut().find(|(profile, _)| alike(profile)) {
                Some((_, members)) => members.push(id.clone()),
                None => profiles.push((agent.clone(), vec![id.clone()])),
            }
        }
        let most = profiles.iter().map(|(_, members)| members.len()).max()?;
        let (profile, mut members) = profiles.into_iter().find(|(_, members)| members.len() == most)?;
        members.sort_by_key(|id| std::cmp::Reverse(worked.get(id).copied().unwrap_or(0)));
        Some((profile, members))
    }

    fn free_name(&self, example: &AgentId) -> AgentId {
        let name = |n: usize| AgentId::new(&example.tenant(), &format!("extra-{n}"));
        let mut free = (1..).filter_map(|n| name(n).ok()).filter(|id| !self.config.agents.contains_key(id));
        free.next().unwrap_or_else(|| example.clone())
    }

    fn set_strategy(&mut self, queue: Option<&QueueId>, strategy: Strategy) -> Result<(), String> {
        let of = |q: &mut Queue| q.strategy = strategy;
        match queue {
            None => self.config.queues.values_mut().for_each(of),
            Some(id) => of(self.config.queues.get_mut(id).ok_or_else(|| format!("there is no queue {id}"))?),
        }
        Ok(())
    }

    fn set_skill(&mut self, agent: &AgentId, skill: &Skill, level: u8) -> Result<(), String> {
        let known = self.config.agents.get_mut(agent).ok_or_else(|| format!("there is no agent {agent}"))?;
        if level == 0 {
            if known.skills.remove(skill).is_none() {
                self.notes.push(format!("agent {agent} had no skill {skill} that could be taken away"));
            }
        } else {
            known.skills.insert(skill.clone(), level.min(10));
        }
        Ok(())
    }
}

fn described(profile: &Agent, members: usize) -> String {
    let skills: Vec<String> = profile.skills.iter().map(|(skill, level)| format!("{skill} {level}")).collect();
    let queues: Vec<String> = profile.queues.iter().map(ToString::to_string).collect();
    let agents = if members == 1 { "1 agent".into() } else { format!("{members} agents") };
    format!("of the commonest profile ({agents}; queues {}; skills {})", queues.join(", "), skills.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracles::house;
    use base::Skills;

    fn worked(config: &Config) -> BTreeMap<AgentId, u64> {
        config.agents.keys().enumerate().map(|(n, id)| (id.clone(), 100 - n as u64)).collect()
    }

    #[test]
    fn one_agent_more_is_one_of_the_commonest_profile_who_works_as_the_longest_of_them_did() {
        let mut config = house::pooled(5);
        let rare = config.agents.keys().next().cloned().unwrap();
        config.agents.get_mut(&rare).unwrap().skills = Skills::from([(Skill::new("lang:pt"), 5)]);
        let changed = Change { agents: 1, ..Change::default() }.apply(&config, &worked(&config)).unwrap();
        assert_eq!(changed.config.agents.len(), 6);
        let (new, example) = changed.follows.first_key_value().unwrap();
        assert_eq!((new.as_str(), example.as_str()), ("study/extra-1", "study/a0001"));
        assert!(changed.config.agents[new].skills.is_empty());
        let fewer = Change { agents: -1, ..Change::default() }.apply(&config, &worked(&config)).unwrap();
        assert_eq!(fewer.config.agents.keys().last().unwrap().as_str(), "study/a0003");
    }

    #[test]
    fn agents_are_let_go_also_beyond_the_commonest_profile_until_nobody_is_left() {
        let mut config = house::pooled(3);
        for (n, agent) in config.agents.values_mut().enumerate() {
            agent.skills = Skills::from([(Skill::new(&format!("only-{n}")), 5)]);
        }
        let fewer = |agents| Change { agents, ..Change::default() }.apply(&config, &worked(&config));
        assert_eq!(fewer(-2).unwrap().config.agents.len(), 1);
        assert_eq!(fewer(-4).unwrap_err(), "only 3 agents were logged in on that day");
    }

    #[test]
    fn a_new_agent_has_an_example_in_the_same_tenant_or_none() {
        let was = house::pooled(2);
        let mut site = was.clone();
        let lone = Agent { queues: vec!["other/desk".parse().unwrap()], ..Agent::default() };
        site.agents.insert("other/new".parse().unwrap(), lone.clone());
        site.agents.insert("study/new".parse().unwrap(), lone);
        let changed = Change { site: Some(site), ..Change::default() }.apply(&was, &worked(&was)).unwrap();
        let follows: Vec<(&str, &str)> = changed.follows.iter().map(|(new, old)| (new.as_str(), old.as_str())).collect();
        assert_eq!(follows, [("study/new", "study/a0000")]);
        let of_other = changed.notes.iter().find(|note| note.contains("other/new")).unwrap();
        assert!(of_other.contains("does not work: nobody of other was logged in"), "{of_other}");
    }

    #[test]
    fn what_is_not_there_cannot_be_changed() {
        let config = house::pooled(1);
        let strange = Change { strategies: vec![(Some("study/no".parse().unwrap()), Strategy::Random)], ..Change::default() };
        assert_eq!(strange.apply(&config, &worked(&config)).unwrap_err(), "there is no queue study/no");
        let skill = ("study/no".parse().unwrap(), Skill::new("x"), 3);
        let strange = Change { skills: vec![skill], ..Change::default() };
        assert_eq!(strange.apply(&config, &worked(&config)).unwrap_err(), "there is no agent study/no");
    }
}
