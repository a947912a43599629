//! The half of the command line that talks to a running node, through its API.
//!
//! Exit status: 0 done; 1 the node is not there, or refused; 2 the question was wrong.

mod agent;
mod call;
mod client;
mod events;
mod queue;
mod recording;
mod reload;
mod render;
mod replay;
mod target;
#[cfg(test)]
mod tests;
mod ticket;
mod user;
mod whatif;
mod why;
mod words;

use clap::{Args, Subcommand};
use client::Client;
use serde_json::{Value, json};
use std::io::{self, Write};
use std::process::ExitCode;

/// Where the node is, and how it is asked.
#[derive(Args, Clone, Debug)]
pub struct Common {
    /// The API of the running node
    #[arg(long, global = true, env = "CENTRALITA_API", default_value = client::DEFAULT, value_name = "URL")]
    pub api: String,
    /// The node's bearer token, if it asks for one
    #[arg(long, global = true, env = "CENTRALITA_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    pub token: Option<String>,
    /// Print JSON
    #[arg(long, global = true)]
    pub json: bool,
}

/// What a running node can be asked.
#[derive(Subcommand, Clone, Debug)]
pub enum Command {
    /// Queues: who waits and why, today's figures, open or closed
    #[command(subcommand)]
    Queue(queue::Queue),
    /// Agents: see them, change their state or skills, dial for them
    #[command(subcommand)]
    Agent(agent::Agent),
    /// Calls: see them and why they wait, pass them on, listen in, end them
    #[command(subcommand)]
    Call(call::Call),
    /// The log of what happened
    Events(events::Events),
    /// Recordings: find them, save their sound
    #[command(subcommand)]
    Recording(recording::Recording),
    /// The ticket book
    #[command(subcommand)]
    Ticket(ticket::Ticket),
    /// Have the node read its site file and flows again, all or nothing; calls go on
    Reload,
    /// Make every decision of a journal again, byte for byte, or say where and why not; needs no node
    Replay(replay::Options),
    /// Run the calls of journals against another site, and print both beside what happened; needs no node
    Whatif(Box<whatif::Options>),
}

/// Why a command ended badly.
#[derive(Debug)]
pub enum Failure {
    /// The question was wrong: status 2.
    Usage { error: String, expected: String },
    /// The node is not there, or said no: status 1.
    Refused { error: String, expected: String },
    /// The node said no to a file, and where it is wrong: status 1.
    Findings { error: String, findings: Value },
    /// The reader of our output has gone, as `head` does: no failure at all.
    Output(io::Error),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Failure::Output(error)
    }
}

type Done = Result<(), Failure>;

/// Asks, prints, and says how it went.
pub fn run(command: Command, common: &Common) -> ExitCode {
    ExitCode::from(run_into(command, common, &mut io::stdout().lock(), &mut io::stderr().lock()))
}

fn run_into(command: Command, common: &Common, out: &mut dyn Write, err: &mut dyn Write) -> u8 {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            let _ = writeln!(err, "error: no runtime: {error}");
            return 1;
        }
    };
    let done = runtime.block_on(ask(command, common, out, err)).and_then(|()| Ok(out.flush()?));
    let (status, error, expected) = match done {
        Ok(()) => return 0,
        Err(Failure::Findings { error, findings }) => {
            reload::refused(common.json, &error, &findings, err);
            return 1;
        }
        Err(Failure::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => return 0,
        Err(Failure::Output(error)) => (1, format!("cannot write: {error}"), String::new()),
        Err(Failure::Refused { error, expected }) => (1, error, expected),
        Err(Failure::Usage { error, expected }) => (2, error, expected),
    };
    // Nothing is left to do if not even this can be written.
    let _ = match (common.json, expected.is_empty()) {
        (true, _) => writeln!(err, "{}", json!({ "error": error, "expected": expected })),
        (false, true) => writeln!(err, "error: {}", render::clean(&error)),
        (false, false) => writeln!(err, "error: {}\n  expected: {}", render::clean(&error), render::clean(&expected)),
    };
    status
}

async fn ask(command: Command, common: &Common, out: &mut dyn Write, err: &mut dyn Write) -> Done {
    let client = Client::new(common)?;
    match command {
        Command::Replay(options) => replay::run(&options, common.json, out),
        Command::Whatif(options) => whatif::run(&options, common.json, out, err),
        Command::Queue(queue) => queue.run(&client, out).await,
        Command::Agent(agent) => agent.run(&client, out).await,
        Command::Call(call) => call.run(&client, out).await,
        Command::Events(events) => events.run(&client, out, err).await,
        Command::Recording(recording) => recording.run(&client, out).await,
        Command::Ticket(ticket) => ticket.run(&client, out).await,
        Command::Reload => reload::run(&client, out).await,
    }
}

/// The answer as it came, or as a person reads it.
fn print(client: &Client, out: &mut dyn Write, answer: &Value, human: impl FnOnce(&Value) -> String) -> Done {
    if client.json {
        writeln!(out, "{answer:#}")?;
    } else {
        write!(out, "{}", human(answer))?;
    }
    Ok(())
}
