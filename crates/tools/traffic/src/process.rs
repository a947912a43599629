//! The run as a process of its own: a plan comes in, JSON lines go out.

use crate::plan::Plan;
use crate::report::Said;
use crate::run::{Stop, run};
use std::io::{self, BufRead, Write};
use std::sync::atomic::Ordering;

/// Runs the plan in `file` and writes [`Said`] lines to standard output, the report last.
///
/// `-` reads the plan from the first line of standard input; a later line `stop` ends the run early, with its report.
/// So does a standard output that nobody reads any more. Start it in a process group of its own, or a Ctrl-C meant
/// for the parent ends it without a report.
///
/// # Errors
/// When the plan can't be read or an address can't be bound.
pub fn main_with(file: &str) -> io::Result<()> {
    let stop = Stop::default();
    let text = if file == "-" { first_line(&stop)? } else { std::fs::read_to_string(file)? };
    let plan: Plan = serde_json::from_str(&text)?;
    let report = run(&plan, &stop, &mut |progress| {
        if say(&Said::Progress(progress)).is_err() {
            stop.store(true, Ordering::Relaxed);
        }
    })?;
    say(&Said::Report(Box::new(report)))
}

/// The plan; a thread goes on reading for `stop`.
fn first_line(stop: &Stop) -> io::Result<String> {
    let mut text = String::new();
    io::stdin().lock().read_line(&mut text)?;
    let stop = stop.clone();
    std::thread::spawn(move || {
        let asked = io::stdin().lock().lines().map_while(Result::ok).any(|line| line.trim() == "stop");
        stop.fetch_or(asked, Ordering::Relaxed);
    });
    Ok(text)
}

fn say(said: &Said) -> io::Result<()> {
    let mut out = io::stdout().lock();
    serde_json::to_writer(&mut out, said)?;
    out.write_all(b"\n")?;
    out.flush()
}
