//! An agent and a caller connected: bridge, hold, recording, and how it ends.
//!
//! ```text
//!            connect                 either side holds
//!  (offer) ──────────▶ bridged ────────────────────────▶ held (the other side hears music)
//!                        │  ▲                               │
//!                        │  └────────── resumes ────────────┘
//!                        ▼
//!          caller or agent hangs up: ended; the agent's phone dies: the caller goes to the front of the line
//! ```

use crate::Place;
use crate::call::Conversation;
use crate::centre::Centre;
use base::fact::{About, What};
use base::{CallId, Cause, ConversationId, LegId, RecordingId, VisitId};
use media::Command;
use sip::Refusal;
use std::sync::Arc;
use std::time::Duration;

/// A part is hashed and synced to the disk at its end; a disk that stalls for longer is an alarm.
const CLOSED_WITHIN: Duration = Duration::from_secs(60);
/// What the side that does not hold hears.
const MUSIC: &str = "music/hold";

impl Centre {
    /// The visit was answered: bridge, record, tell.
    pub(crate) fn connect(&mut self, visit: VisitId) {
        let id = visit.call;
        let Some((leg, agent, offer)) = self.winner_of(visit) else { return };
        let now = self.now;
        self.stop_ringing(offer);
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Some(won) = call.offers.remove(&offer) else { return };
        call.conversations += 1;
        let conversation = ConversationId { call: id, n: call.conversations };
        call.waited += call.waiting_since.take().map_or(Duration::ZERO, |since| now.mono.since(since.mono));
        let wait = call.waited;
        call.conversation = Some(Conversation {
            id: conversation,
            agent,
            queue: won.queue,
            leg,
            since: now,
            held_since: None,
            held: Duration::ZERO,
            linked: false,
            recording: None,
        });
        call.goes_to(Place::Conversation, now);
        call.deadline = None;
        self.tell_flow(id, ivr::Input::Connected);
        self.conversation_fact(id, None, What::AgentLegConnected { wait_ms: wait.as_millis() as u64 });
        self.relink(id);
        self.record(id);
    }

    /// Bridges, or plays music to the side that does not hold, whichever the two legs ask for now.
    fn relink(&mut self, id: CallId) {
        let now = self.now;
        let Some(call) = self.calls.get_mut(&id) else { return };
        let agent_holds = call.other_leg().is_some_and(crate::call::Leg::on_hold);
        let holds = agent_holds || call.leg.on_hold();
        let caller = call.leg.id;
        let Some(conversation) = call.conversation.as_mut() else { return };
        let (leg, agent) = (conversation.leg, conversation.agent.clone());
        if holds {
            let begins = conversation.held_since.is_none();
            conversation.held_since.get_or_insert(now);
            if std::mem::take(&mut conversation.linked) {
                self.tell_media(Command::Unbridge { a: caller, b: leg });
            }
            let hears = if agent_holds { caller } else { leg };
            self.tell_media(Command::Loop { leg: hears, prompt: MUSIC.into() });
            if begins {
                self.conversation_fact(id, None, What::AgentLegHeld { by_agent: agent_holds });
                self.tell_acd(acd::Input::Held { agent, held: true });
            }
        } else if !conversation.linked {
            conversation.linked = true;
            let held = conversation.held_since.take().map(|since| now.mono.since(since.mono));
            conversation.held += held.unwrap_or_default();
            self.tell_media(Command::Bridge { a: caller, b: leg });
            if let Some(held) = held {
                self.conversation_fact(id, None, What::AgentLegResumed { held_ms: held.as_millis() as u64 });
                self.tell_acd(acd::Input::Held { agent, held: false });
            }
        }
    }

    fn record(&mut self, id: CallId) {
        let start = self.now.wall.to_string();
        let Some(call) = self.calls.get_mut(&id) else { return };
        let agent_call_id = call.other_leg().map(|l| l.sip_call_id.clone()).unwrap_or_default();
        let (caller, caller_call_id, lang) = (call.leg.id, call.leg.sip_call_id.clone(), call.lang);
        let tenant: Arc<str> = call.tenant.as_str().into();
        let Some(conversation) = call.conversation.as_mut() else { return };
        let recording = RecordingId { conversation: conversation.id, n: 1 };
        conversation.recording = Some(recording);
        let sidecar = media::Sidecar {
            call: id,
            recording,
            tenant,
            queue: Some(conversation.queue.as_str().into()),
            agent: conversation.agent.as_str().into(),
            lang,
            start: start.as_str().into(),
            sip_call_id_caller: caller_call_id,
            sip_call_id_agent: agent_call_id,
        };
        let right = conversation.leg;
        let (agent, queue, conversation) = (conversation.agent.clone(), conversation.queue.clone(), conversation.id);
        let mut about = call.identities();
        about.agent = Some(agent);
        about.queue = Some(queue);
        about.conversation = Some(conversation);
        // Year, month and day of its beginning, in UTC: `2026/11/22/1-3-42.c1.p1`.
        let file = format!("{}/{recording}", start[..10].replace('-', "/"));
        self.owed.insert(recording, about);
        self.tell_ledger(recording::Input::Owed { conversation, eligible: true });
        self.tell_media(Command::Record { recording, left: caller, right, file: file.into(), sidecar: Box::new(sidecar) });
    }

