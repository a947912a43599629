//! Many days from many seeds: after every input the audit is empty and the ledger agrees.

mod day;
mod ledger;

use acd::{Agent, Caller, Config, Input, OfferResult, Queue, Strategy};
use base::{Cause, Outcome, Requirement};
use day::Day;
use day::site::{agent, queue, secs};
use std::sync::Arc;
use std::time::Duration;

const INPUTS: usize = 300;

/// Prints the seed of the day that failed.
fn days<T>(seeds: std::ops::Range<u64>, each: impl Fn(u64) -> T + std::panic::UnwindSafe + Copy) -> Vec<T> {
    let run = |seed| {
        std::panic::catch_unwind(move || each(seed)).unwrap_or_else(|panic| {
            eprintln!("the seed was {seed}");
            std::panic::resume_unwind(panic)
        })
    };
    seeds.map(run).collect()
}

/// What some of the days must bring, or they prove nothing about it.
const MET: [&str; 42] = [
    "rule: Sticky",
    "rule: BestScore",
    "early: false",
    "early: true",
    "Strategy(LongestIdle)",
    "Strategy(MostSkilled)",
    "Strategy(LeastSkilled)",
    "Strategy(FewestCalls)",
    "Strategy(LeastOccupied)",
    "Strategy(RoundRobin)",
    "Strategy(Random)",
    "Strategy(RingAll)",
    "Strategy(TopDown)",
    "cause: Closed }",
    "cause: QueueFull }",
    "cause: NoAgents }",
    "cause: Dissuaded }",
    "end: Accepted",
    "end: Rejected",
    "end: TimedOut",
    "end: Cancelled",
    "end: Withdrawn",
    "outcome: Answered",
    "outcome: Abandoned",
    "outcome: Overflowed",
    "outcome: Timeout",
    "outcome: NoAgents",
    "outcome: System",
    "cause: Some(BySupervisor)",
    "cause: Some(OwnCall)",
    "cause: Transferred",
    "state: Engaged",
    "state: WrapUp",
    "state: Holding",
    "state: Ringing",
    "state: Unreachable",
    "reason: Some(\"no_answer\")",
    "AskKept",
    "AskRefused",
    "Coded",
    "Announce",
    "CallCustomer",
];

#[test]
fn the_invariants_hold_after_every_input_of_many_days() {
    let told = days(0..100, |seed| Day::new(seed).run(INPUTS));
    let missing: Vec<_> = MET.into_iter().filter(|met| !told.iter().any(|day| day.contains(met))).collect();
    assert_eq!(missing, [""; 0], "no day brought this");
}

#[test]
fn the_same_seed_gives_the_same_decisions_byte_for_byte() {
    days(0..8, |seed| assert!(Day::new(seed).run(INPUTS) == Day::new(seed).run(INPUTS)));
}

/// One queue, no skills, three agents who always answer.
fn plain_site(day: &mut Day) {
    let settings = Queue { ring: secs(1_000), wrap_up: day.wrap_up(), capacity: 1_000, ..Queue::default() };
    let settings =
        Queue { weight: day.up_to(3) as u32, strategy: day.one_of(&[Strategy::LongestIdle, Strategy::Random]), ..settings };
    let a = Agent { queues: vec![queue(0)], starts_logged_in: true, ..Agent::default() };
    let agents = (0..3).map(|n| (agent(n), a.clone())).collect();
    day.config = Arc::new(Config { queues: [(queue(0), settings)].into(), agents, ..Config::default() });
    day.feed(Input::Configure(day.config.clone()));
    (0..3).for_each(|n| day.feed(Input::Reachable { agent: agent(n), reachable: true }));
}

fn plain_input(day: &mut Day) -> Input {
    match day.random.below(10) {
        0..4 => match day.enqueue() {
            Input::Enqueue { visit, lang, .. } => Input::Enqueue {
                visit,
                queue: queue(0),
                requires: Requirement::default(),
                priority_s: 0,
                waited: Duration::ZERO,
                lang,
                party: None,
                caller: Caller::OnTheLine,
            },
            other => other,
        },
        4..7 => match day.ledger.live_offers().first() {
            Some(offer) => Input::OfferResult { offer: *offer, result: OfferResult::Accepted },
            None => Input::Due,
        },
        7 => Input::Leave { visit: day.a_visit(), outcome: Outcome::Abandoned, cut_off: None },
        _ => Input::Released { agent: agent(day.random.below(3)), cause: Cause::Requested },
    }
}

#[test]
fn one_queue_with_one_skill_is_first_come_first_served() {
    days(0..50, |seed| {
        let mut day = Day::new(seed);
        plain_site(&mut day);
        let mut last = 0;
        for _ in 0..INPUTS {
            let input = plain_input(&mut day);
            day.feed(input);
            let millis = day.random.below(3_000);
            day.wait(Duration::from_millis(millis));
            for offer in day.ledger.take_sent() {
                assert!(offer.visit.call.n > last, "{offer} after call {last}");
                last = offer.visit.call.n;
            }
        }
        assert!(last > 20, "only {last} calls were offered");
    });
}
