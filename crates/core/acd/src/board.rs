//! Who could take what: waiting visits grouped by requirement, agents by profile.
//!
//! Whether a profile can serve a group is computed once, when the later of the two appears. A decision meets the
//! groups (or profiles) that are compatible with those that have somebody, 64 at a time, and looks at their heads only.

use crate::agent::{Agent, AgentKey};
use crate::bits::Bits;
use crate::place::Place;
use crate::slab::Slab;
use base::{Instant, QueueId, Requirement, Skills, VisitId};
use std::collections::{BTreeMap, BTreeSet};

/// Empty groups are kept for the next visit of their kind, up to this many groups in all.
const GROUPS_KEPT: usize = 4_096;

/// The visits of one queue that ask for the same.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    pub queue: QueueId,
    pub requires: Requirement,
    pub weight: u32,
    /// Visits that would take an(other) offer now.
    pub open: BTreeSet<Place>,
    /// All its visits, also those that ring.
    visits: usize,
    profiles: Bits,
}

/// The agents with the same skills in the same queues.
#[derive(Clone, Debug)]
pub(crate) struct Profile {
    pub skills: Skills,
    pub queues: Vec<QueueId>,
    /// Agents who could get an offer now, longest idle first.
    pub free: BTreeSet<Seat>,
    agents: usize,
    /// How many are logged in.
    present: usize,
    groups: Bits,
}

/// Where a free agent stands: idle since, a lot for those idle since the same instant, the agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Seat {
    pub idle_since: Instant,
    pub lot: u64,
    pub agent: AgentKey,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Board {
    pub groups: Slab<Group>,
    pub profiles: Slab<Profile>,
    group_of: BTreeMap<(QueueId, Requirement), usize>,
    profile_of: BTreeMap<(Skills, Vec<QueueId>), usize>,
    /// Groups with an open visit, profiles with a free agent, profiles with an agent logged in.
    waiting: Bits,
    free: Bits,
    present: Bits,
}

/// The best visit for an agent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Best {
    pub visit: VisitId,
    pub score: i128,
}

impl Board {
    /// A visit joins its group, which may be new.
    pub fn join_group(&mut self, queue: &QueueId, requires: &Requirement, weight: u32) -> usize {
        let key = (queue.clone(), requires.clone());
        let group = match self.group_of.get(&key) {
            Some(group) => *group,
            None => self.add_group(key, weight),
        };
        self.groups[group].visits += 1;
        group
    }

    fn add_group(&mut self, key: (QueueId, Requirement), weight: u32) -> usize {
        let (queue, requires) = key.clone();
        let group =
            self.groups.insert(Group { queue, requires, weight, open: BTreeSet::new(), visits: 0, profiles: Bits::default() });
        self.group_of.insert(key, group);
        for (profile, p) in self.profiles.iter_mut() {
            let fits = serves(p, &self.groups[group]);
            self.groups[group].profiles.set(profile, fits);
            p.groups.set(group, fits);
        }
        group
    }

    /// A visit that is not open leaves its group.
    pub fn leave_group(&mut self, group: usize) {
        let g = &mut self.groups[group];
        g.visits -= 1;
        if g.visits > 0 || self.groups.len() <= GROUPS_KEPT {
            return;
        }
        let g = &self.groups[group];
        self.group_of.remove(&(g.queue.clone(), g.requires.clone()));
        self.profiles.iter_mut().for_each(|(_, p)| p.groups.set(group, false));
        self.groups.remove(group);
    }

    /// An agent joins its profile, which may be new.
    pub fn join_profile(&mut self, skills: &Skills, queues: &[QueueId]) -> usize {
        let mut queues = queues.to_vec();
        queues.sort();
        queues.dedup();
        let key = (skills.clone(), queues);
        let profile = match self.profile_of.get(&key) {
            Some(profile) => *profile,
            None => self.add_profile(key),
        };
        self.profiles[profile].agents += 1;
        profile
    }

    fn add_profile(&mut self, key: (Skills, Vec<QueueId>)) -> usize {
        let (skills, queues) = key.clone();
        let new = Profile { skills, queues, free: BTreeSet::new(), agents: 0, present: 0, groups: Bits::default() };
        let profile = self.profiles.insert(new);
        self.profile_of.insert(key, profile);
        for (group, g) in self.groups.iter_mut() {
            let fits = serves(&self.profiles[profile], g);
            self.profiles[profile].groups.set(group, fits);
            g.profiles.set(profile, fits);
        }
        profile
    }

    /// An agent who is neither free nor present leaves its profile.
    pub fn leave_profile(&mut self, profile: usize) {
        let p = &mut self.profiles[profile];
        p.agents -= 1;
        if p.agents > 0 {
            return;
        }
        let p = &self.profiles[profile];
        self.profile_of.remove(&(p.skills.clone(), p.queues.clone()));
        self.groups.iter_mut().for_each(|(_, g)| g.profiles.set(profile, false));
        self.profiles.remove(profile);
    }

