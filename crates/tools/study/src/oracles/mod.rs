//! The table of oracles: what theory, or an older simulation, says, beside what the decision core does.

mod erlang_a;
mod erlang_c;
pub(crate) mod house;
mod skills;

pub use erlang_a::{CASES as ERLANG_A_CASES, Case as ErlangACase};

use crate::judge::{Row, Verdict, judge};

/// How long the runs are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
    /// For a test: every row, with wider intervals.
    Short,
    /// As many calls as the older simulation had.
    Whole,
}

impl Effort {
    fn calls(self, short: u64, whole: u64) -> u64 {
        match self {
            Effort::Short => short,
            Effort::Whole => whole,
        }
    }
}

/// Every row, judged together.
pub fn table(effort: Effort) -> Vec<Verdict> {
    let mut rows: Vec<Row> = Vec::new();
    erlang_c::rows(effort, &mut rows);
    erlang_a::rows(effort, &mut rows);
    skills::rows(effort, &mut rows);
    judge(rows)
}

/// As a person reads it.
pub fn print(verdicts: &[Verdict]) -> String {
    let mut text = format!("{:<58} {:>10} {:>10} {:>10}  verdict\n", "oracle", "expected", "measured", "+-");
    for Verdict { row, reach, within } in verdicts {
        let verdict = if *within { "within" } else { "OUT" };
        text += &format!("{:<58} {:>10.5} {:>10.5} {:>10.5}  {verdict}\n", row.name, row.expected, row.measured, reach);
    }
    let out = verdicts.iter().filter(|v| !v.within).count();
    text += &format!(
        "{} rows, {out} out. Intervals hold together with 99 %, each widened for the number of rows (Sidak); standard errors \
         by batch means, the first batch discarded.\n",
        verdicts.len()
    );
    text
}
