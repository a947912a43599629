//! Instructions per decision, counted by callgrind: they repeat, whatever else the machine does.

use crate::{Case, Event};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

const ROUNDS: usize = 2_000;
/// Until every kind of call has come once.
const WARM_UP: usize = 10_000;
/// What is counted, by the functions of `hall.rs` through which each input goes.
const INPUTS: [&str; 3] = ["decide_released", "decide_accepted", "decide_enqueued"];

/// The part that callgrind looks at.
#[inline(never)]
fn counted_rounds(case: &Case, hall: &mut crate::Hall, rounds: usize) -> usize {
    case.rounds(hall, rounds)
}

/// `CASE ROUNDS`, in a process of its own. Says how often each input was handled while it was counted.
pub fn child(args: &[String]) {
    let mut cases = crate::GROUPS.iter().flat_map(|group| group.iter());
    let case = cases.find(|case| Some(case.name) == args.first().map(String::as_str)).expect("a case");
    let rounds = args.get(1).and_then(|n| n.parse().ok()).expect("how many rounds");
    let mut hall = case.hall(WARM_UP);
    let before = hall.handled;
    let decided = counted_rounds(case, &mut hall, rounds);
    let handled: Vec<u64> = hall.handled.iter().zip(before).map(|(after, before)| after - before).collect();
    println!("{decided} {} {} {}", handled[0], handled[1], handled[2]);
}

/// Instructions of one input of each sort, and of the decision among them.
pub struct Row {
    pub case: Case,
    each: [u64; 3],
    decided: u64,
}

impl Row {
    pub fn decision(&self) -> u64 {
        if self.case.event == Event::Frees { self.each[0] } else { self.each[2] }
    }
}

pub fn table(groups: &[&[Case]]) -> Vec<Row> {
    println!("Instructions of Acd::handle, mean of {ROUNDS} rounds (callgrind); x small: of the decision");
    println!(
        "{:<26} {:>9} {:>9} {:>9} {:>9} {:>8} {:>8}",
        "case", "decision", "Released", "Accepted", "Enqueue", "x small", "decided"
    );
    let cases: Vec<Case> = groups.iter().flat_map(|group| group.iter().copied()).collect();
    let rows = match count_all(&cases) {
        Ok(rows) => rows,
        Err(why) => {
            println!("not counted: {why}\n");
            return Vec::new();
        }
    };
    for row in &rows {
        let [released, accepted, enqueued] = row.each;
        let (name, decision, ratio) = (row.case.name, row.decision(), ratio(row, &rows));
        println!("{name:<26} {decision:>9} {released:>9} {accepted:>9} {enqueued:>9} {ratio:>8.2} {:>8}", row.decided);
    }
    println!();
    rows
}

/// To the small case with the same event and rules.
pub fn ratio(row: &Row, rows: &[Row]) -> f64 {
    let same = |small: &&Row| small.case.event == row.case.event && small.case.rules == row.case.rules;
    rows.iter().find(same).map_or(f64::NAN, |small| row.decision() as f64 / small.decision() as f64)
}

/// Two at a time.
fn count_all(cases: &[Case]) -> Result<Vec<Row>, String> {
    let next = AtomicUsize::new(0);
    let some = || {
        let mut rows = Vec::new();
        while let Some(case) = cases.get(next.fetch_add(1, Relaxed)) {
            rows.push(count(case)?);
        }
        Ok::<_, String>(rows)
    };
    let (a, b) = std::thread::scope(|s| {
        let other = s.spawn(some);
        (some(), other.join().expect("counting does not panic"))
    });
    let mut rows: Vec<Row> = a?.into_iter().chain(b?).collect();
    rows.sort_by_key(|row| cases.iter().position(|case| case.name == row.case.name));
    Ok(rows)
}

fn count(case: &Case) -> Result<Row, String> {
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
    let said = String::from_utf8_lossy(&run.stdout).into_owned();
    let numbers: Vec<u64> = said.split_whitespace().filter_map(|n| n.parse().ok()).collect();
    let [decided, released, accepted, enqueued] = numbers[..] else { return Err(format!("{} said {said}", case.name)) };
    let mean = |input: &str, handled: u64| cost_of(&profile, input).checked_div(handled).unwrap_or(0);
    let each = [mean(INPUTS[0], released), mean(INPUTS[1], accepted), mean(INPUTS[2], enqueued)];
    Ok(Row { case: *case, each, decided })
}

/// Instructions in this function and below, as its callers paid them. In the profile a call is `cfn=NAME`,
/// `calls=N LINE`, and a line whose last number is the cost; calls from before the counting are in N, not in the cost.
fn cost_of(profile: &str, function: &str) -> u64 {
    let mut cost = 0;
    let mut lines = profile.lines();
    while let Some(line) = lines.next() {
        if line.starts_with("cfn=") && line.contains(function) {
            let paid = lines.nth(1).and_then(|line| line.rsplit(' ').next());
            cost += paid.and_then(|n| n.parse::<u64>().ok()).unwrap_or(0);
        }
    }
    cost
}
