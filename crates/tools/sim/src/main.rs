//! `sim`: days from seeds, until one fails.

use clap::Parser;
use sim::{Plan, Summary, run};
use std::process::ExitCode;

/// Simulates the centre with callers, agents, a bad network and crashes, and checks what must always hold.
#[derive(Parser)]
struct Arguments {
    /// How many seeds, from the first one.
    #[arg(long, default_value_t = 200)]
    seeds: u64,
    /// Inputs of the engine in each day.
    #[arg(long, default_value_t = 2_000)]
    inputs: usize,
    /// Only this seed, with each input told.
    #[arg(long)]
    seed: Option<u64>,
    /// The first seed.
    #[arg(long, default_value_t = 0)]
    from: u64,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let (seeds, trace) = match arguments.seed {
        Some(seed) => (seed..seed + 1, true),
        None => (arguments.from..arguments.from + arguments.seeds, false),
    };
    let mut total = Summary::default();
    let mut failed = 0;
    for seed in seeds {
        match run(&Plan { seed, inputs: arguments.inputs, trace }) {
            Ok(day) => total.add(&day),
            Err(failure) => {
                failed += 1;
                println!("{failure}\n  again: cargo run --release -p sim -- --seed {seed} --inputs {}", arguments.inputs);
            }
        }
    }
    println!("{total}");
    if failed > 0 {
        println!("{failed} seeds failed");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
