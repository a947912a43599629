//! How visits leave their queue: each ends once.

use crate::door::Door;
use crate::queue::QueueKey;
use crate::timers::Timer;
use crate::visit::{Hold, VisitKey};
use crate::visits::Entry;
use crate::{Acd, Output, ROOMY, Turn};
use base::{Cause, Mutation, OfferEnd, Outcome, QueueId, VisitId, mutated};
use smallvec::SmallVec;

/// How a visit ends.
pub(crate) struct End {
    pub outcome: Outcome,
    pub cause: Option<Cause>,
    pub to: Option<QueueId>,
}

impl End {
    pub fn new(outcome: Outcome, cause: Cause) -> Self {
        End { outcome, cause: Some(cause), to: None }
    }
}

impl Acd {
    pub(crate) fn on_leave(&mut self, id: VisitId, outcome: Outcome, cut_off: Option<Cause>, turn: &mut Turn) {
        let Some(key) = self.visit_key(id) else { return };
        if cut_off.is_some() {
            self.remember_place(key, turn.now);
        }
        let cause = cut_off.or(match outcome {
            Outcome::Abandoned => Some(Cause::CallerHungUp),
            Outcome::Timeout => Some(Cause::Timeout),
            Outcome::NoAgents => Some(Cause::NoAgents),
            Outcome::KeyExit | Outcome::Callback | Outcome::Voicemail => Some(Cause::Requested),
            Outcome::Answered | Outcome::Overflowed | Outcome::System => None,
        });
        // Nobody is on the line who could hang up.
        let nobody = outcome == Outcome::Abandoned && self.visits[key.0].is_virtual();
        let outcome = if nobody { Outcome::System } else { outcome };
        self.leave(key, End { outcome, cause, to: None }, turn);
    }

    /// Ends what rings for it, then the visit.
    pub(crate) fn leave(&mut self, key: VisitKey, end: End, turn: &mut Turn) {
        let ringing = !self.visits[key.0].offers.is_empty();
        let how = if end.outcome == Outcome::Abandoned { OfferEnd::Cancelled } else { OfferEnd::Withdrawn };
        self.take_back_all(key, how, end.cause, turn);
        self.drop_visit(key, end, ringing, turn);
    }

    /// The visit's one end. Its offers have ended.
    pub(crate) fn drop_visit(&mut self, key: VisitKey, end: End, ringing: bool, turn: &mut Turn) {
        match self.visits[key.0].hold {
            Hold::KeptFor(_) => self.release(key),
            Hold::Dialling(_) => self.end_dialling(key, turn.now),
            Hold::Nothing | Hold::NotYet => {}
        }
        self.drop_bars_of_visit(key);
        self.expect_leaves(key, end.outcome == Outcome::Answered, turn.now);
        let v = &mut self.visits[key.0];
        if v.offers.spilled() && self.roomy.len() < ROOMY {
            // They have ended.
            let mut offers = std::mem::take(&mut v.offers);
            offers.clear();
            self.roomy.push(offers);
        }
        if v.open {
            self.board.set_open(v.kind, v.place, false);
        }
        self.board.leave(v.kind);
        let queue = &mut self.queues[v.queue.0];
        queue.line.remove(&v.place);
        self.timers.clear_visit(key);
        let (visit, waited, queue) = (v.id, turn.now.since(v.entered), queue.id.clone());
        self.visit_of.remove(&visit, key.0);
        self.visits.remove(key.0);
        let End { outcome, cause, to } = end;
        turn.say(Output::Left { visit, queue, outcome, cause, waited, ringing, to });
    }

    /// The visit is old enough to leave its queue, whether something rings or not.
    pub(crate) fn on_age_due(&mut self, key: VisitKey, turn: &mut Turn) {
        if mutated(Mutation::OverflowAgeRestarts) && !self.visits[key.0].offers.is_empty() {
            return self.timers.set(Timer::Age(key), Some(turn.now + std::time::Duration::from_secs(10)));
        }
        if self.queues[self.visits[key.0].queue.0].config.overflow_to.is_none() {
            return self.leave(key, End::new(Outcome::Timeout, Cause::Timeout), turn);
        }
        match self.next_in_chain(key, turn) {
            Ok((target, been)) => self.go_on(key, target, been, Cause::Timeout, turn),
            Err(Cause::NoAgents) => self.leave(key, End::new(Outcome::NoAgents, Cause::NoAgents), turn),
            Err(cause) => self.leave(key, End::new(Outcome::Timeout, cause), turn),
        }
    }

