//! The agent asks somebody else about the call, while the customer waits: by request (one line of the agent's phone
//! speaks with either) or from the phone itself, in a second dialog.
//!
//! ```text
//!               rings                 answered                    conference
//!  talking ─▶ (consulted) ──────────▶ consulted ────────────────▶ joined
//!     ▲          │ not reached          │ either hangs up, or cancelled  │ the third hangs up
//!     └──────────┴──────────────────────┴────────────────────────────────┘
//!  completed in any of them: the call is passed on (transfer)
//! ```

use crate::call::{Asked, Call, Part};
use crate::centre::Centre;
use crate::leg::Purpose;
use crate::party::{Errand, Party, Role, Third};
use base::fact::What;
use base::{AgentId, CallId, Cause, LegId, Outcome, QueueId, Requirement};
use std::time::Duration;

impl Centre {
    /// Somebody has the customer and consults nobody yet.
    pub(crate) fn may_consult(&self, id: CallId) -> bool {
        let Some(call) = self.calls.get(&id) else { return false };
        let talks = call.conversation.as_ref().is_some_and(|c| c.greeting.is_none()) && call.customer.is_some();
        talks && call.third.is_none() && call.second().is_none() && call.ending.is_none()
    }

    pub(crate) fn consult(&mut self, id: CallId, to: Party) {
        self.second_begins(id, to.clone());
        match to {
            Party::Queue(queue) => self.ask_queue(id, queue),
            _ => self.reach_consulted(id),
        }
    }

    /// The consultation is a visit of its own: whoever the queue gives it to is asked. The customer's wait counts in its
    /// order.
    fn ask_queue(&mut self, id: CallId, queue: QueueId) {
        let Some((waited, asked)) = self.calls.get(&id).map(|c| (c.waited, c.asks_again())) else { return };
        self.visit(id, queue, asked, waited);
        self.relink(id);
    }

