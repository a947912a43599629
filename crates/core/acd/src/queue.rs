//! One queue as it stands: its line, its hours, and what becomes easier with a visit's age.

use crate::expect::OfLine;
use crate::line::Line;
use crate::place::Place;
use crate::states::StateSet;
use crate::{Change, Group, Queue as QueueConfig, RelaxStep};
use base::{Mutation, Need, QueueId, Requirement, Tenant, Wall, mutated};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct QueueKey(pub usize);

/// A group of agents within its tenant, by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct GroupKey(pub usize);

pub(crate) type Groups = BTreeMap<(Tenant, Group), GroupKey>;

#[derive(Clone, Debug)]
pub(crate) struct Queue {
    pub id: QueueId,
    pub tenant: Tenant,
    pub config: QueueConfig,
    pub plan: Plan,
    /// Every visit, also while it rings.
    pub line: Line<Place>,
    pub join_empty: StateSet,
    pub leave_empty: StateSet,
    /// Some queue of the tenant prefers the agent whom a caller had last.
    pub remembers: bool,
    /// By a supervisor, instead of the hours.
    pub forced: Option<bool>,
    pub expect: OfLine,
    hours: Hours,
}

/// Open or not, and for which moments of the wall clock that holds.
#[derive(Clone, Copy, Debug, Default)]
struct Hours {
    from: Wall,
    until: Wall,
    open: bool,
}

impl Queue {
    pub fn new(id: QueueId, config: QueueConfig, groups: &Groups) -> Self {
        let tenant = id.tenant();
        let plan = Plan::of(&config, &tenant, groups);
        let (join_empty, leave_empty) = (StateSet::of(&config.join_empty), StateSet::of(&config.leave_empty));
        let (line, forced, hours) = (Line::default(), None, Hours::default());
        Queue {
            id,
            tenant,
            config,
            plan,
            line,
            join_empty,
            leave_empty,
            remembers: false,
            forced,
            expect: OfLine::default(),
            hours,
        }
    }

    /// A queue without weight would never age its calls: 0 counts as 1.
    pub fn weight(&self) -> u32 {
        if mutated(Mutation::WeightIgnored) { 1 } else { self.config.weight.max(1) }
    }

    pub fn is_open(&self, wall: Wall) -> bool {
        match (self.forced, &self.config.hours) {
            (Some(open), _) => open,
            (None, None) => true,
            (None, Some(_)) if self.hours.holds(wall) => self.hours.open,
            (None, Some(calendar)) => calendar.is_open(wall),
        }
    }

    /// The same, and the calendar is asked only once between two of its changes.
    pub fn look_at_hours(&mut self, wall: Wall) -> bool {
        if mutated(Mutation::ClosedQueueTakes) {
            return true;
        }
        if let Some(calendar) = self.config.hours.as_ref().filter(|_| !self.hours.holds(wall)) {
            let until = calendar.next_change(wall).unwrap_or(Wall(i64::MAX));
            self.hours = Hours { from: wall, until, open: calendar.is_open(wall) };
        }
        self.is_open(wall)
    }
}

impl Hours {
    /// Also the wall clock may be set back.
    fn holds(self, wall: Wall) -> bool {
        self.from <= wall && wall < self.until
    }
}

/// What a visit's age changes, in rising order of age.
#[derive(Clone, Debug, Default)]
pub(crate) struct Plan {
    steps: Vec<Step>,
}

#[derive(Clone, Debug)]
struct Step {
    after: Duration,
    ease: Ease,
}

#[derive(Clone, Debug)]
enum Ease {
    Relax(Arc<RelaxStep>),
    /// As a relaxation, its group resolved.
    Widen(GroupKey, Arc<RelaxStep>),
    /// The delay of a group is over.
    Unlock(GroupKey),
}

/// Whom some steps of relaxation let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wish {
    pub requires: Requirement,
    /// Agents of these groups need not serve the queue.
    pub widened: Vec<GroupKey>,
    /// The last of these steps; at first there is none.
    pub by: Option<Arc<RelaxStep>>,
}

