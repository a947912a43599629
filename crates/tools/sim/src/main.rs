//! `sim`: days from seeds. What fails is shrunk to a short script.

use clap::{Parser, Subcommand};
use sim::{ActId, Batch, Plan, base, batch, run, shrink};
use std::collections::BTreeSet;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

/// Failures that are shrunk; the others are named.
const SHRUNK: usize = 3;

/// Simulates the centre with callers, agents, supervisors, a bad network and crashes, and checks what must always hold.
#[derive(Parser)]
struct Arguments {
    /// How many days.
    #[arg(long, default_value_t = 1_000)]
    seeds: u64,
    /// Inputs of the engine in each day.
    #[arg(long, default_value_t = 300)]
    inputs: usize,
    /// The first seed. Without it, one that the commit has for itself.
    #[arg(long)]
    from: Option<u64>,
    /// Only this seed, with each input told.
    #[arg(long)]
    seed: Option<u64>,
    /// Of that seed only these acts, as a shrunk failure names them.
    #[arg(long, value_delimiter = ',', requires = "seed")]
    only: Vec<String>,
    /// Tells of a seed only how it ended.
    #[arg(long, requires = "seed")]
    quiet: bool,
    /// The longest time to look for a short script, in seconds.
    #[arg(long, default_value_t = 30)]
    shrink: u64,
    #[command(subcommand)]
    command: Option<What>,
}

#[derive(Subcommand)]
enum What {
    /// Faults put in on purpose, one after the other: each must be caught. Needs `--features mutations`.
    Mutations {
        /// Only those whose name holds this.
        name: Option<String>,
    },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match (&arguments.command, arguments.seed) {
        (Some(What::Mutations { name }), _) => mutations(name.as_deref(), &arguments),
        (None, Some(seed)) => one(seed, &arguments),
        (None, None) => many(&arguments),
    }
}

fn many(arguments: &Arguments) -> ExitCode {
    let base = base();
    let from = arguments.from.unwrap_or(base.seed);
    println!("{} days of {} inputs from seed {from} ({})", arguments.seeds, arguments.inputs, base.from);
    let outcome = batch(Batch { from, seeds: arguments.seeds, inputs: arguments.inputs, one_failure: false });
    for failure in outcome.failures.iter().skip(SHRUNK) {
        println!("{failure}");
    }
    for failure in outcome.failures.iter().take(SHRUNK) {
        match shrink(&Plan::new(failure.seed, arguments.inputs), Duration::from_secs(arguments.shrink)) {
            Some(shrunk) => println!("{shrunk}"),
            None => println!("{failure}\n  and not again: it depends on more than its seed"),
        }
    }
    println!("{}", outcome.total);
    if outcome.failures.is_empty() {
        return ExitCode::SUCCESS;
    }
    println!("{} days failed", outcome.failures.len());
    ExitCode::FAILURE
}

fn one(seed: u64, arguments: &Arguments) -> ExitCode {
    let mut plan = Plan { trace: !arguments.quiet, ..Plan::new(seed, arguments.inputs) };
    if !arguments.only.is_empty() {
        let named = arguments.only.iter().filter(|name| *name != "none").map(|name| name.parse::<ActId>());
        match named.collect::<Result<BTreeSet<_>, _>>() {
            Ok(only) => plan.only = Some(Arc::new(only)),
            Err(bad) => {
                eprintln!("{bad}");
                return ExitCode::FAILURE;
            }
        }
    }
    match run(&plan) {
        Ok(day) => println!("{day}"),
        Err(failure) => {
            println!("{failure}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

#[cfg(feature = "mutations")]
fn mutations(name: Option<&str>, arguments: &Arguments) -> ExitCode {
    let from = arguments.from.unwrap_or(base().seed);
    match sim::table(name, from, arguments.seeds) {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

#[cfg(not(feature = "mutations"))]
fn mutations(_: Option<&str>, _: &Arguments) -> ExitCode {
    eprintln!("no fault can be put in here: cargo run --release -p sim --features mutations -- mutations");
    ExitCode::FAILURE
}