    /// An agent of the queue answered.
    pub(crate) fn queue_answered(&mut self, id: CallId, agent: AgentId, leg: LegId, queue: QueueId) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        if let Some(state) = call.legs.get_mut(&leg) {
            state.purpose = Purpose::Third;
            state.up = true;
        }
        if let Some(third) = call.third.as_mut() {
            third.to = Party::Agent(agent);
            third.from = Some(queue);
        }
        self.consult_reached(id, leg);
    }

    /// The agent's phone called somebody while in conversation; its port is being opened.
    pub(crate) fn second_begins(&mut self, id: CallId, to: Party) {
        if let Some(call) = self.calls.get_mut(&id) {
            call.third = Some(Third { to, role: Role::Consulted { since: None }, from: None, leg: None });
        }
    }

    pub(crate) fn on_second_opened(&mut self, leg: LegId) {
        self.reach_consulted(leg.call);
    }

    fn reach_consulted(&mut self, id: CallId) {
        let Some(to) = self.calls.get(&id).and_then(|c| c.third.as_ref()).map(|t| t.to.clone()) else { return };
        if let Party::Queue(queue) = to {
            // The agent's phone rings back until somebody answers.
            let second = self.calls.get(&id).and_then(|c| c.second()).map(|l| l.id);
            second.into_iter().for_each(|second| self.ring_leg(second, false));
            return self.ask_queue(id, queue);
        }
        let shown = self.shown_to_agent(id);
        self.reach(id, Errand::Consult, to, &shown);
    }

    pub(crate) fn consult_reached(&mut self, id: CallId, leg: LegId) {
        let now = self.now;
        let second = self.calls.get(&id).and_then(|c| c.second()).map(|l| l.id);
        if let Some(third) = self.calls.get_mut(&id).and_then(|c| c.third.as_mut()) {
            third.leg = Some(leg);
            third.role = Role::Consulted { since: Some(now) };
        }
        if let Some(second) = second
            && let Err(status) = self.answer_leg(second)
        {
            self.refuse_leg(second, status, Cause::CodecMismatch);
            return;
        }
        self.relink(id);
        self.record_aside(id, leg);
    }

    /// A consultation is a part of its own, if the conversation is recorded and the account wants it (calls.md line 10).
    fn record_aside(&mut self, id: CallId, third: LegId) {
        let Some(call) = self.calls.get(&id).filter(|call| call.recorded().is_some()) else { return };
        let wanted = self.asked(call).is_some_and(|asked| self.setup.site.recording.records_consult(&asked));
        let wanted = wanted && !self.third_forbids(call);
        let Some(agent) = call.conversation.as_ref().map(|c| call.second().map_or(c.leg, |l| l.id)) else { return };
        if !wanted {
            return;
        }
        let (left, right) = (vec![third], vec![agent]);
        let part = self.record_part(id, left.clone(), right.clone()).map(|id| Part { id, left, right });
        if let Some(conversation) = self.calls.get_mut(&id).and_then(|c| c.conversation.as_mut()) {
            conversation.aside = part;
        }
    }

    pub(crate) fn consult_failed(&mut self, id: CallId, status: u16) {
        let second = self.calls.get(&id).and_then(|c| c.second()).map(|l| l.id);
        if let Some(call) = self.calls.get_mut(&id) {
            call.third = None;
        }
        if let Some(second) = second {
            self.refuse_leg(second, status, if status == 486 { Cause::Busy } else { Cause::NoAnswer });
        }
        self.relink(id);
    }

    /// Back to the customer; whoever was consulted is hung up.
    pub(crate) fn end_consult(&mut self, id: CallId) {
        self.end_third(id, Cause::Requested);
        let second = self.calls.get(&id).and_then(|c| c.second()).map(|l| l.id);
        if let Some(second) = second {
            self.drop_leg(second, None);
        }
        self.relink(id);
    }

    /// All three in one conversation.
    pub(crate) fn conference(&mut self, id: CallId) {
        let consulted = self.end_aside(id);
        let Some(call) = self.calls.get_mut(&id) else { return };
        let (Some(third), Some(conversation)) = (call.third.as_mut(), call.conversation.as_mut()) else { return };
        third.role = Role::Joined;
        conversation.consulted += consulted;
        let to = third.to.to_string();
        self.conversation_fact(id, None, What::AgentLegConferenced { joined: true, to });
        self.relink(id);
    }

    /// The agent's phone ended its second dialog. In a conference the first one speaks for it.
    pub(crate) fn second_gone(&mut self, id: CallId) {
        let joined = self.calls.get(&id).and_then(|c| c.third.as_ref()).is_some_and(|t| t.role == Role::Joined);
        if !joined {
            self.end_third(id, Cause::AgentHungUp);
        }
    }

    /// Whoever was consulted, took part or had the call has hung up.
    pub(crate) fn third_gone(&mut self, id: CallId, cause: Cause) {
        let has = self.calls.get(&id).and_then(|c| c.third.as_ref()).is_some_and(|t| t.role == Role::Has);
        if has {
            let cause = if cause == Cause::AgentHungUp { Cause::Transferred } else { cause };
            return self.end_call(id, cause);
        }
        self.end_consult(id);
    }

    /// The third's part in the call is over.
    pub(crate) fn end_third(&mut self, id: CallId, cause: Cause) {
        let consulted = self.end_aside(id);
        self.give_up(id, &Errand::Consult);
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Some(third) = call.third.take() else { return };
        if let Some(conversation) = call.conversation.as_mut() {
            conversation.consulted += consulted;
        }
        if third.role == Role::Joined {
            let to = third.to.to_string();
            self.conversation_fact(id, Some(cause), What::AgentLegConferenced { joined: false, to });
        }
        if let Some(leg) = third.leg {
            self.drop_leg(leg, None);
        }
        match (third.to, third.from) {
            (Party::Agent(agent), Some(_)) => self.tell_acd(acd::Input::Released { agent, cause }),
            (Party::Agent(agent), None) => self.disengage(&agent, id),
            (Party::Queue(_), _) => self.stop_asking(id),
            (Party::Number(_), _) => {}
        }
    }

    /// Nobody of the queue is wanted any more.
    fn stop_asking(&mut self, id: CallId) {
        if let Some(visit) = self.calls.get(&id).and_then(|c| c.visit.as_ref()).map(|v| v.id) {
            self.tell_acd(acd::Input::Leave { visit, outcome: Outcome::System, cut_off: None });
        }
    }

    /// Stops the clock and the recording of a consultation. How long it lasted since it was last asked.
    pub(crate) fn end_aside(&mut self, id: CallId) -> Duration {
        let now = self.now;
        let Some(call) = self.calls.get_mut(&id) else { return Duration::ZERO };
        let aside = call.conversation.as_mut().and_then(|c| c.aside.take());
        let since = match call.third.as_mut().map(|t| &mut t.role) {
            Some(Role::Consulted { since }) => since.take(),
            _ => None,
        };
        aside.into_iter().for_each(|part| self.stop_recording(part.id));
        since.map_or(Duration::ZERO, |since| now.mono.since(since.mono))
    }
}

impl Call {
    /// The agent waits for somebody of a queue, to consult them.
    pub fn asks_a_queue(&self) -> bool {
        self.third.as_ref().is_some_and(|third| matches!(third.to, Party::Queue(_)))
    }

    /// What the next queue is asked for: the caller's language as before. What the first one wanted beside that was its own.
    pub fn asks_again(&self) -> Asked {
        let Some(asked) = &self.asked else { return Asked { requires: Requirement::default(), priority_s: 0 } };
        let spoken = asked.requires.needs().iter().filter(|need| need.skill.0.starts_with("lang:"));
        Asked { requires: Requirement::new(spoken.cloned()), priority_s: asked.priority_s }
    }
}
