//! What callers are told while they wait.

use crate::timers::Timer;
use crate::visit::VisitKey;
use crate::{Acd, Output, PACE, Turn};
use std::time::Duration;

impl Acd {
    /// Tells position and wait if they are news: never to the head of the line, and only what improved.
    pub(crate) fn on_announce_due(&mut self, key: VisitKey, turn: &mut Turn) {
        let position = self.position_of(key);
        let expected = self.expected(key);
        let v = &mut self.visits[key.0];
        let announce = self.queues[v.queue.0].config.announce;
        self.timers.set(Timer::Announce(key), announce.every.map(|every| turn.now + every.max(PACE)));
        if position == 1 {
            return;
        }
        let wait = said(expected, announce.wait).filter(|wait| v.heard_wait.is_none_or(|heard| *wait <= heard));
        let sooner = wait.is_some_and(|wait| v.heard_wait.is_none_or(|heard| wait < heard));
        let nearer = announce.position && v.heard.is_none_or(|heard| position < heard);
        if nearer || sooner {
            v.heard = Some(position);
            v.heard_wait = wait.or(v.heard_wait);
            turn.say(Output::Announce { visit: v.id, position, waited: turn.now.since(v.entered), wait, expected });
        }
    }
}

/// The expected wait as it is said: its P90, rounded up to the minute.
fn said(expected: Option<crate::Expected>, wanted: bool) -> Option<Duration> {
    let p90 = expected.filter(|_| wanted)?.p90;
    let minutes = p90.as_secs().div_ceil(60) + u64::from(p90.subsec_nanos() > 0 && p90.as_secs() % 60 == 0);
    Some(Duration::from_secs(minutes.max(1) * 60))
}
