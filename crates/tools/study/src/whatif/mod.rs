//! What if: the calls of a day against another site.
//!
//! ```text
//!  facts ─▶ Day ─▶ Deck ─┬─ seed 1 ─▶ callers, phones ─┬─▶ as it was   ─▶ Interval ─┐
//!                        ├─ seed 2 ...                 └─▶ as it would ─▶ Interval ─┼─▶ Answer
//!                        └─ ...            what happened, from the facts themselves ┘
//! ```
//! Arrivals, their queues, priorities and languages, and all logins, pauses and work that no queue gave are as in the
//! log. So are conversations and patience where the log has them; where it has not, they are drawn, once for each seed
//! and the same for both sides. The day is run as it was too: how far that is from what happened is the model's own
//! error.

mod change;
mod chronicle;
mod day;
mod draw;
mod facts;
mod patience;
mod print;

pub use change::{Change, Changed};
pub use chronicle::Chronicle;
pub use day::{Arrival, Day, Seen};
pub use facts::fact_of;
pub use patience::{Patience, Wait};

use crate::world::{Plan, World};
use acd::{Config, Input};
use base::fact::Logged;
use base::{AgentId, AgentState, Instant, QueueId};
use draw::Deck;
use metrics::{Formula, Interval};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What is asked about an epoch's facts.
pub struct Question<'a> {
    pub facts: &'a [Logged],
    /// The site's configurations by the hash that the log names them with.
    pub sites: &'a BTreeMap<String, Config>,
    pub change: &'a Change,
    pub seeds: u64,
    pub formula: Formula,
}

/// Both sides beside each other, and beside what happened.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Answer {
    pub service_level_formula: String,
    pub seeds: u64,
    pub totals: Vec<Line>,
    pub queues: BTreeMap<QueueId, Vec<Line>>,
    pub agents: BTreeMap<AgentId, Line>,
    /// How things were drawn, and what the change was taken to mean.
    pub notes: Vec<String>,
}

/// One figure.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Line {
    pub figure: &'static str,
    pub happened: Option<f64>,
    /// The model of the day as it was, over the seeds.
    pub was: Option<Spread>,
    pub would: Option<Spread>,
    /// The second less the first, seed by seed.
    pub difference: Option<Spread>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Spread {
    pub mean: f64,
    /// The standard deviation over the seeds.
    pub deviation: f64,
}

impl Question<'_> {
    /// An error is a sentence: a site that is not at hand, a change that makes no sense.
    pub fn answer(&self) -> Result<Answer, String> {
        let day = Day::read(self.facts);
        let was = self.sites_of(&day)?;
        let (_, first) = was.first().ok_or("the log names no site")?;
        let happened = Chronicle::retell(self.facts);
        let worked = worked(&happened);
        let mut changed = Vec::new();
        for (at, config) in &was {
            changed.push((*at, self.change.apply(config, &worked)?));
        }
        let deck = Deck::of(&day, first);
        let mut sides = Sides { happened, was: Vec::new(), would: Vec::new(), formula: self.formula };
        for seed in 1..=self.seeds.max(1) {
            let run = |configs: &[(Instant, Changed)]| run(&day, &deck, first, configs, seed);
            sides.was.push(run(&was.iter().map(|(at, c)| (*at, unchanged(c))).collect::<Vec<_>>()));
            sides.would.push(run(&changed));
        }
        let notes = self.notes(&day, &deck, &changed);
        Ok(sides.answer(notes))
    }

    fn sites_of(&self, day: &Day) -> Result<Vec<(Instant, Config)>, String> {
        let found = day.configured.iter().map(|(at, sha)| {
            let config = self.sites.get(sha).ok_or_else(|| format!("the site {sha} of this log is not at hand"))?;
            Ok((*at, config.clone()))
        });
        found.collect()
    }

    fn notes(&self, day: &Day, deck: &Deck, changed: &[(Instant, Changed)]) -> Vec<String> {
        let mut notes: Vec<String> = changed.first().map(|(_, c)| c.notes.clone()).unwrap_or_default();
        let count = |seen: fn(&Seen) -> bool| day.arrivals.iter().filter(|a| seen(&a.seen)).count();
        notes.push(format!(
            "{} calls: {} answered, {} left on their own, {} were sent away by a rule, {} refused, {} still waited",
            day.arrivals.len(),
            count(|s| matches!(s, Seen::Answered(_))),
            count(|s| matches!(s, Seen::Left(_))),
            count(|s| matches!(s, Seen::SentAway(_))),
            count(|s| matches!(s, Seen::Refused)),
            count(|s| matches!(s, Seen::Waits)),
        ));
        for (queue, patience) in deck.patience() {
            let (waits, left) = patience.seen();
            notes.push(format!("patience in {queue}: {left} of {waits} left; the others' is censored"));
        }
        notes.push(
            "patience: who left on their own leaves at the same age again; of who was answered or sent away the patience \
             is censored, and drawn by Kaplan and Meier's estimate of the queue, given that it is longer than the wait seen; \
             beyond the last leaving seen, callers leave at the day's mean rate"
                .into(),
        );
        notes.push(
            "conversations and wrap-up are as they were, whoever takes the call; of calls that had none they are drawn \
             from those of the same queue and language"
                .into(),
        );
        notes.push(
            "phones ring as long, and are missed, declined or unreachable as often, as those of the same agent on that \
             day; logins, pauses and work that no queue gave are as in the log"
                .into(),
        );
        notes
    }
}

fn unchanged(config: &Config) -> Changed {
    Changed { config: config.clone(), ..Changed::default() }
}

