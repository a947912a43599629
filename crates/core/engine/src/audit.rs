//! The routing invariants (`routing.md`), checked on a snapshot: after each input in the simulator, once a
//! second in production. A breach is an alarm.

use crate::{Breach, Place, Snapshot};
use acd::{AgentView, VisitView};
use base::{AgentState, Instant, VisitId};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// A deadline may be this late: the decision thread has other inputs to apply first.
const LATE: Duration = Duration::from_secs(2);

/// What holds at every moment between two inputs; empty when all is well.
pub fn audit(snapshot: &Snapshot) -> Vec<Breach> {
    let mut found = Vec::new();
    let visits: BTreeMap<VisitId, &VisitView> = snapshot.visits.iter().map(|v| (v.visit, v)).collect();
    one_place(snapshot, &visits, &mut found);
    one_offer_or_conversation(snapshot, &visits, &mut found);
    every_wait_ends(snapshot, &mut found);
    nothing_is_left_over(snapshot, &mut found);
    found
}

fn breach(found: &mut Vec<Breach>, invariant: &str, detail: String) {
    found.push(Breach { invariant: invariant.into(), detail: detail.into() });
}

/// 1. A call is in exactly one place, and a visit on offer still counts in its queue.
fn one_place(snapshot: &Snapshot, visits: &BTreeMap<VisitId, &VisitView>, found: &mut Vec<Breach>) {
    let mut claimed = BTreeSet::new();
    for call in &snapshot.calls {
        let waits = matches!(call.place, Place::Queue | Place::Offer);
        let visit = call.visit.and_then(|v| visits.get(&v));
        let held = match (waits, visit) {
            (true, Some(visit)) => visit.offers.is_empty() == (call.place == Place::Queue),
            (true, None) => false,
            (false, _) => call.visit.is_none(),
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

/// 2. An agent has at most one offer or conversation, and both sides agree which.
fn one_offer_or_conversation(snapshot: &Snapshot, visits: &BTreeMap<VisitId, &VisitView>, found: &mut Vec<Breach>) {
    let mut talking = BTreeMap::new();
    for call in snapshot.calls.iter().filter(|c| c.place == Place::Conversation) {
        match &call.agent {
            Some(agent) if talking.insert(agent, call.call).is_some() => {
                breach(found, "one conversation", format!("agent {agent} talks with two calls"));
            }
            Some(_) => (),
            None => breach(found, "one conversation", format!("call {} talks with nobody", call.call)),
        }
    }
    for agent in &snapshot.agents {
        let talks = matches!(agent.state, AgentState::Talking | AgentState::Holding);
        if talks != talking.contains_key(&agent.agent) {
            breach(found, "one conversation", format!("agent {} is {}, its call says otherwise", agent.agent, agent.state));
        }
        let rings = matches!(agent.state, AgentState::Reserved | AgentState::Ringing);
        let offered = agent.offer.is_some_and(|o| visits.get(&o.visit).is_some_and(|v| v.offers.contains(&o)));
        if rings != offered {
            breach(found, "one offer", format!("agent {} is {}, its offer {:?}", agent.agent, agent.state, agent.offer));
        }
    }
    let mut offers = BTreeSet::new();
    for offer in snapshot.visits.iter().flat_map(|v| &v.offers) {
        if !offers.insert(offer) || !snapshot.agents.iter().any(|a| a.offer == Some(*offer)) {
            breach(found, "one offer", format!("offer {offer} has no agent of its own"));
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
        if matches!(call.place, Place::Arriving | Place::Ivr) && call.deadline.is_none() {
            breach(found, "every wait ends", format!("call {} is in {:?} without a deadline", call.call, call.place));
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
