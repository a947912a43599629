//! What if: the calls of a day against another site.
//!
//! ```text
//!  facts ─▶ Days ─▶ Deck ┬─ seed 1 ─▶ callers, phones ─┬─▶ as it was   ─▶ Interval ─┐
//!                        ├─ seed 2 ...                 └─▶ as it would ─▶ Interval ─┼─▶ Answer
//!                        └─ ...            what happened, from the facts themselves ┘
//! ```
//! Arrivals, their queues, priorities and languages, and all logins, pauses and work that no queue gave are as in the
//! log. So are conversations and patience where the log has them; where it has not, they are drawn, once for each seed
//! and the same for both sides. The day is run as it was too: how far that is from what happened is the model's own
//! error.
//!
//! Each epoch of the log is a day of its own: nobody waits or talks across a restart, on either side. Tenants share
//! nothing; each is run alone, so that a change to one moves no other.

mod change;
mod chronicle;
mod day;
mod draw;
mod facts;
mod notes;
mod patience;
mod print;
mod run;
mod sides;

pub use change::{Change, Changed};
pub use chronicle::Chronicle;
pub use day::{Arrival, Day, Seen};
pub use facts::fact_of;
pub use patience::{Patience, Wait};

use acd::Config;
use base::fact::Logged;
use base::{AgentId, Instant, QueueId};
use draw::Deck;
use metrics::{Formula, Interval};
use run::Side;
use serde::Serialize;
use sides::Sides;
use std::collections::BTreeMap;

/// Agents more or fewer in one question.
pub const MOST_AGENTS: u32 = 1_000;
/// Seeds in one question.
pub const MOST_SEEDS: u64 = 1_000;

/// What is asked about the facts of epochs.
pub struct Question<'a> {
    /// One after the other.
    pub epochs: &'a [Vec<Logged>],
    /// The site's configurations by the hash that the log names them with.
    pub sites: &'a BTreeMap<String, Config>,
    pub change: &'a Change,
    /// 1 to [`MOST_SEEDS`].
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

/// One epoch with the sites that it had, and those that it would have had.
struct Epoch {
    day: Day,
    was: Vec<(Instant, Changed)>,
    would: Vec<(Instant, Changed)>,
}

impl Epoch {
    /// What the day began with.
    fn first(&self) -> Option<&Config> {
        self.was.first().map(|(_, changed)| &changed.config)
    }
}

impl Question<'_> {
    /// An error is a sentence: a site that is not at hand, a change that makes no sense.
    pub fn answer(&self) -> Result<Answer, String> {
        self.answer_and_tell(|_, _| ())
    }

    /// The same; `each` hears how many runs are done, and of how many.
    pub fn answer_and_tell(&self, mut each: impl FnMut(u64, u64)) -> Result<Answer, String> {
        self.check()?;
        let mut happened = Interval::default();
        self.epochs.iter().for_each(|facts| happened.merge(&Chronicle::retell(facts)));
        let epochs = self.read(&worked(&happened))?;
        let deck = Deck::of(epochs.iter().filter_map(|epoch| Some((&epoch.day, epoch.first()?))));
        let mut sides = Sides::of(happened, &epochs, self.formula);
        let runs = 2 * self.seeds * epochs.len() as u64;
        let mut done = 0;
        let mut run = |side: fn(&Epoch) -> &[(Instant, Changed)], seed: u64| {
            let mut sum = Interval::default();
            for (n, epoch) in epochs.iter().enumerate() {
                sum.merge(&Side { epoch, deck: &deck, configs: side(epoch), seed: seed << 16 | n as u64 }.run());
                done += 1;
                each(done, runs);
            }
            sum
        };
        for seed in 1..=self.seeds {
            sides.was.push(run(|epoch| &epoch.was, seed));
            sides.would.push(run(|epoch| &epoch.would, seed));
        }
        Ok(sides.answer(notes::notes(self.change, &epochs, &deck)))
    }

    fn check(&self) -> Result<(), String> {
        if !(1..=MOST_SEEDS).contains(&self.seeds) {
            return Err(format!("{} seeds: 1 to {MOST_SEEDS} can be asked for", self.seeds));
        }
        if self.change.agents.unsigned_abs() > MOST_AGENTS {
            return Err(format!("{} agents: up to {MOST_AGENTS} more or fewer can be asked for", self.change.agents));
        }
        Ok(())
    }

    fn read(&self, worked: &BTreeMap<AgentId, u64>) -> Result<Vec<Epoch>, String> {
        let read = |facts: &Vec<Logged>| {
            let day = Day::read(facts);
            let (mut was, mut would) = (Vec::new(), Vec::new());
            for (at, sha) in &day.configured {
                let config = self.sites.get(sha).ok_or_else(|| format!("the site {sha} of this log is not at hand"))?;
                was.push((*at, Changed { config: config.clone(), ..Changed::default() }));
                would.push((*at, self.change.apply(config, worked)?));
            }
            if was.is_empty() { Err("the log names no site".to_string()) } else { Ok(Epoch { day, was, would }) }
        };
        self.epochs.iter().map(read).collect()
    }
}

/// Seconds that each agent was logged in.
fn worked(happened: &Interval) -> BTreeMap<AgentId, u64> {
    let seconds = happened.agents.iter().map(|(id, sums)| (id.clone(), sums.states.values().sum::<u64>() / 1_000));
    seconds.filter(|(_, seconds)| *seconds > 0).collect()
}
