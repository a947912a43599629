//! The timers of RFC 3261 table 4 and one queue for all that waits in the endpoint.

use crate::SessionId;
use base::Instant;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// Estimate of the round trip (RFC 3261 17.1.1.1).
pub(crate) const T1: Duration = Duration::from_millis(500);
/// Longest interval between retransmissions.
pub(crate) const T2: Duration = Duration::from_secs(4);
/// How long a message can stay in the network.
pub(crate) const T4: Duration = Duration::from_secs(5);
/// 64*T1: the patience behind timers B, F, H, J, L and M.
pub(crate) const PATIENCE: Duration = Duration::from_secs(32);
/// Timer D on an unreliable transport: "at least 32 seconds" (RFC 3261 17.1.1.2).
pub(crate) const D: Duration = Duration::from_secs(32);

/// A transaction's timer, by its letter in RFC 3261 table 4 and RFC 6026.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Timer {
    A,
    B,
    D,
    E,
    F,
    G,
    H,
    I,
    J,
    K,
    L,
    M,
}

/// A session's timer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Wait {
    /// The next retransmission of our 2xx (RFC 3261 13.3.1.4).
    RepeatAnswer,
    /// No ACK to our 2xx within 64*T1.
    Acknowledge,
    /// A provisional again each minute, so that proxies keep the INVITE alive (RFC 3261 13.3.1.1).
    RepeatRinging,
    /// The next retransmission of a provisional that must arrive (RFC 3262 3).
    RepeatReliable,
    /// No PRACK to it within 64*T1.
    Prack,
    /// Nothing at all came back to our INVITE.
    Provisional,
    /// A cancelled INVITE got no final response within 64*T1 (RFC 3261 9.1).
    Cancelled,
    /// After a 491 (RFC 3261 14.1).
    Glare,
    /// Our turn to refresh the session timer (RFC 4028 10).
    Refresh,
    /// Nobody refreshed it.
    Expiry,
    /// The end of a REFER's implicit subscription (RFC 3515 2.4.4).
    Subscription,
}

/// Whose time has come.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Alarm {
    Transaction(u64, Timer),
    Session(SessionId, Wait),
    /// The first binding of a user's that ends.
    Binding(Arc<str>),
    /// Keep-alive towards a user's bindings behind NAT.
    KeepAlive(Arc<str>),
    /// Nonces and wrong tries that are old enough to forget.
    Forget,
}

/// Alarms in the order they fall due. An alarm is armed at most once: arming again moves it.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    queue: BTreeSet<(Instant, Alarm)>,
    armed: BTreeMap<Alarm, Instant>,
}

impl Timers {
    pub fn arm(&mut self, alarm: Alarm, at: Instant) {
        if let Some(before) = self.armed.insert(alarm.clone(), at) {
            self.queue.remove(&(before, alarm.clone()));
        }
        self.queue.insert((at, alarm));
    }

    pub fn disarm(&mut self, alarm: &Alarm) {
        if let Some(at) = self.armed.remove(alarm) {
            self.queue.remove(&(at, alarm.clone()));
        }
    }

    pub fn is_armed(&self, alarm: &Alarm) -> bool {
        self.armed.contains_key(alarm)
    }

    pub fn deadline(&self) -> Option<Instant> {
        self.queue.first().map(|(at, _)| *at)
    }

    /// The next alarm that is due, disarmed.
    pub fn pop(&mut self, now: Instant) -> Option<Alarm> {
        if self.deadline()? > now {
            return None;
        }
        let (_, alarm) = self.queue.pop_first()?;
        self.armed.remove(&alarm);
        Some(alarm)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arming_again_moves_an_alarm_and_disarming_leaves_nothing() {
        let mut timers = Timers::default();
        let (a, b) = (Alarm::Transaction(1, Timer::A), Alarm::Forget);
        timers.arm(a.clone(), Instant(10));
        timers.arm(b.clone(), Instant(20));
        timers.arm(a.clone(), Instant(30));
        assert_eq!(timers.deadline(), Some(Instant(20)));
        assert_eq!(timers.pop(Instant(19)), None);
        assert_eq!(timers.pop(Instant(30)), Some(b));
        timers.disarm(&a);
        assert_eq!((timers.deadline(), timers.armed.len()), (None, 0));
    }
}
