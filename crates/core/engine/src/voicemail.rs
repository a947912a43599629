//! A message: a beep, then what the caller says, in a recording of its own.
//!
//! ```text
//!  the flow asks ─▶ beep ── heard ─▶ recording ── a key, the limit, the caller hangs up ─▶ closed: voicemail.left
//! ```

use crate::centre::Centre;
use crate::conversation::OWN_PLAYS;
use base::fact::What;
use base::{CallId, ConversationId, LegId, QueueId, RecordingId};
use media::{Command, Sound, Tone};
use std::time::Duration;

/// A beep is short; not heard to its end by then, the recording begins all the same.
const BEEP: Duration = Duration::from_secs(5);
/// Shorter is no message: somebody thought better of it.
pub const SHORTEST_MS: u64 = 1_000;

/// A message that is being left.
pub struct Voicemail {
    limit: Duration,
    /// Once the beep was heard.
    recording: Option<RecordingId>,
}

impl Centre {
    /// The flow wants a message.
    pub(crate) fn on_record_asked(&mut self, id: CallId, limit: Duration) {
        // What is said before the answer may not reach us.
        self.answer_late(id);
        let until = self.now.mono + BEEP;
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Some(leg) = call.customer else { return self.tell_flow(id, ivr::Input::Recorded) };
        call.voicemail = Some(Voicemail { limit, recording: None });
        call.deadline = Some(until);
        self.tell_media(Command::Play { leg, play: OWN_PLAYS, sounds: vec![Sound::Tone(Tone::Beep)] });
        self.rearm(id);
    }

    /// The beep was heard: what is said from now on is the message.
    pub(crate) fn on_beep_heard(&mut self, id: CallId) {
        let now = self.now;
        let start = now.wall.to_string();
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Some(leg) = call.customer_leg().map(|leg| (leg.id, leg.sip_call_id.clone())) else { return };
        let Some(voicemail) = call.voicemail.as_mut().filter(|v| v.recording.is_none()) else { return };
        call.conversations += 1;
        let conversation = ConversationId { call: id, n: call.conversations };
        let recording = RecordingId { conversation, n: 1 };
        voicemail.recording = Some(recording);
        call.deadline = Some(now.mono + voicemail.limit);
        let (leg, sip_call_id_caller) = leg;
        let sidecar = media::Sidecar {
            call: id,
            recording,
            tenant: call.tenant.as_str().into(),
            queue: call.left_queue.as_ref().map(|q: &QueueId| q.as_str().into()),
            agent: "".into(),
            lang: call.lang,
            start: start.as_str().into(),
            sip_call_id_caller,
            sip_call_id_agent: "".into(),
        };
        let mut about = call.identities();
        about.queue = call.left_queue.clone();
        about.conversation = Some(conversation);
        let file = format!("{}/{recording}", start[..10].replace('-', "/"));
        self.owed.insert(recording, about);
        self.messages.insert(recording);
        self.tell_ledger(recording::Input::Owed { conversation });
        self.tell_ledger(recording::Input::Asked { recording });
        let left = vec![leg];
        self.tell_media(Command::Record { recording, left, right: Vec::new(), file: file.into(), sidecar: Box::new(sidecar) });
        self.rearm(id);
    }

    /// A key, the limit, or the end of the call.
    pub(crate) fn end_message(&mut self, id: CallId) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Some(voicemail) = call.voicemail.take() else { return };
        call.deadline = None;
        if let Some(recording) = voicemail.recording {
            self.stop_recording(recording);
            self.tell_ledger(recording::Input::Ended { conversation: recording.conversation });
        }
        self.tell_flow(id, ivr::Input::Recorded);
        self.rearm(id);
    }

    /// Its deadline passed: the beep's, then the message's.
    pub(crate) fn on_message_due(&mut self, id: CallId) {
        let Some(voicemail) = self.calls.get(&id).and_then(|c| c.voicemail.as_ref()) else { return };
        if voicemail.recording.is_none() { self.on_beep_heard(id) } else { self.end_message(id) }
    }

    /// The recorder closed a file: a message, if it was one and something was said.
    pub(crate) fn message_closed(&mut self, recording: RecordingId, duration_ms: u64) {
        if self.messages.remove(&recording) && duration_ms >= SHORTEST_MS {
            self.recording_fact(recording, What::VoicemailLeft { recording, duration_ms });
        }
    }

    /// Whose keys end a message.
    pub(crate) fn leaves_message(&self, leg: LegId) -> bool {
        self.calls.get(&leg.call).is_some_and(|c| c.customer == Some(leg) && c.voicemail.is_some())
    }
}
