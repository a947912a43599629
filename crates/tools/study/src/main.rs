//! `study`: tables that compare the decision core with what is known.

use clap::{Parser, Subcommand};
use std::process::ExitCode;
use study::estimates::{days, rivals};
use study::oracles::{self, Effort};

#[derive(Parser)]
#[command(about = "The decision core, measured against what is known", disable_help_subcommand = true)]
struct Arguments {
    #[command(subcommand)]
    question: Question,
}

#[derive(Subcommand)]
enum Question {
    /// Erlang C, Erlang A and the table of skills: exit status 1 if a row is out
    Oracles {
        /// The runs of the test suite instead of the whole ones
        #[arg(long)]
        short: bool,
    },
    /// How often waits were under the expected P90, on days of every sort
    Expected {
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// The estimators of waiting times on M/M/100 at 95 %
    Estimators {
        #[arg(long, default_value_t = 2_000_000)]
        calls: u64,
    },
}

fn main() -> ExitCode {
    match Arguments::parse().question {
        Question::Oracles { short } => {
            let verdicts = oracles::table(if short { Effort::Short } else { Effort::Whole });
            print!("{}", oracles::print(&verdicts));
            if verdicts.iter().all(|v| v.within) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Question::Expected { seed } => {
            println!(
                "{:<55} {:>8} {:>8} {:>7} {:>7} {:>9} {:>16}",
                "day", "answered", "waited", "<= P50", "<= P90", "first 200", "of each wish"
            );
            for day in days() {
                let name = day.name;
                let quotes = day.run(seed);
                let c = quotes.coverage();
                let wishes: Vec<f64> = quotes.by_wish().values().map(|c| c.p90).collect();
                let (low, high) = wishes.iter().fold((1.0f64, 0.0f64), |(low, high), p| (low.min(*p), high.max(*p)));
                println!(
                    "{name:<55} {:>8} {:>8} {:>7.3} {:>7.3} {:>9.3} {low:>7.3} to {high:.3}",
                    quotes.answered,
                    c.visits,
                    c.p50,
                    c.p90,
                    quotes.at_first(200).p90
                );
            }
            ExitCode::SUCCESS
        }
        Question::Estimators { calls } => {
            println!("{:<50} {:>6} {:>9}", "root mean square error, in conversations", "known", "measured");
            for rival in rivals(1, calls) {
                let known = rival.known.map_or(String::new(), |k| format!("{k:.3}"));
                println!("{:<50} {known:>6} {:>9.4}", rival.name, rival.measured);
            }
            ExitCode::SUCCESS
        }
    }
}
