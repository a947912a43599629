//! Days of every sort, to see whether the P90 is one.

use super::watch::Quotes;
use crate::oracles::house;
use crate::people::{Fate, Staff};
use crate::stream::{Rate, Sort, Stream, Talk};
use crate::world::{Plan, World};
use acd::{Ask, Config, Input, Queue};
use base::{AgentId, Cause, Instant, Need, Now, OfferId, Random, Requirement, Skill, Skills};
use std::sync::Arc;
use std::time::Duration;

/// A scenario: what is true of it, and how long it lasts.
pub struct Day {
    pub name: &'static str,
    config: Config,
    lines: fn(u64) -> Stream,
    schedule: Vec<(Instant, Input)>,
    phones: Phones,
    hours: u64,
}

impl Day {
    pub fn run(self, seed: u64) -> Quotes {
        let mut quotes = Quotes::default();
        let plan = Plan {
            config: Arc::new(self.config),
            routing_seed: seed,
            start: Now::default(),
            lines: None,
            schedule: self.schedule,
        };
        let phones = Phones { random: Random::from_seed(seed), ..self.phones };
        let end = Instant::ZERO + Duration::from_secs(3_600 * self.hours);
        World::new(plan, (self.lines)(seed), phones, &mut quotes).run(Some(end), &mut quotes);
        quotes
    }
}

/// Phones that ring for a while, and of which some are not answered.
struct Phones {
    random: Random,
    ring: Duration,
    missed_percent: u64,
}

impl Phones {
    fn at_once() -> Phones {
        Phones { random: Random::from_seed(0), ring: Duration::ZERO, missed_percent: 0 }
    }
}

impl Staff for Phones {
    fn rung(&mut self, _: OfferId, _: &AgentId) -> Fate {
        if self.ring.is_zero() {
            return Fate::Answers(Duration::ZERO);
        }
        if self.random.below(100) < self.missed_percent {
            return Fate::RingsOut;
        }
        Fate::Answers(self.ring / 2 + self.ring.mul_f64(self.random.unit()))
    }

    fn back_after_a_miss(&mut self, _: &AgentId) -> Option<Duration> {
        Some(Duration::from_secs(60))
    }
}

const MINUTE: Duration = Duration::from_secs(60);

fn calls() -> Vec<Sort> {
    vec![Sort::of(house::queue_id("calls"))]
}

fn plain(name: &'static str, agents: u32, hours: u64, lines: fn(u64) -> Stream) -> Day {
    Day { name, config: house::pooled(agents), lines, schedule: Vec::new(), phones: Phones::at_once(), hours }
}

/// Calls a second that load `agents` to this share, with conversations of three minutes.
fn load(agents: f64, share: f64) -> f64 {
    agents * share / 180.0
}

fn talk() -> Talk {
    Talk::Exponential(3 * MINUTE)
}

/// From a quiet morning over two peaks: a day of twenty-four hours.
fn of_the_day(t: Duration) -> f64 {
    let hour = t.as_secs_f64() / 3_600.0 % 24.0;
    let peak = |at: f64, wide: f64| (-((hour - at) / wide).powi(2)).exp();
    (0.25 + 0.75 * peak(11.0, 2.5) + 0.6 * peak(17.0, 1.5)).min(1.0)
}

/// Twenty minutes of twice the calls in every two hours.
fn in_waves(t: Duration) -> f64 {
    if t.as_secs() % 7_200 < 1_200 { 1.0 } else { 0.5 }
}

/// All of them.
pub fn days() -> Vec<Day> {
    let mut days = vec![
        plain("100 agents at 95 %", 100, 60, |s| Stream::new(s, Rate::steady(load(100.0, 0.95)), calls(), talk(), None)),
        plain("10 agents at 90 %", 10, 500, |s| Stream::new(s, Rate::steady(load(10.0, 0.9)), calls(), talk(), None)),
        plain("3 agents at 80 %", 3, 1_500, |s| Stream::new(s, Rate::steady(load(3.0, 0.8)), calls(), talk(), None)),
        plain("50 agents at 120 %, callers leave after 3 min", 50, 60, |s| {
            Stream::new(s, Rate::steady(load(50.0, 1.2)), calls(), talk(), Some(3 * MINUTE))
        }),
        plain("20 agents, two peaks a day", 20, 600, |s| {
            Stream::new(s, Rate { most: load(20.0, 1.15), share: of_the_day }, calls(), talk(), Some(5 * MINUTE))
        }),
        plain("20 agents, waves of twice the calls", 20, 200, |s| {
            Stream::new(s, Rate { most: load(20.0, 1.5), share: in_waves }, calls(), talk(), Some(10 * MINUTE))
        }),
        plain("15 agents at 92 %, no short conversations", 15, 300, |s| {
            let talk = Talk::AtLeast(2 * MINUTE, MINUTE);
            Stream::new(s, Rate::steady(load(15.0, 0.92)), calls(), talk, None)
        }),
        plain("15 agents at 90 %, one conversation in ten long", 15, 300, |s| {
            let talk = Talk::Mixed(2 * MINUTE, 12 * MINUTE, 10);
            Stream::new(s, Rate::steady(load(15.0, 0.9)), calls(), talk, None)
        }),
    ];
    days.extend([languages(), types(), priorities(), weights(), phones_that_ring(), shifts()]);
    days
}

