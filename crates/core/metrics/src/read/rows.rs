//! One row of figures from the sums of its window.

use crate::figures::{AgentFigures, Callbacks, ExpectedWait, OfPolicy, Recordings, Supervision, Transfers, Visits};
use crate::formula::Formula;
use crate::interval::{AgentSums, Interval, PolicySums, QueueSums};
use crate::live::{LiveAgent, Moment};
use crate::sums::{CallbackSums, ExpectedSums, SupervisionSums, TransferSums};
use base::{AgentId, AgentState};
use std::collections::BTreeMap;

impl QueueSums {
    /// One row of figures of these sums alone; `waiting` visits are in line still.
    pub fn figures(&self, waiting: u64, formula: Formula) -> Visits {
        visits(self, waiting, formula)
    }
}

impl AgentSums {
    /// Milliseconds in conversation and wrap-up.
    pub fn busy_ms(&self) -> u64 {
        [AgentState::Talking, AgentState::Holding, AgentState::WrapUp].into_iter().map(|state| self.state_ms(state)).sum()
    }

    /// Busy / (busy + available).
    pub fn occupancy(&self) -> Option<f64> {
        let busy = self.busy_ms();
        share(busy, busy + self.state_ms(AgentState::Available))
    }
}

pub(super) fn visits(q: &QueueSums, waiting: u64, formula: Formula) -> Visits {
    Visits {
        offered: q.offered,
        answered: q.answered,
        abandoned: q.abandoned,
        other_exits: q.overflowed + q.timeout + q.no_agents + q.key_exit + q.callback + q.voicemail + q.system,
        waiting,
        short_abandons: q.short_abandons,
        abandoned_ringing: q.abandoned_ringing,
        overflowed: q.overflowed,
        timeout: q.timeout,
        no_agents: q.no_agents,
        key_exit: q.key_exit,
        callback: q.callback,
        voicemail: q.voicemail,
        system: q.system,
        refused: q.refused,
        refused_closed: q.refused_closed,
        refused_dissuaded: q.refused_dissuaded,
        service_level: formula.share(q),
        service_level_formula: formula.to_string(),
        answered_in_time: q.answered_in_time,
        abandoned_in_time: q.abandoned_in_time,
        asa_ms: mean(q.answered_wait_ms, q.answered),
        time_to_abandon_ms: mean(q.abandoned_wait_ms, q.abandoned),
        wait_p50_ms: q.waits.percentile(0.5),
        wait_p90_ms: q.waits.percentile(0.9),
        wait_p99_ms: q.waits.percentile(0.99),
        longest_waited_ms: q.longest_wait_ms,
        waiting_ms: q.waiting_ms,
        abandonment_rate: share(q.abandoned, q.offered),
        abandonment_rate_without_short: share(q.abandoned - q.short_abandons, q.offered - q.short_abandons.min(q.offered)),
        handled: q.handled,
        aht_ms: mean(q.talk_ms + q.hold_ms + q.wrap_ms, q.handled),
        talk_ms: q.talk_ms,
        hold_ms: q.hold_ms,
        wrap_ms: q.wrap_ms,
        consult_ms: q.consult_ms,
        conferences: q.conferences,
        voicemails_left: q.voicemails_left,
        offers: q.offers,
        rona: q.rona,
    }
}

pub(super) fn callbacks(c: &CallbackSums, waiting: u64) -> Callbacks {
    Callbacks {
        requested: c.requested,
        waiting,
        connected: c.connected,
        failed: c.failed,
        joined: c.joined,
        cancelled: c.cancelled,
        attempts: c.attempts,
        places: c.places,
        mean_wait_ms: mean(c.connected_wait_ms, c.connected),
    }
}

pub(super) fn transfers(t: &TransferSums, handled: u64) -> Transfers {
    Transfers {
        blind: t.blind,
        attended: t.attended,
        to_queue: t.to_queue,
        external: t.external,
        rate: share(t.blind + t.attended + t.to_queue + t.external, handled),
    }
}

