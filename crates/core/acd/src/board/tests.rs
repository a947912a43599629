//! The board's picks against a walk over everybody.

use super::*;
use crate::agent::AgentKey;
use crate::queue::Queue;
use crate::seats::{Seat, Standing};
use crate::visit::VisitKey;
use crate::{Config, Queue as QueueConfig, Strategy};
use base::{AgentState, CallId, Instant, Random, Skill, Skills, VisitId};
use std::time::Duration;

const STRATEGIES: [Strategy; 7] = [
    Strategy::LongestIdle,
    Strategy::MostSkilled,
    Strategy::LeastSkilled,
    Strategy::FewestCalls,
    Strategy::LeastOccupied,
    Strategy::RoundRobin,
    Strategy::TopDown,
];

/// Free agents of many skills, and visits that ask for them.
struct Hall {
    random: Random,
    board: Board,
    queue: Queue,
    /// By their keys: profile and standing; kind and place.
    agents: Vec<(usize, Standing)>,
    visits: Vec<(usize, Place)>,
    now: Instant,
}

fn skills(random: &mut Random) -> Skills {
    let some = ["a", "b", "c"].into_iter().filter(|_| random.below(3) > 0).map(Skill::new).collect::<Vec<_>>();
    some.into_iter().map(|skill| (skill, 1 + random.below(4) as u8)).collect()
}

impl Hall {
    fn new(seed: u64) -> Hall {
        let mut config = Config::default();
        for (n, strategy) in STRATEGIES.into_iter().enumerate() {
            config.queues.insert(format!("t/q{n}").parse().unwrap(), QueueConfig { strategy, ..QueueConfig::default() });
        }
        let settings = QueueConfig { strategy: Strategy::MostSkilled, ..QueueConfig::default() };
        let queue = Queue::new("t/q".parse().unwrap(), settings, &Default::default());
        let (random, board, now) = (Random::from_seed(seed), Board::new(Orders::of(&config)), Instant(10_000));
        let mut hall = Hall { random, board, queue, agents: Vec::new(), visits: Vec::new(), now };
        (0..60).for_each(|_| hall.add_agent());
        (0..60).for_each(|_| hall.add_visit());
        hall
    }

    fn add_agent(&mut self) {
        let traits = Traits::new(skills(&mut self.random), vec![QueueKey(0)], Vec::new());
        let profile = self.board.join_profile(&traits, AgentState::Available);
        let below = |random: &mut Random, n| random.below(n);
        let login = below(&mut self.random, 5_000);
        let seat = Seat { key: 0, idle_since: Instant(below(&mut self.random, 50)), lot: 0, agent: AgentKey(self.agents.len()) };
        let standing = Standing {
            seat,
            calls: below(&mut self.random, 5) as u32,
            offered: Instant(below(&mut self.random, 9)),
            rank: below(&mut self.random, 4) as u32,
            busy: below(&mut self.random, 6) * 700,
            login: Instant(login),
            may_dial: self.random.below(2) == 0,
        };
        self.board.seat(profile, &standing, self.now);
        self.agents.push((profile, standing));
    }

    fn add_visit(&mut self) {
        let asks = skills(&mut self.random).into_iter().take(1).map(|(skill, at_least)| base::Need { skill, at_least });
        let (asks, dials) = (Requirement::new(asks), self.random.below(4) == 0);
        let kind = self.board.join(&Sort { queue: QueueKey(0), asks: &asks, step: 0, dials }, &self.queue);
        let (n, key) = (self.visits.len() as u32, VisitKey(self.visits.len()));
        let id = VisitId { call: CallId { node: 1, epoch: 1, n }, n: 1 };
        let entered = Instant(self.random.below(40));
        let place = Place::new(id, key, entered, Duration::ZERO, 0, self.queue.weight());
        self.board.set_open(kind, place, true);
        self.visits.push((kind, place));
    }

    fn fits(&self, kind: usize, profile: usize) -> bool {
        self.board.asked(kind).met_by(&self.board.profiles[profile].traits.skills)
    }

