//! Reading the board: a window of whole intervals, and what is in progress, as [`Figures`].

use crate::board::{Board, state_slices};
use crate::figures::{AgentFigures, Calls, Figures, QueueFigures, Recordings, Totals, Visits};
use crate::formula::Formula;
use crate::interval::{AgentSums, CallSums, Interval, QueueSums, bucket_of, bucket_start};
use crate::live::{LiveAgent, Moment};
use base::{AgentId, AgentState, Now, QueueId, Wall};
use std::collections::BTreeMap;

/// What is asked of the board.
#[derive(Clone, Debug)]
pub struct View {
    pub now: Now,
    /// Both are cut down to a quarter hour; `to` itself is outside.
    pub from: Wall,
    pub to: Wall,
    /// The formula of the totals, and of each queue that has none of its own.
    pub formula: Formula,
    pub formulas: BTreeMap<QueueId, Formula>,
}

impl View {
    pub fn new(now: Now, from: Wall, to: Wall) -> Self {
        View { now, from, to, formula: Formula::default(), formulas: BTreeMap::new() }
    }
}

impl Board {
    /// The figures at `view.now`, a reading of the clocks not before the last fact, by the clock of the running epoch.
    pub fn figures(&self, view: &View) -> Figures {
        let (first, end) = (bucket_of(view.from), bucket_of(view.to));
        let mut sums = self.merged(first, end);
        let now = Moment { boot: self.boot, now: view.now };
        let live = self.add_what_is_in_progress(&mut sums, &now, first, end);
        Figures {
            at: view.now.wall.to_string(),
            from: bucket_start(first).to_string(),
            to: bucket_start(end).to_string(),
            epoch: self.mark.epoch,
            seq: self.mark.seq,
            events: self.events,
            invariant_breaches: self.breaches,
            totals: self.totals(&sums, &live, view),
            queues: live.iter().map(|(id, l)| self.queue_figures(id, l, &sums, view)).collect(),
            agents: self.agents.iter().map(|(id, a)| agent_figures(id, a, sums.agents.get(id), &now)).collect(),
            languages: sums.languages.clone(),
            recordings: recordings(&sums, self.conversations.values().filter(|c| (first..end).contains(&c.bucket)).count()),
        }
    }

    /// The sums of one stored interval, for history and charts.
    pub fn intervals(&self, from: Wall, to: Wall) -> impl Iterator<Item = (Wall, &Interval)> {
        self.intervals.range(bucket_of(from)..bucket_of(to).max(bucket_of(from))).map(|(b, i)| (bucket_start(*b), i))
    }

    /// Whether a figure grows by itself: someone waits, or an agent is logged in.
    pub fn is_moving(&self) -> bool {
        !self.visits.is_empty() || self.agents.values().any(|a| a.state != AgentState::LoggedOut)
    }

    fn merged(&self, first: i64, end: i64) -> Interval {
        let mut sums = Interval::default();
        self.intervals.range(first..end.max(first)).for_each(|(_, i)| sums.merge(i));
        sums
    }

    /// Visits still waiting and agents' states still lasting count up to now.
    fn add_what_is_in_progress(&self, sums: &mut Interval, now: &Moment, first: i64, end: i64) -> BTreeMap<QueueId, Waiting> {
        let within = |bucket: i64| (first..end).contains(&bucket);
        let mut live: BTreeMap<QueueId, Waiting> = self.queues.iter().map(|q| (q.clone(), Waiting::default())).collect();
        for visit in self.visits.values() {
            let waited = visit.entered.ms_until(now);
            let queue = live.entry(visit.queue.clone()).or_default();
            queue.now += 1;
            queue.longest_ms = queue.longest_ms.max(waited);
            let of_queue = sums.queues.entry(visit.queue.clone()).or_default();
            if within(bucket_of(visit.entered.now.wall)) {
                queue.of_window += 1;
                of_queue.longest_wait_ms = of_queue.longest_wait_ms.max(waited);
            }
            of_queue.waiting_ms += visit.entered.slices(now).iter().filter(|(b, _)| within(*b)).map(|(_, ms)| ms).sum::<u64>();
        }
        for (id, agent) in &self.agents {
            let lasted: u64 =
                state_slices(agent.state, &agent.since, now).iter().filter(|(b, _)| within(*b)).map(|(_, ms)| ms).sum();
            if lasted > 0 {
                *sums.agents.entry(id.clone()).or_default().states.entry(agent.state).or_insert(0) += lasted;
            }
        }
        live
    }

