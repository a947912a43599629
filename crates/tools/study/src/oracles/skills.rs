//! Six types of call, ninety agents, thirty places to wait: what skills are worth.
//!
//! 84 Erlangs, ten minutes a call. All 120 lines taken turns a call away, whoever it is for, as a trunk does. The agents
//! have their types dealt evenly: fifteen have each as the first, and the second and third go round the other five.

use super::{Effort, house};
use crate::erlang::bounded;
use crate::judge::Row;
use acd::{Config, Queue, Strategy};
use base::{Need, QueueId, Requirement, Skill, Skills};
use std::time::Duration;

const TYPES: usize = 6;
const AGENTS: usize = 90;
const LINES: usize = 120;
const LOAD: f64 = 84.0;
const MINUTES: u64 = 10;

/// Skills an agent has, which agent a call prefers, the mean wait in minutes, its digits.
const TABLE: [(usize, Strategy, &str, f64, i32); 5] = [
    (1, Strategy::LongestIdle, "1 skill", 3.05, 2),
    (2, Strategy::MostSkilled, "2 skills, primary first", 0.59, 2),
    (2, Strategy::LongestIdle, "2 skills, first come", 0.55, 2),
    (3, Strategy::LongestIdle, "3 skills", 0.48, 2),
    (6, Strategy::LongestIdle, "6 skills", 0.4495, 4),
];

pub fn rows(effort: Effort, rows: &mut Vec<Row>) {
    let calls = effort.calls(500_000, 4_000_000);
    for (i, (skills, strategy, name, wait, digits)) in TABLE.into_iter().enumerate() {
        let queues: Vec<QueueId> = (0..TYPES).map(queue_id).collect();
        let talk = Duration::from_secs(60 * MINUTES);
        let callers = house::poisson(300 + i as u64, LOAD / talk.as_secs_f64(), talk, None, queues);
        let tally = house::run(config(skills, strategy), callers, Some(LINES), calls, Duration::ZERO, Duration::ZERO);
        let measured = tally.figure(|b| (b.waited_answered / 60.0, b.sums.answered as f64));
        rows.push(Row::new(format!("Skills, {name}: mean wait, minutes"), wait, &measured).rounded(digits));
        if skills == TYPES {
            let (blocked, wait) = bounded(AGENTS as u32, LINES as u32, LOAD);
            rows.push(Row::new("Skills, pooled M/M/90/120: mean wait, minutes", wait * MINUTES as f64, &measured));
            let turned_away = tally.figure(|b| (b.turned_away as f64, b.came as f64));
            rows.push(Row::new("Skills, pooled M/M/90/120: turned away", blocked, &turned_away));
        }
    }
}

fn queue_id(n: usize) -> QueueId {
    house::queue_id(&format!("type{n}"))
}

fn skill(n: usize) -> Skill {
    Skill::new(&format!("type{n}"))
}

fn config(skills: usize, strategy: Strategy) -> Config {
    let queue = |n: usize| {
        let requires = Requirement::new([Need { skill: skill(n), at_least: 1 }]);
        (queue_id(n), Queue { requires, strategy, ..house::queue() })
    };
    let agent = |i: usize| {
        let has = dealt(i, skills);
        let levels: Skills = has.iter().enumerate().map(|(rank, n)| (skill(*n), if rank == 0 { 10 } else { 5 })).collect();
        house::agent(i, levels, has.into_iter().map(queue_id).collect())
    };
    Config { queues: (0..TYPES).map(queue).collect(), agents: (0..AGENTS).map(agent).collect(), ..Config::default() }
}

/// The types of one agent, the primary one first.
fn dealt(agent: usize, skills: usize) -> Vec<usize> {
    let (first, round) = (agent % TYPES, agent / TYPES);
    let others = (0..TYPES - 1).map(|k| (first + 1 + (round + k) % (TYPES - 1)) % TYPES);
    std::iter::once(first).chain(others).take(skills).collect()
}
