//! The Centre as seen from outside, at one moment.

use crate::call::Call;
use crate::centre::Centre;
use crate::party::{Errand, Party};
use crate::pause::Pause;
use crate::{CallView, PausedView, Place, Snapshot};
use acd::{AgentView, Expected, VisitView};
use base::VisitId;
use std::collections::BTreeMap;
use std::sync::Arc;

impl Centre {
    pub fn snapshot(&self) -> Snapshot {
        let visits: Vec<VisitView> = self.acd.visits().collect();
        let expected = visits.iter().filter_map(|v| Some((v.visit, v.expected?))).collect();
        Snapshot {
            now: self.now,
            epoch: self.boot.epoch,
            draining: self.draining(),
            calls: self.calls.values().map(|c| self.view(c, &expected)).collect(),
            agents: self.acd.agents().map(|agent| self.with_desk(agent)).collect(),
            visits,
            sessions: self.sip.sessions(),
            ports: self.ports.used(),
            breaches: self.auditor.standing(),
            troubles: self.ledger.troubles(self.now.mono).collect(),
            audit_round: self.auditor.round(),
        }
    }

    fn with_desk(&self, agent: AgentView) -> AgentView {
        let reason = self.desk_reason(&agent.agent, agent.state);
        AgentView { reason: agent.reason.or(reason), ..agent }
    }

    fn view(&self, call: &Call, expected: &BTreeMap<VisitId, Expected>) -> CallView {
        let conversation = call.conversation.as_ref();
        let kept = call.callback.as_ref().map(|callback| &callback.queue);
        let queue = call.visit.as_ref().map(|v| &v.queue).or(conversation.and_then(|c| c.queue.as_ref())).or(kept);
        let ringing = call.offers.values().next().map(|o| &o.agent);
        let own = call.own.as_ref().map(|o| &o.agent);
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
            user_to_user: call.user_to_user.clone(),
            number: call.number.clone(),
            queue: queue.cloned(),
            visit: call.visit.as_ref().map(|v| v.id),
            agent: conversation.map(|c| &c.agent).or(ringing).or(own).cloned(),
            recording: conversation.and_then(|c| c.recording.as_ref()).map(|part| part.id),
            paused: call.pause.as_ref().map(|pause| self.paused(pause)),
            consent: call.consent,
            held: conversation.is_some_and(|c| c.held_since.is_some()),
            third: call.with().map(|with| with.to_string().into()),
            monitors: call.monitors.iter().map(|(supervisor, m)| (supervisor.clone(), m.mode)).collect(),
            expected: call.visit.as_ref().and_then(|v| expected.get(&v.id)).copied(),
            deadline: call.due(),
            waits_for: self.waits_for(call),
        }
    }

    fn paused(&self, pause: &Pause) -> PausedView {
        let until = self.now.wall.plus(pause.until.since(self.now.mono));
        PausedView { who: pause.who.clone(), cause: pause.cause.clone(), until, due: pause.until }
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
                None => self.waits_for_answer(call),
            },
            Place::External if !call.reaches.is_empty() => self.waits_for_answer(call),
            Place::Conversation | Place::External => "either side to hang up".into(),
            Place::Callback if !call.reaches.is_empty() => "the customer to answer".into(),
            Place::Callback if call.visit.is_none() => "the queue to take its place again".into(),
            Place::Callback => "its turn to be called back".into(),
            Place::Ended => "nothing".into(),
        }
    }
    fn waits_for_answer(&self, call: &Call) -> Arc<str> {
        let rung = call.reaches.values().next().map(|reach| reach.to.to_string());
        format!("{} to answer", rung.as_deref().unwrap_or("somebody")).into()
    }
}

impl Call {
    /// Who else is in the call, or is to have it.
    fn with(&self) -> Option<&Party> {
        let rung = [Errand::Transfer, Errand::Recall, Errand::FarEnd].iter().find_map(|errand| self.reaches.get(errand));
        self.third.as_ref().map(|third| &third.to).or(rung.map(|reach| &reach.to))
    }
}
