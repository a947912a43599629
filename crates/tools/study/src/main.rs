//! `study`: tables that compare the decision core with what is known.

use clap::{Parser, Subcommand};
use std::process::ExitCode;
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
}

fn main() -> ExitCode {
    match Arguments::parse().question {
        Question::Oracles { short } => {
            let verdicts = oracles::table(if short { Effort::Short } else { Effort::Whole });
            print!("{}", oracles::print(&verdicts));
            if verdicts.iter().all(|v| v.within) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
    }
}
