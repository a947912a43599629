//! Families and kinds: how visits find their own.

use super::{Board, Family, Kind, Stage};
use crate::Strategy;
use crate::bits::Bits;
use crate::expect::OfFamily;
use crate::line::Line;
use crate::place::Place;
use crate::queue::{Queue, QueueKey};
use crate::states::StateSet;
use base::{Mutation, Requirement, mutated};
use smallvec::SmallVec;

/// Families without visits that are kept for the next of their kind.
const KEPT: usize = 4_096;

/// What sorts a visit into a kind.
pub(crate) struct Sort<'a> {
    pub queue: QueueKey,
    pub asks: &'a Requirement,
    pub step: usize,
    pub dials: bool,
}

impl Board {
    /// A visit joins its kind, which may be new.
    pub fn join(&mut self, sort: &Sort, queue: &Queue) -> usize {
        let family = self.family(sort.queue, sort.asks, queue);
        let kind = self.kind(family, sort, queue);
        self.kinds[kind].visits += 1;
        let f = &mut self.families[family];
        if f.visits == 0 {
            self.deserted_families -= 1;
            self.watched.set(family, f.watched);
        }
        f.visits += 1;
        kind
    }

    /// A visit that is not open leaves its kind.
    pub fn leave(&mut self, kind: usize) {
        let k = &mut self.kinds[kind];
        k.visits -= 1;
        let family = k.family;
        let f = &mut self.families[family];
        f.visits -= 1;
        if f.visits == 0 {
            self.watched.set(family, false);
            self.deserted_families += 1;
            if self.deserted_families > KEPT {
                self.forget_deserted();
            }
        }
    }

    /// Those who ask this of this queue.
    pub fn family(&mut self, key: QueueKey, asks: &Requirement, queue: &Queue) -> usize {
        if let Some(family) = self.family_asking(key, asks) {
            return family;
        }
        let family = self.add_family(key, asks, queue);
        self.family_of.insert(&(key, asks), family);
        family
    }

    pub(super) fn family_asking(&self, key: QueueKey, asks: &Requirement) -> Option<usize> {
        self.family_of
            .find(&(key, asks), |family| self.families.get(family).is_some_and(|f| f.queue == key && f.requires == *asks))
    }

    fn add_family(&mut self, key: QueueKey, asks: &Requirement, queue: &Queue) -> usize {
        let wishes = queue.plan.wishes(queue.config.requires.and(asks));
        let stages: Vec<Stage> = wishes.into_iter().map(|wish| Stage { wish, profiles: Bits::default() }).collect();
        let relaxing = stages.len() > 1;
        let family = self.families.insert(Family {
            queue: key,
            requires: asks.clone(),
            stages,
            by_level: matches!(queue.config.strategy, Strategy::MostSkilled | Strategy::LeastSkilled),
            levels: Vec::new(),
            kinds: SmallVec::new(),
            visits: 0,
            watched: !queue.leave_empty.is_empty(),
            able: 0,
            expect: OfFamily::default(),
        });
        self.deserted_families += 1;
        self.relaxing.set(family, relaxing);
        let f = &mut self.families[family];
        // Nobody else can be let in.
        let groups = f.last().wish.widened.clone();
        let serving = self.serving.get(key.0).into_iter();
        for profiles in serving.chain(groups.iter().filter_map(|group| self.in_group.get(group.0))) {
            for profile in profiles.iter() {
                let p = &mut self.profiles[profile];
                f.meet(profile, &p.traits);
                if f.could_be_served_by(profile) && !p.families.has(family) {
                    p.families.set(family, true);
                    f.able += p.census.at_work();
                }
            }
        }
        family
    }

    fn kind(&mut self, family: usize, sort: &Sort, queue: &Queue) -> usize {
        let same = |k: &usize| self.kinds[*k].step == sort.step && self.kinds[*k].dials == sort.dials;
        if let Some(kind) = self.families[family].kinds.iter().copied().find(same) {
            return kind;
        }
        let relaxed = queue.plan.relaxed(sort.step);
        let kind = self.kinds.insert(Kind {
            family,
            queue: sort.queue,
            step: sort.step,
            dials: sort.dials,
            weight: queue.weight(),
            locked: queue.plan.locked(sort.step),
            relaxed,
            stage: self.families[family].stage_from(relaxed, &self.present),
            open: Line::default(),
            visits: 0,
            profiles: Bits::default(),
        });
        self.families[family].kinds.push(kind);
        self.meet_profiles(kind);
        kind
    }

    /// Asks every profile anew whether it can serve this kind. True if one can that could not before.
    fn meet_profiles(&mut self, kind: usize) -> bool {
        let mut more = false;
        // Steps only ever let more agents in.
        let able = self.families[self.kinds[kind].family].last().profiles.clone();
        for profile in able.iter() {
            let fits = self.serves(profile, &self.kinds[kind]);
            let before = self.kinds[kind].profiles.has(profile);
            if fits != before {
                self.kinds[kind].profiles.set(profile, fits);
                self.profiles[profile].kinds.set(kind, fits);
                if fits && self.free.has(profile) {
                    self.stirred.push(profile);
                }
                more |= fits;
            }
        }
        more
    }

