//! `centralita check`: what is wrong with a site file and its flows, before it goes live.

use crate::load;
use serde_json::json;
use std::path::Path;
use std::process::ExitCode;

pub fn run(path: &Path, as_json: bool) -> ExitCode {
    match load::load(path) {
        Ok(setup) if as_json => println!("{}", json!({ "ok": true, "sha256": setup.sha256_text() })),
        Ok(setup) => {
            let site = &setup.site;
            let (numbers, queues, agents, flows) = (site.numbers.len(), site.queues.len(), site.agents.len(), setup.flows.len());
            println!("{}: good. {numbers} numbers, {flows} flows, {queues} queues, {agents} agents.", path.display());
        }
        Err(error) if as_json => {
            println!("{}", findings(&error));
            return ExitCode::FAILURE;
        }
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

fn findings(error: &load::LoadError) -> serde_json::Value {
    let load::LoadError::Wrong(found) = error else { return json!({ "ok": false, "errors": [error.to_string()] }) };
    let one = |d: &base::Diagnostic| json!({ "file": d.file, "line": d.line, "column": d.column, "message": d.message, "help": d.help });
    json!({ "ok": false, "errors": found.iter().map(one).collect::<Vec<_>>() })
}
