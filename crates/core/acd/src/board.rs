//! Who could take what: waiting visits grouped by kind, agents by profile.
//!
//! A **family** are the visits of one queue that ask for the same. A **kind** are those of a family that are equally
//! old as the queue's steps count: they are offered to the same agents. A **profile** are the agents with the same
//! skills, queues and groups. Whether a profile can serve a kind is computed once, when the later of the two appears. A
//! decision meets the kinds (or profiles) that are compatible with those that have somebody, 64 at a time, and looks at
//! their heads only.
//!
//! A step of relaxation that nobody logged in could serve is skipped: each kind asks for what the first of its
//! family's steps asks that somebody could serve, from its own step on. That is looked at again when the first agent
//! of a profile logs in or the last one logs out.

mod ahead;
mod check;
mod fronts;
mod kinds;
mod pick;
mod profiles;
#[cfg(test)]
mod tests;

pub(crate) use kinds::Sort;
pub(crate) use pick::{Barred, Few, Head, Rated};
pub(crate) use profiles::Traits;

use crate::LetIn;
use crate::bits::Bits;
use crate::expect::OfFamily;
use crate::index::Index;
use crate::line::Line;
use crate::place::Place;
use crate::queue::{GroupKey, QueueKey, Wish};
use crate::seats::{Orders, Seats};
use crate::slab::Slab;
use crate::states::Census;
use base::Requirement;
use fronts::Fronts;
use smallvec::SmallVec;
use std::collections::BTreeMap;

/// The visits of one queue that ask for the same.
#[derive(Clone, Debug)]
pub(crate) struct Family {
    pub queue: QueueKey,
    /// What they ask for themselves.
    requires: Requirement,
    /// With what the queue asks, at first and after each relaxation. Never empty.
    stages: Vec<Stage>,
    /// By profile, the sum of its levels in the skills asked for at first, if the queue's strategy compares them.
    by_level: bool,
    levels: Vec<u32>,
    kinds: SmallVec<[usize; 2]>,
    pub visits: usize,
    /// Its visits leave when nobody could serve them.
    watched: bool,
    /// Agents at work who could serve it, at once or after some steps.
    pub able: u32,
    pub expect: OfFamily,
}

#[derive(Clone, Debug)]
struct Stage {
    wish: Wish,
    /// Who could serve it, were there no delays.
    profiles: Bits,
}

/// The visits of a family that are offered to the same agents.
#[derive(Clone, Debug)]
pub(crate) struct Kind {
    pub family: usize,
    pub queue: QueueKey,
    /// Steps of the queue's plan behind them.
    step: usize,
    /// Their turn means that a customer is dialled.
    pub dials: bool,
    pub weight: u32,
    /// Groups whose delay is not over.
    locked: Vec<GroupKey>,
    /// The stage that their age has reached, and the one they are offered by: later, if nobody could serve it.
    relaxed: usize,
    stage: usize,
    /// Visits that would take an(other) offer now.
    pub open: Line<Place>,
    visits: usize,
    profiles: Bits,
}

/// The agents with the same skills in the same queues and groups.
#[derive(Clone, Debug)]
pub(crate) struct Profile {
    pub traits: Traits,
    /// Agents who could get an offer now.
    pub seats: Seats,
    pub census: Census,
    kinds: Bits,
    /// Families that it could serve at their last stage.
    families: Bits,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Board {
    pub families: Slab<Family>,
    pub kinds: Slab<Kind>,
    pub profiles: Slab<Profile>,
    /// By queue and by what they ask.
    family_of: Index,
    profile_of: BTreeMap<Traits, usize>,
    /// By queue and by group, the profiles that serve it or are in it.
    serving: Vec<Bits>,
    in_group: Vec<Bits>,
    /// By queue, agents at work who serve it.
    able: Vec<u32>,
    orders: Orders,
    fronts: Fronts,
    /// Families without visits, kept for the next one of their kind.
    deserted_families: usize,
    /// Kinds with an open visit; profiles with a free agent, with one on whose account a customer may be dialled, with
    /// an agent logged in.
    waiting: Bits,
    free: Bits,
    may_dial: Bits,
    present: Bits,
    /// Families with more than one stage, and those that are watched and have visits.
    relaxing: Bits,
    watched: Bits,
    /// Profiles that may serve more than before; families that somebody may have left alone.
    pub stirred: Vec<usize>,
    pub suspects: Vec<usize>,
}

impl Board {
    pub fn new(orders: Orders) -> Self {
        Board { orders, ..Board::default() }
    }

    /// The profile could serve the kind now.
    fn serves(&self, profile: usize, kind: &Kind) -> bool {
        self.serves_at(&self.families[kind.family].stages[kind.stage], profile, kind)
    }

    /// The same, were this the kind's stage.
    fn serves_at(&self, stage: &Stage, profile: usize, kind: &Kind) -> bool {
        let traits = &self.profiles[profile].traits;
        stage.profiles.has(profile)
            && (traits.is_in(&stage.wish.widened) || (traits.serves(kind.queue) && !traits.is_in(&kind.locked)))
    }

    /// The step without which the profile could not serve the kind. Visits kept for an agent wait neither for a step nor
    /// for the delay of a group.
    pub fn let_in(&self, profile: usize, kind: usize) -> Option<LetIn> {
        let k = &self.kinds[kind];
        // The first stage needs no step, and a decision does not look at families otherwise.
        if k.stage == 0 && k.profiles.has(profile) {
            return None;
        }
        let stages = &self.families[k.family].stages;
        let now = stages[..=k.stage].iter().position(|stage| self.serves_at(stage, profile, k));
        let at = now.or_else(|| stages.iter().position(|stage| stage.profiles.has(profile)))?;
        let step = stages[at].wish.by.clone()?;
        Some(LetIn { step, early: at > k.relaxed })
    }

    /// Perhaps nobody is left who could serve visits of this kind, and they leave then.
    pub fn suspect(&mut self, kind: usize) {
        let family = self.kinds[kind].family;
        if self.watched.has(family) {
            self.suspects.push(family);
        }
    }

    /// What the visits of this family ask for themselves.
    pub fn family_asks(&self, family: usize) -> &Requirement {
        &self.families[family].requires
    }

    /// Agents at work who serve the queue.
    pub fn able_in_line(&self, queue: QueueKey) -> u32 {
        self.able.get(queue.0).copied().unwrap_or(0)
    }

    /// A free agent could take a visit of this kind.
    pub fn anyone_free(&self, kind: usize) -> bool {
        self.kinds[kind].profiles.meets(&self.free)
    }

    pub fn fits(&self, kind: usize, profile: usize) -> bool {
        self.kinds[kind].profiles.has(profile)
    }

    /// The profile could serve the family's visits sooner or later.
    pub fn could_serve(&self, family: usize, profile: usize) -> bool {
        self.profiles[profile].families.has(family)
    }
}
