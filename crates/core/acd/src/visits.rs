//! Visits: how they enter a queue, are announced, and leave it.

use crate::place::Place;
use crate::timers::Timer;
use crate::visit::Visit;
use crate::{Acd, Caller, Output, PACE, Queue, Turn};
use base::{Cause, OfferEnd, Outcome, QueueId, Requirement, VisitId};
use smallvec::SmallVec;
use std::time::Duration;

/// What a visit brings into a queue.
pub(crate) struct Entry {
    pub queue: QueueId,
    pub asks: Requirement,
    pub priority_s: i64,
    pub credit: Duration,
    pub caller: Caller,
    pub been: SmallVec<[QueueId; 1]>,
}

impl Acd {
    pub(crate) fn on_enqueue(&mut self, visit: VisitId, entry: Entry, turn: &mut Turn) {
        if self.visits.contains_key(&visit) {
            return;
        }
        match self.admit(&entry.queue, &entry.asks) {
            Err(cause) => turn.say(Output::Refused { visit, queue: entry.queue, cause }),
            Ok(()) => self.enter(visit, entry, turn),
        }
    }

    fn admit(&self, id: &QueueId, asks: &Requirement) -> Result<(), Cause> {
        let queue = self.config.queues.get(id).ok_or(Cause::Closed)?;
        if self.queue_len(id) >= queue.capacity {
            return Err(Cause::QueueFull);
        }
        if !queue.join_empty.is_empty() && self.board.deserted(id, &queue.requires.and(asks)) {
            return Err(Cause::NoAgents);
        }
        Ok(())
    }

    fn enter(&mut self, visit: VisitId, entry: Entry, turn: &mut Turn) {
        let config = self.config.clone();
        let Some(queue) = config.queues.get(&entry.queue) else { return };
        let Entry { queue: id, asks, priority_s, credit, caller, been } = entry;
        let requires = queue.requires.and(&asks);
        let place = Place::new(visit, turn.now, credit, priority_s, weight(queue));
        let group = self.board.join_group(&id, &requires, weight(queue));
        self.lines.entry(id.clone()).or_default().insert(place);
        let v = Visit {
            queue: id.clone(),
            asks,
            requires: requires.clone(),
            priority_s,
            credit,
            entered: turn.now,
            caller,
            place,
            group,
            offers: SmallVec::new(),
            last_offer: 0,
            barred: SmallVec::new(),
            been,
            heard: None,
            open: false,
        };
        self.visits.insert(visit, v);
        self.timers.set(Timer::Age(visit), queue.overflow_after.map(|age| turn.now + age));
        self.timers.set(Timer::Announce(visit), queue.announce.every.map(|every| turn.now + every.max(PACE)));
        let position = self.position(visit).unwrap_or(1);
        turn.say(Output::Entered { visit, queue: id, requires, priority_s, position, expected: None, credit });
        self.refresh_open(visit);
    }

    /// The board learns whether the visit would take an(other) offer.
    pub(crate) fn refresh_open(&mut self, visit: VisitId) {
        let Some(v) = self.visits.get_mut(&visit) else { return };
        let wants = self.config.queues.get(&v.queue).is_some_and(|q| v.wants_offer(q.strategy));
        if wants != v.open {
            v.open = wants;
            self.board.set_open(v.group, v.place, wants);
        }
        if wants {
            self.woken_visits.push(visit);
        }
    }

    pub(crate) fn on_leave(&mut self, visit: VisitId, outcome: Outcome, turn: &mut Turn) {
        let cause = match outcome {
            Outcome::Abandoned => Some(Cause::CallerHungUp),
            Outcome::Timeout => Some(Cause::Timeout),
            Outcome::NoAgents => Some(Cause::NoAgents),
            Outcome::KeyExit | Outcome::Callback | Outcome::Voicemail => Some(Cause::Requested),
            Outcome::Answered | Outcome::Overflowed | Outcome::System => None,
        };
        self.leave(visit, outcome, cause, None, turn);
    }

