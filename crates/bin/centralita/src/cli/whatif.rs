//! `centralita whatif`: the calls of one or more journals' epochs against another site, beside what happened.

mod told;

use super::{Done, Failure};
use crate::load;
use crate::node::birth::Birth;
use crate::replay::Sources;
use acd::Strategy;
use base::{AgentId, QueueId, Skill};
use clap::Args;
use clap::builder::TypedValueParser;
use metrics::Formula;
use serde::Deserialize;
use serde::de::IntoDeserializer;
use shell_store::journal::read_journal;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use study::whatif::{Change, MOST_AGENTS, MOST_SEEDS, Question};
use told::{facts_of, sites_of};

#[derive(Args, Clone, Debug)]
pub struct Options {
    /// The journal, such as data/journal/00000003.jnl; of a day with restarts, those of consecutive epochs
    #[arg(required = true)]
    journal: Vec<PathBuf>,
    /// The site as it would be
    #[arg(long, value_name = "FILE")]
    site: Option<PathBuf>,
    /// So many agents more, or fewer, of the profile that most of those who worked have
    #[arg(long, value_name = "N", allow_hyphen_values = true, default_value_t = 0, value_parser = agents())]
    agents: i32,
    /// Another strategy, such as most_skilled: of --queue, or of all
    #[arg(long, value_name = "NAME", value_parser = strategy)]
    strategy: Option<Strategy>,
    /// Whose strategy
    #[arg(long, value_name = "QUEUE", requires = "strategy")]
    queue: Option<QueueId>,
    /// A skill of an agent, AGENT:SKILL=LEVEL; level 0 takes it away
    #[arg(long, value_name = "AGENT:SKILL=LEVEL", value_parser = skill)]
    skill: Vec<(AgentId, Skill, u8)>,
    /// What the log does not say is drawn so often
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=MOST_SEEDS))]
    seeds: u64,
    /// How the service level is counted
    #[arg(long, default_value_t = Formula::default())]
    formula: Formula,
    /// A site file that counted and was not kept beside the journal
    #[arg(long, value_name = "FILE")]
    was: Vec<PathBuf>,
    /// The data folder with log and keys, if the journal is not in it
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
}

fn agents() -> impl TypedValueParser<Value = i32> {
    let most = i64::from(MOST_AGENTS);
    clap::value_parser!(i32).range(-most..=most)
}

fn strategy(name: &str) -> Result<Strategy, String> {
    let names =
        "longest_idle, most_skilled, least_skilled, fewest_calls, least_occupied, round_robin, random, ring_all, top_down";
    let parsed = Strategy::deserialize(name.into_deserializer());
    parsed.map_err(|_: serde::de::value::Error| format!("expected one of {names}"))
}

fn skill(text: &str) -> Result<(AgentId, Skill, u8), String> {
    let expected = || format!("expected AGENT:SKILL=LEVEL such as acme/ana:lang:pt=5, found \"{text}\"");
    let (agent, rest) = text.split_once(':').ok_or_else(expected)?;
    let (skill, level) = rest.rsplit_once('=').ok_or_else(expected)?;
    let level = level.parse().ok().filter(|level| *level <= 10).ok_or_else(expected)?;
    Ok((agent.parse().map_err(|_| expected())?, Skill::new(skill), level))
}

pub fn run(options: &Options, as_json: bool, out: &mut dyn Write, err: &mut dyn Write) -> Done {
    let change = options.change()?;
    let (mut epochs, mut sites, mut notes) = (Vec::new(), BTreeMap::new(), Vec::new());
    for sources in options.sources()? {
        let (facts, note) = facts_of(&sources)?;
        sites_of(&sources, &facts, &mut sites).map_err(refused)?;
        epochs.push(facts);
        notes.extend(note);
    }
    let question = Question { epochs: &epochs, sites: &sites, change: &change, seeds: options.seeds, formula: options.formula };
    let mut progress = Progress::default();
    let answer = question.answer_and_tell(|done, of| progress.tell(done, of, Instant::now(), err));
    let mut answer = answer.map_err(|error| Failure::Usage { error, expected: "a change that this day can take".into() })?;
    answer.notes.splice(..0, notes);
    if as_json {
        let rendered = serde_json::to_value(&answer).map_err(refused)?;
        writeln!(out, "{rendered:#}")?;
    } else {
        write!(out, "{answer}")?;
    }
    Ok(())
}

/// An error that brings its own `error: ` does not get another.
fn refused(error: impl ToString) -> Failure {
    let error = error.to_string();
    let error = error.strip_prefix("error: ").map_or(error.clone(), String::from);
    Failure::Refused { error, expected: String::new() }
}

/// How far it is, on a terminal's other stream: at once where it takes long, then each ten seconds.
#[derive(Default)]
struct Progress {
    begun: Option<Instant>,
    said: Option<Instant>,
}

