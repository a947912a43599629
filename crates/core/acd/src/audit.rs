//! What must hold between two inputs, checked against a recount of everything.

mod agents;
mod visits;

use crate::Acd;
use crate::board::{Kind, Profile};
use base::{Now, VisitId};
use std::time::Duration;

/// A deadline may be this late before it counts as missed: `Due` has a way to go.
const GRACE: Duration = Duration::from_secs(1);

/// One broken invariant: an alarm. The names are `one_place`, `one_offer`, `deadline`, `offer_agrees`, `missed_match`,
/// `deserted` and `index`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breach {
    pub invariant: &'static str,
    /// Ids and states, no personal data.
    pub detail: String,
}

struct Findings(Vec<Breach>);

impl Findings {
    fn unless(&mut self, holds: bool, invariant: &'static str, detail: impl FnOnce() -> String) {
        if !holds {
            self.0.push(Breach { invariant, detail: detail() });
        }
    }
}

impl Acd {
    /// Empty if all is well. Costs a walk over all agents and visits: once a second live, after each input in tests.
    pub fn audit(&self, now: Now) -> Vec<Breach> {
        let mut found = Findings(Vec::new());
        self.audit_visits(&mut found);
        self.audit_agents(&mut found);
        self.audit_matches(&mut found);
        self.audit_deserted(&mut found);
        self.audit_counts(&mut found);
        for (at, timer) in self.timers.iter() {
            let late = at + GRACE < now.mono;
            found.unless(!late, "deadline", || format!("{timer:?} was due {:?} ago", now.mono.since(at)));
        }
        let idle = self.woken_agents.is_empty() && self.woken_visits.is_empty() && self.board.stirred.is_empty();
        found.unless(idle && self.board.suspects.is_empty(), "index", || "somebody was woken and not looked at".into());
        found.0
    }

    /// A free agent beside an open visit that it could take: by who they are, not by what the board remembers as heads.
    fn audit_matches(&self, found: &mut Findings) {
        for (profile, p) in self.board.profiles.iter().filter(|(_, p)| p.seats.free() > 0) {
            for (kind, k) in self.board.kinds.iter().filter(|(_, k)| !k.open.is_empty()) {
                if self.board.fits(kind, profile) {
                    self.audit_pairs(p, k, found);
                }
            }
        }
    }

    fn audit_pairs(&self, profile: &Profile, kind: &Kind, found: &mut Findings) {
        for seat in profile.seats.idle().iter() {
            let Some(agent) = self.agents.get(seat.agent.0).filter(|a| !kind.dials || a.dialling.is_none()) else { continue };
            let missed: Option<VisitId> = kind.open.iter().find(|place| !agent.bars(place.visit)).map(|place| place.id);
            let queue = &self.queues[kind.queue.0].id;
            found.unless(missed.is_none(), "missed_match", || format!("{} is free and {missed:?} waits in {queue}", agent.id));
        }
    }

    /// A visit that waits though its queue wants it to leave.
    fn audit_deserted(&self, found: &mut Findings) {
        for (_, v) in self.visits.iter() {
            let queue = &self.queues[v.queue.0];
            let family = self.board.kinds[v.kind].family;
            let stays = queue.leave_empty.is_empty() || v.is_virtual() || !v.offers.is_empty();
            let alone = || self.board.is_alone(family, queue.leave_empty);
            found.unless(stays || !alone(), "deserted", || format!("{} waits in {} for nobody", v.id, queue.id));
        }
    }

    fn audit_counts(&self, found: &mut Findings) {
        for detail in self.board.disagreements(&self.queues) {
            found.unless(false, "index", || detail);
        }
        for (kind, _) in self.board.kinds.iter() {
            let (counted, says) = (self.visits.iter().filter(|(_, v)| v.kind == kind).count(), self.board.visits_of(kind));
            found.unless(counted == says, "index", || format!("kind {kind} says {says} visits, there are {counted}"));
        }
        for (profile, p) in self.board.profiles.iter() {
            let mut census = crate::states::Census::default();
            let members = self.agents.iter().filter(|(_, a)| a.profile == profile);
            members.for_each(|(_, a)| census.add(a.told.state));
            found.unless(census == p.census, "index", || format!("profile {profile} counts {:?}, found {census:?}", p.census));
        }
        let (free, open) = self.board.totals();
        let seated = self.agents.iter().filter(|(_, a)| a.seated.is_some()).count();
        found.unless(free == seated, "index", || format!("{free} seats for {seated} free agents"));
        let wanting = self.visits.iter().filter(|(_, v)| v.open).count();
        found.unless(open == wanting, "index", || format!("{open} open places for {wanting} open visits"));
    }
}
