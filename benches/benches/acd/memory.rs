//! Allocations per decision, and bytes per waiting call and per agent.

use crate::hall::{Hall, Rules};
use crate::time::Row;
use crate::world::{LARGE, SMALL};
use crate::{Case, Event, WARM_UP, case};
use allocation_counter::measure;

const ROUNDS: usize = 20_000;

#[derive(Clone, Copy)]
pub struct Allocated {
    pub count: u64,
    bytes: i64,
}

pub struct Memory {
    /// While a call rings all, and while agents come and go.
    pub others: u64,
    /// Plain and rich.
    pub per_agent: [i64; 2],
    pub per_call: [i64; 2],
}

/// In steady state.
pub fn allocated(case: &Case, hall: &mut Hall) -> Allocated {
    let found = measure(|| assert!(case.rounds(hall, ROUNDS) > 0));
    Allocated { count: found.count_total, bytes: found.bytes_current }
}

pub fn print(rows: &[Row]) {
    println!("Allocations in {ROUNDS} rounds: decision, answer and undoing");
    rows.iter().for_each(|row| line(row.case.name, row.allocated));
    println!();
}

fn line(name: &str, found: Allocated) {
    println!("{name:<26} {:>9} allocations, {:>9} bytes more than before", found.count, found.bytes);
}

pub fn table() -> Memory {
    println!("Allocations in {ROUNDS} rounds of what is not a case above");
    let ring_all = case("ring-all", Event::Comes, SMALL, Rules::RingAll);
    let mut hall = ring_all.hall(WARM_UP);
    let rung = allocated(&ring_all, &mut hall);
    line("a call rings all", rung);
    let reason = "lunch".into();
    let away = measure(|| (0..ROUNDS).for_each(|_| hall.is_away(&reason)));
    let away = Allocated { count: away.count_total, bytes: away.bytes_current };
    line("own calls, breaks", away);
    let [plain, rich] = [(Rules::Plain, "plain"), (Rules::Rich, "rich")].map(|(rules, name)| bytes(rules, name));
    println!();
    Memory { others: rung.count + away.count, per_agent: [plain.0, rich.0], per_call: [plain.1, rich.1] }
}

/// Per agent and per waiting call.
fn bytes(rules: Rules, name: &str) -> (i64, i64) {
    let mut hall = None;
    let staffed = measure(|| hall = Some(Hall::staffed(LARGE, rules)));
    let mut hall = hall.expect("it was made a line above");
    let own = hall.own_bytes();
    let filled = measure(|| hall.fill(LARGE.waiting));
    let agents = (staffed.bytes_current - own as i64) / LARGE.agents as i64;
    let calls = filled.bytes_current / LARGE.waiting as i64;
    println!("{name}: {agents} bytes per agent, configuration and ids included; {calls} bytes per waiting call");
    (agents, calls)
}
