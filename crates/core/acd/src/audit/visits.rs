//! Visits, their offers and what holds them.

use super::Findings;
use crate::Acd;
use crate::agent::AgentKey;
use crate::place::Place;
use crate::timers::Timer;
use crate::visit::{Bar, Hold, Visit, VisitKey};
use base::Now;

impl Acd {
    pub(super) fn audit_visit(&self, key: usize, now: Now, found: &mut Findings) {
        let (Some(v), key) = (self.visits.get(key), VisitKey(key)) else { return };
        self.audit_place(key, v, found);
        self.audit_offers(key, v, found);
        self.audit_hold(key, v, found);
        self.audit_age(key, v, found);
        self.audit_deserted(v, found);
        let timers = [Timer::Age, Timer::Step, Timer::Kept, Timer::Callback, Timer::Announce];
        timers.into_iter().for_each(|timer| self.audit_timer(timer(key), now, found));
        v.barred.iter().for_each(|(_, bar)| self.audit_timer(Timer::Bar(*bar), now, found));
    }

    fn audit_place(&self, key: VisitKey, v: &Visit, found: &mut Findings) {
        let id = v.id;
        let Some(queue) = self.queues.get(v.queue.0).filter(|q| self.queue_key(&q.id) == Some(v.queue)) else {
            return found.unless(false, "one_place", || format!("{id} waits in a queue that is not configured"));
        };
        let ranked = queue.line.contains(&v.place) && self.visit_key(id) == Some(key);
        found.unless(ranked, "one_place", || format!("{id} is not in the line of {}", queue.id));
        let priority = v.priority_s.saturating_add(queue.plan.raised(v.step));
        let place = Place::new(id, key, v.entered, v.credit, priority, queue.weight());
        found.unless(v.place == place, "index", || format!("{id} stands at a place that is not its own"));
        let at_home = self.board.kinds.get(v.kind).is_some_and(|k| {
            let family = self.board.family_asks(k.family);
            k.queue == v.queue && family == &v.asks && k.dials == v.dials() && k.open.contains(&v.place) == v.open
        });
        found.unless(at_home, "index", || format!("{id} and its kind {} disagree", v.kind));
        found.unless(v.open == v.wants_offer(queue.config.strategy), "index", || format!("{id} open is {}", v.open));
    }

    fn audit_offers(&self, key: VisitKey, v: &Visit, found: &mut Findings) {
        for offer in &v.offers {
            let ring = self.agents.get(offer.agent.0).and_then(|a| a.phase.ring());
            let agrees = ring.is_some_and(|ring| ring.offer == v.offer_id(offer) && ring.visit == key);
            found.unless(agrees, "offer_agrees", || format!("{}: its agent is at something else", v.offer_id(offer)));
        }
        found.unless(v.offers.is_sorted_by_key(|o| o.n), "index", || format!("{}: its offers are not in order", v.id));
        for (agent, bar) in &v.barred {
            let known = self.bars.get(bar.0) == Some(&Bar { visit: key, agent: *agent });
            let agrees = known && self.agents.get(agent.0).is_some_and(|a| a.bars(key));
            let ends = self.timers.at(Timer::Bar(*bar)).is_some();
            found.unless(agrees && ends, "deadline", || format!("{} bars an agent without an end", v.id));
        }
    }

    fn audit_hold(&self, key: VisitKey, v: &Visit, found: &mut Findings) {
        let callback = self.timers.at(Timer::Callback(key)).is_some();
        let kept = self.timers.at(Timer::Kept(key)).is_some();
        let held = match v.hold {
            Hold::Nothing => !callback && !kept,
            Hold::NotYet => callback && !kept && v.is_virtual(),
            Hold::Dialling(None) => callback && !kept && v.dials(),
            Hold::Dialling(Some(agent)) => callback && !kept && v.dials() && self.dials_for(agent, key),
            Hold::KeptFor(agent) => kept && !callback && self.keeps(agent, key, v),
        };
        found.unless(held, "deadline", || format!("{} is held as {:?} without a reason or an end", v.id, v.hold));
    }

    fn dials_for(&self, agent: AgentKey, visit: VisitKey) -> bool {
        self.agents.get(agent.0).is_some_and(|a| a.dialling == Some(visit))
    }

    fn keeps(&self, agent: AgentKey, visit: VisitKey, v: &Visit) -> bool {
        let family = self.board.kinds[v.kind].family;
        self.agents.get(agent.0).is_some_and(|a| {
            let rung = v.offers.iter().any(|offer| offer.agent == agent);
            let about = a.is_about() && (!a.is_free() || rung);
            about && a.kept.contains(&visit) && self.board.could_serve(family, a.profile)
        })
    }

    fn audit_age(&self, key: VisitKey, v: &Visit, found: &mut Findings) {
        let (id, queue) = (v.id, &self.queues[v.queue.0]);
        let (armed, expected) = (self.timers.at(Timer::Age(key)), self.leaves_at(key));
        found.unless(armed == expected, "deadline", || format!("{id} leaves at {expected:?}, armed {armed:?}"));
        let ends = armed.is_some() || self.timers.at(Timer::Callback(key)).is_some();
        found.unless(!v.is_virtual() || ends, "deadline", || format!("{id} is a callback without an end"));
        let armed = self.timers.at(Timer::Step(key));
        let expected = queue.plan.next_age(v.step).map(|age| v.entered + age.saturating_sub(v.aged));
        found.unless(armed == expected, "deadline", || format!("{id} grows older at {expected:?}, armed {armed:?}"));
    }

    /// A visit that waits though its queue wants it to leave.
    fn audit_deserted(&self, v: &Visit, found: &mut Findings) {
        let (Some(queue), Some(kind)) = (self.queues.get(v.queue.0), self.board.kinds.get(v.kind)) else { return };
        let stays = queue.leave_empty.is_empty() || v.is_virtual() || !v.offers.is_empty();
        let alone = || self.board.is_alone(kind.family, queue.leave_empty);
        found.unless(stays || !alone(), "deserted", || format!("{} waits in {} for nobody", v.id, queue.id));
    }
}
