//! A call that its flow sends to a number outside, by the tenant's trunk.
//!
//! ```text
//!  the flow asks ─▶ rings there (music, or what the far end sends) ── answered ─▶ with somebody outside (External)
//!                      │ refused, nobody, no channel
//!                      └─▶ the flow goes on
//! ```

use crate::Place;
use crate::centre::Centre;
use crate::dialling::Shown;
use crate::party::{Errand, Party, Role, Third};
use base::fact::What;
use base::{CallId, Cause, LegId, Pii};
use media::{Command, Tone};
use std::sync::Arc;

impl Centre {
    pub(crate) fn on_forward_asked(&mut self, id: CallId, step: &str, number: Arc<str>, music: Option<Arc<str>>) {
        self.call_fact(id, |_| (), What::IvrExited { step: step.to_string() });
        let Some(leg) = self.calls.get(&id).and_then(|c| c.customer) else { return };
        self.tell_media(match music {
            Some(prompt) => Command::Loop { leg, prompt },
            None => Command::LoopTone { leg, tone: Tone::Ringback },
        });
        self.reach(id, Errand::Forward, Party::Number(Pii::new(number)), &Shown::default());
    }

    pub(crate) fn forward_reached(&mut self, id: CallId, leg: LegId, to: Party) {
        let now = self.now;
        self.answer_late(id);
        let Some(call) = self.calls.get_mut(&id) else { return };
        call.third = Some(Third { to, role: Role::Has, from: None, leg: Some(leg) });
        call.goes_to(Place::External, now);
        self.call_fact(id, |_| (), What::CallForwarded {});
        self.renew(id);
    }

    pub(crate) fn forward_failed(&mut self, id: CallId, status: u16) {
        let cause = match status {
            486 | 600 => Cause::Busy,
            408 => Cause::NoAnswer,
            _ => Cause::Unreachable,
        };
        self.enter_flow(id, ivr::Input::QueueRefused(cause));
    }
}
