//! What a flow asks for: prompts, music, a queue, the end.

use crate::Place;
use crate::call::Asked;
use crate::centre::Centre;
use base::fact::{Consent, What};
use base::{CallId, Cause, Outcome, QueueId, VisitId};
use media::{Command, Sound};
use std::time::Duration;

/// Seconds of priority for a caller whose agent's phone died: before everyone who did not go through that.
const FRONT_OF_THE_LINE: i64 = 365 * 86_400;

impl Centre {
    pub(crate) fn on_flow(&mut self, id: CallId, output: ivr::Output) {
        let Some(call) = self.calls.get(&id).filter(|c| c.ending.is_none()) else { return };
        let Some(leg) = call.customer else { return };
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
            ivr::Output::NoticePlayed { step } => {
                self.call_fact(id, |_| (), What::ConsentPlayed { step: step.to_string() });
            }
            ivr::Output::Consent { step, consent } => self.on_consent(id, &step, consent),
            ivr::Output::KeyTaken { step, key, understood } => {
                let key = key.map(String::from).unwrap_or_default();
                self.call_fact(id, |_| (), What::IvrInput { step: step.to_string(), key, understood });
            }
            ivr::Output::Enqueue { step, queue, requires, priority_s, lang, again } => {
                if let Some(call) = self.calls.get_mut(&id) {
                    call.lang = Some(lang);
                }
                self.call_fact(id, |_| (), What::IvrExited { step: step.to_string() });
                self.enqueue(id, &queue, Asked { requires, priority_s }, again);
            }
            ivr::Output::LeaveQueue { outcome } => self.leave_queue(id, outcome),
            ivr::Output::Callback { number } => self.on_callback_asked(id, number),
            ivr::Output::Record { limit, .. } => self.on_record_asked(id, limit),
            ivr::Output::Forward { step, number, music } => self.on_forward_asked(id, &step, number, music),
            // Whoever was promised a call back is gone, and the place is not.
            ivr::Output::HangUp { cause, .. } if self.keep_place(id, cause) => {}
            ivr::Output::HangUp { step, cause } => {
                self.call_fact(id, |_| (), What::IvrExited { step: step.to_string() });
                self.end_call(id, cause);
            }
        }
    }

    /// The last answer counts, for all of the call that follows.
    fn on_consent(&mut self, id: CallId, step: &str, consent: Consent) {
        if let Some(call) = self.calls.get_mut(&id) {
            call.consent = Some(consent);
        }
        let (step, by) = (step.to_string(), consent.by);
        let what = if consent.given { What::ConsentAccepted { step, by } } else { What::ConsentRefused { step, by } };
        self.call_fact(id, |_| (), what);
    }

    /// A key led out of the queue. What the queue says to that comes before what the flow says next.
    fn leave_queue(&mut self, id: CallId, outcome: Outcome) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Some(visit) = call.visit.as_ref().map(|v| v.id) else { return };
        call.left_queue = call.visit.as_ref().map(|v| v.queue.clone());
        let next = std::mem::take(&mut self.steps);
        self.tell_acd(acd::Input::Leave { visit, outcome, cut_off: None });
        self.settle();
        self.steps.extend(next);
    }

    fn enqueue(&mut self, id: CallId, queue: &str, asked: Asked, again: bool) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Ok(queue) = QueueId::new(&call.tenant, queue) else {
            return self.tell_flow(id, ivr::Input::QueueRefused(Cause::Internal));
        };
        let waited = if again { call.waited } else { Duration::ZERO };
        call.asked = Some(asked.clone());
        let front = if again { FRONT_OF_THE_LINE } else { 0 };
        let Asked { requires, priority_s } = asked;
        self.visit(id, queue, Asked { requires, priority_s: priority_s.saturating_add(front) }, waited);
    }

    /// A visit to a queue begins, if the ACD takes it.
    pub(crate) fn visit(&mut self, id: CallId, queue: QueueId, asked: Asked, waited: Duration) {
        let now = self.now;
        let Some(call) = self.calls.get_mut(&id) else { return };
        let visit = VisitId { call: id, n: call.visits + 1 };
        if call.conversation.is_none() {
            call.goes_to(Place::Queue, now);
        }
        let lang = call.lang;
        let party = self.routing_party(id);
        let waited = waited + self.join_callback(id, &queue);
        let Asked { requires, priority_s } = asked;
        let caller = acd::Caller::OnTheLine;
        self.tell_acd(acd::Input::Enqueue { visit, queue, requires, priority_s, waited, lang, party, caller });
    }

    /// The flow has the call: at first, and again after a queue or an agent. A call without one is over.
    pub(crate) fn enter_flow(&mut self, id: CallId, input: ivr::Input) {
        if !self.is_with_flow(id) {
            return self.end_call(id, Cause::FlowEnded);
        }
        self.tell_flow(id, input);
    }

    /// The call is in its flow from now on; false if it has none.
    pub(crate) fn is_with_flow(&mut self, id: CallId) -> bool {
        let now = self.now;
        let Some(call) = self.calls.get_mut(&id) else { return false };
        let Some(flow) = call.flow.as_ref().map(|f| f.flow_name().to_string()) else { return false };
        call.goes_to(Place::Ivr, now);
        self.call_fact(id, |_| (), What::IvrEntered { flow });
        self.relink(id);
        true
    }

    /// A place of the Centre's own ran out of time.
    pub(crate) fn on_place_timeout(&mut self, id: CallId) {
        let Some(call) = self.calls.get(&id) else { return };
        match call.place {
            Place::Arriving => self.reject(id, 480, Cause::NoPorts),
            Place::Conversation | Place::External => self.bridge(id),
            _ if call.is_kept() => self.on_callback_due(id),
            _ if call.voicemail.is_some() => self.on_message_due(id),
            _ => self.end_call(id, Cause::Timeout),
        }
    }
}
