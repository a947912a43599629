//! `centralita check`: what is wrong with a site file and its flows, before it goes live.
//!
//! Exit status: 0 good, perhaps with warnings; 1 it cannot be used.

use crate::load::{self, LoadError, Loaded};
use base::Diagnostic;
use serde_json::{Value, json};
use std::path::Path;
use std::process::ExitCode;

pub fn run(path: &Path, as_json: bool) -> ExitCode {
    let loaded = load::to_serve(path).map(|(loaded, _)| loaded);
    let status = if loaded.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    match loaded {
        Ok(loaded) if as_json => println!("{}", good(&loaded)),
        Ok(Loaded { setup, warnings, .. }) => {
            warnings.iter().for_each(|warning| eprintln!("{warning}\n"));
            let site = &setup.site;
            let (numbers, queues, agents, flows) = (site.numbers.len(), site.queues.len(), site.agents.len(), setup.flows.len());
            let warnings =
                if warnings.is_empty() { String::new() } else { format!(", {}", load::counted(warnings.len(), "warning")) };
            println!("{}: good{warnings}. {numbers} numbers, {flows} flows, {queues} queues, {agents} agents.", path.display());
        }
        Err(error) if as_json => println!("{}", wrong(&error)),
        Err(error) => eprintln!("{error}"),
    }
    status
}

fn good(loaded: &Loaded) -> Value {
    let warnings: Vec<Value> = loaded.warnings.iter().map(finding).collect();
    json!({ "ok": true, "sha256": loaded.setup.sha256_text(), "warnings": warnings })
}

fn wrong(error: &LoadError) -> Value {
    let LoadError::Wrong(found) = error else { return json!({ "ok": false, "errors": [error.to_string()], "warnings": [] }) };
    let (errors, warnings): (Vec<_>, Vec<_>) = found.iter().partition(|d| d.is_error());
    let all = |found: Vec<&Diagnostic>| found.into_iter().map(finding).collect::<Vec<_>>();
    json!({ "ok": false, "errors": all(errors), "warnings": all(warnings) })
}

fn finding(d: &Diagnostic) -> Value {
    json!({ "file": d.file, "line": d.line, "column": d.column, "message": d.message, "help": d.help })
}
