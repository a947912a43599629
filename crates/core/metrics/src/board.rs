//! The fold. One `on_*` function per kind of fact; what it counts where is said in `definitions.rs`.

use crate::interval::{Interval, QueueSums, bucket_of};
use crate::live::{LiveAgent, LiveCall, LiveConversation, LiveVisit, Moment, Try};
use base::fact::{About, Direction, Kept, Logged, What};
use base::{AgentId, AgentState, CallId, Cause, ConversationId, Lang, Outcome, QueueId, RecordingId, VisitId};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Intervals kept: any zone's today and yesterday. Older days are read from the log again.
const KEPT: i64 = 3 * 96;

/// The form of a checkpoint: raise it with any change to what [`Board`] holds, or to what a fact adds to it.
const FORM: u32 = 2;

/// The last fact folded: epoch and seq.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Mark {
    pub epoch: u32,
    pub seq: u64,
}

/// What became of a fact handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Folded {
    Counted,
    /// At or below the mark: counted before.
    Known,
    /// Facts are missing before it; nothing changed. The caller fetches again, after the mark.
    Gap(Mark),
}

/// Counters and what is in progress.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Board {
    pub(crate) mark: Mark,
    pub(crate) events: u64,
    pub(crate) breaches: u64,
    /// The epoch whose node has started: its facts before that close the dead epoch, at a time of that one's clock.
    pub(crate) boot: Option<u32>,
    /// Intervals before this one are forgotten.
    floor: Option<i64>,
    pub(crate) queues: BTreeSet<QueueId>,
    pub(crate) intervals: BTreeMap<i64, Interval>,
    pub(crate) calls: BTreeMap<CallId, LiveCall>,
    pub(crate) visits: BTreeMap<VisitId, LiveVisit>,
    pub(crate) conversations: BTreeMap<ConversationId, LiveConversation>,
    pub(crate) agents: BTreeMap<AgentId, LiveAgent>,
}

impl Board {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn mark(&self) -> Mark {
        self.mark
    }

    /// Folds the next fact. Each counts once, in the log's order: `seq` has no gap within an epoch and starts at 1.
    pub fn apply(&mut self, logged: &Logged) -> Folded {
        let mark = Mark { epoch: logged.epoch, seq: logged.seq };
        if mark <= self.mark {
            return Folded::Known;
        }
        let expected = if mark.epoch == self.mark.epoch { self.mark.seq + 1 } else { 1 };
        if mark.seq != expected {
            return Folded::Gap(self.mark);
        }
        self.mark = mark;
        self.events += 1;
        self.forget_before(bucket_of(logged.time()) - KEPT);
        self.on_fact(logged);
        Folded::Counted
    }

    /// The whole board, for a restart that folds only what came after. No contract: it can always be folded again.
    pub fn checkpoint(&self) -> Vec<u8> {
        // Every value in it has a form in postcard, and a vector takes any length.
        postcard::to_stdvec(&(FORM, self)).unwrap_or_default()
    }

    /// None if it is of another form, or does not read.
    pub fn restore(checkpoint: &[u8]) -> Option<Board> {
        let (form, rest) = postcard::take_from_bytes::<u32>(checkpoint).ok()?;
        if form == FORM { postcard::from_bytes(rest).ok() } else { None }
    }

    fn on_fact(&mut self, logged: &Logged) {
        let about = &logged.fact.about;
        let at = self.moment(logged);
        match &logged.fact.what {
            What::CallArrived { direction, .. } => self.on_arrived(about, *direction, at),
            What::CallRejected { .. } => self.on_call_over(about, true),
            What::CallEnded { .. } => self.on_call_over(about, false),
            What::IvrLanguageSelected {} => self.on_language(about),
            What::QueueEntered { .. } => self.on_entered(about, at),
            What::QueueRefused {} => self.on_refused(about, at),
            What::QueueLeft { outcome, wait_ms, ringing, threshold_ms, short_ms, .. } => {
                let record = |sums: &mut QueueSums| sums.record(*outcome, *wait_ms, *ringing, *threshold_ms, *short_ms);
                self.on_left(about, *outcome, at, record);
            }
            What::OfferSent { .. } => self.on_offer_sent(about, at),
            What::OfferTimedOut { .. } => self.on_rona(about, at),
            What::AgentLegConnected { .. } => self.on_connected(about, at),
            What::AgentLegEnded { talk_ms, hold_ms } => self.on_conversation_ended(about, at, *talk_ms, *hold_ms),
            What::WrapUpEnded { wrapup_ms } => self.on_wrapped_up(about, *wrapup_ms),
            What::AgentLoggedIn { queues } => self.agent(about, at, |agent| agent.queues = queues.clone()),
            What::AgentStateChanged { state, reason, .. } => self.on_agent_state(about, *state, reason.clone(), at),
            What::AgentLoggedOut { .. } => self.on_agent_state(about, AgentState::LoggedOut, None, at),
            What::RecordingStarted { recording } => self.on_part(*recording, None),
            What::RecordingStored { recording, kept, .. } => self.on_part(*recording, Some(*kept)),
            What::RecordingFailed { recording, .. } => self.on_part(*recording, Some(Kept::Failed)),
            What::NodeStarted { queues, .. } => {
                self.boot = Some(logged.epoch);
                self.queues.extend(queues.iter().cloned());
            }
            What::NodeHeartbeat { .. } => self.on_heartbeat(at),
            What::NodeBreach { .. } => self.breaches += 1,
            _ => {}
        }
    }

