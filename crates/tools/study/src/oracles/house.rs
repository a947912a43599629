//! The simplest centre: Poisson arrivals, exponential times, phones that answer at once, nothing after a conversation.

use crate::people::AtOnce;
use crate::stream::{Rate, Sort, Stream, Talk};
use crate::tally::Tally;
use crate::world::{Plan, World};
use acd::{Agent, Announce, Config, Queue, WrapUp, WrapUpMode};
use base::{AgentId, Instant, Now, QueueId, Skills};
use std::sync::Arc;
use std::time::Duration;

/// Batches of each run.
const BATCHES: u64 = 30;

/// Calls as they come: `rate` in calls a second, queues with equal chances.
pub fn poisson(seed: u64, rate: f64, talk: Duration, patience: Option<Duration>, queues: Vec<QueueId>) -> Stream {
    Stream::new(seed, Rate::steady(rate), queues.into_iter().map(Sort::of).collect(), Talk::Exponential(talk), patience)
}

pub fn queue_id(name: &str) -> QueueId {
    format!("study/{name}").parse().expect("the name is lower-case letters and digits")
}

/// A queue in which nothing but waiting happens.
pub fn queue() -> Queue {
    let wrap_up = WrapUp { mode: WrapUpMode::None, time: Duration::ZERO, cap: Duration::ZERO };
    let announce = Announce { every: None, position: false, wait: false };
    Queue { wrap_up, announce, capacity: usize::MAX, ..Queue::default() }
}

/// Logged in from the beginning.
pub fn agent(n: usize, skills: Skills, queues: Vec<QueueId>) -> (AgentId, Agent) {
    let id = format!("study/a{n:04}").parse().expect("the name is lower-case letters and digits");
    (id, Agent { skills, queues, starts_logged_in: true, ..Agent::default() })
}

/// One queue and `n` agents alike.
pub fn pooled(n: u32) -> Config {
    let id = queue_id("calls");
    let agents = (0..n as usize).map(|i| agent(i, Skills::new(), vec![id.clone()])).collect();
    Config { queues: [(id, queue())].into(), agents, ..Config::default() }
}

/// Runs until each batch has had `calls` / [`BATCHES`] arrivals on average; the first batch is not counted.
pub fn run(config: Config, callers: Stream, lines: Option<usize>, calls: u64, threshold: Duration, short: Duration) -> Tally {
    let length = Duration::from_secs_f64(calls as f64 / BATCHES as f64 / callers.rate());
    let mut tally = Tally::new(Instant::ZERO + length, length, BATCHES as usize, threshold, short);
    let plan = Plan { config: Arc::new(config), routing_seed: 1, start: Now::default(), lines, schedule: Vec::new() };
    // Who waits at the end must be seen to leave: the run goes on for half a batch.
    let end = tally.end() + length / 2;
    World::new(plan, callers, AtOnce, &mut tally).run(Some(end), &mut tally);
    tally
}

/// Calls until the memory of the beginning fades: the relaxation time of M/M/n, times ten for each batch.
pub fn enough(n: u32, a: f64, calls: u64) -> u64 {
    let relaxation = 1.0 / (f64::from(n).sqrt() - a.sqrt()).powi(2);
    calls.max((10.0 * relaxation * a) as u64 * BATCHES)
}
