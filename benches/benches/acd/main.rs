//! What routing costs at scale: 200 queues and 64 skills, with 100 agents and 1,000 waiting calls, and with 10,000 and
//! 100,000.
//!
//! `cargo bench -p benches --bench acd` prints the whole table. What one decision is stands in `hall.rs`; who the agents
//! and calls are, in `world.rs`. Instructions are counted by valgrind where it is installed, for which the bench starts
//! itself again as `--counted CASE ROUNDS`.

mod hall;
mod instructions;
mod memory;
mod scan;
mod stall;
mod time;
mod world;

use hall::{Hall, Rules};
use world::{ALL_DIFFERENT, LARGE, SMALL, Size};

/// Which of the two decisions.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Event {
    Frees,
    Comes,
}

/// One row of the table.
#[derive(Clone, Copy)]
pub struct Case {
    pub name: &'static str,
    pub event: Event,
    pub size: Size,
    pub rules: Rules,
}

const CASES: [Case; 10] = {
    const fn case(name: &'static str, event: Event, size: Size, rules: Rules) -> Case {
        Case { name, event, size, rules }
    }
    [
        case("frees-small", Event::Frees, SMALL, Rules::Plain),
        case("frees-large", Event::Frees, LARGE, Rules::Plain),
        case("comes-small", Event::Comes, SMALL, Rules::Plain),
        case("comes-large", Event::Comes, LARGE, Rules::Plain),
        case("frees-small-rich", Event::Frees, SMALL, Rules::Rich),
        case("frees-large-rich", Event::Frees, LARGE, Rules::Rich),
        case("comes-small-rich", Event::Comes, SMALL, Rules::Rich),
        case("comes-large-rich", Event::Comes, LARGE, Rules::Rich),
        case("frees-large-all-different", Event::Frees, ALL_DIFFERENT, Rules::Plain),
        case("comes-large-all-different", Event::Comes, ALL_DIFFERENT, Rules::Plain),
    ]
};

/// Rounds before anything is measured: what grows has grown.
const WARM_UP: usize = 20_000;

impl Case {
    pub fn hall(&self) -> Hall {
        let mut hall = match self.event {
            Event::Frees => Hall::busy(self.size, self.rules),
            Event::Comes => Hall::half_calm(self.size, self.rules),
        };
        self.rounds(&mut hall, WARM_UP);
        hall
    }

    /// Decisions, each with its undoing. How many came to an offer.
    pub fn rounds(&self, hall: &mut Hall, rounds: usize) -> usize {
        (0..rounds).filter(|_| self.round(hall)).count()
    }

    pub fn round(&self, hall: &mut Hall) -> bool {
        match self.event {
            Event::Frees => {
                let taken = hall.frees();
                hall.call_joins(taken);
                taken.is_some()
            }
            Event::Comes => {
                let talks = hall.comes();
                let decided = talks.is_some();
                hall.call_ends(talks);
                decided
            }
        }
    }
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    if let Some(at) = args.iter().position(|a| a == "--counted") {
        return instructions::child(&args[at + 1..]);
    }
    if !args.iter().any(|a| a == "--bench") {
        // As in `cargo test --benches`: only that it works.
        return CASES.iter().filter(|c| c.size.agents == SMALL.agents).for_each(|c| assert!(c.rounds(&mut c.hall(), 100) > 90));
    }
    let only = args.iter().skip(1).find(|a| !a.starts_with("--"));
    let wanted = |part: &str| only.is_none_or(|only| only == part);
    if wanted("instructions") {
        instructions::table(&CASES);
    }
    if wanted("time") {
        time::table(&CASES);
    }
    if wanted("memory") {
        memory::table(&CASES);
    }
    if wanted("stall") {
        stall::table();
    }
}