    /// Ends what rings for it, then the visit.
    pub(crate) fn leave(&mut self, visit: VisitId, outcome: Outcome, cause: Option<Cause>, to: Option<QueueId>, turn: &mut Turn) {
        let Some(v) = self.visits.get(&visit) else { return };
        let ringing = !v.offers.is_empty();
        let end = if outcome == Outcome::Abandoned { OfferEnd::Cancelled } else { OfferEnd::Withdrawn };
        for offer in v.offers.clone() {
            self.take_back(offer, end, cause, turn);
        }
        self.drop_visit(visit, outcome, cause, to, ringing, turn);
    }

    /// The visit's one end. Its offers have ended.
    pub(crate) fn drop_visit(
        &mut self,
        visit: VisitId,
        outcome: Outcome,
        cause: Option<Cause>,
        to: Option<QueueId>,
        ringing: bool,
        turn: &mut Turn,
    ) {
        let Some(v) = self.visits.remove(&visit) else { return };
        if v.open {
            self.board.set_open(v.group, v.place, false);
        }
        self.board.leave_group(v.group);
        if let Some(line) = self.lines.get_mut(&v.queue) {
            line.remove(&v.place);
        }
        for key in &v.barred {
            self.agents[key.0].barred.remove(&visit);
            self.timers.set(Timer::Bar(visit, *key), None);
        }
        self.timers.set(Timer::Age(visit), None);
        self.timers.set(Timer::Announce(visit), None);
        let waited = turn.now.since(v.entered);
        turn.say(Output::Left { visit, queue: v.queue, outcome, cause, waited, ringing, to });
    }

    /// The visit is old enough to leave its queue, whether something rings or not.
    pub(crate) fn on_age_due(&mut self, visit: VisitId, turn: &mut Turn) {
        let Some(v) = self.visits.get(&visit) else { return };
        let Some(target) = self.config.queues.get(&v.queue).and_then(|q| q.overflow_to.clone()) else {
            return self.leave(visit, Outcome::Timeout, Some(Cause::Timeout), None, turn);
        };
        let next = visit.n.checked_add(1).map(|n| VisitId { n, ..visit }).filter(|next| !self.visits.contains_key(next));
        let mut been = v.been.clone();
        been.push(v.queue.clone());
        let refused = if been.contains(&target) { Some(Cause::Loop) } else { self.admit(&target, &v.asks).err() };
        match (refused, next) {
            (None, Some(next)) => {
                let (asks, priority_s, caller) = (v.asks.clone(), v.priority_s, v.caller);
                let credit = v.credit + turn.now.since(v.entered);
                self.leave(visit, Outcome::Overflowed, Some(Cause::Timeout), Some(target.clone()), turn);
                self.enter(next, Entry { queue: target, asks, priority_s, credit, caller, been }, turn);
            }
            (Some(Cause::NoAgents), _) => self.leave(visit, Outcome::NoAgents, Some(Cause::NoAgents), None, turn),
            (refused, _) => self.leave(visit, Outcome::Timeout, Some(refused.unwrap_or(Cause::Internal)), None, turn),
        }
    }

    /// Tells the position if it is news: never to the head of the line, and only when it improved.
    pub(crate) fn on_announce_due(&mut self, visit: VisitId, turn: &mut Turn) {
        let position = self.position(visit).unwrap_or(1);
        let Some(v) = self.visits.get_mut(&visit) else { return };
        let every = self.config.queues.get(&v.queue).and_then(|q| q.announce.every);
        self.timers.set(Timer::Announce(visit), every.map(|every| turn.now + every.max(PACE)));
        if position > 1 && v.heard.is_none_or(|heard| position < heard) {
            v.heard = Some(position);
            turn.say(Output::Announce { visit, position, waited: turn.now.since(v.entered), wait: None, expected: None });
        }
    }
}

/// A queue without weight would never age its calls: 0 counts as 1.
pub(crate) fn weight(queue: &Queue) -> u32 {
    queue.weight.max(1)
}
