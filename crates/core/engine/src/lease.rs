//! A conversation is a lease (calls.md line 12): RTP, RTCP and refreshed session timers renew it, and nothing caps it.

use crate::centre::Centre;
use base::{CallId, Cause, LegId};
use media::LEASE;

/// Not renewed so often in a row, it is over.
const RENEWALS: u32 = 3;

impl Centre {
    /// Somebody of this call is heard of.
    pub(crate) fn renew(&mut self, id: CallId) {
        let until = self.now.mono + LEASE * RENEWALS;
        let Some(call) = self.calls.get_mut(&id) else { return };
        if call.conversation.is_some() || call.third.is_some() {
            call.lease = Some(until);
            self.rearm(id);
        }
    }

    pub(crate) fn on_alive(&mut self, legs: &[LegId]) {
        let mut last = None;
        for leg in legs.iter().filter(|leg| self.calls.contains_key(&leg.call)).copied().collect::<Vec<_>>() {
            // Legs come in order: one call's stand together.
            if last.replace(leg.call) != Some(leg.call) {
                self.renew(leg.call);
            }
        }
    }

    /// Nothing was heard of anybody for so long that nobody is there.
    pub(crate) fn on_lease_ended(&mut self, id: CallId) {
        self.end_call(id, Cause::LeaseEnded);
    }
}
