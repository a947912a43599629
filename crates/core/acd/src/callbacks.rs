//! Callbacks: a place in line with nobody on the line.
//!
//! Agent first, it is offered like any visit. Customer first, its turn is when an agent who can take it is free: the
//! customer is dialled, the agent is not held, and only one customer is dialled on an agent's account at a time.

use crate::agent::AgentKey;
use crate::leaving::End;
use crate::timers::Timer;
use crate::visit::{Hold, VisitKey};
use crate::{Acd, Caller, Output, Turn};
use base::{Cause, Instant, Outcome, VisitId};
use std::time::Duration;

/// After the customer's phone rang as long as it may, the engine has this long to say what came of it.
const MARGIN: Duration = Duration::from_secs(30);
/// Where the queue has no callbacks any more.
const RING: Duration = Duration::from_secs(30);

impl Acd {
    /// No offer before its time.
    pub(crate) fn hold_callback(&mut self, key: VisitKey, turn: &Turn) {
        let v = &mut self.visits[key.0];
        if let Caller::Virtual { not_before: Some(at), .. } = v.caller
            && at > turn.now
        {
            v.hold = Hold::NotYet;
            self.timers.set(Timer::Callback(key), Some(at));
        }
    }

    /// Its turn: the customer is dialled because this agent is free.
    pub(crate) fn call_customer(&mut self, key: VisitKey, agent: AgentKey, turn: &mut Turn) {
        self.set_dialling(agent, Some(key), turn.now);
        let v = &mut self.visits[key.0];
        v.hold = Hold::Dialling(Some(agent));
        let queue = &self.queues[v.queue.0];
        let ring = queue.config.callback.map_or(RING, |callback| callback.ring);
        turn.say(Output::CallCustomer { visit: v.id, queue: queue.id.clone() });
        self.timers.set(Timer::Callback(key), Some(turn.now + ring + MARGIN));
        self.set_deadlines(key, turn);
        self.refresh_open(key);
    }

    pub(crate) fn on_customer_answered(&mut self, id: VisitId, turn: &mut Turn) {
        let Some(key) = self.visit_key(id) else { return };
        if !matches!(self.visits[key.0].hold, Hold::Dialling(_)) {
            return;
        }
        self.end_dialling(key, turn.now);
        let v = &mut self.visits[key.0];
        (v.caller, v.on_the_line) = (Caller::OnTheLine, turn.now);
        self.set_deadlines(key, turn);
        self.sort_again(key, turn);
        self.board.suspect(self.visits[key.0].kind);
    }

    pub(crate) fn on_callback_due(&mut self, key: VisitKey, turn: &mut Turn) {
        match self.visits[key.0].hold {
            Hold::NotYet => {
                self.visits[key.0].hold = Hold::Nothing;
                self.refresh_open(key);
            }
            Hold::Dialling(_) => self.leave(key, End::new(Outcome::Timeout, Cause::NoAnswer), turn),
            Hold::Nothing | Hold::KeptFor(_) => {}
        }
    }

    pub(crate) fn end_dialling(&mut self, key: VisitKey, now: Instant) {
        self.timers.set(Timer::Callback(key), None);
        let hold = std::mem::replace(&mut self.visits[key.0].hold, Hold::Nothing);
        if let Hold::Dialling(Some(agent)) = hold {
            self.set_dialling(agent, None, now);
        }
    }

    fn set_dialling(&mut self, agent: AgentKey, visit: Option<VisitKey>, now: Instant) {
        self.unseat(agent, now);
        self.agents[agent.0].dialling = visit;
        self.refresh_seat(agent, now);
    }
}