impl Progress {
    fn tell(&mut self, done: u64, of: u64, now: Instant, err: &mut dyn Write) {
        let begun = *self.begun.get_or_insert(now);
        let (since, each) = self.said.map_or((begun, 2), |said| (said, 10));
        if done < of && now.duration_since(since) >= Duration::from_secs(each) {
            self.said = Some(now);
            // Nothing is lost with it.
            let _ = writeln!(err, "{done} of {of} runs");
        }
    }
}

impl Options {
    fn change(&self) -> Result<Change, Failure> {
        let load = |path: &PathBuf| load::load(path).map(|loaded| loaded.setup.site.acd());
        let site = self.site.as_ref().map(load).transpose();
        let site = site.map_err(refused)?;
        let strategies = self.strategy.map(|strategy| (self.queue.clone(), strategy)).into_iter().collect();
        let change = Change { site, agents: self.agents, strategies, skills: self.skill.clone() };
        if change.is_nothing() {
            return Err(Failure::Usage {
                error: "nothing is changed".into(),
                expected: "--site, --agents, --strategy or --skill".into(),
            });
        }
        Ok(change)
    }

    /// Of each epoch, in their order; a gap between them would be a night that nobody knows.
    fn sources(&self) -> Result<Vec<Sources>, Failure> {
        let mut found = BTreeMap::new();
        for journal in &self.journal {
            let (header, ..) = read_journal::<Birth, engine::Entry>(journal).map_err(refused)?;
            let sources = Sources { journal: journal.clone(), data: self.data.clone(), sites: self.was.clone() };
            found.insert(header.epoch, sources);
        }
        let epochs: Vec<u32> = found.keys().copied().collect();
        if found.len() < self.journal.len() || epochs.windows(2).any(|pair| pair[0].checked_add(1) != Some(pair[1])) {
            let error = format!("these are the journals of the epochs {epochs:?}");
            return Err(Failure::Usage { error, expected: "consecutive epochs of one node, each once".into() });
        }
        Ok(found.into_values().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::tests::Epoch;
    use clap::Parser;

    #[derive(clap::Parser)]
    struct Line {
        #[command(flatten)]
        options: Options,
    }

    fn parsed(words: &str) -> Result<Options, clap::Error> {
        let line = std::iter::once("whatif").chain(words.split(' '));
        Line::try_parse_from(line).map(|line| line.options)
    }

    #[test]
    fn too_many_agents_and_no_seeds_are_refused_at_once() {
        assert_eq!(parsed("1.jnl 2.jnl --agents -2").unwrap().journal.len(), 2);
        for (words, expected) in [("1.jnl --agents 100000", "-1000..=1000"), ("1.jnl --seeds 0", "1..=1000")] {
            let error = parsed(words).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn journals_are_of_consecutive_epochs_each_once() {
        let (_dir, path, _) = Epoch::begin().end();
        let twice = parsed(&format!("{0} {0}", path.display())).unwrap();
        let Err(Failure::Usage { error, expected }) = twice.sources() else { panic!("taken twice") };
        assert_eq!(
            (error.as_str(), expected.as_str()),
            ("these are the journals of the epochs [1]", "consecutive epochs of one node, each once")
        );
        assert_eq!(parsed(&path.display().to_string()).unwrap().sources().unwrap().len(), 1);
    }

    #[test]
    fn an_error_is_called_one_once() {
        let missing = parsed("1.jnl --site /nowhere/site.toml").unwrap().change().unwrap_err();
        let Failure::Refused { error, .. } = missing else { panic!("{missing:?}") };
        assert!(error.starts_with("cannot read /nowhere/site.toml"), "{error}");
    }

    #[test]
    fn progress_is_told_where_it_takes_long() {
        let (begun, mut err) = (Instant::now(), Vec::new());
        let mut progress = Progress::default();
        for (second, done) in [(0, 1), (1, 2), (2, 3), (5, 4), (12, 5), (30, 6)] {
            progress.tell(done, 6, begun + Duration::from_secs(second), &mut err);
        }
        assert_eq!(String::from_utf8(err).unwrap(), "3 of 6 runs\n5 of 6 runs\n");
    }

    #[test]
    fn a_change_reads_as_it_is_written() {
        assert_eq!(strategy("most_skilled"), Ok(Strategy::MostSkilled));
        assert!(strategy("most").unwrap_err().contains("longest_idle, most_skilled"));
        let (agent, name, level) = skill("acme/ana:lang:pt=5").unwrap();
        assert_eq!((agent.as_str(), &*name.0, level), ("acme/ana", "lang:pt", 5));
        for bad in ["acme/ana", "acme/ana:lang:pt", "acme/ana:lang:pt=11", "ana:x=1"] {
            assert!(skill(bad).is_err(), "{bad}");
        }
    }
}
