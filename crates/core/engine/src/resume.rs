//! After a restart: first every open entity of the dead epoch is closed, at the last moment it is known to have
//! lived; then bindings and logins come back. Nobody is stuck, and no duration crosses from one clock to another.

use crate::centre::Centre;
use crate::recordings::kind;
use crate::voicemail::SHORTEST_MS;
use crate::{Open, OpenAgent, OpenCall, OpenCallback, Output, Promise, Repaired, Resume, Stored};
use base::fact::{About, CallbackEnd, Fact, Kept, VERSION, What};
use base::{AgentId, AgentState, CallId, Cause, Mutation, Now, Outcome, RecordingId, mutated};
use std::collections::{BTreeMap, BTreeSet};

impl Centre {
    pub(crate) fn resume(&mut self, resume: Resume) {
        let Resume { mut open, bindings, repaired, promises } = resume;
        let decided = self.decide_open(&mut open, &repaired);
        let promises = self.standing(promises, &open);
        let mut revs = BTreeMap::new();
        if open.epoch > 0 && (!open.clean || !open.calls.is_empty() || !open.recordings.is_empty()) {
            revs = self.close_epoch(&open, decided, &repaired, &promises);
        }
        let queues = self.setup.site.queues.keys().cloned().collect();
        let boot_id = self.boot.boot_id.to_string();
        self.fact(About::default(), What::NodeStarted { boot_id, version: VERSION, queues });
        self.sip.restore(self.now, bindings);
        for (id, promise) in promises {
            self.restore_promise(promise, &open, revs.get(&id).copied().unwrap_or_default());
        }
        let known = &self.setup.site.agents;
        let (restored, gone): (BTreeMap<_, _>, BTreeMap<_, _>) =
            open.agents.into_iter().partition(|(a, _)| known.contains_key(a));
        for agent in restored.iter().filter(|(_, a)| a.state == AgentState::LoggedOut).map(|(id, _)| id) {
            // Said again in each epoch, so that the next one knows it too.
            let about = About { tenant: Some(agent.tenant()), agent: Some(agent.clone()), ..About::default() };
            let (state, previous) = (AgentState::LoggedOut, AgentState::LoggedOut);
            self.out.push(Output::Fact(Fact {
                now: self.now,
                about,
                what: What::AgentStateChanged { state, previous, previous_ms: 0, reason: None },
            }));
        }
        self.restored = restored;
        self.rested = open.clean;
        let gone = gone.into_iter().filter(|(_, before)| before.state != AgentState::LoggedOut);
        gone.for_each(|(agent, before)| self.log_out_unknown(agent, before));
    }

    /// Logged in when the node died, and not in the site any more.
    fn log_out_unknown(&mut self, agent: AgentId, before: OpenAgent) {
        let about = About { tenant: Some(agent.tenant()), agent: Some(agent), cause: Some(Cause::Closed), ..About::default() };
        let since = |then: Now| self.now.wall.since(then.wall).as_millis() as u64;
        let (previous_ms, session_ms) = (since(before.since), since(before.logged_in));
        let what = What::AgentStateChanged { state: AgentState::LoggedOut, previous: before.state, previous_ms, reason: None };
        self.fact(about.clone(), what);
        self.fact(about, What::AgentLoggedOut { session_ms });
    }