    /// The first queue of the chain of overflows that takes the visit; else why the first one does not.
    fn next_in_chain(&mut self, key: VisitKey, turn: &Turn) -> Result<(QueueKey, SmallVec<[QueueId; 1]>), Cause> {
        let v = &self.visits[key.0];
        let (mut at, mut been, mut why) = (v.queue, v.been.clone(), None);
        let entry = self.entry_of(key, turn);
        loop {
            been.push(self.queues[at.0].id.clone());
            let Some(target) = self.queues[at.0].config.overflow_to.clone() else { return Err(why.unwrap_or(Cause::Timeout)) };
            if been.contains(&target) {
                return Err(why.unwrap_or(Cause::Loop));
            }
            let Some(next) = self.queue_key(&target) else { return Err(why.unwrap_or(Cause::Closed)) };
            match self.admit(next, &entry, Door::Overflow, turn.wall) {
                Ok(()) => return Ok((next, been)),
                Err(cause) => why = why.or(Some(cause)),
            }
            at = next;
        }
    }

    /// What the visit brings into its next queue: all it waited is credit.
    fn entry_of(&self, key: VisitKey, turn: &Turn) -> Entry {
        let v = &self.visits[key.0];
        Entry {
            asks: v.asks.clone(),
            priority_s: v.priority_s,
            credit: v.credit.saturating_add(turn.now.since(v.entered)),
            aged: std::time::Duration::ZERO,
            party: v.party,
            caller: v.caller,
            been: SmallVec::new(),
        }
    }

    /// This visit ends, and the call's next one begins there.
    fn go_on(&mut self, key: VisitKey, target: QueueKey, been: SmallVec<[QueueId; 1]>, cause: Cause, turn: &mut Turn) {
        let id = self.visits[key.0].id;
        let next = id.n.checked_add(1).map(|n| VisitId { n, ..id }).filter(|next| self.visit_key(*next).is_none());
        let Some(next) = next else { return self.leave(key, End::new(Outcome::Timeout, Cause::Internal), turn) };
        let entry = Entry { been, ..self.entry_of(key, turn) };
        let to = Some(self.queues[target.0].id.clone());
        self.leave(key, End { outcome: Outcome::Overflowed, cause: Some(cause), to }, turn);
        self.enter(next, target, entry, turn);
    }

    /// By a supervisor. What may not be moved stays.
    pub(crate) fn on_move(&mut self, id: VisitId, queue: &QueueId, turn: &mut Turn) {
        if let Ok((key, target)) = self.moving(id, queue) {
            self.go_on(key, target, SmallVec::new(), Cause::BySupervisor, turn);
        }
    }

    /// Whether a supervisor may move the visit to that queue; if not, why, for a person to read.
    pub fn may_move(&self, id: VisitId, queue: &QueueId) -> Result<(), &'static str> {
        self.moving(id, queue).map(drop)
    }

    fn moving(&self, id: VisitId, queue: &QueueId) -> Result<(VisitKey, QueueKey), &'static str> {
        let key = self.visit_key(id).ok_or("it does not wait")?;
        let target = self.queue_key(queue).ok_or("there is no such queue")?;
        let v = &self.visits[key.0];
        if self.queues[v.queue.0].tenant != self.queues[target.0].tenant {
            return Err("the queue is another tenant's");
        }
        if v.queue == target {
            return Err("it waits there already");
        }
        // For an agent of the queue that it is in.
        if matches!(v.hold, Hold::Dialling(_)) {
            return Err("its customer is being called");
        }
        if self.is_full(target) { Err("the queue is full") } else { Ok((key, target)) }
    }

    /// Whom everybody left alone, if the queue says so: each agent who could serve them is in a listed state.
    pub(crate) fn send_away_the_deserted(&mut self, turn: &mut Turn) {
        let mut suspects = std::mem::take(&mut self.scratch.families);
        suspects.append(&mut self.board.suspects);
        for family in suspects.drain(..) {
            let Some(f) = self.board.families.get(family) else { continue };
            let queue = &self.queues[f.queue.0];
            let never = mutated(Mutation::LeaveEmptyNever);
            if never || f.visits == 0 || queue.leave_empty.is_empty() || !self.board.is_alone(family, queue.leave_empty) {
                continue;
            }
            let stays = |v: &crate::visit::Visit| v.is_virtual() || !v.offers.is_empty();
            let line = queue.line.iter().map(|place| place.visit);
            let of_family = line.filter(|key| {
                let v = &self.visits[key.0];
                self.board.kinds[v.kind].family == family && !stays(v)
            });
            for key in of_family.collect::<Vec<_>>() {
                self.leave(key, End::new(Outcome::NoAgents, Cause::NoAgents), turn);
            }
        }
        self.scratch.families = suspects;
    }
}
