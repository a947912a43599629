//! The board: what it says is compatible, marked, staged and counted; and nobody free beside what they could take.

use super::Findings;
use crate::Acd;
use crate::board::{Kind, Profile};
use crate::queue::QueueKey;
use crate::states::Census;
use base::VisitId;
use std::collections::BTreeMap;

impl Acd {
    pub(super) fn audit_profile(&self, profile: usize, found: &mut Findings) {
        let Some(p) = self.board.profiles.get(profile) else { return };
        for detail in self.board.disagreements_of_profile(profile, p) {
            found.unless(false, "index", || detail);
        }
        if p.seats.free() > 0 {
            self.board.wanting_of(p).for_each(|kind| self.audit_pairs(p, &self.board.kinds[kind], found));
        }
    }

    /// A free agent beside an open visit that it could take: by who they are, not by what the board remembers as heads.
    fn audit_pairs(&self, profile: &Profile, kind: &Kind, found: &mut Findings) {
        for seat in profile.seats.idle().iter() {
            let Some(agent) = self.agents.get(seat.agent.0).filter(|a| !kind.dials || a.dialling.is_none()) else { continue };
            let missed: Option<VisitId> = kind.open.iter().find(|place| !agent.bars(place.visit)).map(|place| place.id);
            let queue = &self.queues[kind.queue.0].id;
            found.unless(missed.is_none(), "missed_match", || format!("{} is free and {missed:?} waits in {queue}", agent.id));
        }
    }

    pub(super) fn audit_kind(&self, kind: usize, found: &mut Findings) {
        let Some(k) = self.board.kinds.get(kind) else { return };
        for detail in self.board.disagreements_of_kind(kind, k, &self.queues) {
            found.unless(false, "index", || detail);
        }
    }

    pub(super) fn audit_family(&self, family: usize, found: &mut Findings) {
        let Some(f) = self.board.families.get(family) else { return };
        for detail in self.board.disagreements_of_family(family, f) {
            found.unless(false, "index", || detail);
        }
    }

    /// The visits in the queue's line, counted by kind.
    pub(super) fn audit_queue(&self, queue: usize, found: &mut Findings) {
        let Some(q) = self.queues.get(queue) else { return };
        let (able, says) = (self.board.serving(QueueKey(queue)), self.board.able_in_line(QueueKey(queue)));
        found.unless(able == says, "index", || format!("{} counts {says} agents at work, there are {able}", q.id));
        let mut counted: BTreeMap<usize, (usize, usize)> = BTreeMap::new();
        for v in q.line.iter().filter_map(|place| self.visits.get(place.visit.0)) {
            let (all, open) = counted.entry(v.kind).or_default();
            (*all, *open) = (*all + 1, *open + usize::from(v.open));
        }
        for (kind, (all, open)) in counted {
            let says = self.board.visits_of(kind);
            found.unless(all == says, "index", || format!("kind {kind} says {says} visits, there are {all}"));
            let places = self.board.kinds.get(kind).map_or(0, |k| k.open.len());
            found.unless(open == places, "index", || format!("kind {kind} has {places} open places for {open} open visits"));
        }
    }

    /// Agents by profile, and those of them who are free.
    pub(super) fn audit_census(&self, found: &mut Findings) {
        let mut counted = vec![(Census::default(), 0); self.board.profiles.slots()];
        for (_, a) in self.agents.iter() {
            let Some((census, seated)) = counted.get_mut(a.profile) else { continue };
            census.add(a.told.state);
            *seated += usize::from(a.seated.is_some());
        }
        for ((profile, p), (census, seated)) in self.board.profiles.iter().map(|(profile, p)| ((profile, p), &counted[profile])) {
            found.unless(*census == p.census, "index", || format!("profile {profile} counts {:?}, found {census:?}", p.census));
            let free = p.seats.free();
            found.unless(free == *seated, "index", || format!("profile {profile} has {free} seats for {seated} free agents"));
        }
    }
}
