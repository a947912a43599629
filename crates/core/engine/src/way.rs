//! What an INVITE is for, by who sent it and what was dialled.
//!
//! | from | dialled | |
//! |---|---|---|
//! | a trunk | a number of the site | a call, with its flow |
//! | an agent's phone | a feature code | a call of its own, for as long as its confirmation |
//! | | the code to monitor, and an extension | a leg of that agent's call |
//! | | a colleague or a number, in conversation | a leg of the agent's call: a consultation |
//! | | a queue, in conversation | the same, with whom the queue finds |
//! | | the same, with a consultation already, or in a colleague's call | busy: call waiting is off (calls.md line 6) |
//! | | the same, not in a call | a call of its own |
//! | | anything, with Replaces of the agent's line | that phone has the conversation from now on |
//! | | an emergency number | goes out, whatever the phone is doing (calls.md line 17) |

use crate::call::{Call, OwnAct};
use crate::centre::Centre;
use crate::identity;
use crate::leg::Purpose;
use crate::party::{Errand, Party};
use crate::setup::Dialled;
use base::fact::Direction;
use base::{AgentId, CallId, Cause, Lang, QueueId, Tenant};
use sip::{IncomingInvite, Peer};
use std::sync::Arc;

/// Call waiting is off.
const BUSY: u16 = 486;

pub(crate) enum Way {
    Flow {
        tenant: Tenant,
        flow: Arc<ivr::Flow>,
        lang: Option<Lang>,
        /// The number of ours that it was meant for.
        dialled: Arc<str>,
    },
    Own {
        agent: AgentId,
        act: OwnAct,
        direction: Direction,
    },
    /// A leg of a call that is there already.
    Joins {
        call: CallId,
        purpose: Purpose,
        to: Option<Party>,
    },
    /// With this status.
    Refused(u16),
}

impl Centre {
    /// `None`: nothing here has that number.
    pub(crate) fn way(&mut self, peer: &Peer, invite: &IncomingInvite) -> Option<Way> {
        match peer {
            Peer::Trunk(trunk) => {
                let number = identity::dialled(&self.setup.site, trunk, invite)?;
                let flow = self.setup.flows.get(&number.flow)?.clone();
                let dialled = number.number.as_str().into();
                Some(Way::Flow { tenant: number.tenant.clone(), flow, lang: number.lang, dialled })
            }
            Peer::Phone(user) => {
                let agent = self.setup.agent_of_user(user)?.clone();
                match invite.replaces {
                    Some(session) => Some(self.way_replacing(&agent, session)),
                    None => self.way_of_phone(agent, &invite.dialled),
                }
            }
        }
    }

    fn way_of_phone(&mut self, agent: AgentId, dialled: &str) -> Option<Way> {
        match self.setup.dialled(&agent, dialled)? {
            Dialled::Ask(ask) => Some(Way::Own { agent, act: OwnAct::Ask(ask), direction: Direction::FeatureCode }),
            Dialled::PauseRecording(pause) => {
                Some(Way::Own { agent, act: OwnAct::PauseRecording(pause), direction: Direction::FeatureCode })
            }
            Dialled::Monitor(_) if self.is_in_call(&agent) => Some(Way::Refused(BUSY)),
            Dialled::Monitor(watched) => {
                let call = self.call_of(&watched)?;
                Some(Way::Joins { call, purpose: Purpose::Monitor(agent), to: None })
            }
            Dialled::Colleague(colleague) => Some(self.way_to(agent, Party::Agent(colleague), Direction::Internal)),
            Dialled::Queue(queue) => Some(self.way_to_queue(&agent, queue)),
            Dialled::Number(number) => Some(self.way_to(agent, Party::Number(number), Direction::Outgoing)),
        }
    }

    /// A queue is asked about a customer; without one there is nothing to ask it.
    fn way_to_queue(&self, agent: &AgentId, queue: QueueId) -> Way {
        match self.call_of(agent) {
            Some(call) if self.may_consult(call) => Way::Joins { call, purpose: Purpose::Second, to: Some(Party::Queue(queue)) },
            Some(_) => Way::Refused(BUSY),
            None => Way::Refused(403),
        }
    }

    fn way_to(&mut self, agent: AgentId, party: Party, direction: Direction) -> Way {
        let emergency = matches!(&party, Party::Number(number) if self.setup.is_emergency(number.reveal()));
        if emergency {
            self.make_way(&agent);
        }
        let call = self.call_of(&agent);
        match call {
            Some(call) if self.may_consult(call) => Way::Joins { call, purpose: Purpose::Second, to: Some(party) },
            // Also whom a queue found for a consultation talks.
            None if emergency || !(self.is_engaged(&agent) || self.talks(&agent)) => {
                Way::Own { agent, act: OwnAct::Call(party), direction }
            }
            _ => Way::Refused(BUSY),
        }
    }

    /// Nothing that the agent's phone does may keep an emergency call from going out.
    fn make_way(&mut self, agent: &AgentId) {
        match self.call_of(agent) {
            // The customer of a callback is not there yet: the next agent may have it.
            Some(call) if self.awaits_customer(call) => _ = self.keep_place(call, Cause::AgentHungUp),
            Some(call) if !self.may_consult(call) => {
                self.end_consult(call);
                self.bridge(call);
            }
            Some(_) => {}
            None => {
                let rings = |c: &&Call| c.own.as_ref().is_some_and(|own| own.agent == *agent) && c.ending.is_none();
                let own: Vec<CallId> = self.calls.values().filter(rings).map(|c| c.id).collect();
                own.into_iter().for_each(|call| self.end_call(call, Cause::Requested));
                let others: Vec<CallId> = self.calls.keys().copied().collect();
                others.into_iter().for_each(|call| self.leaves(agent, call));
            }
        }
    }

    /// The agent is out of somebody else's call, be it rung for it, asked about it, or listening.
    fn leaves(&mut self, agent: &AgentId, id: CallId) {
        let party = Party::Agent(agent.clone());
        // Nobody taking what was passed on, whoever passed it on is called back: that may be the same agent.
        while let Some(errand) = self.rings_for(id, &party) {
            self.not_reached(id, errand, BUSY);
        }
        let Some(call) = self.calls.get(&id) else { return };
        let (asked, listens) = (call.third.as_ref().is_some_and(|t| t.to == party), call.monitors.contains_key(agent));
        if asked {
            self.end_consult(id);
        }
        if listens {
            self.end_monitor(id, agent);
        }
    }

    fn rings_for(&self, id: CallId, party: &Party) -> Option<Errand> {
        let reaches = &self.calls.get(&id)?.reaches;
        reaches.iter().find(|(_, reach)| reach.to == *party).map(|(errand, _)| errand.clone())
    }

    /// The call in which the agent talks.
    pub(crate) fn call_of(&self, agent: &AgentId) -> Option<CallId> {
        let talks = |c: &&Call| c.conversation.as_ref().is_some_and(|c| c.agent == *agent);
        self.calls.values().filter(|c| c.ending.is_none()).find(talks).map(|c| c.id)
    }
}
