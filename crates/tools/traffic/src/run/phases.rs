//! How a run goes on and comes to its end, and what is told of it.

use super::{GRACE, Phase, Who, World};
use crate::people::Event;
use crate::register::Registration;
use crate::report::{CallReport, Outcome, Progress, Report};
use crate::streams::Percentiles;
use std::time::{Duration, Instant};

/// So many hang up at the same moment when the run ends, and then one each.
const AT_ONCE: usize = 20;
const EACH: Duration = Duration::from_millis(5);

impl Phase {
    /// When [`World::advance`] is wanted, after `now`: a loop that only waits for people to leave must not turn without
    /// rest, or it takes the time of the thread that sends their sound.
    pub(super) fn due(self, now: Instant, next_call: Instant) -> Instant {
        match self {
            Phase::Calling => next_call,
            Phase::Draining { until } => until,
            Phase::Leaving { since, .. } => {
                let steps = now.saturating_duration_since(since).as_millis() / EACH.as_millis() + 1;
                since + EACH * u32::try_from(steps).unwrap_or(u32::MAX)
            }
        }
    }
}

impl World<'_> {
    /// Moves through the phases and places the calls that are due; true when everything is over.
    pub(super) fn advance(&mut self, now: Instant, stop: bool) -> bool {
        match self.phase {
            Phase::Calling => {
                let over = self.opened.is_some_and(|at| now >= at + Duration::from_millis(self.plan.duration_ms));
                let enough = self.plan.callers.at_most.is_some_and(|most| self.started >= u64::from(most));
                if over || stop || (enough && self.callers.is_empty()) {
                    // That everybody then hangs up at once is no part of the load.
                    self.plane.enough();
                    self.report.late_calls = self.late.percentiles();
                    self.phase = Phase::Draining { until: now + Duration::from_millis(self.plan.drain_ms) };
                } else {
                    self.place_calls(now);
                    self.place_own_calls(now);
                }
                false
            }
            Phase::Draining { until } => {
                if now >= until || (self.callers.is_empty() && self.own.is_empty() && self.promised.is_empty()) {
                    self.phase = Phase::Leaving { since: now, told: 0 };
                }
                false
            }
            Phase::Leaving { since, told } => {
                // As many as one can hang up in time: a hundred are gone within half a second.
                let may = AT_ONCE + (now.saturating_duration_since(since).as_millis() / EACH.as_millis()) as usize;
                let some = self.stop_some(may.saturating_sub(told));
                self.phase = Phase::Leaving { since, told: told + some };
                if now >= since + GRACE && self.callers.is_empty() {
                    self.stop_agents();
                }
                let empty = self.callers.is_empty() && self.calls.is_empty() && self.own.is_empty() && self.called.is_empty();
                empty || now >= since + 4 * GRACE
            }
        }
    }

    /// How many of those who have not been told yet hang up now.
    fn stop_some(&mut self, most: usize) -> usize {
        let callers = self.callers.iter().filter(|(_, p)| !p.machine.is_leaving()).map(|(id, _)| Who::Caller(*id));
        let own = self.own.iter().filter(|(_, (_, p))| !p.machine.is_leaving()).map(|(id, _)| Who::Own(*id));
        let called = self.called.iter().filter(|(_, p)| !p.machine.is_leaving()).map(|(id, _)| Who::Outside(*id));
        let some: Vec<Who> = callers.chain(own).chain(called).take(most).collect();
        some.iter().for_each(|who| self.happen(*who, Event::Stop));
        some.len()
    }

    fn stop_agents(&mut self) {
        for who in self.calls.keys().map(|id| Who::Agent(*id)).collect::<Vec<_>>() {
            self.happen(who, Event::Stop);
        }
    }

    pub(super) fn progress(&self, now: Instant) -> Progress {
        let registered = self.agents.iter().filter(|a| a.registration.as_ref().is_some_and(Registration::is_registered));
        Progress {
            elapsed_ms: now.saturating_duration_since(self.start).as_millis() as u64,
            started: self.started,
            live: self.callers.len() as u64,
            talking: self.callers.values().filter(|p| p.machine.is_talking()).count() as u64,
            over: self.report.calls.len() as u64,
            registered: registered.count() as u64,
        }
    }

    /// Phones leave, the thread ends, and who is still there is counted as lost.
    pub(super) fn finish(mut self) -> Report {
        let now = Instant::now();
        for phone in &mut self.agents {
            if let Some(registration) = phone.registration.as_mut().filter(|r| r.is_registered()) {
                let bytes = registration.leave(now);
                self.phones.send(&bytes);
            }
        }
        for person in std::mem::take(&mut self.callers).into_values() {
            self.report.calls.push(CallReport { outcome: Outcome::Lost, ..person.machine.report });
        }
        let World { plan, plane, trunk, phones, mut report, agents, .. } = self;
        let measured = plane.finish();
        report.lateness = measured.lateness.percentiles();
        report.late_leaving = measured.late_after.percentiles();
        report.delay = measured.delay.percentiles();
        report.pacing = if plan.load.stamped { measured.pacing.percentiles() } else { Percentiles::default() };
        report.unsent = measured.unsent;
        report.retransmissions = trunk.resent() + phones.resent();
        report.agents = agents.into_iter().map(|a| a.report).collect();
        report.own_calls.sort_by_key(|c| c.start_ms);
        report.called.sort_by_key(|c| c.start_ms);
        report.calls.sort_by_key(|c| c.start_ms);
        report.conversations.sort_by_key(|c| c.start_ms);
        report
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_waits_for_people_to_leave_sleeps_until_the_next_may() {
        let since = Instant::now();
        let past = since.checked_sub(Duration::from_secs(1)).unwrap_or(since);
        let leaving = Phase::Leaving { since, told: 400 };
        for ms in [0, 4, 5, 7, 3_000] {
            let now = since + Duration::from_millis(ms);
            let due = leaving.due(now, past);
            assert!(due > now && due <= now + EACH, "the last call was due long ago, and nothing is due with it");
        }
        let until = since + Duration::from_secs(3);
        assert_eq!(Phase::Draining { until }.due(since, past), until);
        assert_eq!(Phase::Calling.due(since, until), until);
    }
}
