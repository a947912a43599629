//! Reading the board: a window of whole intervals, and what is in progress, as [`Figures`].

mod rows;

use crate::board::{Board, state_slices};
use crate::figures::{Calls, Figures, QueueFigures, Totals};
use crate::formula::Formula;
use crate::interval::{CallSums, Interval, QueueSums, bucket_of, bucket_start};
use crate::live::{LiveConversation, Moment};
use base::{AgentState, Now, QueueId, Wall};
use rows::{
    CLOSED_WITHIN_MS, OpenRecordings, agent_figures, by_state, callbacks, expected_wait, recordings, share, supervision,
    transfers, visits,
};
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
        let open = self.open_recordings(&now, first, end);
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
            recordings: recordings(&sums, &open),
            supervision: supervision(&sums.supervision),
            quality: sums.quality.figures(),
        }
    }

    fn open_recordings(&self, now: &Moment, first: i64, end: i64) -> OpenRecordings {
        let open = self.conversations.values().filter(|c| c.owes && (first..end).contains(&c.bucket));
        let late = |c: &&LiveConversation| c.ended.is_some_and(|ended| ended.ms_until(now) > CLOSED_WITHIN_MS);
        let missing = open.clone().filter(late).count() as u64;
        OpenRecordings { open: open.count() as u64, missing, alarms: self.alarms.len() as u64 }
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

    /// Visits still waiting, callbacks still to come and agents' states still lasting count up to now.
    fn add_what_is_in_progress(&self, sums: &mut Interval, now: &Moment, first: i64, end: i64) -> BTreeMap<QueueId, Waiting> {
        let within = |bucket: i64| (first..end).contains(&bucket);
        let mut live: BTreeMap<QueueId, Waiting> = self.queues.iter().map(|q| (q.clone(), Waiting::default())).collect();
        for visit in self.visits.values() {
            let waited = visit.entered.ms_until(now);
            let queue = live.entry(visit.queue.clone()).or_default();
            queue.now += 1;
            let of_queue = sums.queues.entry(visit.queue.clone()).or_default();
            if !visit.callback {
                queue.longest_ms = queue.longest_ms.max(waited);
                if within(bucket_of(visit.entered.now.wall)) {
                    queue.of_window += 1;
                    of_queue.longest_wait_ms = of_queue.longest_wait_ms.max(waited);
                }
            }
            of_queue.waiting_ms += visit.entered.slices(now).iter().filter(|(b, _)| within(*b)).map(|(_, ms)| ms).sum::<u64>();
        }
        for callback in self.calls.values().filter_map(|call| call.callback.as_ref()) {
            let queue = live.entry(callback.queue.clone()).or_default();
            queue.callbacks_now += 1;
            queue.callbacks_of_window += u64::from(within(callback.bucket));
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
            callbacks: callbacks(&all.callbacks, live.values().map(|w| w.callbacks_of_window).sum()),
            transfers: transfers(&all.transfers, all.handled),
            expected_wait: expected_wait(&all.expected),
            waiting_now: live.values().map(|w| w.now).sum(),
            callbacks_now: live.values().map(|w| w.callbacks_now).sum(),
            longest_wait_ms: live.values().map(|w| w.longest_ms).max().unwrap_or(0),
            agents_by_state: by_state(self.agents.values()),
            dispositions: all.dispositions,
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
            forwarded: sums.forwarded,
            voicemails_left: sums.voicemails_left,
            live_now: incoming().count() as u64,
            abandonment_rate_incoming: share(sums.hung_up_before_agent, sums.incoming),
        }
    }

    fn queue_figures(&self, id: &QueueId, live: &Waiting, sums: &Interval, view: &View) -> QueueFigures {
        let none = QueueSums::default();
        let formula = view.formulas.get(id).copied().unwrap_or(view.formula);
        let serving = self.agents.values().filter(|a| a.state != AgentState::LoggedOut && a.queues.contains(id));
        let sums = sums.queues.get(id).unwrap_or(&none);
        QueueFigures {
            queue: id.clone(),
            waiting_now: live.now,
            callbacks_now: live.callbacks_now,
            longest_wait_ms: live.longest_ms,
            agents_by_state: by_state(serving),
            callbacks: callbacks(&sums.callbacks, live.callbacks_of_window),
            transfers: transfers(&sums.transfers, sums.handled),
            expected_wait: expected_wait(&sums.expected),
            dispositions: sums.dispositions.clone(),
            visits: visits(sums, live.of_window, formula),
        }
    }
}

#[derive(Default)]
struct Waiting {
    /// On the line or for a callback.
    now: u64,
    longest_ms: u64,
    /// On the line, and entered within the window.
    of_window: u64,
    callbacks_now: u64,
    /// Of those, requested within the window.
    callbacks_of_window: u64,
}
