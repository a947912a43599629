//! Callers who wait for ever: M/M/n.

use super::{Effort, house};
use crate::erlang::{erlang_c, erlang_c_level, erlang_c_wait};
use crate::judge::Row;
use metrics::Formula;
use std::time::Duration;

/// Calls in half an hour, handling time, T: agents.
const LOADS: [(f64, u64, u64, u32); 4] = [(100.0, 180, 20, 12), (100.0, 180, 20, 13), (100.0, 180, 20, 14), (360.0, 240, 15, 55)];

/// Agents and load in Erlangs.
const POINTS: [(u32, f64); 5] = [(2, 1.0), (3, 2.0), (6, 5.0), (110, 100.0), (420, 400.0)];

pub fn rows(effort: Effort, rows: &mut Vec<Row>) {
    for (i, (calls, handling, t, n)) in LOADS.into_iter().enumerate() {
        let rate = calls / 1_800.0;
        let a = rate * handling as f64;
        let tally = run(effort, n, a, rate, Duration::from_secs(handling), Duration::from_secs(t), i as u64);
        let name = |figure: &str| format!("Erlang C {calls}/30 min, {handling} s, T {t} s, n {n}: {figure}");
        let waits = tally.figure(|b| (b.had_to_wait as f64, b.sums.offered as f64));
        rows.push(Row::new(name("P(W)"), erlang_c(n, a), &waits));
        let asa = tally.figure(|b| (b.waited_answered, b.sums.answered as f64));
        rows.push(Row::new(name("ASA"), erlang_c_wait(n, a) * handling as f64, &asa));
        rows.push(Row::new(name("SL"), erlang_c_level(n, a, t as f64 / handling as f64), &tally.level(Formula::Answered)));
    }
    for (i, (n, a)) in POINTS.into_iter().enumerate() {
        let handling = Duration::from_secs(100);
        let tally = run(effort, n, a, a / handling.as_secs_f64(), handling, Duration::ZERO, 10 + i as u64);
        let waits = tally.figure(|b| (b.had_to_wait as f64, b.sums.offered as f64));
        rows.push(Row::new(format!("Erlang C C({n},{a})"), erlang_c(n, a), &waits));
    }
}

fn run(effort: Effort, n: u32, a: f64, rate: f64, handling: Duration, t: Duration, seed: u64) -> crate::Tally {
    let callers = house::poisson(100 + seed, rate, handling, None, vec![house::queue_id("calls")]);
    let calls = house::enough(n, a, effort.calls(200_000, 2_000_000));
    house::run(house::pooled(n), callers, None, calls, t, Duration::ZERO)
}
