//! The routing invariants (`routing.md`). A breach is an alarm.
//!
//! In the simulator and in tests the whole is checked after each input ([`Centre::audit`]). In production a beat, once a
//! second, does not stop the decisions for that:
//! - [`audit`] runs over the published snapshot on a thread of its own, and what it found comes in as `Input::Audited`;
//! - what only the cores can see is checked by the beat in shares, each of a bounded cost, that go on where the one before
//!   ended: [`CALLS`] calls, and as much of the ACD as [`VISITS`] visits cost. A round is over after as many beats as
//!   that takes ([`Snapshot::audit_round`]): about 6 with 100 agents and 1,000 visits in 200 queues, about 230 with a
//!   hundred times as many.

use crate::alarms::Alarms;
use crate::call::Call;
use crate::centre::Centre;
use crate::hears::hears;
use crate::keys::in_audio;
use crate::leg::{Leg, Purpose};
use crate::{Breach, CallView, Place, Snapshot};
use acd::{AgentView, VisitView};
use base::fact::{About, Direction, What};
use base::{AgentId, AgentState, CallId, Instant, OfferId, Tenant, VisitId};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound::{Excluded, Unbounded};
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

/// Calls looked at by one beat, and visits, or what costs as much as them.
const CALLS: usize = 500;
const VISITS: usize = 1_000;

/// Who finds something, each with rounds of its own.
const CALLS_OF: usize = 0;
const ACD: usize = 1;
const SNAPSHOT: usize = 2;

/// How far the live audit has come, and what it found.
#[derive(Default)]
pub(crate) struct Auditor {
    /// The last call that was looked at in this round.
    call: Option<CallId>,
    acd: acd::Sweep,
    alarms: [Alarms; 3],
    /// Beats since each round began, and how many the one before took.
    beats: [u32; 3],
    took: [u32; 3],
}

/// What the log is told.
struct Told {
    begun: Vec<Breach>,
    ended: Vec<Breach>,
}

impl Auditor {
    fn tell(&mut self, who: usize, found: impl IntoIterator<Item = Breach>, over: bool) -> Told {
        let begun = self.alarms[who].found(found);
        if !over {
            return Told { begun, ended: Vec::new() };
        }
        self.took[who] = std::mem::take(&mut self.beats[who]);
        Told { begun, ended: self.alarms[who].round() }
    }

    pub fn standing(&self) -> Vec<Breach> {
        self.alarms.iter().flat_map(Alarms::standing).cloned().collect()
    }

    /// Beats in which everything was looked at; 0 before the first round is over.
    pub fn round(&self) -> u32 {
        self.took[CALLS_OF].max(self.took[ACD])
    }
}

impl Centre {
    /// The same, with what only the cores themselves can see.
    pub fn audit(&self) -> Vec<Breach> {
        let mut found = audit(&self.snapshot());
        self.calls.values().for_each(|call| audit_call(call, &self.ledger, &mut found));
        self.audit_ledger(&mut found);
        found.extend(self.acd.audit(self.now).into_iter().map(of_acd));
        found
    }

    /// 5. What the ledger has open is what the recorder was told and has not answered, and its sums hold.
    fn audit_ledger(&self, found: &mut Vec<Breach>) {
        let parts = self.ledger.open().flat_map(|(_, parts)| parts);
        for (recording, _) in parts.filter(|(_, state)| !matches!(state, recording::State::Ended(_))) {
            if !self.owed.contains_key(&recording) {
                breach(found, "recording owed", format!("{recording} is open, and nobody writes it"));
            }
        }
        if !self.ledger.coverage().sums_hold() {
            breach(found, "recording owed", format!("the sums are off: {:?}", self.ledger.coverage()));
        }
    }