impl Plan {
    fn of(config: &QueueConfig, tenant: &Tenant, groups: &Groups) -> Plan {
        let key = |group: &Group| groups.get(&(tenant.clone(), group.clone())).copied();
        let relax = config.relax.iter().zip(1..).filter_map(|(relax, number)| {
            let step = Arc::new(RelaxStep { number, after: relax.after, change: relax.change.clone() });
            let ease = match &relax.change {
                Change::Widen { group } => Ease::Widen(key(group)?, step),
                _ => Ease::Relax(step),
            };
            Some(Step { after: relax.after, ease })
        });
        let delays =
            config.delays.iter().filter_map(|(group, after)| Some(Step { after: *after, ease: Ease::Unlock(key(group)?) }));
        let delays = delays.filter(|_| !mutated(Mutation::DelayOfGroupIgnored));
        let mut steps: Vec<Step> = relax.chain(delays).collect();
        steps.sort_by_key(|step| step.after);
        if mutated(Mutation::RelaxCountsFromTheLastStep) {
            let mut age = Duration::ZERO;
            for step in &mut steps {
                age += step.after;
                step.after = age;
            }
        }
        Plan { steps }
    }

    /// How many steps this age has behind it.
    pub fn reached(&self, age: Duration) -> usize {
        self.steps.partition_point(|step| step.after <= age)
    }

    /// The age of the step after these.
    pub fn next_age(&self, step: usize) -> Option<Duration> {
        self.steps.get(step).map(|s| s.after)
    }

    /// Seconds of priority that these steps add.
    pub fn raised(&self, step: usize) -> i64 {
        let raises = self.behind(step).iter().map(|s| match s.change() {
            Some(Change::Raise { seconds }) => *seconds,
            _ => 0,
        });
        raises.fold(0, i64::saturating_add)
    }

    /// How many of these steps change whom a visit asks for.
    pub fn relaxed(&self, step: usize) -> usize {
        self.behind(step).iter().filter(|s| s.asks_less()).count()
    }

    /// Groups whose delay is not over after these steps.
    pub fn locked(&self, step: usize) -> Vec<GroupKey> {
        let ahead = self.steps.get(step..).unwrap_or_default();
        ahead.iter().filter_map(|s| if let Ease::Unlock(group) = s.ease { Some(group) } else { None }).collect()
    }

    /// The next change for somebody after these steps who is as relaxed already, and its age.
    pub fn next_change(&self, step: usize, relaxed: usize) -> Option<(Duration, &Change)> {
        let mut asked_less = 0;
        let ahead = self.steps.iter().enumerate().filter(|(at, s)| {
            asked_less += usize::from(s.asks_less());
            *at >= step && (!s.asks_less() || asked_less > relaxed)
        });
        ahead.filter_map(|(_, s)| Some((s.after, s.change()?))).next()
    }

    /// Whom such a visit asks for at first, and after each relaxation.
    pub fn wishes(&self, requires: Requirement) -> Vec<Wish> {
        let mut wishes = vec![Wish { requires, widened: Vec::new(), by: None }];
        for step in self.steps.iter().filter(|s| s.asks_less()) {
            let mut wish = wishes[wishes.len() - 1].clone();
            match &step.ease {
                Ease::Widen(group, _) => wish.widened.push(*group),
                Ease::Relax(relax) => wish.requires = eased(&wish.requires, &relax.change),
                Ease::Unlock(_) => {}
            }
            wish.by = step.relax().cloned();
            wishes.push(wish);
        }
        wishes
    }

    fn behind(&self, step: usize) -> &[Step] {
        &self.steps[..step.min(self.steps.len())]
    }
}

impl Step {
    fn asks_less(&self) -> bool {
        self.change().is_some_and(|change| !matches!(change, Change::Raise { .. }))
    }

    fn change(&self) -> Option<&Change> {
        self.relax().map(|relax| &relax.change)
    }

    fn relax(&self) -> Option<&Arc<RelaxStep>> {
        match &self.ease {
            Ease::Relax(relax) | Ease::Widen(_, relax) => Some(relax),
            Ease::Unlock(_) => None,
        }
    }
}

fn eased(requires: &Requirement, change: &Change) -> Requirement {
    let needs = requires.needs().iter().filter_map(|need| match change {
        Change::Drop { skill } if *skill == need.skill => None,
        Change::Lower { skill, to } if *skill == need.skill => Some(Need { at_least: need.at_least.min(*to), ..need.clone() }),
        _ => Some(need.clone()),
    });
    Requirement::new(needs)
}