    /// Somebody of a new profile logged in, or the last one out: the steps of these families are looked at again.
    pub(super) fn restage(&mut self, profile: usize) {
        let families: SmallVec<[usize; 8]> = self.profiles[profile].families.common(&self.relaxing).collect();
        for family in families {
            for at in 0..self.families[family].kinds.len() {
                let kind = self.families[family].kinds[at];
                let stage = self.families[family].stage_from(self.kinds[kind].relaxed, &self.present);
                if stage != self.kinds[kind].stage {
                    self.kinds[kind].stage = stage;
                    self.meet_profiles(kind);
                }
            }
        }
    }

    fn forget_deserted(&mut self) {
        let gone: Vec<usize> = self.families.iter().filter(|(_, f)| f.visits == 0).map(|(family, _)| family).collect();
        for family in gone {
            for kind in self.families[family].kinds.clone() {
                self.profiles.iter_mut().for_each(|(_, p)| p.kinds.set(kind, false));
                self.kinds.remove(kind);
            }
            self.profiles.iter_mut().for_each(|(_, p)| p.families.set(family, false));
            self.relaxing.set(family, false);
            let f = &self.families[family];
            self.family_of.remove(&(f.queue, &f.requires), family);
            self.families.remove(family);
        }
        self.suspects.retain(|family| self.families.get(*family).is_some());
        self.deserted_families = 0;
    }

    pub fn set_open(&mut self, kind: usize, place: Place, open: bool) {
        let k = &mut self.kinds[kind];
        if open {
            k.open.insert(place);
        } else {
            k.open.remove(&place);
        }
        if k.open.len() <= 1 {
            self.waiting.set(kind, !k.open.is_empty());
        }
        self.show_front_of_kind(kind);
    }

    /// What a visit of this kind asks for now, after the steps so far.
    pub fn asked(&self, kind: usize) -> &Requirement {
        let k = &self.kinds[kind];
        &self.families[k.family].stages[k.stage].wish.requires
    }

    /// What it asked for at first.
    pub fn asked_at_first(&self, kind: usize) -> &Requirement {
        &self.families[self.kinds[kind].family].stages[0].wish.requires
    }

    pub fn stage(&self, kind: usize) -> usize {
        self.kinds[kind].stage
    }

    /// Every agent who could serve such a visit, at once or after some steps, is in one of these states.
    pub fn is_alone(&self, family: usize, states: StateSet) -> bool {
        let last = self.families[family].last();
        !last.profiles.iter().any(|p| self.profiles[p].census.has_outside(states))
    }

    /// Agents logged in who could serve such a visit, at once or after some steps.
    pub fn present_for(&self, family: usize) -> usize {
        let last = self.families[family].last();
        last.profiles.common(&self.present).map(|p| self.profiles[p].census.logged_in() as usize).sum()
    }
}

impl Family {
    /// A new profile, or a new family: which stages it could serve.
    pub(super) fn meet(&mut self, profile: usize, traits: &super::Traits) {
        for stage in &mut self.stages {
            let lets_in = traits.serves(self.queue) || traits.is_in(&stage.wish.widened);
            let able = || stage.wish.requires.met_by(&traits.skills) || mutated(Mutation::SkillsIgnored);
            let fits = lets_in && able();
            stage.profiles.set(profile, fits);
        }
        if !self.by_level {
            return;
        }
        if self.levels.len() <= profile {
            self.levels.resize(profile + 1, 0);
        }
        let levels = self.stages[0].wish.requires.needs().iter().filter_map(|need| traits.skills.get(&need.skill));
        self.levels[profile] = levels.map(|level| u32::from(*level)).sum();
    }

    /// Steps only ever let more agents in: who is not let in by the last is not by any.
    pub(super) fn could_be_served_by(&self, profile: usize) -> bool {
        self.last().profiles.has(profile)
    }

    pub(super) fn forget(&mut self, profile: usize) {
        self.stages.iter_mut().for_each(|stage| stage.profiles.set(profile, false));
    }

    /// The first stage, from this one on, that somebody logged in could serve; this one if there is none.
    pub(super) fn stage_from(&self, relaxed: usize, present: &Bits) -> usize {
        let ahead = self.stages.iter().enumerate().skip(relaxed);
        let served = |(at, stage): (usize, &Stage)| stage.profiles.meets(present).then_some(at);
        ahead.map(served).find_map(|at| at).unwrap_or(relaxed)
    }

    pub(super) fn level(&self, profile: usize) -> u32 {
        self.levels.get(profile).copied().unwrap_or(0)
    }

    pub(super) fn last(&self) -> &Stage {
        &self.stages[self.stages.len() - 1]
    }
}
