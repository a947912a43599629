//! A day as the log tells it: who came, what became of them, and what the agents did.

use super::patience::Wait;
use crate::people::{Fate, Leaving};
use acd::{Ask, Config, Input, Work};
use base::fact::{About, Logged, What};
use base::{AgentId, AgentState, CallId, Cause, Instant, Lang, Now, Outcome, PartyId, QueueId, Requirement, VisitId};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Everything that is taken from the log. Times are those of the epoch's monotonic clock.
#[derive(Clone, Debug, Default)]
pub struct Day {
    pub start: Now,
    pub end: Now,
    pub queues: Vec<QueueId>,
    pub arrivals: Vec<Arrival>,
    /// What agents and supervisors did on their own, and agents' work that no queue gave them.
    pub acts: Vec<(Instant, Input)>,
    /// What became of each phone that was rung, by agent.
    pub rings: BTreeMap<AgentId, Vec<Fate>>,
    /// How long agents stayed away after a call they missed.
    pub returns: Vec<Duration>,
    /// How long agents stayed away whom the rule logged out after calls they missed.
    pub logins: Vec<Duration>,
    /// Configurations by their hash, and when each came.
    pub configured: Vec<(Instant, String)>,
}

/// One call for an agent, over all the queues that it overflowed through.
#[derive(Clone, Debug, PartialEq)]
pub struct Arrival {
    pub at: Instant,
    pub queue: QueueId,
    /// With what the queue asked then. Not known of a call that was refused.
    pub requires: Option<Requirement>,
    pub priority_s: i64,
    pub credit: Duration,
    pub lang: Option<Lang>,
    pub party: Option<PartyId>,
    pub seen: Seen,
    /// Of the conversation, if there was one.
    pub talk: Option<Duration>,
    pub wrap_up: Option<Duration>,
}

/// What became of a call.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Seen {
    /// Still waiting when the log ends.
    Waits,
    Answered(Duration),
    /// On its own.
    Left(Leaving),
    /// By a rule of the queue, or a failure.
    SentAway(Duration),
    Refused,
}

impl Day {
    /// Of one epoch's facts, in their order.
    pub fn read<'a>(facts: impl IntoIterator<Item = &'a Logged>) -> Day {
        let mut reader = Reader::default();
        // What comes before the node's own first fact closes the epoch before, at times of another clock.
        let own = facts.into_iter().skip_while(|l| !matches!(l.fact.what, What::NodeStarted { .. }));
        own.for_each(|logged| reader.read(logged));
        reader.day
    }

    /// What each call tells of patience, with the queue that it came to first.
    pub fn waits(&self) -> impl Iterator<Item = (&QueueId, Wait)> {
        self.arrivals.iter().filter_map(|arrival| {
            let wait = match arrival.seen {
                Seen::Waits => Wait { lasted: self.end.mono.since(arrival.at), left: None },
                Seen::Answered(lasted) | Seen::SentAway(lasted) => Wait { lasted, left: None },
                Seen::Left(leaving) => Wait { lasted: leaving.after, left: Some(leaving.outcome) },
                Seen::Refused => return None,
            };
            Some((&arrival.queue, wait))
        })
    }

    /// What a visit asks itself: without what its queue asked of all.
    pub fn own_wish(arrival: &Arrival, config: &Config) -> Option<Requirement> {
        let of_queue = config.queues.get(&arrival.queue).map(|q| q.requires.clone()).unwrap_or_default();
        let own = arrival.requires.as_ref()?.needs().iter().filter(|need| !of_queue.needs().contains(need));
        Some(Requirement::new(own.cloned()))
    }
}

#[derive(Default)]
struct Reader {
    day: Day,
    /// The call's arrival, while it waits or may go on in another queue.
    open: BTreeMap<CallId, usize>,
    /// Calls whose last visit ended so that another follows of itself.
    goes_on: BTreeSet<CallId>,
    /// Who took a visit.
    taken: BTreeMap<VisitId, AgentId>,
    agents: BTreeMap<AgentId, Known>,
    /// The last offer that ended without an answer, by agent: what follows from it is no act of the agent's.
    refused: BTreeMap<AgentId, Instant>,
}

struct Known {
    state: AgentState,
    since: Instant,
    /// The arrival being talked with.
    arrival: Option<usize>,
    missed: bool,
    /// Logged out by the rule for calls that were missed.
    dismissed: bool,
    gone: bool,
}

