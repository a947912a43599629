//! From a long day that fails to the few acts that make it fail: the same seed, run again with acts left out.
//!
//! What is left out in one piece, if the same law is broken without it: first a whole sort of acts (all that the network
//! did, all that befell the centre), then what belongs together (a caller with all keys), then single acts; halves,
//! quarters, and so on down to one (delta debugging, after Zeller).

use crate::script::{Act, ActId, Actor};
use crate::{Failure, Plan, run_told};
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A failure and the shortest script found for it.
#[derive(Clone, Debug)]
pub struct Shrunk {
    pub failure: Failure,
    pub acts: Vec<Act>,
    /// Acts of the whole day, and how many days were tried.
    pub of: usize,
    pub tries: u32,
    pub inputs: usize,
}

/// `None` if the day does not fail.
pub fn shrink(plan: &Plan, budget: Duration) -> Option<Shrunk> {
    let (Err(failure), acts) = run_told(plan) else { return None };
    let mut search = Search {
        plan: plan.clone(),
        law: failure.law.clone(),
        until: Instant::now() + budget,
        best: Shrunk { failure, of: acts.len(), acts, tries: 1, inputs: plan.inputs },
    };
    search.shorten_the_day();
    loop {
        let before = search.best.acts.len();
        search.without_groups(|act| sort_of(act.actor));
        search.without_groups(|act| (act.actor, act.n));
        search.without_groups(|act| act);
        if search.best.acts.len() == before || search.is_late() {
            break;
        }
    }
    Some(search.best)
}

/// Acts of one sort stand or fall together at first.
fn sort_of(actor: Actor) -> u8 {
    match actor {
        Actor::Network(_) => 0,
        Actor::Plane => 1,
        Actor::Fate => 2,
        Actor::Desk => 3,
        Actor::Dials(_) => 4,
        Actor::Outside | Actor::Again => 5,
        Actor::Phone(_) => 6,
        Actor::Rung(n) => 10 + n,
        Actor::Caller => 7,
    }
}

struct Search {
    plan: Plan,
    law: String,
    until: Instant,
    best: Shrunk,
}

impl Search {
    fn is_late(&self) -> bool {
        Instant::now() >= self.until
    }

    /// Runs the day with these acts only; a failure of the same law is the best so far.
    fn still_fails(&mut self, only: BTreeSet<ActId>, inputs: usize) -> bool {
        self.best.tries += 1;
        let plan = Plan { only: Some(Arc::new(only)), inputs, trace: false, ..self.plan.clone() };
        match run_told(&plan) {
            (Err(failure), acts) if failure.law == self.law => {
                self.best = Shrunk { failure, acts, inputs, ..self.best.clone() };
                true
            }
            _ => false,
        }
    }

    fn ids(&self) -> BTreeSet<ActId> {
        self.best.acts.iter().map(|act| act.id).collect()
    }

    /// What is found only when the centre drains is found sooner in a shorter day.
    fn shorten_the_day(&mut self) {
        let mut cut = self.best.inputs / 2;
        while cut > 0 && !self.is_late() {
            let inputs = self.best.inputs.saturating_sub(cut);
            if !self.still_fails(self.ids(), inputs) {
                cut /= 2;
            }
        }
    }

    fn without_groups<K: Ord>(&mut self, key: impl Fn(ActId) -> K) {
        let mut size = self.best.acts.len().max(1);
        while size > 0 && !self.is_late() {
            let mut keys: Vec<K> = self.best.acts.iter().map(|act| key(act.id)).collect();
            keys.sort_unstable();
            keys.dedup();
            size = size.min(keys.len());
            let mut removed = false;
            // The last acts first: they are the likeliest to be of no account.
            for chunk in keys.rchunks(size.max(1)) {
                if self.is_late() {
                    return;
                }
                let only: BTreeSet<ActId> = self.ids().into_iter().filter(|id| !chunk.contains(&key(*id))).collect();
                let fewer = only.len() < self.best.acts.len();
                removed |= fewer && self.still_fails(only, self.best.inputs);
            }
            if !removed || size > 1 {
                size /= 2;
            }
        }
    }
}

impl fmt::Display for Shrunk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (acts, of, tries) = (self.acts.len(), self.of, self.tries);
        writeln!(f, "{}\n  {acts} of {of} acts break it, found in {tries} days:", self.failure)?;
        for act in &self.acts {
            writeln!(f, "  {act}")?;
        }
        let names: Vec<String> = self.acts.iter().map(|act| act.id.to_string()).collect();
        let only = if names.is_empty() { "none".to_string() } else { names.join(",") };
        let (seed, inputs) = (self.failure.seed, self.inputs);
        write!(f, "  again: cargo run --release -p sim -- --seed {seed} --inputs {inputs} --only {only}")
    }
}
