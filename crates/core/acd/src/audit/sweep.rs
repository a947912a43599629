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
            Part::Kinds => 8 + 3 * profiles / 4,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Agent, Caller, Config, Input, Queue};
    use base::{AgentState, CallId, Requirement};
    use std::sync::Arc;
    use std::time::Duration;

    const VISITS: u32 = 40;

    /// Two queues in which calls wait for agents who are not logged in.
    fn hall() -> (Acd, Now) {
        let (mut acd, now) = (Acd::new(1), Now::default().plus(Duration::from_secs(10)));
        let mut config = Config::default();
        for n in 0..2 {
            config.queues.insert(format!("t/q{n}").parse().unwrap(), Queue::default());
            let queues = [format!("t/q{n}").parse().unwrap()].into();
            config.agents.insert(format!("t/a{n}").parse().unwrap(), Agent { queues, ..Agent::default() });
        }
        acd.handle(now, Input::Configure(Arc::new(config)), &mut Vec::new());
        for n in 0..VISITS {
            let visit = VisitId { call: CallId { node: 1, epoch: 1, n }, n: 1 };
            let queue = format!("t/q{}", n % 2).parse().unwrap();
            let (requires, waited, caller) = (Requirement::default(), Duration::ZERO, Caller::OnTheLine);
            let enqueue = Input::Enqueue { visit, queue, requires, priority_s: 0, waited, lang: None, party: None, caller };
            acd.handle(now, enqueue, &mut Vec::new());
        }
        assert_eq!((acd.visits.len(), acd.audit(now)), (VISITS as usize, Vec::new()));
        (acd, now)
    }

    /// In shares of so much: what they found, and how many they were.
    fn round(acd: &Acd, now: Now, sweep: &mut Sweep, share: usize) -> (Vec<Breach>, usize) {
        let (mut found, mut shares) = (Vec::new(), 0);
        loop {
            let one = acd.audit_share(sweep, now, share);
            found.extend(one.found);
            shares += 1;
            if one.whole {
                return (found, shares);
            }
        }
    }

    #[test]
    fn a_round_in_shares_finds_what_the_audit_of_the_whole_finds() {
        let tampered: [fn(&mut Acd); 6] = [
            |acd| acd.visits[17].priority_s += 5,
            |acd| acd.agents[1].told.state = AgentState::Paused,
            |acd| acd.board.profiles[0].census.add(AgentState::Available),
            |acd| acd.board.kinds[1].weight += 1,
            |acd| acd.board.families[0].able += 1,
            |acd| acd.woken_visits.push(crate::visit::VisitKey(0)),
        ];
        for (n, tamper) in tampered.into_iter().enumerate() {
            let (mut acd, now) = hall();
            let mut sweep = Sweep::default();
            acd.audit_share(&mut sweep, now, 20 * Acd::VISIT);
            tamper(&mut acd);
            // What was passed already is found in the next round.
            round(&acd, now, &mut sweep, 1);
            let (found, _) = round(&acd, now, &mut sweep, 1);
            assert!(!found.is_empty() && found == acd.audit(now), "{n}: {found:?}");
        }
    }

    #[test]
    fn a_share_costs_what_was_allowed_and_the_next_goes_on_from_there() {
        let (acd, now) = hall();
        let (whole, tens) = (round(&acd, now, &mut Sweep::default(), usize::MAX), 10 * Acd::VISIT);
        assert_eq!(whole, (Vec::new(), 1));
        let (found, shares) = round(&acd, now, &mut Sweep::default(), tens);
        assert_eq!(found, []);
        assert!((5..=7).contains(&shares), "{shares} shares of 10 visits for 40 and little else");
        let (_, each) = round(&acd, now, &mut Sweep::default(), 1);
        assert!(each >= VISITS as usize, "one thing at least, and no two: {each}");
    }
}
