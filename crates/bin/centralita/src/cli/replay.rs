//! `centralita replay`: every decision of a journal again, byte for byte, or where and why not. Exit status 1 also if
//! journal or log lost more than a kill explains.

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
        error: error.to_string().trim_start_matches("error: ").into(),
        expected: "a journal of this version, its data folder, and each site that counted: kept, or by --site".into(),
    })?;
    let replayed = replay.run(|_| ()).map_err(|e| refused(&e))?;
    match as_json {
        true => writeln!(out, "{:#}", as_value(&replayed))?,
        false => write!(out, "{}", text(&replayed))?,
    }
    replayed.fault().map_or(Ok(()), |fault| Err(refused(&fault)))
}

/// What was compared with what, and only then how that went.
fn text(r: &Replayed) -> String {
    let mut text = format!(
        "epoch {}, written by {}: {} inputs, {} configurations, {} to {}\n",
        r.epoch, r.version, r.inputs, r.configurations, r.from, r.to
    );
    text += &format!("{} of {} inputs gave outputs of the same digest as then\n", r.digests, r.inputs);
    text += &match r.logged {
        Some(logged) => format!("{} of {} facts have one in the log, which has {logged}\n", r.compared(), r.facts),
        None => format!("there is no log: its {} facts were compared by these digests only\n", r.facts),
    };
    if let Some(difference) = &r.difference {
        return text + &differs(difference, &r.version);
    }
    if r.fault().is_some() {
        return text;
    }
    if r.closed { text + "every decision is the same\n" } else { text + &cut(r) }
}

/// A journal without its last frame, and no more than a kill explains.
fn cut(r: &Replayed) -> String {
    let end =
        if r.torn { "the journal's end is torn, as a kill leaves it" } else { "the journal was not closed, as after a kill" };
    let mut text = format!("{end}: what came after input {} is in none of these figures\n", r.inputs);
    if r.digests < r.inputs {
        let of_it = if r.logged.is_some() { "only its facts were compared" } else { "nothing of it was compared" };
        text += &format!("the last input's digest is lost: {of_it}\n");
    }
    if r.beyond() > 0 {
        text += &format!("the log has {} facts more, of the last moments before the kill\n", r.beyond());
    }
    if r.lost() > 0 {
        text += &format!("the log lost its last {} facts with the kill\n", r.lost());
    }
    text + "every decision up to there is the same\n"
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
        "logged": r.logged,
        "compared": r.compared(),
        "facts_beyond": r.beyond(),
        "facts_lost": r.lost(),
        "torn": r.torn,
        "closed": r.closed,
        "damage": r.damage.as_ref().map(ToString::to_string),
        "fault": r.fault(),
        "same": r.fault().is_none(),
        "difference": difference,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole() -> Replayed {
        Replayed { inputs: 9, digests: 9, facts: 30, logged: Some(30), closed: true, ..Replayed::default() }
    }

    #[test]
    fn every_decision_is_the_same_only_where_all_were_compared() {
        let every = "every decision is the same\n";
        assert!(text(&whole()).ends_with(every));
        let cut = Replayed { torn: true, closed: false, digests: 8, ..whole() };
        let text_of_cut = text(&cut);
        assert!(text_of_cut.contains("the journal's end is torn"), "{text_of_cut}");
        assert!(text_of_cut.contains("only its facts were compared"), "{text_of_cut}");
        let alone = text(&Replayed { torn: true, closed: false, digests: 8, logged: None, ..whole() });
        assert!(alone.contains("nothing of it was compared"), "{alone}");
        assert!(text_of_cut.ends_with("every decision up to there is the same\n"));
        let damage = shell_store::StoreError::Damaged { path: "a.jnl".into(), at: 77, entry: 10 };
        let damaged = Replayed { closed: false, damage: Some(damage), ..whole() };
        let long = std::time::Duration::from_secs(9);
        let beyond = Replayed { logged: Some(468), closed: false, torn: true, apart: long, ..whole() };
        let lost = Replayed { logged: Some(20), ..whole() };
        for (replayed, why) in
            [(damaged, "at byte 77, in entry 10"), (beyond, "438 facts more"), (lost, "only 20 of the 30 facts")]
        {
            assert!(replayed.fault().unwrap().contains(why), "{:?}", replayed.fault());
            assert!(!text(&replayed).contains("every decision"), "{}", text(&replayed));
            assert_eq!(as_value(&replayed)["same"], false);
        }
    }

    #[test]
    fn without_a_log_only_digests_are_said_to_be_compared() {
        let alone = text(&Replayed { logged: None, ..whole() });
        assert!(alone.contains("there is no log: its 30 facts were compared by these digests only"), "{alone}");
        assert!(text(&whole()).contains("30 of 30 facts have one in the log, which has 30"), "{}", text(&whole()));
    }
}
