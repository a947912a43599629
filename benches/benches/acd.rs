//! One ACD decision with 100 and with 10,000 agents, beside a scan over everybody.
//!
//! Two moments, each with its undoing, so that every round meets the same centre:
//! - `visit_comes`: nobody waits, half of the agents are free; a call comes and is offered; the caller hangs up.
//! - `agent_frees`: nobody is free, one call waits for every ten agents; a conversation ends, the agent is offered the
//!   best score and takes it; a new call joins the line.
//!
//! `scan` makes the same choice over plain lists, with no states, deadlines or outputs: the floor of a design without
//! groups. Agents have one of 40 skill profiles and serve 5 of 20 queues; calls ask for one of 10 languages.

use acd::{Acd, Agent, Config, Input, OfferResult, Output, Queue, Strategy};
use base::{AgentId, CallId, Instant, Now, OfferId, QueueId, Random, Requirement, Skill, Skills, VisitId};
use criterion::{BatchSize, BenchmarkId, Criterion, criterion_group, criterion_main};
use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

const SIZES: [u32; 2] = [100, 10_000];
const STEP: Duration = Duration::from_millis(10);

fn queue(n: u64) -> QueueId {
    format!("t/q{}", n % 20).parse().unwrap()
}

fn agent(n: u32) -> AgentId {
    format!("t/a{n}").parse().unwrap()
}

fn skills(profile: u64) -> Skills {
    let language = |n: u64| (Skill::new(&format!("lang:{}", n % 10)), 3 + (profile / 10) as u8);
    Skills::from([language(profile), language(profile + 3)])
}

fn asks(n: u64) -> Requirement {
    format!("lang:{} >= 3", n % 10).parse().unwrap()
}

fn config(agents: u32) -> Config {
    let minutes = |m: u64| Duration::from_secs(60 * m);
    let q = Queue {
        requires: Requirement::default(),
        strategy: Strategy::LongestIdle,
        weight: 1,
        ring: minutes(60),
        wrap_up: Duration::ZERO,
        overflow_after: None,
        overflow_to: None,
        capacity: usize::MAX,
        announce_every: None,
        threshold: Duration::from_secs(20),
        short_abandon: Duration::from_secs(5),
        join_empty: true,
        retry_delay: minutes(1),
    };
    let mut config = Config { queues: (0..20).map(|n| (queue(n), q.clone())).collect(), ..Config::default() };
    for n in 0..agents {
        let profile = u64::from(n) % 40;
        let queues = (0..5).map(|k| queue(profile / 8 + k * 4)).collect();
        config.agents.insert(agent(n), Agent { skills: skills(profile), queues, starts_logged_in: true, max_misses: 3 });
    }
    config
}

/// The ACD with its clock and a supply of calls.
#[derive(Clone)]
struct Centre {
    acd: Acd,
    now: Now,
    random: Random,
    calls: u32,
    out: Vec<Output>,
}

impl Centre {
    fn new(agents: u32) -> Self {
        let mut centre =
            Centre { acd: Acd::new(7), now: Now::default(), random: Random::from_seed(7), calls: 0, out: Vec::new() };
        centre.feed(Input::Configure(Arc::new(config(agents))));
        (0..agents).for_each(|n| centre.feed(Input::Reachable { agent: agent(n), reachable: true }));
        centre
    }

    fn feed(&mut self, input: Input) {
        self.out.clear();
        self.now = self.now.plus(STEP);
        self.acd.handle(self.now, input, &mut self.out);
    }

    fn call_comes(&mut self) -> VisitId {
        self.calls += 1;
        let visit = VisitId { call: CallId { node: 1, epoch: 1, n: self.calls }, n: 1 };
        let (queue, requires) = (queue(self.random.below(20)), asks(self.random.below(10)));
        self.feed(Input::Enqueue { visit, queue, requires, priority_s: 0, waited: Duration::ZERO, lang: None, party: None });
        visit
    }

    fn offered(&self) -> Option<OfferId> {
        self.out.iter().find_map(|o| if let Output::Offer { offer, .. } = o { Some(*offer) } else { None })
    }

    fn accept(&mut self, offer: OfferId) {
        self.feed(Input::OfferResult { offer, result: OfferResult::Accepted });
    }

