//! REFER from an agent's phone (RFC 3515, RFC 5589): a blind transfer, or with Replaces (RFC 3891) an attended one. An
//! INVITE with Replaces: another phone of the agent takes the line over.

use crate::centre::Centre;
use crate::leg::Purpose;
use crate::party::Party;
use crate::way::Way;
use base::{AgentId, Cause, LegId, QueueId};
use sip::{Refer, Refusal, Replaces, SessionId};

enum Plan {
    Queue(QueueId),
    To(Party),
    Complete,
}

impl Centre {
    pub(crate) fn on_referred(&mut self, leg: LegId, session: SessionId, refer: Refer) {
        let plan = match self.plan(leg, &refer) {
            Ok(plan) => plan,
            Err(status) => {
                let refusal = Refusal { status, phrase: None, reason: None, retry_after: None };
                return self.tell_sip(sip::Input::RefuseRefer { session, refusal });
            }
        };
        self.tell_sip(sip::Input::AcceptRefer { session });
        match plan {
            Plan::Queue(queue) => self.transfer_to_queue(leg.call, queue, Some(leg)),
            Plan::To(to) => self.transfer_to(leg.call, to, Some(leg)),
            Plan::Complete => self.complete_transfer(leg.call, Some(leg)),
        }
    }

    /// What the phone wants, or the status to refuse it with.
    fn plan(&self, leg: LegId, refer: &Refer) -> Result<Plan, u16> {
        let call = self.calls.get(&leg.call).ok_or(481u16)?;
        let agents = call.legs.get(&leg).is_some_and(|l| matches!(l.purpose, Purpose::Agent | Purpose::Second));
        let conversation = call.conversation.as_ref().filter(|_| agents && call.ending.is_none()).ok_or(403u16)?;
        match refer.replaces {
            // The phone's other dialog of this very call: whoever is consulted there gets the customer.
            Some(Replaces::Session(other)) if self.sessions.get(&other).is_some_and(|l| l.call == leg.call) => {
                if call.third.is_some() { Ok(Plan::Complete) } else { Err(481) }
            }
            Some(_) => Err(481),
            // What is consulted already is to be completed or ended first.
            None if call.third.is_some() => Err(403),
            None => {
                let to = refer.to.reveal();
                match self.setup.party(&conversation.agent, to) {
                    Some(Party::Agent(agent)) if agent == conversation.agent => return Err(403),
                    Some(party) => return Ok(Plan::To(party)),
                    None => {}
                }
                self.setup.site.queue_dialled(&call.tenant, to).cloned().map(Plan::Queue).ok_or(404)
            }
        }
    }

    /// The phone may replace the line of its own agent, and no other.
    pub(crate) fn way_replacing(&self, agent: &AgentId, session: SessionId) -> Way {
        let line = self.sessions.get(&session);
        let call = self.call_of(agent).and_then(|id| self.calls.get(&id));
        match call.filter(|c| c.conversation.as_ref().is_some_and(|c| Some(&c.leg) == line)) {
            Some(call) => Way::Joins { call: call.id, purpose: Purpose::Replacing, to: None },
            None => Way::Refused(481),
        }
    }

    pub(crate) fn on_replacing_opened(&mut self, leg: LegId) {
        if let Err(status) = self.answer_leg(leg) {
            return self.refuse_leg(leg, status, Cause::CodecMismatch);
        }
        let conversation = self.calls.get_mut(&leg.call).and_then(|c| c.conversation.as_mut());
        let Some(conversation) = conversation else { return self.drop_leg(leg, None) };
        let before = std::mem::replace(&mut conversation.leg, leg);
        if let Some(state) = self.leg_mut(leg) {
            state.purpose = Purpose::Agent;
        }
        self.drop_leg(before, None);
        self.relink(leg.call);
    }
}