    /// One beat's share.
    pub(crate) fn audit_share(&mut self) {
        self.auditor.beats.iter_mut().for_each(|beats| *beats += 1);
        let mut found = Vec::new();
        let (calls, over) = share_of(&self.calls, &mut self.auditor.call, CALLS);
        calls.into_iter().for_each(|call| audit_call(call, &self.ledger, &mut found));
        let told = self.auditor.tell(CALLS_OF, found, over);
        self.tell_breaches(told);
        let share = self.acd.audit_share(&mut self.auditor.acd, self.now, VISITS * acd::Acd::VISIT);
        let told = self.auditor.tell(ACD, share.found.into_iter().map(of_acd), share.whole);
        self.tell_breaches(told);
    }

    /// What the audit of a snapshot found, all of it.
    pub(crate) fn on_audited(&mut self, found: Vec<Breach>) {
        let told = self.auditor.tell(SNAPSHOT, found, true);
        self.tell_breaches(told);
    }

    fn tell_breaches(&mut self, Told { begun, ended }: Told) {
        let words = |breach: Breach| (breach.invariant.to_string(), breach.detail.to_string());
        for (invariant, detail) in begun.into_iter().map(words) {
            self.fact(About::default(), What::NodeBreach { invariant, detail });
        }
        for (invariant, detail) in ended.into_iter().map(words) {
            self.fact(About::default(), What::NodeBreachEnded { invariant, detail });
        }
    }
}

/// The next of them, at most so many, and whether a round is over with them.
fn share_of<'a, K: Ord + Copy, V>(all: &'a BTreeMap<K, V>, last: &mut Option<K>, most: usize) -> (Vec<&'a V>, bool) {
    let mut rest = all.range((last.map_or(Unbounded, Excluded), Unbounded));
    let share: Vec<(&K, &V)> = rest.by_ref().take(most).collect();
    let over = rest.next().is_none();
    *last = share.last().map(|(key, _)| **key).filter(|_| !over);
    (share.into_iter().map(|(_, item)| item).collect(), over)
}

/// 1. and 4. What the snapshot does not show of a call.
fn audit_call(call: &Call, ledger: &recording::Ledger, found: &mut Vec<Breach>) {
    if call.ending.is_some() {
        return;
    }
    // 5. Each conversation owes a recording, or is excluded with a reason.
    if let Some(talks) = call.conversation.as_ref().filter(|c| c.begun && !ledger.knows(c.id)) {
        breach(found, "recording owed", format!("{} is neither recorded nor excluded", talks.id));
    }
    if hears(call) != call.heard {
        breach(found, "who hears whom", format!("call {} is {:?}, told was {:?}", call.id, hears(call), call.heard));
    }
    if in_audio(call) != call.keys_in_audio {
        breach(found, "keys in audio", format!("call {} is {:?}, told was {:?}", call.id, in_audio(call), call.keys_in_audio));
    }
    let rings = |leg: &&Leg| matches!(leg.purpose, Purpose::Offer(offer) if !call.offers.contains_key(&offer));
    if let Some(leg) = call.legs.values().find(rings) {
        breach(found, "one offer", format!("{} rings for an offer that is over", leg.id));
    }
}

fn of_acd(breach: acd::Breach) -> Breach {
    Breach { invariant: breach.invariant.into(), detail: breach.detail.into() }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_of_the_calls_go_on_where_the_one_before_ended_whoever_came_or_went() {
        let mut calls: BTreeMap<u32, u32> = (0..5).map(|n| (n, n)).collect();
        let mut last = None;
        assert_eq!(share_of(&calls, &mut last, 2), (vec![&0, &1], false));
        calls.remove(&1);
        calls.insert(9, 9);
        assert_eq!(share_of(&calls, &mut last, 2), (vec![&2, &3], false));
        assert_eq!(share_of(&calls, &mut last, 2), (vec![&4, &9], true));
        assert_eq!(share_of(&calls, &mut last, 9), (vec![&0, &2, &3, &4, &9], true));
        assert_eq!(share_of(&BTreeMap::<u32, u32>::new(), &mut last, 9), (vec![], true));
    }
}
