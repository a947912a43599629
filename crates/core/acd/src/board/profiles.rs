//! Profiles: how agents find their own, and what becomes of it when their states change.

use super::{Board, Profile};
use crate::bits::Bits;
use crate::queue::{GroupKey, QueueKey};
use crate::seats::{Seats, Standing};
use crate::states::{Census, is_at_work};
use base::{AgentState, Instant, Skills};

/// What decides which visits an agent can take.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Traits {
    pub skills: Skills,
    /// Both sorted.
    queues: Vec<QueueKey>,
    groups: Vec<GroupKey>,
}

impl Traits {
    pub fn new(skills: Skills, mut queues: Vec<QueueKey>, mut groups: Vec<GroupKey>) -> Self {
        queues.sort_unstable();
        queues.dedup();
        groups.sort_unstable();
        groups.dedup();
        Traits { skills, queues, groups }
    }

    pub fn serves(&self, queue: QueueKey) -> bool {
        self.queues.binary_search(&queue).is_ok()
    }

    /// In one of these groups.
    pub fn is_in(&self, groups: &[GroupKey]) -> bool {
        groups.iter().any(|group| self.groups.binary_search(group).is_ok())
    }
}

impl Board {
    /// An agent in this state joins its profile, which may be new.
    pub fn join_profile(&mut self, traits: &Traits, state: AgentState) -> usize {
        let profile = match self.profile_of.get(traits) {
            Some(profile) => *profile,
            None => self.add_profile(traits.clone()),
        };
        self.move_state(profile, None, Some(state));
        profile
    }

    fn add_profile(&mut self, traits: Traits) -> usize {
        let profile = self.profiles.insert(Profile {
            traits: traits.clone(),
            seats: Seats::default(),
            census: Census::default(),
            kinds: Bits::default(),
            families: Bits::default(),
        });
        self.mark_memberships(profile, true);
        for (family, f) in self.families.iter_mut() {
            f.meet(profile, &traits);
            self.profiles[profile].families.set(family, f.could_be_served_by(profile));
        }
        for kind in 0..self.kinds.slots() {
            let fits = self.kinds.get(kind).is_some_and(|k| self.serves(profile, k));
            if fits {
                self.kinds[kind].profiles.set(profile, true);
                self.profiles[profile].kinds.set(kind, true);
            }
        }
        self.profile_of.insert(traits, profile);
        profile
    }

    /// An agent in this state, who is not free, leaves its profile.
    pub fn leave_profile(&mut self, profile: usize, state: AgentState) {
        self.move_state(profile, Some(state), None);
        let p = &self.profiles[profile];
        if p.census.all() > 0 {
            return;
        }
        self.profile_of.remove(&p.traits);
        self.mark_memberships(profile, false);
        self.families.iter_mut().for_each(|(_, f)| f.forget(profile));
        self.kinds.iter_mut().for_each(|(_, k)| k.profiles.set(profile, false));
        self.stirred.retain(|stirred| *stirred != profile);
        self.profiles.remove(profile);
    }

    fn mark_memberships(&mut self, profile: usize, on: bool) {
        let traits = &self.profiles[profile].traits;
        traits.queues.iter().for_each(|queue| mark(&mut self.serving, queue.0, profile, on));
        traits.groups.iter().for_each(|group| mark(&mut self.in_group, group.0, profile, on));
    }

    /// An agent of this profile goes from one state to another.
    pub fn move_state(&mut self, profile: usize, from: Option<AgentState>, to: Option<AgentState>) {
        let p = &mut self.profiles[profile];
        if let Some(to) = to {
            p.census.add(to);
        }
        if let Some(from) = from {
            p.census.take(from);
            if p.census.of(from) == 0 {
                self.suspects.extend(p.families.common(&self.watched));
            }
        }
        let at_work = |state: Option<AgentState>| state.is_some_and(is_at_work);
        match (at_work(from), at_work(to)) {
            (false, true) => self.count_able(profile, |n| n + 1),
            (true, false) => self.count_able(profile, |n| n - 1),
            _ => {}
        }
        self.after_census(profile);
    }

    /// An agent of this profile began or ended work.
    fn count_able(&mut self, profile: usize, count: impl Fn(u32) -> u32) {
        let p = &self.profiles[profile];
        for family in p.families.iter() {
            let able = &mut self.families[family].able;
            *able = count(*able);
        }
        for queue in &p.traits.queues {
            if self.able.len() <= queue.0 {
                self.able.resize(queue.0 + 1, 0);
            }
            self.able[queue.0] = count(self.able[queue.0]);
        }
    }

    fn after_census(&mut self, profile: usize) {
        let present = self.profiles[profile].census.somebody_is_logged_in();
        if present != self.present.has(profile) {
            self.present.set(profile, present);
            self.restage(profile);
        }
    }

    /// Gives the agent's leaf in the profile's tournament.
    pub fn seat(&mut self, profile: usize, standing: &Standing, now: Instant) -> u32 {
        let leaf = self.profiles[profile].seats.take(standing, self.orders, now);
        self.mark_free(profile);
        leaf
    }

    pub fn unseat(&mut self, profile: usize, standing: &Standing, leaf: u32, now: Instant) {
        self.profiles[profile].seats.leave(standing, leaf, self.orders, now);
        self.mark_free(profile);
    }

    fn mark_free(&mut self, profile: usize) {
        let seats = &self.profiles[profile].seats;
        let (free, may_dial) = (seats.free() > 0, seats.may_dial());
        if self.free.has(profile) != free {
            self.free.set(profile, free);
        }
        if self.may_dial.has(profile) != may_dial {
            self.may_dial.set(profile, may_dial);
        }
        self.show_front_of_profile(profile);
    }
}

fn mark(sets: &mut Vec<Bits>, number: usize, profile: usize, on: bool) {
    if number >= sets.len() {
        sets.resize(number + 1, Bits::default());
    }
    sets[number].set(profile, on);
}