    fn on_arrived(&mut self, about: &About, direction: Direction, at: Moment) {
        let Some(call) = about.call else { return };
        let bucket = bucket_of(at.now.wall);
        let live = LiveCall { direction, bucket, lang: None, queued: false, reached_agent: false, last_try: None };
        self.calls.insert(call, live);
        if direction == Direction::Incoming {
            self.interval(bucket, |i| i.calls.incoming += 1);
        }
        if about.lang.is_some() {
            self.on_language(about);
        }
    }

    /// The call's last fact.
    fn on_call_over(&mut self, about: &About, rejected: bool) {
        let Some(call) = about.call.and_then(|call| self.calls.remove(&call)) else { return };
        if call.direction != Direction::Incoming {
            return;
        }
        let hung_up = about.cause == Some(Cause::CallerHungUp);
        let abandoned_queue = call.last_try == Some(Try::Visit(Outcome::Abandoned)) && !call.reached_agent;
        self.interval(call.bucket, |i| {
            let sums = &mut i.calls;
            match (rejected, call.queued) {
                // Once queued it is counted as such, whatever ends it.
                (_, true) => {}
                (true, false) => sums.rejected += 1,
                (false, false) if hung_up => sums.ivr_abandoned += 1,
                (false, false) => sums.ivr_ended += 1,
            }
            sums.lost += u64::from(call.is_lost(about.cause));
            sums.hung_up_before_agent += u64::from(abandoned_queue || (!rejected && !call.queued && hung_up));
        });
    }

    fn on_language(&mut self, about: &About) {
        let (Some(call), Some(lang)) = (about.call.and_then(|call| self.calls.get_mut(&call)), about.lang) else { return };
        if call.direction != Direction::Incoming || call.lang == Some(lang) {
            return;
        }
        let (bucket, before) = (call.bucket, call.lang.replace(lang));
        self.interval(bucket, |i| {
            if let Some(before) = before {
                count_down(&mut i.languages, before);
            }
            *i.languages.entry(lang).or_insert(0) += 1;
        });
    }

    fn on_entered(&mut self, about: &About, at: Moment) {
        let (Some(visit), Some(queue)) = (about.visit, &about.queue) else { return };
        self.on_language(about);
        self.queues.insert(queue.clone());
        self.visits.insert(visit, LiveVisit { queue: queue.clone(), entered: at });
        self.queue(bucket_of(at.now.wall), queue, |sums| sums.offered += 1);
        if let Some(call) = self.calls.get_mut(&visit.call)
            && call.direction == Direction::Incoming
            && !call.queued
        {
            call.queued = true;
            let bucket = call.bucket;
            self.interval(bucket, |i| i.calls.queued += 1);
        }
    }

    fn on_refused(&mut self, about: &About, at: Moment) {
        if let Some(call) = about.call.and_then(|call| self.calls.get_mut(&call)) {
            call.last_try = Some(Try::Refused);
        }
        if let Some(queue) = &about.queue {
            self.queues.insert(queue.clone());
            self.queue(bucket_of(at.now.wall), queue, |sums| sums.refused += 1);
        }
    }

