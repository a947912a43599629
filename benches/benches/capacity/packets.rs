//! CPU for one relayed packet: the bench `relay`, which has its own reference in its own run.

use crate::Asked;
use crate::table::Table;
use benches::pin;
use benches::relayed::{self, Verdict};
use std::env;
use std::process::{Command, Stdio};

/// What the machine spoils is measured again, so often in all: its own check of validity knows nothing of the ratios.
const TRIES: usize = 3;

pub fn run(asked: &Asked, table: &mut Table) {
    if !asked.measured {
        return table.figure("a relayed packet", "only where something is measured");
    }
    // Its threads share the cores as the kernel likes.
    pin::anywhere();
    let (said, verdict) = measured();
    pin::to(pin::cores().1);
    for (what, ratio, most) in relayed::ratios(&said) {
        let what = format!("CPU for a packet beside the bare relay: {what}");
        table.target(what, most.to_string(), format!("{ratio:.2}"), ratio <= most);
    }
    match verdict {
        Verdict::Valid => {}
        Verdict::Busy => table.void("a relayed packet: the bare relay's rounds differ by too much, or packets were lost"),
        Verdict::Failed(why) => table.void(format!("a relayed packet: {why}")),
    }
}

/// What the bench says on its output, and what that is worth; what goes wrong it says to whoever watches.
fn measured() -> (String, Verdict) {
    let mut ran = (String::new(), Verdict::Busy);
    for _ in 0..TRIES {
        let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.args(["bench", "--quiet", "-p", "benches", "--bench", "relay"]).stderr(Stdio::inherit());
        let run = match cargo.output() {
            Ok(run) => run,
            Err(error) => return (String::new(), Verdict::Failed(format!("cargo does not run: {error}"))),
        };
        let said = String::from_utf8_lossy(&run.stdout).into_owned();
        let verdict = relayed::verdict(&said, run.status.success());
        ran = (said, verdict);
        if ran.1 != Verdict::Busy {
            break;
        }
    }
    ran
}