fn skilled(skill: &str, level: u8) -> Requirement {
    Requirement::new([Need { skill: Skill::new(skill), at_least: level }])
}

/// One queue, three languages, of which one is rare among callers and agents.
fn languages() -> Day {
    let id = house::queue_id("calls");
    let speaks = |langs: &[&str]| -> Skills { langs.iter().map(|l| (Skill::new(l), 5)).collect() };
    let agent = |i: usize| {
        let skills = match i % 10 {
            0..=4 => speaks(&["es"]),
            5 | 6 => speaks(&["en", "es"]),
            7 | 8 => speaks(&["en"]),
            _ => speaks(&["pt", "es"]),
        };
        house::agent(i, skills, vec![id.clone()])
    };
    let config =
        Config { queues: [(id.clone(), house::queue())].into(), agents: (0..30).map(agent).collect(), ..Config::default() };
    let lines = |seed| {
        let sort = |weight, lang| Sort { weight, requires: skilled(lang, 1), ..Sort::of(house::queue_id("calls")) };
        let sorts = vec![sort(62, "es"), sort(30, "en"), sort(8, "pt")];
        Stream::new(seed, Rate::steady(load(30.0, 0.9)), sorts, talk(), Some(10 * MINUTE))
    };
    let name = "30 agents, three languages in one queue";
    Day { name, config, lines, schedule: Vec::new(), phones: Phones::at_once(), hours: 200 }
}

/// Six queues, each agent in two.
fn types() -> Day {
    let queue_id = |n: usize| house::queue_id(&format!("type{n}"));
    let agent = |i: usize| house::agent(i, Skills::new(), vec![queue_id(i % 6), queue_id((i % 6 + 1 + i / 6 % 5) % 6)]);
    let config = Config {
        queues: (0..6).map(|n| (queue_id(n), house::queue())).collect(),
        agents: (0..36).map(agent).collect(),
        ..Config::default()
    };
    let lines = |seed| {
        let sorts = (0..6).map(|n| Sort { weight: 10 + 2 * n, ..Sort::of(house::queue_id(&format!("type{n}"))) }).collect();
        Stream::new(seed, Rate::steady(load(36.0, 0.93)), sorts, talk(), Some(10 * MINUTE))
    };
    Day {
        name: "36 agents in two of six queues each",
        config,
        lines,
        schedule: Vec::new(),
        phones: Phones::at_once(),
        hours: 200,
    }
}

fn priorities() -> Day {
    plain("20 agents at 95 %, one caller in eight goes first", 20, 300, |s| {
        let sort = |weight, priority_s| Sort { weight, priority_s, ..Sort::of(house::queue_id("calls")) };
        Stream::new(s, Rate::steady(load(20.0, 0.95)), vec![sort(7, 0), sort(1, 600)], talk(), Some(15 * MINUTE))
    })
}

/// Two queues of the same agents, of which one ages three times as fast.
fn weights() -> Day {
    let ids = [house::queue_id("gold"), house::queue_id("iron")];
    let queue = |weight| Queue { weight, ..house::queue() };
    let config = Config {
        queues: [(ids[0].clone(), queue(3)), (ids[1].clone(), queue(1))].into(),
        agents: (0..20).map(|i| house::agent(i, Skills::new(), ids.to_vec())).collect(),
        ..Config::default()
    };
    let lines = |seed| {
        let sort = |weight, name: &str| Sort { weight, ..Sort::of(house::queue_id(name)) };
        let rate = Rate { most: load(20.0, 1.3), share: of_the_day };
        Stream::new(seed, rate, vec![sort(1, "gold"), sort(2, "iron")], talk(), Some(10 * MINUTE))
    };
    let name = "20 agents, two queues of unequal weight";
    Day { name, config, lines, schedule: Vec::new(), phones: Phones::at_once(), hours: 500 }
}

fn phones_that_ring() -> Day {
    let phones = Phones { ring: Duration::from_secs(8), missed_percent: 4, ..Phones::at_once() };
    let day = plain("25 agents, phones ring 8 s, 4 % are missed", 25, 300, |s| {
        Stream::new(s, Rate { most: load(25.0, 1.05), share: of_the_day }, calls(), talk(), Some(5 * MINUTE))
    });
    Day { phones, ..day }
}

/// A third of the agents leaves for two hours in every six.
fn shifts() -> Day {
    let config = house::pooled(30);
    let leave: Vec<AgentId> = config.agents.keys().take(10).cloned().collect();
    let at = |hour: u64| Instant::ZERO + Duration::from_secs(3_600 * hour);
    let asks = |hour: u64| {
        let ask = if hour % 6 == 3 { Ask::LogOut } else { Ask::LogIn };
        let asks = |agent: &AgentId| Input::AgentAsked { agent: agent.clone(), ask: ask.clone(), cause: Cause::Requested };
        leave.iter().map(|agent| (at(hour), asks(agent))).collect::<Vec<_>>()
    };
    let schedule = (0..300).filter(|h| h % 6 == 3 || (h % 6 == 5)).flat_map(asks).collect();
    let day = plain("30 agents, a third of them away for two hours in six", 30, 300, |s| {
        Stream::new(s, Rate::steady(load(30.0, 0.75)), calls(), talk(), Some(5 * MINUTE))
    });
    Day { config, schedule, ..day }
}
