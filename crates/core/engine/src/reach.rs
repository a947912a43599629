//! Somebody is rung for an errand of the call's: a consultation, a transfer, the far end of an agent's own call …
//!
//! ```text
//!  reach ─▶ a leg per phone ─ 180, 183 ─▶ rings ─ 200 ─▶ (an outside phone: "press 1") ─▶ reached: the others stop
//!     │ busy, no way                │ every phone refused, or the time is up
//!     └──────────────┬──────────────┘
//!                    ▼
//!               not reached
//! ```
//! What follows from either is the errand's own rule. Agents who are rung count as engaged meanwhile.

use crate::centre::Centre;
use crate::dialling::{Shown, completed_elsewhere};
use crate::leg::Purpose;
use crate::party::{Errand, Party, Reach};
use acd::Work;
use base::{AgentId, AgentState, CallId, LegId};
use std::time::Duration;

/// How long a phone rings for a call that no queue's rule says it for.
pub(crate) const RING: Duration = Duration::from_secs(30);
/// Numbers outside take longer to begin.
const RING_OUTSIDE: Duration = Duration::from_secs(60);

impl Centre {
    /// Rings somebody. What follows is `on_reached` or `on_not_reached` of the errand, perhaps at once.
    pub(crate) fn reach(&mut self, id: CallId, errand: Errand, to: Party, shown: &Shown) {
        let until = self.now.mono + if matches!(to, Party::Number(_)) { RING_OUTSIDE } else { RING };
        let purpose = Purpose::Reached(errand.clone());
        let dials = match &to {
            Party::Agent(agent) if !self.may_be_rung(agent, &errand) => Vec::new(),
            Party::Agent(agent) => self.dials(id, agent, shown),
            Party::Number(number) => self.way_out(id, number.reveal(), self.claim(id, &errand)).into_iter().collect(),
            Party::Queue(_) => Vec::new(),
        };
        let Some(call) = self.calls.get_mut(&id) else { return };
        call.reaches.insert(errand.clone(), Reach { to: to.clone(), open: 0, refusal: None, until, holds: false });
        let open = self.start_dialling(id, &purpose, dials);
        if let Party::Number(number) = &to {
            self.take_channels(id, &errand, number.reveal());
        }
        if open == 0 {
            let busy = matches!(&to, Party::Agent(agent) if self.is_in_call(agent));
            return self.not_reached(id, errand, if busy { 486 } else { 480 });
        }
        if let Some(reach) = self.calls.get_mut(&id).and_then(|c| c.reaches.get_mut(&errand)) {
            reach.open = open;
            reach.holds = true;
        }
        match (&to, &errand) {
            (Party::Number(_) | Party::Queue(_), _) | (_, Errand::OwnPhone) => {}
            (Party::Agent(agent), Errand::Monitor(_)) => self.engage(agent, id, Work::Monitoring),
            (Party::Agent(agent), _) => self.engage(agent, id, Work::Internal),
        }
        self.relink(id);
    }

    /// Call waiting is off: whoever is in any call we know of is busy (calls.md line 6).
    pub(crate) fn may_be_rung(&self, agent: &AgentId, errand: &Errand) -> bool {
        // Whoever is not logged in can be called, but given no customer.
        let gets_a_customer = matches!(errand, Errand::Transfer | Errand::Recall | Errand::Consult);
        let there = self.acd.agent(agent).is_some_and(|a| a.state != AgentState::LoggedOut || !gets_a_customer);
        there && (!self.is_in_call(agent) || *errand == Errand::OwnPhone)
    }

    pub(crate) fn is_in_call(&self, agent: &AgentId) -> bool {
        let rings = self.acd.agent(agent).is_some_and(|a| matches!(a.state, AgentState::Reserved | AgentState::Ringing));
        rings || self.talks(agent) || self.is_engaged(agent)
    }

    /// As the ACD has it.
    pub(crate) fn talks(&self, agent: &AgentId) -> bool {
        self.acd.agent(agent).is_some_and(|a| matches!(a.state, AgentState::Talking | AgentState::Holding))
    }

    pub(crate) fn on_reach_progress(&mut self, leg: LegId, errand: &Errand, sdp: Option<&[u8]>) {
        let early = sdp.is_some_and(|sdp| self.agreed(leg, sdp));
        match errand {
            Errand::FarEnd => self.ring_caller_of(leg.call, early),
            Errand::Consult => {
                let second = self.calls.get(&leg.call).and_then(|c| c.second()).map(|l| l.id);
                second.into_iter().for_each(|second| self.ring_leg(second, early));
            }
            _ => {}
        }
        self.relink(leg.call);
    }

