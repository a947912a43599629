//! The routing invariants (`routing.md`), checked on a snapshot: after each input in the simulator, once a
//! second in production. A breach is an alarm.

use crate::centre::Centre;
use crate::hears::hears;
use crate::leg::{Leg, Purpose};
use crate::{Breach, CallView, Place, Snapshot};
use acd::{AgentView, VisitView};
use base::fact::Direction;
use base::{AgentId, AgentState, Instant, OfferId, Tenant, VisitId};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// A deadline may be this late: the decision thread has other inputs to apply first.
const LATE: Duration = Duration::from_secs(2);

/// What holds at every moment between two inputs; empty when all is well.
pub fn audit(snapshot: &Snapshot) -> Vec<Breach> {
    let mut found = Vec::new();
    let visits: BTreeMap<VisitId, &VisitView> = snapshot.visits.iter().map(|v| (v.visit, v)).collect();
    let agents: BTreeMap<&AgentId, &AgentView> = snapshot.agents.iter().map(|a| (&a.agent, a)).collect();
    one_place(snapshot, &visits, &mut found);
    one_conversation(snapshot, &agents, &mut found);
    one_offer(snapshot, &visits, &mut found);
    supervisors(snapshot, &agents, &mut found);
    every_wait_ends(snapshot, &mut found);
    nothing_is_left_over(snapshot, &mut found);
    found
}

impl Centre {
    /// The same, with what only the cores themselves can see.
    pub fn audit(&self) -> Vec<Breach> {
        let mut found = audit(&self.snapshot());
        for call in self.calls.values().filter(|call| call.ending.is_none()) {
            if hears(call) != call.heard {
                breach(&mut found, "who hears whom", format!("call {} is {:?}, told was {:?}", call.id, hears(call), call.heard));
            }
            let rings = |leg: &&Leg| matches!(leg.purpose, Purpose::Offer(offer) if !call.offers.contains_key(&offer));
            if let Some(leg) = call.legs.values().find(rings) {
                breach(&mut found, "one offer", format!("{} rings for an offer that is over", leg.id));
            }
        }
        found.extend(
            self.acd.audit(self.now).into_iter().map(|b| Breach { invariant: b.invariant.into(), detail: b.detail.into() }),
        );
        found
    }
}

fn breach(found: &mut Vec<Breach>, invariant: &str, detail: String) {
    found.push(Breach { invariant: invariant.into(), detail: detail.into() });
}

/// 1. A call is in exactly one place, and a visit on offer still counts in its queue.
fn one_place(snapshot: &Snapshot, visits: &BTreeMap<VisitId, &VisitView>, found: &mut Vec<Breach>) {
    let mut claimed = BTreeSet::new();
    for call in &snapshot.calls {
        let visit = call.visit.and_then(|v| visits.get(&v));
        let held = match (call.place, visit) {
            (Place::Queue, Some(visit)) => visit.offers.is_empty(),
            (Place::Offer, Some(visit)) => !visit.offers.is_empty(),
            // Passed on to an agent, whom no queue chose.
            (Place::Offer, None) => call.visit.is_none() && call.third.is_some(),
            // Also while the queue does not take the place that is kept.
            (Place::Callback, visit) => visit.is_some() || call.visit.is_none(),
            // Its agent asks a queue for somebody to consult.
            (Place::Conversation | Place::External, Some(_)) => call.third.is_some(),
            (Place::Queue, None) => false,
            _ => call.visit.is_none(),
        };
        if !held {
            breach(found, "one place", format!("call {} is in {:?} with visit {:?}", call.call, call.place, call.visit));
        }
        claimed.extend(call.visit);
    }
    for orphan in visits.keys().filter(|v| !claimed.contains(*v)) {
        breach(found, "one place", format!("visit {orphan} waits for a call that is not there"));
    }
}

