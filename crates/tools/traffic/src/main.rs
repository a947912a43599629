//! `traffic --plan FILE`: callers and agents against a server that listens already.

use clap::Parser;
use std::process::ExitCode;

/// Makes real SIP and RTP calls and says what it saw and heard, as JSON lines.
#[derive(Parser)]
struct Cli {
    /// The plan as JSON in a file, or `-`: its first line on standard input
    #[arg(long, value_name = "FILE")]
    plan: String,
}

fn main() -> ExitCode {
    match traffic::main_with(&Cli::parse().plan) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("traffic: {why}");
            ExitCode::FAILURE
        }
    }
}
