//! Calls that hold an agent beside the conversations of the ACD: any of them blocks the agent in all queues
//! (calls.md line 6).

use crate::centre::Centre;
use acd::Work;
use base::{AgentId, CallId, QueueId, VisitId};
use std::collections::BTreeMap;

impl Centre {
    pub(crate) fn engage(&mut self, agent: &AgentId, call: CallId, work: Work) {
        self.busy.entry(agent.clone()).or_default().insert(call, work);
        self.tell_acd(acd::Input::Engaged { agent: agent.clone(), work: Some(work) });
    }

    pub(crate) fn disengage(&mut self, agent: &AgentId, call: CallId) {
        let Some(calls) = self.busy.get_mut(agent) else { return };
        if calls.remove(&call).is_none() {
            return;
        }
        let work = calls.values().next().copied();
        if work.is_none() {
            self.busy.remove(agent);
        }
        self.tell_acd(acd::Input::Engaged { agent: agent.clone(), work });
    }

    /// The call is over: whoever it held is free of it.
    pub(crate) fn disengage_all(&mut self, call: CallId) {
        let held = |(agent, calls): (&AgentId, &BTreeMap<CallId, Work>)| calls.contains_key(&call).then(|| agent.clone());
        let agents: Vec<AgentId> = self.busy.iter().filter_map(held).collect();
        agents.iter().for_each(|agent| self.disengage(agent, call));
    }

    /// In a call beside the ACD's conversations. A feature code's own call counts: the phone that dialled it is there.
    pub(crate) fn is_engaged(&self, agent: &AgentId) -> bool {
        self.busy.contains_key(agent)
    }

    /// The agent has the customer: what held them before is the conversation now. `queue` sets the wrap-up.
    pub(crate) fn assign(&mut self, agent: &AgentId, call: CallId, queue: Option<QueueId>) {
        let Some(visits) = self.calls.get(&call).map(|c| c.visits) else { return };
        if let Some(calls) = self.busy.get_mut(agent) {
            calls.remove(&call);
            if calls.is_empty() {
                self.busy.remove(agent);
            }
        }
        self.tell_acd(acd::Input::Assign { agent: agent.clone(), visit: VisitId { call, n: visits }, queue });
    }
}