    pub(crate) fn on_reach_answered(&mut self, leg: LegId, errand: Errand, sdp: &[u8]) {
        let Some(to) = self.calls.get(&leg.call).and_then(|c| c.reaches.get(&errand)).map(|r| r.to.clone()) else {
            return self.drop_leg(leg, Some(completed_elsewhere()));
        };
        let negotiated = self.leg_mut(leg).is_some_and(|l| l.audio.is_some());
        if !self.agreed(leg, sdp) && !negotiated {
            return self.on_reach_leg_failed(leg, errand, 488);
        }
        match &to {
            Party::Agent(agent) if self.wants_a_key(leg, agent) => self.relink(leg.call),
            _ => self.take_reach(leg, errand),
        }
    }

    /// The first answer wins.
    pub(crate) fn take_reach(&mut self, leg: LegId, errand: Errand) {
        let id = leg.call;
        let reach = self.calls.get_mut(&id).and_then(|c| c.reaches.remove(&errand));
        let Some(Reach { to, .. }) = reach else { return self.drop_leg(leg, Some(completed_elsewhere())) };
        if let Some(state) = self.leg_mut(leg) {
            state.up = true;
            state.awaits_key = false;
            state.purpose = Purpose::Third;
        }
        self.stop_reaching(id, &errand, true);
        match errand {
            Errand::OwnPhone => self.own_phone_reached(id, leg),
            Errand::FarEnd => self.far_end_reached(id, leg),
            Errand::Consult => self.consult_reached(id, leg),
            Errand::Transfer | Errand::Recall => self.transfer_reached(id, leg, to),
            Errand::Monitor(supervisor) => self.monitor_reached(id, leg, supervisor),
            Errand::Customer => self.customer_reached(id, leg),
            Errand::Forward => self.forward_reached(id, leg, to),
        }
        self.relink(id);
    }

    pub(crate) fn on_reach_leg_failed(&mut self, leg: LegId, errand: Errand, status: u16) {
        self.drop_leg(leg, None);
        let Some(reach) = self.calls.get_mut(&leg.call).and_then(|c| c.reaches.get_mut(&errand)) else { return };
        reach.open = reach.open.saturating_sub(1);
        // A refusal says more than silence.
        if reach.refusal.is_none() || !matches!(status, 408 | 480) {
            reach.refusal = Some(status);
        }
        if let (0, Some(status)) = (reach.open, reach.refusal) {
            self.not_reached(leg.call, errand, status);
        }
    }

    /// A reach whose time is up.
    pub(crate) fn on_reach_due(&mut self, id: CallId) -> bool {
        let now = self.now.mono;
        let Some(call) = self.calls.get(&id) else { return false };
        let Some(errand) = call.reaches.iter().find(|(_, r)| r.until <= now).map(|(e, _)| e.clone()) else { return false };
        self.not_reached(id, errand, 408);
        true
    }

    pub(crate) fn not_reached(&mut self, id: CallId, errand: Errand, status: u16) {
        if self.give_up(id, &errand).is_none() {
            return;
        }
        match errand {
            Errand::OwnPhone | Errand::FarEnd => self.own_call_failed(id, status),
            Errand::Consult => self.consult_failed(id, status),
            Errand::Transfer => self.transfer_failed(id, status),
            Errand::Recall => self.recall_failed(id),
            Errand::Monitor(supervisor) => self.end_monitor(id, &supervisor),
            Errand::Customer => self.customer_not_reached(id, status),
            Errand::Forward => self.forward_failed(id, status),
        }
        self.relink(id);
    }

    /// Nobody is rung for this errand any more. Whom it was that was rung.
    pub(crate) fn give_up(&mut self, id: CallId, errand: &Errand) -> Option<Party> {
        let reach = self.calls.get_mut(&id)?.reaches.remove(errand)?;
        self.stop_reaching(id, errand, false);
        if let (Party::Agent(agent), true) = (&reach.to, reach.holds) {
            self.disengage(agent, id);
        }
        Some(reach.to)
    }

    fn stop_reaching(&mut self, id: CallId, errand: &Errand, taken: bool) {
        let legs = self.calls.get(&id).map(|c| c.reached(errand)).unwrap_or_default();
        for leg in legs {
            self.drop_leg(leg, taken.then(completed_elsewhere));
        }
    }
}
