//! What an epoch left open when it died, folded from its facts.

use crate::{Open, OpenAgent, OpenCall, OpenCallback, OpenConversation};
use base::fact::{About, Consent, Direction, Logged, What};
use base::{AgentState, RecordingId};
use std::collections::BTreeSet;

impl Open {
    /// Folds one epoch's facts, in order.
    pub fn fold<'a>(facts: impl IntoIterator<Item = &'a Logged>) -> Open {
        let mut open = Open::default();
        for logged in facts {
            open.apply(logged);
        }
        open
    }

    /// One more fact, in order.
    pub fn apply(&mut self, logged: &Logged) {
        let fact = &logged.fact;
        self.epoch = logged.epoch;
        self.last = fact.now;
        match &fact.what {
            What::NodeStarted { .. } => self.clean = false,
            What::NodeStopped { clean } => self.clean = *clean,
            What::CallArrived { direction, .. } => self.arrived(logged, *direction),
            What::CallRejected { .. } | What::CallEnded { .. } => {
                let over = fact.about.call.and_then(|call| self.calls.remove(&call));
                self.count_on(&fact.about);
                over.into_iter().for_each(|call| self.undecided_at_the_end(&fact.about, call.direction));
            }
            What::RecordingStarted { recording } => {
                self.undecided.remove(recording);
                self.recordings.insert(*recording, fact.about.clone());
                self.call_goes_on(logged);
            }
            What::RecordingOwed { .. } => {
                self.undecided.retain(|recording| Some(recording.conversation) != fact.about.conversation);
                self.call_goes_on(logged);
            }
            What::RecordingExcluded { .. } => {
                self.recordings.retain(|recording, _| Some(recording.conversation) != fact.about.conversation);
                self.undecided.retain(|recording| Some(recording.conversation) != fact.about.conversation);
                self.call_goes_on(logged);
            }
            What::RecordingStored { recording, .. } | What::RecordingFailed { recording, .. } => {
                self.recordings.remove(recording);
                self.undecided.remove(recording);
                self.call_goes_on(logged);
            }
            What::AgentStateChanged { state, reason, .. } => self.agent_changed(logged, *state, reason.as_deref()),
            _ => self.call_goes_on(logged),
        }
    }

    /// Logs of before the policies, facts 2 and 3, do not say what is owed: callers' conversations were always, and
    /// agents' calls to each other never. Those to numbers outside were where the account wanted it: it is asked again.
    fn undecided_at_the_end(&mut self, about: &About, direction: Direction) {
        let of_call = |recording: &RecordingId| Some(recording.call()) == about.call;
        let owes_none = matches!(direction, Direction::Internal | Direction::FeatureCode);
        let undecided = &self.undecided;
        self.recordings.retain(|recording, _| !(owes_none && of_call(recording) && undecided.contains(recording)));
        self.undecided.retain(|recording| !of_call(recording) || direction == Direction::Outgoing);
    }

    /// Facts about a recording after its call count on from the last one about either.
    fn count_on(&mut self, about: &About) {
        self.recordings.values_mut().filter(|r| r.call == about.call).for_each(|r| r.rev = about.rev);
    }

    fn arrived(&mut self, logged: &Logged, direction: Direction) {
        let about = &logged.fact.about;
        let Some(call) = about.call else { return };
        let open = OpenCall {
            direction,
            tenant: about.tenant.clone(),
            party: about.party,
            lang: about.lang,
            arrived: logged.fact.now,
            before_ms: 0,
            rev: about.rev,
            visits: 0,
            visit: None,
            offers: Vec::new(),
            conversation: None,
            consent: None,
            answered_in: BTreeSet::new(),
            callback: None,
            monitors: Vec::new(),
        };
        self.calls.insert(call, open);
    }

    /// The call of a promise that an epoch before made, which is told of here first.
    fn called_back(&mut self, logged: &Logged) {
        if logged.fact.about.call.is_some_and(|call| !self.calls.contains_key(&call)) {
            self.arrived(logged, Direction::Incoming);
        }
    }

    fn agent_changed(&mut self, logged: &Logged, state: AgentState, reason: Option<&str>) {
        let Some(agent) = logged.fact.about.agent.clone() else { return };
        let now = logged.fact.now;
        let before = self.agents.get(&agent).filter(|a| a.state != AgentState::LoggedOut);
        let logged_in = before.map_or(now, |a| a.logged_in);
        let reason = reason.map(Into::into);
        self.agents.insert(agent, OpenAgent { state, reason, since: now, logged_in });
    }

    fn call_goes_on(&mut self, logged: &Logged) {
        let (about, now) = (&logged.fact.about, logged.fact.now);
        if let What::CallbackRequested {} = &logged.fact.what {
            self.called_back(logged);
        }
        let Some(call) = about.call.and_then(|id| self.calls.get_mut(&id)) else { return self.count_on(about) };
        call.rev = call.rev.max(about.rev);
        call.lang = about.lang.or(call.lang);
        match &logged.fact.what {
            What::QueueEntered { credit_ms, .. } => {
                if call.visits == 0 && call.callback.is_some() {
                    call.before_ms = *credit_ms;
                }
                call.visits = call.visits.max(about.visit.map_or(0, |visit| visit.n));
                call.visit = about.visit.zip(about.queue.clone()).map(|(v, q)| (v, q, now));
            }
            What::QueueLeft { .. } => call.visit = None,
            What::CallbackRequested {} => {
                let begins = OpenCallback { since: now, attempts: 0, queue: about.queue.clone() };
                call.callback.get_or_insert(begins);
            }
            What::CallbackAttempted { n } => call.callback.iter_mut().for_each(|callback| callback.attempts = *n),
            What::CallbackDone { .. } => call.callback = None,
            What::OfferSent { .. } => {
                call.offers.extend(about.offer.zip(about.agent.clone()).map(|(o, a)| (o, a, now)));
            }
            What::OfferAccepted { .. }
            | What::OfferRejected { .. }
            | What::OfferTimedOut { .. }
            | What::OfferCancelled { .. }
            | What::OfferWithdrawn { .. } => call.offers.retain(|(o, ..)| Some(*o) != about.offer),
            What::AgentLegConnected { .. } => {
                call.conversation = conversation(logged);
                call.answered_in.extend(about.queue.clone());
                // Whether it is owed is said in the same moment, unless that was the last one.
                let first = about.conversation.map(|conversation| RecordingId { conversation, n: 1 });
                self.undecided.extend(first);
                self.recordings.extend(first.map(|recording| (recording, about.clone())));
            }
            What::ConsentAccepted { by, .. } => call.consent = Some(Consent { given: true, by: *by }),
            What::ConsentRefused { by, .. } => call.consent = Some(Consent { given: false, by: *by }),
            What::AgentLegHeld { .. } => hold(call, |c| c.held_since = Some(now)),
            What::AgentLegResumed { held_ms } => hold(call, |c| {
                c.held_since = None;
                c.held_ms += held_ms;
            }),
            What::AgentLegEnded { .. } => call.conversation = None,
            What::MonitorStarted { who, .. } => call.monitors.push((who.as_str().into(), now)),
            What::MonitorEnded { who, .. } => call.monitors.retain(|(w, _)| **w != **who),
            _ => (),
        }
    }
}

fn conversation(logged: &Logged) -> Option<OpenConversation> {
    let About { conversation, agent, queue, .. } = logged.fact.about.clone();
    Some(OpenConversation {
        conversation: conversation?,
        agent: agent?,
        queue,
        since: logged.fact.now,
        held_since: None,
        held_ms: 0,
    })
}

fn hold(call: &mut OpenCall, change: impl FnOnce(&mut OpenConversation)) {
    if let Some(conversation) = call.conversation.as_mut() {
        change(conversation);
    }
}