impl Reader {
    fn read(&mut self, logged: &Logged) {
        let (about, now) = (&logged.fact.about, logged.fact.now);
        self.day.end = now;
        match &logged.fact.what {
            What::NodeStarted { queues, .. } => {
                self.day.start = now;
                self.day.queues = queues.clone();
            }
            What::ConfigLoaded { site_sha256, .. } => self.day.configured.push((now.mono, site_sha256.clone())),
            What::ConfigOverridden { what, to } => self.on_overridden(what, to, now.mono),
            What::QueueEntered { requires, priority_s, credit_ms, .. } => {
                self.on_entered(about, requires, *priority_s, Duration::from_millis(*credit_ms), now.mono);
            }
            What::QueueRefused {} => self.on_refused(about, now.mono),
            What::QueueLeft { outcome, .. } => self.on_left(about, *outcome, now.mono),
            What::OfferAccepted { ring_ms } => {
                if let (Some(visit), Some(agent)) = (about.visit.or(about.offer.map(|o| o.visit)), &about.agent) {
                    self.taken.insert(visit, agent.clone());
                }
                self.on_rung(about, Fate::Answers(Duration::from_millis(*ring_ms)));
            }
            What::OfferTimedOut { .. } => self.on_rung(about, Fate::RingsOut),
            What::OfferRejected { ring_ms } => {
                let after = Duration::from_millis(*ring_ms);
                let fate = match about.cause {
                    Some(Cause::Unreachable) | None => Fate::Unreachable(after),
                    Some(cause) => Fate::Rejects(after, cause),
                };
                if let Some(agent) = &about.agent {
                    self.refused.insert(agent.clone(), now.mono);
                }
                self.on_rung(about, fate);
            }
            What::AgentStateChanged { state, reason, .. } => self.on_state(about, *state, reason.as_deref(), now.mono),
            _ => {}
        }
    }

    fn on_entered(&mut self, about: &About, requires: &Requirement, priority_s: i64, credit: Duration, now: Instant) {
        let (Some(visit), Some(queue)) = (about.visit, &about.queue) else { return };
        if self.goes_on.remove(&visit.call) {
            return;
        }
        self.open.insert(visit.call, self.day.arrivals.len());
        self.day.arrivals.push(Arrival {
            at: now,
            queue: queue.clone(),
            requires: Some(requires.clone()),
            priority_s,
            credit,
            lang: about.lang,
            party: about.party,
            seen: Seen::Waits,
            talk: None,
            wrap_up: None,
        });
    }

    fn on_refused(&mut self, about: &About, now: Instant) {
        let Some(queue) = &about.queue else { return };
        self.day.arrivals.push(Arrival {
            at: now,
            queue: queue.clone(),
            requires: None,
            priority_s: 0,
            credit: Duration::ZERO,
            lang: about.lang,
            party: about.party,
            seen: Seen::Refused,
            talk: None,
            wrap_up: None,
        });
    }

    fn on_left(&mut self, about: &About, outcome: Outcome, now: Instant) {
        let Some(visit) = about.visit else { return };
        let agent = self.taken.remove(&visit);
        let Some(at) = self.open.get(&visit.call).copied() else { return };
        let arrival = &mut self.day.arrivals[at];
        let after = now.since(arrival.at);
        match outcome {
            // The same caller goes on waiting elsewhere.
            Outcome::Overflowed => {
                self.goes_on.insert(visit.call);
                return;
            }
            Outcome::Answered => {
                // A callback that is answered was no answer to the caller who waited on the line.
                if !matches!(arrival.seen, Seen::Left(_)) {
                    arrival.seen = Seen::Answered(after);
                }
                if let Some(known) = agent.and_then(|agent| self.agents.get_mut(&agent)) {
                    known.arrival = Some(at);
                }
            }
            Outcome::Callback => {
                arrival.seen = Seen::Left(Leaving { after, outcome });
                self.goes_on.insert(visit.call);
                return;
            }
            Outcome::Abandoned | Outcome::KeyExit | Outcome::Voicemail => {
                arrival.seen = Seen::Left(Leaving { after, outcome });
            }
            Outcome::Timeout | Outcome::NoAgents | Outcome::System => {
                if !matches!(arrival.seen, Seen::Left(_)) {
                    arrival.seen = Seen::SentAway(after);
                }
            }
        }
        self.open.remove(&visit.call);
    }

    fn on_rung(&mut self, about: &About, fate: Fate) {
        if let Some(agent) = &about.agent {
            self.day.rings.entry(agent.clone()).or_default().push(fate);
        }
    }