/// 2. An agent has at most one conversation, calls of their own included, and both sides agree which.
fn one_conversation(snapshot: &Snapshot, agents: &BTreeMap<&AgentId, &AgentView>, found: &mut Vec<Breach>) {
    let mut held: BTreeMap<&AgentId, &CallView> = BTreeMap::new();
    for call in &snapshot.calls {
        let own = call.place == Place::External && matches!(call.direction, Direction::Internal | Direction::Outgoing);
        match &call.agent {
            Some(agent) if call.place == Place::Conversation || own => {
                if let Some(other) = held.insert(agent, call) {
                    breach(found, "one conversation", format!("agent {agent} is in calls {} and {}", other.call, call.call));
                }
            }
            None if call.place == Place::Conversation => {
                breach(found, "one conversation", format!("call {} talks with nobody", call.call));
            }
            _ => (),
        }
    }
    let consulted: BTreeSet<(&Tenant, &str)> =
        snapshot.calls.iter().filter_map(|call| Some((&call.tenant, call.third.as_deref()?.strip_prefix("agent/")?))).collect();
    for agent in agents.values() {
        let talks = matches!(agent.state, AgentState::Talking | AgentState::Holding);
        let call = held.get(&agent.agent);
        let conversation = call.is_some_and(|call| call.place == Place::Conversation);
        let asked = talks && consulted.contains(&(&agent.agent.tenant(), agent.agent.name()));
        if talks != conversation && !asked {
            breach(found, "one conversation", format!("agent {} is {}, its call says otherwise", agent.agent, agent.state));
        }
        let holds = agent.state == AgentState::Holding;
        if conversation && call.is_some_and(|call| call.held != holds) {
            breach(found, "one conversation", format!("agent {} is {}, its call is held or is not", agent.agent, agent.state));
        }
        if call.is_some() && !conversation && agent.work.is_none() {
            breach(found, "one conversation", format!("agent {} makes a call, and the ACD does not know", agent.agent));
        }
    }
}

/// 2. An agent has at most one offer, and both sides agree which.
fn one_offer(snapshot: &Snapshot, visits: &BTreeMap<VisitId, &VisitView>, found: &mut Vec<Breach>) {
    let mut rung: BTreeMap<OfferId, &AgentId> = BTreeMap::new();
    for agent in &snapshot.agents {
        let rings = matches!(agent.state, AgentState::Reserved | AgentState::Ringing);
        let offered = agent.offer.is_some_and(|o| visits.get(&o.visit).is_some_and(|v| v.offers.contains(&o)));
        if rings != offered {
            breach(found, "one offer", format!("agent {} is {}, its offer {:?}", agent.agent, agent.state, agent.offer));
        }
        if let Some(other) = agent.offer.and_then(|offer| rung.insert(offer, &agent.agent)) {
            breach(found, "one offer", format!("agents {other} and {} share {:?}", agent.agent, agent.offer));
        }
    }
    let mut offers = BTreeSet::new();
    for offer in snapshot.visits.iter().flat_map(|v| &v.offers) {
        if !offers.insert(offer) || !rung.contains_key(offer) {
            breach(found, "one offer", format!("offer {offer} has no agent of its own"));
        }
    }
}

/// A supervisor takes part in one call, and is offered nothing meanwhile.
fn supervisors(snapshot: &Snapshot, agents: &BTreeMap<&AgentId, &AgentView>, found: &mut Vec<Breach>) {
    let mut seen = BTreeSet::new();
    for (supervisor, _) in snapshot.calls.iter().flat_map(|c| &c.monitors) {
        let engaged = agents.get(supervisor).is_none_or(|a| a.work.is_some());
        if !seen.insert(supervisor) || !engaged {
            breach(found, "one conversation", format!("supervisor {supervisor} is in two calls, or free in one"));
        }
    }
}

/// 3. Every state that waits has a deadline, and none is long past.
fn every_wait_ends(snapshot: &Snapshot, found: &mut Vec<Breach>) {
    let now = snapshot.now.mono;
    let late = |at: Instant| now.since(at) > LATE;
    let must_end = |a: &&AgentView| matches!(a.state, AgentState::Reserved | AgentState::Ringing | AgentState::WrapUp);
    for agent in snapshot.agents.iter().filter(must_end) {
        match agent.deadline {
            None => breach(found, "every wait ends", format!("agent {} is {} without a deadline", agent.agent, agent.state)),
            Some(at) if late(at) => {
                breach(found, "every wait ends", format!("agent {} is {} past its deadline", agent.agent, agent.state))
            }
            Some(_) => (),
        }
    }
    for call in &snapshot.calls {
        // Who waits in a queue is the ACD's, which audits that itself.
        let engines = !matches!(call.place, Place::Queue | Place::Callback | Place::Ended) && call.visit.is_none();
        if engines && call.deadline.is_none() {
            breach(found, "every wait ends", format!("call {} is in {:?} without a deadline", call.call, call.place));
        }
        if call.place == Place::Callback && call.visit.is_none() && call.deadline.is_none() {
            breach(found, "every wait ends", format!("callback {} waits in no queue and for nothing", call.call));
        }
        if call.deadline.is_some_and(late) {
            breach(found, "every wait ends", format!("call {} is in {:?} past its deadline", call.call, call.place));
        }
    }
}

/// 5. What no call holds is given back. Hanging up takes a moment, so this looks at an idle Centre only.
fn nothing_is_left_over(snapshot: &Snapshot, found: &mut Vec<Breach>) {
    let quiet = snapshot.calls.is_empty();
    if quiet && !snapshot.visits.is_empty() {
        breach(found, "nothing left over", format!("{} visits without a call", snapshot.visits.len()));
    }
}
