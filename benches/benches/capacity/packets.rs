//! CPU for one relayed packet: the bench `relay`, which has its own reference in its own run.

use crate::Asked;
use crate::table::Table;
use benches::pin;
use std::env;
use std::process::Command;

/// What the machine spoils is measured again, so often in all: its own check of validity knows nothing of the ratios.
const TRIES: usize = 3;

pub fn run(asked: &Asked, table: &mut Table) {
    if !asked.measured {
        return table.figure("a relayed packet", "only where something is measured");
    }
    // Its threads share the cores as the kernel likes.
    pin::anywhere();
    let (said, valid) = measured();
    pin::to(pin::cores().1);
    for (what, ratio, most) in said.lines().filter_map(target) {
        let what = format!("CPU for a packet beside the bare relay: {what}");
        table.target(what, most.to_string(), format!("{ratio:.2}"), ratio <= most);
    }
    if !valid {
        table.void("a relayed packet: the bare relay's rounds differ by too much");
    }
}

/// What the bench says, and whether it was a valid run.
fn measured() -> (String, bool) {
    let mut said = String::new();
    for _ in 0..TRIES {
        let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.args(["bench", "--quiet", "-p", "benches", "--bench", "relay"]);
        let run = cargo.output().expect("cargo runs");
        said = String::from_utf8_lossy(&run.stdout).into_owned();
        if said.contains("valid: yes") {
            return (said, true);
        }
    }
    (said, false)
}

/// `our plane: 1.24 times the bare relay, at most 1.3: reached`
fn target(line: &str) -> Option<(&str, f64, f64)> {
    let (what, rest) = line.split_once(": ")?;
    let (ratio, rest) = rest.split_once(" times the bare relay, at most ")?;
    Some((what, ratio.parse().ok()?, rest.split_once(':')?.0.parse().ok()?))
}
