//! What a flow asks for: prompts, music, a queue, the end.

use crate::Place;
use crate::centre::Centre;
use base::fact::What;
use base::{CallId, Cause, LegId, QueueId, VisitId};
use media::{Command, Sound};
use std::time::Duration;

/// Seconds of priority for a caller whose agent's phone died: before everyone who did not go through that.
const FRONT_OF_THE_LINE: i64 = 365 * 86_400;

impl Centre {
    pub(crate) fn on_flow(&mut self, id: CallId, output: ivr::Output) {
        let leg = LegId::caller(id);
        if self.calls.get(&id).is_none_or(|c| c.ending.is_some()) {
            return;
        }
        match output {
            ivr::Output::Play { play, prompts } => {
                let sounds = prompts.into_iter().map(Sound::Prompt).collect();
                self.tell_media(Command::Play { leg, play, sounds });
            }
            ivr::Output::Music { prompt } => self.tell_media(Command::Loop { leg, prompt }),
            ivr::Output::Stop => self.tell_media(Command::Stop { leg }),
            ivr::Output::LanguageSelected(lang) => {
                if let Some(call) = self.calls.get_mut(&id) {
                    call.lang = Some(lang);
                }
                self.call_fact(id, |_| (), What::IvrLanguageSelected {});
            }
            ivr::Output::KeyTaken { step, key, understood } => {
                let key = key.map(String::from).unwrap_or_default();
                self.call_fact(id, |_| (), What::IvrInput { step: step.to_string(), key, understood });
            }
            ivr::Output::Enqueue { step, queue, requires, priority_s, lang, again } => {
                if let Some(call) = self.calls.get_mut(&id) {
                    call.lang = Some(lang);
                }
                self.call_fact(id, |_| (), What::IvrExited { step: step.to_string() });
                self.enqueue(id, &queue, requires, priority_s, again);
            }
            ivr::Output::HangUp { step, cause } => {
                self.call_fact(id, |_| (), What::IvrExited { step: step.to_string() });
                self.end_call(id, cause);
            }
        }
    }

    fn enqueue(&mut self, id: CallId, queue: &str, requires: base::Requirement, priority_s: i64, again: bool) {
        let now = self.now;
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Ok(queue) = QueueId::new(&call.tenant, queue) else {
            return self.tell_flow(id, ivr::Input::QueueRefused(Cause::Internal));
        };
        let visit = VisitId { call: id, n: call.visits + 1 };
        let waited = if again { call.waited } else { Duration::ZERO };
        let priority_s = if again { priority_s.saturating_add(FRONT_OF_THE_LINE) } else { priority_s };
        call.goes_to(Place::Queue, now);
        let (lang, party) = (call.lang, call.party);
        self.tell_acd(acd::Input::Enqueue { visit, queue, requires, priority_s, waited, lang, party });
    }

    /// The flow has the call: at first, and again after a queue or an agent.
    pub(crate) fn enter_flow(&mut self, id: CallId, input: ivr::Input) {
        let now = self.now;
        let Some(call) = self.calls.get_mut(&id) else { return };
        call.goes_to(Place::Ivr, now);
        let flow = call.flow.as_ref().map(|f| f.flow_name().to_string()).unwrap_or_default();
        self.call_fact(id, |_| (), What::IvrEntered { flow });
        self.tell_flow(id, input);
    }

    /// A place of the Centre's own ran out of time.
    pub(crate) fn on_place_timeout(&mut self, id: CallId) {
        let Some(call) = self.calls.get(&id) else { return };
        match call.place {
            Place::Arriving => self.reject(id, 480, Cause::NoPorts),
            _ => self.end_call(id, Cause::Timeout),
        }
    }
}