    pub fn set_open(&mut self, group: usize, place: Place, open: bool) {
        let g = &mut self.groups[group];
        if open {
            g.open.insert(place)
        } else {
            g.open.remove(&place)
        };
        self.waiting.set(group, !g.open.is_empty());
    }

    pub fn set_free(&mut self, profile: usize, seat: Seat, free: bool) {
        let p = &mut self.profiles[profile];
        if free {
            p.free.insert(seat)
        } else {
            p.free.remove(&seat)
        };
        self.free.set(profile, !p.free.is_empty());
    }

    pub fn set_present(&mut self, profile: usize, present: bool) {
        let p = &mut self.profiles[profile];
        p.present = if present { p.present + 1 } else { p.present - 1 };
        self.present.set(profile, p.present > 0);
    }

    /// Of all open visits this profile can take, the one with the best score; of equals the earlier.
    pub fn best_visit(&self, profile: usize, now: Instant, barred: &BTreeSet<VisitId>) -> Option<Best> {
        let heads = self.profiles[profile].groups.common(&self.waiting).filter_map(|group| {
            let g = &self.groups[group];
            let place = g.open.iter().find(|p| !barred.contains(&p.visit))?;
            Some(Best { visit: place.visit, score: place.score(now, g.weight) })
        });
        heads.max_by_key(|best| (best.score, std::cmp::Reverse(best.visit)))
    }

    /// Of all free agents who can serve this group, the one idle longest.
    pub fn longest_idle(&self, group: usize, barred: &[AgentKey]) -> Option<Seat> {
        let heads = self.free_profiles(group).filter_map(|p| p.free.iter().find(|seat| !barred.contains(&seat.agent)));
        heads.min().copied()
    }

    /// All free agents who can serve this group, longest idle first.
    pub fn all_free(&self, group: usize, barred: &[AgentKey]) -> Vec<Seat> {
        let free = self.free_profiles(group).flat_map(|p| &p.free);
        let mut seats: Vec<Seat> = free.filter(|seat| !barred.contains(&seat.agent)).copied().collect();
        seats.sort_unstable();
        seats
    }

    /// How many free agents could take a visit of this group, and how many open visits this profile could take.
    pub fn counts(&self, group: usize, profile: usize) -> (usize, usize) {
        let groups = self.profiles[profile].groups.common(&self.waiting);
        let visits = groups.map(|g| self.groups[g].open.len()).sum();
        (self.free_profiles(group).map(|p| p.free.len()).sum(), visits)
    }

    /// Free, and of a profile that can serve the group.
    pub fn could_take(&self, group: usize, agent: &Agent) -> bool {
        agent.seated && self.groups[group].profiles.has(agent.profile)
    }

    fn free_profiles(&self, group: usize) -> impl Iterator<Item = &Profile> {
        self.groups[group].profiles.common(&self.free).map(|p| &self.profiles[p])
    }

    /// Nobody who could serve such a visit is logged in.
    pub fn deserted(&self, queue: &QueueId, requires: &Requirement) -> bool {
        match self.group_of.get(&(queue.clone(), requires.clone())) {
            Some(group) => self.groups[*group].profiles.common(&self.present).next().is_none(),
            None => !self.profiles.iter().any(|(_, p)| p.present > 0 && p.queues.contains(queue) && requires.met_by(&p.skills)),
        }
    }

    /// How many visits each group says it has, for the audit's recount.
    pub fn visits(&self) -> impl Iterator<Item = (usize, usize)> {
        self.groups.iter().map(|(i, g)| (i, g.visits))
    }

    /// How many agents, and how many logged in, each profile says it has.
    pub fn agents(&self) -> impl Iterator<Item = (usize, usize, usize)> {
        self.profiles.iter().map(|(i, p)| (i, p.agents, p.present))
    }

    /// Where what is remembered differs from what is so.
    pub fn disagreements(&self) -> Vec<String> {
        let mut found = Vec::new();
        for (i, g) in self.groups.iter() {
            if self.waiting.has(i) == g.open.is_empty() {
                found.push(format!("group {i} of {} is marked wrongly: {} open", g.queue, g.open.len()));
            }
            for (j, p) in self.profiles.iter() {
                let fits = serves(p, g);
                if g.profiles.has(j) != fits || p.groups.has(i) != fits {
                    found.push(format!("group {i} of {} and profile {j}: compatible is {fits}", g.queue));
                }
            }
        }
        for (j, p) in self.profiles.iter() {
            if self.free.has(j) == p.free.is_empty() || self.present.has(j) != (p.present > 0) {
                found.push(format!("profile {j} is marked wrongly: {} free, {} present", p.free.len(), p.present));
            }
        }
        found
    }
}

fn serves(profile: &Profile, group: &Group) -> bool {
    profile.queues.binary_search(&group.queue).is_ok() && group.requires.met_by(&profile.skills)
}
