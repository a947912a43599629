//! What was said of each visit when it entered, and what became of it.

use crate::people::Caller;
use crate::world::Watch;
use acd::{Expected, Output};
use base::{Now, Outcome, VisitId};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// A quote, and the wait it was of.
#[derive(Clone, Debug)]
pub struct Graded {
    pub said: Expected,
    pub waited: Duration,
    /// What the caller wanted: the queue, the skills and the priority.
    pub wish: String,
}

/// Every quote that was put to the test: what was said, and the wait.
#[derive(Clone, Debug, Default)]
pub struct Quotes {
    open: BTreeMap<VisitId, Expected>,
    pub graded: Vec<Graded>,
    /// Visits answered, with or without a quote, and those that were quoted and left.
    pub answered: u64,
    pub left: u64,
}

/// How often a wait was no longer than what was said.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Coverage {
    pub visits: usize,
    pub p50: f64,
    pub p90: f64,
}

impl Quotes {
    pub fn coverage(&self) -> Coverage {
        coverage(self.graded.iter())
    }

    /// The same of each wish, by its name.
    pub fn by_wish(&self) -> BTreeMap<&str, Coverage> {
        let wishes: BTreeSet<&str> = self.graded.iter().map(|g| g.wish.as_str()).collect();
        wishes.into_iter().map(|wish| (wish, coverage(self.graded.iter().filter(|g| g.wish == wish)))).collect()
    }

    /// Of the first so many, when little was known.
    pub fn at_first(&self, quotes: usize) -> Coverage {
        coverage(self.graded.iter().take(quotes))
    }
}

fn coverage<'a>(graded: impl Iterator<Item = &'a Graded>) -> Coverage {
    let (mut visits, mut p50, mut p90) = (0, 0, 0);
    for Graded { said, waited, .. } in graded {
        visits += 1;
        p50 += usize::from(*waited <= said.p50);
        p90 += usize::from(*waited <= said.p90);
    }
    let share = |n: usize| n as f64 / visits.max(1) as f64;
    Coverage { visits, p50: share(p50), p90: share(p90) }
}

impl Watch for Quotes {
    fn output(&mut self, _: Now, output: &Output, caller: Option<&Caller>) {
        match output {
            Output::Entered { visit, expected: Some(expected), .. } => drop(self.open.insert(*visit, *expected)),
            Output::Left { visit, outcome, waited, .. } => {
                let said = self.open.remove(visit);
                match (said, outcome, caller) {
                    (Some(said), Outcome::Answered, Some(caller)) => {
                        let wish = format!("{} {} {}", caller.queue, caller.requires, caller.priority_s);
                        self.graded.push(Graded { said, waited: *waited, wish });
                    }
                    (Some(_), ..) => self.left += 1,
                    (None, ..) => {}
                }
                self.answered += u64::from(*outcome == Outcome::Answered);
            }
            _ => {}
        }
    }
}
