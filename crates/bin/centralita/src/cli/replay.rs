//! `centralita replay`: every decision of a journal again, byte for byte, or where and why not.

use super::{Done, Failure};
use crate::replay::{Difference, Replay, Replayed, Sources};
use base::fact::Fact;
use clap::Args;
use serde_json::{Value, json};
use std::io::Write;
use std::path::PathBuf;

#[derive(Args, Clone, Debug)]
pub struct Options {
    /// The journal, such as data/journal/00000003.jnl
    journal: PathBuf,
    /// A site file that counted and was not kept beside the journal; as often as there are such
    #[arg(long, value_name = "FILE")]
    site: Vec<PathBuf>,
    /// The data folder with log and keys, if the journal is not in it
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
}

pub fn run(options: &Options, as_json: bool, out: &mut dyn Write) -> Done {
    let refused = |error: &dyn std::fmt::Display| Failure::Refused { error: error.to_string(), expected: String::new() };
    let Options { journal, site, data } = options.clone();
    let sources = Sources { journal, data, sites: site };
    let replay = Replay::open(&sources).map_err(|error| Failure::Refused {
        error: error.to_string(),
        expected: "a journal of this version, its data folder, and each site that counted: kept, or by --site".into(),
    })?;
    let replayed = replay.run(|_| ()).map_err(|e| refused(&e))?;
    match as_json {
        true => writeln!(out, "{:#}", as_value(&replayed))?,
        false => write!(out, "{}", text(&replayed))?,
    }
    match &replayed.difference {
        None => Ok(()),
        Some(at) => Err(refused(&format!("input {} gives something else than it gave then", at.input))),
    }
}

fn text(r: &Replayed) -> String {
    let mut text = format!(
        "epoch {}, written by {}: {} inputs, {} configurations, {} to {}\n",
        r.epoch, r.version, r.inputs, r.configurations, r.from, r.to
    );
    text += &format!("{} inputs gave the same, byte for byte; {} facts are those of the log\n", r.digests, r.facts);
    if let Some(difference) = &r.difference {
        return text + &differs(difference, &r.version);
    }
    if r.torn || r.digests < r.inputs {
        text += "the journal's end is torn, as a kill leaves it: of the last input only the facts could be compared\n";
    }
    if r.facts_beyond > 0 {
        text += &format!("the log has {} facts more: the journal ended before its epoch did\n", r.facts_beyond);
    }
    text + "every decision is the same\n"
}

fn differs(d: &Difference, version: &str) -> String {
    let mut text = format!("\ninput {} at {} is the first that gives something else: {}\n", d.input, d.at, d.what);
    let line = |fact: &Fact| json!(fact).to_string();
    let (then, now): (Vec<String>, Vec<String>) =
        (d.then.iter().map(|l| line(&l.fact)).collect(), d.now.iter().map(line).collect());
    if then == now {
        text += &format!("  its {} facts are the same\n", now.len());
    } else {
        then.iter().filter(|fact| !now.contains(fact)).for_each(|fact| text += &format!("  then: {fact}\n"));
        now.iter().filter(|fact| !then.contains(fact)).for_each(|fact| text += &format!("  now:  {fact}\n"));
    }
    if !d.others.is_empty() {
        let others: Vec<String> = d.others.iter().map(|(what, n)| format!("{n} {what}")).collect();
        text += &format!("  beside facts it gives {} (of those then the journal has the digest only)\n", others.join(", "));
    }
    let this = env!("CARGO_PKG_VERSION");
    if version != this {
        text += &format!("  the journal was written by version {version}, this is {this}\n");
    }
    text + "  why, usually: another version of the program, or a site that is not the one that counted\n"
}

fn as_value(r: &Replayed) -> Value {
    let difference = r.difference.as_ref().map(
        |d| json!({ "input": d.input, "at": d.at.to_string(), "what": d.what, "then": d.then, "now": d.now, "others": d.others }),
    );
    json!({
        "epoch": r.epoch,
        "version": r.version,
        "inputs": r.inputs,
        "from": r.from.to_string(),
        "to": r.to.to_string(),
        "configurations": r.configurations,
        "digests": r.digests,
        "facts": r.facts,
        "torn": r.torn,
        "facts_beyond": r.facts_beyond,
        "same": r.difference.is_none(),
        "difference": difference,
    })
}
