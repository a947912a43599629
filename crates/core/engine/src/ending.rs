//! How a call ends: once, with one cause, after everything it held has been given back.
//!
//! ```text
//!  end_call ─▶ leave the place (queue, conversation, flow) ─▶ hang up, close ports ─▶ Conclude ─▶ call.ended
//! ```

use crate::Place;
use crate::call::Media;
use crate::centre::{Centre, Step};
use base::fact::What;
use base::{CallId, Cause, LegId, Outcome};

impl Centre {
    /// Ends the call wherever it is. Asking twice is asking once.
    pub(crate) fn end_call(&mut self, id: CallId, cause: Cause) {
        let Some(call) = self.calls.get_mut(&id).filter(|c| c.ending.is_none()) else { return };
        if !call.answered {
            let status = match cause {
                Cause::Draining => 503,
                Cause::Requested => 480,
                _ => 487,
            };
            return self.reject(id, status, cause);
        }
        call.ending = Some(cause);
        let (place, visit) = (call.place, call.visit.as_ref().map(|v| v.id));
        match place {
            Place::Conversation => self.end_conversation(id, cause),
            Place::Queue | Place::Offer => {
                let left = matches!(cause, Cause::CallerHungUp | Cause::NoMedia | Cause::TransportFailed);
                let outcome = if left { Outcome::Abandoned } else { Outcome::System };
                if let Some(visit) = visit {
                    self.tell_acd(acd::Input::Leave { visit, outcome });
                }
            }
            // A flow that hangs up has said where; one that is cut short has not.
            Place::Ivr if cause != Cause::FlowEnded => self.exit_flow(id, cause),
            Place::Arriving | Place::Ivr | Place::Ended => (),
        }
        self.hang_up_caller(id);
        self.steps.push_back(Step::Conclude(id));
    }

    fn exit_flow(&mut self, id: CallId, cause: Cause) {
        let step = self.calls.get(&id).and_then(|c| c.flow.as_ref()).map(|f| f.step().to_string());
        if let Some(step) = step {
            self.call_fact(id, |a| a.cause = Some(cause), What::IvrExited { step });
        }
    }

    fn hang_up_caller(&mut self, id: CallId) {
        let session = self.calls.get_mut(&id).and_then(|c| c.leg.session.take());
        if let Some(session) = session {
            self.tell_sip(sip::Input::HangUp { session, reason: None });
        }
        self.close_media(LegId::caller(id));
    }

    /// The last fact, when all others were said.
    pub(crate) fn conclude(&mut self, id: CallId) {
        let Some(call) = self.calls.get(&id) else { return };
        if call.visit.is_some() && !self.steps.is_empty() {
            // Its visit is still on its way out.
            return self.steps.push_back(Step::Conclude(id));
        }
        let cause = call.ending;
        let duration_ms = self.now.mono.since(call.arrived.mono).as_millis() as u64;
        let visits = call.visits;
        self.call_fact(id, |a| a.cause = cause, What::CallEnded { duration_ms, visits });
        self.forget(id);
    }

    pub(crate) fn forget(&mut self, id: CallId) {
        let legs: Vec<LegId> = self.calls.get(&id).map(|c| c.agent_legs.keys().copied().collect()).unwrap_or_default();
        for leg in legs {
            self.drop_agent_leg(leg, None);
        }
        self.free_phone(id);
        if let Some(call) = self.calls.remove(&id) {
            self.count_on(id, call.rev);
        }
        self.rearm(id);
    }

    /// Gives the port back as soon as the media plane says that it is closed.
    pub(crate) fn close_media(&mut self, leg: LegId) {
        let Some(state) = self.calls.get_mut(&leg.call).and_then(|c| c.leg_mut(leg)) else { return };
        let (Media::Open(port) | Media::Opening(port)) = state.media else { return };
        state.media = Media::Closed;
        self.closing.insert(leg, port);
        self.tell_media(media::Command::Close { leg });
    }
}