    fn totals(&self, sums: &Interval, live: &BTreeMap<QueueId, Waiting>, view: &View) -> Totals {
        let mut all = QueueSums::default();
        live.keys().filter_map(|q| sums.queues.get(q)).for_each(|q| all.merge(q));
        let of_window = live.values().map(|w| w.of_window).sum();
        Totals {
            calls: self.calls(&sums.calls, bucket_of(view.from), bucket_of(view.to)),
            visits: visits(&all, of_window, view.formula),
            waiting_now: live.values().map(|w| w.now).sum(),
            longest_wait_ms: live.values().map(|w| w.longest_ms).max().unwrap_or(0),
            agents_by_state: by_state(self.agents.values()),
        }
    }

    fn calls(&self, sums: &CallSums, first: i64, end: i64) -> Calls {
        let incoming = || self.calls.values().filter(|c| c.direction == base::fact::Direction::Incoming);
        Calls {
            incoming: sums.incoming,
            rejected: sums.rejected,
            ivr_abandoned: sums.ivr_abandoned,
            ivr_ended: sums.ivr_ended,
            queued: sums.queued,
            in_ivr: incoming().filter(|c| !c.queued && (first..end).contains(&c.bucket)).count() as u64,
            reached_agent: sums.reached_agent,
            lost: sums.lost,
            live_now: incoming().count() as u64,
            abandonment_rate_incoming: share(sums.hung_up_before_agent, sums.incoming),
        }
    }

    fn queue_figures(&self, id: &QueueId, live: &Waiting, sums: &Interval, view: &View) -> QueueFigures {
        let none = QueueSums::default();
        let formula = view.formulas.get(id).copied().unwrap_or(view.formula);
        let serving = self.agents.values().filter(|a| a.state != AgentState::LoggedOut && a.queues.contains(id));
        QueueFigures {
            queue: id.clone(),
            waiting_now: live.now,
            longest_wait_ms: live.longest_ms,
            agents_by_state: by_state(serving),
            visits: visits(sums.queues.get(id).unwrap_or(&none), live.of_window, formula),
        }
    }
}

#[derive(Default)]
struct Waiting {
    now: u64,
    longest_ms: u64,
    /// Of those, who entered within the window.
    of_window: u64,
}

fn visits(q: &QueueSums, waiting: u64, formula: Formula) -> Visits {
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
        offers: q.offers,
        rona: q.rona,
    }
}

fn agent_figures(id: &AgentId, live: &LiveAgent, sums: Option<&AgentSums>, now: &Moment) -> AgentFigures {
    use AgentState::*;
    let none = AgentSums::default();
    let sums = sums.unwrap_or(&none);
    let ms = |state| sums.state_ms(state);
    let (busy, logged_in) = (ms(Talking) + ms(Holding) + ms(WrapUp), sums.states.values().sum());
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
        occupancy: share(busy, busy + ms(Available)),
        utilisation: share(busy, logged_in),
    }
}

fn recordings(sums: &Interval, open: usize) -> Recordings {
    let r = &sums.recordings;
    let settled = r.complete + r.partial + r.failed;
    Recordings {
        expected: r.expected,
        complete: r.complete,
        partial: r.partial,
        failed: r.failed,
        open: open as u64,
        coverage: share(r.complete, settled),
    }
}

fn by_state<'a>(agents: impl Iterator<Item = &'a LiveAgent>) -> BTreeMap<AgentState, u64> {
    let mut counts = BTreeMap::new();
    agents.for_each(|a| *counts.entry(a.state).or_insert(0) += 1);
    counts
}

fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// Rounded to the nearest millisecond.
fn mean(sum: u64, n: u64) -> Option<u64> {
    (n > 0).then(|| (sum + n / 2) / n)
}
