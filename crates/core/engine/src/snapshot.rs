//! The Centre as seen from outside, at one moment.

use crate::call::Call;
use crate::centre::Centre;
use crate::{CallView, Place, Snapshot};
use std::sync::Arc;

impl Centre {
    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            now: self.now,
            epoch: self.boot.epoch,
            draining: self.draining(),
            calls: self.calls.values().map(|c| self.view(c)).collect(),
            agents: self.acd.agents().collect(),
            visits: self.acd.visits().collect(),
            sessions: self.sip.sessions(),
            ports: self.ports.used(),
        }
    }

    fn view(&self, call: &Call) -> CallView {
        let conversation = call.conversation.as_ref();
        let queue = call.visit.as_ref().map(|v| &v.queue).or(conversation.map(|c| &c.queue));
        let ringing = call.offers.values().next().map(|o| &o.agent);
        let flow = call.flow.as_ref().and_then(ivr::Interpreter::deadline);
        CallView {
            call: call.id,
            tenant: call.tenant.clone(),
            direction: call.direction,
            place: call.place,
            since: call.since,
            arrived: call.arrived.wall,
            lang: call.lang,
            party: call.party,
            caller: call.caller.clone(),
            number: call.number.clone(),
            queue: queue.cloned(),
            visit: call.visit.as_ref().map(|v| v.id),
            agent: conversation.map(|c| &c.agent).or(ringing).cloned(),
            recording: conversation.and_then(|c| c.recording),
            held: conversation.is_some_and(|c| c.held_since.is_some()),
            deadline: call.deadline.or(flow.filter(|_| call.place == Place::Ivr)),
            waits_for: self.waits_for(call),
        }
    }

    /// Who or what has to act next, for a person to read.
    fn waits_for(&self, call: &Call) -> Arc<str> {
        match call.place {
            Place::Arriving => "a port for its audio".into(),
            Place::Ivr => match &call.flow {
                Some(flow) => format!("the caller, in step {}", flow.step()).into(),
                None => "the confirmation's end".into(),
            },
            Place::Queue => match call.visit.as_ref().and_then(|v| self.acd.position(v.id).map(|p| (p, v))) {
                Some((position, visit)) => format!("an agent of {}, as number {position}", visit.queue).into(),
                None => "an agent".into(),
            },
            Place::Offer => match call.offers.values().next() {
                Some(offer) => format!("{} to answer", offer.agent).into(),
                None => "an agent to answer".into(),
            },
            Place::Conversation => "caller or agent to hang up".into(),
            Place::Ended => "nothing".into(),
        }
    }
}
