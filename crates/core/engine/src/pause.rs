//! A recording that pauses: silence in the gap on both sides, and the time line goes on.
//!
//! ```text
//!              asked                   asked to, or the time is over
//!  recorded ──────────▶ paused ───────────────────────────────────────▶ recorded
//!                        │  ▲ asked again: a new owner, cause and deadline
//!                        ├──┘
//!                        │  ▲ the next conversation of the call is recorded: paused from its first moment on,
//!                        ▼  │ for what is left of the time
//!                       the conversation ends, and the call goes on ─────▶ the time is over: forgotten
//! ```
//! What a caller says of a card must not be on any disk (PCI DSS 3.3.1), whoever has the call meanwhile; and what is
//! forgotten must end by itself. So a pause is the call's, and has an owner, a cause and a deadline.

use crate::call::Call;
use crate::centre::Centre;
use base::fact::{ResumedBy, What};
use base::{AgentId, CallId, Instant, RecordingId};
use media::{Command, Sound, Tone};
use speech::AgentNotice;
use std::sync::Arc;
use std::time::Duration;

/// The longest pause that may be asked for.
pub const LONGEST_PAUSE: Duration = Duration::from_secs(3_600);
/// That of a phone's code, which says no time.
const BY_CODE: Duration = Duration::from_secs(120);

/// Who wanted it, why, and until when.
pub struct Pause {
    pub who: Arc<str>,
    pub cause: Arc<str>,
    /// In this conversation.
    pub since: Instant,
    pub until: Instant,
}

impl Call {
    /// The part of the conversation's recording that may be paused.
    pub fn recorded(&self) -> Option<RecordingId> {
        Some(self.conversation.as_ref()?.recording.as_ref()?.id)
    }

    pub fn pauses(&self) -> bool {
        self.pause.is_some()
    }
}

impl Centre {
    /// There is something to pause: begun, and not failed.
    pub(crate) fn may_pause(&self, call: &Call) -> bool {
        call.recorded().is_some_and(|recording| self.owed.contains_key(&recording))
    }

    pub(crate) fn pause_recording(&mut self, id: CallId, who: &str, cause: &str, limit: Duration) {
        let now = self.now.mono;
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Some(recording) = call.recorded() else { return };
        let since = call.pause.as_ref().map_or(now, |pause| pause.since);
        call.pause = Some(Pause { who: who.into(), cause: cause.into(), since, until: now + limit });
        let (who, cause, limit_ms) = (who.into(), cause.into(), limit.as_millis() as u64);
        self.recording_fact(recording, What::RecordingPaused { recording, who, cause, limit_ms });
        self.silence(id);
        self.rearm(id);
    }

    /// A recording begins while the call's pause lasts: so does it there, and the log says so.
    pub(crate) fn pause_goes_on(&mut self, id: CallId) {
        let now = self.now.mono;
        let Some(call) = self.calls.get_mut(&id) else { return };
        let (Some(recording), Some(pause)) = (call.recorded(), call.pause.as_mut()) else { return };
        pause.since = now;
        let (who, cause, limit_ms) = (pause.who.to_string(), pause.cause.to_string(), pause.until.since(now).as_millis() as u64);
        self.recording_fact(recording, What::RecordingPaused { recording, who, cause, limit_ms });
    }

    /// The conversation ends in a pause: nobody's voice comes back, and the next conversation is as silent.
    pub(crate) fn pause_leaves(&mut self, id: CallId) {
        let now = self.now.mono;
        let Some(call) = self.calls.get(&id) else { return };
        let (Some(recording), Some(pause)) = (call.recorded(), call.pause.as_ref()) else { return };
        let (by, paused_ms) = (ResumedBy::ConversationEnded, now.since(pause.since).as_millis() as u64);
        self.recording_fact(recording, What::RecordingResumed { recording, by, who: None, paused_ms });
    }

    /// `who` of those who asked for it.
    pub(crate) fn resume_recording(&mut self, id: CallId, by: ResumedBy, who: Option<&str>) {
        let now = self.now.mono;
        let Some(call) = self.calls.get_mut(&id) else { return };
        let recording = call.recorded();
        let Some(pause) = call.pause.take() else { return };
        let (who, paused_ms) = (who.map(str::to_string), now.since(pause.since).as_millis() as u64);
        if let Some(recording) = recording {
            self.recording_fact(recording, What::RecordingResumed { recording, by, who, paused_ms });
        }
        self.silence(id);
        self.rearm(id);
    }

    /// True if a pause of this call was over.
    pub(crate) fn on_pause_due(&mut self, id: CallId) -> bool {
        let pause = self.calls.get(&id).and_then(|c| c.pause.as_ref());
        let over = pause.is_some_and(|pause| pause.until <= self.now.mono);
        if over {
            self.resume_recording(id, ResumedBy::TimedOut, None);
        }
        over
    }

    /// Brings whose voices are recorded in step with the pause, those of a consultation too.
    fn silence(&mut self, id: CallId) {
        self.record_voices(id);
        let Some(call) = self.calls.get(&id) else { return };
        let aside = call.conversation.as_ref().and_then(|c| c.aside.as_ref());
        let Some((recording, left, right)) = aside.map(|part| (part.id, part.left.clone(), part.right.clone())) else { return };
        let (left, right) = if call.pauses() { Default::default() } else { (left, right) };
        self.tell_media(Command::RecordLegs { recording, left, right });
    }

    /// The agent's phone dialled the code: a beep says that it is done.
    pub(crate) fn on_recording_code(&mut self, id: CallId, agent: AgentId, pause: bool) {
        let lang = self.setup.site.agents.get(&agent).map(|a| a.lang);
        let Some(leg) = self.confirms(id, &agent, lang) else { return };
        let talks = self.call_of(&agent).filter(|call| self.calls.get(call).is_some_and(|call| self.may_pause(call)));
        let done = talks.is_some_and(|call| pause || self.calls.get(&call).is_some_and(Call::pauses));
        if let Some(call) = talks.filter(|_| done) {
            match pause {
                true => self.pause_recording(call, agent.as_str(), "feature_code", BY_CODE),
                false => self.resume_recording(call, ResumedBy::Asked, Some(agent.as_str())),
            }
        }
        let refused = lang.and_then(|lang| speech::notice(lang, AgentNotice::Refused));
        let refused = refused.map(|phrase| Sound::Prompt(Arc::from(phrase.key())));
        let sounds = if done { vec![Sound::Tone(Tone::Beep)] } else { refused.into_iter().collect() };
        self.tell_media(Command::Play { leg, play: 1, sounds });
    }
}
