//! Calls that agents make: to a colleague (internal) or to a number outside, dialled on the phone or at the desk.
//!
//! ```text
//!  the phone dials ───────────────────────┐
//!  the desk asks ─▶ the own phone rings ──┴─▶ the far end rings (its 180 and early media pass) ─ 200 ─▶ talking
//!                        │ not answered            │ refused, not answered
//!                        └─────────────────────────┴─▶ rejected, with the far end's status
//! ```
//! They are calls as others are: facts, figures, recording by policy. The agent is engaged, in no queue.

use crate::Place;
use crate::call::{Call, Own, OwnAct};
use crate::centre::Centre;
use crate::channels::Claim;
use crate::dialling::{Dialled, Shown};
use crate::leg::Purpose;
use crate::party::{Errand, Party};
use acd::Work;
use base::fact::{Direction, What};
use base::{AgentId, CallId, Cause, LegId, Pii};

impl Centre {
    /// From the desk: the agent's phone first, then the target's.
    pub(crate) fn dial_for(&mut self, agent: AgentId, to: Party) {
        let direction = if matches!(to, Party::Agent(_)) { Direction::Internal } else { Direction::Outgoing };
        let mut call = self.next_call(agent.tenant(), direction);
        let id = call.id;
        call.trunk = agent.name().into();
        if let Party::Number(number) = &to {
            call.caller = number.clone();
            let trunk = self.setup.trunk_of(&agent.tenant()).unwrap_or_default().to_string();
            call.party = self.party(&agent.tenant(), &trunk, number, &Pii::default());
        }
        let shown = Shown { display: Pii::new(to.to_string().into()), user: call.caller.clone() };
        call.own = Some(Own { agent: agent.clone(), act: OwnAct::Call(to) });
        call.goes_to(Place::External, self.now);
        self.calls.insert(id, call);
        self.call_fact(id, |_| (), What::CallArrived { direction, trunk: agent.name().into(), number: String::new() });
        self.engage_own(id);
        self.reach(id, Errand::OwnPhone, Party::Agent(agent), &shown);
    }

    pub(crate) fn engage_own(&mut self, id: CallId) {
        let Some((agent, to)) = self.calls.get(&id).and_then(Call::own_call) else { return };
        let work = if matches!(to, Party::Agent(_)) { Work::Internal } else { Work::Outbound };
        self.engage(&agent, id, work);
    }

    /// The agent's phone dialled, and its port is there.
    pub(crate) fn on_own_opened(&mut self, id: CallId) {
        let now = self.now;
        if let Some(call) = self.calls.get_mut(&id) {
            call.deadline = None;
            call.goes_to(Place::External, now);
        }
        self.reach_far_end(id);
    }

    pub(crate) fn own_phone_reached(&mut self, id: CallId, leg: LegId) {
        if let Some(state) = self.leg_mut(leg) {
            state.purpose = Purpose::Agent;
        }
        self.engage_own(id);
        self.reach_far_end(id);
    }

    fn reach_far_end(&mut self, id: CallId) {
        let Some((agent, to)) = self.calls.get(&id).and_then(Call::own_call) else { return };
        let entry = self.setup.site.agents.get(&agent);
        let extension = entry.and_then(|a| a.extension.clone()).unwrap_or_default();
        let display = entry.map(|a| a.display.reveal().clone()).unwrap_or_default();
        let shown = Shown { display: Pii::new(display.into()), user: Pii::new(extension.into()) };
        self.reach(id, Errand::FarEnd, to, &shown);
    }

    /// The far end rings, perhaps with audio of its own: so does the agent's phone, and no second ringback.
    pub(crate) fn ring_caller_of(&mut self, id: CallId, early: bool) {
        let agent = self.calls.get(&id).and_then(Call::own_leg);
        agent.into_iter().for_each(|leg| self.ring_leg(leg, early));
    }

    pub(crate) fn far_end_reached(&mut self, id: CallId, leg: LegId) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let (Some((agent, to)), Some(own)) = (call.own_call(), call.own_leg()) else { return };
        call.customer = Some(leg);
        call.counterpart = if let Party::Agent(called) = to { Some(called) } else { None };
        call.begun = true;
        if let Some(state) = call.legs.get_mut(&leg) {
            state.purpose = Purpose::Customer;
        }
        let waits = call.legs.get(&own).is_some_and(|l| !l.up);
        if waits && let Err(status) = self.answer_leg(own) {
            self.refuse_leg(own, status, Cause::CodecMismatch);
            return;
        }
        self.call_fact(id, |_| (), What::CallAnswered {});
        self.converse(id, agent, own, None, true);
    }

    /// The far end or the agent's own phone was not to be had.
    pub(crate) fn own_call_failed(&mut self, id: CallId, status: u16) {
        let cause = match status {
            486 | 600 => Cause::Busy,
            603 | 403 => Cause::Declined,
            408 => Cause::NoAnswer,
            404 | 484 => Cause::UnknownNumber,
            _ => Cause::Unreachable,
        };
        // What came from outside is told as it came; a redirection is nothing that is followed.
        let status = if (400..700).contains(&status) && status != 407 && status != 401 { status } else { 480 };
        self.reject(id, status, cause);
    }

    /// The way to a number outside: by the emergency's trunk, always, or by the tenant's, with the tenant's number.
    pub(crate) fn way_out(&mut self, id: CallId, number: &str, claim: Claim) -> Option<Dialled> {
        let setup = self.setup.clone();
        let tenant = &self.calls.get(&id)?.tenant;
        let shown = setup.site.accounts.get(tenant).and_then(|a| a.caller_number.as_ref());
        let user = Pii::new(shown.map(|n| n.reveal().as_str()).unwrap_or_default().into());
        let trunk = self.free_trunk(tenant, number, claim)?;
        self.dial_number(id, &trunk, number, &Shown { display: Pii::default(), user })
    }
}

impl Call {
    /// Who calls whom, of an agent's own call.
    fn own_call(&self) -> Option<(AgentId, Party)> {
        match self.own.as_ref() {
            Some(Own { agent, act: OwnAct::Call(to) }) => Some((agent.clone(), to.clone())),
            _ => None,
        }
    }

    fn own_leg(&self) -> Option<LegId> {
        self.legs.values().find(|leg| leg.purpose == Purpose::Agent).map(|leg| leg.id)
    }
}
