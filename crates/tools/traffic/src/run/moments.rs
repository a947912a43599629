//! Moments as exact as this process can tell them: what is sent is stamped before, what is received after.

use super::{Who, World};
use crate::people::Act;
use crate::plan::is_agents;
use crate::report::Moments;
use std::time::Instant;

impl World<'_> {
    pub(super) fn micros(&self, at: Instant) -> u64 {
        at.saturating_duration_since(self.start).as_micros() as u64
    }

    /// Somebody is about to do this.
    pub(super) fn stamp(&mut self, who: Who, act: Act) {
        let now = self.micros(Instant::now());
        let Some(moments) = self.moments(who) else { return };
        match act {
            Act::Press(_) => moments.key_us = Some(now),
            Act::Answer(_) => moments.answered_us = moments.answered_us.or(Some(now)),
            Act::HangUp => moments.hung_up_us = moments.hung_up_us.or(Some(now)),
            _ => {}
        }
    }

    /// A voice that has been heard since then: callers wait for an agent's, agents for a caller's.
    pub(super) fn heard(&mut self, who: Who, hz: u32, since: Instant) {
        let since = self.micros(since);
        let wanted = is_agents(hz) == matches!(who, Who::Caller(_));
        if let Some(moments) = self.moments(who).filter(|m| wanted && m.heard_us.is_none()) {
            (moments.heard_us, moments.heard_hz) = (Some(since), Some(hz));
        }
    }

    /// A leg's first packet, whatever is in it.
    pub(super) fn first(&mut self, who: Who, at: Instant) {
        let at = self.micros(at);
        if let Some(moments) = self.moments(who) {
            moments.first_us = moments.first_us.or(Some(at));
        }
    }

    /// Our INVITE was answered.
    pub(super) fn stamp_answer(&mut self, who: Who) {
        let now = self.micros(Instant::now());
        if let Some(moments) = self.moments(who) {
            moments.answered_us = moments.answered_us.or(Some(now));
        }
    }

    /// The server has our INVITE.
    pub(super) fn trying(&mut self, call_id: &str, at: Instant) {
        let at = self.micros(at);
        if let Some(person) = self.callers.values_mut().find(|person| person.machine.report.call_id == call_id) {
            person.moments.trying_us = person.moments.trying_us.or(Some(at));
        }
    }

    fn moments(&mut self, who: Who) -> Option<&mut Moments> {
        match who {
            Who::Caller(id) => self.callers.get_mut(&id).map(|p| &mut p.moments),
            Who::Agent(id) => self.calls.get_mut(&id).map(|(_, p)| &mut p.moments),
            Who::Own(id) => self.own.get_mut(&id).map(|(_, p)| &mut p.moments),
            Who::Outside(id) => self.called.get_mut(&id).map(|p| &mut p.moments),
        }
    }
}
