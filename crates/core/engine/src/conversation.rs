//! An agent and a customer connected: greeting, hold, how it ends.
//!
//! ```text
//!  offer accepted, or passed on     heard           either side holds
//!  ───────────────────▶ (greeted) ──────▶ talking ─────────────────────▶ held (the other side hears music)
//!                                          │  ▲                             │
//!                                          │  └────────── resumes ──────────┘
//!                                          ▼
//!     customer or agent hangs up: ended; passed on: the next one begins; the agent's phone dies: the front of the line
//! ```

use crate::Place;
use crate::call::{Call, Conversation};
use crate::centre::Centre;
use crate::leg::{Leg, Purpose};
use crate::party::Role;
use base::fact::{About, CallbackEnd, Direction, What};
use base::{AgentId, CallId, Cause, ConversationId, Lang, LegId, Mutation, QueueId, VisitId, mutated};
use media::{Command, Sound, Tone};
use speech::AgentNotice;
use std::time::Duration;

/// What the agent hears first is short; not heard to its end by then, the bridge is made all the same.
const GREETING: Duration = Duration::from_secs(10);
/// Plays of the engine's own; a flow counts from 1.
pub(crate) const OWN_PLAYS: u32 = 1 << 31;

impl Centre {
    /// The visit was answered.
    pub(crate) fn connect(&mut self, visit: VisitId) {
        let id = visit.call;
        let Some((leg, agent, offer)) = self.winner_of(visit) else { return };
        self.stop_ringing(offer);
        let Some(won) = self.calls.get_mut(&id).and_then(|c| c.offers.remove(&offer)) else { return };
        if self.calls.get(&id).is_some_and(Call::asks_a_queue) {
            return self.queue_answered(id, agent, leg, won.queue);
        }
        if self.calls.get(&id).is_some_and(|c| c.conversation.is_some()) {
            // Who was to be consulted is not wanted any more.
            self.drop_leg(leg, None);
            return self.tell_acd(acd::Input::Released { agent, cause: Cause::Requested });
        }
        self.converse(id, agent, leg, Some(won.queue), false);
    }

    /// The leg's agent has the call from now on: greet, bridge, record, tell.
    pub(crate) fn converse(&mut self, id: CallId, agent: AgentId, leg: LegId, queue: Option<QueueId>, own: bool) {
        let now = self.now;
        let greeting = if own { Vec::new() } else { self.greeting(id, &agent, leg) };
        let Some(call) = self.calls.get_mut(&id) else { return };
        call.conversations += 1;
        let both = call.customer.is_some();
        if let Some(leg) = call.legs.get_mut(&leg) {
            leg.purpose = Purpose::Agent;
            leg.up = true;
        }
        let begins = Conversation::new(ConversationId { call: id, n: call.conversations }, agent, leg, now);
        let greeted = (!greeting.is_empty()).then_some(OWN_PLAYS);
        call.conversation = Some(Conversation { queue, own, greeting: greeted, ..begins });
        call.goes_to(if own { Place::External } else { Place::Conversation }, now);
        call.deadline = (!greeting.is_empty()).then(|| now.mono + GREETING);
        self.renew(id);
        if both {
            self.both_there(id);
        }
        if greeting.is_empty() {
            return self.bridge(id);
        }
        self.relink(id);
        self.tell_media(Command::Play { leg, play: OWN_PLAYS, sounds: greeting });
        self.record(id);
    }

    /// Agent and customer are there: the wait is over.
    pub(crate) fn both_there(&mut self, id: CallId) {
        let now = self.now;
        let Some(call) = self.calls.get_mut(&id) else { return };
        call.waited = call.total_wait(now);
        call.waiting_since = None;
        let wait_ms = call.waited.as_millis() as u64;
        let Some(conversation) = call.conversation.as_mut() else { return };
        conversation.since = now;
        conversation.begun = true;
        // A phone that holds while its customer is dialled holds from the first moment on.
        conversation.held = Duration::ZERO;
        conversation.held_since = conversation.held_since.map(|_| now);
        let held = conversation.held_since.is_some();
        let by_agent = call.agent_leg().is_some_and(Leg::on_hold);
        self.conversation_fact(id, None, What::AgentLegConnected { wait_ms });
        if held {
            self.conversation_fact(id, None, What::AgentLegHeld { by_agent });
        }
    }