    /// Counted where the visit entered; its waiting time in each interval it crossed.
    fn on_left(&mut self, about: &About, outcome: Outcome, at: Moment, record: impl FnOnce(&mut QueueSums)) {
        let Some((id, visit)) = about.visit.and_then(|id| self.visits.remove_entry(&id)) else { return };
        self.queue(bucket_of(visit.entered.now.wall), &visit.queue, record);
        for (bucket, ms) in visit.entered.slices(&at) {
            self.queue(bucket, &visit.queue, |sums| sums.waiting_ms += ms);
        }
        if let Some(call) = self.calls.get_mut(&id.call) {
            call.last_try = Some(Try::Visit(outcome));
        }
        if outcome == Outcome::Answered {
            self.on_agent_reached(id.call);
        }
    }

    fn on_agent_reached(&mut self, call: CallId) {
        let Some(call) = self.calls.get_mut(&call) else { return };
        if call.direction == Direction::Incoming && !call.reached_agent {
            call.reached_agent = true;
            let bucket = call.bucket;
            self.interval(bucket, |i| i.calls.reached_agent += 1);
        }
    }

    fn on_offer_sent(&mut self, about: &About, at: Moment) {
        self.agent(about, at, |agent| {
            agent.call = about.call;
            agent.queue = about.queue.clone();
        });
        let bucket = bucket_of(at.now.wall);
        if let Some(agent) = &about.agent {
            self.interval(bucket, |i| i.agents.entry(agent.clone()).or_default().offers += 1);
        }
        if let Some(queue) = &about.queue {
            self.queue(bucket, queue, |sums| sums.offers += 1);
        }
    }

    fn on_rona(&mut self, about: &About, at: Moment) {
        let bucket = bucket_of(at.now.wall);
        if let Some(agent) = &about.agent {
            self.interval(bucket, |i| i.agents.entry(agent.clone()).or_default().rona += 1);
        }
        if let Some(queue) = &about.queue {
            self.queue(bucket, queue, |sums| sums.rona += 1);
        }
    }

    fn on_connected(&mut self, about: &About, at: Moment) {
        let Some(id) = about.conversation else { return };
        let bucket = bucket_of(at.now.wall);
        self.on_agent_reached(id.call);
        self.agent(about, at, |agent| {
            agent.call = Some(id.call);
            agent.queue = about.queue.clone().or(agent.queue.take());
        });
        let queue = about.agent.as_ref().and_then(|a| self.agents.get(a)).and_then(|a| a.queue.clone());
        let live = LiveConversation { bucket, agent: about.agent.clone(), queue, ended: false, parts: BTreeMap::new() };
        self.conversations.insert(id, live);
        self.interval(bucket, |i| {
            i.recordings.expected += 1;
            if let Some(agent) = &about.agent {
                i.agents.entry(agent.clone()).or_default().calls += 1;
            }
        });
    }

    fn on_conversation_ended(&mut self, about: &About, at: Moment, talk_ms: u64, hold_ms: u64) {
        let Some(id) = about.conversation else { return };
        let Some(live) = self.conversations.get_mut(&id) else { return };
        if std::mem::replace(&mut live.ended, true) {
            return;
        }
        let (bucket, agent, queue) = (bucket_of(at.now.wall), live.agent.clone(), live.queue.clone());
        if let Some(queue) = &queue {
            self.queue(bucket, queue, |sums| {
                sums.handled += 1;
                sums.talk_ms += talk_ms;
                sums.hold_ms += hold_ms;
            });
        }
        if let Some(agent) = agent {
            self.interval(bucket, |i| {
                let sums = i.agents.entry(agent.clone()).or_default();
                sums.handled += 1;
                sums.handle_ms += talk_ms + hold_ms;
            });
            if let Some(agent) = self.agents.get_mut(&agent) {
                agent.handled = Some((bucket, queue));
            }
        }
        self.settle(id);
    }

    /// Wrap-up belongs to the interval in which its conversation ended, also after a logout.
    fn on_wrapped_up(&mut self, about: &About, wrapup_ms: u64) {
        let Some(id) = &about.agent else { return };
        let Some((bucket, queue)) = self.agents.get_mut(id).and_then(|a| a.handled.take()) else { return };
        self.interval(bucket, |i| i.agents.entry(id.clone()).or_default().handle_ms += wrapup_ms);
        if let Some(queue) = &queue {
            self.queue(bucket, queue, |sums| sums.wrap_ms += wrapup_ms);
        }
    }

