//! CPU for one relayed packet: the bench `relay`, which has its own reference in its own run.

use crate::Asked;
use crate::table::Table;
use benches::pin;
use std::env;
use std::process::Command;

pub fn run(asked: &Asked, table: &mut Table) {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["bench", "--quiet", "-p", "benches", "--bench", "relay"]);
    if !asked.measured {
        return table.figure("a relayed packet", "only where something is measured");
    }
    // Its threads share the cores as the kernel likes.
    pin::anywhere();
    let run = cargo.output().expect("cargo runs");
    pin::to(pin::cores().1);
    let said = String::from_utf8_lossy(&run.stdout).into_owned();
    let mut told = 0;
    for line in said.lines() {
        if let Some((what, ratio, most)) = target(line) {
            told += 1;
            table.target(
                format!("CPU for a packet beside the bare relay: {what}"),
                most.to_string(),
                format!("{ratio:.2}"),
                ratio <= most,
            );
        }
    }
    if told == 0 || said.contains("valid: no") {
        table.void("a relayed packet: the bare relay's rounds differ by too much");
    }
}

/// `our plane: 1.24 times the bare relay, at most 1.3: reached`
fn target(line: &str) -> Option<(&str, f64, f64)> {
    let (what, rest) = line.split_once(": ")?;
    let (ratio, rest) = rest.split_once(" times the bare relay, at most ")?;
    Some((what, ratio.parse().ok()?, rest.split_once(':')?.0.parse().ok()?))
}
