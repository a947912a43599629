//! A day that is simulated and told as facts: its patience and handling times are known, the log's reader knows them
//! only as far as the log tells.

use acd::{Agent, Ask, Config, Input, Output, Queue, WrapUp, WrapUpMode};
use base::fact::{About, Fact, Logged, What};
use base::{AgentId, Cause, Instant, Lang, Now, OfferId, QueueId, Random, Requirement, Skill, Wall};
use std::sync::Arc;
use std::time::Duration;
use study::whatif::fact_of;
use study::{Caller, Fate, Plan, Rate, Sort, Staff, Stream, Talk, Watch, World};

pub const SITE: &str = "the-hash-of-the-site";

#[derive(Clone, Copy)]
pub struct Truth {
    pub agents: usize,
    pub hours: u64,
    /// Half the agents speak the one language, half the other.
    pub mixed: bool,
}

impl Default for Truth {
    fn default() -> Self {
        Truth { agents: 12, hours: 40, mixed: false }
    }
}

pub struct Told {
    pub config: Config,
    pub epochs: Vec<Vec<Logged>>,
}

impl Told {
    /// The same once more by another tenant, at the same moments.
    pub fn with_a_twin_tenant(mut self) -> Told {
        fn twin<T: serde::Serialize + serde::de::DeserializeOwned>(of: &T) -> T {
            let text = serde_json::to_string(of).unwrap().replace("acme/", "globex/").replace("\"1-1-", "\"2-1-");
            serde_json::from_str(&text).unwrap()
        }
        let other: Config = twin(&self.config);
        self.config.queues.extend(other.queues);
        self.config.agents.extend(other.agents);
        for facts in &mut self.epochs {
            let node = |l: &&Logged| matches!(l.fact.what, What::NodeStarted { .. } | What::ConfigLoaded { .. });
            let others: Vec<Logged> = facts.iter().filter(|l| !node(l)).map(twin).collect();
            facts.extend(others);
            facts.sort_by_key(|l| l.fact.now.mono);
        }
        self
    }
}

const MINUTE: Duration = Duration::from_secs(60);

fn queue() -> QueueId {
    "acme/soporte".parse().unwrap()
}

impl Truth {
    pub fn tell(self, seed: u64) -> Told {
        let config = self.config();
        let start = Now { mono: Instant(5_000_000_000), wall: Wall(1_795_000_000_000_000) };
        let mut scribe = Scribe { config: config.clone(), facts: Vec::new() };
        let node = What::NodeStarted { boot_id: "b".into(), version: base::fact::VERSION, queues: vec![queue()] };
        scribe.write(Fact { now: start, about: About::default(), what: node });
        let loaded = What::ConfigLoaded { site_sha256: SITE.into(), who: None };
        scribe.write(Fact { now: start, about: About::default(), what: loaded });
        let plan = Plan {
            schedule: self.schedule(&config, start.mono),
            config: Arc::new(config.clone()),
            routing_seed: seed,
            start,
            lines: None,
        };
        let callers = Callers(self.stream(seed), start.mono);
        let mut world = World::new(plan, callers, Phones(Random::from_seed(seed)), &mut scribe);
        world.run(Some(start.mono + Duration::from_secs(3_600 * self.hours)), &mut scribe);
        Told { config, epochs: vec![scribe.facts] }
    }

    fn config(self) -> Config {
        let wrap_up = WrapUp { mode: WrapUpMode::Timed, time: Duration::from_secs(15), cap: 5 * MINUTE };
        let of_queue = Queue { wrap_up, ring: Duration::from_secs(15), ..Queue::default() };
        let agent = |n: usize| {
            let both = [("lang:en", 5), ("lang:es", 5)];
            let speaks = if !self.mixed { &both[..] } else { &both[n * 2 / self.agents..][..1] };
            let skills = speaks.iter().map(|(skill, level)| (Skill::new(skill), *level)).collect();
            let id: AgentId = format!("acme/a{n:02}").parse().unwrap();
            (id, Agent { skills, queues: vec![queue()], starts_logged_in: true, rank: n as u32, ..Agent::default() })
        };
        Config { queues: [(queue(), of_queue)].into(), agents: (0..self.agents).map(agent).collect(), ..Config::default() }
    }

    /// Everybody has a break of half an hour in every four hours, one after the other.
    fn schedule(self, config: &Config, start: Instant) -> Vec<(Instant, Input)> {
        let mut schedule = Vec::new();
        for (n, agent) in config.agents.keys().enumerate() {
            for round in 0..self.hours / 4 {
                let at = start + Duration::from_secs(14_400 * round + 1_150 * (n as u64 % 12) + 100);
                let asks = |ask| Input::AgentAsked { agent: agent.clone(), ask, cause: Cause::Requested };
                schedule.push((at, asks(Ask::Pause { reason: "break".into() })));
                schedule.push((at + 30 * MINUTE, asks(Ask::Ready)));
            }
        }
        schedule
    }

    fn stream(self, seed: u64) -> Stream {
        let sort = |weight, lang: &str| {
            let requires: Requirement = format!("{lang} >= 1").parse().unwrap();
            Sort { weight, requires, ..Sort::of(queue()) }
        };
        let sorts = vec![sort(7, "lang:es"), sort(3, "lang:en")];
        let talk = Talk::AtLeast(MINUTE, 2 * MINUTE);
        Stream::new(seed, Rate { most: 12.0 / 195.0, share: waves }, sorts, talk, Some(3 * MINUTE))
    }
}

fn waves(t: Duration) -> f64 {
    if t.as_secs() % 7_200 < 2_400 { 1.0 } else { 0.7 }
}

/// From the day's first moment on, with a language each.
struct Callers(Stream, Instant);

impl Iterator for Callers {
    type Item = Caller;
    fn next(&mut self) -> Option<Caller> {
        let caller = self.0.next()?;
        let spanish = caller.requires.needs().iter().any(|need| &*need.skill.0 == "lang:es");
        let lang = Some(if spanish { Lang::ES } else { Lang::EN });
        Some(Caller { at: self.1 + caller.at.since(Instant::ZERO), lang, ..caller })
    }
}

struct Phones(Random);

impl Staff for Phones {
    fn rung(&mut self, _: OfferId, _: &AgentId) -> Fate {
        match self.0.below(100) {
            0 | 1 => Fate::RingsOut,
            2 => Fate::Rejects(Duration::from_secs(2), Cause::Declined),
            _ => Fate::Answers(Duration::from_millis(2_000 + self.0.below(4_000))),
        }
    }

    fn back_after_a_miss(&mut self, _: &AgentId) -> Option<Duration> {
        Some(2 * MINUTE)
    }
}

struct Scribe {
    config: Config,
    facts: Vec<Logged>,
}

impl Scribe {
    fn write(&mut self, fact: Fact) {
        self.facts.push(Logged { epoch: 3, seq: self.facts.len() as u64 + 1, fact });
    }
}

impl Watch for Scribe {
    fn output(&mut self, now: Now, output: &Output, caller: Option<&Caller>) {
        if let Some(fact) = fact_of(&self.config, now, output, caller) {
            self.write(fact);
        }
    }
}
