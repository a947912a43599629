//! What is asked for, what was measured, and whether that is enough: a line each.

use crate::floor::Floor;
use crate::hall::Rules;
use crate::memory::Memory;
use crate::stall::Stall;
use crate::{Case, instructions, time};

#[derive(Default)]
pub struct Found {
    pub instructions: Vec<instructions::Row>,
    pub times: Vec<time::Row>,
    pub floor: Option<Floor>,
    pub memory: Option<Memory>,
    pub stall: Option<Stall>,
}

pub fn table(found: &Found) {
    println!("{:<62} {:<44} reached", "target", "measured");
    for row in found.instructions.iter().filter(|row| is_large(&row.case)) {
        let ratio = instructions::ratio(row, &found.instructions);
        line(&format!("{}: instructions at most 2.00 x small", row.case.name), &format!("{ratio:.2}"), ratio <= 2.0);
    }
    for row in found.times.iter().filter(|row| is_large(&row.case)) {
        let void = if row.valid { "" } else { " (void: the machine was busy)" };
        line(&format!("{}: time at most 2.00 x small", row.case.name), &format!("{:.2}{void}", row.ratio), row.ratio <= 2.0);
    }
    for row in found.times.iter().filter(|row| is_large(&row.case)) {
        let (per_second, accesses) = (1e9 / row.decision, found.floor.as_ref().map(|floor| row.decision / floor.large));
        let accesses = accesses.map_or(String::new(), |n| format!(", {n:.0} accesses at random long"));
        let measured = format!("{per_second:.0}{accesses}");
        line(&format!("{}: over 1,000,000 decisions a second", row.case.name), &measured, per_second > 1e6);
    }
    let allocated: u64 = found.times.iter().map(|row| row.allocated.count).sum();
    if !found.times.is_empty() {
        line("no allocation in steady state, all cases", &allocated.to_string(), allocated == 0);
    }
    if let Some(memory) = &found.memory {
        line("no allocation while all ring and agents come and go", &memory.others.to_string(), memory.others == 0);
        let ([agent, rich_agent], [call, rich_call]) = (memory.per_agent, memory.per_call);
        line("bytes per agent stated", &format!("{agent}, with rich rules {rich_agent}"), true);
        line("bytes per waiting call stated", &format!("{call}, with rich rules {rich_call}"), true);
    }
    if let Some(stall) = &found.stall {
        let measured = format!("{:.1?} (of nothing {:.1?}), slept {} times", stall.longest, stall.of_nothing, stall.slept);
        line("longest stall of a producer stated", &measured, true);
    }
}

fn is_large(case: &Case) -> bool {
    case.size.agents > crate::SMALL.agents && case.rules != Rules::RingAll
}

fn line(target: &str, measured: &str, reached: bool) {
    println!("{target:<62} {measured:<44} {}", if reached { "yes" } else { "no" });
}