    /// What the agent hears before the bridge (calls.md line 8): that somebody is there, and who.
    fn greeting(&self, id: CallId, agent: &AgentId, leg: LegId) -> Vec<Sound> {
        let Some(entry) = self.setup.site.agents.get(agent) else { return Vec::new() };
        // Whoever takes over or was already in the call needs no greeting.
        let fresh = self.calls.get(&id).and_then(|c| c.legs.get(&leg)).is_some_and(|leg| !leg.up);
        let zip = (entry.auto_answer && fresh).then_some(Sound::Tone(Tone::Zip));
        let callback = self.calls.get(&id).is_some_and(Call::is_kept);
        let callback = callback.then(|| speech::notice(entry.lang, AgentNotice::Callback)).flatten();
        let callback = callback.map(|phrase| Sound::Prompt(phrase.key().into()));
        let lang = self.calls.get(&id).and_then(|c| c.lang).filter(|_| entry.whisper && fresh);
        let whisper = lang.and_then(|lang| speech::whisper(entry.lang, lang)).map(|phrase| Sound::Prompt(phrase.key().into()));
        let client = self.client(id, entry.lang).filter(|_| entry.whisper && fresh);
        zip.into_iter().chain(callback).chain(client).chain(whisper).collect()
    }

    /// Whose customer it is, if the account has a prompt that says so.
    fn client(&self, id: CallId, lang: Lang) -> Option<Sound> {
        let call = self.calls.get(&id).filter(|call| call.direction == Direction::Incoming)?;
        self.setup.site.whisper(&call.tenant, &call.number, lang).map(|key| Sound::Prompt(key.into()))
    }

