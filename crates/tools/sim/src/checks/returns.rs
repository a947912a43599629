//! Callers who come back: which agent had them last, and so whom their visit is kept for.

use super::Seen;
use super::shifts::Shifts;
use base::fact::What;
use base::{AgentId, AgentState, CallId, PartyId, QueueId, Tenant, VisitId};
use std::collections::BTreeMap;

#[derive(Default)]
pub struct Returns {
    last: BTreeMap<(Tenant, PartyId), (AgentId, CallId)>,
    /// Visits whose caller somebody had before.
    known: BTreeMap<VisitId, AgentId>,
    /// Of those whose agent was about from the first moment on, and has not let them go since.
    kept: BTreeMap<VisitId, AgentId>,
}

impl Returns {
    /// Who must be asked first, if the queue's time is not over and that agent can serve the visit.
    pub fn kept_for(&self, visit: VisitId) -> Option<&AgentId> {
        self.kept.get(&visit)
    }

    /// Whether it may be kept for somebody.
    pub fn may_be_kept(&self, visit: VisitId) -> bool {
        self.known.contains_key(&visit)
    }

    pub fn on_restart(&mut self) {
        *self = Returns::default();
    }

    /// Who is where is known before the fact counts.
    pub fn read(&mut self, seen: &Seen, shifts: &Shifts) {
        let about = &seen.logged.fact.about;
        match &seen.logged.fact.what {
            What::QueueEntered { .. } => self.entered(seen, shifts),
            What::QueueLeft { .. } => {
                if let Some(visit) = about.visit {
                    self.known.remove(&visit);
                    self.kept.remove(&visit);
                }
            }
            What::OfferAccepted { .. } => self.accepted(seen),
            What::OfferRejected { .. }
            | What::OfferTimedOut { .. }
            | What::OfferCancelled { .. }
            | What::OfferWithdrawn { .. } => {
                if let (Some(offer), Some(agent)) = (about.offer, &about.agent) {
                    self.kept.retain(|visit, kept| *visit != offer.visit || kept != agent);
                }
            }
            What::AgentStateChanged { state: AgentState::LoggedOut | AgentState::Paused | AgentState::Unreachable, .. } => {
                self.kept.retain(|_, agent| Some(&*agent) != about.agent.as_ref())
            }
            // Other skills for somebody, perhaps.
            What::ConfigOverridden { .. } | What::ConfigLoaded { .. } => self.kept.clear(),
            _ => {}
        }
    }

    fn party(seen: &Seen, queue: &QueueId) -> Option<(Tenant, PartyId)> {
        let party = seen.logged.fact.about.party.filter(|_| !seen.shared_party)?;
        Some((queue.tenant(), party))
    }

    fn entered(&mut self, seen: &Seen, shifts: &Shifts) {
        let about = &seen.logged.fact.about;
        let (Some(visit), Some(queue)) = (about.visit, &about.queue) else { return };
        let Some((agent, call)) = Self::party(seen, queue).and_then(|party| self.last.get(&party)) else { return };
        // Passed on, it is nobody's return.
        if *call == visit.call {
            return;
        }
        self.known.insert(visit, agent.clone());
        if shifts.of(agent).is_some_and(|shift| shift.is_about()) {
            self.kept.insert(visit, agent.clone());
        }
    }

    fn accepted(&mut self, seen: &Seen) {
        let about = &seen.logged.fact.about;
        let (Some(offer), Some(agent), Some(queue)) = (about.offer, &about.agent, &about.queue) else { return };
        let remembers = |(id, queue): (&QueueId, &acd::Queue)| id.tenant() == agent.tenant() && !queue.sticky.is_zero();
        if let Some(party) = Self::party(seen, queue).filter(|_| seen.setup.site.queues.iter().any(remembers)) {
            self.last.insert(party, (agent.clone(), offer.visit.call));
        }
    }
}
