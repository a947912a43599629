//! How a call ends: once, with one cause, after everything it held has been given back.
//!
//! ```text
//!  end_call ─▶ leave the place (queue, conversation, flow) ─▶ hang up, close ports ─▶ Conclude ─▶ call.ended
//! ```

use crate::Place;
use crate::callback::Stage;
use crate::centre::{Centre, Step};
use crate::leg::{Leg, Media, Purpose};
use base::fact::{CallbackEnd, What};
use base::{CallId, Cause, LegId, Outcome};

impl Centre {
    /// Ends the call wherever it is. Asking twice is asking once.
    pub(crate) fn end_call(&mut self, id: CallId, cause: Cause) {
        if self.keep_place(id, cause) {
            return;
        }
        let Some(call) = self.calls.get_mut(&id).filter(|c| c.ending.is_none()) else { return };
        if !call.begun {
            let status = match cause {
                Cause::Draining => 503,
                Cause::Requested => 480,
                _ => 487,
            };
            return self.reject(id, status, cause);
        }
        call.ending = Some(cause);
        self.end_message(id);
        let Some(call) = self.calls.get(&id) else { return };
        let (place, visit) = (call.place, call.visit.as_ref().map(|v| v.id));
        self.stop_passing(id, 487);
        self.end_third(id, cause);
        self.end_conversation(id, cause);
        if let Some(visit) = visit {
            let failure = matches!(cause, Cause::NoMedia | Cause::TransportFailed | Cause::LeaseEnded);
            let left = failure || cause == Cause::CallerHungUp;
            let cut_off = failure.then_some(cause);
            let outcome = match left {
                true => Outcome::Abandoned,
                false if self.is_put_off(id) => Outcome::Callback,
                false => Outcome::System,
            };
            self.tell_acd(acd::Input::Leave { visit, outcome, cut_off });
        } else if place == Place::Ivr && cause != Cause::FlowEnded {
            // A flow that hangs up has said where; one that is cut short has not.
            self.exit_flow(id, cause);
        }
        self.end_monitors(id);
        self.refuse_late(id, cause);
        // Phones that ring for an offer are told by the offer's end.
        let rings = |leg: &Leg| matches!(leg.purpose, Purpose::Offer(_));
        let legs = self.calls.get(&id).map(|c| c.legs.values().filter(|leg| !rings(leg)).map(|leg| leg.id).collect());
        let legs: Vec<LegId> = legs.unwrap_or_default();
        legs.into_iter().for_each(|leg| self.drop_leg(leg, None));
        self.rearm(id);
        self.steps.push_back(Step::Conclude(id));
    }

    /// The node stops, and its caller was promised a call: neither is over, the next epoch has them.
    fn is_put_off(&self, id: CallId) -> bool {
        self.calls.get(&id).is_some_and(|call| call.ending == Some(Cause::Draining) && call.callback.is_some())
    }

    pub(crate) fn exit_flow(&mut self, id: CallId, cause: Cause) {
        let step = self.calls.get(&id).and_then(|c| c.flow.as_ref()).map(|f| f.step().to_string());
        if let Some(step) = step {
            self.call_fact(id, |a| a.cause = Some(cause), What::IvrExited { step });
        }
    }

    /// The last fact, when all others were said.
    pub(crate) fn conclude(&mut self, id: CallId) {
        let Some(call) = self.calls.get(&id) else { return };
        if call.visit.is_some() && !self.steps.is_empty() {
            // Its visit is still on its way out.
            return self.steps.push_back(Step::Conclude(id));
        }
        let cause = call.ending;
        if self.is_put_off(id) {
            self.forget_place(id);
            return self.forget(id);
        }
        let back = call.callback.as_ref().is_some_and(|c| c.stage == Stage::Back);
        self.callback_done(id, if back { CallbackEnd::Failed } else { CallbackEnd::Cancelled });
        let Some(call) = self.calls.get(&id) else { return };
        let duration_ms = (call.before + self.now.mono.since(call.arrived.mono)).as_millis() as u64;
        let visits = call.visits;
        self.call_fact(id, |a| a.cause = cause, What::CallEnded { duration_ms, visits });
        self.forget(id);
    }

    pub(crate) fn forget(&mut self, id: CallId) {
        self.end_monitors(id);
        let legs: Vec<LegId> = self.calls.get(&id).map(|c| c.legs.keys().copied().collect()).unwrap_or_default();
        for leg in legs {
            self.drop_leg(leg, None);
        }
        self.disengage_all(id);
        self.channels.give_all(id);
        if let Some(call) = self.calls.remove(&id) {
            self.count_on(id, call.rev);
        }
        self.rearm(id);
    }

    /// Gives the port back as soon as the media plane says that it is closed.
    pub(crate) fn close_media(&mut self, leg: LegId) {
        let Some(state) = self.leg_mut(leg) else { return };
        let (Media::Open(port) | Media::Opening(port)) = state.media else { return };
        state.media = Media::Closed;
        self.closing.extend(self.closing_of(leg, port).map(|closing| (leg, closing)));
        self.tell_media(media::Command::Close { leg });
    }
}
