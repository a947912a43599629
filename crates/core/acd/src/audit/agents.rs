//! Agents: one offer or conversation each, a deadline where they wait, and a seat if they are free.

use super::Findings;
use crate::Acd;
use crate::agent::{Agent, AgentKey};
use crate::timers::Timer;
use crate::visit::Hold;
use base::{AgentState, Now, VisitId};
use std::collections::BTreeMap;

impl Acd {
    /// `talking`: who talked in which visit when the others were looked at.
    pub(super) fn audit_agent(&self, key: usize, now: Now, talking: &mut BTreeMap<VisitId, AgentKey>, found: &mut Findings) {
        let (Some(a), key) = (self.agents.get(key), AgentKey(key)) else { return };
        self.audit_timer(Timer::Agent(key), now, found);
        found.unless(self.agent_key(&a.id) == Some(key), "index", || format!("{} is not found by its id", a.id));
        found.unless(!a.removed || a.phase.talk().is_some(), "index", || format!("{} is removed and still here", a.id));
        found.unless(a.told.state == a.state(), "index", || format!("{} is {}, told {}", a.id, a.state(), a.told.state));
        self.audit_offer_of(a, found);
        self.audit_deadline_of(key, a, found);
        self.audit_seat_of(key, a, found);
        self.audit_ties_of(key, a, found);
        if let Some(talk) = a.phase.talk().filter(|talk| !talk.assigned) {
            let other = talking.insert(talk.visit, key).and_then(|other| self.agents.get(other.0));
            // Whoever was looked at before may have passed it on since.
            let both = other.filter(|b| b.phase.talk().is_some_and(|t| !t.assigned && t.visit == talk.visit));
            let both = both.map(|b| &b.id).filter(|id| **id != a.id);
            found.unless(both.is_none(), "one_offer", || format!("{} and {both:?} both took {}", a.id, talk.visit));
            let waits = self.visit_key(talk.visit).is_some();
            found.unless(!waits, "one_place", || format!("{} waits and talks", talk.visit));
        }
    }

    fn audit_offer_of(&self, a: &Agent, found: &mut Findings) {
        let Some(ring) = a.phase.ring() else { return };
        let offer = self.visits.get(ring.visit.0).filter(|v| v.id == ring.offer.visit).and_then(|v| v.offer(ring.offer.n));
        let own = offer.is_some_and(|offer| self.agents[offer.agent.0].id == a.id);
        found.unless(own, "offer_agrees", || format!("{} rings for {}, which is over", a.id, ring.offer));
    }

    fn audit_deadline_of(&self, key: AgentKey, a: &Agent, found: &mut Findings) {
        let (armed, state) = (self.timers.at(Timer::Agent(key)), a.told.state);
        found.unless(a.until == armed, "deadline", || format!("{} until {:?}, armed {armed:?}", a.id, a.until));
        let leased = matches!(state, AgentState::Reserved | AgentState::Ringing | AgentState::WrapUp);
        let waits_alone = leased || (state == AgentState::Unreachable && a.reachable);
        found.unless(!waits_alone || a.until.is_some(), "deadline", || format!("{} is {state} without a deadline", a.id));
    }

    fn audit_seat_of(&self, key: AgentKey, a: &Agent, found: &mut Findings) {
        let at_home = self.board.profiles.get(a.profile).is_some_and(|p| p.traits == self.traits_of(key));
        found.unless(at_home, "index", || format!("{} is of another profile", a.id));
        let seated = match a.seated {
            Some(leaf) => self.board.is_seated(a.profile, &a.standing(key), leaf),
            None => true,
        };
        found.unless(seated && a.seated.is_some() == a.is_free(), "index", || format!("{} is seated as {:?}", a.id, a.seated));
    }

    fn audit_ties_of(&self, key: AgentKey, a: &Agent, found: &mut Findings) {
        let barred = a.barred.iter().all(|(visit, _)| self.visits.get(visit.0).is_some_and(|v| v.bars(key)));
        found.unless(barred && a.barred.is_sorted(), "index", || {
            format!("{} is barred from visits that know nothing of it", a.id)
        });
        let hold = |visit: usize| self.visits.get(visit).map(|v| v.hold);
        let kept = a.kept.iter().all(|visit| hold(visit.0) == Some(Hold::KeptFor(key)));
        let dials = a.dialling.is_none_or(|visit| hold(visit.0) == Some(Hold::Dialling(Some(key))));
        found.unless(kept && dials, "index", || format!("{} is tied to visits that know nothing of it", a.id));
    }
}