    /// What the strategy compares, by hand; of equals the longest idle.
    fn rank(&self, kind: usize, strategy: Strategy, (profile, s): &(usize, Standing)) -> (u128, usize, Instant, AgentKey) {
        let has = &self.board.profiles[*profile].traits.skills;
        let asked = self.board.asked_at_first(kind).needs();
        let level: u128 = asked.iter().map(|need| u128::from(has.get(&need.skill).copied().unwrap_or(0))).sum();
        let (value, then) = match strategy {
            Strategy::MostSkilled => (1_000 - level, 0),
            Strategy::LeastSkilled => (level, has.len()),
            Strategy::FewestCalls => (u128::from(s.calls), 0),
            Strategy::LeastOccupied => ((u128::from(s.busy) << 60) / u128::from(self.now.0 - s.login.0), 0),
            Strategy::RoundRobin => (u128::from(s.offered.0), 0),
            Strategy::TopDown => (u128::from(s.rank), 0),
            _ => (0, 0),
        };
        (value, then, s.seat.idle_since, s.seat.agent)
    }
}

#[test]
fn every_strategy_puts_first_whom_a_walk_over_all_free_agents_finds() {
    for seed in 0..20 {
        let mut hall = Hall::new(seed);
        for kind in 0..hall.board.kinds.slots() {
            let able: Vec<_> = hall.agents.iter().filter(|(profile, _)| hall.fits(kind, *profile)).copied().collect();
            let (refused, others) = able.split_at(able.len() / 8);
            let barred: Barred = refused.iter().map(|(profile, s)| (*profile, s.seat)).collect();
            for strategy in STRATEGIES {
                let few = hall.board.best_agents(kind, strategy, &barred, hall.now);
                let mut all: Vec<_> = others.iter().map(|agent| hall.rank(kind, strategy, agent)).collect();
                all.sort_unstable();
                let expected: Vec<AgentKey> = all.iter().take(crate::SHOWN).map(|(.., agent)| *agent).collect();
                let found: Vec<AgentKey> = few.best.iter().map(|rated| rated.seat.agent).collect();
                assert_eq!((found, few.of), (expected, others.len()), "{strategy:?}, seed {seed}");
            }
            let mut all = Vec::new();
            hall.board.all_agents(kind, &barred, &mut all);
            let everybody: Vec<AgentKey> = all.iter().map(|rated| rated.seat.agent).collect();
            let mut expected: Vec<_> = others.iter().map(|(_, s)| (s.seat.idle_since, s.seat.agent)).collect();
            expected.sort_unstable();
            assert!(everybody.iter().eq(expected.iter().map(|(_, agent)| agent)));
            let drawn = hall.board.any_agent(kind, &barred, others.len(), &mut hall.random).map(|seat| seat.agent);
            assert_eq!(drawn.is_some(), !others.is_empty());
            assert!(drawn.is_none_or(|drawn| others.iter().any(|(_, s)| s.seat.agent == drawn)));
            let dialler = able.iter().filter(|(_, s)| s.may_dial).map(|(_, s)| (s.seat.idle_since, s.seat.agent)).min();
            assert_eq!(hall.board.dialler(kind), dialler.map(|(_, agent)| agent));
        }
    }
}

#[test]
fn an_agent_finds_the_visits_that_a_walk_over_all_finds() {
    for seed in 0..20 {
        let hall = Hall::new(seed);
        for (profile, standing) in &hall.agents {
            let barred = |visit: VisitKey| visit.0 % 7 == 3;
            let fits = hall.visits.iter().filter(|(kind, place)| {
                let dialled = hall.board.kinds[*kind].dials && !standing.may_dial;
                hall.fits(*kind, *profile) && !dialled && !barred(place.visit)
            });
            let mut places: Vec<Place> = fits.map(|(_, place)| *place).collect();
            places.sort_unstable();
            let few = hall.board.best_visits_but(*profile, standing.may_dial, barred, hall.now);
            let expected = places.iter().take(crate::SHOWN).map(|place| place.visit);
            assert!(few.best.iter().map(|head| head.visit).eq(expected), "seed {seed}");
            let all = hall.board.best_visits_but(*profile, standing.may_dial, |_| false, hall.now);
            let firsts = hall.board.best_visits(*profile, standing.may_dial, hall.now);
            assert_eq!((firsts.best, firsts.of), (all.best, all.of), "seed {seed}");
        }
    }
}