pub(super) fn expected_wait(e: &ExpectedSums) -> ExpectedWait {
    let n = e.visits;
    // Of no more than the largest error, so that it fits.
    let rms = |squares: u128| u64::try_from((squares / u128::from(n)).isqrt()).unwrap_or(u64::MAX);
    ExpectedWait {
        visits: n,
        p50_coverage: share(e.within_p50, n),
        p90_coverage: share(e.within_p90, n),
        mean_error_ms: i64::try_from(n).ok().filter(|n| *n > 0).map(|n| (2 * e.error_ms + n).div_euclid(2 * n)),
        rms_error_ms: (n > 0).then(|| rms(e.squares)),
    }
}

pub(super) fn supervision(s: &SupervisionSums) -> Supervision {
    Supervision { acts: s.acts, monitors: s.monitors, monitored_ms: s.monitored_ms }
}

pub(super) fn agent_figures(id: &AgentId, live: &LiveAgent, sums: Option<&AgentSums>, now: &Moment) -> AgentFigures {
    use AgentState::*;
    let none = AgentSums::default();
    let sums = sums.unwrap_or(&none);
    let ms = |state| sums.state_ms(state);
    let logged_in = sums.states.values().sum();
    AgentFigures {
        agent: id.clone(),
        state: live.state,
        since: live.since.now.wall.to_string(),
        in_state_ms: live.since.ms_until(now),
        cause: live.cause,
        reason: live.reason.clone(),
        queues: live.queues.clone(),
        queue: live.queue.clone(),
        call: live.call,
        calls: sums.calls,
        handled: sums.handled,
        offers: sums.offers,
        rona: sums.rona,
        aht_ms: mean(sums.handle_ms, sums.handled),
        transfers: transfers(&sums.transfers, sums.handled),
        dispositions: sums.dispositions.clone(),
        outgoing: sums.outgoing,
        internal: sums.internal,
        outgoing_talk_ms: sums.outgoing_talk_ms,
        internal_talk_ms: sums.internal_talk_ms,
        available_ms: ms(Available),
        reserved_ms: ms(Reserved),
        ringing_ms: ms(Ringing),
        talk_ms: ms(Talking),
        hold_ms: ms(Holding),
        wrap_ms: ms(WrapUp),
        engaged_ms: ms(Engaged),
        paused_ms: ms(Paused),
        unreachable_ms: ms(Unreachable),
        logged_in_ms: logged_in,
        occupancy: sums.occupancy(),
        utilisation: share(sums.busy_ms(), logged_in),
    }
}

/// A recording is closed within a minute of its conversation's end, or given up on; half as much again is for the log.
pub(super) const CLOSED_WITHIN_MS: u64 = 90_000;

/// What is in progress of recordings.
pub(super) struct OpenRecordings {
    pub open: u64,
    /// Of those, conversations that ended longer ago than a recording may take to be closed.
    pub missing: u64,
    pub alarms: u64,
}

pub(super) fn recordings(sums: &Interval, open: &OpenRecordings) -> Recordings {
    let r = &sums.recordings;
    let settled = r.complete + r.partial + r.failed;
    let conversations = r.expected + r.excluded.values().sum::<u64>();
    Recordings {
        expected: r.expected,
        complete: r.complete,
        partial: r.partial,
        failed: r.failed,
        open: open.open,
        missing: open.missing,
        excluded: r.excluded.clone(),
        by_policy: r.policies.iter().map(|(policy, sums)| (policy.clone(), of_policy(sums))).collect(),
        accounted: share(conversations.saturating_sub(open.missing), conversations),
        coverage: share(r.complete, settled),
        alarms: r.alarms,
        alarms_now: open.alarms,
    }
}

fn of_policy(sums: &PolicySums) -> OfPolicy {
    let settled = sums.complete + sums.partial + sums.failed;
    OfPolicy {
        expected: sums.expected,
        complete: sums.complete,
        partial: sums.partial,
        failed: sums.failed,
        open: sums.expected.saturating_sub(settled),
        excluded: sums.excluded.clone(),
        coverage: share(sums.complete, settled),
    }
}

pub(super) fn by_state<'a>(agents: impl Iterator<Item = &'a LiveAgent>) -> BTreeMap<AgentState, u64> {
    let mut counts = BTreeMap::new();
    agents.for_each(|a| *counts.entry(a.state).or_insert(0) += 1);
    counts
}

pub(super) fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// Rounded to the nearest millisecond.
fn mean(sum: u64, n: u64) -> Option<u64> {
    (n > 0).then(|| (sum + n / 2) / n)
}
