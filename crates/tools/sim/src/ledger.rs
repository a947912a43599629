//! What the facts must never say, whatever happened: kept apart from every other reader of them.

use base::fact::{Direction, Logged, What};
use base::{AgentId, AgentState, CallId, ConversationId, OfferId, RecordingId, VisitId};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Default)]
pub struct Ledger {
    calls: BTreeMap<CallId, Call>,
    agents: BTreeMap<AgentId, AgentState>,
    visits_ended: BTreeSet<VisitId>,
    offers_ended: BTreeSet<OfferId>,
    /// Conversations, and whether their recording came to an end.
    owed: BTreeMap<ConversationId, bool>,
    recordings_ended: BTreeSet<RecordingId>,
}

#[derive(Default)]
struct Call {
    rev: u32,
    incoming: bool,
    visit: Option<VisitId>,
    offers: BTreeSet<OfferId>,
    conversation: Option<ConversationId>,
    over: bool,
}

fn must(holds: bool, why: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(why()) }
}

impl Ledger {
    pub fn read(&mut self, logged: &Logged) -> Result<(), String> {
        let what = &logged.fact.what;
        self.one(logged).map_err(|why| format!("fact {}-{} {}: {why}", logged.epoch, logged.seq, what.name()))
    }

    fn one(&mut self, logged: &Logged) -> Result<(), String> {
        let about = &logged.fact.about;
        if let What::AgentStateChanged { state, previous, .. } = &logged.fact.what {
            let agent = about.agent.clone().ok_or("of no agent")?;
            let known = self.agents.insert(agent.clone(), *state).unwrap_or(AgentState::LoggedOut);
            return must(known == *previous, || format!("{agent} was {known}, not {previous}"));
        }
        let Some(id) = about.call else { return Ok(()) };
        if let What::CallArrived { direction, .. } = &logged.fact.what {
            let call = Call { incoming: *direction == Direction::Incoming, ..Call::default() };
            must(self.calls.insert(id, call).is_none(), || format!("{id} arrived twice"))?;
        }
        let call = self.calls.get_mut(&id).ok_or_else(|| format!("{id} never arrived"))?;
        must(about.rev == call.rev + 1, || format!("{id} goes from revision {} to {}", call.rev, about.rev))?;
        call.rev = about.rev;
        let of_recording = logged.fact.what.name().starts_with("recording.");
        must(!call.over || of_recording, || format!("{id} is over"))?;
        self.call_fact(id, logged)
    }

    fn call_fact(&mut self, id: CallId, logged: &Logged) -> Result<(), String> {
        let about = &logged.fact.about;
        let Some(call) = self.calls.get_mut(&id) else { return Ok(()) };
        match &logged.fact.what {
            What::QueueEntered { .. } => {
                must(call.visit.is_none(), || format!("{id} waits in {:?} already", call.visit))?;
                call.visit = about.visit;
                must(!call.visit.is_some_and(|v| self.visits_ended.contains(&v)), || format!("{:?} ended", call.visit))?;
            }
            What::QueueLeft { .. } => {
                must(call.visit.is_some() && call.visit == about.visit, || format!("{id} waits in {:?}", call.visit))?;
                must(call.offers.is_empty(), || format!("{id} still rings {:?}", call.offers))?;
                self.visits_ended.extend(call.visit.take());
            }
            What::OfferSent { .. } => {
                let offer = about.offer.ok_or("of no offer")?;
                must(call.visit == Some(offer.visit), || format!("{offer}, but it waits in {:?}", call.visit))?;
                must(!self.offers_ended.contains(&offer), || format!("{offer} ended"))?;
                call.offers.insert(offer);
            }
            What::OfferAccepted { .. }
            | What::OfferRejected { .. }
            | What::OfferTimedOut { .. }
            | What::OfferCancelled { .. }
            | What::OfferWithdrawn { .. } => {
                let offer = about.offer.ok_or("of no offer")?;
                call.offers.remove(&offer);
                must(self.offers_ended.insert(offer), || format!("{offer} ended twice"))?;
            }
            What::AgentLegConnected { .. } => {
                must(call.conversation.is_none() && call.visit.is_none(), || format!("{id} talks or waits already"))?;
                call.conversation = about.conversation;
                self.owed.extend(call.conversation.map(|c| (c, false)));
            }
            What::AgentLegEnded { .. } => {
                must(call.conversation.is_some() && call.conversation == about.conversation, || format!("{id} does not talk"))?;
                call.conversation = None;
            }
            What::RecordingStored { recording, .. } | What::RecordingFailed { recording, .. } => {
                must(self.recordings_ended.insert(*recording), || format!("{recording} ended twice"))?;
                let owed = self.owed.get_mut(&recording.conversation).ok_or_else(|| format!("{recording} is owed by nobody"))?;
                *owed = true;
            }
            What::CallEnded { .. } | What::CallRejected { .. } => {
                let quiet = call.visit.is_none() && call.offers.is_empty() && call.conversation.is_none();
                must(quiet, || format!("{id} ends in {:?} {:?} {:?}", call.visit, call.offers, call.conversation))?;
                call.over = true;
            }
            _ => (),
        }
        Ok(())
    }

    /// When the centre has drained: every call is over, every recording accounted for.
    pub fn close(&self) -> Result<(), String> {
        if let Some((id, _)) = self.calls.iter().find(|(_, c)| !c.over) {
            return Err(format!("{id} never ended"));
        }
        match self.owed.iter().find(|(_, ended)| !**ended) {
            Some((conversation, _)) => Err(format!("the recording of {conversation} never ended")),
            None => Ok(()),
        }
    }

    pub fn incoming(&self) -> u64 {
        self.calls.values().filter(|c| c.incoming).count() as u64
    }

    pub fn visits(&self) -> u64 {
        self.visits_ended.len() as u64
    }

    pub fn conversations(&self) -> u64 {
        self.owed.len() as u64
    }
}
