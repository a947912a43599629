//! What must hold between two inputs, checked against a recount of everything.

use crate::Acd;
use crate::agent::AgentKey;
use crate::timers::Timer;
use crate::visits::weight;
use base::{AgentState, Instant, Now, VisitId};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// A deadline may be this late before it counts as missed: `Due` has a way to go.
const GRACE: Duration = Duration::from_secs(1);

/// One broken invariant: an alarm. The names are `one_place`, `one_offer`, `deadline`, `offer_agrees`,
/// `missed_match` and `index`.
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
        self.audit_offers(&mut found);
        self.audit_agents(&mut found);
        self.audit_deadlines(now.mono, &mut found);
        self.audit_matches(&mut found);
        self.audit_board(&mut found);
        found.0
    }

    fn audit_visits(&self, found: &mut Findings) {
        let in_lines: usize = self.lines.values().map(|line| line.len()).sum();
        found.unless(in_lines == self.visits.len(), "one_place", || format!("{} visits, {in_lines} in lines", self.visits.len()));
        for (id, v) in &self.visits {
            let Some(queue) = self.config.queues.get(&v.queue) else {
                found.unless(false, "one_place", || format!("{id} waits in {}, which is not configured", v.queue));
                continue;
            };
            let ranked = self.lines.get(&v.queue).is_some_and(|line| line.rank(&v.place).is_some());
            found.unless(ranked && v.place.visit == *id, "one_place", || format!("{id} is not in the line of {}", v.queue));
            let group = self.board.groups.get(v.group);
            let at_home = group.is_some_and(|g| {
                g.queue == v.queue && g.requires == v.requires && g.weight == weight(queue) && g.open.contains(&v.place) == v.open
            });
            found.unless(at_home, "index", || format!("{id} and its group {} disagree", v.group));
            found.unless(v.open == v.wants_offer(queue.strategy), "index", || format!("{id} open is {}", v.open));
            let live = v.offers.iter().all(|o| o.visit == *id && self.offers.contains_key(o));
            found.unless(live, "offer_agrees", || format!("{id} lists offers that are over: {:?}", v.offers));
            let barred = v.barred.iter().all(|k| self.agents.get(k.0).is_some_and(|a| a.barred.contains(id)));
            found.unless(barred, "index", || format!("{id} bars agents who know nothing of it"));
        }
    }

    fn audit_offers(&self, found: &mut Findings) {
        for (id, offer) in &self.offers {
            let agent = self.agents.get(offer.agent.0);
            let agrees = agent.is_some_and(|a| a.phase.offer() == Some(*id));
            found.unless(agrees, "offer_agrees", || format!("{id}: its agent is at something else"));
            let listed = self.visits.get(&id.visit).is_some_and(|v| v.offers.contains(id));
            found.unless(listed, "offer_agrees", || format!("{id}: its visit does not list it"));
        }
    }

    fn audit_agents(&self, found: &mut Findings) {
        let mut talking: BTreeMap<VisitId, &base::AgentId> = BTreeMap::new();
        for (key, a) in self.agents.iter() {
            found.unless(self.by_id.get(&a.id) == Some(&AgentKey(key)), "index", || format!("{} is not found by its id", a.id));
            if let Some(offer) = a.phase.offer() {
                let own = self.offers.get(&offer).is_some_and(|o| o.agent == AgentKey(key));
                found.unless(own, "offer_agrees", || format!("{} rings for {offer}, which is over", a.id));
            }
            if let Some(talk) = a.phase.talk() {
                let other = talking.insert(talk.visit, &a.id);
                found.unless(other.is_none(), "one_offer", || format!("{} and {other:?} both took {}", a.id, talk.visit));
                found.unless(!self.visits.contains_key(&talk.visit), "one_place", || format!("{} waits and talks", talk.visit));
            }
            let seat = a.seat(AgentKey(key));
            let seated =
                self.board.profiles.get(a.profile).is_some_and(|p| p.free.contains(&seat) && p.skills == a.config.skills);
            found.unless(a.seated == a.is_free() && seated == a.seated, "index", || format!("{} seated is {}", a.id, a.seated));
            let bars =
                a.barred.iter().all(|v| self.timers.at(Timer::Bar(*v, AgentKey(key))).is_some() && self.visits.contains_key(v));
            found.unless(bars, "deadline", || format!("{} is barred without an end", a.id));
            found.unless(!a.removed || a.phase.talk().is_some(), "index", || format!("{} is removed and still here", a.id));
        }
    }

    fn audit_deadlines(&self, now: Instant, found: &mut Findings) {
        for (at, timer) in self.timers.iter() {
            found.unless(at + GRACE >= now, "deadline", || format!("{timer:?} was due {:?} ago", now.since(at)));
        }
        for (key, a) in self.agents.iter() {
            let armed = self.timers.at(Timer::Agent(AgentKey(key)));
            found.unless(a.until == armed, "deadline", || format!("{} until {:?}, armed {armed:?}", a.id, a.until));
            let state = a.phase.state();
            let leased = matches!(state, AgentState::Reserved | AgentState::Ringing | AgentState::WrapUp);
            let waits_alone = leased || (state == AgentState::Unreachable && a.reachable);
            found.unless(!waits_alone || a.until.is_some(), "deadline", || format!("{} is {state} without a deadline", a.id));
        }
        for (id, v) in &self.visits {
            let limit = self.config.queues.get(&v.queue).and_then(|q| q.overflow_after);
            let armed = self.timers.at(Timer::Age(*id));
            let expected = limit.map(|age| v.entered + age);
            found.unless(armed == expected, "deadline", || format!("{id} leaves at {expected:?}, armed {armed:?}"));
        }
    }

    /// A free agent beside an open visit that it could take: by who they are, not by what the board remembers.
    fn audit_matches(&self, found: &mut Findings) {
        for (_, profile) in self.board.profiles.iter().filter(|(_, p)| !p.free.is_empty()) {
            for (_, group) in self.board.groups.iter().filter(|(_, g)| !g.open.is_empty()) {
                if profile.queues.contains(&group.queue) && group.requires.met_by(&profile.skills) {
                    self.audit_pairs(profile, group, found);
                }
            }
        }
    }

    fn audit_pairs(&self, profile: &crate::board::Profile, group: &crate::board::Group, found: &mut Findings) {
        for seat in &profile.free {
            let Some(agent) = self.agents.get(seat.agent.0) else { continue };
            let missed = group.open.iter().find(|place| !agent.barred.contains(&place.visit));
            found.unless(missed.is_none(), "missed_match", || {
                format!("{} is free and {:?} waits in {}", agent.id, missed.map(|p| p.visit), group.queue)
            });
        }
    }

    fn audit_board(&self, found: &mut Findings) {
        for detail in self.board.disagreements() {
            found.unless(false, "index", || detail);
        }
        for (group, visits) in self.board.visits() {
            let counted = self.visits.values().filter(|v| v.group == group).count();
            found.unless(counted == visits, "index", || format!("group {group} says {visits} visits, there are {counted}"));
        }
        for (profile, agents, present) in self.board.agents() {
            let members = || self.agents.iter().filter(|(_, a)| a.profile == profile);
            let logged_in = members().filter(|(_, a)| a.phase.state() != AgentState::LoggedOut).count();
            let agree = (agents, present) == (members().count(), logged_in);
            found.unless(agree, "index", || format!("profile {profile} says {agents} agents, {present} logged in"));
        }
        let free: BTreeSet<AgentKey> = self.board.profiles.iter().flat_map(|(_, p)| p.free.iter().map(|s| s.agent)).collect();
        let seated = self.agents.iter().filter(|(_, a)| a.seated).count();
        found.unless(free.len() == seated, "index", || format!("{} seats for {seated} free agents", free.len()));
        let open: usize = self.board.groups.iter().map(|(_, g)| g.open.len()).sum();
        let wanting = self.visits.values().filter(|v| v.open).count();
        found.unless(open == wanting, "index", || format!("{open} open places for {wanting} open visits"));
    }
}