    /// The greeting was heard, or there is none: customer and agent hear each other.
    pub(crate) fn bridge(&mut self, id: CallId) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        call.deadline = None;
        if let Some(conversation) = call.conversation.as_mut() {
            conversation.greeting = None;
        }
        if self.is_to_be_dialled(id) {
            return self.dial_customer(id);
        }
        // Somebody took the call over meanwhile: the bridge comes with the customer.
        if self.is_being_dialled(id) {
            return self.relink(id);
        }
        self.callback_done(id, CallbackEnd::Connected);
        self.answer_late(id);
        self.tell_flow(id, ivr::Input::Connected);
        self.relink(id);
        self.record(id);
        self.record_waiting(id);
    }

    /// Hold begins or ends as the legs of the conversation ask; a consultation is none.
    pub(crate) fn count_hold(&mut self, id: CallId) {
        let now = self.now;
        let Some(call) = self.calls.get_mut(&id) else { return };
        let agent_holds = call.agent_leg().is_some_and(Leg::on_hold);
        let holds = agent_holds || call.customer_leg().is_some_and(Leg::on_hold);
        let consults = call.consults();
        let Some(conversation) = call.conversation.as_mut() else { return };
        let (agent, own) = (conversation.agent.clone(), conversation.own);
        match (holds && !consults, conversation.held_since) {
            (true, None) => {
                conversation.held_since = Some(now);
                self.conversation_fact(id, None, What::AgentLegHeld { by_agent: agent_holds });
                self.held(agent, own, true);
            }
            (false, Some(since)) => {
                let held = now.mono.since(since.mono);
                conversation.held_since = None;
                conversation.held += held;
                self.conversation_fact(id, None, What::AgentLegResumed { held_ms: held.as_millis() as u64 });
                if !mutated(Mutation::HoldNotResumed) {
                    self.held(agent, own, false);
                }
            }
            _ => {}
        }
    }

    fn held(&mut self, agent: AgentId, own: bool, held: bool) {
        if !own {
            self.tell_acd(acd::Input::Held { agent, held });
        }
    }

    /// The agent's phone is gone: an apology, and the front of the line with the original wait (calls.md line 4).
    pub(crate) fn agent_lost(&mut self, id: CallId) {
        self.end_third(id, Cause::Unreachable);
        self.end_conversation(id, Cause::Unreachable);
        self.back_to_the_line(id, Cause::Unreachable);
    }

    /// The flow apologises and asks for the old queue again; a call that has no flow is over.
    pub(crate) fn back_to_the_line(&mut self, id: CallId, cause: Cause) {
        let flow = self.calls.get(&id).is_some_and(|c| c.flow.is_some() && c.customer.is_some());
        if flow { self.enter_flow(id, ivr::Input::AgentLost) } else { self.end_call(id, cause) }
    }

    /// The agent hung up. Whoever is consulted or takes part has the customer then (calls.md line 9).
    pub(crate) fn agent_hung_up(&mut self, id: CallId) {
        let Some(call) = self.calls.get(&id) else { return };
        let passes_on = call.third.as_ref().is_some_and(|t| t.role != Role::Has) && call.second().is_none();
        if passes_on && call.ending.is_none() {
            return self.complete_transfer(id, None);
        }
        self.end_call(id, Cause::AgentHungUp);
    }

    /// Ends the conversation, whoever ended it; the call goes on or ends as its caller decides.
    pub(crate) fn end_conversation(&mut self, id: CallId, cause: Cause) {
        let leg = self.calls.get(&id).and_then(|c| c.conversation.as_ref()).map(|c| c.leg);
        if let Some(leg) = leg {
            self.finish_conversation(id, cause);
            self.drop_leg(leg, None);
            self.relink(id);
        }
    }

    /// The conversation's facts, figures and recording come to their end; its leg stays.
    pub(crate) fn finish_conversation(&mut self, id: CallId, cause: Cause) {
        let now = self.now;
        let consulted = self.end_aside(id);
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Some(conversation) = call.conversation.as_mut() else { return };
        conversation.consulted += consulted;
        let held = conversation.held_for(now);
        let talk = now.mono.since(conversation.since.mono).saturating_sub(held);
        let what = What::AgentLegEnded {
            talk_ms: talk.as_millis() as u64,
            hold_ms: held.as_millis() as u64,
            consult_ms: conversation.consulted.as_millis() as u64,
        };
        self.conversation_fact(id, Some(cause), what);
        self.pause_leaves(id);
        if mutated(Mutation::PauseLeftBehind)
            && let Some(call) = self.calls.get_mut(&id)
        {
            call.pause = None;
        }
        let recording = self.calls.get_mut(&id).and_then(|c| c.conversation.as_mut()?.recording.take());
        recording.into_iter().for_each(|part| self.stop_recording(part.id));
        let Some(call) = self.calls.get_mut(&id) else { return };
        call.deadline = None;
        call.lease = None;
        let Some(Conversation { id: conversation, agent, own, leg, queue, .. }) = call.conversation.take() else { return };
        call.legs.get_mut(&leg).into_iter().for_each(|state| state.spoke = Some((agent.clone(), queue.clone())));
        self.tell_ledger(recording::Input::Ended { conversation });
        let forgotten = mutated(Mutation::ForgetRelease) && cause == Cause::AgentHungUp;
        let kept = mutated(Mutation::TransferKeepsAgent) && cause == Cause::Transferred;
        match own {
            true => self.disengage(&agent, id),
            false if forgotten || kept => {}
            false => self.tell_acd(acd::Input::Released { agent, cause }),
        }
    }

    pub(crate) fn conversation_fact(&mut self, id: CallId, cause: Option<Cause>, what: What) {
        let conversation = self.calls.get(&id).and_then(|c| c.conversation.as_ref()).filter(|c| c.begun);
        let Some(conversation) = conversation else { return };
        let (agent, queue, leg, conversation) =
            (conversation.agent.clone(), conversation.queue.clone(), conversation.leg, conversation.id);
        let about = |a: &mut About| {
            a.agent = Some(agent);
            a.queue = queue;
            a.leg = Some(leg);
            a.conversation = Some(conversation);
            a.cause = cause;
        };
        self.call_fact(id, about, what);
    }
}

impl Call {
    /// The agent speaks with somebody else about the call, now.
    pub fn consults(&self) -> bool {
        self.third.as_ref().is_some_and(|t| matches!(t.role, Role::Consulted { since: Some(_) }))
    }
}