    /// The peer's re-INVITE or its missing offer.
    pub(crate) fn on_reoffered(&mut self, leg: LegId, sdp: Option<&[u8]>) {
        let Some(state) = self.calls.get_mut(&leg.call).and_then(|c| c.leg_mut(leg)) else { return };
        let (Some(session), Some(local)) = (state.session, state.local.as_mut()) else { return };
        local.version += 1;
        let local = local.clone();
        let Some(offer) = sdp else {
            return self.tell_sip(sip::Input::AnswerReoffer { session, sdp: sip::sdp::offer(&local) });
        };
        match sip::sdp::answer(offer, &local) {
            Ok((answer, audio)) => {
                self.tell_sip(sip::Input::AnswerReoffer { session, sdp: answer });
                self.renegotiated(leg, audio);
            }
            Err(refused) => {
                let refusal = Refusal { status: refused.status(), phrase: None, reason: None, retry_after: None };
                self.tell_sip(sip::Input::RefuseReoffer { session, refusal });
            }
        }
    }

    /// The ACK to our 200, perhaps with the answer to our offer.
    pub(crate) fn on_confirmed(&mut self, leg: LegId, sdp: Option<&[u8]>) {
        let Some(state) = self.calls.get_mut(&leg.call).and_then(|c| c.leg_mut(leg)) else { return };
        let Some(local) = state.local.clone() else { return };
        let first = state.audio.is_none();
        let Some(sdp) = sdp else {
            // The 200 held our offer, and nothing answered it.
            return if first {
                self.end_call(leg.call, Cause::ProtocolError)
            };
        };
        match sip::sdp::read_answer(sdp, &local) {
            Ok(audio) => self.renegotiated(leg, audio),
            Err(_) if first => return self.end_call(leg.call, Cause::CodecMismatch),
            Err(_) => return,
        }
        if first {
            self.begin(leg.call);
        }
    }

    fn renegotiated(&mut self, leg: LegId, audio: sip::sdp::Audio) {
        self.configure_leg(leg, audio);
        if self.calls.get(&leg.call).is_some_and(|c| c.conversation.is_some()) {
            self.relink(leg.call);
        }
    }

    /// The agent's phone is gone: an apology, and the front of the line with the original wait (calls.md line 4).
    pub(crate) fn agent_lost(&mut self, id: CallId) {
        self.end_conversation(id, Cause::Unreachable);
        self.enter_flow(id, ivr::Input::AgentLost);
    }

    /// Ends the conversation, whoever ended it; the call goes on or ends as its caller decides.
    pub(crate) fn end_conversation(&mut self, id: CallId, cause: Cause) {
        let now = self.now;
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Some(conversation) = call.conversation.as_ref() else { return };
        let held = conversation.held_for(now);
        let talk = now.mono.since(conversation.since.mono).saturating_sub(held);
        let (leg, agent, recording) = (conversation.leg, conversation.agent.clone(), conversation.recording);
        let (linked, caller) = (conversation.linked, call.leg.id);
        let what = What::AgentLegEnded { talk_ms: talk.as_millis() as u64, hold_ms: held.as_millis() as u64 };
        self.conversation_fact(id, Some(cause), what);
        if let Some(recording) = recording {
            self.tell_media(Command::StopRecording { recording });
            if self.owed.contains_key(&recording) {
                self.closed_by.insert(recording, now.mono + CLOSED_WITHIN);
            }
        }
        if linked {
            self.tell_media(Command::Unbridge { a: caller, b: leg });
        }
        self.drop_agent_leg(leg, None);
        if let Some(call) = self.calls.get_mut(&id) {
            call.agent_legs.remove(&leg);
            call.conversation = None;
        }
        self.tell_acd(acd::Input::Released { agent, cause });
    }

    fn conversation_fact(&mut self, id: CallId, cause: Option<Cause>, what: What) {
        let Some(conversation) = self.calls.get(&id).and_then(|c| c.conversation.as_ref()) else { return };
        let (agent, queue, leg, conversation) =
            (conversation.agent.clone(), conversation.queue.clone(), conversation.leg, conversation.id);
        let about = |a: &mut About| {
            a.agent = Some(agent);
            a.queue = Some(queue);
            a.leg = Some(leg);
            a.conversation = Some(conversation);
            a.cause = cause;
        };
        self.call_fact(id, about, what);
    }
}
