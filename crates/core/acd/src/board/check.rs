//! Where what the board remembers differs from what is so.

use super::{Board, Family, Kind, Profile};
use crate::queue::{Queue, QueueKey};
use crate::slab::Slab;

impl Board {
    /// Of the whole; the rest is by kind, profile and family.
    pub fn disagreements(&self) -> Vec<String> {
        let mut found = Vec::new();
        let deserted = self.families.iter().filter(|(_, f)| f.visits == 0).count();
        if deserted != self.deserted_families {
            found.push(format!("{deserted} families without visits, {} counted", self.deserted_families));
        }
        found
    }

    pub fn disagreements_of_kind(&self, kind: usize, k: &Kind, queues: &Slab<Queue>) -> Vec<String> {
        let mut found = Vec::new();
        self.check_kind(kind, k, queues, &mut found);
        if self.waiting.has(kind) && !self.front_of_kind_agrees(kind) {
            found.push(format!("kind {kind} shows another first than it has"));
        }
        found
    }

    pub fn disagreements_of_profile(&self, profile: usize, p: &Profile) -> Vec<String> {
        let mut found = Vec::new();
        let free = self.free.has(profile) == (p.seats.free() > 0) && self.may_dial.has(profile) == p.seats.may_dial();
        if !free || self.present.has(profile) != (p.census.logged_in() > 0) {
            found.push(format!("profile {profile} is marked wrongly: {} free, {} agents", p.seats.free(), p.census.all()));
        }
        if self.free.has(profile) && !self.front_of_profile_agrees(profile) {
            found.push(format!("profile {profile} shows another first than it has"));
        }
        found
    }

    pub fn disagreements_of_family(&self, family: usize, f: &Family) -> Vec<String> {
        let mut found = Vec::new();
        let visits: usize = f.kinds.iter().map(|kind| self.kinds[*kind].visits).sum();
        let watched = f.watched && visits > 0;
        if visits != f.visits || watched != self.watched.has(family) || (f.stages.len() > 1) != self.relaxing.has(family) {
            found.push(format!("family {family} counts {} visits, its kinds {visits}", f.visits));
        }
        let able: u32 = f.last().profiles.iter().map(|p| self.profiles[p].census.at_work()).sum();
        if able != f.able {
            found.push(format!("family {family} counts {} agents at work, there are {able}", f.able));
        }
        found
    }

    /// Agents at work who serve the queue, counted.
    pub fn serving(&self, queue: QueueKey) -> u32 {
        let serving = self.profiles.iter().filter(|(_, p)| p.traits.serves(queue));
        serving.map(|(_, p)| p.census.at_work()).sum()
    }

    /// Kinds with an open visit that the profile could serve now.
    pub fn wanting_of<'a>(&'a self, p: &'a Profile) -> impl Iterator<Item = usize> + 'a {
        p.kinds.common(&self.waiting)
    }

    fn check_kind(&self, kind: usize, k: &Kind, queues: &Slab<Queue>, found: &mut Vec<String>) {
        let Some(queue) = queues.get(k.queue.0) else { return found.push(format!("kind {kind} is of no queue")) };
        if self.waiting.has(kind) == k.open.is_empty() || k.weight != queue.weight() {
            found.push(format!("kind {kind} of {} is marked wrongly: {} open", queue.id, k.open.len()));
        }
        let family = &self.families[k.family];
        let wishes = queue.plan.wishes(queue.config.requires.and(&family.requires));
        let relaxed = queue.plan.relaxed(k.step);
        let logged_in = |(_, p): &(usize, &Profile)| p.census.logged_in() > 0;
        let lets_in = |p: &Profile, stage: usize| {
            let wish = &wishes[stage];
            (p.traits.serves(k.queue) || p.traits.is_in(&wish.widened)) && wish.requires.met_by(&p.traits.skills)
        };
        let served =
            (relaxed..wishes.len()).find(|stage| self.profiles.iter().filter(logged_in).any(|(_, p)| lets_in(p, *stage)));
        let stage = served.unwrap_or(relaxed);
        if k.stage != stage || k.relaxed != relaxed {
            found.push(format!("kind {kind} of {} is at stage {}, not at {stage}", queue.id, k.stage));
        }
        for (profile, p) in self.profiles.iter() {
            let delayed = p.traits.is_in(&k.locked) && !p.traits.is_in(&wishes[stage].widened);
            let fits = lets_in(p, stage) && !delayed;
            if k.profiles.has(profile) != fits || p.kinds.has(kind) != fits {
                found.push(format!("kind {kind} of {} and profile {profile}: compatible is {fits}", queue.id));
            }
            if p.families.has(k.family) != lets_in(p, wishes.len() - 1) {
                found.push(format!("family {} and profile {profile} disagree", k.family));
            }
        }
    }

    /// The agent is seated as this standing says.
    pub fn is_seated(&self, profile: usize, standing: &crate::seats::Standing, leaf: u32) -> bool {
        self.profiles.get(profile).is_some_and(|p| p.seats.agree(standing, leaf, self.orders))
    }

    pub fn visits_of(&self, kind: usize) -> usize {
        self.kinds.get(kind).map_or(0, |k| k.visits)
    }
}
