//! `centralita whatif`: the calls of a journal's epoch against another site, beside what happened.

use super::{Done, Failure};
use crate::load;
use crate::replay::{CannotReplay, Replay, Sources, facts};
use acd::{Config, Strategy};
use base::fact::{Logged, What};
use base::{AgentId, QueueId, Skill};
use clap::Args;
use metrics::Formula;
use serde::Deserialize;
use serde::de::IntoDeserializer;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use study::whatif::{Change, Question};

#[derive(Args, Clone, Debug)]
pub struct Options {
    /// The journal, such as data/journal/00000003.jnl
    journal: PathBuf,
    /// The site as it would be
    #[arg(long, value_name = "FILE")]
    site: Option<PathBuf>,
    /// So many agents more, or fewer, of the profile that most of those who worked have
    #[arg(long, value_name = "N", allow_hyphen_values = true, default_value_t = 0)]
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
    #[arg(long, default_value_t = 20)]
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

pub fn run(options: &Options, as_json: bool, out: &mut dyn Write) -> Done {
    let refused = |error: String| Failure::Refused { error, expected: String::new() };
    let sources = Sources { journal: options.journal.clone(), data: options.data.clone(), sites: options.was.clone() };
    let facts = facts_of(&sources).map_err(|e| refused(e.to_string()))?;
    let sites = sites_of(&sources, &facts).map_err(|e| refused(e.to_string()))?;
    let change = options.change()?;
    let question = Question { facts: &facts, sites: &sites, change: &change, seeds: options.seeds, formula: options.formula };
    let answer =
        question.answer().map_err(|error| Failure::Usage { error, expected: "a change that this day can take".into() })?;
    if as_json {
        let rendered = serde_json::to_value(&answer).map_err(|e| refused(e.to_string()))?;
        writeln!(out, "{rendered:#}")?;
    } else {
        write!(out, "{answer}")?;
    }
    Ok(())
}

impl Options {
    fn change(&self) -> Result<Change, Failure> {
        let load = |path: &PathBuf| load::load(path).map(|loaded| loaded.setup.site.acd());
        let site = self.site.as_ref().map(load).transpose();
        let site = site.map_err(|error| Failure::Refused { error: error.to_string(), expected: String::new() })?;
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
}

/// From the log; where there is none, by a replay.
fn facts_of(sources: &Sources) -> Result<Vec<Logged>, CannotReplay> {
    let (header, ..) = shell_store::journal::read_journal::<crate::node::birth::Birth, engine::Entry>(&sources.journal)?;
    if let Some(logged) = facts(&sources.data(), header.epoch)?.filter(|logged| !logged.is_empty()) {
        return Ok(logged);
    }
    let mut said = Vec::new();
    let epoch = header.epoch;
    Replay::open(sources)?.run(|fact| said.push(Logged { epoch, seq: said.len() as u64 + 1, fact: fact.clone() }))?;
    Ok(said)
}

fn sites_of(sources: &Sources, facts: &[Logged]) -> Result<BTreeMap<String, Config>, CannotReplay> {
    let mut sites = BTreeMap::new();
    for logged in facts {
        let What::ConfigLoaded { site_sha256, .. } = &logged.fact.what else { continue };
        if !sites.contains_key(site_sha256) {
            let bytes = unhex(site_sha256).ok_or_else(|| CannotReplay::NoSite(site_sha256.clone()))?;
            sites.insert(site_sha256.clone(), sources.setup(&bytes)?.site.acd());
        }
    }
    Ok(sites)
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    let byte = |i: usize| u8::from_str_radix(text.get(2 * i..2 * i + 2)?, 16).ok();
    let bytes: Option<Vec<u8>> = (0..32).map(byte).collect();
    bytes?.try_into().ok().filter(|_| text.len() == 64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_reads_as_it_is_written() {
        assert_eq!(strategy("most_skilled"), Ok(Strategy::MostSkilled));
        assert!(strategy("most").unwrap_err().contains("longest_idle, most_skilled"));
        let (agent, name, level) = skill("acme/ana:lang:pt=5").unwrap();
        assert_eq!((agent.as_str(), &*name.0, level), ("acme/ana", "lang:pt", 5));
        for bad in ["acme/ana", "acme/ana:lang:pt", "acme/ana:lang:pt=11", "ana:x=1"] {
            assert!(skill(bad).is_err(), "{bad}");
        }
        assert_eq!(unhex(&"0f".repeat(32)), Some([15; 32]));
        assert_eq!(unhex("0f"), None);
    }
}
