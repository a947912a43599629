//! What can be asked of the ACD between two inputs.

use crate::agent::{AgentKey, Phase};
use crate::queue::QueueKey;
use crate::timers::Timer;
use crate::visit::{Hold, VisitKey};
use crate::{Acd, AgentView, VisitView};
use base::{AgentId, Instant, QueueId, VisitId, Wall};

impl Acd {
    /// Every agent of the configuration (and those removed from it who still talk), by id.
    pub fn agents(&self) -> impl Iterator<Item = AgentView> {
        self.by_id.numbers().map(|key| self.agents[key].view())
    }

    pub fn agent(&self, agent: &AgentId) -> Option<AgentView> {
        self.agent_key(agent).map(|key| self.agents[key.0].view())
    }

    /// When the agent's wrap-up ends by itself, also while a call of the agent's own lies over it.
    pub fn wraps_up_until(&self, agent: &AgentId) -> Option<Instant> {
        let agent = &self.agents[self.agent_key(agent)?.0];
        agent.until.filter(|_| matches!(agent.phase, Phase::WrapUp(_)))
    }

    /// Every waiting visit, also those that ring, by id.
    pub fn visits(&self) -> impl Iterator<Item = VisitView> {
        self.visits_by_id().into_iter().map(|key| self.view(key))
    }

    /// Visits that wait in this queue, also those that ring.
    pub fn queue_len(&self, queue: &QueueId) -> usize {
        self.queue_key(queue).map_or(0, |key| self.queues[key.0].line.len())
    }

    /// Whether the queue takes new visits, by its hours or by a supervisor's word. An unknown queue does not.
    pub fn is_open(&self, queue: &QueueId, wall: Wall) -> bool {
        self.queue_key(queue).is_some_and(|key| self.queues[key.0].is_open(wall))
    }

    /// The visit's position in its queue's line, from 1.
    pub fn position(&self, visit: VisitId) -> Option<u32> {
        self.visit_key(visit).map(|key| self.position_of(key))
    }

    pub(crate) fn visit_key(&self, id: VisitId) -> Option<VisitKey> {
        self.visit_of.find(&id, |key| self.visits.get(key).is_some_and(|v| v.id == id)).map(VisitKey)
    }

    pub(crate) fn agent_key(&self, id: &AgentId) -> Option<AgentKey> {
        self.by_id.find(id, |key| self.names.get(key) == Some(id)).map(AgentKey)
    }

    pub(crate) fn queue_key(&self, id: &QueueId) -> Option<QueueKey> {
        self.queue_of.find(id, |key| self.queues.get(key).is_some_and(|q| q.id == *id)).map(QueueKey)
    }

    pub(crate) fn visits_by_id(&self) -> Vec<VisitKey> {
        let mut visits: Vec<(VisitId, VisitKey)> = self.visits.iter().map(|(key, v)| (v.id, VisitKey(key))).collect();
        visits.sort_unstable();
        visits.into_iter().map(|(_, key)| key).collect()
    }

    fn view(&self, key: VisitKey) -> VisitView {
        let v = &self.visits[key.0];
        VisitView {
            visit: v.id,
            queue: self.queues[v.queue.0].id.clone(),
            entered: v.entered,
            requires: self.board.asked(v.kind).clone(),
            priority_s: v.priority_s,
            credit: v.credit,
            caller: v.caller,
            offers: v.offers.iter().map(|offer| v.offer_id(offer)).collect(),
            deadline: self.resolves_at(key),
            expected: self.expected(key),
        }
    }

    /// When the visit leaves by itself.
    fn resolves_at(&self, key: VisitKey) -> Option<Instant> {
        let dialled = matches!(self.visits[key.0].hold, Hold::Dialling(_));
        let answer = self.timers.at(Timer::Callback(key)).filter(|_| dialled);
        self.timers.at(Timer::Age(key)).into_iter().chain(answer).min()
    }
}
