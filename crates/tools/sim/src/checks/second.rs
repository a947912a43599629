//! Who takes whom, by a second reckoning: the scan of every agent and every visit that the ACD does not make.
//!
//! It knows the site file, what the centre shows of itself, and the ledger. Where it can't know (a reload while the call
//! waited, an agent whose skills changed, a callback) it says nothing.

use super::calls::Visit;
use super::shifts::Shift;
use super::{Checked, Ledger, must};
use acd::{AgentView, Caller, Change, Queue, Strategy, VisitView};
use base::{AgentId, AgentState, Instant, Need, Requirement};
use engine::{Setup, Snapshot};
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::time::Duration;

/// What falls due this very moment may not be applied yet.
const MARGIN: Duration = Duration::from_millis(5);

/// One moment, after an input.
pub struct Second<'a> {
    pub before: &'a Snapshot,
    pub after: &'a Snapshot,
    pub setup: &'a Setup,
    pub ledger: &'a Ledger,
    pub site: u32,
}

/// A free agent, and what is known of the shift.
type Candidate<'a> = (&'a AgentView, Option<&'a Shift>);

/// A visit that can be reckoned with.
struct Known<'a> {
    view: &'a VisitView,
    visit: &'a Visit,
    queue: &'a Queue,
}

impl Second<'_> {
    pub fn look(&self) -> Checked {
        let known: Vec<Known> = self.after.visits.iter().filter_map(|view| self.known(view)).collect();
        let before: BTreeMap<&AgentId, &AgentView> = self.before.agents.iter().map(|a| (&a.agent, a)).collect();
        for agent in &self.after.agents {
            if is_free(agent) {
                self.misses_nobody(agent, &known)?;
            }
            let offered = agent.offer.filter(|offer| before.get(&agent.agent).is_none_or(|b| b.offer != Some(*offer)));
            let chosen = offered.and_then(|offer| known.iter().find(|k| k.view.visit == offer.visit));
            if let Some(chosen) = chosen {
                self.last_agent_is_first(agent, chosen)?;
                self.may_take(agent, chosen)?;
                self.best_is_first(agent, chosen, &known)?;
                self.strategy_chose(agent, chosen, &before)?;
            }
        }
        Ok(())
    }

    fn now(&self) -> Instant {
        self.after.now.mono
    }

    fn known<'a>(&'a self, view: &'a VisitView) -> Option<Known<'a>> {
        let call = self.ledger.view().all.get(&view.visit.call)?;
        let visit = call.visit.as_ref().filter(|v| v.id == view.visit && v.site == self.site && !v.kept)?;
        let queue = self.setup.site.queues.get(&view.queue)?;
        let plain = view.caller == Caller::OnTheLine && call.callback.is_none();
        plain.then_some(Known { view, visit, queue })
    }

    /// A free agent beside a visit that waits for nobody else.
    fn misses_nobody(&self, agent: &AgentView, known: &[Known]) -> Checked {
        let missed = known.iter().find(|k| {
            let open = k.view.offers.is_empty() || k.queue.strategy == Strategy::RingAll;
            let waits =
                self.is_kept_for(k) == Some(&agent.agent) || (!self.may_be_kept(k) && self.takes(agent, k, self.youngest(k)));
            open && waits && !self.refused(agent, k)
        });
        must(missed.is_none(), "a free agent takes who waits", || {
            let Some(k) = missed else { return String::new() };
            let (visit, queue, age) = (k.view.visit, &k.view.queue, self.elapsed(k));
            format!("{} is free and {visit} waits in {queue} since {age:?} for {}", agent.agent, k.view.requires)
        })
    }

    /// It may be kept for whom its caller had last.
    fn may_be_kept(&self, known: &Known) -> bool {
        let in_time = self.elapsed(known) < known.queue.sticky + MARGIN;
        !known.queue.sticky.is_zero() && in_time && self.ledger.returns().may_be_kept(known.view.visit)
    }

    /// Whom it is certainly kept for: who had the caller last, was there since, and could serve it at some age.
    fn is_kept_for(&self, known: &Known) -> Option<&AgentId> {
        let last = self.ledger.returns().kept_for(known.view.visit).filter(|_| !known.visit.consults)?;
        let in_time = self.elapsed(known) + MARGIN < known.queue.sticky;
        let agent = self.after.agents.iter().find(|a| a.agent == *last)?;
        let entry = self.setup.site.agents.get(last)?;
        let all: Vec<&Change> = known.queue.relax.iter().map(|r| &r.change).collect();
        let (requires, widened) = eased(&known.visit.requires, &all);
        let member = entry.acd.queues.contains(&known.view.queue) || widened.iter().any(|g| entry.acd.groups.contains(*g));
        (in_time && member && requires.met_by(&agent.skills)).then_some(last)
    }

    fn last_agent_is_first(&self, agent: &AgentView, chosen: &Known) -> Checked {
        let kept = self.is_kept_for(chosen).filter(|kept| **kept != agent.agent);
        must(kept.is_none(), "whom the caller had last is asked first", || {
            format!("{} is offered {} instead of {kept:?}", agent.agent, chosen.view.visit)
        })
    }

    fn may_take(&self, agent: &AgentView, chosen: &Known) -> Checked {
        let sticky = self.may_be_kept(chosen);
        must(sticky || self.takes(agent, chosen, self.oldest(chosen)), "only who can takes a call", || {
            format!("{} is offered {}", agent.agent, chosen.view.visit)
        })
    }

    /// No visit that this agent could have taken and that still waits had the better score.
    fn best_is_first(&self, agent: &AgentView, chosen: &Known, known: &[Known]) -> Checked {
        if self.may_be_kept(chosen) {
            return Ok(());
        }
        let most = self.score(chosen, self.oldest(chosen)) + 2;
        let better = known.iter().find(|k| {
            let kept = self.may_be_kept(k);
            // Who comes in the very input that freed the agent comes too late.
            let waited = self.before.visits.iter().any(|v| v.visit == k.view.visit);
            let waits = waited && k.view.offers.is_empty() && !kept && !self.refused(agent, k);
            waits && self.score(k, self.youngest(k)) > most && self.takes(agent, k, self.youngest(k))
        });
        must(better.is_none(), "the best score is served first", || {
            format!("{} gets {}, and {:?} waits", agent.agent, chosen.view.visit, better.map(|k| k.view.visit))
        })
    }

    /// Nobody who was free all the while would have been the strategy's choice.
    fn strategy_chose(&self, agent: &AgentView, chosen: &Known, before: &BTreeMap<&AgentId, &AgentView>) -> Checked {
        if self.may_be_kept(chosen) {
            return Ok(());
        }
        let (young, shifts) = (self.youngest(chosen), self.ledger.shifts());
        let free = |other: &&AgentView| is_free(other) && before.get(&other.agent).is_some_and(|b| is_free(b));
        let preferred = self.after.agents.iter().filter(free).find(|other| {
            let both = shifts.of(&other.agent).zip(shifts.of(&agent.agent));
            let (this, that) = ((*other, both.map(|both| both.0)), (agent, both.map(|both| both.1)));
            let first = self.order(chosen, this, that) == Some(Ordering::Less);
            first && self.takes(other, chosen, young) && !self.refused(other, chosen)
        });
        must(preferred.is_none(), "the strategy chooses", || {
            let (other, strategy) = (preferred.map(|o| &o.agent), chosen.queue.strategy);
            format!("{} gets {} instead of {other:?}, by {strategy:?}", agent.agent, chosen.view.visit)
        })
    }

    /// Of two free agents, the first of whom was free all the while, whom the strategy prefers; `None` if that can't be
    /// known. Of equals the longest idle.
    fn order(&self, chosen: &Known, one: Candidate, other: Candidate) -> Option<Ordering> {
        let ((this, shift), (that, its)) = (one, other);
        let shifts = shift.zip(its).filter(|(shift, _)| shift.is_settled(self.now()));
        let by_key = match chosen.queue.strategy {
            Strategy::RingAll => return Some(Ordering::Less),
            Strategy::Random => return None,
            Strategy::LongestIdle => Ordering::Equal,
            Strategy::MostSkilled => level(that, chosen).cmp(&level(this, chosen)),
            Strategy::LeastSkilled => (level(this, chosen), this.skills.len()).cmp(&(level(that, chosen), that.skills.len())),
            Strategy::TopDown => self.rank(this).cmp(&self.rank(that)),
            Strategy::FewestCalls => shifts.map(|(one, other)| one.calls.cmp(&other.calls))?,
            Strategy::LeastOccupied => shifts.map(|(one, other)| one.by_occupancy(other, self.now()))?,
            Strategy::RoundRobin => shifts.and_then(|(one, other)| one.by_offer(other))?,
        };
        match by_key {
            Ordering::Equal => shifts.and_then(|(one, other)| one.by_idle(other)),
            unequal => Some(unequal),
        }
    }

    fn rank(&self, agent: &AgentView) -> u32 {
        self.setup.site.agents.get(&agent.agent).map_or(0, |a| a.acd.rank)
    }

    fn refused(&self, agent: &AgentView, known: &Known) -> bool {
        self.ledger.rules().refused(&agent.agent, known.view.visit, self.now())
    }

    fn elapsed(&self, known: &Known) -> Duration {
        self.now().since(known.view.entered)
    }

    /// How old the visit is at least, as steps count. Some credit counts as age, and some does not.
    fn youngest(&self, known: &Known) -> Duration {
        self.elapsed(known).saturating_sub(MARGIN)
    }

    fn oldest(&self, known: &Known) -> Duration {
        self.elapsed(known) + known.view.credit + MARGIN
    }

    /// In milliseconds.
    fn score(&self, known: &Known, age: Duration) -> i128 {
        let waited = (self.elapsed(known) + known.view.credit).as_millis() as i128;
        let raised: i64 = known.queue.relax.iter().filter(|r| r.after <= age).map(|r| raise(&r.change)).sum();
        waited * i128::from(known.queue.weight.max(1)) + i128::from(known.view.priority_s + raised) * 1_000
    }

    /// Whether the agent could take a visit of that age.
    fn takes(&self, agent: &AgentView, known: &Known, age: Duration) -> bool {
        let Some(entry) = self.setup.site.agents.get(&agent.agent) else { return false };
        if agent.agent.tenant() != known.view.queue.tenant() {
            return false;
        }
        let steps: Vec<&Change> = self.steps(known, age);
        let (requires, widened) = eased(&known.visit.requires, &steps);
        let in_group = |group: &acd::Group| entry.acd.groups.contains(group);
        let late = |(group, after): (&acd::Group, &Duration)| *after > age && in_group(group);
        let member = entry.acd.queues.contains(&known.view.queue) && !known.queue.delays.iter().any(late);
        (member || widened.iter().any(|group| in_group(group))) && requires.met_by(&agent.skills)
    }

    /// The steps that an age has behind it, and those that are skipped because nobody logged in fits before them.
    fn steps<'b>(&self, known: &'b Known, age: Duration) -> Vec<&'b Change> {
        let eases: Vec<_> = known.queue.relax.iter().filter(|r| !matches!(r.change, Change::Raise { .. })).collect();
        let mut reached = eases.iter().filter(|r| r.after <= age).count();
        let changes: Vec<&Change> = eases.iter().map(|r| &r.change).collect();
        let first = reached;
        while reached < changes.len() && !self.anybody(known, &changes[..reached]) {
            reached += 1;
        }
        if !self.anybody(known, &changes[..reached]) {
            reached = first;
        }
        changes[..reached].to_vec()
    }

    fn anybody(&self, known: &Known, steps: &[&Change]) -> bool {
        let (requires, widened) = eased(&known.visit.requires, steps);
        self.after.agents.iter().filter(|a| a.state != AgentState::LoggedOut).any(|a| {
            let Some(entry) = self.setup.site.agents.get(&a.agent) else { return false };
            let same = a.agent.tenant() == known.view.queue.tenant();
            let member = entry.acd.queues.contains(&known.view.queue);
            same && (member || widened.iter().any(|g| entry.acd.groups.contains(*g))) && requires.met_by(&a.skills)
        })
    }
}

fn is_free(agent: &AgentView) -> bool {
    agent.state == AgentState::Available && agent.work.is_none() && agent.offer.is_none() && agent.deadline.is_none()
}

fn level(agent: &AgentView, known: &Known) -> u32 {
    known.visit.requires.needs().iter().filter_map(|need| agent.skills.get(&need.skill)).map(|level| u32::from(*level)).sum()
}

fn raise(change: &Change) -> i64 {
    if let Change::Raise { seconds } = change { *seconds } else { 0 }
}

fn eased<'a>(requires: &Requirement, steps: &[&'a Change]) -> (Requirement, Vec<&'a acd::Group>) {
    let mut widened = Vec::new();
    let mut needs: Vec<Need> = requires.needs().to_vec();
    for change in steps {
        match change {
            Change::Lower { skill, to } => {
                needs.iter_mut().filter(|n| n.skill == *skill).for_each(|n| n.at_least = n.at_least.min(*to));
            }
            Change::Drop { skill } => needs.retain(|n| n.skill != *skill),
            Change::Widen { group } => widened.push(group),
            Change::Raise { .. } => {}
        }
    }
    (Requirement::new(needs), widened)
}
