//! Visits: how they enter a queue, grow older in it, and are open to offers or not. The picture is in `visit.rs`.

use crate::board::Sort;
use crate::expect::Ticket;
use crate::place::Place;
use crate::queue::QueueKey;
use crate::timers::Timer;
use crate::visit::{Hold, Visit, VisitKey};
use crate::{Acd, CALLBACK_LIFE, Caller, Output, PACE, Turn};
use base::{Cause, Instant, Mutation, PartyId, QueueId, Requirement, VisitId, mutated};
use smallvec::SmallVec;
use std::time::Duration;

/// What a visit brings into a queue.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub asks: Requirement,
    pub priority_s: i64,
    pub credit: Duration,
    /// How much of the credit was waited in this queue.
    pub aged: Duration,
    pub party: Option<PartyId>,
    pub caller: Caller,
    pub been: SmallVec<[QueueId; 1]>,
}

impl Acd {
    pub(crate) fn on_enqueue(&mut self, id: VisitId, queue: QueueId, mut entry: Entry, turn: &mut Turn) {
        if self.visit_key(id).is_some() {
            return;
        }
        let Some(key) = self.queue_key(&queue) else {
            return turn.say(Output::Refused { visit: id, queue, cause: Cause::Closed });
        };
        let returns = self.give_back_place(&queue, &mut entry, turn.now);
        match self.admit(key, &entry, self.door_of(&entry, returns), turn.wall) {
            Err(cause) => turn.say(Output::Refused { visit: id, queue, cause }),
            Ok(()) => {
                if let Some(party) = entry.party {
                    self.lost_places.forget(&(queue, party));
                }
                self.enter(id, key, entry, turn);
            }
        }
    }

    pub(crate) fn enter(&mut self, id: VisitId, queue: QueueKey, entry: Entry, turn: &mut Turn) {
        let Entry { asks, priority_s, credit, aged, party, caller, been } = entry;
        let key = VisitKey(self.visits.insert(Visit {
            id,
            queue,
            asks,
            priority_s,
            credit,
            aged,
            entered: turn.now,
            on_the_line: turn.now,
            party,
            caller,
            step: 0,
            place: Place::new(id, VisitKey(0), turn.now, credit, priority_s, 1),
            kind: 0,
            offers: SmallVec::new(),
            last_offer: 0,
            barred: SmallVec::new(),
            been,
            heard: None,
            heard_wait: None,
            hold: Hold::Nothing,
            ticket: Ticket::default(),
            open: false,
        }));
        self.visit_of.insert(&id, key.0);
        let ahead = self.sort(key, turn);
        self.set_deadlines(key, turn);
        let expected = self.expect_on_entry(key, ahead, turn.now);
        let v = &self.visits[key.0];
        let (kind, q) = (v.kind, &self.queues[queue.0]);
        let requires = self.board.asked_at_first(kind).clone();
        let position = position(ahead);
        turn.say(Output::Entered { visit: id, queue: q.id.clone(), requires, priority_s, position, expected, credit });
        self.board.suspect(kind);
        self.hold_callback(key, turn);
        self.keep_for_last_agent(key);
        self.refresh_open(key);
    }

    /// Puts a visit that is nowhere into its queue's line and into its kind, as old as it is. Gives how many stand
    /// before it.
    pub(crate) fn sort(&mut self, key: VisitKey, turn: &Turn) -> usize {
        let v = &mut self.visits[key.0];
        let queue = &mut self.queues[v.queue.0];
        v.step = queue.plan.reached(v.age(turn.now));
        let priority = v.priority_s.saturating_add(queue.plan.raised(v.step));
        v.place = Place::new(v.id, key, v.entered, v.credit, priority, queue.weight());
        let before = queue.line.insert(v.place);
        v.kind = self.board.join(&Sort { queue: v.queue, asks: &v.asks, step: v.step, dials: v.dials() }, queue);
        let next = queue.plan.next_age(v.step).map(|age| v.entered + age.saturating_sub(v.aged));
        self.timers.set(Timer::Step(key), next);
        before
    }

    /// Its place, its step or its kind is another now.
    pub(crate) fn sort_again(&mut self, key: VisitKey, turn: &Turn) {
        let v = &mut self.visits[key.0];
        if std::mem::take(&mut v.open) {
            self.board.set_open(v.kind, v.place, false);
        }
        let before = v.kind;
        self.queues[v.queue.0].line.remove(&v.place);
        self.sort(key, turn);
        self.board.leave(before);
        self.refresh_open(key);
    }

    /// Those that the queue's configuration sets.
    pub(crate) fn set_deadlines(&mut self, key: VisitKey, turn: &Turn) {
        self.timers.set(Timer::Age(key), self.leaves_at(key));
        let v = &self.visits[key.0];
        let config = &self.queues[v.queue.0].config;
        let planned = self.timers.at(Timer::Announce(key));
        let every = config.announce.every.filter(|_| !v.is_virtual());
        self.timers.set(Timer::Announce(key), every.map(|every| planned.unwrap_or(turn.now + every.max(PACE))));
    }

    /// When it is too old for its queue. A callback, for which nobody hangs up, always has an end; while its customer is
    /// dialled, that of the dialling.
    pub(crate) fn leaves_at(&self, key: VisitKey) -> Option<Instant> {
        let v = &self.visits[key.0];
        if let Hold::Dialling(_) = v.hold {
            return None;
        }
        let oldest = match (self.queues[v.queue.0].config.overflow_after, v.is_virtual()) {
            (Some(age), true) => Some(age.min(CALLBACK_LIFE)),
            (None, true) => Some(CALLBACK_LIFE),
            (age, false) => age,
        };
        oldest.map(|age| v.on_the_line + age)
    }

    /// The board learns whether the visit would take an(other) offer: at once that it would not; that it would when
    /// matching begins. Most who come while somebody is free are offered in the same turn, and never stand there.
    pub(crate) fn refresh_open(&mut self, key: VisitKey) {
        if !self.wants_offer(key) {
            let v = &mut self.visits[key.0];
            if std::mem::take(&mut v.open) {
                self.board.set_open(v.kind, v.place, false);
            }
            return;
        }
        if self.matching {
            self.open(key);
        }
        self.woken_visits.push(key);
    }

    pub(crate) fn wants_offer(&self, key: VisitKey) -> bool {
        self.visits.get(key.0).is_some_and(|v| v.wants_offer(self.queues[v.queue.0].config.strategy))
    }

    /// The board has a visit that would take an(other) offer as open.
    pub(crate) fn open(&mut self, key: VisitKey) {
        if self.wants_offer(key) && !self.visits[key.0].open {
            let v = &mut self.visits[key.0];
            v.open = true;
            self.board.set_open(v.kind, v.place, true);
        }
    }

    pub(crate) fn on_step_due(&mut self, key: VisitKey, turn: &mut Turn) {
        self.sort_again(key, turn);
    }

    pub(crate) fn on_prioritise(&mut self, id: VisitId, priority_s: i64, turn: &mut Turn) {
        if let Some(key) = self.visit_key(id).filter(|_| !mutated(Mutation::PriorityIgnored)) {
            self.visits[key.0].priority_s = priority_s;
            self.sort_again(key, turn);
        }
    }

    pub(crate) fn position_of(&self, key: VisitKey) -> u32 {
        let v = &self.visits[key.0];
        position(self.queues[v.queue.0].line.rank(&v.place).unwrap_or(0))
    }
}

/// Of a visit before which so many stand.
fn position(before: usize) -> u32 {
    u32::try_from(before).unwrap_or(u32::MAX).saturating_add(1)
}
