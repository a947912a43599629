//! Faults put in on purpose: each must be caught within the seeds of a test run.

use crate::{Failure, Plan, run};
use base::Mutation;
use base::mutation::select;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// What caught a fault, after how many days and inputs.
#[derive(Clone, Debug)]
pub struct Caught {
    pub failure: Failure,
    pub days: u64,
    /// Of all days up to that moment.
    pub inputs: u64,
}

/// Inputs of a day.
const INPUTS: usize = 300;

/// Days with this fault in, until one breaks a law. `None`: it survived them all.
pub fn hunt(mutation: Mutation, from: u64, seeds: u64) -> Option<Caught> {
    let mut inputs = 0;
    for n in 0..seeds {
        select(Some(mutation));
        let day = run(&Plan::new(from + n, INPUTS));
        select(None);
        match day {
            Ok(day) => inputs += day.inputs,
            // A day that breaks without the fault as well has not caught it.
            Err(failure) => match run(&Plan::new(from + n, INPUTS)) {
                Ok(_) => return Some(Caught { inputs: inputs + failure.inputs, failure, days: n + 1 }),
                Err(_) => inputs += failure.inputs,
            },
        }
    }
    None
}

/// Hunts for every fault, on every core, and prints what caught each. False if one survived.
pub fn table(name: Option<&str>, from: u64, seeds: u64) -> bool {
    let chosen = |m: &Mutation| name.is_none_or(|name| snake(*m).contains(name));
    let mutations: Vec<Mutation> = Mutation::ALL.into_iter().filter(chosen).collect();
    println!("{} faults, each in up to {seeds} days of {INPUTS} inputs from seed {from}\n", mutations.len());
    println!("{:<34} {:<44} {:>16} {:>6} {:>9}", "fault", "caught by", "at seed", "days", "inputs");
    let found: Mutex<Vec<Option<Option<Caught>>>> = Mutex::new(vec![None; mutations.len()]);
    let next = AtomicUsize::new(0);
    let work = || {
        loop {
            let n = next.fetch_add(1, Ordering::Relaxed);
            let Some(mutation) = mutations.get(n) else { return };
            let caught = hunt(*mutation, from, seeds);
            found.lock().unwrap_or_else(|poisoned| poisoned.into_inner())[n] = Some(caught);
        }
    };
    let cores = thread::available_parallelism().map_or(1, |n| n.get());
    thread::scope(|scope| (0..cores).for_each(|_| drop(scope.spawn(work))));
    let found = found.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner());
    let mut survivors = 0;
    for (mutation, caught) in mutations.iter().zip(found) {
        match caught.flatten() {
            Some(caught) => {
                let Caught { failure, days, inputs } = caught;
                println!("{:<34} {:<44} {:>16} {days:>6} {inputs:>9}", snake(*mutation), failure.law, failure.seed);
            }
            None => {
                survivors += 1;
                println!("{:<34} {:<44}", snake(*mutation), "NOTHING");
            }
        }
    }
    println!("\n{} caught, {survivors} survived", mutations.len() - survivors);
    survivors == 0
}

/// `forget_release` of `ForgetRelease`.
fn snake(mutation: Mutation) -> String {
    let camel = format!("{mutation:?}");
    let parts = camel.chars().enumerate().flat_map(|(n, c)| {
        let gap = (n > 0 && c.is_uppercase()).then_some('_');
        gap.into_iter().chain(c.to_lowercase())
    });
    parts.collect()
}
