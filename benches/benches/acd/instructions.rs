//! Instructions per decision, counted by callgrind: they repeat, whatever else the machine does.

use crate::Case;
use std::process::Command;

const ROUNDS: usize = 5_000;
/// What is counted, by the functions of `hall.rs` through which each input goes.
const INPUTS: [&str; 3] = ["decide_released", "decide_accepted", "decide_enqueued"];

/// The part that callgrind looks at.
#[inline(never)]
fn counted_rounds(case: &Case, hall: &mut crate::Hall, rounds: usize) -> usize {
    case.rounds(hall, rounds)
}

/// `CASE ROUNDS`, in a process of its own.
pub fn child(args: &[String]) {
    let case = crate::CASES.iter().find(|case| Some(case.name) == args.first().map(String::as_str)).expect("a case");
    let rounds = args.get(1).and_then(|n| n.parse().ok()).expect("how many rounds");
    let mut hall = case.hall();
    println!("{}", counted_rounds(case, &mut hall, rounds));
}

pub fn table(cases: &[Case]) {
    println!("Instructions of Acd::handle, mean of {ROUNDS} rounds (callgrind)");
    println!("{:<28} {:>9} {:>9} {:>9} {:>10} {:>8}", "case", "Released", "Accepted", "Enqueue", "decision", "decided");
    for case in cases {
        match count(case) {
            Ok(counted) => counted.print(case),
            Err(why) => return println!("not counted: {why}"),
        }
    }
    println!();
}

struct Counted {
    /// Calls and instructions of each of [`INPUTS`].
    inputs: [(u64, u64); 3],
    decided: usize,
}

impl Counted {
    fn print(&self, case: &Case) {
        let each = self.inputs.map(|(calls, cost)| cost.checked_div(calls).unwrap_or(0));
        let decision = each[1] + if case.event == crate::Event::Frees { each[0] } else { each[2] };
        println!("{:<28} {:>9} {:>9} {:>9} {decision:>10} {:>8}", case.name, each[0], each[1], each[2], self.decided);
    }
}

fn count(case: &Case) -> Result<Counted, String> {
    let file = std::env::temp_dir().join(format!("acd-{}-{}.callgrind", std::process::id(), case.name));
    let run = Command::new("valgrind")
        .args(["--tool=callgrind", "--quiet", "--compress-strings=no", "--compress-pos=no", "--collect-atstart=no"])
        .args(["--toggle-collect=*counted_rounds*", &format!("--callgrind-out-file={}", file.display())])
        .arg(std::env::current_exe().map_err(|e| e.to_string())?)
        .args(["--counted", case.name, &ROUNDS.to_string()])
        .output()
        .map_err(|e| format!("valgrind: {e}"))?;
    if !run.status.success() {
        return Err(format!("{}: {}", run.status, String::from_utf8_lossy(&run.stderr)));
    }
    let profile = std::fs::read_to_string(&file).map_err(|e| e.to_string())?;
    std::fs::remove_file(&file).map_err(|e| e.to_string())?;
    let decided = String::from_utf8_lossy(&run.stdout).trim().parse().map_err(|e| format!("{e}"))?;
    Ok(Counted { inputs: INPUTS.map(|input| calls_of(&profile, input)), decided })
}

/// Calls of this function, and instructions in it and below. In the profile a call is `cfn=NAME`, `calls=N LINE`, and a
/// line whose last number is the cost.
fn calls_of(profile: &str, function: &str) -> (u64, u64) {
    let (mut calls, mut cost) = (0, 0);
    let mut lines = profile.lines();
    while let Some(line) = lines.next() {
        if !(line.starts_with("cfn=") && line.contains(function)) {
            continue;
        }
        let number = |line: Option<&str>, at: fn(&str) -> Option<&str>| line.and_then(at).and_then(|n| n.parse::<u64>().ok());
        calls += number(lines.next(), |l| l.strip_prefix("calls=")?.split(' ').next()).unwrap_or(0);
        cost += number(lines.next(), |l| l.rsplit(' ').next()).unwrap_or(0);
    }
    (calls, cost)
}
