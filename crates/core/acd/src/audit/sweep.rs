//! A live audit's way through everything, in shares.
//!
//! ```text
//! Visits ─▶ Agents ─▶ Profiles ─▶ Kinds ─▶ Families ─▶ Queues ─▶ Census ─▶ Whole ─▶ from the beginning
//! ```
//! Each part is a range of numbers, and each number has a cost that is known before it is looked at.

use super::{Breach, Findings};
use crate::Acd;
use crate::agent::AgentKey;
use base::{Now, VisitId};
use std::collections::BTreeMap;

/// How far a live audit has come.
#[derive(Clone, Debug, Default)]
pub struct Sweep {
    part: Part,
    at: usize,
    /// Who talked in which visit when this round looked.
    pub(super) talking: BTreeMap<VisitId, AgentKey>,
}

/// What one share found.
pub struct Share {
    pub found: Vec<Breach>,
    /// Everything was looked at once since the round began; the next share begins another.
    pub whole: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Part {
    #[default]
    Visits,
    Agents,
    Profiles,
    Kinds,
    Families,
    Queues,
    Census,
    Whole,
}

impl Part {
    fn next(self) -> Option<Part> {
        Some(match self {
            Part::Visits => Part::Agents,
            Part::Agents => Part::Profiles,
            Part::Profiles => Part::Kinds,
            Part::Kinds => Part::Families,
            Part::Families => Part::Queues,
            Part::Queues => Part::Census,
            Part::Census => Part::Whole,
            Part::Whole => return None,
        })
    }
}

impl Acd {
    /// Goes on where the sweep has come to, for so much: a visit costs [`VISIT`](Acd::VISIT), everything else is reckoned
    /// in the same measure. A share ends early where a round does; it looks at one thing at least, whatever that costs.
    pub fn audit_share(&self, sweep: &mut Sweep, now: Now, share: usize) -> Share {
        let (mut found, mut left) = (Findings(Vec::new()), None);
        loop {
            if sweep.at >= self.numbers(sweep.part) {
                sweep.at = 0;
                match sweep.part.next() {
                    Some(part) => sweep.part = part,
                    None => {
                        *sweep = Sweep::default();
                        return Share { found: found.0, whole: true };
                    }
                }
                continue;
            }
            let cost = self.cost(sweep.part, sweep.at);
            match left.unwrap_or(share).checked_sub(cost) {
                None if left.is_some() => return Share { found: found.0, whole: false },
                after => left = Some(after.unwrap_or(0)),
            }
            self.audit_one(sweep, now, &mut found);
            sweep.at += 1;
        }
    }

    /// What it costs to look at one visit.
    pub const VISIT: usize = 16;

    fn numbers(&self, part: Part) -> usize {
        match part {
            Part::Visits => self.visits.slots(),
            Part::Agents => self.agents.slots(),
            Part::Profiles => self.board.profiles.slots(),
            Part::Kinds => self.board.kinds.slots(),
            Part::Families => self.board.families.slots(),
            Part::Queues => self.queues.slots(),
            Part::Census | Part::Whole => 1,
        }
    }

    fn cost(&self, part: Part, at: usize) -> usize {
        let (profiles, kinds) = (self.board.profiles.slots(), self.board.kinds.slots());
        match part {
            Part::Visits => self.visits.get(at).map_or(1, |_| Acd::VISIT),
            Part::Agents => self.agents.get(at).map_or(1, |_| 2 * Acd::VISIT),
            Part::Profiles => 4 + kinds / 64,
            Part::Kinds => 8 + 2 * profiles,
            Part::Families => 4 + profiles / 8,
            Part::Queues => 4 + profiles / 2 + 2 * self.queues.get(at).map_or(0, |q| q.line.len()),
            Part::Census => self.agents.slots() + profiles,
            Part::Whole => self.queues.slots() + kinds,
        }
    }

    fn audit_one(&self, sweep: &mut Sweep, now: Now, found: &mut Findings) {
        match sweep.part {
            Part::Visits => self.audit_visit(sweep.at, now, found),
            Part::Agents => self.audit_agent(sweep.at, now, &mut sweep.talking, found),
            Part::Profiles => self.audit_profile(sweep.at, found),
            Part::Kinds => self.audit_kind(sweep.at, found),
            Part::Families => self.audit_family(sweep.at, found),
            Part::Queues => self.audit_queue(sweep.at, found),
            Part::Census => self.audit_census(found),
            Part::Whole => self.audit_whole(now, found),
        }
    }
}
