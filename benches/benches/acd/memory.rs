//! Allocations per decision, and bytes per waiting call and per agent.

use crate::Case;
use crate::hall::{Hall, Rules};
use crate::world::LARGE;
use allocation_counter::measure;

const ROUNDS: usize = 50_000;

pub fn table(cases: &[Case]) {
    println!("Allocations in {ROUNDS} rounds (decision and undoing)");
    for case in cases {
        let mut hall = case.hall();
        let found = measure(|| assert!(case.rounds(&mut hall, ROUNDS) > 0));
        println!("{:<28} {:>9} allocations, {:>9} bytes more than before", case.name, found.count_total, found.bytes_current);
    }
    for (rules, name) in [(Rules::Plain, "plain"), (Rules::Rich, "rich")] {
        let mut hall = None;
        let staffed = measure(|| hall = Some(Hall::staffed(LARGE, rules)));
        let Some(mut hall) = hall else { continue };
        let own = hall.own_bytes();
        let filled = measure(|| hall.fill(LARGE.waiting));
        let agents = (staffed.bytes_current - own as i64) / LARGE.agents as i64;
        let calls = filled.bytes_current / LARGE.waiting as i64;
        println!("{name}: {agents} bytes per agent, configuration and ids included; {calls} bytes per waiting call");
    }
    println!();
}
