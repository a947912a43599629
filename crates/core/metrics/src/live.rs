//! What is in progress, and spans of time cut at the boundaries of intervals.

use crate::interval::{bucket_of, bucket_start};
use base::fact::{CallbackEnd, Direction, Kept, Transfer};
use base::{AgentId, AgentState, CallId, Cause, Lang, Now, Outcome, QueueId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A moment with the boot whose monotonic clock it can be compared on; none for a moment of unknown boot, such as
/// the end that a new epoch gives to what the dead one left open.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Moment {
    pub boot: Option<u32>,
    pub now: Now,
}

impl Moment {
    /// Whole milliseconds from here to `to`: monotonic within a boot, by the wall across a restart. Both ends are cut
    /// to milliseconds first, so that adjoining spans add up exactly.
    pub fn ms_until(&self, to: &Moment) -> u64 {
        if self.boot.is_some() && self.boot == to.boot {
            return (to.now.mono.0 / 1_000_000).saturating_sub(self.now.mono.0 / 1_000_000);
        }
        u64::try_from(to.now.wall.0.div_euclid(1000).saturating_sub(self.now.wall.0.div_euclid(1000))).unwrap_or(0)
    }

    /// The span up to `to`, cut at each boundary: interval and milliseconds. They add up to [`Self::ms_until`].
    pub fn slices(&self, to: &Moment) -> Vec<(i64, u64)> {
        const LONGEST_MS: u64 = 400 * 86_400_000;
        let total = self.ms_until(to);
        if total > LONGEST_MS {
            return vec![(bucket_of(to.now.wall), total)];
        }
        let (mut bucket, mut done, mut cut) = (bucket_of(self.now.wall), 0, Vec::new());
        while done < total {
            let boundary = bucket_start(bucket + 1).0.div_euclid(1000).saturating_sub(self.now.wall.0.div_euclid(1000));
            let upto = u64::try_from(boundary).unwrap_or(0).clamp(done, total);
            cut.push((bucket, upto - done));
            (done, bucket) = (upto, bucket + 1);
        }
        cut
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct LiveCall {
    pub direction: Direction,
    /// The interval it arrived in.
    pub bucket: i64,
    pub lang: Option<Lang>,
    pub queued: bool,
    pub reached_agent: bool,
    /// The end of its last try to reach an agent.
    pub last_try: Option<Try>,
    /// The queue it entered last.
    pub queue: Option<QueueId>,
    pub callback: Option<LiveCallback>,
    /// With somebody outside the centre.
    pub forwarded: bool,
}

/// A callback that was requested and is not done: where it counts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct LiveCallback {
    pub queue: QueueId,
    /// The interval of the request.
    pub bucket: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Try {
    Visit(Outcome),
    Refused,
    Callback(CallbackEnd),
}

impl LiveCall {
    pub fn new(direction: Direction, bucket: i64) -> LiveCall {
        LiveCall {
            direction,
            bucket,
            lang: None,
            queued: false,
            reached_agent: false,
            last_try: None,
            queue: None,
            callback: None,
            forwarded: false,
        }
    }

    /// Nobody is on the line: its visits keep a place for the callback.
    pub fn awaits_callback(&self) -> bool {
        self.callback.is_some() || self.last_try == Some(Try::Visit(Outcome::Callback))
    }

    /// It asked for an agent and got none; a caller who chose another way out (key, callback, voicemail) is not lost.
    pub fn is_lost(&self, cause: Option<Cause>) -> bool {
        use Outcome::*;
        if self.reached_agent || self.forwarded {
            return false;
        }
        match self.last_try {
            Some(Try::Refused) => true,
            Some(Try::Visit(outcome)) => matches!(outcome, Abandoned | Overflowed | Timeout | NoAgents | System),
            Some(Try::Callback(end)) => matches!(end, CallbackEnd::Failed | CallbackEnd::Cancelled),
            None => matches!(cause, Some(c) if turned_away(c)),
        }
    }
}

/// Causes by which the centre, not the caller, ends a call that would have asked for an agent.
fn turned_away(cause: Cause) -> bool {
    use Cause::*;
    matches!(cause, NoAgents | Closed | QueueFull | Dissuaded | ChannelLimit | NoPorts | Draining | Overloaded)
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct LiveVisit {
    pub queue: QueueId,
    pub entered: Moment,
    /// The place of a callback: in the queue's length, in no other figure of visits.
    pub callback: bool,
    /// P50 and P90 of the wait, as the estimator said.
    pub expected: Option<(u64, u64)>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct LiveAgent {
    pub state: AgentState,
    pub since: Moment,
    pub cause: Option<Cause>,
    pub reason: Option<String>,
    pub queues: Vec<QueueId>,
    pub queue: Option<QueueId>,
    pub call: Option<CallId>,
    pub handled: Option<Handled>,
}

/// The end of an agent's last conversation: its wrap-up and its disposition belong there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Handled {
    pub call: CallId,
    pub wrapped: bool,
    pub bucket: i64,
    pub queue: Option<QueueId>,
    pub code: Option<String>,
}

/// A conversation until its recording is settled.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct LiveConversation {
    pub bucket: i64,
    pub agent: Option<AgentId>,
    pub queue: Option<QueueId>,
    /// Of an agent's own call: outgoing or internal.
    pub own: Option<Direction>,
    pub ended: Option<Moment>,
    pub transferred: Option<Transfer>,
    pub conferenced: bool,
    pub code: Option<String>,
    /// It owes a recording: of a customer's call always, of an agent's own once there is one.
    pub owes: bool,
    pub excluded: bool,
    /// Which policy decided that, if it was told.
    pub policy: Option<String>,
    /// Parts of its recording; `None` runs.
    pub parts: BTreeMap<u16, Option<Kept>>,
}

impl LiveConversation {
    /// Complete if each part is, failed if each part is, else partial. `None` while a part runs or none began.
    pub fn kept(&self) -> Option<Kept> {
        if self.parts.is_empty() || self.parts.values().any(Option::is_none) {
            return None;
        }
        let all = |kept| self.parts.values().all(|p| *p == Some(kept));
        Some(if all(Kept::Complete) {
            Kept::Complete
        } else if all(Kept::Failed) {
            Kept::Failed
        } else {
            Kept::Partial
        })
    }
}
