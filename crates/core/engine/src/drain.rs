//! The end of the node: no new calls, an end for those there are, the last word of the epoch.
//!
//! ```text
//!  Open ─ Input::Drain ─▶ Until ─ its time comes: calls are ended ─▶ LastMoment ─ its time comes ─▶ Over
//!                           └────────── nothing is left ─────────────────┴──────────────────────────▲
//! ```

use crate::Output;
use crate::call::Call;
use crate::centre::Centre;
use base::fact::{About, What};
use base::{CallId, Cause, Instant};
use std::time::Duration;

/// What a drain waits for answers to the BYEs that ended its last calls, and for the recorder to close its files.
const LAST_ANSWERS: Duration = Duration::from_secs(2);
const LAST_FILES: Duration = Duration::from_secs(10);

pub(crate) enum Drain {
    Open,
    /// Calls may end by themselves.
    Until(Instant),
    /// Since then peers may answer our BYEs, and the recorder may close its files. The audit's tick looks again.
    LastMoment(Instant),
    Over,
}

impl Drain {
    pub fn until(&self) -> Option<Instant> {
        match self {
            Drain::Until(at) => Some(*at),
            Drain::Open | Drain::LastMoment(_) | Drain::Over => None,
        }
    }
}

impl Centre {
    pub(crate) fn on_drain(&mut self, grace: Duration) {
        self.tell_sip(sip::Input::Drain);
        self.drain = Drain::Until(self.now.mono + grace);
        // Who is to be called back waits for the next epoch, unless an agent is at it already.
        let idle = |call: &&Call| call.is_kept() && call.conversation.is_none() && call.reaches.is_empty();
        let kept: Vec<CallId> = self.calls.values().filter(idle).map(|call| call.id).collect();
        kept.into_iter().for_each(|call| self.end_call(call, Cause::Draining));
    }

    pub(crate) fn finish_drain(&mut self) {
        if !self.draining() {
            return;
        }
        if matches!(self.drain, Drain::Until(at) if at <= self.now.mono) {
            let left: Vec<CallId> = self.calls.keys().copied().collect();
            for call in left {
                self.end_call(call, Cause::Draining);
            }
            self.settle();
            self.drain = Drain::LastMoment(self.now.mono);
        }
        let given_back = self.calls.is_empty() && self.closing.is_empty() && self.owed.is_empty();
        if !given_back {
            self.quiet_since = None;
        }
        let quiet = given_back.then(|| self.now.mono.since(*self.quiet_since.get_or_insert(self.now.mono)));
        // A phone that is gone does not answer our BYE.
        let quiet = quiet.is_some_and(|long| self.sessions.is_empty() || long >= LAST_ANSWERS);
        let over = match self.drain {
            Drain::Open | Drain::Over => false,
            Drain::Until(_) => quiet,
            Drain::LastMoment(since) => quiet || self.now.mono.since(since) >= LAST_FILES,
        };
        if over {
            self.drain = Drain::Over;
            self.fact(About::default(), What::NodeStopped { clean: self.calls.is_empty() && self.owed.is_empty() });
            self.out.push(Output::Drained);
        }
    }

    pub fn draining(&self) -> bool {
        !matches!(self.drain, Drain::Open)
    }
}