    /// Calls until so many agents talk.
    fn talking(mut self, agents: u32) -> Self {
        let mut busy = 0;
        while busy < agents {
            let visit = self.call_comes();
            match self.offered() {
                Some(offer) => {
                    self.accept(offer);
                    busy += 1;
                }
                None => self.feed(Input::Leave { visit, outcome: base::Outcome::Abandoned }),
            }
        }
        self
    }
}

/// The same people and calls as plain lists.
#[derive(Clone, Default)]
struct Scan {
    agents: Vec<(Skills, Vec<QueueId>, Option<Instant>)>,
    visits: Vec<(QueueId, Requirement, Instant, i64)>,
}

impl Scan {
    fn new(agents: u32, free: impl Fn(usize) -> bool, waiting: u32) -> Self {
        let mut random = Random::from_seed(7);
        let people = config(agents).agents.into_values().enumerate();
        let agents = people.map(|(n, a)| (a.skills, a.queues, free(n).then_some(Instant(n as u64)))).collect();
        let mut call = |n: u32| (queue(random.below(20)), asks(random.below(10)), Instant(u64::from(n)), 0);
        Scan { agents, visits: (0..waiting).map(&mut call).collect() }
    }

    fn longest_idle(&self, queue: &QueueId, asks: &Requirement) -> Option<usize> {
        let able =
            self.agents.iter().enumerate().filter(|(_, (s, q, free))| free.is_some() && q.contains(queue) && asks.met_by(s));
        able.min_by_key(|(_, (_, _, idle_since))| *idle_since).map(|(n, _)| n)
    }

    fn best_score(&self, agent: usize, now: Instant) -> Option<usize> {
        let (skills, queues, _) = &self.agents[agent];
        let able = self.visits.iter().enumerate().filter(|(_, (q, asks, ..))| queues.contains(q) && asks.met_by(skills));
        able.max_by_key(|(_, (_, _, entered, priority))| now.since(*entered).as_millis() as i64 + priority * 1_000)
            .map(|(n, _)| n)
    }
}

fn visit_comes(c: &mut Criterion) {
    let mut group = c.benchmark_group("acd/visit_comes");
    for agents in SIZES {
        let mut centre = Centre::new(agents).talking(agents / 2);
        group.bench_function(BenchmarkId::new("acd", agents), |b| {
            b.iter(|| {
                let visit = centre.call_comes();
                black_box(centre.offered());
                centre.feed(Input::Leave { visit, outcome: base::Outcome::Abandoned });
            })
        });
        let scan = Scan::new(agents, |n| n % 2 == 0, 0);
        let mut random = Random::from_seed(8);
        group.bench_function(BenchmarkId::new("scan", agents), |b| {
            let mut call = || (queue(random.below(20)), asks(random.below(10)));
            b.iter_batched(&mut call, |(queue, asks)| black_box(scan.longest_idle(&queue, &asks)), BatchSize::SmallInput)
        });
    }
    group.finish();
}

fn agent_frees(c: &mut Criterion) {
    let mut group = c.benchmark_group("acd/agent_frees");
    for agents in SIZES {
        let mut centre = Centre::new(agents).talking(agents);
        for _ in 0..agents / 10 {
            centre.call_comes();
        }
        let names: Vec<AgentId> = (0..agents).map(agent).collect();
        group.bench_function(BenchmarkId::new("acd", agents), |b| {
            b.iter(|| {
                let n = centre.random.below(names.len() as u64) as usize;
                centre.feed(Input::Released { agent: names[n].clone(), cause: base::Cause::AgentHungUp });
                if let Some(offer) = centre.offered() {
                    centre.accept(offer);
                }
                centre.call_comes();
                if let Some(offer) = centre.offered() {
                    centre.accept(offer);
                }
            })
        });
        let scan = Scan::new(agents, |_| false, agents / 10);
        let mut random = Random::from_seed(8);
        group.bench_function(BenchmarkId::new("scan", agents), |b| {
            let mut who = || random.below(u64::from(agents)) as usize;
            b.iter_batched(&mut who, |agent| black_box(scan.best_score(agent, Instant(1 << 40))), BatchSize::SmallInput)
        });
    }
    group.finish();
}

criterion_group!(benches, visit_comes, agent_frees);
criterion_main!(benches);
