//! Callers who leave: M/M/n+M.

use super::{Effort, house};
use crate::erlang::ErlangA;
use crate::judge::Row;
use crate::tally::{Batch, Tally};
use metrics::Formula;
use std::time::Duration;

/// Times in seconds; `calls` arrive in each `per`.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    pub calls: f64,
    pub per: f64,
    pub handling: u64,
    pub patience: u64,
    pub n: u32,
    pub within: u64,
}

const fn case(calls: f64, per: f64, handling: u64, patience: u64, n: u32) -> Case {
    Case { calls, per, handling, patience, n, within: 20 }
}

/// The cases of the project's table of Erlang A.
pub const CASES: [Case; 9] = [
    case(100.0, 1_800.0, 180, 120, 10),
    case(100.0, 1_800.0, 180, 120, 11),
    case(100.0, 1_800.0, 180, 120, 12),
    case(100.0, 1_800.0, 180, 120, 14),
    case(48.0, 60.0, 60, 120, 50),
    case(200.0, 1_800.0, 240, 180, 27),
    case(200.0, 1_800.0, 240, 180, 30),
    case(400.0, 1_800.0, 300, 150, 66),
    case(800.0, 1_800.0, 300, 150, 140),
];

impl Case {
    pub fn model(&self) -> ErlangA {
        let (handling, patience) = (self.handling as f64, self.patience as f64);
        ErlangA { n: self.n, rate: self.calls / self.per, handling, patience }
    }

    fn name(&self) -> String {
        format!("Erlang A {}/{} s, {} s, {} s, n {}", self.calls, self.per, self.handling, self.patience, self.n)
    }
}

pub fn rows(effort: Effort, rows: &mut Vec<Row>) {
    for (i, case) in CASES.iter().enumerate() {
        rows_of(case, &run(effort, case, i as u64), rows);
    }
}

fn run(effort: Effort, case: &Case, seed: u64) -> Tally {
    let model = case.model();
    let (handling, patience) = (Duration::from_secs(case.handling), Duration::from_secs(case.patience));
    let callers = house::poisson(200 + seed, model.rate, handling, Some(patience), vec![house::queue_id("calls")]);
    // S = T, as in the table's fourth service level.
    let t = Duration::from_secs(case.within);
    house::run(house::pooled(case.n), callers, None, effort.calls(300_000, 4_000_000), t, t)
}

/// Every column of the table.
fn rows_of(case: &Case, tally: &Tally, rows: &mut Vec<Row>) {
    let exact = case.model().figures(case.within as f64);
    let n = f64::from(case.n);
    let mut row = |figure: &str, expected: f64, of: &dyn Fn(&Batch) -> (f64, f64)| {
        rows.push(Row::new(format!("{}: {figure}", case.name()), expected, &tally.figure(of)));
    };
    let offered = |b: &Batch| b.sums.offered as f64;
    row("P(W)", exact.waiting, &|b| (b.had_to_wait as f64, offered(b)));
    row("P(Ab)", exact.abandoned, &|b| (b.sums.abandoned as f64, offered(b)));
    row("P(Ab) of those who wait", exact.abandoned / exact.waiting, &|b| (b.sums.abandoned as f64, b.had_to_wait as f64));
    row("mean wait", exact.wait, &|b| (b.waited_answered + b.waited_abandoned, offered(b)));
    row("mean line", exact.line, &|b| (b.waiting, b.seconds));
    row("occupancy", exact.occupancy, &|b| (b.busy, b.seconds * n));
    row("ASA", exact.wait_answered, &|b| (b.waited_answered, b.sums.answered as f64));
    row("time to abandon", exact.wait_abandoned, &|b| (b.waited_abandoned, b.sums.abandoned as f64));
    row("abandoned within T", exact.abandoned_within, &|b| (b.sums.abandoned_in_time as f64, offered(b)));
    for (formula, expected) in [
        (Formula::Answered, exact.answered_within / (1.0 - exact.abandoned)),
        (Formula::Offered, exact.answered_within),
        (Formula::AbandonedOk, exact.answered_within + exact.abandoned_within),
        (Formula::default(), exact.answered_within / (1.0 - exact.abandoned_within)),
    ] {
        rows.push(Row::new(format!("{}: {formula}", case.name()), expected, &tally.level(formula)));
    }
}