    fn on_agent_state(&mut self, about: &About, state: AgentState, reason: Option<String>, at: Moment) {
        let Some(id) = about.agent.clone() else { return };
        if let Some((before, since)) = self.agents.get(&id).map(|a| (a.state, a.since)) {
            if before == state && state == AgentState::LoggedOut {
                return;
            }
            for (bucket, ms) in state_slices(before, &since, &at) {
                self.interval(bucket, |i| *i.agents.entry(id.clone()).or_default().states.entry(before).or_insert(0) += ms);
            }
        }
        self.agent(about, at, |agent| {
            (agent.state, agent.since, agent.cause, agent.reason) = (state, at, about.cause, reason);
            use AgentState::*;
            if matches!(state, LoggedOut | Available | Paused | Unreachable) {
                (agent.call, agent.queue) = (None, None);
            }
        });
    }

    /// Logins survive a restart and are said again before the first heartbeat. Who is not said again is not in the
    /// site any more.
    fn on_heartbeat(&mut self, at: Moment) {
        let gone = |agent: &LiveAgent| agent.state != AgentState::LoggedOut && agent.since.boot != at.boot;
        if at.boot.is_none() || !self.agents.values().any(gone) {
            return;
        }
        let gone: Vec<AgentId> = self.agents.iter().filter(|(_, a)| gone(a)).map(|(id, _)| id.clone()).collect();
        for id in gone {
            let about = About { agent: Some(id), cause: Some(Cause::NodeLost), ..About::default() };
            self.on_agent_state(&about, AgentState::LoggedOut, None, at);
        }
    }

    /// A part began (`None`) or ended; its first end stands.
    fn on_part(&mut self, recording: RecordingId, kept: Option<Kept>) {
        let Some(live) = self.conversations.get_mut(&recording.conversation) else { return };
        let part = live.parts.entry(recording.n).or_insert(None);
        *part = part.or(kept);
        self.settle(recording.conversation);
    }

    /// A conversation that ended, with each part ended, is counted and forgotten.
    fn settle(&mut self, id: ConversationId) {
        let Some(live) = self.conversations.get(&id).filter(|live| live.ended) else { return };
        let (bucket, Some(kept)) = (live.bucket, live.kept()) else { return };
        self.conversations.remove(&id);
        self.interval(bucket, |i| match kept {
            Kept::Complete => i.recordings.complete += 1,
            Kept::Partial => i.recordings.partial += 1,
            Kept::Failed => i.recordings.failed += 1,
        });
    }

    /// Changes the agent that the fact is about; one seen for the first time is logged out until a state says more.
    fn agent(&mut self, about: &About, at: Moment, change: impl FnOnce(&mut LiveAgent)) {
        let Some(id) = &about.agent else { return };
        change(self.agents.entry(id.clone()).or_insert_with(|| LiveAgent {
            state: AgentState::LoggedOut,
            since: at,
            cause: None,
            reason: None,
            queues: Vec::new(),
            queue: None,
            call: None,
            handled: None,
        }));
    }

    fn queue(&mut self, bucket: i64, queue: &QueueId, change: impl FnOnce(&mut QueueSums)) {
        self.interval(bucket, |i| change(i.queues.entry(queue.clone()).or_default()));
    }

    /// A forgotten interval stays forgotten.
    fn interval(&mut self, bucket: i64, change: impl FnOnce(&mut Interval)) {
        if self.floor.is_none_or(|floor| bucket >= floor) {
            change(self.intervals.entry(bucket).or_default());
        }
    }

    fn forget_before(&mut self, floor: i64) {
        if self.floor.is_some_and(|f| f >= floor) {
            return;
        }
        self.floor = Some(floor);
        self.intervals = self.intervals.split_off(&floor);
        // A recording that never settled is counted as open as long as its interval is kept.
        self.conversations.retain(|_, live| live.bucket >= floor || !live.ended);
    }

    fn moment(&self, logged: &Logged) -> Moment {
        let starts = matches!(logged.fact.what, What::NodeStarted { .. });
        let boot = (starts || self.boot == Some(logged.epoch)).then_some(logged.epoch);
        Moment { boot, now: logged.fact.now }
    }
}

/// What an agent's span in a state adds to each interval; logged out adds nothing.
pub(crate) fn state_slices(state: AgentState, since: &Moment, to: &Moment) -> Vec<(i64, u64)> {
    if state == AgentState::LoggedOut { Vec::new() } else { since.slices(to) }
}

fn count_down(counts: &mut BTreeMap<Lang, u64>, lang: Lang) {
    if let Some(n) = counts.get_mut(&lang) {
        *n = n.saturating_sub(1);
        if *n == 0 {
            counts.remove(&lang);
        }
    }
}
