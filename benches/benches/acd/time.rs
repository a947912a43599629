//! Time per decision, beside the linear scan in the same run: A-B-A.

use crate::scan::Scan;
use crate::{Case, Event};
use rustix::time::{ClockId, clock_gettime};
use std::hint::black_box;
use std::time::Instant;

/// Decisions between two looks at the clock, small enough to leave the hall as it is.
const BATCH: usize = 8;
const BATCHES: usize = 6_000;
/// For what can be sustained, arrivals and all.
const SUSTAINED: usize = 200_000;

pub fn table(cases: &[Case]) {
    println!("Time, beside a linear scan that only chooses (A-B-A; a scan whose two rounds differ by over a fifth: void)");
    println!(
        "{:<28} {:>9} {:>9} {:>9} {:>12} {:>11} {:>11} {:>8} valid",
        "case", "median", "p10", "p90", "rounds/s", "scan before", "scan after", "ratio"
    );
    for case in cases {
        let mut scan = Scan::new(case.size, case.event == Event::Comes);
        let mut hall = case.hall();
        let before = scanned(case, &mut scan);
        let mut batches = batches(case, &mut hall);
        let per_second = sustained(case, &mut hall);
        let after = scanned(case, &mut scan);
        batches.sort_unstable_by(f64::total_cmp);
        let at = |share: f64| batches[(share * (batches.len() - 1) as f64) as usize];
        let reference = (before + after) / 2.0;
        let valid = if (before - after).abs() <= reference / 5.0 { "yes" } else { "no: the machine was busy" };
        println!(
            "{:<28} {:>6.0} ns {:>6.0} ns {:>6.0} ns {per_second:>12.0} {before:>8.0} ns {after:>8.0} ns {:>8.4} {valid}",
            case.name,
            at(0.5),
            at(0.1),
            at(0.9),
            at(0.5) / reference
        );
    }
    println!();
}

/// Nanoseconds per decision, batch by batch; what undoes them is not in it.
fn batches(case: &Case, hall: &mut crate::Hall) -> Vec<f64> {
    let mut freed = Vec::with_capacity(BATCH);
    let mut came = Vec::with_capacity(BATCH);
    let batch = |_| {
        let from = Instant::now();
        match case.event {
            Event::Frees => (0..BATCH).for_each(|_| freed.push(hall.frees())),
            Event::Comes => (0..BATCH).for_each(|_| came.push(hall.comes())),
        }
        let nanos = from.elapsed().as_nanos() as f64 / BATCH as f64;
        freed.drain(..).for_each(|taken| hall.call_joins(taken));
        came.drain(..).for_each(|agent| hall.call_ends(agent));
        nanos
    };
    (0..BATCHES).map(batch).collect()
}

/// Rounds per second of CPU time, decisions with their undoing.
fn sustained(case: &Case, hall: &mut crate::Hall) -> f64 {
    let from = thread_cpu();
    let decided = case.rounds(hall, SUSTAINED);
    decided as f64 * 1e9 / (thread_cpu() - from) as f64
}

fn scanned(case: &Case, scan: &mut Scan) -> f64 {
    let looked_at = if case.event == Event::Frees { case.size.waiting } else { case.size.agents };
    let rounds = (50_000_000 / looked_at).clamp(200, 20_000);
    let mut once = || match case.event {
        Event::Frees => black_box(scan.frees()).is_some(),
        Event::Comes => black_box(scan.comes()).is_some(),
    };
    assert!((0..rounds / 10).filter(|_| once()).count() > 0);
    let from = thread_cpu();
    let decided = (0..rounds).filter(|_| once()).count();
    (thread_cpu() - from) as f64 / decided.max(1) as f64
}

/// CPU time of the calling thread, in nanoseconds.
pub fn thread_cpu() -> u64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}
