//! What routing costs at scale: 200 queues and 64 skills, with 100 agents and 1,000 waiting calls, and with 10,000 and
//! 100,000.
//!
//! `cargo bench -p benches --bench acd` prints the tables, and at the end what is asked for and what was measured. What
//! one decision is stands in `hall.rs`; who the agents and calls are, in `world.rs`. Instructions are counted by valgrind
//! where it is installed, for which the bench starts itself again as `--counted CASE ROUNDS`.

mod audit;
mod floor;
mod hall;
mod instructions;
mod memory;
mod scan;
mod stall;
mod targets;
mod time;
mod world;

use hall::{Decided, Hall, Rules};
use world::{ALL_DIFFERENT, LARGE, SMALL, Size};

/// Which of the two decisions.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Event {
    Frees,
    Comes,
}

/// One row of the tables.
#[derive(Clone, Copy)]
pub struct Case {
    pub name: &'static str,
    pub event: Event,
    pub size: Size,
    pub rules: Rules,
}

const fn case(name: &'static str, event: Event, size: Size, rules: Rules) -> Case {
    Case { name, event, size, rules }
}

/// Measured by turns, the small one first, which the others are compared with.
const GROUPS: [&[Case]; 4] = [
    &[
        case("frees-small", Event::Frees, SMALL, Rules::Plain),
        case("frees-large", Event::Frees, LARGE, Rules::Plain),
        case("frees-large-all-different", Event::Frees, ALL_DIFFERENT, Rules::Plain),
    ],
    &[
        case("comes-small", Event::Comes, SMALL, Rules::Plain),
        case("comes-large", Event::Comes, LARGE, Rules::Plain),
        case("comes-large-all-different", Event::Comes, ALL_DIFFERENT, Rules::Plain),
    ],
    &[case("frees-small-rich", Event::Frees, SMALL, Rules::Rich), case("frees-large-rich", Event::Frees, LARGE, Rules::Rich)],
    &[case("comes-small-rich", Event::Comes, SMALL, Rules::Rich), case("comes-large-rich", Event::Comes, LARGE, Rules::Rich)],
];

/// Rounds before anything is measured: what grows has grown.
const WARM_UP: usize = 100_000;

impl Case {
    pub fn hall(&self, warm_up: usize) -> Hall {
        let mut hall = match self.event {
            Event::Frees => Hall::busy(self.size, self.rules),
            Event::Comes => Hall::half_calm(self.size, self.rules),
        };
        self.rounds(&mut hall, warm_up);
        hall
    }

    /// Decisions, each with its answer and its undoing. How many came to an offer.
    pub fn rounds(&self, hall: &mut Hall, rounds: usize) -> usize {
        (0..rounds).filter(|_| self.round(hall)).count()
    }

    fn round(&self, hall: &mut Hall) -> bool {
        let decided = self.decide(hall);
        if let Some(decided) = &decided {
            hall.answers(decided);
            self.undo(hall, decided);
        }
        decided.is_some()
    }

    pub fn decide(&self, hall: &mut Hall) -> Option<Decided> {
        match self.event {
            Event::Frees => hall.frees(),
            Event::Comes => hall.comes(),
        }
    }

    /// Puts the hall back as it was.
    pub fn undo(&self, hall: &mut Hall, decided: &Decided) {
        match self.event {
            Event::Frees => hall.call_joins(decided),
            Event::Comes => hall.call_ends(decided),
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
        return GROUPS.iter().for_each(|group| assert!(group[0].rounds(&mut group[0].hall(0), 100) > 90));
    }
    let only = args.iter().skip(1).find(|a| !a.starts_with("--"));
    let wanted = |part: &str| only.is_none_or(|only| only == part);
    let mut found = targets::Found::default();
    if wanted("instructions") {
        found.instructions = instructions::table(&GROUPS);
    }
    if wanted("time") {
        found.times = time::table(&GROUPS);
        found.floor = Some(floor::table());
    }
    if wanted("audit") {
        audit::table();
    }
    if wanted("memory") {
        found.memory = Some(memory::table());
    }
    if wanted("stall") {
        found.stall = Some(stall::table());
    }
    targets::table(&found);
}