    /// What the log did not come to say of conversations that had begun: whether they owe a recording.
    fn decide_open(&self, open: &mut Open, repaired: &[Repaired]) -> Vec<Fact> {
        let (mut facts, policies) = (Vec::new(), &self.setup.site.recording);
        for recording in std::mem::take(&mut open.undecided) {
            let Some(about) = open.recordings.get(&recording).cloned() else { continue };
            let (Some(tenant), Some(agent)) = (&about.tenant, &about.agent) else { continue };
            // Of whom it may not be there is no file.
            let kept = repaired.iter().any(|found| found.recording == recording && found.stored.is_some());
            let called = if kept { None } else { called(open, agent, policies) };
            let mut call = open.calls.get_mut(&recording.call());
            // Of a call that is over the fold leaves only those to numbers outside.
            let kind = call.as_ref().map_or(recording::Kind::Outbound, |call| kind(call.direction));
            let (none, draw) = (BTreeSet::new(), self.draw(recording.call()));
            let before = call.as_ref().map_or(&none, |call| &call.answered_in);
            let (queue, consent) = (about.queue.as_ref(), call.as_ref().and_then(|call| call.consent));
            let with = called.as_ref().filter(|_| kind == recording::Kind::Internal);
            let asked = recording::Asked { kind, tenant, agent, with, queue, before, consent, draw };
            let recording::Decision { excluded, policy } = policies.decide(&asked);
            if excluded.is_some() {
                open.recordings.remove(&recording);
            }
            let Some(call) = call.as_mut() else { continue };
            call.rev += 1;
            let about = About { rev: call.rev, cause: Some(Cause::NodeLost), ..about };
            let owed = || What::RecordingOwed { policy: policy.clone() };
            let what = excluded.map_or_else(owed, |reason| What::RecordingExcluded { reason, policy: policy.clone() });
            facts.push(Fact { now: open.last, about, what });
        }
        facts
    }

    /// How many facts there are now of each call that was open. `facts` are those to begin with.
    fn close_epoch(
        &mut self,
        open: &Open,
        facts: Vec<Fact>,
        repaired: &[Repaired],
        promises: &BTreeMap<CallId, Promise>,
    ) -> BTreeMap<CallId, u32> {
        let mut closing = Closing { at: open.last, facts, revs: BTreeMap::new() };
        for (id, call) in &open.calls {
            closing.call(*id, call, promises.contains_key(id));
        }
        for (recording, about) in &open.recordings {
            closing.recording(*recording, about, repaired.iter().find(|r| r.recording == *recording));
        }
        if !open.clean {
            closing.say(About { cause: Some(Cause::NodeLost), ..About::default() }, What::NodeStopped { clean: false });
        }
        self.out.extend(closing.facts.into_iter().map(Output::Fact));
        closing.revs
    }

    /// Hands the logins of before the restart to the ACD. A conversation that a crash cut comes back as wrap-up.
    pub(crate) fn restore_agents(&mut self) {
        self.restored.retain(|_, before| before.state != AgentState::LoggedOut);
        let agents: Vec<_> = self.restored.iter().map(|(id, a)| (id.clone(), a.state, a.reason.clone())).collect();
        for (agent, state, reason) in agents {
            self.restore_desk(&agent, reason.as_deref());
            let state = match state {
                AgentState::Talking | AgentState::Holding | AgentState::WrapUp if !self.rested => AgentState::WrapUp,
                AgentState::Paused => AgentState::Paused,
                _ => AgentState::Available,
            };
            self.tell_acd(acd::Input::Restore { agent, state, reason });
        }
    }
}

/// Whom the agent may have called whose word is that nothing is recorded. The log does not say who is called, but that
/// whoever is called is engaged, or logged out.
fn called(open: &Open, agent: &AgentId, policies: &recording::Policies) -> Option<AgentId> {
    let may_be = |other: &AgentId| {
        let state = open.agents.get(other).map_or(AgentState::LoggedOut, |last| last.state);
        other.tenant() == agent.tenant() && matches!(state, AgentState::Engaged | AgentState::LoggedOut)
    };
    let mut never = policies.agents.iter().filter(|(_, rule)| **rule == recording::Rule::NONE).map(|(other, _)| other);
    never.find(|other| *other != agent && may_be(other)).cloned()
}

/// The facts that end a dead epoch, all at one moment.
struct Closing {
    at: Now,
    facts: Vec<Fact>,
    /// The last revision of each call whose end or recordings were told here.
    revs: BTreeMap<CallId, u32>,
}

impl Closing {
    fn say(&mut self, about: About, what: What) {
        self.facts.push(Fact { now: self.at, about, what });
    }