/// Seconds that each agent was logged in.
fn worked(happened: &Interval) -> BTreeMap<AgentId, u64> {
    let seconds = happened.agents.iter().map(|(id, sums)| (id.clone(), sums.states.values().sum::<u64>() / 1_000));
    seconds.filter(|(_, seconds)| *seconds > 0).collect()
}

/// One side of one seed.
fn run(day: &Day, deck: &Deck, was: &Config, configs: &[(Instant, Changed)], seed: u64) -> Interval {
    let prepared: Vec<(Instant, Arc<Config>)> = configs.iter().map(|(at, c)| (*at, Arc::new(nobody_starts(&c.config)))).collect();
    let Some((_, config)) = prepared.first().cloned() else { return Interval::default() };
    let follows = configs.first().map(|(_, c)| c.follows.clone()).unwrap_or_default();
    let mut schedule: Vec<(Instant, Input)> =
        prepared.iter().skip(1).map(|(at, config)| (*at, Input::Configure(config.clone()))).collect();
    for (at, act) in &day.acts {
        schedule.push((*at, act.clone()));
        let followers = follows.iter().filter(|(_, example)| of_agent(act) == Some(example));
        schedule.extend(followers.map(|(new, _)| (*at, as_if_of(act, new))));
    }
    let callers = deck.callers(day, was, seed);
    let plan = Plan { config: config.clone(), routing_seed: seed, start: day.start, lines: None, schedule };
    let mut chronicle = Chronicle::of(config, day.start);
    let mut world = World::new(plan, callers.into_iter(), deck.staff(seed), &mut chronicle);
    world.run(Some(day.end.mono), &mut chronicle);
    chronicle.close()
}

/// Logins are in the log, also those that the site makes.
fn nobody_starts(config: &Config) -> Config {
    let mut config = config.clone();
    config.agents.values_mut().for_each(|agent| agent.starts_logged_in = false);
    config
}

fn of_agent(act: &Input) -> Option<&AgentId> {
    match act {
        Input::AgentAsked { agent, .. } | Input::Reachable { agent, .. } | Input::Engaged { agent, .. } => Some(agent),
        _ => None,
    }
}

fn as_if_of(act: &Input, agent: &AgentId) -> Input {
    let agent = agent.clone();
    match act.clone() {
        Input::AgentAsked { ask, cause, .. } => Input::AgentAsked { agent, ask, cause },
        Input::Reachable { reachable, .. } => Input::Reachable { agent, reachable },
        Input::Engaged { work, .. } => Input::Engaged { agent, work },
        other => other,
    }
}

struct Sides {
    happened: Interval,
    was: Vec<Interval>,
    would: Vec<Interval>,
    formula: Formula,
}

impl Sides {
    fn answer(&self, notes: Vec<String>) -> Answer {
        let intervals = || std::iter::once(&self.happened).chain(&self.was).chain(&self.would);
        let queues: BTreeSet<&QueueId> = intervals().flat_map(|i| i.queues.keys()).collect();
        let agents: BTreeSet<&AgentId> = intervals().flat_map(|i| i.agents.keys()).collect();
        let of_queue = |queue: &QueueId| self.lines(|i| i.queues.get(queue).cloned().unwrap_or_default());
        let all = |i: &Interval| {
            let mut sums = metrics::QueueSums::default();
            i.queues.values().for_each(|queue| sums.merge(queue));
            sums
        };
        let occupancy = |agent: &AgentId| self.line("occupancy", |i| i.agents.get(agent)?.occupancy());
        let mut totals = self.lines(all);
        totals.push(self.line("occupancy", occupancy_of_all));
        Answer {
            service_level_formula: self.formula.to_string(),
            seeds: self.was.len() as u64,
            totals,
            queues: queues.into_iter().map(|queue| (queue.clone(), of_queue(queue))).collect(),
            agents: agents.into_iter().map(|agent| (agent.clone(), occupancy(agent))).collect(),
            notes,
        }
    }

    fn lines(&self, sums: impl Fn(&Interval) -> metrics::QueueSums) -> Vec<Line> {
        let figures = |i: &Interval| sums(i).figures(0, self.formula);
        let seconds = |ms: Option<u64>| ms.map(|ms| ms as f64 / 1_000.0);
        vec![
            self.line("offered", |i| Some(figures(i).offered as f64)),
            self.line("service level", |i| figures(i).service_level),
            self.line("ASA", |i| seconds(figures(i).asa_ms)),
            self.line("abandonment", |i| figures(i).abandonment_rate),
        ]
    }

    fn line(&self, figure: &'static str, of: impl Fn(&Interval) -> Option<f64>) -> Line {
        let was: Vec<Option<f64>> = self.was.iter().map(&of).collect();
        let would: Vec<Option<f64>> = self.would.iter().map(&of).collect();
        let differences: Vec<Option<f64>> = was.iter().zip(&would).map(|(a, b)| Some((*b)? - (*a)?)).collect();
        let happened = of(&self.happened);
        Line { figure, happened, was: spread(&was), would: spread(&would), difference: spread(&differences) }
    }
}

fn occupancy_of_all(interval: &Interval) -> Option<f64> {
    let busy: u64 = interval.agents.values().map(metrics::AgentSums::busy_ms).sum();
    let free: u64 = interval.agents.values().map(|a| a.state_ms(AgentState::Available)).sum();
    (busy + free > 0).then(|| busy as f64 / (busy + free) as f64)
}

fn spread(values: &[Option<f64>]) -> Option<Spread> {
    let values: Vec<f64> = values.iter().flatten().copied().collect();
    let n = values.len() as f64;
    if values.is_empty() {
        return None;
    }
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
    let deviation = if values.len() > 1 { (squares / (n - 1.0)).sqrt() } else { 0.0 };
    Some(Spread { mean, deviation })
}
