//! `cargo xtask test`: every test of the repository in one run and one profile, with the peers it needs.
//! `cargo xtask screenshot`: the wallboard of a running demo, as a picture.

mod part;
mod peers;
mod process;
mod screenshot;
mod suite;
mod test;

use clap::{Parser, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Parser)]
#[command(about = "Tasks of this repository", disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Install what the tests need, run them all, end with "N passed, N failed"
    Test {
        /// The long floods and soaks whole, and 10,000 seeds instead of a few hundred
        #[arg(long)]
        long: bool,
        /// Only these parts
        #[arg(long, value_enum, value_name = "PART")]
        only: Vec<part::Part>,
    },
    /// Start the demo, wait until calls are on the wallboard, save it as a PNG
    Screenshot {
        #[arg(default_value = "crates/shell/web/docs/wallboard.png")]
        file: PathBuf,
        /// How long the demo has run when the picture is taken
        #[arg(long, default_value = "40", value_name = "SECONDS")]
        after: u64,
    },
}

fn main() -> ExitCode {
    let done = match Cli::parse().task {
        Task::Test { long, only } => test::run(long, &only),
        Task::Screenshot { file, after } => screenshot::run(&file, after),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("xtask: {why}");
            ExitCode::FAILURE
        }
    }
}

/// The repository's root: two folders above this package's parent.
fn root() -> PathBuf {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(3).map(PathBuf::from).unwrap_or(here)
}