    fn on_overridden(&mut self, what: &str, to: &str, now: Instant) {
        if let Some(agent) = what.strip_prefix("skills of agent ").and_then(|id| id.parse().ok()) {
            let skills = serde_json::from_str(to).ok();
            return self.day.acts.push((now, Input::SetSkills { agent, skills }));
        }
        let Some(queue) = what.strip_prefix("queue ").and_then(|id| id.parse().ok()) else { return };
        let open = match to {
            "open" => Some(true),
            "closed" => Some(false),
            _ => None,
        };
        self.day.acts.push((now, Input::SetOpen { queue, open }));
    }

    fn on_state(&mut self, about: &About, state: AgentState, reason: Option<&str>, now: Instant) {
        let Some(id) = about.agent.clone() else { return };
        let refused_now = self.refused.get(&id) == Some(&now);
        let new =
            || Known { state: AgentState::LoggedOut, since: now, arrival: None, missed: false, dismissed: false, gone: false };
        let known = self.agents.entry(id.clone()).or_insert_with(new);
        let lasted = now.since(known.since);
        if let Some(arrival) = known.arrival.and_then(|at| self.day.arrivals.get_mut(at)) {
            match known.state {
                AgentState::Talking | AgentState::Holding => *arrival.talk.get_or_insert_default() += lasted,
                AgentState::WrapUp => *arrival.wrap_up.get_or_insert_default() += lasted,
                _ => {}
            }
        }
        let before = std::mem::replace(&mut known.state, state);
        known.since = now;
        let cause = about.cause.unwrap_or(Cause::Requested);
        let acts = acts_of(known, &id, (before, state), (cause, reason, refused_now), lasted, &mut self.day);
        self.day.acts.extend(acts.into_iter().map(|input| (now, input)));
        if !in_a_call(state) {
            known.arrival = None;
        }
    }
}

fn in_a_call(state: AgentState) -> bool {
    matches!(state, AgentState::Talking | AgentState::Holding | AgentState::WrapUp)
}

/// What an agent did or was made to do, that the decision core did not decide.
fn acts_of(
    known: &mut Known,
    agent: &AgentId,
    (before, state): (AgentState, AgentState),
    (cause, reason, refused_now): (Cause, Option<&str>, bool),
    lasted: Duration,
    day: &mut Day,
) -> Vec<Input> {
    use AgentState::{Engaged, LoggedOut, Paused, Unreachable};
    let asks = |ask: Ask| Input::AgentAsked { agent: agent.clone(), ask, cause: Cause::Requested };
    let engaged = |work| Input::Engaged { agent: agent.clone(), work };
    let mut acts = Vec::new();
    if before == LoggedOut && state != LoggedOut {
        if std::mem::take(&mut known.dismissed) {
            day.logins.push(lasted);
        } else {
            acts.push(asks(Ask::LogIn));
        }
    }
    // Work that no queue gave: an own call, or a conversation that was passed on to the agent.
    let passed_on = |s: AgentState| s == Engaged || (in_a_call(s) && known.arrival.is_none());
    match (passed_on(before), passed_on(state)) {
        (false, true) => acts.push(engaged(Some(if state == Engaged { Work::Outbound } else { Work::Internal }))),
        (true, false) => acts.push(engaged(None)),
        _ => {}
    }
    if before == Paused && state != LoggedOut {
        if std::mem::take(&mut known.missed) {
            day.returns.push(lasted);
        } else {
            acts.push(asks(Ask::Ready));
        }
    }
    if before == Unreachable && std::mem::take(&mut known.gone) {
        acts.push(Input::Reachable { agent: agent.clone(), reachable: true });
    }
    match state {
        LoggedOut => {
            (known.missed, known.gone) = (false, false);
            known.dismissed = cause == Cause::NoAnswer;
            // The core logs out whom it missed too often, and whom the site no longer has: it will decide that again.
            if !matches!(cause, Cause::NoAnswer | Cause::Closed) {
                acts.push(asks(Ask::LogOut));
            }
        }
        Paused if cause == Cause::NoAnswer => known.missed = true,
        Paused => acts.push(asks(Ask::Pause { reason: reason.unwrap_or_default().into() })),
        Unreachable if !refused_now => {
            known.gone = true;
            acts.push(Input::Reachable { agent: agent.clone(), reachable: false });
        }
        _ => {}
    }
    acts
}
