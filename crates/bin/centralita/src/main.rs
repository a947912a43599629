//! The command line.

mod check;
mod cli;
mod clock;
mod demo;
mod keys;
mod load;
mod logging;
mod node;
mod replay;
mod serve;
mod sites;

use clap::{CommandFactory, Parser, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;

/// A contact centre's engine: SIP calls, flows in several languages, queues with skills, recordings, figures, tickets.
#[derive(Parser)]
#[command(version, about, max_term_width = 100)]
struct Arguments {
    #[command(flatten)]
    common: cli::Common,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run a node until SIGTERM.
    Serve {
        /// The site file.
        #[arg(long, env = "CENTRALITA_SITE", default_value = "site.toml")]
        site: PathBuf,
    },
    /// Run a whole centre on loopback, with callers and agents that make real calls.
    Demo(demo::Options),
    /// Say what is wrong with a site file and its flows.
    Check {
        #[arg(long, env = "CENTRALITA_SITE", default_value = "site.toml")]
        site: PathBuf,
    },
    /// Print completions for a shell.
    Completions { shell: clap_complete::Shell },
    /// The demonstration's callers and agents, in a process of their own: a plan on standard input.
    #[command(hide = true)]
    Traffic,
    #[command(flatten)]
    Client(cli::Command),
}

fn main() -> ExitCode {
    let Arguments { common, command } = Arguments::parse();
    let as_json = common.json;
    match command {
        Command::Serve { site } => {
            logging::start("info");
            serve::run(&site, as_json)
        }
        Command::Demo(options) => {
            logging::start("warn");
            demo::run(&options, as_json)
        }
        Command::Check { site } => check::run(&site, as_json),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Arguments::command(), "centralita", &mut script);
            // A reader that has seen enough is no error.
            let _ = std::io::Write::write_all(&mut std::io::stdout(), &script);
            ExitCode::SUCCESS
        }
        Command::Traffic => demo::traffic(),
        Command::Client(command) => cli::run(command, &common),
    }
}