    /// `goes_on`: somebody is to be called back, which ends neither the callback nor the call.
    fn call(&mut self, id: CallId, call: &OpenCall, goes_on: bool) {
        let at = self.at;
        let since = |then: Now| at.mono.since(then.mono).as_millis() as u64;
        let mut rev = call.rev;
        let mut about = || {
            rev += 1;
            let (tenant, party, lang) = (call.tenant.clone(), call.party, call.lang);
            About { tenant, call: Some(id), party, lang, cause: Some(Cause::NodeLost), rev, ..About::default() }
        };
        for (offer, agent, sent) in &call.offers {
            let about = About { visit: Some(offer.visit), offer: Some(*offer), agent: Some(agent.clone()), ..about() };
            self.say(about, What::OfferWithdrawn { ring_ms: since(*sent) });
        }
        let forgets = mutated(Mutation::CrashForgetsTheVisit);
        if let Some((visit, queue, entered)) = call.visit.as_ref().filter(|_| !forgets) {
            let about = About { visit: Some(*visit), queue: Some(queue.clone()), ..about() };
            let ringing = !call.offers.is_empty();
            let (wait_ms, outcome) = (since(*entered), if goes_on { Outcome::Callback } else { Outcome::System });
            self.say(about, What::QueueLeft { outcome, wait_ms, ringing, threshold_ms: 0, short_ms: 0, to: None });
        }
        if let Some(c) = &call.conversation {
            let hold_ms = c.held_ms + c.held_since.map_or(0, since);
            let talk_ms = since(c.since).saturating_sub(hold_ms);
            let (conversation, agent, queue) = (Some(c.conversation), Some(c.agent.clone()), c.queue.clone());
            self.say(About { conversation, agent, queue, ..about() }, What::AgentLegEnded { talk_ms, hold_ms, consult_ms: 0 });
        }
        let told = call.callback.as_ref().filter(|_| !goes_on);
        if let Some(OpenCallback { since: requested, attempts, queue }) = told {
            let (attempts, wait_ms) = (*attempts, since(*requested));
            let about = About { queue: queue.clone(), ..about() };
            self.say(about, What::CallbackDone { end: CallbackEnd::Cancelled, attempts, wait_ms });
        }
        for (who, began) in &call.monitors {
            self.say(about(), What::MonitorEnded { who: who.to_string(), monitored_ms: since(*began) });
        }
        if !goes_on {
            let duration_ms = call.before_ms + since(call.arrived);
            self.say(about(), What::CallEnded { duration_ms, visits: call.visits });
        }
        self.revs.insert(id, rev);
    }

    fn recording(&mut self, recording: RecordingId, begun: &About, repaired: Option<&Repaired>) {
        let stored = repaired.and_then(|r| r.stored.clone());
        let said_ms = stored.as_ref().map_or(0, |s| s.duration_ms);
        let what = match stored {
            Some(Stored { file, duration_ms, sha256, reason }) => {
                let kept = if reason.is_some() { Kept::Partial } else { Kept::Complete };
                let (file, sha256, reason) = (file.to_string(), sha256.to_string(), reason.map(|r| r.to_string()));
                What::RecordingStored { recording, file, duration_ms, sha256, kept, reason }
            }
            None => What::RecordingFailed { recording, reason: "node_lost".into() },
        };
        self.about_recording(begun, recording, what);
        if recording::is_message(begun.agent.as_ref()) && said_ms >= SHORTEST_MS {
            self.about_recording(begun, recording, What::VoicemailLeft { recording, duration_ms: said_ms });
        }
    }

    fn about_recording(&mut self, begun: &About, recording: RecordingId, what: What) {
        let rev = self.revs.entry(recording.call()).or_insert(begun.rev);
        *rev += 1;
        let about = About { rev: *rev, cause: Some(Cause::NodeLost), ..begun.clone() };
        self.say(about, what);
    }
}
